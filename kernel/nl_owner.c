// SPDX-License-Identifier: GPL-2.0
/* Requests about owners. */
#include <net/sock.h>

#include "netlink.h"

static void *kturn_nl_owner_find(struct kturn_net *kn, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KTURN_A_OWNER_ID];
	struct kturn_owner *owner;
	int err;

	err = kturn_nl_need(info, KTURN_A_OWNER_ID);
	if (err)
		return ERR_PTR(err);
	owner = kturn_owner_by_id(kn, nla_get_u32(attr));
	if (!owner) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such owner");
		return ERR_PTR(-ENOENT);
	}
	return owner;
}

/* Never the cookie. */
static int kturn_nl_owner_put(struct sk_buff *skb, const void *entry)
{
	const struct kturn_owner *owner = entry;

	return nla_put_u32(skb, KTURN_A_OWNER_ID, owner->id) ||
	       nla_put_u32(skb, KTURN_A_OWNER_GRACE_MS, owner->grace_ms) ||
	       nla_put_u32(skb, KTURN_A_OWNER_SOCKETS, owner->n_socks) ||
	       nla_put_u32(skb, KTURN_A_OWNER_ALLOCS, owner->n_allocs) ||
	       (owner->deadline &&
		nla_put_u32(skb, KTURN_A_OWNER_LEFT_MS,
			    kturn_left_ms(owner->deadline, kturn_now()))) ||
	       (owner->label[0] &&
		nla_put_string(skb, KTURN_A_OWNER_LABEL, owner->label));
}

const struct kturn_nl_kind kturn_nl_owner_kind = {
	.cmd = KTURN_CMD_OWNER_GET,
	.find = kturn_nl_owner_find,
	.put = kturn_nl_owner_put,
};

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
		err = kturn_nl_reply(info, &kturn_nl_owner_kind, owner);
	return kturn_nl_unlock(kn, err);
}

int kturn_nl_owner_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_get(info, &kturn_nl_owner_kind);
}

int kturn_nl_owner_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kturn_owner *owner;
	struct kturn_dump dump;
	int err;

	err = kturn_dump_begin(&dump, skb, cb, &kturn_nl_owner_kind);
	if (err)
		return err;
	/* The list is in the order of ids, until they wrap round. */
	list_for_each_entry(owner, &dump.kn->owners, link) {
		if (owner->id < dump.id)
			continue;
		err = kturn_dump_show(&dump, owner, owner->id);
		if (err)
			break;
	}
	return kturn_dump_end(&dump, err);
}
