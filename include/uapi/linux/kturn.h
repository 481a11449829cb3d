/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kturn.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_KTURN_H
#define _UAPI_LINUX_KTURN_H

#define KTURN_GENL_NAME		"kturn"
#define KTURN_GENL_VERSION	1

#define KTURN_LABEL_MAX		127
#define KTURN_OWNER_DATA_MAX	1024
#define KTURN_ALLOC_PERMS_MAX	1024
#define KTURN_CHAN_NUMBER_MIN	16384
#define KTURN_CHAN_NUMBER_MAX	32767
#define KTURN_QUOTAS_MAX	2
#define KTURN_GRACE_MS_MAX	3600000

/**
 * enum kturn_alloc_flags
 * @KTURN_ALLOC_FLAGS_EXCLUSIVE: The owner installs entries before it answers
 *   its client, so data on an unknown channel or with a peer that has no
 *   permission is dropped here. Without the flag it is left to the owner's
 *   socket.
 * @KTURN_ALLOC_FLAGS_ALTERNATE: IP header fields as RFC 8656 sections 13 and
 *   14 describe them as alternate behavior, which is what servers in userspace
 *   do: default TTL and hop limit, DSCP and ECN 0, DF only for DONT-FRAGMENT,
 *   and no ICMP errors. Without the flag they are the preferred ones.
 */
enum kturn_alloc_flags {
	KTURN_ALLOC_FLAGS_EXCLUSIVE = 1,
	KTURN_ALLOC_FLAGS_ALTERNATE = 2,
};

/**
 * enum kturn_gone_reason - Why an entry was removed.
 * @KTURN_GONE_REASON_EXPIRED: Its lifetime, or that of what it depends on,
 *   ended.
 * @KTURN_GONE_REASON_DELETED: Deleted by request, alone or with its
 *   allocation.
 * @KTURN_GONE_REASON_OWNER_GONE: The owner's grace period ended.
 */
enum kturn_gone_reason {
	KTURN_GONE_REASON_EXPIRED,
	KTURN_GONE_REASON_DELETED,
	KTURN_GONE_REASON_OWNER_GONE,
};

/**
 * enum kturn_drop_reason - Why a packet that belongs to an allocation was
 *   dropped.
 * @KTURN_DROP_REASON_NO_CHANNEL: ChannelData on a channel that is not bound
 *   (RFC 8656, 12.6).
 * @KTURN_DROP_REASON_NO_PERMISSION: No permission for the peer (RFC 8656, 9
 *   and 11.2).
 * @KTURN_DROP_REASON_TTL: TTL or hop limit ran out; an ICMP error went to the
 *   sender.
 * @KTURN_DROP_REASON_NO_MEMORY: No memory to rewrite the packet.
 * @KTURN_DROP_REASON_ORPHAN: The owner is away and no socket would take what
 *   can't be relayed. That is in its grace period; dropped so that the host
 *   does not answer "port unreachable".
 * @KTURN_DROP_REASON_LIMIT: Beyond the allocation's limit in that direction.
 * @KTURN_DROP_REASON_PUNT_LIMIT: Beyond the namespace's limit of what is
 *   punted.
 * @KTURN_DROP_REASON_TOO_BIG: Too big for the way out, and not to be
 *   fragmented; an ICMP error went to the sender (RFC 8656 section 13).
 * @KTURN_DROP_REASON_LOOP: The client's address is a relayed address of this
 *   host. See RFC 8656 section 21.1.7.
 * @KTURN_DROP_REASON_SPLIT: Segment that could not be relayed any more. When
 *   its super-packet was split, all of them could be, and punting one alone is
 *   impossible.
 * @KTURN_DROP_REASON_QUOTA: Beyond a quota of the allocation in that
 *   direction.
 */
