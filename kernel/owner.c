// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: who answers for allocations, and for how long after it is gone.
 *
 * An owner is a random cookie that netlink sockets join. When the last of
 * them closes, the grace period starts; who presents the cookie before it is
 * over goes on with everything.
 */
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "kturn.h"

/**
 * struct kturn_owner_sock - a socket that has joined
 * @link: in kturn_owner.socks
 * @sk: a reference is held. The port id alone would not do: it can be taken
 *	by a new socket before the notifier of the old one runs.
 * @portid: netlink port
 */
struct kturn_owner_sock {
	struct list_head link;
	struct sock *sk;
	u32 portid;
};

static void kturn_owner_free(struct kturn_net *kn, struct kturn_owner *owner)
{
	lockdep_assert_held(&kn->lock);
	list_del(&owner->link);
	kn->n_owners--;
	kn->gen++;
	kfree_rcu(owner, rcu);
}

/* Hooks may hold on to what they found, so nothing is freed at once. */
static void kturn_owner_destroy(struct kturn_net *kn, struct kturn_owner *owner,
				bool notify)
{
	struct kturn_alloc *alloc, *next;

	lockdep_assert_held(&kn->lock);
	list_for_each_entry_safe(alloc, next, &owner->allocs, owner_link) {
		if (notify)
			kturn_notify_alloc(kn, alloc,
					   KTURN_GONE_REASON_OWNER_GONE);
		kturn_alloc_destroy(kn, alloc);
		cond_resched();
	}
	kturn_owner_free(kn, owner);
}

/* Return: whether all its allocations are removed. */
static bool kturn_owner_shrink(struct kturn_net *kn, struct kturn_owner *owner,
			       int *left)
{
	struct kturn_alloc *alloc, *next;

	lockdep_assert_held(&kn->lock);
	list_for_each_entry_safe(alloc, next, &owner->allocs, owner_link) {
		if (*left <= 0)
			return false;
		*left -= kturn_alloc_entries(alloc);
		kturn_notify_alloc(kn, alloc, KTURN_GONE_REASON_OWNER_GONE);
		kturn_alloc_destroy(kn, alloc);
	}
	return true;
}

static void kturn_owner_sock_remove(struct kturn_owner *owner,
				    struct kturn_owner_sock *os)
{
	list_del(&os->link);
	owner->n_socks--;
	sock_put(os->sk);
	kfree(os);
}

/**
 * kturn_owner_release_idle() - forget an owner that nothing keeps
 * @kn: namespace
 * @owner: freed after a grace period if it has neither sockets nor entries
 *
 * Context: kturn_net.lock.
 */
void kturn_owner_release_idle(struct kturn_net *kn, struct kturn_owner *owner)
{
	lockdep_assert_held(&kn->lock);
	if (!owner->n_socks && !owner->n_allocs)
		kturn_owner_free(kn, owner);
}

static void kturn_owner_orphaned(struct kturn_net *kn,
				 struct kturn_owner *owner)
{
	int left = KTURN_BATCH;

	WRITE_ONCE(owner->deadline, kturn_deadline(owner->grace_ms));
	/* What is not removed here is when gc runs, which is at once. */
	if (!owner->grace_ms && kturn_owner_shrink(kn, owner, &left))
		kturn_owner_free(kn, owner);
	else
		kturn_owner_release_idle(kn, owner);
	kturn_gc_reschedule(kn);
}

static void kturn_owner_sock_closed(struct kturn_net *kn, u32 portid)
{
	struct kturn_owner *owner, *next_owner;
	struct kturn_owner_sock *os, *next;

	/*
	 * Most sockets that close have nothing to do with us, and need not wait
	 * for who has. One that has joined did so before it closed.
	 */
	if (list_empty(&kn->owners))
		return;
	mutex_lock(&kn->lock);
	list_for_each_entry_safe(owner, next_owner, &kn->owners, link) {
		bool left = false;

		list_for_each_entry_safe(os, next, &owner->socks, link) {
			/* Alive: somebody else took the port id meanwhile. */
			if (os->portid != portid ||
			    !sock_flag(os->sk, SOCK_DEAD))
				continue;
			kturn_owner_sock_remove(owner, os);
			left = true;
		}
		if (left && !owner->n_socks)
			kturn_owner_orphaned(kn, owner);
	}
	mutex_unlock(&kn->lock);
}

