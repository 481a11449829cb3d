/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports that were reserved with EVEN-PORT and wait for whoever brings the
 * token (RFC 8656 section 7.2), perhaps to another worker.
 */
#ifndef _KTURND_RESERVE_H
#define _KTURND_RESERVE_H

#include <pthread.h>
#include <sys/queue.h>
#include "turn/turn.h"

struct reservation;
TAILQ_HEAD(reservation_list, reservation);

/**
 * struct reserve - all reservations
 * @lock: protects @list
 * @list: in the order of their ends
 */
struct reserve {
	pthread_mutex_t lock;
	struct reservation_list list;
};

/** reserve_init() - none yet */
void reserve_init(struct reserve *r);

/** reserve_free() - close all */
void reserve_free(struct reserve *r);

/** reserve_put() - as turn_ops.reserve */
int reserve_put(struct reserve *r, const uint8_t token[8],
		struct turn_relay *relay, uint64_t expires_ms);

/** reserve_claim() - as turn_ops.claim */
int reserve_claim(struct reserve *r, const uint8_t token[8],
		  struct turn_relay *relay, uint64_t now);

/** reserve_expire() - close what nobody came for */
void reserve_expire(struct reserve *r, uint64_t now);

#endif /* _KTURND_RESERVE_H */
