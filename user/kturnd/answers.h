/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the user store has to say, and who is told: workers and main thread. */
#ifndef _KTURND_ANSWERS_H
#define _KTURND_ANSWERS_H

#include <event2/event_struct.h>

struct daemon;

/**
 * struct answers - main thread's part
 * @d: daemon
 * @fd: eventfd, readable when realms, secrets or keys have changed
 * @event: of @fd
 */
struct answers {
	struct daemon *d;
	int fd;
	struct event event;
};

/**
 * answers_open() - open the user store
 * @a: result
 * @d: daemon; its workers' threads don't run yet
 *
 * What is wrong is logged. Return: 0 or a negative errno.
 */
int answers_open(struct answers *a, struct daemon *d);

/** answers_close() - close the store; before the workers are freed */
void answers_close(struct answers *a);

#endif /* _KTURND_ANSWERS_H */
