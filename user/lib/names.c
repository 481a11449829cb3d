// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names as Documentation/netlink/specs/kturn.yaml has them. */
#include <string.h>
#include <array_size.h>
#include <kturn/reason_gen.h>
#include "internal.h"

#define SET(sym, text) \
static const struct kt_attr_set sym##_set = { \
	.name = text, .attrs = sym##_attrs, \
	.max = ARRAY_SIZE(sym##_attrs) - 1, \
}

static const struct kt_attr_name endpoint_attrs[] = {
	[KTURN_A_ENDPOINT_ADDR4] = { "addr4" },
	[KTURN_A_ENDPOINT_ADDR6] = { "addr6" },
	[KTURN_A_ENDPOINT_PORT] = { "port" },
};
SET(endpoint, "endpoint");

static const struct kt_attr_name counter_attrs[] = {
	[KTURN_A_COUNTER_PAD] = { "pad" },
	[KTURN_A_COUNTER_PACKETS] = { "packets" },
	[KTURN_A_COUNTER_BYTES] = { "bytes" },
};
SET(counter, "counter");

static const struct kt_attr_name limit_attrs[] = {
	[KTURN_A_LIMIT_PAD] = { "pad" },
	[KTURN_A_LIMIT_BIT_RATE] = { "bit-rate" },
	[KTURN_A_LIMIT_BURST_BYTES] = { "burst-bytes" },
	[KTURN_A_LIMIT_PACKET_RATE] = { "packet-rate" },
	[KTURN_A_LIMIT_BURST_PACKETS] = { "burst-packets" },
};
SET(limit, "limit");

static const struct kt_attr_name quota_attrs[] = {
	[KTURN_A_QUOTA_PAD] = { "pad" },
	[KTURN_A_QUOTA_ID] = { "id" },
	[KTURN_A_QUOTA_LIMIT_TO_PEER] = { "limit-to-peer", &limit_set },
	[KTURN_A_QUOTA_LIMIT_TO_CLIENT] = { "limit-to-client", &limit_set },
	[KTURN_A_QUOTA_ALLOCS] = { "allocs" },
};
SET(quota, "quota");

static const struct kt_attr_name reason_count_attrs[] = {
	[KTURN_A_REASON_COUNT_PAD] = { "pad" },
	[KTURN_A_REASON_COUNT_REASON] = { "reason" },
	[KTURN_A_REASON_COUNT_PACKETS] = { "packets" },
};
SET(reason_count, "reason-count");

static const struct kt_attr_name owner_attrs[] = {
	[KTURN_A_OWNER_PAD] = { "pad" },
	[KTURN_A_OWNER_COOKIE] = { "cookie" },
	[KTURN_A_OWNER_GRACE_MS] = { "grace-ms" },
	[KTURN_A_OWNER_ID] = { "id" },
	[KTURN_A_OWNER_SOCKETS] = { "sockets" },
	[KTURN_A_OWNER_ALLOCS] = { "allocs" },
	[KTURN_A_OWNER_LEFT_MS] = { "left-ms" },
	[KTURN_A_OWNER_LABEL] = { "label" },
};
SET(owner, "owner");

