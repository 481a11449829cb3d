// SPDX-License-Identifier: GPL-2.0
/* Allocations (RFC 8656 section 6). */
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "alloc.h"
#include "limit.h"
#include "table.h"

/* Of their own size, which is between those of kmalloc(). */
static struct kmem_cache *kturn_alloc_cache __ro_after_init;

/** kturn_alloc_init() - allocations can be made from now on; 0 or -ENOMEM */
int __init kturn_alloc_init(void)
{
	kturn_alloc_cache = KMEM_CACHE(kturn_alloc, SLAB_HWCACHE_ALIGN);
	return kturn_alloc_cache ? 0 : -ENOMEM;
}

/** kturn_alloc_exit() - all allocations have been freed */
void kturn_alloc_exit(void)
{
	kmem_cache_destroy(kturn_alloc_cache);
}

/**
 * kturn_alloc_by_id() - find an allocation that has not expired
 * @kn: namespace
 * @id: its number
 *
 * Context: kturn_net.lock.
 * Return: NULL if there is none.
 */
struct kturn_alloc *kturn_alloc_by_id(struct kturn_net *kn, u32 id)
{
	struct kturn_alloc *alloc;

	lockdep_assert_held(&kn->lock);
	alloc = xa_load(&kn->ids, id);
	if (!alloc || !kturn_alive(&alloc->expires, kturn_now()))
		return NULL;
	return alloc;
}

/**
 * kturn_alloc_relay() - the relayed address of a family
 * @alloc: allocation
 * @family: enum kturn_family
 *
 * Return: NULL if the allocation has none.
 */
struct kturn_relay *kturn_alloc_relay(struct kturn_alloc *alloc, u8 family)
{
	struct kturn_relay *relay = &alloc->relay[family == KTURN_FAMILY_V6];

	return relay->key.relay.family == family ? relay : NULL;
}

/**
 * kturn_alloc_set_label() - replace the label
 * @alloc: allocation
 * @label: attribute, checked for length
 * @extack: for the refusal
 *
 * Context: kturn_net.lock, or nobody else knows @alloc yet.
 * Return: 0 or -ENOMEM.
 */
int kturn_alloc_set_label(struct kturn_alloc *alloc, const struct nlattr *label,
			  struct netlink_ext_ack *extack)
{
	char *text = nla_strdup(label, GFP_KERNEL_ACCOUNT);

	if (!text) {
		NL_SET_ERR_MSG_ATTR(extack, label, "no memory for the label");
		return -ENOMEM;
	}
	kfree(alloc->label);
	alloc->label = text;
	return 0;
}

/**
 * kturn_alloc_set_data() - replace the owner's data
 * @alloc: allocation
 * @data: attribute
 * @extack: for the refusal
 *
 * Context: kturn_net.lock, or nobody else knows @alloc yet.
 * Return: 0, -EINVAL when it is too long, -ENOMEM.
 */
int kturn_alloc_set_data(struct kturn_alloc *alloc, const struct nlattr *data,
			 struct netlink_ext_ack *extack)
{
	void *copy = NULL;

	if (nla_len(data) > KTURN_OWNER_DATA_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, data,
				    "owner data is longer than 1024 bytes");
		return -EINVAL;
	}
	if (nla_len(data)) {
		copy = kmemdup(nla_data(data), nla_len(data),
			       GFP_KERNEL_ACCOUNT);
		if (!copy) {
			NL_SET_ERR_MSG_ATTR(extack, data,
					    "no memory for the owner data");
			return -ENOMEM;
		}
	}
	kfree(alloc->owner_data);
	alloc->owner_data = copy;
	alloc->owner_data_len = nla_len(data);
	return 0;
}

static void kturn_alloc_free(struct kturn_alloc *alloc)
{
	int i;

	for (i = 0; i < KTURN_DIRS; i++)
		kturn_limit_flush(&alloc->limit[i]);
	kturn_route_flush(&alloc->route);
	kfree(alloc->label);
	kfree(alloc->owner_data);
	kmem_cache_free(kturn_alloc_cache, alloc);
}

static void kturn_alloc_free_rcu(struct rcu_head *head)
{
	kturn_alloc_free(container_of(head, struct kturn_alloc, rcu));
}

