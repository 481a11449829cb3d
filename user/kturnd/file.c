// SPDX-License-Identifier: GPL-2.0-or-later
/* Small files, read and replaced whole. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "table.h"

ssize_t file_read(const char *path, void *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, result = 0;
	char more;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, (char *)buf + result, size - (size_t)result);
		if (n > 0)
			result += n;
	} while ((n > 0 && (size_t)result < size) ||
		 (n < 0 && errno == EINTR));
	if (n > 0)
		n = read(fd, &more, 1);
	if (n < 0)
		result = -errno;
	else if (n > 0)
		result = -EFBIG;
	close(fd);
	return result;
}

static int write_all(int fd, const char *buf, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, buf, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_replace(const char *path, const void *buf, size_t len)
{
	char temporary[PATH_MAX];
	int fd, ret;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >=
	    (int)sizeof(temporary))
		return -ENAMETOOLONG;
	/* mkostemp() makes it with mode 0600. */
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, buf, len);
	if (!ret && fsync(fd))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (ret)
		unlink(temporary);
	return ret;
}

uint64_t file_stamp(uint64_t before, const char *path)
{
	static const uint8_t key[TURN_SIPHASH_KEY_LEN];
	struct {
		uint64_t before, dev, ino, size, sec, nsec;
	} what = { .before = before };
	struct stat st;

	if (path && !stat(path, &st) && S_ISREG(st.st_mode)) {
		what.dev = st.st_dev;
		what.ino = st.st_ino;
		what.size = (uint64_t)st.st_size;
		what.sec = (uint64_t)st.st_mtim.tv_sec;
		what.nsec = (uint64_t)st.st_mtim.tv_nsec;
	}
	return turn_siphash(key, &what, sizeof(what));
}
