// SPDX-License-Identifier: GPL-2.0
/*
 * kturn: a TURN relay (RFC 8656) in the kernel.
 *
 * Userspace decides, the module only does what was decided, and a packet
 * that it has no entry for is none of its business.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <net/netns/generic.h>

#include "ingress.h"
#include "limit.h"
#include "quota.h"

/* Entries are also charged to the memory cgroup of who makes them. */
#define KTURN_MAX_ALLOCS	262144
#define KTURN_MAX_PERMS		1048576
#define KTURN_MAX_CHANS		1048576
#define KTURN_MAX_OWNERS	1024

unsigned int kturn_net_id __read_mostly;

/** kturn_pernet() - the module's state in a namespace */
struct kturn_net *kturn_pernet(const struct net *net)
{
	return net_generic(net, kturn_net_id);
}

static int __net_init kturn_net_init(struct net *net)
{
	struct kturn_net *kn = kturn_pernet(net);

	kn->net = net;
	mutex_init(&kn->lock);
	INIT_LIST_HEAD(&kn->owners);
	kturn_quota_init(kn);
	kn->limits.allocs = KTURN_MAX_ALLOCS;
	kn->limits.perms = KTURN_MAX_PERMS;
	kn->limits.chans = KTURN_MAX_CHANS;
	kn->limits.owners = KTURN_MAX_OWNERS;
	kturn_limit_net_init(kn);
	xa_init_flags(&kn->ids, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	kturn_gc_init(kn);
	kturn_hooks_init(kn);
	INIT_LIST_HEAD(&kn->devices);
	return 0;
}

/**
 * kturn_net_pause() - let others have the lock for a moment
 * @kn: namespace
 *
 * Giving it up is not enough: who spins for it would hardly ever see it free
 * before it is taken again.
 *
 * Context: may sleep; kturn_net.lock, which is given up and taken again.
 */
void kturn_net_pause(struct kturn_net *kn)
{
	lockdep_assert_held(&kn->lock);
	mutex_unlock(&kn->lock);
	usleep_range(20, 50);
	mutex_lock(&kn->lock);
}

/**
 * kturn_net_start() - make what a namespace needs to hold entries
 * @kn: namespace
 * @extack: for the refusal
 *
 * With its first owner or entry, because most namespaces never have one. It
 * stays until the namespace ends. To be called before kturn_hooks_get().
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0 or -ENOMEM.
 */
int kturn_net_start(struct kturn_net *kn, struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&kn->lock);
	if (kn->started)
		return 0;
	err = kturn_stats_init(kn);
	if (err)
		goto err_extack;
	err = kturn_gc_start(kn);
	if (err)
		goto err_stats;
	err = kturn_tables_init(kn);
	if (err)
		goto err_gc;
	err = kturn_limit_net_start(kn);
	if (err)
		goto err_tables;
	kn->started = true;
	return 0;

err_tables:
	kturn_tables_exit(kn);
err_gc:
	kturn_gc_stop(kn);
err_stats:
	kturn_stats_exit(kn);
err_extack:
	NL_SET_ERR_MSG(extack, "no memory for the namespace's tables");
	return err;
}

/*
 * Nothing can make entries any more: the family is gone, or the namespace is
 * and with it every socket in it.
 */
static void __net_exit kturn_net_pre_exit(struct net *net)
{
	struct kturn_net *kn = kturn_pernet(net);

	kturn_gc_exit(kn);
	kturn_ingress_detach_all(kn);
	mutex_lock(&kn->lock);
	kturn_owner_destroy_all(kn);
	kturn_quota_exit(kn);
	kturn_hooks_release(kn);
	mutex_unlock(&kn->lock);
}

static void kturn_net_stop(struct kturn_net *kn)
{
	if (kn->started) {
		kturn_limit_net_exit(kn);
		kturn_tables_exit(kn);
		kturn_gc_stop(kn);
		kturn_stats_exit(kn);
	}
	xa_destroy(&kn->ids);
	mutex_destroy(&kn->lock);
}

/*
 * An RCU grace period later: no hook runs any more. But the functions that
 * free entries may not have run yet, and they release routes, which IPv6
 * counts in the namespace. It gives its counter up next.
 */
static void __net_exit kturn_net_exit_batch(struct list_head *nets)
{
	bool started = false;
	struct net *net;

	list_for_each_entry(net, nets, exit_list)
		started |= kturn_pernet(net)->started;
	if (started)
		rcu_barrier();
	list_for_each_entry(net, nets, exit_list)
		kturn_net_stop(kturn_pernet(net));
}

static struct pernet_operations kturn_net_ops = {
	.init = kturn_net_init,
	.pre_exit = kturn_net_pre_exit,
	.exit_batch = kturn_net_exit_batch,
	.id = &kturn_net_id,
	.size = sizeof(struct kturn_net),
};

/*
 * Memory for entries, then namespaces, because everything else finds its state
 * there; the family last, because from then on userspace can call.
 */
static int __init kturn_init(void)
{
	int err;

	kturn_tables_setup();
	kturn_rewrite_init();
	kturn_limit_init();
	err = kturn_alloc_init();
	if (err)
		return err;
	err = kturn_chan_init();
	if (err)
		goto err_alloc;
	err = register_pernet_subsys(&kturn_net_ops);
	if (err)
		goto err_chan;
	err = kturn_ingress_init();
	if (err)
		goto err_pernet;
	err = kturn_owner_init();
	if (err)
		goto err_ingress;
	err = kturn_netlink_init();
	if (err)
		goto err_owner;
	return 0;

err_owner:
	kturn_owner_exit();
err_ingress:
	kturn_ingress_exit();
err_pernet:
	unregister_pernet_subsys(&kturn_net_ops);
	rcu_barrier();
err_chan:
	kturn_chan_exit();
err_alloc:
	kturn_alloc_exit();
	return err;
}

static void __exit kturn_exit(void)
{
	kturn_netlink_exit();
	kturn_owner_exit();
	kturn_ingress_exit();
	unregister_pernet_subsys(&kturn_net_ops);
	/* Entries and routes are freed by functions of this module. */
	rcu_barrier();
	kturn_chan_exit();
	kturn_alloc_exit();
}

module_init(kturn_init);
module_exit(kturn_exit);

MODULE_DESCRIPTION("TURN relay (RFC 8656)");
MODULE_AUTHOR("The kturn authors");
MODULE_LICENSE("GPL");