enum kturn_drop_reason {
	KTURN_DROP_REASON_NO_CHANNEL,
	KTURN_DROP_REASON_NO_PERMISSION,
	KTURN_DROP_REASON_TTL,
	KTURN_DROP_REASON_NO_MEMORY,
	KTURN_DROP_REASON_ORPHAN,
	KTURN_DROP_REASON_LIMIT,
	KTURN_DROP_REASON_PUNT_LIMIT,
	KTURN_DROP_REASON_TOO_BIG,
	KTURN_DROP_REASON_LOOP,
	KTURN_DROP_REASON_SPLIT,
	KTURN_DROP_REASON_QUOTA,
};

/**
 * enum kturn_punt_reason - Why a packet that belongs to an allocation was left
 *   to the stack.
 * @KTURN_PUNT_REASON_CONTROL: STUN other than Send indications.
 * @KTURN_PUNT_REASON_OTHER: Neither STUN nor ChannelData from a client.
 * @KTURN_PUNT_REASON_MALFORMED: Lengths or attributes that do not fit.
 * @KTURN_PUNT_REASON_ATTRIBUTE: Send indication with MESSAGE-INTEGRITY or an
 *   unknown attribute. That is one that the server has to understand.
 * @KTURN_PUNT_REASON_NO_CHANNEL: Channel not bound, in an allocation that is
 *   not exclusive.
 * @KTURN_PUNT_REASON_NO_PERMISSION: No permission, in an allocation that is
 *   not exclusive.
 * @KTURN_PUNT_REASON_FRAGMENT: The packet was reassembled.
 * @KTURN_PUNT_REASON_HEADER: IP options or extension headers, or a zero UDP
 *   checksum in IPv6.
 * @KTURN_PUNT_REASON_GSO: A packet of several segments.
 * @KTURN_PUNT_REASON_LINK: Bridged, VLAN-tagged, or not sent to this host.
 * @KTURN_PUNT_REASON_POLICY: IPsec policy applies, or the packet came out of a
 *   tunnel.
 * @KTURN_PUNT_REASON_SOURCE: Input routing refuses the packet's source.
 * @KTURN_PUNT_REASON_LOCAL_PEER: The peer's address is the host's own.
 * @KTURN_PUNT_REASON_PEER: The peer's address or port can't be one.
 * @KTURN_PUNT_REASON_ROUTE: No usable route.
 * @KTURN_PUNT_REASON_MTU: Too big for the route's MTU.
 * @KTURN_PUNT_REASON_NO_MEMORY: No memory, and nothing was changed yet.
 */
enum kturn_punt_reason {
	KTURN_PUNT_REASON_CONTROL,
	KTURN_PUNT_REASON_OTHER,
	KTURN_PUNT_REASON_MALFORMED,
	KTURN_PUNT_REASON_ATTRIBUTE,
	KTURN_PUNT_REASON_NO_CHANNEL,
	KTURN_PUNT_REASON_NO_PERMISSION,
	KTURN_PUNT_REASON_FRAGMENT,
	KTURN_PUNT_REASON_HEADER,
	KTURN_PUNT_REASON_GSO,
	KTURN_PUNT_REASON_LINK,
	KTURN_PUNT_REASON_POLICY,
	KTURN_PUNT_REASON_SOURCE,
	KTURN_PUNT_REASON_LOCAL_PEER,
	KTURN_PUNT_REASON_PEER,
	KTURN_PUNT_REASON_ROUTE,
	KTURN_PUNT_REASON_MTU,
	KTURN_PUNT_REASON_NO_MEMORY,
};

enum {
	KTURN_A_ENDPOINT_ADDR4 = 1,
	KTURN_A_ENDPOINT_ADDR6,
	KTURN_A_ENDPOINT_PORT,

	__KTURN_A_ENDPOINT_MAX
};
#define KTURN_A_ENDPOINT_MAX (__KTURN_A_ENDPOINT_MAX - 1)

enum {
	KTURN_A_COUNTER_PAD = 1,
	KTURN_A_COUNTER_PACKETS,
	KTURN_A_COUNTER_BYTES,

