// SPDX-License-Identifier: GPL-2.0-or-later
/* Questions that are sent until they are answered; see learn.h. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../random.h"
#include "../socket.h"
#include "../worker.h"
#include "learn.h"
#include "pcp_wire.h"

int nat_failed(struct nat *n, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(n->why, sizeof(n->why), fmt, ap);
	va_end(ap);
	return error;
}

/* What was mapped may end meanwhile. */
#define SLICE_MS	1000

static int wait_slice(const struct nat *n, int fd, uint64_t until_ms)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLIN },
		/* While mappings are taken back, that it stops is known. */
		{ .fd = n->stopping ? -1 : n->stop_fd, .events = POLLIN },
	};
	uint64_t now = worker_clock();
	int ret;

	if (n->deadline_ms && now >= n->deadline_ms)
		return -ECANCELED;
	if (n->deadline_ms && until_ms > n->deadline_ms)
		until_ms = n->deadline_ms;
	ret = poll(fds, 2, until_ms > now ? (int)(until_ms - now) : 0);
	if (ret > 0 && fds[1].revents)
		return -ECANCELED;
	return ret > 0;
}

int nat_connect(struct nat *n, const struct kturn_addr *to)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(to, &sa);
	int fd, ret;

	fd = socket_bound(&n->private, NULL);
	if (fd < 0)
		return nat_failed(n, fd, "the relay address can't be bound: %s",
				  strerror(-fd));
	if (!connect(fd, (struct sockaddr *)&sa, len))
		return fd;
	ret = -errno;
	close(fd);
	return nat_failed(n, ret, "no way there: %s", strerror(-ret));
}

int nat_wait(struct nat *n, int fd, uint64_t until_ms)
{
	uint64_t now = worker_clock();
	int ret;

	do {
		ret = wait_slice(n, fd, until_ms < now + SLICE_MS ? until_ms :
				 now + SLICE_MS);
		now = worker_clock();
		nat_mappings_expire(n);
	} while (!ret && now < until_ms);
	return ret;
}

/* -ETIMEDOUT: not until then. */
static int await(struct nat *n, int fd, uint64_t until,
		 bool (*take)(const uint8_t *buf, size_t len, void *arg),
		 void *arg)
{
	uint8_t buf[2048];
	ssize_t len;
	int ret;

	while ((ret = nat_wait(n, fd, until)) > 0) {
		/* Errors are ICMP's: whoever it is may be there soon. */
		len = recv(fd, buf, sizeof(buf), 0);
		if (len >= 0 && take(buf, (size_t)len, arg))
			return 0;
	}
	return ret ? ret : -ETIMEDOUT;
}

int nat_exchange(struct nat *n, int fd, const void *request, size_t len,
		 const struct nat_retry *retry,
		 bool (*take)(const uint8_t *buf, size_t len, void *arg),
		 void *arg)
{
	unsigned int i, wait_ms = retry->first_ms, tenth;
	int ret = -ETIMEDOUT;

	for (i = 0; i < retry->count && ret == -ETIMEDOUT; i++) {
		if (i + 1 == retry->count && retry->last_ms)
			wait_ms = retry->last_ms;
		tenth = wait_ms / 10;
		if (retry->jitter)
			wait_ms += random_below(2 * tenth + 1) - tenth;
		/* What can't be sent now may be soon. */
		if (send(fd, request, len, 0) < 0)
			nat_failed(n, 0, "%s", strerror(errno));
		else
			nat_failed(n, 0, "no answer");
		atomic_fetch_add(&n->asked, 1);
		ret = await(n, fd, worker_clock() + wait_ms, take, arg);
		wait_ms *= 2;
	}
	return ret;
}
