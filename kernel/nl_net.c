// SPDX-License-Identifier: GPL-2.0
/* Requests about a namespace as a whole: its counters, limits and settings. */
#include "netlink.h"

static void *kturn_nl_net_find(struct kturn_net *kn, struct genl_info *info)
{
	return kn;
}

/* ---------------------------------------------------------------- counters */

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

/* A direction: by the peers' family, and the total. */
static int kturn_nl_put_dir(struct sk_buff *skb, int total, int v4, int v6,
			    const struct kturn_count relayed[KTURN_FAMILIES])
{
	struct kturn_count both = relayed[0];

	kturn_count_add(&both, &relayed[1]);
	return kturn_nl_put_count(skb, total, &both) ||
	       kturn_nl_put_count(skb, v4, &relayed[0]) ||
	       kturn_nl_put_count(skb, v6, &relayed[1]);
}

static int kturn_nl_stats_put(struct sk_buff *skb, const void *entry)
{
	const struct kturn_net *kn = entry;
	struct kturn_stats_sum sum;

	kturn_stats_sum(kn, &sum);
	return kturn_nl_put_dir(skb, KTURN_A_STATS_TO_PEER,
				KTURN_A_STATS_TO_PEER4, KTURN_A_STATS_TO_PEER6,
				sum.relayed[KTURN_TO_PEER]) ||
	       kturn_nl_put_dir(skb, KTURN_A_STATS_TO_CLIENT,
				KTURN_A_STATS_TO_CLIENT4,
				KTURN_A_STATS_TO_CLIENT6,
				sum.relayed[KTURN_TO_CLIENT]) ||
	       kturn_nl_put_reasons(skb, KTURN_A_STATS_DROP, sum.drop,
				    KTURN_DROP_REASONS) ||
	       kturn_nl_put_reasons(skb, KTURN_A_STATS_PUNT, sum.punt,
				    KTURN_PUNT_REASONS) ||
	       nla_put_u32(skb, KTURN_A_STATS_ALLOCS, kn->n_allocs) ||
	       nla_put_u32(skb, KTURN_A_STATS_PERMS, kn->n_perms) ||
	       nla_put_u32(skb, KTURN_A_STATS_CHANS, kn->n_chans) ||
	       nla_put_u32(skb, KTURN_A_STATS_OWNERS, kn->n_owners) ||
	       nla_put_u32(skb, KTURN_A_STATS_HOOKS, kn->hooks) ||
	       nla_put_u64_64bit(skb, KTURN_A_STATS_ICMP, sum.icmp,
				 KTURN_A_STATS_PAD);
}

static const struct kturn_nl_kind kturn_nl_stats_kind = {
	.cmd = KTURN_CMD_STATS_GET,
	.find = kturn_nl_net_find,
	.put = kturn_nl_stats_put,
};

int kturn_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_get(info, &kturn_nl_stats_kind);
}

/* ------------------------------------------------------------------ limits */

static int kturn_nl_config_put(struct sk_buff *skb, const void *entry)
{
	const struct kturn_net *kn = entry;

	return nla_put_u32(skb, KTURN_A_CONFIG_MAX_ALLOCS,
			   kn->limits.allocs) ||
	       nla_put_u32(skb, KTURN_A_CONFIG_MAX_PERMS, kn->limits.perms) ||
	       nla_put_u32(skb, KTURN_A_CONFIG_MAX_CHANS, kn->limits.chans) ||
	       nla_put_u32(skb, KTURN_A_CONFIG_MAX_OWNERS, kn->limits.owners) ||
	       nla_put_u32(skb, KTURN_A_CONFIG_LOCAL_OUT, kn->local_out) ||
	       kturn_nl_put_net_rates(skb, kn);
}

static const struct kturn_nl_kind kturn_nl_config_kind = {
	.cmd = KTURN_CMD_CONFIG_GET,
	.find = kturn_nl_net_find,
	.put = kturn_nl_config_put,
};

int kturn_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_get(info, &kturn_nl_config_kind);
}

static void kturn_nl_limit(struct genl_info *info, int attr, u32 *limit)
{
	if (info->attrs[attr])
		*limit = nla_get_u32(info->attrs[attr]);
}

int kturn_nl_config_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *local_out = info->attrs[KTURN_A_CONFIG_LOCAL_OUT];
	struct kturn_net *kn;
	int err;

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	/* They protect the host, so its administrator sets them. */
	if (!netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(info->extack,
			       "limits need CAP_NET_ADMIN in the initial user namespace");
		return kturn_nl_unlock(kn, -EPERM);
	}
	err = kturn_nl_net_rates(info, kn);
	if (err)
		return kturn_nl_unlock(kn, err);
	kturn_nl_limit(info, KTURN_A_CONFIG_MAX_ALLOCS, &kn->limits.allocs);
	kturn_nl_limit(info, KTURN_A_CONFIG_MAX_PERMS, &kn->limits.perms);
	kturn_nl_limit(info, KTURN_A_CONFIG_MAX_CHANS, &kn->limits.chans);
	kturn_nl_limit(info, KTURN_A_CONFIG_MAX_OWNERS, &kn->limits.owners);
	if (local_out)
		WRITE_ONCE(kn->local_out, nla_get_u32(local_out));
	return kturn_nl_unlock(kn, 0);
}
