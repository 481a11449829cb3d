/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many allocations each user has, each realm has, and all have, over all
 * workers.
 */
#ifndef _KTURND_QUOTA_H
#define _KTURND_QUOTA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct quota - counts
 * @max_total: what all may have; 0: any number
 * @total: what all have
 * @lock: protects @tree
 * @tree: tsearch()'s, of struct count
 */
struct quota {
	uint32_t max_total;
	atomic_uint total;
	pthread_mutex_t lock;
	void *tree;
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

/** quota_free() - forget all counts */
void quota_free(struct quota *q);

/**
 * quota_take() - count one more
 * @q: counts
 * @of: whose
 * @granted: there is one already, that has to be counted
 *
 * Return: 0; -EDQUOT: the user has enough; -ENOSPC: the realm has, or all have;
 * -ENOMEM. 0 or -ENOMEM if it is @granted.
 */
int quota_take(struct quota *q, const struct quota_of *of, bool granted);

/** quota_give() - undo one quota_take() that succeeded */
void quota_give(struct quota *q, const char *realm, const char *user);

#endif /* _KTURND_QUOTA_H */
