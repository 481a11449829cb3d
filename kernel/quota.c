// SPDX-License-Identifier: GPL-2.0
/* Quotas: limits that several allocations share, those of one user say. */
#include <linux/netlink.h>
#include <linux/slab.h>

#include "alloc.h"
#include "limit.h"
#include "quota.h"

static int kturn_quota_cmp(const struct kturn_quota_key *a,
			   const struct kturn_quota_key *b)
{
	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return 0;
}

/* Where the quota of this key is, or is to be; and what it is below of. */
static struct rb_node **kturn_quota_place(struct kturn_net *kn,
					  const struct kturn_quota_key *key,
					  struct rb_node **parent)
{
	struct rb_node **link = &kn->quotas.rb_node;
	int cmp;

	*parent = NULL;
	while (*link) {
		cmp = kturn_quota_cmp(key, &rb_entry(*link, struct kturn_quota,
						     node)->key);
		if (!cmp)
			break;
		*parent = *link;
		link = cmp < 0 ? &(*link)->rb_left : &(*link)->rb_right;
	}
	return link;
}

/* It is made if need be; NULL without memory. */
static struct kturn_quota *kturn_quota_get(struct kturn_net *kn,
					   const struct kturn_quota_key *key)
{
	struct rb_node *parent, **link;
	struct kturn_quota *quota;

	lockdep_assert_held(&kn->lock);
	link = kturn_quota_place(kn, key, &parent);
	if (*link) {
		quota = rb_entry(*link, struct kturn_quota, node);
	} else {
		quota = kzalloc(sizeof(*quota), GFP_KERNEL_ACCOUNT);
		if (!quota)
			return NULL;
		quota->key = *key;
		rb_link_node(&quota->node, parent, link);
		rb_insert_color(&quota->node, &kn->quotas);
	}
	quota->n_allocs++;
	return quota;
}

static void kturn_quota_put(struct kturn_net *kn, struct kturn_quota *quota)
{
	int i;

	lockdep_assert_held(&kn->lock);
	if (--quota->n_allocs)
		return;
	rb_erase(&quota->node, &kn->quotas);
	for (i = 0; i < KTURN_DIRS; i++)
		kturn_limit_install(&quota->limit[i], NULL);
	kfree_rcu(quota, rcu);
}

/**
 * kturn_quota_join() - put a new allocation under its quotas
 * @kn: namespace
 * @alloc: whose owner is set, and that nobody else knows yet
 * @req: what it is to be
 * @extack: for the refusal
 *
 * Their limits stay as they are; see kturn_quota_update().
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0 or -ENOMEM; kturn_quota_leave() is due in any case.
 */
int kturn_quota_join(struct kturn_net *kn, struct kturn_alloc *alloc,
		     const struct kturn_alloc_request *req,
		     struct netlink_ext_ack *extack)
{
	struct kturn_quota_key key = {
		.owner = alloc->owner ? alloc->owner->id : 0,
	};
	int i;

	for (i = 0; i < req->n_quotas; i++) {
		key.id = req->quota[i].id;
		alloc->quota[i] = kturn_quota_get(kn, &key);
		if (!alloc->quota[i]) {
			NL_SET_ERR_MSG(extack, "no memory for the quota");
			return -ENOMEM;
		}
		alloc->limited = true;
	}
	return 0;
}

static bool kturn_quota_same(const struct kturn_limit *a,
			     const struct kturn_limit *b)
{
	if (!a || !b)
		return a == b;
	return a->rate.bits == b->rate.bits &&
	       a->rate.burst_bytes == b->rate.burst_bytes &&
	       a->rate.packets == b->rate.packets &&
	       a->rate.burst_packets == b->rate.burst_packets;
}

/**
 * kturn_quota_update() - the newest allocation's request decides
 * @alloc: under its quotas
 * @req: limits that are not those that are there already are taken over
 *
 * Context: kturn_net.lock.
 */
void kturn_quota_update(struct kturn_alloc *alloc,
			struct kturn_alloc_request *req)
{
	int i, dir;

	for (i = 0; i < req->n_quotas; i++)
		for (dir = 0; dir < KTURN_DIRS; dir++) {
			struct kturn_limit **new = &req->quota[i].limit[dir];
			struct kturn_limit __rcu **slot =
				&alloc->quota[i]->limit[dir];

			/* kturn_net.lock */
			if (kturn_quota_same(rcu_dereference_protected(*slot,
								       true),
					     *new))
				continue;
			kturn_limit_install(slot, *new);
			*new = NULL;
		}
}

/**
 * kturn_quota_leave() - an allocation is not under its quotas any more
 * @kn: namespace
 * @alloc: that no reader can find any more; who has found it may still look at
 *	them
 *
 * Context: kturn_net.lock.
 */
void kturn_quota_leave(struct kturn_net *kn, struct kturn_alloc *alloc)
{
	int i;

	for (i = 0; i < KTURN_QUOTAS_MAX; i++)
		if (alloc->quota[i])
			kturn_quota_put(kn, alloc->quota[i]);
}
