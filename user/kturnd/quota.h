/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many allocations each user has, and all have, over all workers. */
#ifndef _KTURND_QUOTA_H
#define _KTURND_QUOTA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct quota - counts
 * @max: what a user may have; 0: any number, and that is not counted
 * @max_total: what all may have; 0: any number
 * @total: what all have
 * @lock: protects @tree
 * @tree: tsearch()'s, of struct count
 */
struct quota {
	uint32_t max;
	uint32_t max_total;
	atomic_uint total;
	pthread_mutex_t lock;
	void *tree;
};

/** quota_init() - nothing is counted yet */
void quota_init(struct quota *q, uint32_t max, uint32_t max_total);

/** quota_free() - forget all counts */
void quota_free(struct quota *q);

/**
 * quota_take() - count one more
 * @q: counts
 * @user: whose
 * @granted: there is one already, that has to be counted
 *
 * Return: 0; -EDQUOT: the user has enough; -ENOSPC: all have; -ENOMEM. 0 if it is
 * @granted.
 */
int quota_take(struct quota *q, const char *user, bool granted);

/** quota_give() - undo one quota_take() that succeeded */
void quota_give(struct quota *q, const char *user);

#endif /* _KTURND_QUOTA_H */
