// SPDX-License-Identifier: GPL-2.0-or-later
/* The state directory; see state.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "random.h"
#include "state.h"

/* "kturnd 1", the cookie, the key, each on a line. */
#define IDENTITY_FORMAT	"kturnd 1\ncookie %016" PRIx64 "\nnonce-key "
#define IDENTITY_LEN	(9 + 7 + 16 + 1 + 10 + 64 + 1)

bool state_path(const struct state *st, const char *file, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", st->dir, file) < PATH_MAX;
}

static void make_identity(struct state *st)
{
	do
		random_bytes(&st->cookie, sizeof(st->cookie));
	while (!st->cookie);
	random_bytes(st->nonce_key, sizeof(st->nonce_key));
}

static int write_identity(const struct state *st, const char *path)
{
	char text[IDENTITY_LEN + 1];
	size_t i, n;
	int ret;

	n = (size_t)snprintf(text, sizeof(text), IDENTITY_FORMAT, st->cookie);
	for (i = 0; i < sizeof(st->nonce_key); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%02x",
				      st->nonce_key[i]);
	text[n++] = '\n';
	ret = file_replace(path, text, n);
	explicit_bzero(text, sizeof(text));
	return ret;
}

static bool parse_identity(struct state *st, const char *text, size_t len)
{
	char check[64];
	size_t i, n;

	if (len != IDENTITY_LEN ||
	    sscanf(text, "kturnd 1\ncookie %16" SCNx64 "\n", &st->cookie) != 1)
		return false;
	n = (size_t)snprintf(check, sizeof(check), IDENTITY_FORMAT,
			     st->cookie);
	if (!st->cookie || memcmp(text, check, n) || text[len - 1] != '\n')
		return false;
	for (i = 0; i < sizeof(st->nonce_key); i++)
		if (strspn(text + n + 2 * i, "0123456789abcdef") < 2 ||
		    sscanf(text + n + 2 * i, "%2hhx", &st->nonce_key[i]) != 1)
			return false;
	return true;
}

static int read_identity(struct state *st, const char *path)
{
	char text[IDENTITY_LEN + 1];
	ssize_t n;

	n = file_read(path, text, IDENTITY_LEN);
	if (n < 0)
		return (int)n == -EFBIG ? -EBADMSG : (int)n;
	text[n] = '\0';
	n = parse_identity(st, text, (size_t)n) ? 0 : -EBADMSG;
	explicit_bzero(text, sizeof(text));
	return (int)n;
}

static int load_identity(struct state *st)
{
	char path[PATH_MAX];
	int ret;

	if (!state_path(st, "identity", path))
		return -ENAMETOOLONG;
	ret = read_identity(st, path);
	if (ret == -ENOENT) {
		make_identity(st);
		ret = write_identity(st, path);
	}
	if (ret == -EBADMSG)
		log_event(LOG_ERR, "state-unreadable",
			  "file=%s error=%s hint=%s", path,
			  "it is not what kturnd writes",
			  "remove it; allocations of a predecessor end then");
	else if (ret)
		log_event(LOG_ERR, "state-unusable", "file=%s error=%s", path,
			  strerror(-ret));
	return ret;
}

static int lock(struct state *st)
{
	char path[PATH_MAX];

	if (!state_path(st, "lock", path))
		return -ENAMETOOLONG;
	st->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			   0600);
	if (st->lock_fd < 0)
		return -errno;
	return flock(st->lock_fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

/* 0, or why the directory can't be used. */
static int open_dir(struct state *st)
{
	struct stat sb;

	if (mkdir(st->dir, 0700) && errno != EEXIST)
		return -errno;
	if (stat(st->dir, &sb))
		return -errno;
	if (!S_ISDIR(sb.st_mode))
		return -ENOTDIR;
	return lock(st);
}

int state_open(struct state *st, const char *dir, bool required)
{
	int ret;

	memset(st, 0, sizeof(*st));
	st->lock_fd = -1;
	if (strlen(dir) >= sizeof(st->dir))
		return -ENAMETOOLONG;
	memcpy(st->dir, dir, strlen(dir) + 1);

	ret = open_dir(st);
	if (ret == -EWOULDBLOCK) {
		log_event(LOG_ERR, "state-in-use", "dir=%s hint=%s", dir,
			  "another kturnd runs; give this one a --state-dir");
		return ret;
	}
	if (!ret) {
		st->usable = true;
		return load_identity(st);
	}
	if (required) {
		log_event(LOG_ERR, "state-unusable", "dir=%s error=%s", dir,
			  strerror(-ret));
		return ret;
	}
	log_event(LOG_WARNING, "state-unusable", "dir=%s error=%s effect=%s",
		  dir, strerror(-ret),
		  "no control socket, and a restart ends all allocations");
	make_identity(st);
	return 0;
}

void state_close(struct state *st)
{
	if (st->lock_fd >= 0)
		close(st->lock_fd);
	explicit_bzero(st->nonce_key, sizeof(st->nonce_key));
}
