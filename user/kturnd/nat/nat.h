/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The external address of a relay address behind a NAT, learnt from a STUN server or
 * from the gateway, which also maps ports for us then.
 *
 * Each relay address whose external address is to be learnt has a thread that asks
 * and waits; workers only read what it has found out, out of struct relay_addr.
 */
#ifndef _KTURND_NAT_H
#define _KTURND_NAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kturn/wire.h>

struct daemon;
struct nat;

/**
 * struct nat_status - how it goes
 * @method: "stun", "nat-pmp", "upnp" or "pcp"
 * @private: relay address
 * @mapped: ports that the gateway maps now
 * @asked: requests sent
 * @unanswered: questions that were given up
 * @refused: questions and mappings that were refused
 * @restarts: times that it had lost its mappings
 * @changes: times that the external address has become another
 */
struct nat_status {
	const char *method;
	struct kturn_addr private;
	unsigned int mapped;
	unsigned int asked;
	unsigned int unanswered;
	unsigned int refused;
	unsigned int restarts;
	unsigned int changes;
};

/**
 * nat_open() - make ready what --external wants to be learnt
 * @d: daemon, with its addresses; @d->nats is set
 *
 * Return: 0 or a negative errno.
 */
int nat_open(struct daemon *d);

/** nat_start() - start the threads; 0 or a negative errno */
int nat_start(struct daemon *d);

/**
 * nat_close() - take the mappings back, free everything
 * @d: daemon; no worker's thread runs any more, but its relayed addresses are open
 * @keep: leave the mappings of relayed addresses, which are in the kernel
 *
 * That takes seven seconds at most: what the gateway does not take back by
 * then, it keeps until the lifetime ends.
 */
void nat_close(struct daemon *d, bool keep);

/** nat_status() - how does it go? Any thread */
void nat_status(const struct nat *n, struct nat_status *status);

#endif /* _KTURND_NAT_H */