static const struct kt_attr_name alloc_attrs[] = {
	[KTURN_A_ALLOC_PAD] = { "pad" },
	[KTURN_A_ALLOC_ID] = { "id" },
	[KTURN_A_ALLOC_OWNER_ID] = { "owner-id" },
	[KTURN_A_ALLOC_CLIENT] = { "client", &endpoint_set },
	[KTURN_A_ALLOC_SERVER] = { "server", &endpoint_set },
	[KTURN_A_ALLOC_RELAY4] = { "relay4", &endpoint_set },
	[KTURN_A_ALLOC_RELAY6] = { "relay6", &endpoint_set },
	[KTURN_A_ALLOC_L3MDEV] = { "l3mdev" },
	[KTURN_A_ALLOC_LIFETIME_MS] = { "lifetime-ms" },
	[KTURN_A_ALLOC_FLAGS] = { "flags" },
	[KTURN_A_ALLOC_LABEL] = { "label" },
	[KTURN_A_ALLOC_OWNER_DATA] = { "owner-data" },
	[KTURN_A_ALLOC_TO_PEER] = { "to-peer", &counter_set },
	[KTURN_A_ALLOC_TO_CLIENT] = { "to-client", &counter_set },
	[KTURN_A_ALLOC_DROPPED] = { "dropped" },
	[KTURN_A_ALLOC_PUNTED] = { "punted" },
	[KTURN_A_ALLOC_GONE] = { "gone" },
	[KTURN_A_ALLOC_TO_PEER4] = { "to-peer4", &counter_set },
	[KTURN_A_ALLOC_TO_PEER6] = { "to-peer6", &counter_set },
	[KTURN_A_ALLOC_TO_CLIENT4] = { "to-client4", &counter_set },
	[KTURN_A_ALLOC_TO_CLIENT6] = { "to-client6", &counter_set },
	[KTURN_A_ALLOC_IDLE_MS] = { "idle-ms" },
	[KTURN_A_ALLOC_LIMIT_TO_PEER] = { "limit-to-peer", &limit_set },
	[KTURN_A_ALLOC_LIMIT_TO_CLIENT] = { "limit-to-client", &limit_set },
	[KTURN_A_ALLOC_QUOTA] = { "quota", &quota_set },
};
SET(alloc, "alloc");

static const struct kt_attr_name perm_attrs[] = {
	[KTURN_A_PERM_ALLOC_ID] = { "alloc-id" },
	[KTURN_A_PERM_PEER] = { "peer", &endpoint_set },
	[KTURN_A_PERM_LIFETIME_MS] = { "lifetime-ms" },
	[KTURN_A_PERM_GONE] = { "gone" },
};
SET(perm, "perm");

static const struct kt_attr_name chan_attrs[] = {
	[KTURN_A_CHAN_ALLOC_ID] = { "alloc-id" },
	[KTURN_A_CHAN_NUMBER] = { "number" },
	[KTURN_A_CHAN_PEER] = { "peer", &endpoint_set },
	[KTURN_A_CHAN_LIFETIME_MS] = { "lifetime-ms" },
	[KTURN_A_CHAN_TO_PEER] = { "to-peer", &counter_set },
	[KTURN_A_CHAN_TO_CLIENT] = { "to-client", &counter_set },
	[KTURN_A_CHAN_GONE] = { "gone" },
};
SET(chan, "chan");

static const struct kt_attr_name stats_attrs[] = {
	[KTURN_A_STATS_PAD] = { "pad" },
	[KTURN_A_STATS_TO_PEER] = { "to-peer", &counter_set },
	[KTURN_A_STATS_TO_CLIENT] = { "to-client", &counter_set },
	[KTURN_A_STATS_DROP] = { "drop", &reason_count_set },
	[KTURN_A_STATS_PUNT] = { "punt", &reason_count_set },
	[KTURN_A_STATS_ALLOCS] = { "allocs" },
	[KTURN_A_STATS_PERMS] = { "perms" },
	[KTURN_A_STATS_CHANS] = { "chans" },
	[KTURN_A_STATS_OWNERS] = { "owners" },
	[KTURN_A_STATS_HOOKS] = { "hooks" },
	[KTURN_A_STATS_TO_PEER4] = { "to-peer4", &counter_set },
	[KTURN_A_STATS_TO_PEER6] = { "to-peer6", &counter_set },
	[KTURN_A_STATS_TO_CLIENT4] = { "to-client4", &counter_set },
	[KTURN_A_STATS_TO_CLIENT6] = { "to-client6", &counter_set },
	[KTURN_A_STATS_ICMP] = { "icmp" },
};
SET(stats, "stats");

static const struct kt_attr_name config_attrs[] = {
	[KTURN_A_CONFIG_PAD] = { "pad" },
	[KTURN_A_CONFIG_MAX_ALLOCS] = { "max-allocs" },
	[KTURN_A_CONFIG_MAX_PERMS] = { "max-perms" },
	[KTURN_A_CONFIG_MAX_CHANS] = { "max-chans" },
	[KTURN_A_CONFIG_MAX_OWNERS] = { "max-owners" },
	[KTURN_A_CONFIG_PUNT_RATE] = { "punt-rate" },
	[KTURN_A_CONFIG_PUNT_BURST] = { "punt-burst" },
	[KTURN_A_CONFIG_ICMP_RATE] = { "icmp-rate" },
	[KTURN_A_CONFIG_ICMP_BURST] = { "icmp-burst" },
	[KTURN_A_CONFIG_ICMP_IND_RATE] = { "icmp-ind-rate" },
	[KTURN_A_CONFIG_ICMP_IND_BURST] = { "icmp-ind-burst" },
	[KTURN_A_CONFIG_LOCAL_OUT] = { "local-out" },
};
SET(config, "config");