/* What has expired but is not freed yet must not stand in the way. */
static void kturn_alloc_make_way(struct kturn_net *kn,
				 struct kturn_alloc *old)
{
	if (!old || kturn_alive(&old->expires, kturn_now()))
		return;
	kturn_notify_alloc(kn, old, KTURN_GONE_REASON_EXPIRED);
	kturn_alloc_destroy(kn, old);
}

static void kturn_alloc_make_way_all(struct kturn_net *kn,
				     struct kturn_alloc *alloc)
{
	struct kturn_alloc *old;
	struct kturn_relay *relay;
	int i;

	lockdep_assert_held(&kn->lock);
	rcu_read_lock();
	old = kturn_tuple_lookup(kn, &alloc->tuple);
	rcu_read_unlock();
	/* The lock keeps it from being freed. */
	kturn_alloc_make_way(kn, old);

	for (i = 0; i < ARRAY_SIZE(alloc->relay); i++) {
		if (!alloc->relay[i].key.relay.family)
			continue;
		rcu_read_lock();
		relay = kturn_relay_lookup(kn, &alloc->relay[i].key);
		rcu_read_unlock();
		kturn_alloc_make_way(kn, relay ? relay->alloc : NULL);
	}
}

static int kturn_alloc_publish(struct kturn_net *kn, struct kturn_alloc *alloc,
			       struct netlink_ext_ack *extack)
{
	int err, i;

	lockdep_assert_held(&kn->lock);
	/*
	 * The id first: it can fail without anyone having seen the entry,
	 * while whatever is in a hash table is seen by the hooks.
	 */
	err = xa_alloc_cyclic(&kn->ids, &alloc->id, alloc, xa_limit_32b,
			      &kn->next_id, GFP_KERNEL_ACCOUNT);
	if (err < 0) {
		NL_SET_ERR_MSG(extack, "no memory for the allocation's id");
		return err;
	}

	for (i = 0; i < ARRAY_SIZE(alloc->relay); i++) {
		if (!alloc->relay[i].key.relay.family)
			continue;
		err = kturn_relay_insert(kn, &alloc->relay[i]);
		if (err == -EEXIST)
			NL_SET_ERR_MSG(extack,
				       "relayed address is in use by another allocation");
		else if (err)
			NL_SET_ERR_MSG(extack, "no memory for the allocation");
		if (err)
			goto err_relays;
	}
	err = kturn_tuple_insert(kn, alloc);
	if (err == -EEXIST)
		NL_SET_ERR_MSG(extack,
			       "5-tuple is in use by another allocation");
	else if (err)
		NL_SET_ERR_MSG(extack, "no memory for the allocation");
	if (err)
		goto err_relays;
	return 0;

err_relays:
	while (i-- > 0)
		if (alloc->relay[i].key.relay.family)
			kturn_relay_remove(kn, &alloc->relay[i]);
	xa_erase(&kn->ids, alloc->id);
	return err;
}

/**
 * kturn_alloc_create() - make an allocation
 * @kn: namespace
 * @req: what it is to be; the limits of its quotas are kturn_quota_update()'s
 * @extack: for the refusal
 * @id: its number
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0; -EEXIST: 5-tuple or relayed address in use; -ENOSPC: limit;
 * -ENOMEM and its like; -EINVAL: owner data too long.
 */
int kturn_alloc_create(struct kturn_net *kn,
		       const struct kturn_alloc_request *req,
		       struct netlink_ext_ack *extack, u32 *id)
{
	struct kturn_limit *limit;
	struct kturn_alloc *alloc;
	int err, i;

	lockdep_assert_held(&kn->lock);
	err = kturn_net_start(kn, extack);
	if (err)
		return err;
	alloc = kmem_cache_zalloc(kturn_alloc_cache, GFP_KERNEL_ACCOUNT);
	if (!alloc) {
		NL_SET_ERR_MSG(extack, "no memory for the allocation");
		return -ENOMEM;
	}
	alloc->tuple = req->tuple;
	alloc->flags = req->flags;
	alloc->owner = req->owner;
	kturn_lanes_init(&alloc->lanes);
	kturn_limit_alloc_init(alloc);
	INIT_LIST_HEAD(&alloc->perms);
	INIT_LIST_HEAD(&alloc->chans);
	INIT_LIST_HEAD(&alloc->owner_link);
	INIT_LIST_HEAD(&alloc->gc_link);
	for (i = 0; i < ARRAY_SIZE(alloc->relay); i++) {
		alloc->relay[i].key.relay = req->relay[i];
		alloc->relay[i].key.l3mdev = req->tuple.l3mdev;
		alloc->relay[i].alloc = alloc;
	}
	for (i = 0; i < KTURN_DIRS; i++) {
		err = kturn_limit_make(&req->rate[i], &limit);
		if (err) {
			NL_SET_ERR_MSG(extack, "no memory for the limit");
			goto err_free;
		}
		kturn_limit_alloc_set(alloc, i, limit);
	}
	if (req->label) {
		err = kturn_alloc_set_label(alloc, req->label, extack);
		if (err)
			goto err_free;
	}
	if (req->owner_data) {
		err = kturn_alloc_set_data(alloc, req->owner_data, extack);
		if (err)
			goto err_free;
	}