	__KTURN_A_COUNTER_MAX
};
#define KTURN_A_COUNTER_MAX (__KTURN_A_COUNTER_MAX - 1)

enum {
	KTURN_A_LIMIT_PAD = 1,
	KTURN_A_LIMIT_BIT_RATE,
	KTURN_A_LIMIT_BURST_BYTES,
	KTURN_A_LIMIT_PACKET_RATE,
	KTURN_A_LIMIT_BURST_PACKETS,

	__KTURN_A_LIMIT_MAX
};
#define KTURN_A_LIMIT_MAX (__KTURN_A_LIMIT_MAX - 1)

enum {
	KTURN_A_QUOTA_PAD = 1,
	KTURN_A_QUOTA_ID,
	KTURN_A_QUOTA_LIMIT_TO_PEER,
	KTURN_A_QUOTA_LIMIT_TO_CLIENT,
	KTURN_A_QUOTA_ALLOCS,

	__KTURN_A_QUOTA_MAX
};
#define KTURN_A_QUOTA_MAX (__KTURN_A_QUOTA_MAX - 1)

enum {
	KTURN_A_REASON_COUNT_PAD = 1,
	KTURN_A_REASON_COUNT_REASON,
	KTURN_A_REASON_COUNT_PACKETS,

	__KTURN_A_REASON_COUNT_MAX
};
#define KTURN_A_REASON_COUNT_MAX (__KTURN_A_REASON_COUNT_MAX - 1)

enum {
	KTURN_A_OWNER_PAD = 1,
	KTURN_A_OWNER_COOKIE,
	KTURN_A_OWNER_GRACE_MS,
	KTURN_A_OWNER_ID,
	KTURN_A_OWNER_SOCKETS,
	KTURN_A_OWNER_ALLOCS,
	KTURN_A_OWNER_LEFT_MS,
	KTURN_A_OWNER_LABEL,

	__KTURN_A_OWNER_MAX
};
#define KTURN_A_OWNER_MAX (__KTURN_A_OWNER_MAX - 1)

enum {
	KTURN_A_ALLOC_PAD = 1,
	KTURN_A_ALLOC_ID,
	KTURN_A_ALLOC_OWNER_ID,
	KTURN_A_ALLOC_CLIENT,
	KTURN_A_ALLOC_SERVER,
	KTURN_A_ALLOC_RELAY4,
	KTURN_A_ALLOC_RELAY6,
	KTURN_A_ALLOC_L3MDEV,
	KTURN_A_ALLOC_LIFETIME_MS,
	KTURN_A_ALLOC_FLAGS,
	KTURN_A_ALLOC_LABEL,
	KTURN_A_ALLOC_OWNER_DATA,
	KTURN_A_ALLOC_TO_PEER,
	KTURN_A_ALLOC_TO_CLIENT,
	KTURN_A_ALLOC_DROPPED,
	KTURN_A_ALLOC_PUNTED,
	KTURN_A_ALLOC_GONE,
	KTURN_A_ALLOC_TO_PEER4,
	KTURN_A_ALLOC_TO_PEER6,
	KTURN_A_ALLOC_TO_CLIENT4,
	KTURN_A_ALLOC_TO_CLIENT6,
	KTURN_A_ALLOC_IDLE_MS,
	KTURN_A_ALLOC_LIMIT_TO_PEER,
	KTURN_A_ALLOC_LIMIT_TO_CLIENT,
	KTURN_A_ALLOC_QUOTA,

	__KTURN_A_ALLOC_MAX
};
#define KTURN_A_ALLOC_MAX (__KTURN_A_ALLOC_MAX - 1)

enum {
	KTURN_A_PERM_ALLOC_ID = 1,
	KTURN_A_PERM_PEER,
	KTURN_A_PERM_LIFETIME_MS,
	KTURN_A_PERM_GONE,

	__KTURN_A_PERM_MAX
};
#define KTURN_A_PERM_MAX (__KTURN_A_PERM_MAX - 1)

