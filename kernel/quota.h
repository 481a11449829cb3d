/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_QUOTA_H
#define _KTURN_QUOTA_H

#include "kturn.h"

/**
 * struct kturn_quota_key - what a quota is found by
 * @owner: id of the allocations' owner; 0 without one
 * @id: the owner's name for it
 */
struct kturn_quota_key {
	u32 owner;
	u64 id;
};

/**
 * struct kturn_quota - what several allocations may relay together
 * @node: in kturn_net.quotas
 * @key: constant
 * @limit: by direction; NULL for none
 * @n_allocs: how many are under it
 * @idle: in kturn_net.idle_quotas
 * @idle_until: boot time in ns when it is forgotten, if nobody comes back
 * @rcu: for freeing
 *
 * It is there for at least as long as a reader can find any of its allocations.
 * When the last has gone it stays until it is full again, or for KTURN_QUOTA_IDLE:
 * else who ends an allocation and makes another one would fill it.
 */
struct kturn_quota {
	struct rb_node node;
	struct kturn_quota_key key;
	struct kturn_limit __rcu *limit[KTURN_DIRS];
	u32 n_allocs;
	struct list_head idle;
	u64 idle_until;
	struct rcu_head rcu;
};

/**
 * struct kturn_quota_request - a quota that an allocation is to be under
 * @id: the owner's name for it
 * @named: by direction: it is to have this limit; else it keeps what it has
 * @limit: by direction, NULL for none; what is taken over becomes NULL
 */
struct kturn_quota_request {
	u64 id;
	bool named[KTURN_DIRS];
	struct kturn_limit *limit[KTURN_DIRS];
};

/* quota.c */
struct kturn_alloc_request;
void kturn_quota_init(struct kturn_net *kn);
void kturn_quota_exit(struct kturn_net *kn);
void kturn_quota_expire(struct kturn_net *kn);
int kturn_quota_join(struct kturn_net *kn, struct kturn_alloc *alloc,
		     const struct kturn_alloc_request *req,
		     struct netlink_ext_ack *extack);
void kturn_quota_update(struct kturn_net *kn, struct kturn_alloc *alloc,
			struct kturn_alloc_request *req);
void kturn_quota_leave(struct kturn_net *kn, struct kturn_alloc *alloc);

#endif /* _KTURN_QUOTA_H */
