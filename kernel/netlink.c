// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family: requests that change something. Reading is in dump.c;
 * the policies are generated from Documentation/netlink/specs/kturn.yaml.
 *
 * parallel_ops: a mutex for each namespace, so that workers do not wait for
 * the rest of the machine.
 */
#include <linux/module.h>
#include <linux/user_namespace.h>
#include <net/sock.h>

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

/* The namespace of @info with its lock held. */
static struct kturn_net *kturn_nl_lock(struct genl_info *info)
{
	struct kturn_net *kn = kturn_nl_net(genl_info_net(info), info->extack);

	if (!IS_ERR(kn))
		mutex_lock(&kn->lock);
	return kn;
}

static int kturn_nl_unlock(struct kturn_net *kn, int err)
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
 * kturn_nl_alloc() - the allocation that an attribute names
 * @kn: namespace
 * @info: request
 * @attr: attribute with the id; it need not be there
 *
 * Context: kturn_net.lock.
 * Return: error pointer -EINVAL without the attribute, -ENOENT.
 */
struct kturn_alloc *kturn_nl_alloc(struct kturn_net *kn, struct genl_info *info,
				   int attr)
{
	struct kturn_alloc *alloc;
	int err;

	err = kturn_nl_need(info, attr);
	if (err)
		return ERR_PTR(err);
	alloc = kturn_alloc_by_id(kn, nla_get_u32(info->attrs[attr]));
	if (!alloc) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
				    "no such allocation");
		return ERR_PTR(-ENOENT);
	}
	return alloc;
}

/* ------------------------------------------------------------------ owners */

static int kturn_nl_owner_reply(struct genl_info *info,
				const struct kturn_owner *owner)
{
	struct kturn_nl_msg msg = {
		.skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL),
		.portid = info->snd_portid,
		.seq = info->snd_seq,
		.cmd = KTURN_CMD_OWNER_GET,
		.gone = -1,
	};
	void *hdr;
	int err;

	if (!msg.skb)
		return -ENOMEM;
	err = kturn_nl_fill_owner(&msg, owner, &hdr);
	if (err) {
		nlmsg_free(msg.skb);
		return err;
	}
	return genlmsg_reply(msg.skb, info);
}

int kturn_nl_owner_join_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_owner *owner;
	struct kturn_net *kn;
	u32 grace_ms;
	u64 cookie;
	int err;

	err = kturn_nl_need(info, KTURN_A_OWNER_COOKIE) ?:
	      kturn_nl_need(info, KTURN_A_OWNER_GRACE_MS);
	if (err)
		return err;
	cookie = nla_get_u64(info->attrs[KTURN_A_OWNER_COOKIE]);
	if (!cookie) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KTURN_A_OWNER_COOKIE],
				    "the cookie must be a random number, not 0");
		return -EINVAL;
	}
	grace_ms = nla_get_u32(info->attrs[KTURN_A_OWNER_GRACE_MS]);
	if (grace_ms > KTURN_GRACE_MS_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KTURN_A_OWNER_GRACE_MS],
				    "grace period is longer than an hour");
		return -ERANGE;
	}

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	err = kturn_owner_join(kn, NETLINK_CB(skb).sk, info->snd_portid, cookie,
			       grace_ms, info->attrs[KTURN_A_OWNER_LABEL],
			       info->extack, &owner);
	if (!err)
		err = kturn_nl_owner_reply(info, owner);
	return kturn_nl_unlock(kn, err);
}

/* ------------------------------------------------------------- allocations */

static int kturn_nl_relay(struct genl_info *info, int attr, u8 family,
			  struct kturn_addr *addr)
{
	struct nlattr *nla = info->attrs[attr];
	int err;

	memset(addr, 0, sizeof(*addr));
	if (!nla)
		return 0;
	err = kturn_nl_endpoint(nla, addr, info->extack);
	if (err)
		return err;
	if (addr->family != family) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla,
				    "address is of the other family");
		return -EINVAL;
	}
	return 0;
}

