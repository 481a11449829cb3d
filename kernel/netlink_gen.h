/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kturn.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_KTURN_GEN_H
#define _LINUX_KTURN_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/kturn.h>

/* Common nested types */
extern const struct nla_policy kturn_endpoint_nl_policy[KTURN_A_ENDPOINT_PORT + 1];
extern const struct nla_policy kturn_limit_nl_policy[KTURN_A_LIMIT_BURST_PACKETS + 1];
extern const struct nla_policy kturn_quota_nl_policy[KTURN_A_QUOTA_ALLOCS + 1];

extern const struct nla_policy kturn_owner_join_nl_policy[KTURN_A_OWNER_LABEL + 1];

extern const struct nla_policy kturn_owner_get_nl_policy[KTURN_A_OWNER_ID + 1];

extern const struct nla_policy kturn_alloc_new_nl_policy[KTURN_A_ALLOC_QUOTA + 1];

extern const struct nla_policy kturn_alloc_set_nl_policy[KTURN_A_ALLOC_LIMIT_TO_CLIENT + 1];

extern const struct nla_policy kturn_alloc_del_nl_policy[KTURN_A_ALLOC_ID + 1];

extern const struct nla_policy kturn_alloc_get_nl_policy[KTURN_A_ALLOC_OWNER_ID + 1];

extern const struct nla_policy kturn_perm_new_nl_policy[KTURN_A_PERM_LIFETIME_MS + 1];

extern const struct nla_policy kturn_perm_del_nl_policy[KTURN_A_PERM_PEER + 1];

extern const struct nla_policy kturn_perm_get_nl_policy[KTURN_A_PERM_PEER + 1];

extern const struct nla_policy kturn_chan_new_nl_policy[KTURN_A_CHAN_LIFETIME_MS + 1];

extern const struct nla_policy kturn_chan_del_nl_policy[KTURN_A_CHAN_NUMBER + 1];

extern const struct nla_policy kturn_chan_get_nl_policy[KTURN_A_CHAN_NUMBER + 1];

extern const struct nla_policy kturn_flush_nl_policy[KTURN_A_ALLOC_OWNER_ID + 1];

extern const struct nla_policy kturn_stats_get_nl_policy[KTURN_A_STATS_PAD + 1];

extern const struct nla_policy kturn_config_get_nl_policy[KTURN_A_CONFIG_PAD + 1];

extern const struct nla_policy kturn_config_set_nl_policy[KTURN_A_CONFIG_LOCAL_OUT + 1];

extern const struct nla_policy kturn_device_attach_nl_policy[KTURN_A_DEVICE_IFINDEX + 1];

extern const struct nla_policy kturn_device_detach_nl_policy[KTURN_A_DEVICE_IFINDEX + 1];

extern const struct nla_policy kturn_device_get_nl_policy[KTURN_A_DEVICE_IFINDEX + 1];

/* Ops table for kturn */
extern const struct genl_ops kturn_nl_ops[19];

int kturn_nl_owner_join_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_owner_get_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_owner_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kturn_nl_alloc_new_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_alloc_set_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_alloc_del_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_alloc_get_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_alloc_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kturn_nl_perm_new_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_perm_del_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_perm_get_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_perm_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kturn_nl_chan_new_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_chan_del_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_chan_get_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_chan_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kturn_nl_flush_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_config_set_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_device_attach_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_device_detach_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info);
int kturn_nl_device_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);

enum {
	KTURN_NLGRP_EVENTS,
};

#endif /* _LINUX_KTURN_GEN_H */
