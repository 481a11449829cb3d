// SPDX-License-Identifier: GPL-2.0
/* Rate limits in netlink attributes. */
#include "limit.h"
#include "netlink.h"

/*
 * Finish a rate. Where there is no attribute for a burst, its value is 0, and
 * that is never refused.
 */
static int kturn_nl_rate_check(struct kturn_rate *rate,
			       const struct nlattr *bytes,
			       const struct nlattr *packets,
			       struct netlink_ext_ack *extack)
{
	if (rate->burst_bytes && !rate->bits) {
		NL_SET_ERR_MSG_ATTR(extack, bytes, "a burst without a rate");
		return -EINVAL;
	}
	if (rate->burst_packets && !rate->packets) {
		NL_SET_ERR_MSG_ATTR(extack, packets, "a burst without a rate");
		return -EINVAL;
	}
	kturn_rate_complete(rate);
	if (!kturn_rate_bytes_fit(rate)) {
		NL_SET_ERR_MSG_ATTR(extack, bytes,
				    "at this rate, the burst takes longer than 417 days");
		return -ERANGE;
	}
	if (!kturn_rate_packets_fit(rate)) {
		NL_SET_ERR_MSG_ATTR(extack, packets,
				    "at this rate, the burst takes longer than 417 days");
		return -ERANGE;
	}
	return 0;
}

/**
 * kturn_nl_rate() - read an allocation's limit
 * @attr: nest that passed its policy, or NULL
 * @rate: result, complete; nothing is limited without @attr
 * @extack: for the refusal
 *
 * Return: 0, -EINVAL or -ERANGE.
 */
int kturn_nl_rate(const struct nlattr *attr, struct kturn_rate *rate,
		  struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KTURN_A_LIMIT_MAX + 1];
	int err;

	memset(rate, 0, sizeof(*rate));
	if (!attr)
		return 0;
	err = nla_parse_nested(tb, KTURN_A_LIMIT_MAX, attr,
			       kturn_limit_nl_policy, extack);
	if (err)
		return err;
	if (tb[KTURN_A_LIMIT_BIT_RATE])
		rate->bits = nla_get_u64(tb[KTURN_A_LIMIT_BIT_RATE]);
	if (tb[KTURN_A_LIMIT_BURST_BYTES])
		rate->burst_bytes = nla_get_u64(tb[KTURN_A_LIMIT_BURST_BYTES]);
	if (tb[KTURN_A_LIMIT_PACKET_RATE])
		rate->packets = nla_get_u32(tb[KTURN_A_LIMIT_PACKET_RATE]);
	if (tb[KTURN_A_LIMIT_BURST_PACKETS])
		rate->burst_packets =
			nla_get_u32(tb[KTURN_A_LIMIT_BURST_PACKETS]);
	return kturn_nl_rate_check(rate, tb[KTURN_A_LIMIT_BURST_BYTES],
				   tb[KTURN_A_LIMIT_BURST_PACKETS], extack);
}

/**
 * kturn_nl_put_limit() - write an allocation's limit
 * @skb: message
 * @type: of the nest
 * @limit: or NULL for none, which writes nothing
 *
 * Return: 0 or -EMSGSIZE.
 */
int kturn_nl_put_limit(struct sk_buff *skb, int type,
		       const struct kturn_limit *limit)
{
	const struct kturn_rate *rate;
	struct nlattr *nest;

	if (!limit)
		return 0;
	rate = &limit->rate;
	nest = nla_nest_start(skb, type);
	if (!nest)
		return -EMSGSIZE;
	if (rate->bits &&
	    (nla_put_u64_64bit(skb, KTURN_A_LIMIT_BIT_RATE, rate->bits,
			       KTURN_A_LIMIT_PAD) ||
	     nla_put_u64_64bit(skb, KTURN_A_LIMIT_BURST_BYTES,
			       rate->burst_bytes, KTURN_A_LIMIT_PAD)))
		return -EMSGSIZE;
	if (rate->packets &&
	    (nla_put_u32(skb, KTURN_A_LIMIT_PACKET_RATE, rate->packets) ||
	     nla_put_u32(skb, KTURN_A_LIMIT_BURST_PACKETS,
			 rate->burst_packets)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* -------------------------------------------------------------- namespaces */

/* Attributes of a namespace's rates. */
static const struct {
	int rate;
	int burst;
} kturn_nl_net_attrs[KTURN_NET_RATES] = {
	[KTURN_RATE_PUNT] = {
		KTURN_A_CONFIG_PUNT_RATE, KTURN_A_CONFIG_PUNT_BURST
	},
	[KTURN_RATE_ICMP] = {
		KTURN_A_CONFIG_ICMP_RATE, KTURN_A_CONFIG_ICMP_BURST
	},
	[KTURN_RATE_ICMP_IND] = {
		KTURN_A_CONFIG_ICMP_IND_RATE, KTURN_A_CONFIG_ICMP_IND_BURST
	},
};

/* A rate that comes alone gets its own default burst, not that of before. */
static int kturn_nl_net_rate(struct genl_info *info, int i,
			     struct kturn_rate *rate)
{
	struct nlattr *value = info->attrs[kturn_nl_net_attrs[i].rate];
	struct nlattr *burst = info->attrs[kturn_nl_net_attrs[i].burst];

	if (value) {
		rate->packets = nla_get_u32(value);
		rate->burst_packets = 0;
	}
	if (burst)
		rate->burst_packets = nla_get_u32(burst);
	return kturn_nl_rate_check(rate, NULL, burst, info->extack);
}

/**
 * kturn_nl_net_rates() - set a namespace's rates, all that are named or none
 * @info: request
 * @kn: namespace
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0, -EINVAL, -ERANGE or -ENOMEM.
 */
int kturn_nl_net_rates(struct genl_info *info, struct kturn_net *kn)
{
	struct kturn_limit *limit[KTURN_NET_RATES];
	struct kturn_rate rate[KTURN_NET_RATES];
	bool named[KTURN_NET_RATES];
	int i, err;

	lockdep_assert_held(&kn->lock);
	for (i = 0; i < KTURN_NET_RATES; i++) {
		limit[i] = NULL;
		rate[i] = kn->rate[i];
		named[i] = info->attrs[kturn_nl_net_attrs[i].rate] ||
			   info->attrs[kturn_nl_net_attrs[i].burst];
		if (!named[i])
			continue;
		err = kturn_nl_net_rate(info, i, &rate[i]);
		/* Until the namespace is used, nothing looks at limits. */
		if (!err && kn->started)
			err = kturn_limit_make(&rate[i], &limit[i]);
		if (err)
			goto err_free;
	}
	for (i = 0; i < KTURN_NET_RATES; i++) {
		kn->rate[i] = rate[i];
		if (named[i] && kn->started)
			kturn_limit_install(&kn->limit[i], limit[i]);
	}
	return 0;

err_free:
	do
		kfree(limit[i]);
	while (i-- > 0);
	return err;
}

/** kturn_nl_put_net_rates() - write a namespace's rates; 0 or -EMSGSIZE */
int kturn_nl_put_net_rates(struct sk_buff *skb, const struct kturn_net *kn)
{
	int i;

	for (i = 0; i < KTURN_NET_RATES; i++)
		if (nla_put_u32(skb, kturn_nl_net_attrs[i].rate,
				kn->rate[i].packets) ||
		    nla_put_u32(skb, kturn_nl_net_attrs[i].burst,
				kn->rate[i].burst_packets))
			return -EMSGSIZE;
	return 0;
}
