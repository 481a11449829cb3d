// SPDX-License-Identifier: GPL-2.0
/* Requests about permissions. */
#include "netlink.h"

static void *kturn_nl_perm_find(struct kturn_net *kn, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KTURN_A_PERM_PEER];
	struct kturn_alloc *alloc;
	struct kturn_perm *perm;
	struct kturn_addr peer;
	int err;

	err = kturn_nl_need(info, KTURN_A_PERM_PEER) ?:
	      kturn_nl_peer_ip(attr, &peer, info->extack);
	if (err)
		return ERR_PTR(err);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_PERM_ALLOC_ID);
	if (IS_ERR(alloc))
		return alloc;
	perm = kturn_perm_find(kn, alloc, &peer);
	if (!perm) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such permission");
		return ERR_PTR(-ENOENT);
	}
	return perm;
}

static int kturn_nl_perm_put(struct sk_buff *skb, const void *entry)
{
	const struct kturn_perm *perm = entry;

	return nla_put_u32(skb, KTURN_A_PERM_ALLOC_ID, perm->alloc->id) ||
	       kturn_nl_put_endpoint(skb, KTURN_A_PERM_PEER,
				     &perm->key.peer) ||
	       nla_put_u32(skb, KTURN_A_PERM_LIFETIME_MS,
			   kturn_left_ms(perm->expires, kturn_now()));
}

static void kturn_nl_perm_remove(struct kturn_net *kn, void *entry)
{
	kturn_perm_end(kn, entry);
}

const struct kturn_nl_kind kturn_nl_perm_kind = {
	.cmd = KTURN_CMD_PERM_GET,
	.gone_cmd = KTURN_CMD_PERM_GONE_NTF,
	.gone_attr = KTURN_A_PERM_GONE,
	.find = kturn_nl_perm_find,
	.put = kturn_nl_perm_put,
	.remove = kturn_nl_perm_remove,
};

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

int kturn_nl_perm_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_get(info, &kturn_nl_perm_kind);
}

static int kturn_nl_perm_dump(struct kturn_dump *dump,
			      const struct kturn_alloc *alloc)
{
	struct kturn_perm *perm;
	int err;

	list_for_each_entry(perm, &alloc->perms, link) {
		err = kturn_dump_show_next(dump, perm, &perm->expires);
		if (err)
			return err;
	}
	return 0;
}

int kturn_nl_perm_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return kturn_dump_allocs(skb, cb, &kturn_nl_perm_kind,
				 KTURN_A_PERM_ALLOC_ID, kturn_nl_perm_dump);
}

int kturn_nl_perm_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_del(info, &kturn_nl_perm_kind);
}