enum {
	KTURN_A_CHAN_ALLOC_ID = 1,
	KTURN_A_CHAN_NUMBER,
	KTURN_A_CHAN_PEER,
	KTURN_A_CHAN_LIFETIME_MS,
	KTURN_A_CHAN_TO_PEER,
	KTURN_A_CHAN_TO_CLIENT,
	KTURN_A_CHAN_GONE,

	__KTURN_A_CHAN_MAX
};
#define KTURN_A_CHAN_MAX (__KTURN_A_CHAN_MAX - 1)

enum {
	KTURN_A_STATS_PAD = 1,
	KTURN_A_STATS_TO_PEER,
	KTURN_A_STATS_TO_CLIENT,
	KTURN_A_STATS_DROP,
	KTURN_A_STATS_PUNT,
	KTURN_A_STATS_ALLOCS,
	KTURN_A_STATS_PERMS,
	KTURN_A_STATS_CHANS,
	KTURN_A_STATS_OWNERS,
	KTURN_A_STATS_HOOKS,
	KTURN_A_STATS_TO_PEER4,
	KTURN_A_STATS_TO_PEER6,
	KTURN_A_STATS_TO_CLIENT4,
	KTURN_A_STATS_TO_CLIENT6,
	KTURN_A_STATS_ICMP,

	__KTURN_A_STATS_MAX
};
#define KTURN_A_STATS_MAX (__KTURN_A_STATS_MAX - 1)

enum {
	KTURN_A_CONFIG_PAD = 1,
	KTURN_A_CONFIG_MAX_ALLOCS,
	KTURN_A_CONFIG_MAX_PERMS,
	KTURN_A_CONFIG_MAX_CHANS,
	KTURN_A_CONFIG_MAX_OWNERS,
	KTURN_A_CONFIG_PUNT_RATE,
	KTURN_A_CONFIG_PUNT_BURST,
	KTURN_A_CONFIG_ICMP_RATE,
	KTURN_A_CONFIG_ICMP_BURST,
	KTURN_A_CONFIG_ICMP_IND_RATE,
	KTURN_A_CONFIG_ICMP_IND_BURST,
	KTURN_A_CONFIG_LOCAL_OUT,

	__KTURN_A_CONFIG_MAX
};
#define KTURN_A_CONFIG_MAX (__KTURN_A_CONFIG_MAX - 1)

enum {
	KTURN_A_DEVICE_PAD = 1,
	KTURN_A_DEVICE_IFINDEX,
	KTURN_A_DEVICE_IFNAME,

	__KTURN_A_DEVICE_MAX
};
#define KTURN_A_DEVICE_MAX (__KTURN_A_DEVICE_MAX - 1)

enum {
	KTURN_CMD_OWNER_JOIN = 1,
	KTURN_CMD_OWNER_GET,
	KTURN_CMD_ALLOC_NEW,
	KTURN_CMD_ALLOC_SET,
	KTURN_CMD_ALLOC_DEL,
	KTURN_CMD_ALLOC_GET,
	KTURN_CMD_ALLOC_GONE_NTF,
	KTURN_CMD_PERM_NEW,
	KTURN_CMD_PERM_DEL,
	KTURN_CMD_PERM_GET,
	KTURN_CMD_PERM_GONE_NTF,
	KTURN_CMD_CHAN_NEW,
	KTURN_CMD_CHAN_DEL,
	KTURN_CMD_CHAN_GET,
	KTURN_CMD_CHAN_GONE_NTF,
	KTURN_CMD_FLUSH,
	KTURN_CMD_STATS_GET,
	KTURN_CMD_CONFIG_GET,
	KTURN_CMD_CONFIG_SET,
	KTURN_CMD_DEVICE_ATTACH,
	KTURN_CMD_DEVICE_DETACH,
	KTURN_CMD_DEVICE_GET,

	__KTURN_CMD_MAX
};
#define KTURN_CMD_MAX (__KTURN_CMD_MAX - 1)

#define KTURN_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_KTURN_H */
