/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told to Prometheus, by HTTP: the server does not see the traffic that
 * the kernel relays, so its own statistics lack it.
 */
#ifndef _PAIR_METRICS_H
#define _PAIR_METRICS_H

#include <event2/event.h>
#include <stdint.h>

#include "capture.h"
#include "kernel.h"
#include "learn.h"

struct evhttp;

/**
 * struct metrics - the HTTP server and what it looks at
 * @http: server, or NULL
 * @learn: sessions
 * @kernel: what they have relayed
 * @capture: the two groups, as in rules.h
 * @told: greatest sums told so far: packets and bytes, to peers and to clients
 */
struct metrics {
	struct evhttp *http;
	const struct learn *learn;
	struct kernel *kernel;
	const struct capture *capture;
	uint64_t told[2][2];
};

/**
 * metrics_open() - serve http://ADDRESS:PORT/metrics
 * @m: @learn, @kernel and @capture are set
 * @base: loop
 * @addr: where
 *
 * Return: 0 or a negative errno, which was logged.
 */
int metrics_open(struct metrics *m, struct event_base *base,
		 const struct kturn_addr *addr);

/** metrics_close() - stop; also what could not be opened */
void metrics_close(struct metrics *m);

#endif /* _PAIR_METRICS_H */
