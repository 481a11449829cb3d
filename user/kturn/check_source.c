// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn check-host: files, programs and netlink requests. */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

/* More than any of the files that are read. */
#define FILE_MAX	(4 << 20)

/* ------------------------------------------------------------------ files */

/* Files in /proc have no size, so read on until there is no more. */
static char *fd_read(int fd, size_t *len)
{
	size_t n = 0, room = 4096;
	char *buf = malloc(room + 1), *more;
	ssize_t got;

	while (buf && n < FILE_MAX) {
		if (n == room) {
			room *= 2;
			more = realloc(buf, room + 1);
			if (!more)
				break;
			buf = more;
		}
		got = read(fd, buf + n, room - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		if (!got) {
			buf[n] = '\0';
			if (len)
				*len = n;
			return buf;
		}
		n += got;
	}
	if (buf && n >= FILE_MAX)
		errno = EFBIG;
	free(buf);
	return NULL;
}

__attribute__((format(printf, 1, 0)))
static int path_open(const char *fmt, va_list ap)
{
	char path[512];
	int n = vsnprintf(path, sizeof(path), fmt, ap);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_RDONLY | O_CLOEXEC);
}

__attribute__((format(printf, 2, 0)))
static char *path_read(size_t *len, const char *fmt, va_list ap)
{
	int fd = path_open(fmt, ap), err;
	char *text;

	if (fd < 0)
		return NULL;
	text = fd_read(fd, len);
	err = errno;
	close(fd);
	errno = err;
	return text;
}

char *check_read(size_t *len, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = path_read(len, fmt, ap);
	va_end(ap);
	return text;
}

bool check_line(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = path_read(NULL, fmt, ap);
	va_end(ap);
	if (!text)
		return false;
	snprintf(buf, size, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	return true;
}

static bool number_read(char *text, uint64_t *value)
{
	char *end;
	bool ok;

	if (!text)
		return false;
	*value = strtoull(text, &end, 10);
	ok = end != text;
	free(text);
	if (!ok)
		errno = EBADMSG;
	return ok;
}

bool check_number(uint64_t *value, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = path_read(NULL, fmt, ap);
	va_end(ap);
	return number_read(text, value);
}

bool check_sysctl(struct check *c, const char *name, uint64_t *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s", name);
	for (char *p = path; *p; p++)
		if (*p == '.')
			*p = '/';
	if (check_number(value, "/proc/sys/%s", path))
		return true;
	if (errno == ENOENT && !c->initial_netns)
		check_unseen(c, name,
			     "it is not shown in this network namespace");
	else
		check_unseen(c, name, "%s", strerror(errno));
	return false;
}

const char *check_quote(const char *text, char *buf, size_t size)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:@%+/,=-";
	size_t n = 0;

	if (*text && !text[strspn(text, plain)]) {
		snprintf(buf, size, "%s", text);
		return buf;
	}
	buf[n++] = '\'';
	for (; *text && n + 6 < size; text++) {
		if (*text == '\'')
			n += snprintf(buf + n, size - n, "'\\''");
		else
			buf[n++] = *text;
	}
	buf[n++] = '\'';
	buf[n] = '\0';
	return buf;
}

/* A line of @text that begins with @word and a space. */
static bool has_line(const char *text, const char *word)
{
	size_t len = strlen(word);

	while (text && *text) {
		if (!strncmp(text, word, len) && text[len] == ' ')
			return true;
		text = strchr(text, '\n');
		text += text ? 1 : 0;
	}
	return false;
}

static bool is_builtin(const char *module)
{
	struct utsname uts;
	char *text, path[128];
	bool found;

	uname(&uts);
	text = check_read(NULL, "/lib/modules/%s/modules.builtin", uts.release);
	if (!text)
		return false;
	snprintf(path, sizeof(path), "/%s.ko", module);
	found = strstr(text, path);
	free(text);
	return found;
}

bool check_present(const char *module)
{
	char *text = check_read(NULL, "/proc/modules");
	bool found;

	/* A kernel without modules: asking can't load any. */
	if (!text)
		return true;
	found = has_line(text, module) || is_builtin(module);
	free(text);
	return found;
}

/* --------------------------------------------------------------- programs */

bool check_output(char *buf, size_t size, const char *const argv[])
{
	posix_spawn_file_actions_t actions;
	char *text = NULL;
	int fds[2], status = -1;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv,
			 environ))
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (pid > 0) {
		text = fd_read(fds[0], NULL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	if (text)
		snprintf(buf, size, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	return text && !status && *buf;
}

/* ---------------------------------------------------------------- netlink */

int check_netlink(int bus, struct nlmsghdr *req, uint16_t flags,
		  int (*cb)(const struct nlmsghdr *nlh, void *data), void *data)
{
	static char buf[64 << 10];
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	struct timeval patience = { .tv_sec = 5 };
	int err = 0, more = MNL_CB_OK;
	ssize_t n;

	if (!nl)
		return errno;
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	req->nlmsg_flags |= NLM_F_REQUEST | flags;
	req->nlmsg_seq = 1;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, req, req->nlmsg_len) < 0) {
		err = errno;
		more = MNL_CB_STOP;
	}
	while (more > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		more = n < 0 ? -1 : mnl_cb_run(buf, n, 1,
					       mnl_socket_get_portid(nl), cb,
					       data);
		if (more < 0)
			err = errno;
	}
	mnl_socket_close(nl);
	return err;
}
