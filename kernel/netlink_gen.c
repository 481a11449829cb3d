// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kturn.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/kturn.h>

/* Common nested types */
const struct nla_policy kturn_endpoint_nl_policy[KTURN_A_ENDPOINT_PORT + 1] = {
	[KTURN_A_ENDPOINT_ADDR4] = { .type = NLA_U32, },
	[KTURN_A_ENDPOINT_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KTURN_A_ENDPOINT_PORT] = { .type = NLA_U16, },
};

const struct nla_policy kturn_limit_nl_policy[KTURN_A_LIMIT_BURST_PACKETS + 1] = {
	[KTURN_A_LIMIT_BIT_RATE] = { .type = NLA_U64, },
	[KTURN_A_LIMIT_BURST_BYTES] = { .type = NLA_U64, },
	[KTURN_A_LIMIT_PACKET_RATE] = { .type = NLA_U32, },
	[KTURN_A_LIMIT_BURST_PACKETS] = { .type = NLA_U32, },
};

const struct nla_policy kturn_quota_nl_policy[KTURN_A_QUOTA_ALLOCS + 1] = {
	[KTURN_A_QUOTA_ID] = { .type = NLA_U64, },
	[KTURN_A_QUOTA_LIMIT_TO_PEER] = NLA_POLICY_NESTED(kturn_limit_nl_policy),
	[KTURN_A_QUOTA_LIMIT_TO_CLIENT] = NLA_POLICY_NESTED(kturn_limit_nl_policy),
	[KTURN_A_QUOTA_ALLOCS] = { .type = NLA_U32, },
};

/* KTURN_CMD_OWNER_JOIN - do */
const struct nla_policy kturn_owner_join_nl_policy[KTURN_A_OWNER_LABEL + 1] = {
	[KTURN_A_OWNER_COOKIE] = { .type = NLA_U64, },
	[KTURN_A_OWNER_GRACE_MS] = { .type = NLA_U32, },
	[KTURN_A_OWNER_LABEL] = { .type = NLA_NUL_STRING, .len = KTURN_LABEL_MAX, },
};

/* KTURN_CMD_OWNER_GET - do */
const struct nla_policy kturn_owner_get_nl_policy[KTURN_A_OWNER_ID + 1] = {
	[KTURN_A_OWNER_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* KTURN_CMD_ALLOC_NEW - do */
const struct nla_policy kturn_alloc_new_nl_policy[KTURN_A_ALLOC_QUOTA + 1] = {
	[KTURN_A_ALLOC_CLIENT] = NLA_POLICY_NESTED(kturn_endpoint_nl_policy),
	[KTURN_A_ALLOC_SERVER] = NLA_POLICY_NESTED(kturn_endpoint_nl_policy),
	[KTURN_A_ALLOC_RELAY4] = NLA_POLICY_NESTED(kturn_endpoint_nl_policy),
	[KTURN_A_ALLOC_RELAY6] = NLA_POLICY_NESTED(kturn_endpoint_nl_policy),
	[KTURN_A_ALLOC_L3MDEV] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_ALLOC_LIFETIME_MS] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_ALLOC_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x3),
	[KTURN_A_ALLOC_LABEL] = { .type = NLA_NUL_STRING, .len = KTURN_LABEL_MAX, },
	[KTURN_A_ALLOC_OWNER_DATA] = { .type = NLA_BINARY, },
	[KTURN_A_ALLOC_LIMIT_TO_PEER] = NLA_POLICY_NESTED(kturn_limit_nl_policy),
	[KTURN_A_ALLOC_LIMIT_TO_CLIENT] = NLA_POLICY_NESTED(kturn_limit_nl_policy),
	[KTURN_A_ALLOC_QUOTA] = NLA_POLICY_NESTED(kturn_quota_nl_policy),
};

/* KTURN_CMD_ALLOC_SET - do */
const struct nla_policy kturn_alloc_set_nl_policy[KTURN_A_ALLOC_LIMIT_TO_CLIENT + 1] = {
	[KTURN_A_ALLOC_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_ALLOC_LIFETIME_MS] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_ALLOC_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x3),
	[KTURN_A_ALLOC_LABEL] = { .type = NLA_NUL_STRING, .len = KTURN_LABEL_MAX, },
	[KTURN_A_ALLOC_OWNER_DATA] = { .type = NLA_BINARY, },
	[KTURN_A_ALLOC_LIMIT_TO_PEER] = NLA_POLICY_NESTED(kturn_limit_nl_policy),
	[KTURN_A_ALLOC_LIMIT_TO_CLIENT] = NLA_POLICY_NESTED(kturn_limit_nl_policy),
};

