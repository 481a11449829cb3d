// SPDX-License-Identifier: GPL-2.0
/* Permissions (RFC 8656 section 9). */
#include <linux/netlink.h>
#include <linux/slab.h>

#include "table.h"

static void kturn_perm_free_rcu(struct rcu_head *head)
{
	struct kturn_perm *perm = container_of(head, struct kturn_perm, rcu);

	kturn_route_flush(&perm->route);
	kfree(perm);
}

/* Alive or not. The lock keeps the result from being freed. */
static struct kturn_perm *kturn_perm_find_any(struct kturn_net *kn,
					      struct kturn_alloc *alloc,
					      const struct kturn_addr *peer)
{
	struct kturn_perm_key key = {
		.peer = *peer,
		.alloc_id = alloc->id,
	};
	struct kturn_perm *perm;

	lockdep_assert_held(&kn->lock);
	key.peer.port = 0;
	rcu_read_lock();
	perm = kturn_perm_lookup(kn, &key);
	rcu_read_unlock();
	return perm;
}

/**
 * kturn_perm_find() - a permission that has not ended
 * @kn: namespace
 * @alloc: allocation
 * @peer: address; its port does not matter
 *
 * Context: kturn_net.lock.
 * Return: NULL if there is none.
 */
struct kturn_perm *kturn_perm_find(struct kturn_net *kn,
				   struct kturn_alloc *alloc,
				   const struct kturn_addr *peer)
{
	struct kturn_perm *perm = kturn_perm_find_any(kn, alloc, peer);

	if (!perm || !kturn_alive(&perm->expires, kturn_now()))
		return NULL;
	return perm;
}

static struct kturn_perm *kturn_perm_create(struct kturn_net *kn,
					    struct kturn_alloc *alloc,
					    const struct kturn_addr *peer,
					    u64 expires,
					    struct netlink_ext_ack *extack)
{
	struct kturn_perm *perm;
	int err;

	lockdep_assert_held(&kn->lock);
	if (kn->n_perms >= kn->limits.perms) {
		NL_SET_ERR_MSG(extack,
			       "the namespace's limit of permissions is reached");
		return ERR_PTR(-ENOSPC);
	}
	/* A client asks for them; and dumps count their way through them. */
	if (alloc->n_perms >= KTURN_ALLOC_PERMS_MAX) {
		NL_SET_ERR_MSG(extack,
			       "the allocation's limit of permissions is reached");
		return ERR_PTR(-ENOSPC);
	}
	perm = kzalloc(sizeof(*perm), GFP_KERNEL_ACCOUNT);
	if (!perm) {
		NL_SET_ERR_MSG(extack, "no memory for the permission");
		return ERR_PTR(-ENOMEM);
	}
	perm->key.peer = *peer;
	perm->key.peer.port = 0;
	perm->key.alloc_id = alloc->id;
	perm->alloc = alloc;
	perm->expires = expires;
	err = kturn_perm_insert(kn, perm);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the permission");
		kfree(perm);
		return ERR_PTR(err);
	}
	/* Without an end of its own, its channels have one. */
	if (expires)
		kturn_gc_watch(kn, alloc, expires);
	list_add_tail(&perm->link, &alloc->perms);
	alloc->n_perms++;
	kn->n_perms++;
	kn->gen++;
	return perm;
}

/**
 * kturn_perm_install() - install or refresh a permission
 * @kn: namespace
 * @alloc: allocation
 * @peer: checked address; its port does not matter
 * @lifetime_ms: at least 1
 * @extack: for the refusal
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0, -ENOSPC, -ENOMEM and its like.
 */
int kturn_perm_install(struct kturn_net *kn, struct kturn_alloc *alloc,
		       const struct kturn_addr *peer, u32 lifetime_ms,
		       struct netlink_ext_ack *extack)
{
	struct kturn_perm *perm = kturn_perm_find_any(kn, alloc, peer);
	u64 expires = kturn_deadline(lifetime_ms);

	if (perm) {
		/* A dump that did not show it a moment ago would now. */
		if (!kturn_alive(&perm->expires, kturn_now()))
			kn->gen++;
		WRITE_ONCE(perm->expires, expires);
		kturn_gc_watch(kn, alloc, expires);
		return 0;
	}
	return PTR_ERR_OR_ZERO(kturn_perm_create(kn, alloc, peer, expires,
						 extack));
}

/**
 * kturn_perm_get() - the permission object that a channel refers to
 * @kn: namespace
 * @alloc: allocation
 * @peer: checked address; its port does not matter
 * @extack: for the refusal
 *
 * Without a permission one is made that has ended already.
 *
 * Context: may sleep; kturn_net.lock.
 * Return: the object, to be given back with kturn_perm_put(), or an error
 * pointer.
 */
struct kturn_perm *kturn_perm_get(struct kturn_net *kn,
				  struct kturn_alloc *alloc,
				  const struct kturn_addr *peer,
				  struct netlink_ext_ack *extack)
{
	struct kturn_perm *perm = kturn_perm_find_any(kn, alloc, peer);

	if (!perm)
		perm = kturn_perm_create(kn, alloc, peer, 0, extack);
	if (!IS_ERR(perm))
		perm->chans++;
	return perm;
}

/**
 * kturn_perm_put() - a channel does not refer to it any more
 * @kn: namespace
 * @perm: freed after a grace period if it has ended and nobody needs it
 *
 * Context: kturn_net.lock.
 */
void kturn_perm_put(struct kturn_net *kn, struct kturn_perm *perm)
{
	lockdep_assert_held(&kn->lock);
	perm->chans--;
	if (!perm->chans && !perm->expires)
		kturn_perm_destroy(kn, perm);
}

/**
 * kturn_perm_end() - end a permission
 * @kn: namespace
 * @perm: freed after a grace period, if no channel refers to it
 *
 * Context: kturn_net.lock.
 */
void kturn_perm_end(struct kturn_net *kn, struct kturn_perm *perm)
{
	lockdep_assert_held(&kn->lock);
	WRITE_ONCE(perm->expires, 0);
	kn->gen++;
	if (!perm->chans)
		kturn_perm_destroy(kn, perm);
}

/**
 * kturn_perm_destroy() - remove a permission that no channel refers to
 * @kn: namespace
 * @perm: freed after a grace period
 *
 * Context: kturn_net.lock.
 */
void kturn_perm_destroy(struct kturn_net *kn, struct kturn_perm *perm)
{
	lockdep_assert_held(&kn->lock);
	WARN_ON_ONCE(perm->chans);
	WRITE_ONCE(perm->expires, 0);
	kturn_perm_remove(kn, perm);
	list_del(&perm->link);
	perm->alloc->n_perms--;
	kn->n_perms--;
	kn->gen++;
	call_rcu(&perm->rcu, kturn_perm_free_rcu);
}
