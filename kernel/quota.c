// SPDX-License-Identifier: GPL-2.0
/* Quotas: limits that several allocations share, those of one user say. */
#include <linux/netlink.h>
#include <linux/slab.h>

#include "alloc.h"
#include "limit.h"
#include "quota.h"

/* How long one without allocations is remembered, in ns, and how many are. */
#define KTURN_QUOTA_IDLE	(60 * NSEC_PER_SEC)
#define KTURN_QUOTAS_IDLE_MAX	4096

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
		INIT_LIST_HEAD(&quota->idle);
		rb_link_node(&quota->node, parent, link);
		rb_insert_color(&quota->node, &kn->quotas);
	}
	if (!list_empty(&quota->idle)) {
		list_del_init(&quota->idle);
		kn->n_idle_quotas--;
	}
	quota->n_allocs++;
	return quota;
}

/* That of a direction. Context: kturn_net.lock. */
static struct kturn_limit *kturn_quota_limit(const struct kturn_net *kn,
					     const struct kturn_quota *quota,
					     int dir)
{
	return rcu_dereference_protected(quota->limit[dir],
					 lockdep_is_held(&kn->lock));
}

static void kturn_quota_free(struct kturn_net *kn, struct kturn_quota *quota)
{
	int i;

	lockdep_assert_held(&kn->lock);
	rb_erase(&quota->node, &kn->quotas);
	for (i = 0; i < KTURN_DIRS; i++)
		kturn_limit_install(&quota->limit[i], NULL);
	kfree_rcu(quota, rcu);
}

/* Does it let through as much as a new one? */
static bool kturn_quota_is_full(const struct kturn_net *kn,
				const struct kturn_quota *quota)
{
	int i;

	for (i = 0; i < KTURN_DIRS; i++) {
		struct kturn_limit *limit = kturn_quota_limit(kn, quota, i);

		if (limit && !kturn_limit_is_full(limit))
			return false;
	}
	return true;
}

static struct kturn_quota *kturn_quota_first_idle(struct kturn_net *kn)
{
	return list_first_entry_or_null(&kn->idle_quotas, struct kturn_quota,
					idle);
}

/* The oldest that nobody has come back for. */
static void kturn_quota_forget(struct kturn_net *kn, struct kturn_quota *quota)
{
	list_del(&quota->idle);
	kn->n_idle_quotas--;
	kturn_quota_free(kn, quota);
}

static void kturn_quota_put(struct kturn_net *kn, struct kturn_quota *quota)
{
	lockdep_assert_held(&kn->lock);
	if (--quota->n_allocs)
		return;
	if (kturn_quota_is_full(kn, quota)) {
		kturn_quota_free(kn, quota);
		return;
	}
	quota->idle_until = kturn_now() + KTURN_QUOTA_IDLE;
	list_add_tail(&quota->idle, &kn->idle_quotas);
	if (++kn->n_idle_quotas > KTURN_QUOTAS_IDLE_MAX)
		kturn_quota_forget(kn, kturn_quota_first_idle(kn));
}

/** kturn_quota_init() - there are none yet */
void kturn_quota_init(struct kturn_net *kn)
{
	kn->quotas = RB_ROOT;
	INIT_LIST_HEAD(&kn->idle_quotas);
}

/**
 * kturn_quota_exit() - forget those that nobody comes back for
 * @kn: namespace without allocations
 *
 * Context: kturn_net.lock.
 */
void kturn_quota_exit(struct kturn_net *kn)
{
	struct kturn_quota *quota;

	lockdep_assert_held(&kn->lock);
	while ((quota = kturn_quota_first_idle(kn)))
		kturn_quota_forget(kn, quota);
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&kn->quotas));
}

/**
 * kturn_quota_expire() - forget those that are full again, or were for long
 * enough nobody's
 * @kn: namespace
 *
 * The oldest are looked at: a younger one that is full waits its turn. So do those
 * that are too many for once.
 *
 * Context: kturn_net.lock.
 */
void kturn_quota_expire(struct kturn_net *kn)
{
	struct kturn_quota *quota;
	int left = KTURN_BATCH;
	u64 now = kturn_now();

	lockdep_assert_held(&kn->lock);
	while (left-- && (quota = kturn_quota_first_idle(kn)) &&
	       (quota->idle_until <= now || kturn_quota_is_full(kn, quota)))
		kturn_quota_forget(kn, quota);
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

static void kturn_quota_set(struct kturn_net *kn, struct kturn_quota *quota,
			    int dir, struct kturn_limit **new)
{
	struct kturn_limit *old = kturn_quota_limit(kn, quota, dir);

	lockdep_assert_held(&kn->lock);
	if (kturn_quota_same(old, *new))
		return;
	if (old && *new)
		kturn_limit_inherit(*new, old);
	kturn_limit_install(&quota->limit[dir], *new);
	*new = NULL;
}

/**
 * kturn_quota_update() - the newest allocation's request decides
 * @kn: namespace
 * @alloc: that was made as requested
 * @req: request; limits that are not those that are there already are taken over
 *
 * Context: kturn_net.lock.
 */
void kturn_quota_update(struct kturn_net *kn, struct kturn_alloc *alloc,
			struct kturn_alloc_request *req)
{
	int i, dir;

	for (i = 0; i < req->n_quotas; i++)
		for (dir = 0; dir < KTURN_DIRS; dir++)
			if (req->quota[i].named[dir])
				kturn_quota_set(kn, alloc->quota[i], dir,
						&req->quota[i].limit[dir]);
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
