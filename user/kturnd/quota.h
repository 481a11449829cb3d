/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many allocations each user has, each realm has, and all have, over all
 * workers; and what those of a user, and all, share of the bandwidth.
 */
#ifndef _KTURND_QUOTA_H
#define _KTURND_QUOTA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "turn/pool.h"

TAILQ_HEAD(quota_idle, count);

/**
 * struct quota - counts
 * @max_total: what all may have; 0: any number
 * @total: what all have
 * @lock: protects @tree
 * @tree: tsearch()'s, of struct count
 * @n: how many are in it
 * @idle: those of users without allocations whose pools are not full yet, oldest
 *	first
 * @n_idle: how many
 * @user_limit: of the data of a user's allocations: [0] to peers, [1] to clients
 * @total_limit: of the data of all
 * @pool: what all share
 */
struct quota {
	uint32_t max_total;
	atomic_uint total;
	pthread_mutex_t lock;
	void *tree;
	unsigned int n;
	struct quota_idle idle;
	unsigned int n_idle;
	struct turn_limit user_limit[2];
	struct turn_limit total_limit[2];
	struct turn_pool pool;
};

/**
 * struct quota_of - whose
 * @realm: realm
 * @user: user
 * @user_max: what a user may have; 0: any number
 * @realm_max: what all users of the realm may have; 0: any number
 */
struct quota_of {
	const char *realm;
	const char *user;
	uint32_t user_max;
	uint32_t realm_max;
};

/** quota_init() - nothing is counted yet */
void quota_init(struct quota *q, uint32_t max_total);

/**
 * quota_limit() - limit what they relay together
 * @q: counts, of nothing yet
 * @user: of a user's allocations: [0] to peers, [1] to clients
 * @total: of all
 */
void quota_limit(struct quota *q, const struct turn_limit user[2],
		 const struct turn_limit total[2]);

/** quota_free() - forget all counts */
void quota_free(struct quota *q);

/**
 * quota_take() - count one more
 * @q: counts
 * @of: whose
 * @granted: there is one already, that has to be counted
 * @pool: result, until quota_give(): what it shares with others, or NULL
 *
 * Return: 0; -EDQUOT: the user has enough; -ENOSPC: the realm has, or all have;
 * -ENOMEM. 0 or -ENOMEM if it is @granted.
 */
int quota_take(struct quota *q, const struct quota_of *of, bool granted,
	       struct turn_pool **pool);

/* In the kernel: that of all, which no user has. */
#define QUOTA_TOTAL_ID	0

/**
 * quota_user_id() - number of what a user shares, in the kernel
 * @realm: realm
 * @user: user
 *
 * The same in a successor, which need not know anything of us.
 */
uint64_t quota_user_id(const char *realm, const char *user);

/**
 * quota_give() - undo one quota_take() that succeeded
 * @q: counts
 * @realm: realm
 * @user: user
 * @now: milliseconds
 *
 * What the user has used is remembered until it is worked off, for a minute at
 * most, so that who ends an allocation and makes another one has no more for it.
 */
void quota_give(struct quota *q, const char *realm, const char *user,
		uint64_t now);

#endif /* _KTURND_QUOTA_H */