	kturn_alloc_make_way_all(kn, alloc);
	err = kturn_quota_join(kn, alloc, req, extack);
	if (err)
		goto err_quota;
	if (kn->n_allocs >= kn->limits.allocs) {
		NL_SET_ERR_MSG(extack,
			       "the namespace's limit of allocations is reached");
		err = -ENOSPC;
		goto err_quota;
	}
	err = kturn_hooks_get(kn);
	if (err) {
		NL_SET_ERR_MSG(extack, "could not register the netfilter hooks");
		goto err_quota;
	}
	alloc->expires = kturn_deadline(req->lifetime_ms);
	err = kturn_alloc_publish(kn, alloc, extack);
	if (err)
		goto err_publish;

	if (alloc->owner) {
		list_add_tail(&alloc->owner_link, &alloc->owner->allocs);
		alloc->owner->n_allocs++;
	}
	kn->n_allocs++;
	kn->gen++;
	*id = alloc->id;
	kturn_gc_watch(kn, alloc, alloc->expires);
	kturn_gc_kick(kn);
	return 0;

err_publish:
	/* Expiry takes the hooks back when nothing else needs them. */
	kturn_gc_kick(kn);
	kturn_quota_leave(kn, alloc);
	/* A hook may have seen it for a moment. */
	call_rcu(&alloc->rcu, kturn_alloc_free_rcu);
	return err;
err_quota:
	kturn_quota_leave(kn, alloc);
err_free:
	kturn_alloc_free(alloc);
	return err;
}

/**
 * kturn_alloc_refresh() - give an allocation another lifetime
 * @kn: namespace
 * @alloc: allocation
 * @lifetime_ms: from now; at least 1
 *
 * Context: kturn_net.lock.
 */
void kturn_alloc_refresh(struct kturn_net *kn, struct kturn_alloc *alloc,
			 u32 lifetime_ms)
{
	u64 expires = kturn_deadline(lifetime_ms);

	lockdep_assert_held(&kn->lock);
	WRITE_ONCE(alloc->expires, expires);
	kturn_gc_watch(kn, alloc, expires);
}

/**
 * kturn_alloc_destroy() - remove an allocation with all that depends on it
 * @kn: namespace
 * @alloc: freed after a grace period
 *
 * Its owner stays, even when this was the last.
 *
 * Context: may sleep; kturn_net.lock.
 */
void kturn_alloc_destroy(struct kturn_net *kn, struct kturn_alloc *alloc)
{
	struct kturn_chan *chan, *next_chan;
	struct kturn_perm *perm, *next_perm;
	int i;

	lockdep_assert_held(&kn->lock);
	WRITE_ONCE(alloc->expires, 0);
	kturn_tuple_remove(kn, alloc);
	for (i = 0; i < ARRAY_SIZE(alloc->relay); i++)
		if (alloc->relay[i].key.relay.family)
			kturn_relay_remove(kn, &alloc->relay[i]);

	/* Channels first: they hold on to permissions. */
	list_for_each_entry_safe(chan, next_chan, &alloc->chans, link)
		kturn_chan_destroy(kn, chan);
	list_for_each_entry_safe(perm, next_perm, &alloc->perms, link)
		kturn_perm_destroy(kn, perm);

	xa_erase(&kn->ids, alloc->id);
	kturn_quota_leave(kn, alloc);
	list_del(&alloc->gc_link);
	if (alloc->owner) {
		list_del(&alloc->owner_link);
		alloc->owner->n_allocs--;
	}
	kn->n_allocs--;
	if (!kn->n_allocs)
		kturn_ports_forget(kn);
	kn->gen++;
	call_rcu(&alloc->rcu, kturn_alloc_free_rcu);
}
