// SPDX-License-Identifier: GPL-2.0-or-later
/* What the connections to user stores share; see backend.h. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "kturnd/worker.h"

int backend_fail(struct backend *b, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(b->error, sizeof(b->error), fmt, ap);
	va_end(ap);
	/* Libraries like to go on about it. */
	b->error[strcspn(b->error, "\r\n")] = '\0';
	return err;
}

uint64_t backend_until(void)
{
	return worker_clock() + BACKEND_MS;
}

int backend_wait(struct backend *b, int fd, short events, uint64_t until)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = events },
		{ .fd = b->stop_fd, .events = POLLIN },
	};
	uint64_t now;
	int n;

	do {
		now = worker_clock();
		if (now >= until)
			return backend_fail(b, -ETIMEDOUT,
					    "no answer for %d ms", BACKEND_MS);
		n = poll(fds, 2, (int)(until - now));
		if (fds[1].revents)
			return backend_fail(b, -ECANCELED, "stopped");
	} while (n <= 0);
	return 0;
}