static int kturn_nl_relays(struct genl_info *info,
			   struct kturn_alloc_request *req)
{
	int err, i;

	err = kturn_nl_relay(info, KTURN_A_ALLOC_RELAY4, KTURN_FAMILY_V4,
			     &req->relay[0]) ?:
	      kturn_nl_relay(info, KTURN_A_ALLOC_RELAY6, KTURN_FAMILY_V6,
			     &req->relay[1]);
	if (err)
		return err;
	if (!req->relay[0].family && !req->relay[1].family) {
		NL_SET_ERR_MSG(info->extack,
			       "one of relay4 and relay6 is needed");
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(req->relay); i++) {
		if (memcmp(&req->relay[i], &req->tuple.server,
			   sizeof(req->relay[i])))
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KTURN_A_ALLOC_SERVER],
				    "relayed address is the server's own");
		return -EINVAL;
	}
	return 0;
}

static int kturn_nl_tuple(struct genl_info *info, struct kturn_tuple *tuple)
{
	int err;

	err = kturn_nl_need(info, KTURN_A_ALLOC_CLIENT) ?:
	      kturn_nl_need(info, KTURN_A_ALLOC_SERVER) ?:
	      kturn_nl_endpoint(info->attrs[KTURN_A_ALLOC_CLIENT],
				&tuple->client, info->extack) ?:
	      kturn_nl_endpoint(info->attrs[KTURN_A_ALLOC_SERVER],
				&tuple->server, info->extack);
	if (err)
		return err;
	if (tuple->client.family != tuple->server.family) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KTURN_A_ALLOC_SERVER],
				    "server and client are of different families");
		return -EINVAL;
	}
	tuple->l3mdev = 0;
	if (info->attrs[KTURN_A_ALLOC_L3MDEV])
		tuple->l3mdev = nla_get_u32(info->attrs[KTURN_A_ALLOC_L3MDEV]);
	return 0;
}

static int kturn_nl_alloc_request(struct genl_info *info,
				  struct kturn_alloc_request *req)
{
	int err;

	err = kturn_nl_tuple(info, &req->tuple) ?:
	      kturn_nl_relays(info, req) ?:
	      kturn_nl_need(info, KTURN_A_ALLOC_LIFETIME_MS);
	if (err)
		return err;
	req->lifetime_ms = nla_get_u32(info->attrs[KTURN_A_ALLOC_LIFETIME_MS]);
	req->flags = 0;
	if (info->attrs[KTURN_A_ALLOC_FLAGS])
		req->flags = nla_get_u32(info->attrs[KTURN_A_ALLOC_FLAGS]);
	req->label = info->attrs[KTURN_A_ALLOC_LABEL];
	req->owner_data = info->attrs[KTURN_A_ALLOC_OWNER_DATA];
	return 0;
}

static struct sk_buff *kturn_nl_alloc_reply(struct genl_info *info,
					    struct nlattr **id)
{
	struct sk_buff *skb = genlmsg_new(nla_total_size(sizeof(u32)),
					  GFP_KERNEL);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put_reply(skb, info, &kturn_nl_family, 0,
				KTURN_CMD_ALLOC_NEW);
	*id = nla_reserve(skb, KTURN_A_ALLOC_ID, sizeof(u32));
	if (!hdr || !*id) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

int kturn_nl_alloc_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_alloc_request req = {};
	struct sk_buff *reply;
	struct kturn_net *kn;
	struct nlattr *attr;
	u32 id;
	int err;

	err = kturn_nl_alloc_request(info, &req);
	if (err)
		return err;
	/* First, so that nothing stays behind that nobody was told of. */
	reply = kturn_nl_alloc_reply(info, &attr);
	if (!reply)
		return -ENOMEM;

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn)) {
		nlmsg_free(reply);
		return PTR_ERR(kn);
	}
	req.owner = kturn_owner_of(kn, NETLINK_CB(skb).sk);
	err = kturn_alloc_create(kn, &req, info->extack, &id);
	mutex_unlock(&kn->lock);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	memcpy(nla_data(attr), &id, sizeof(id));
	return genlmsg_reply(reply, info);
}