/* Runs in the process that closes the socket, which is marked dead before. */
static int kturn_owner_event(struct notifier_block *nb, unsigned long event,
			     void *data)
{
	struct netlink_notify *n = data;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC)
		kturn_owner_sock_closed(kturn_pernet(n->net), n->portid);
	return NOTIFY_DONE;
}

static struct notifier_block kturn_owner_notifier = {
	.notifier_call = kturn_owner_event,
};

/**
 * kturn_owner_init() - start to hear of sockets that close
 *
 * Return: 0 or a negative errno.
 */
int kturn_owner_init(void)
{
	return netlink_register_notifier(&kturn_owner_notifier);
}

/** kturn_owner_exit() - no notifier runs any more when it returns */
void kturn_owner_exit(void)
{
	netlink_unregister_notifier(&kturn_owner_notifier);
}

/**
 * kturn_owner_of() - the owner that a socket has joined
 * @kn: namespace
 * @sk: socket
 *
 * Context: kturn_net.lock.
 * Return: NULL if it has joined none.
 */
struct kturn_owner *kturn_owner_of(struct kturn_net *kn, const struct sock *sk)
{
	struct kturn_owner_sock *os;
	struct kturn_owner *owner;

	lockdep_assert_held(&kn->lock);
	list_for_each_entry(owner, &kn->owners, link)
		list_for_each_entry(os, &owner->socks, link)
			if (os->sk == sk)
				return owner;
	return NULL;
}

/** kturn_owner_by_id() - NULL if there is none. Context: kturn_net.lock. */
struct kturn_owner *kturn_owner_by_id(struct kturn_net *kn, u32 id)
{
	struct kturn_owner *owner;

	lockdep_assert_held(&kn->lock);
	list_for_each_entry(owner, &kn->owners, link)
		if (owner->id == id)
			return owner;
	return NULL;
}

static struct kturn_owner *kturn_owner_by_cookie(struct kturn_net *kn,
						 u64 cookie)
{
	struct kturn_owner *owner;

	lockdep_assert_held(&kn->lock);
	list_for_each_entry(owner, &kn->owners, link)
		if (owner->cookie == cookie)
			return owner;
	return NULL;
}

static struct kturn_owner *kturn_owner_create(struct kturn_net *kn, u64 cookie,
					      struct netlink_ext_ack *extack)
{
	struct kturn_owner *owner;

	lockdep_assert_held(&kn->lock);
	if (kn->n_owners >= kn->limits.owners) {
		NL_SET_ERR_MSG(extack,
			       "the namespace's limit of owners is reached");
		return ERR_PTR(-ENOSPC);
	}
	owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);
	if (!owner) {
		NL_SET_ERR_MSG(extack, "no memory for the owner");
		return ERR_PTR(-ENOMEM);
	}
	INIT_LIST_HEAD(&owner->allocs);
	INIT_LIST_HEAD(&owner->socks);
	owner->cookie = cookie;
	do {
		if (!++kn->next_owner_id)
			kn->next_owner_id = 1;
	} while (kturn_owner_by_id(kn, kn->next_owner_id));
	owner->id = kn->next_owner_id;
	list_add_tail(&owner->link, &kn->owners);
	kn->n_owners++;
	kn->gen++;
	return owner;
}

static int kturn_owner_add_sock(struct kturn_owner *owner, struct sock *sk,
				u32 portid, struct netlink_ext_ack *extack)
{
	struct kturn_owner_sock *os = kmalloc(sizeof(*os), GFP_KERNEL_ACCOUNT);

	if (!os) {
		NL_SET_ERR_MSG(extack, "no memory to join");
		return -ENOMEM;
	}
	sock_hold(sk);
	os->sk = sk;
	os->portid = portid;
	list_add_tail(&os->link, &owner->socks);
	owner->n_socks++;
	return 0;
}

/*
 * If the owner's grace period is over, but nobody has cleared up yet, do it now.
 * The lock is given up meanwhile.
 */
