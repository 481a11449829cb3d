// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family, and what all its requests do alike. What they do to
 * each kind of entry is in nl_*.c; the policies are generated from
 * Documentation/netlink/specs/kturn.yaml.
 *
 * parallel_ops: a mutex for each namespace, so that workers do not wait for
 * the rest of the machine.
 */
#include <linux/module.h>
#include <linux/user_namespace.h>

#include "netlink.h"

static bool userns;
module_param(userns, bool, 0644);
MODULE_PARM_DESC(userns,
		 "let network namespaces of other user namespaces use kturn");

/**
 * kturn_nl_net() - the namespace of a request, if it may use the module
 * @net: namespace
 * @extack: for the refusal
 *
 * CAP_NET_ADMIN was checked by generic netlink; in a user namespace anyone
 * can have that.
 *
 * Return: error pointer -EPERM if not.
 */
struct kturn_net *kturn_nl_net(struct net *net, struct netlink_ext_ack *extack)
{
	if (net->user_ns != &init_user_ns && !READ_ONCE(userns)) {
		NL_SET_ERR_MSG(extack,
			       "not in a user namespace, unless the module parameter userns is set");
		return ERR_PTR(-EPERM);
	}
	return kturn_pernet(net);
}

/**
 * kturn_nl_lock() - the namespace of a request, with its lock held
 * @info: request
 *
 * Return: error pointer -EPERM if the namespace may not use the module.
 */
struct kturn_net *kturn_nl_lock(struct genl_info *info)
{
	struct kturn_net *kn = kturn_nl_net(genl_info_net(info), info->extack);

	if (!IS_ERR(kn))
		mutex_lock(&kn->lock);
	return kn;
}

/**
 * kturn_nl_unlock() - give back what kturn_nl_lock() gave
 * @kn: namespace
 * @err: what to return
 *
 * Return: @err.
 */
int kturn_nl_unlock(struct kturn_net *kn, int err)
{
	mutex_unlock(&kn->lock);
	return err;
}

/**
 * kturn_nl_need() - refuse a request that lacks an attribute
 * @info: request
 * @attr: attribute of the top level
 *
 * Return: 0 or -EINVAL.
 */
int kturn_nl_need(struct genl_info *info, int attr)
{
	if (!GENL_REQ_ATTR_CHECK(info, attr))
		return 0;
	NL_SET_ERR_MSG(info->extack, "a required attribute is missing");
	return -EINVAL;
}

/**
 * kturn_nl_reply() - answer a request with an entry
 * @info: request
 * @kind: of entry
 * @entry: the entry, or an error pointer to pass on
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0 or a negative errno.
 */
int kturn_nl_reply(struct genl_info *info, const struct kturn_nl_kind *kind,
		   const void *entry)
{
	struct kturn_nl_msg msg = {
		.portid = info->snd_portid,
		.seq = info->snd_seq,
	};
	int err;

	if (IS_ERR(entry))
		return PTR_ERR(entry);
	msg.skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!msg.skb)
		return -ENOMEM;
	err = kturn_nl_show(&msg, kind, entry);
	if (err) {
		nlmsg_free(msg.skb);
		return err;
	}
	return genlmsg_reply(msg.skb, info);
}

/** kturn_nl_get() - show the entry that a request names; 0 or errno */
int kturn_nl_get(struct genl_info *info, const struct kturn_nl_kind *kind)
{
	struct kturn_net *kn = kturn_nl_lock(info);

	if (IS_ERR(kn))
		return PTR_ERR(kn);
	return kturn_nl_unlock(kn, kturn_nl_reply(info, kind,
						  kind->find(kn, info)));
}

/** kturn_nl_del() - remove the entry that a request names; 0 or errno */
int kturn_nl_del(struct genl_info *info, const struct kturn_nl_kind *kind)
{
	struct kturn_net *kn = kturn_nl_lock(info);
	void *entry;

	if (IS_ERR(kn))
		return PTR_ERR(kn);
	entry = kind->find(kn, info);
	if (IS_ERR(entry))
		return kturn_nl_unlock(kn, PTR_ERR(entry));
	kturn_notify(kn, kind, entry, KTURN_GONE_REASON_DELETED);
	kind->remove(kn, entry);
	return kturn_nl_unlock(kn, 0);
}

/* -------------------------------------------------------------- the family */

static const struct genl_multicast_group kturn_nl_groups[] = {
	/* Entries say who talks to whom. */
	[KTURN_NLGRP_EVENTS] = {
		.name = KTURN_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family kturn_nl_family __ro_after_init = {
	.name = KTURN_GENL_NAME,
	.version = KTURN_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = kturn_nl_ops,
	.n_ops = ARRAY_SIZE(kturn_nl_ops),
	.mcgrps = kturn_nl_groups,
	.n_mcgrps = ARRAY_SIZE(kturn_nl_groups),
};

/** kturn_netlink_init() - userspace can call from now on; 0 or errno */
int __init kturn_netlink_init(void)
{
	int err = genl_register_family(&kturn_nl_family);

	if (!err)
		kturn_notify_start();
	return err;
}

/** kturn_netlink_exit() - no request runs any more when it returns */
void kturn_netlink_exit(void)
{
	kturn_notify_stop();
	genl_unregister_family(&kturn_nl_family);
}

MODULE_ALIAS_GENL_FAMILY(KTURN_GENL_NAME);
