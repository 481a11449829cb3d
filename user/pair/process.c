// SPDX-License-Identifier: GPL-2.0-or-later
/* Which process has a socket; see process.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "process.h"

static bool has_name(int pid_fd, const char *name)
{
	char comm[32];
	ssize_t n;
	int fd;

	fd = openat(pid_fd, "comm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, comm, sizeof(comm) - 1);
	close(fd);
	if (n <= 0)
		return false;
	comm[n] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	return !strcmp(comm, name);
}

static bool has_file(int pid_fd, const char *target)
{
	struct dirent *entry;
	bool found = false;
	char link[64];
	ssize_t n;
	DIR *dir;
	int fd;

	fd = openat(pid_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return false;
	}
	while (!found && (entry = readdir(dir))) {
		n = readlinkat(fd, entry->d_name, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		found = !strcmp(link, target);
	}
	closedir(dir);
	return found;
}

int process_has_socket(const char *name, uint32_t inode)
{
	struct dirent *entry;
	bool found = false;
	char target[32];
	DIR *proc;
	int fd;

	snprintf(target, sizeof(target), "socket:[%" PRIu32 "]", inode);
	proc = opendir("/proc");
	if (!proc)
		return -errno;
	while (!found && (entry = readdir(proc))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		fd = openat(dirfd(proc), entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		found = has_name(fd, name) && has_file(fd, target);
		close(fd);
	}
	closedir(proc);
	return found;
}
