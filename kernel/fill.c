// SPDX-License-Identifier: GPL-2.0
/*
 * Entries as messages: one layout for get, dump and notification. All of it
 * runs under kturn_net.lock.
 */
#include "netlink.h"

static void *kturn_nl_begin(const struct kturn_nl_msg *msg)
{
	return genlmsg_put(msg->skb, msg->portid, msg->seq, &kturn_nl_family,
			   msg->flags, msg->cmd);
}

/* Complete or not there at all. */
static int kturn_nl_end(const struct kturn_nl_msg *msg, void *hdr, bool failed)
{
	if (failed) {
		genlmsg_cancel(msg->skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg->skb, hdr);
	return 0;
}

static int kturn_nl_put_count(struct sk_buff *skb, int type, u64 packets,
			      u64 bytes)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, KTURN_A_COUNTER_PACKETS, packets,
			      KTURN_A_COUNTER_PAD) ||
	    nla_put_u64_64bit(skb, KTURN_A_COUNTER_BYTES, bytes,
			      KTURN_A_COUNTER_PAD)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int kturn_nl_put_counter(struct sk_buff *skb, int type,
				const struct kturn_counter *c)
{
	return kturn_nl_put_count(skb, type, atomic64_read(&c->packets),
				  atomic64_read(&c->bytes));
}

static int kturn_nl_put_gone(const struct kturn_nl_msg *msg, int type)
{
	if (msg->gone < 0)
		return 0;
	return nla_put_u32(msg->skb, type, msg->gone);
}

/**
 * kturn_nl_fill_owner() - show an owner; never its cookie
 * @msg: where
 * @owner: owner
 * @hdr: the message's header, for dumps
 *
 * Return: 0 or -EMSGSIZE.
 */
int kturn_nl_fill_owner(const struct kturn_nl_msg *msg,
			const struct kturn_owner *owner, void **hdr)
{
	struct sk_buff *skb = msg->skb;
	bool failed;

	*hdr = kturn_nl_begin(msg);
	if (!*hdr)
		return -EMSGSIZE;
	failed = nla_put_u32(skb, KTURN_A_OWNER_ID, owner->id) ||
		 nla_put_u32(skb, KTURN_A_OWNER_GRACE_MS, owner->grace_ms) ||
		 nla_put_u32(skb, KTURN_A_OWNER_SOCKETS, owner->n_socks) ||
		 nla_put_u32(skb, KTURN_A_OWNER_ALLOCS, owner->n_allocs) ||
		 (owner->deadline &&
		  nla_put_u32(skb, KTURN_A_OWNER_LEFT_MS,
			      kturn_left_ms(owner->deadline, kturn_now()))) ||
		 (owner->label[0] &&
		  nla_put_string(skb, KTURN_A_OWNER_LABEL, owner->label));
	return kturn_nl_end(msg, *hdr, failed);
}

static int kturn_nl_put_alloc_name(struct sk_buff *skb,
				   const struct kturn_alloc *alloc)
{
	const struct kturn_addr *r4 = &alloc->relay[0].key.relay;
	const struct kturn_addr *r6 = &alloc->relay[1].key.relay;

	return nla_put_u32(skb, KTURN_A_ALLOC_ID, alloc->id) ||
	       (alloc->owner &&
		nla_put_u32(skb, KTURN_A_ALLOC_OWNER_ID, alloc->owner->id)) ||
	       kturn_nl_put_endpoint(skb, KTURN_A_ALLOC_CLIENT,
				     &alloc->tuple.client) ||
	       kturn_nl_put_endpoint(skb, KTURN_A_ALLOC_SERVER,
				     &alloc->tuple.server) ||
	       (r4->family &&
		kturn_nl_put_endpoint(skb, KTURN_A_ALLOC_RELAY4, r4)) ||
	       (r6->family &&
		kturn_nl_put_endpoint(skb, KTURN_A_ALLOC_RELAY6, r6)) ||
	       (alloc->tuple.l3mdev &&
		nla_put_u32(skb, KTURN_A_ALLOC_L3MDEV, alloc->tuple.l3mdev));
}

