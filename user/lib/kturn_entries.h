/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkturn: what there is in the kernel, as it is asked for and shown; see
 * kturn.h.
 */
#ifndef _LIBKTURN_ENTRIES_H
#define _LIBKTURN_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kturn/wire.h>
#include <linux/kturn.h>

/** struct kturn_counter - packets and bytes of application data */
struct kturn_counter {
	uint64_t packets;
	uint64_t bytes;
};

/**
 * struct kturn_limit - what may pass in one direction
 * @bit_rate: bits of data per second; 0: any number
 * @burst_bytes: bytes that may pass at once; 0: what the kernel chooses, a
 *	quarter of a second's, but at least 65535
 * @packet_rate: packets per second; 0: any number
 * @burst_packets: packets that may pass at once; 0: a quarter of a second's,
 *	but at least 16
 *
 * A burst without its rate is refused. Packets bigger than a burst never pass.
 */
struct kturn_limit {
	uint64_t bit_rate;
	uint64_t burst_bytes;
	uint32_t packet_rate;
	uint32_t burst_packets;
};

/**
 * struct kturn_quota - what may pass of several allocations together
 * @id: the owner's name for it, the same for all that share it; those of
 *	different owners are apart
 * @to_peer: of what comes from clients
 * @to_client: of what comes from peers
 * @keep_to_peer: it keeps what it has, if it is there already, whatever @to_peer
 *	says
 * @keep_to_client: likewise
 * @allocs: how many allocations share it; shown only
 *
 * It is made with the first allocation that names it, and forgotten some time
 * after the last. What the newest one asks for holds for all.
 */
struct kturn_quota {
	uint64_t id;
	struct kturn_limit to_peer;
	struct kturn_limit to_client;
	bool keep_to_peer;
	bool keep_to_client;
	uint32_t allocs;
};

/**
 * struct kturn_alloc - an allocation, as asked for and as shown
 * @id: the kernel's number for it; not looked at by kturn_alloc_new()
 * @owner_id: 0 without an owner; shown only
 * @client: client's end of the 5-tuple
 * @server: server's end of the 5-tuple
 * @relay: relayed transport addresses: [0] IPv4, [1] IPv6; family
 *	KTURN_FAMILY_NONE where there is none
 * @l3mdev: interface index of the VRF, 0 for none
 * @lifetime_ms: milliseconds left, at least 1
 * @flags: KTURN_ALLOC_FLAGS_…
 * @label: text for people, may be empty; not to be printed unescaped
 * @owner_data: opaque, @owner_data_len bytes, at most KTURN_OWNER_DATA_MAX
 * @owner_data_len: bytes
 * @to_peer: shown only
 * @to_client: shown only
 * @dropped: packets; shown only
 * @punted: packets; shown only
 * @gone: -1, or enum kturn_gone_reason in an event
 * @to_peer_by: @to_peer by the peers' family, as @relay; shown only
 * @to_client_by: @to_client likewise
 * @idle_ms: milliseconds since a packet was relayed, at most a second too
 *	many; -1 if none ever was; shown only
 * @limit_to_peer: of what comes from the client
 * @limit_to_client: of what comes from peers
 * @quota: beside its own limits, those that it shares, none twice, the narrowest
 *	first
 * @n_quotas: how many, at most KTURN_QUOTAS_MAX
 */
struct kturn_alloc {
	uint32_t id;
	uint32_t owner_id;
	struct kturn_addr client;
	struct kturn_addr server;
	struct kturn_addr relay[2];
	uint32_t l3mdev;
	uint32_t lifetime_ms;
	uint32_t flags;
	char label[KTURN_LABEL_MAX + 1];
	const void *owner_data;
	size_t owner_data_len;
	struct kturn_counter to_peer;
	struct kturn_counter to_client;
	uint64_t dropped;
	uint64_t punted;
	int gone;
	struct kturn_counter to_peer_by[2];
	struct kturn_counter to_client_by[2];
	int64_t idle_ms;
	struct kturn_limit limit_to_peer;
	struct kturn_limit limit_to_client;
	struct kturn_quota quota[KTURN_QUOTAS_MAX];
	size_t n_quotas;
};

/** struct kturn_perm - a permission; the peer's port is 0 */
struct kturn_perm {
	uint32_t alloc_id;
	struct kturn_addr peer;
	uint32_t lifetime_ms;
	int gone;
};

/** struct kturn_chan - a channel */
struct kturn_chan {
	uint32_t alloc_id;
	uint16_t number;
	struct kturn_addr peer;
	uint32_t lifetime_ms;
	struct kturn_counter to_peer;
	struct kturn_counter to_client;
	int gone;
};

/** struct kturn_owner - an owner; left_ms is -1 while no grace period runs */
struct kturn_owner {
	uint32_t id;
	uint32_t grace_ms;
	uint32_t sockets;
	uint32_t allocs;
	int64_t left_ms;
	char label[KTURN_LABEL_MAX + 1];
};

#define KTURN_IFNAME_MAX	15

/**
 * struct kturn_device - a network device at whose ingress packets are taken
 * @ifindex: interface index
 * @ifname: its name at the moment
 */
struct kturn_device {
	uint32_t ifindex;
	char ifname[KTURN_IFNAME_MAX + 1];
};

#endif /* _LIBKTURN_ENTRIES_H */
