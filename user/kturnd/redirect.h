/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where new clients are sent when this server has enough of them, or is to be
 * stopped (RFC 8489 section 10).
 */
#ifndef _KTURND_REDIRECT_H
#define _KTURND_REDIRECT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "config.h"
#include "turn/turn.h"

struct relay_pool;

/**
 * struct redirect - when, and where
 * @cfg: configuration, constant
 * @listen: our own addresses, constant
 * @relays: and what those behind a NAT are known as
 * @draining: there are to be no new allocations
 * @turn: which server is next
 */
struct redirect {
	const struct config *cfg;
	const struct config_addrs *listen;
	const struct relay_pool *relays;
	atomic_bool draining;
	atomic_uint turn;
};

/**
 * redirect_choose() - what is a new client told?
 * @r: when, and where
 * @allocs: allocations that there are
 * @family: of the client's address
 * @alt: result for TURN_GO: [0] of that family, [1] of the other, or none
 */
enum turn_place redirect_choose(struct redirect *r, unsigned int allocs,
				uint8_t family, struct turn_alternate alt[2]);

#endif /* _KTURND_REDIRECT_H */