/** kturn_nl_fill_alloc() - show an allocation; see kturn_nl_fill_owner() */
int kturn_nl_fill_alloc(const struct kturn_nl_msg *msg,
			const struct kturn_alloc *alloc, void **hdr)
{
	struct sk_buff *skb = msg->skb;
	bool failed;

	*hdr = kturn_nl_begin(msg);
	if (!*hdr)
		return -EMSGSIZE;
	failed = kturn_nl_put_alloc_name(skb, alloc) ||
		 nla_put_u32(skb, KTURN_A_ALLOC_LIFETIME_MS,
			     kturn_left_ms(alloc->expires, kturn_now())) ||
		 nla_put_u32(skb, KTURN_A_ALLOC_FLAGS, alloc->flags) ||
		 (alloc->label &&
		  nla_put_string(skb, KTURN_A_ALLOC_LABEL, alloc->label)) ||
		 (alloc->owner_data_len &&
		  nla_put(skb, KTURN_A_ALLOC_OWNER_DATA, alloc->owner_data_len,
			  alloc->owner_data)) ||
		 kturn_nl_put_counter(skb, KTURN_A_ALLOC_TO_PEER,
				      &alloc->counter[KTURN_TO_PEER]) ||
		 kturn_nl_put_counter(skb, KTURN_A_ALLOC_TO_CLIENT,
				      &alloc->counter[KTURN_TO_CLIENT]) ||
		 nla_put_u64_64bit(skb, KTURN_A_ALLOC_DROPPED,
				   atomic64_read(&alloc->dropped),
				   KTURN_A_ALLOC_PAD) ||
		 nla_put_u64_64bit(skb, KTURN_A_ALLOC_PUNTED,
				   atomic64_read(&alloc->punted),
				   KTURN_A_ALLOC_PAD) ||
		 kturn_nl_put_gone(msg, KTURN_A_ALLOC_GONE);
	return kturn_nl_end(msg, *hdr, failed);
}

/** kturn_nl_fill_perm() - show a permission; see kturn_nl_fill_owner() */
int kturn_nl_fill_perm(const struct kturn_nl_msg *msg,
		       const struct kturn_perm *perm, void **hdr)
{
	struct sk_buff *skb = msg->skb;
	bool failed;

	*hdr = kturn_nl_begin(msg);
	if (!*hdr)
		return -EMSGSIZE;
	failed = nla_put_u32(skb, KTURN_A_PERM_ALLOC_ID, perm->alloc->id) ||
		 kturn_nl_put_endpoint(skb, KTURN_A_PERM_PEER,
				       &perm->key.peer) ||
		 nla_put_u32(skb, KTURN_A_PERM_LIFETIME_MS,
			     kturn_left_ms(perm->expires, kturn_now())) ||
		 kturn_nl_put_gone(msg, KTURN_A_PERM_GONE);
	return kturn_nl_end(msg, *hdr, failed);
}

/** kturn_nl_fill_chan() - show a channel; see kturn_nl_fill_owner() */
int kturn_nl_fill_chan(const struct kturn_nl_msg *msg,
		       const struct kturn_chan *chan, void **hdr)
{
	struct sk_buff *skb = msg->skb;
	bool failed;

	*hdr = kturn_nl_begin(msg);
	if (!*hdr)
		return -EMSGSIZE;
	failed = nla_put_u32(skb, KTURN_A_CHAN_ALLOC_ID, chan->alloc->id) ||
		 nla_put_u16(skb, KTURN_A_CHAN_NUMBER,
			     chan->number_key.number) ||
		 kturn_nl_put_endpoint(skb, KTURN_A_CHAN_PEER,
				       &chan->peer_key.peer) ||
		 nla_put_u32(skb, KTURN_A_CHAN_LIFETIME_MS,
			     kturn_left_ms(chan->expires, kturn_now())) ||
		 kturn_nl_put_counter(skb, KTURN_A_CHAN_TO_PEER,
				      &chan->counter[KTURN_TO_PEER]) ||
		 kturn_nl_put_counter(skb, KTURN_A_CHAN_TO_CLIENT,
				      &chan->counter[KTURN_TO_CLIENT]) ||
		 kturn_nl_put_gone(msg, KTURN_A_CHAN_GONE);
	return kturn_nl_end(msg, *hdr, failed);
}