int kturn_nl_alloc_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_alloc *alloc;
	struct nlattr *attr;
	struct kturn_net *kn;
	int err = 0;

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_ALLOC_ID);
	if (IS_ERR(alloc))
		return kturn_nl_unlock(kn, PTR_ERR(alloc));

	/* What can fail comes first: all or nothing but the label. */
	attr = info->attrs[KTURN_A_ALLOC_LABEL];
	if (attr)
		err = kturn_alloc_set_label(alloc, attr, info->extack);
	attr = info->attrs[KTURN_A_ALLOC_OWNER_DATA];
	if (!err && attr)
		err = kturn_alloc_set_data(alloc, attr, info->extack);
	if (err)
		return kturn_nl_unlock(kn, err);

	attr = info->attrs[KTURN_A_ALLOC_LIFETIME_MS];
	if (attr)
		WRITE_ONCE(alloc->expires, kturn_deadline(nla_get_u32(attr)));
	attr = info->attrs[KTURN_A_ALLOC_FLAGS];
	if (attr)
		WRITE_ONCE(alloc->flags, nla_get_u32(attr));
	return kturn_nl_unlock(kn, 0);
}

int kturn_nl_alloc_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_alloc *alloc;
	struct kturn_net *kn;

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_ALLOC_ID);
	if (IS_ERR(alloc))
		return kturn_nl_unlock(kn, PTR_ERR(alloc));
	kturn_notify_alloc(kn, alloc, KTURN_GONE_REASON_DELETED);
	kturn_alloc_destroy(kn, alloc);
	return kturn_nl_unlock(kn, 0);
}

int kturn_nl_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KTURN_A_ALLOC_OWNER_ID];
	u32 owner_id = attr ? nla_get_u32(attr) : 0;
	struct kturn_alloc *alloc;
	struct kturn_net *kn;
	unsigned long id;

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	if (owner_id && !kturn_owner_by_id(kn, owner_id)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such owner");
		return kturn_nl_unlock(kn, -ENOENT);
	}
	xa_for_each(&kn->ids, id, alloc) {
		if (owner_id &&
		    (!alloc->owner || alloc->owner->id != owner_id))
			continue;
		kturn_notify_alloc(kn, alloc, KTURN_GONE_REASON_DELETED);
		kturn_alloc_destroy(kn, alloc);
		cond_resched();
	}
	return kturn_nl_unlock(kn, 0);
}

/* ------------------------------------------------------------- permissions */

int kturn_nl_perm_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_alloc *alloc;
	struct kturn_addr peer;
	struct kturn_net *kn;
	u32 lifetime_ms;
	int err;

	err = kturn_nl_need(info, KTURN_A_PERM_PEER) ?:
	      kturn_nl_need(info, KTURN_A_PERM_LIFETIME_MS) ?:
	      kturn_nl_peer_ip(info->attrs[KTURN_A_PERM_PEER], &peer,
			       info->extack);
	if (err)
		return err;
	lifetime_ms = nla_get_u32(info->attrs[KTURN_A_PERM_LIFETIME_MS]);

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_PERM_ALLOC_ID);
	if (IS_ERR(alloc))
		return kturn_nl_unlock(kn, PTR_ERR(alloc));
	if (!kturn_alloc_relay(alloc, peer.family)) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KTURN_A_PERM_PEER],
				    "allocation has no relayed address of the peer's family");
		return kturn_nl_unlock(kn, -EINVAL);
	}
	err = kturn_perm_install(kn, alloc, &peer, lifetime_ms, info->extack);
	return kturn_nl_unlock(kn, err);
}