static const struct kt_attr_name device_attrs[] = {
	[KTURN_A_DEVICE_PAD] = { "pad" },
	[KTURN_A_DEVICE_IFINDEX] = { "ifindex" },
	[KTURN_A_DEVICE_IFNAME] = { "ifname" },
};
SET(device, "device");

static const struct kt_attr_set *const command_sets[] = {
	[KTURN_CMD_OWNER_JOIN] = &owner_set,
	[KTURN_CMD_OWNER_GET] = &owner_set,
	[KTURN_CMD_ALLOC_NEW] = &alloc_set,
	[KTURN_CMD_ALLOC_SET] = &alloc_set,
	[KTURN_CMD_ALLOC_DEL] = &alloc_set,
	[KTURN_CMD_ALLOC_GET] = &alloc_set,
	[KTURN_CMD_ALLOC_GONE_NTF] = &alloc_set,
	[KTURN_CMD_PERM_NEW] = &perm_set,
	[KTURN_CMD_PERM_DEL] = &perm_set,
	[KTURN_CMD_PERM_GET] = &perm_set,
	[KTURN_CMD_PERM_GONE_NTF] = &perm_set,
	[KTURN_CMD_CHAN_NEW] = &chan_set,
	[KTURN_CMD_CHAN_DEL] = &chan_set,
	[KTURN_CMD_CHAN_GET] = &chan_set,
	[KTURN_CMD_CHAN_GONE_NTF] = &chan_set,
	[KTURN_CMD_FLUSH] = &alloc_set,
	[KTURN_CMD_STATS_GET] = &stats_set,
	[KTURN_CMD_CONFIG_GET] = &config_set,
	[KTURN_CMD_CONFIG_SET] = &config_set,
	[KTURN_CMD_DEVICE_ATTACH] = &device_set,
	[KTURN_CMD_DEVICE_DETACH] = &device_set,
	[KTURN_CMD_DEVICE_GET] = &device_set,
};

static const char *const gone_names[] = {
	[KTURN_GONE_REASON_EXPIRED] = "expired",
	[KTURN_GONE_REASON_DELETED] = "deleted",
	[KTURN_GONE_REASON_OWNER_GONE] = "owner-gone",
};

#define REASON_NAME(value, name, text)	[value] = name,
#define REASON_TEXT(value, name, text)	[value] = text,

static const char *const drop_names[] = {
	KTURN_DROP_REASON_LIST(REASON_NAME, REASON_NAME)
};

static const char *const drop_texts[] = {
	KTURN_DROP_REASON_LIST(REASON_TEXT, REASON_TEXT)
};

static const char *const punt_names[] = {
	KTURN_PUNT_REASON_LIST(REASON_NAME, REASON_NAME)
};

static const char *const punt_texts[] = {
	KTURN_PUNT_REASON_LIST(REASON_TEXT, REASON_TEXT)
};

#define NAME(names, i) \
	((size_t)(i) < ARRAY_SIZE(names) ? (names)[i] : NULL)

const struct kt_attr_set *kt_attr_set(uint8_t cmd)
{
	return NAME(command_sets, cmd);
}

const char *kturn_gone_name(int reason)
{
	const char *name = NAME(gone_names, reason);

	return name ? name : "unknown";
}

const char *kturn_drop_name(unsigned int reason)
{
	return NAME(drop_names, reason);
}

const char *kturn_punt_name(unsigned int reason)
{
	return NAME(punt_names, reason);
}

const char *kturn_drop_text(unsigned int reason)
{
	return NAME(drop_texts, reason);
}

const char *kturn_punt_text(unsigned int reason)
{
	return NAME(punt_texts, reason);
}