static int kturn_nl_put_reasons(struct sk_buff *skb, int type,
				const u64 *packets, u32 n)
{
	struct nlattr *nest;
	u32 i;

	for (i = 0; i < n; i++) {
		nest = nla_nest_start(skb, type);
		if (!nest ||
		    nla_put_u32(skb, KTURN_A_REASON_COUNT_REASON, i) ||
		    nla_put_u64_64bit(skb, KTURN_A_REASON_COUNT_PACKETS,
				      packets[i], KTURN_A_REASON_COUNT_PAD))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

/** kturn_nl_fill_stats() - show the counters; 0 or -EMSGSIZE */
int kturn_nl_fill_stats(const struct kturn_nl_msg *msg,
			const struct kturn_net *kn)
{
	struct sk_buff *skb = msg->skb;
	struct kturn_stats_sum sum;
	bool failed;
	void *hdr;

	hdr = kturn_nl_begin(msg);
	if (!hdr)
		return -EMSGSIZE;
	kturn_stats_sum(kn, &sum);
	failed = kturn_nl_put_count(skb, KTURN_A_STATS_TO_PEER,
				    sum.packets[KTURN_TO_PEER],
				    sum.bytes[KTURN_TO_PEER]) ||
		 kturn_nl_put_count(skb, KTURN_A_STATS_TO_CLIENT,
				    sum.packets[KTURN_TO_CLIENT],
				    sum.bytes[KTURN_TO_CLIENT]) ||
		 kturn_nl_put_reasons(skb, KTURN_A_STATS_DROP, sum.drop,
				      KTURN_DROP_REASONS) ||
		 kturn_nl_put_reasons(skb, KTURN_A_STATS_PUNT, sum.punt,
				      KTURN_PUNT_REASONS) ||
		 nla_put_u32(skb, KTURN_A_STATS_ALLOCS, kn->n_allocs) ||
		 nla_put_u32(skb, KTURN_A_STATS_PERMS, kn->n_perms) ||
		 nla_put_u32(skb, KTURN_A_STATS_CHANS, kn->n_chans) ||
		 nla_put_u32(skb, KTURN_A_STATS_OWNERS, kn->n_owners) ||
		 nla_put_u32(skb, KTURN_A_STATS_HOOKS, kn->hooks);
	return kturn_nl_end(msg, hdr, failed);
}

/** kturn_nl_fill_config() - show the limits; 0 or -EMSGSIZE */
int kturn_nl_fill_config(const struct kturn_nl_msg *msg,
			 const struct kturn_net *kn)
{
	struct sk_buff *skb = msg->skb;
	bool failed;
	void *hdr;

	hdr = kturn_nl_begin(msg);
	if (!hdr)
		return -EMSGSIZE;
	failed = nla_put_u32(skb, KTURN_A_CONFIG_MAX_ALLOCS,
			     kn->limits.allocs) ||
		 nla_put_u32(skb, KTURN_A_CONFIG_MAX_PERMS, kn->limits.perms) ||
		 nla_put_u32(skb, KTURN_A_CONFIG_MAX_CHANS, kn->limits.chans) ||
		 nla_put_u32(skb, KTURN_A_CONFIG_MAX_OWNERS, kn->limits.owners);
	return kturn_nl_end(msg, hdr, failed);
}