int kturn_nl_perm_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_alloc *alloc;
	struct kturn_perm *perm;
	struct kturn_addr peer;
	struct kturn_net *kn;
	int err;

	err = kturn_nl_need(info, KTURN_A_PERM_PEER) ?:
	      kturn_nl_peer_ip(info->attrs[KTURN_A_PERM_PEER], &peer,
			       info->extack);
	if (err)
		return err;
	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_PERM_ALLOC_ID);
	if (IS_ERR(alloc))
		return kturn_nl_unlock(kn, PTR_ERR(alloc));
	perm = kturn_perm_find(kn, alloc, &peer);
	if (!perm) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KTURN_A_PERM_PEER],
				    "no such permission");
		return kturn_nl_unlock(kn, -ENOENT);
	}
	kturn_notify_perm(kn, perm, KTURN_GONE_REASON_DELETED);
	kturn_perm_end(kn, perm);
	return kturn_nl_unlock(kn, 0);
}

/* ---------------------------------------------------------------- channels */

int kturn_nl_chan_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_alloc *alloc;
	struct kturn_addr peer;
	struct kturn_net *kn;
	u32 lifetime_ms;
	u16 number;
	int err;

	err = kturn_nl_need(info, KTURN_A_CHAN_NUMBER) ?:
	      kturn_nl_need(info, KTURN_A_CHAN_PEER) ?:
	      kturn_nl_need(info, KTURN_A_CHAN_LIFETIME_MS) ?:
	      kturn_nl_endpoint(info->attrs[KTURN_A_CHAN_PEER], &peer,
				info->extack);
	if (err)
		return err;
	lifetime_ms = nla_get_u32(info->attrs[KTURN_A_CHAN_LIFETIME_MS]);
	number = nla_get_u16(info->attrs[KTURN_A_CHAN_NUMBER]);

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_CHAN_ALLOC_ID);
	if (IS_ERR(alloc))
		return kturn_nl_unlock(kn, PTR_ERR(alloc));
	err = kturn_chan_bind(kn, alloc, number, &peer, lifetime_ms,
			      info->extack);
	/* All that it refuses on its merits is about the peer. */
	if (err == -EEXIST || err == -EINVAL)
		NL_SET_BAD_ATTR(info->extack, info->attrs[KTURN_A_CHAN_PEER]);
	return kturn_nl_unlock(kn, err);
}

int kturn_nl_chan_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_alloc *alloc;
	struct kturn_chan *chan;
	struct kturn_net *kn;
	int err;

	err = kturn_nl_need(info, KTURN_A_CHAN_NUMBER);
	if (err)
		return err;
	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_CHAN_ALLOC_ID);
	if (IS_ERR(alloc))
		return kturn_nl_unlock(kn, PTR_ERR(alloc));
	chan = kturn_chan_find(kn, alloc,
			       nla_get_u16(info->attrs[KTURN_A_CHAN_NUMBER]));
	if (!chan) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KTURN_A_CHAN_NUMBER],
				    "no such channel");
		return kturn_nl_unlock(kn, -ENOENT);
	}
	kturn_notify_chan(kn, chan, KTURN_GONE_REASON_DELETED);
	kturn_chan_destroy(kn, chan);
	return kturn_nl_unlock(kn, 0);
}

/* ------------------------------------------------------------------ limits */

static void kturn_nl_limit(struct genl_info *info, int attr, u32 *limit)
{
	if (info->attrs[attr])
		*limit = nla_get_u32(info->attrs[attr]);
}

int kturn_nl_config_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_net *kn;

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	/* They protect the host, so its administrator sets them. */
	if (!netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(info->extack,
			       "limits need CAP_NET_ADMIN in the initial user namespace");
		return kturn_nl_unlock(kn, -EPERM);
	}
	kturn_nl_limit(info, KTURN_A_CONFIG_MAX_ALLOCS, &kn->limits.allocs);
	kturn_nl_limit(info, KTURN_A_CONFIG_MAX_PERMS, &kn->limits.perms);
	kturn_nl_limit(info, KTURN_A_CONFIG_MAX_CHANS, &kn->limits.chans);
	kturn_nl_limit(info, KTURN_A_CONFIG_MAX_OWNERS, &kn->limits.owners);
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
