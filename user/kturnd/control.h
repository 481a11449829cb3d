/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: who connects to STATE-DIR/control gets one JSON object
 * with what the daemon is and has counted, and the connection is closed.
 */
#ifndef _KTURND_CONTROL_H
#define _KTURND_CONTROL_H

#include <event2/event_struct.h>
#include <pthread.h>
#include <sys/queue.h>

struct daemon;
struct query;
STAILQ_HEAD(query_list, query);

/**
 * struct control - the control socket
 * @d: daemon
 * @fd: listening, -1 without a state directory
 * @path: its name
 * @event: somebody connected
 * @done_event: all workers have answered a query
 * @done_fd: eventfd behind @done_event
 * @spare_fd: to be closed when there are no descriptors left
 * @lock: protects @done
 * @done: queries that all workers have answered
 * @pending: queries on their way; main thread
 */
struct control {
	struct daemon *d;
	int fd;
	char path[108];
	struct event event;
	struct event done_event;
	int done_fd;
	int spare_fd;
	pthread_mutex_t lock;
	struct query_list done;
	unsigned int pending;
};

/** control_open() - listen; without a state directory there is nothing to do.
 * What went wrong is logged. Return: 0 or a negative errno.
 */
int control_open(struct control *c, struct daemon *d);

/** control_close() - after the workers' threads have ended */
void control_close(struct control *c);

#endif /* _KTURND_CONTROL_H */
