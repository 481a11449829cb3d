/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kturn.yaml */
#ifndef _KTURN_REASON_GEN_H
#define _KTURN_REASON_GEN_H

/*
 * X(value, name, what it means) for each, in the order of the values; LAST()
 * the same for the last one. And how many there are.
 */

#define KTURN_DROP_REASONS	11
#define KTURN_DROP_REASON_LIST(X, LAST) \
	X(KTURN_DROP_REASON_NO_CHANNEL, "no-channel", \
	  "ChannelData on a channel that is not bound (RFC 8656, 12.6)") \
	X(KTURN_DROP_REASON_NO_PERMISSION, "no-permission", \
	  "No permission for the peer (RFC 8656, 9 and 11.2)") \
	X(KTURN_DROP_REASON_TTL, "ttl", \
	  "TTL or hop limit ran out") \
	X(KTURN_DROP_REASON_NO_MEMORY, "no-memory", \
	  "No memory to rewrite the packet") \
	X(KTURN_DROP_REASON_ORPHAN, "orphan", \
	  "The owner is away and no socket would take what can't be relayed") \
	X(KTURN_DROP_REASON_LIMIT, "limit", \
	  "Beyond the allocation's limit in that direction") \
	X(KTURN_DROP_REASON_PUNT_LIMIT, "punt-limit", \
	  "Beyond the namespace's limit of what is punted") \
	X(KTURN_DROP_REASON_TOO_BIG, "too-big", \
	  "Too big for the way out, and not to be fragmented") \
	X(KTURN_DROP_REASON_LOOP, "loop", \
	  "The client's address is a relayed address of this host") \
	X(KTURN_DROP_REASON_SPLIT, "split", \
	  "Segment that could not be relayed any more") \
	LAST(KTURN_DROP_REASON_QUOTA, "quota", \
	  "Beyond a quota of the allocation in that direction")

#define KTURN_PUNT_REASONS	17
#define KTURN_PUNT_REASON_LIST(X, LAST) \
	X(KTURN_PUNT_REASON_CONTROL, "control", \
	  "STUN other than Send indications") \
	X(KTURN_PUNT_REASON_OTHER, "other", \
	  "Neither STUN nor ChannelData from a client") \
	X(KTURN_PUNT_REASON_MALFORMED, "malformed", \
	  "Lengths or attributes that do not fit") \
	X(KTURN_PUNT_REASON_ATTRIBUTE, "attribute", \
	  "Send indication with MESSAGE-INTEGRITY or an unknown attribute") \
	X(KTURN_PUNT_REASON_NO_CHANNEL, "no-channel", \
	  "Channel not bound, in an allocation that is not exclusive") \
	X(KTURN_PUNT_REASON_NO_PERMISSION, "no-permission", \
	  "No permission, in an allocation that is not exclusive") \
	X(KTURN_PUNT_REASON_FRAGMENT, "fragment", \
	  "The packet was reassembled") \
	X(KTURN_PUNT_REASON_HEADER, "header", \
	  "IP options or extension headers, or a zero UDP checksum in IPv6") \
	X(KTURN_PUNT_REASON_GSO, "gso", \
	  "A packet of several segments") \
	X(KTURN_PUNT_REASON_LINK, "link", \
	  "Bridged, VLAN-tagged, or not sent to this host") \
	X(KTURN_PUNT_REASON_POLICY, "policy", \
	  "IPsec policy applies, or the packet came out of a tunnel") \
	X(KTURN_PUNT_REASON_SOURCE, "source", \
	  "Input routing refuses the packet's source") \
	X(KTURN_PUNT_REASON_LOCAL_PEER, "local-peer", \
	  "The peer's address is the host's own") \
	X(KTURN_PUNT_REASON_PEER, "peer", \
	  "The peer's address or port can't be one") \
	X(KTURN_PUNT_REASON_ROUTE, "route", \
	  "No usable route") \
	X(KTURN_PUNT_REASON_MTU, "mtu", \
	  "Too big for the route's MTU") \
	LAST(KTURN_PUNT_REASON_NO_MEMORY, "no-memory", \
	  "No memory, and nothing was changed yet")

#endif /* _KTURN_REASON_GEN_H */
