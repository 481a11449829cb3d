/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which worker has the allocation that a ticket names (RFC 8016): its client may
 * come to any. Asked and changed by requests, never by data.
 */
#ifndef _KTURND_MOBILITY_H
#define _KTURND_MOBILITY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "table.h"

struct worker;
struct worker_msg;

/**
 * struct mobility - allocations that have tickets
 * @lock: protects @by_id
 * @by_id: them, by what tickets call them
 */
struct mobility {
	pthread_mutex_t lock;
	struct turn_table by_id;
};

/** mobility_init() - none yet; 0 or -ENOMEM */
int mobility_init(struct mobility *m);

/** mobility_free() - forget all */
void mobility_free(struct mobility *m);

/** mobility_add() - as turn_ops.mobile_new, of worker @w; any thread */
int mobility_add(struct mobility *m, uint64_t id, struct worker *w);

/** mobility_remove() - as turn_ops.mobile_end; any thread */
void mobility_remove(struct mobility *m, uint64_t id);

/** mobility_find() - who has it, or NULL; it may have gone on. Any thread */
struct worker *mobility_find(struct mobility *m, uint64_t id);

/**
 * mobility_hand_over() - another worker has it now
 * @m: allocations
 * @id: which
 * @to: who
 * @msg: brings it there
 *
 * Who is told that it is there finds it there: what they post comes after @msg.
 */
void mobility_hand_over(struct mobility *m, uint64_t id, struct worker *to,
			struct worker_msg *msg);

/**
 * mobility_key() - the key of tickets
 * @secret: 32 bytes: the state directory's, so that they last as long as nonces do
 * @key: result, 32 bytes, which tell nothing about it
 *
 * Return: false on failure.
 */
bool mobility_key(const uint8_t secret[32], uint8_t key[32]);

#endif /* _KTURND_MOBILITY_H */
