/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much data several allocations relay together: those of a user, or all of
 * them. They may be of several servers, each with a thread of its own; nothing
 * here waits for another.
 */
#ifndef _KTURND_TURN_POOL_H
#define _KTURND_TURN_POOL_H

#include <stdatomic.h>

#include "turn_types.h"

/** struct turn_pool_used - the times of a pool's buckets; 0: full */
struct turn_pool_used {
	atomic_ullong bytes;
	atomic_ullong packets;
};

/**
 * struct turn_pool - what several allocations share
 * @limit: of their data: [0] to peers, [1] to clients; constant, outlives it
 * @whole: that this is a part of, which outlives it; NULL: of none
 * @used: of its limits
 */
struct turn_pool {
	const struct turn_limit *limit;
	struct turn_pool *whole;
	struct turn_pool_used used[2];
};

/** turn_pool_init() - one whose buckets are full; see struct turn_pool */
void turn_pool_init(struct turn_pool *pool, const struct turn_limit limit[2],
		    struct turn_pool *whole);

/**
 * turn_pool_take() - may it pass, by a pool and all that it is a part of?
 * @pool: pool
 * @dir: direction
 * @len: bytes of data
 * @now: milliseconds
 *
 * What does not pass takes nothing from any of them; while that is found out,
 * another thread may find a little less. Context: any thread.
 */
bool turn_pool_take(struct turn_pool *pool, enum turn_direction dir,
		    size_t len, uint64_t now);

/**
 * turn_pool_has_bytes() - would bytes of a stream pass?
 * @pool: pool
 * @dir: direction
 * @len: how many
 * @now: milliseconds
 *
 * As turn_pool_take(), but takes nothing, and leaves packets out of account.
 */
bool turn_pool_has_bytes(const struct turn_pool *pool,
			 enum turn_direction dir, size_t len, uint64_t now);

/**
 * turn_pool_passed() - bytes of a stream have passed
 * @pool: pool
 * @dir: direction
 * @len: how many
 * @now: milliseconds
 *
 * They count even if other threads have taken what was there: nothing passes
 * then until that is worked off.
 */
void turn_pool_passed(struct turn_pool *pool, enum turn_direction dir,
		      size_t len, uint64_t now);

/** turn_pool_is_full() - would a new one let through no more? */
bool turn_pool_is_full(const struct turn_pool *pool, uint64_t now);

#endif /* _KTURND_TURN_POOL_H */