static void kturn_owner_clear(struct kturn_net *kn, u64 cookie)
{
	struct kturn_owner *owner;
	int left;

	lockdep_assert_held(&kn->lock);
	for (;;) {
		owner = kturn_owner_by_cookie(kn, cookie);
		if (!owner || owner->n_socks || owner->deadline > kturn_now())
			return;
		left = KTURN_BATCH;
		if (kturn_owner_shrink(kn, owner, &left)) {
			kturn_owner_free(kn, owner);
			return;
		}
		kturn_net_pause(kn);
	}
}

/**
 * kturn_owner_join() - join a socket to an owner, which is made if need be
 * @kn: namespace
 * @sk: the requesting socket
 * @portid: its netlink port
 * @cookie: the owner's name
 * @grace_ms: new grace period
 * @label: attribute or NULL
 * @extack: for the refusal
 * @result: the owner
 *
 * A socket may join its own owner again, to change the rest.
 *
 * Context: may sleep; kturn_net.lock, which may be given up and taken again.
 * Return: 0; -EBUSY: joined to another owner; -ENOSPC; -ENOMEM.
 */
int kturn_owner_join(struct kturn_net *kn, struct sock *sk, u32 portid,
		     u64 cookie, u32 grace_ms, const struct nlattr *label,
		     struct netlink_ext_ack *extack,
		     struct kturn_owner **result)
{
	struct kturn_owner *mine, *owner;
	int err;

	kturn_owner_clear(kn, cookie);
	mine = kturn_owner_of(kn, sk);
	if (mine && mine->cookie != cookie) {
		NL_SET_ERR_MSG(extack,
			       "this socket has joined another owner already");
		return -EBUSY;
	}
	owner = mine ?: kturn_owner_by_cookie(kn, cookie);
	if (!owner) {
		owner = kturn_owner_create(kn, cookie, extack);
		if (IS_ERR(owner))
			return PTR_ERR(owner);
	}
	if (!mine) {
		err = kturn_net_start(kn, extack);
		if (err)
			goto err_owner;
		err = kturn_hooks_get(kn);
		if (err) {
			NL_SET_ERR_MSG(extack,
				       "could not register the netfilter hooks");
			goto err_owner;
		}
		err = kturn_owner_add_sock(owner, sk, portid, extack);
		if (err)
			goto err_owner;
	}
	owner->grace_ms = grace_ms;
	WRITE_ONCE(owner->deadline, 0);
	if (label)
		nla_strscpy(owner->label, label, sizeof(owner->label));
	kturn_gc_kick(kn);
	*result = owner;
	return 0;

err_owner:
	kturn_owner_release_idle(kn, owner);
	kturn_gc_kick(kn);
	return err;
}

/**
 * kturn_owner_expire() - remove owners whose grace period is over
 * @kn: namespace
 * @now: the time
 * @left: so many entries at the most; what is left of that
 *
 * Context: may sleep; kturn_net.lock.
 * Return: whether there is more to remove.
 */
bool kturn_owner_expire(struct kturn_net *kn, u64 now, int *left)
{
	struct kturn_owner *owner, *next;

	lockdep_assert_held(&kn->lock);
	list_for_each_entry_safe(owner, next, &kn->owners, link) {
		if (owner->n_socks || (owner->n_allocs && owner->deadline > now))
			continue;
		if (!kturn_owner_shrink(kn, owner, left))
			return true;
		kturn_owner_destroy(kn, owner, true);
	}
	return false;
}

/**
 * kturn_owner_destroy_all() - remove every owner and every allocation
 * @kn: namespace that ends, or whose module does
 *
 * Nobody is told: who listens is told that the family is gone.
 *
 * Context: may sleep; kturn_net.lock.
 */
void kturn_owner_destroy_all(struct kturn_net *kn)
{
	struct kturn_owner *owner, *next_owner;
	struct kturn_owner_sock *os, *next;
	struct kturn_alloc *alloc;
	unsigned long id;

	lockdep_assert_held(&kn->lock);
	list_for_each_entry_safe(owner, next_owner, &kn->owners, link) {
		list_for_each_entry_safe(os, next, &owner->socks, link)
			kturn_owner_sock_remove(owner, os);
		kturn_owner_destroy(kn, owner, false);
	}
	xa_for_each(&kn->ids, id, alloc) {
		kturn_alloc_destroy(kn, alloc);
		cond_resched();
	}
}
