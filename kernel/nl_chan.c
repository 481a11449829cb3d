// SPDX-License-Identifier: GPL-2.0
/* Requests about channels. */
#include "relay.h"
#include "netlink.h"

static void *kturn_nl_chan_find(struct kturn_net *kn, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KTURN_A_CHAN_NUMBER];
	struct kturn_alloc *alloc;
	struct kturn_chan *chan;
	int err;

	err = kturn_nl_need(info, KTURN_A_CHAN_NUMBER);
	if (err)
		return ERR_PTR(err);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_CHAN_ALLOC_ID);
	if (IS_ERR(alloc))
		return alloc;
	chan = kturn_chan_find(kn, alloc, nla_get_u16(attr));
	if (!chan) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such channel");
		return ERR_PTR(-ENOENT);
	}
	return chan;
}

static int kturn_nl_chan_put_count(struct sk_buff *skb, int type,
				   const struct kturn_chan *chan,
				   enum kturn_dir dir)
{
	struct kturn_count count = {};

	kturn_account_chan_sum(chan, dir, &count);
	return kturn_nl_put_count(skb, type, &count);
}

static int kturn_nl_chan_put(struct sk_buff *skb, const void *entry)
{
	const struct kturn_chan *chan = entry;

	return nla_put_u32(skb, KTURN_A_CHAN_ALLOC_ID, chan->alloc->id) ||
	       nla_put_u16(skb, KTURN_A_CHAN_NUMBER,
			   chan->number_key.number) ||
	       kturn_nl_put_endpoint(skb, KTURN_A_CHAN_PEER,
				     &chan->peer_key.remote) ||
	       nla_put_u32(skb, KTURN_A_CHAN_LIFETIME_MS,
			   kturn_left_ms(chan->expires, kturn_now())) ||
	       kturn_nl_chan_put_count(skb, KTURN_A_CHAN_TO_PEER, chan,
				       KTURN_TO_PEER) ||
	       kturn_nl_chan_put_count(skb, KTURN_A_CHAN_TO_CLIENT, chan,
				       KTURN_TO_CLIENT);
}

static void kturn_nl_chan_remove(struct kturn_net *kn, void *entry)
{
	kturn_chan_destroy(kn, entry);
}

const struct kturn_nl_kind kturn_nl_chan_kind = {
	.cmd = KTURN_CMD_CHAN_GET,
	.gone_cmd = KTURN_CMD_CHAN_GONE_NTF,
	.gone_attr = KTURN_A_CHAN_GONE,
	.find = kturn_nl_chan_find,
	.put = kturn_nl_chan_put,
	.remove = kturn_nl_chan_remove,
};

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

int kturn_nl_chan_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_get(info, &kturn_nl_chan_kind);
}

static int kturn_nl_chan_dump(struct kturn_dump *dump,
			      const struct kturn_alloc *alloc)
{
	struct kturn_chan *chan;
	int err;

	list_for_each_entry(chan, &alloc->chans, link) {
		err = kturn_dump_show_next(dump, chan, &chan->expires);
		if (err)
			return err;
	}
	return 0;
}

int kturn_nl_chan_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return kturn_dump_allocs(skb, cb, &kturn_nl_chan_kind,
				 KTURN_A_CHAN_ALLOC_ID, kturn_nl_chan_dump);
}

int kturn_nl_chan_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_del(info, &kturn_nl_chan_kind);
}