/* KTURN_CMD_ALLOC_DEL - do */
const struct nla_policy kturn_alloc_del_nl_policy[KTURN_A_ALLOC_ID + 1] = {
	[KTURN_A_ALLOC_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* KTURN_CMD_ALLOC_GET - do */
const struct nla_policy kturn_alloc_get_nl_policy[KTURN_A_ALLOC_OWNER_ID + 1] = {
	[KTURN_A_ALLOC_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_ALLOC_OWNER_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* KTURN_CMD_PERM_NEW - do */
const struct nla_policy kturn_perm_new_nl_policy[KTURN_A_PERM_LIFETIME_MS + 1] = {
	[KTURN_A_PERM_ALLOC_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_PERM_PEER] = NLA_POLICY_NESTED(kturn_endpoint_nl_policy),
	[KTURN_A_PERM_LIFETIME_MS] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* KTURN_CMD_PERM_DEL - do */
const struct nla_policy kturn_perm_del_nl_policy[KTURN_A_PERM_PEER + 1] = {
	[KTURN_A_PERM_ALLOC_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_PERM_PEER] = NLA_POLICY_NESTED(kturn_endpoint_nl_policy),
};

/* KTURN_CMD_PERM_GET - do */
const struct nla_policy kturn_perm_get_nl_policy[KTURN_A_PERM_PEER + 1] = {
	[KTURN_A_PERM_ALLOC_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_PERM_PEER] = NLA_POLICY_NESTED(kturn_endpoint_nl_policy),
};

/* KTURN_CMD_CHAN_NEW - do */
const struct nla_policy kturn_chan_new_nl_policy[KTURN_A_CHAN_LIFETIME_MS + 1] = {
	[KTURN_A_CHAN_ALLOC_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_CHAN_NUMBER] = NLA_POLICY_RANGE(NLA_U16, KTURN_CHAN_NUMBER_MIN, KTURN_CHAN_NUMBER_MAX),
	[KTURN_A_CHAN_PEER] = NLA_POLICY_NESTED(kturn_endpoint_nl_policy),
	[KTURN_A_CHAN_LIFETIME_MS] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* KTURN_CMD_CHAN_DEL - do */
const struct nla_policy kturn_chan_del_nl_policy[KTURN_A_CHAN_NUMBER + 1] = {
	[KTURN_A_CHAN_ALLOC_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_CHAN_NUMBER] = NLA_POLICY_RANGE(NLA_U16, KTURN_CHAN_NUMBER_MIN, KTURN_CHAN_NUMBER_MAX),
};

/* KTURN_CMD_CHAN_GET - do */
const struct nla_policy kturn_chan_get_nl_policy[KTURN_A_CHAN_NUMBER + 1] = {
	[KTURN_A_CHAN_ALLOC_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KTURN_A_CHAN_NUMBER] = NLA_POLICY_RANGE(NLA_U16, KTURN_CHAN_NUMBER_MIN, KTURN_CHAN_NUMBER_MAX),
};

/* KTURN_CMD_FLUSH - do */
const struct nla_policy kturn_flush_nl_policy[KTURN_A_ALLOC_OWNER_ID + 1] = {
	[KTURN_A_ALLOC_OWNER_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* KTURN_CMD_STATS_GET - do */
const struct nla_policy kturn_stats_get_nl_policy[KTURN_A_STATS_PAD + 1] = {
};

/* KTURN_CMD_CONFIG_GET - do */
const struct nla_policy kturn_config_get_nl_policy[KTURN_A_CONFIG_PAD + 1] = {
};

/* KTURN_CMD_CONFIG_SET - do */
const struct nla_policy kturn_config_set_nl_policy[KTURN_A_CONFIG_LOCAL_OUT + 1] = {
	[KTURN_A_CONFIG_MAX_ALLOCS] = { .type = NLA_U32, },
	[KTURN_A_CONFIG_MAX_PERMS] = { .type = NLA_U32, },
	[KTURN_A_CONFIG_MAX_CHANS] = { .type = NLA_U32, },
	[KTURN_A_CONFIG_MAX_OWNERS] = { .type = NLA_U32, },
	[KTURN_A_CONFIG_PUNT_RATE] = { .type = NLA_U32, },
	[KTURN_A_CONFIG_PUNT_BURST] = { .type = NLA_U32, },
	[KTURN_A_CONFIG_ICMP_RATE] = { .type = NLA_U32, },
	[KTURN_A_CONFIG_ICMP_BURST] = { .type = NLA_U32, },
	[KTURN_A_CONFIG_ICMP_IND_RATE] = { .type = NLA_U32, },
	[KTURN_A_CONFIG_ICMP_IND_BURST] = { .type = NLA_U32, },
	[KTURN_A_CONFIG_LOCAL_OUT] = NLA_POLICY_MAX(NLA_U32, 1),
};

/* KTURN_CMD_DEVICE_ATTACH - do */
const struct nla_policy kturn_device_attach_nl_policy[KTURN_A_DEVICE_IFINDEX + 1] = {
	[KTURN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* KTURN_CMD_DEVICE_DETACH - do */
const struct nla_policy kturn_device_detach_nl_policy[KTURN_A_DEVICE_IFINDEX + 1] = {
	[KTURN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* KTURN_CMD_DEVICE_GET - do */
const struct nla_policy kturn_device_get_nl_policy[KTURN_A_DEVICE_IFINDEX + 1] = {
	[KTURN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* Ops table for kturn */
const struct genl_ops kturn_nl_ops[19] = {
	{
		.cmd		= KTURN_CMD_OWNER_JOIN,
		.doit		= kturn_nl_owner_join_doit,
		.policy		= kturn_owner_join_nl_policy,
		.maxattr	= KTURN_A_OWNER_LABEL,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_OWNER_GET,
		.doit		= kturn_nl_owner_get_doit,
		.dumpit		= kturn_nl_owner_get_dumpit,
		.policy		= kturn_owner_get_nl_policy,
		.maxattr	= KTURN_A_OWNER_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_ALLOC_NEW,
		.doit		= kturn_nl_alloc_new_doit,
		.policy		= kturn_alloc_new_nl_policy,
		.maxattr	= KTURN_A_ALLOC_QUOTA,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_ALLOC_SET,
		.doit		= kturn_nl_alloc_set_doit,
		.policy		= kturn_alloc_set_nl_policy,
		.maxattr	= KTURN_A_ALLOC_LIMIT_TO_CLIENT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_ALLOC_DEL,
		.doit		= kturn_nl_alloc_del_doit,
		.policy		= kturn_alloc_del_nl_policy,
		.maxattr	= KTURN_A_ALLOC_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_ALLOC_GET,
		.doit		= kturn_nl_alloc_get_doit,
		.dumpit		= kturn_nl_alloc_get_dumpit,
		.policy		= kturn_alloc_get_nl_policy,
		.maxattr	= KTURN_A_ALLOC_OWNER_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_PERM_NEW,
		.doit		= kturn_nl_perm_new_doit,
		.policy		= kturn_perm_new_nl_policy,
		.maxattr	= KTURN_A_PERM_LIFETIME_MS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_PERM_DEL,
		.doit		= kturn_nl_perm_del_doit,
		.policy		= kturn_perm_del_nl_policy,
		.maxattr	= KTURN_A_PERM_PEER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_PERM_GET,
		.doit		= kturn_nl_perm_get_doit,
		.dumpit		= kturn_nl_perm_get_dumpit,
		.policy		= kturn_perm_get_nl_policy,
		.maxattr	= KTURN_A_PERM_PEER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_CHAN_NEW,
		.doit		= kturn_nl_chan_new_doit,
		.policy		= kturn_chan_new_nl_policy,
		.maxattr	= KTURN_A_CHAN_LIFETIME_MS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_CHAN_DEL,
		.doit		= kturn_nl_chan_del_doit,
		.policy		= kturn_chan_del_nl_policy,
		.maxattr	= KTURN_A_CHAN_NUMBER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_CHAN_GET,
		.doit		= kturn_nl_chan_get_doit,
		.dumpit		= kturn_nl_chan_get_dumpit,
		.policy		= kturn_chan_get_nl_policy,
		.maxattr	= KTURN_A_CHAN_NUMBER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_FLUSH,
		.doit		= kturn_nl_flush_doit,
		.policy		= kturn_flush_nl_policy,
		.maxattr	= KTURN_A_ALLOC_OWNER_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_STATS_GET,
		.doit		= kturn_nl_stats_get_doit,
		.policy		= kturn_stats_get_nl_policy,
		.maxattr	= KTURN_A_STATS_PAD,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_CONFIG_GET,
		.doit		= kturn_nl_config_get_doit,
		.policy		= kturn_config_get_nl_policy,
		.maxattr	= KTURN_A_CONFIG_PAD,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_CONFIG_SET,
		.doit		= kturn_nl_config_set_doit,
		.policy		= kturn_config_set_nl_policy,
		.maxattr	= KTURN_A_CONFIG_LOCAL_OUT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_DEVICE_ATTACH,
		.doit		= kturn_nl_device_attach_doit,
		.policy		= kturn_device_attach_nl_policy,
		.maxattr	= KTURN_A_DEVICE_IFINDEX,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_DEVICE_DETACH,
		.doit		= kturn_nl_device_detach_doit,
		.policy		= kturn_device_detach_nl_policy,
		.maxattr	= KTURN_A_DEVICE_IFINDEX,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= KTURN_CMD_DEVICE_GET,
		.doit		= kturn_nl_device_get_doit,
		.dumpit		= kturn_nl_device_get_dumpit,
		.policy		= kturn_device_get_nl_policy,
		.maxattr	= KTURN_A_DEVICE_IFINDEX,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
};

static const struct genl_multicast_group kturn_nl_mcgrps[] = {
	[KTURN_NLGRP_EVENTS] = { "events", },
};
