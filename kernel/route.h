/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What packets find remembered, inlined: a route, and that input routing lets
 * them in. What has to be looked up anew is in route.c.
 */
#ifndef _KTURN_ROUTE_H
#define _KTURN_ROUTE_H

#include <linux/inetdevice.h>
#include <net/dst.h>
#include <net/addrconf.h>
#include <net/dst_metadata.h>
#include <net/inet_dscp.h>
#include <net/ip_fib.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "relay.h"

/* It leads to this host. */
#define KTURN_ROUTE_LOCAL	(-KTURN_PUNT_REASON_LOCAL_PEER - 1)

/**
 * struct kturn_way - where a packet goes
 * @dst: no reference; good for the RCU read section
 * @route: where it is remembered, or NULL
 */
struct kturn_way {
	struct dst_entry *dst;
	struct kturn_route *route;
};

/* route.c */
int kturn_route_find(struct net *net, struct kturn_route __rcu **slot,
		     const struct kturn_tuple *out, struct kturn_way *way);
bool kturn_source_find4(struct sk_buff *skb, u8 tos);
bool kturn_source_local(const struct sk_buff *skb, u8 family);

/* ------------------------------------------------------------------ routes */

/** kturn_route_flow() - kturn_route.flow of a port, without a label yet */
static inline u64 kturn_route_flow(__be16 port)
{
	return (__force u16)port;
}

/** kturn_route_label() - the IPv6 flow label for a port; 0: none yet */
static inline __be32 kturn_route_label(const struct kturn_route *route,
				       __be16 port)
{
	u64 flow = READ_ONCE(route->flow);

	return (u16)flow == (__force u16)port ? (__force __be32)(flow >> 32) :
						0;
}

/**
 * kturn_route_set_label() - remember the flow label
 * @route: route
 * @port: the port that the label is for
 * @label: flow label
 */
static inline void kturn_route_set_label(struct kturn_route *route, __be16 port,
					 __be32 label)
{
	WRITE_ONCE(route->flow,
		   kturn_route_flow(port) | (u64)(__force u32)label << 32);
}

/* dst_check(), of an IPv4 route without a call. */
static __always_inline bool kturn_route_valid(const struct kturn_route *route,
					      const struct net *net, u8 family)
{
	struct dst_entry *dst = route->dst;

	if (family == KTURN_FAMILY_V4)
		return READ_ONCE(dst->obsolete) == DST_OBSOLETE_FORCE_CHK &&
		       ((struct rtable *)dst)->rt_genid == rt_genid_ipv4(net);
	return dst_check(dst, route->cookie);
}

/**
 * kturn_route_lookup() - the route for a packet that the module sends
 * @net: namespace
 * @slot: where the entry remembers it
 * @out: from its local address to its remote one
 * @way: result
 *
 * Only what is sent on to another host is a route here; that it leads to this
 * host is remembered too. The TOS takes no part, so that both planes send the
 * same way.
 *
 * With KTURN_FAST, one that is not remembered is none.
 *
 * Context: RCU.
 * Return: 0, or the enum kturn_punt_reason, negated - 1.
 */
static __always_inline int
kturn_route_lookup(struct net *net, struct kturn_route __rcu **slot,
		   const struct kturn_tuple *out, struct kturn_way *way)
{
	struct kturn_route *route = rcu_dereference(*slot);

	if (unlikely(!route ||
		     (u16)READ_ONCE(route->flow) !=
		     (__force u16)out->remote.port ||
		     !kturn_route_valid(route, net, out->local.family)))
		return KTURN_FAST ? -KTURN_PUNT_REASON_ROUTE - 1 :
				    kturn_route_find(net, slot, out, way);
	way->dst = route->dst;
	way->route = route;
	return unlikely(route->local) ? KTURN_ROUTE_LOCAL : 0;
}

/* ----------------------------------------------------------------- sources */

/* Apart for the marks that clients use: RFC 8837 section 5. */
static __always_inline u64 *kturn_source_slot(struct kturn_source *cache,
					      u32 where, u8 tos)
{
	return &cache->key[(where ^ tos >> 2 ^ tos >> 5) % KTURN_SOURCE_SLOTS];
}

static __always_inline bool
kturn_source_check4(struct net *net, struct sk_buff *skb,
		    struct kturn_source *cache, u8 tos)
{
	struct in_device *in_dev = __in_dev_get_rcu(skb->dev);
	u32 gen = rt_genid_ipv4(net);
	u32 where = skb->dev->ifindex;
	u64 key, *slot;
	u32 filter;

	if (unlikely(!in_dev))
		return false;
	/*
	 * The one setting whose change does not count as one of routing: as
	 * IN_DEV_RPFILTER().
	 */
	filter = max(IPV4_DEVCONF_ALL(net, RP_FILTER),
		     IN_DEV_CONF_GET(in_dev, RP_FILTER));
	/* What the key has no room for is never remembered. */
	if (unlikely(skb->mark || where >> 22 || filter > 3))
		return kturn_source_find4(skb, tos);
	/* Without ECN, which changes from packet to packet. */
	key = (u64)gen << 32 | where << 10 | filter << 8 |
	      (tos & INET_DSCP_MASK);
	slot = kturn_source_slot(cache, where, tos & INET_DSCP_MASK);
	if (likely(READ_ONCE(*slot) == key))
		return true;
	if (!kturn_source_find4(skb, tos))
		return false;
	WRITE_ONCE(*slot, key);
	return true;
}

/*
 * IPv6 input routing does not look at the source, and what it should not be,
 * ipv6_rcv() has dropped. Whether an address is the host's changes with the
 * generation of addresses.
 */
static __always_inline bool
kturn_source_check6(const struct kturn_net *kn, const struct sk_buff *skb,
		    struct kturn_source *cache)
{
	struct net *net = kn->net;
	u32 gen = atomic_read(&net->ipv6.dev_addr_genid) +
		  READ_ONCE(kn->downs);
	u32 where = skb->dev->ifindex;
	u64 key = (u64)gen << 32 | where;
	u64 *slot = kturn_source_slot(cache, where, 0);

	if (likely(READ_ONCE(*slot) == key))
		return true;
	if (!ipv6_chk_addr(net, &ipv6_hdr(skb)->daddr, skb->dev, 0))
		return false;
	WRITE_ONCE(*slot, key);
	return true;
}

/**
 * kturn_source_check() - would input routing deliver this packet to the host?
 * @kn: namespace
 * @skb: packet
 * @cache: what was allowed last for this pair of addresses
 * @family: enum kturn_family
 * @tos: DSCP and ECN
 *
 * Refuses destinations that are not (or no longer) the host's, and in IPv4
 * martian sources and those that reverse path filtering refuses; the answer
 * holds until routes, addresses or rules change.
 *
 * Context: RCU.
 */
static __always_inline bool
kturn_source_check(const struct kturn_net *kn, struct sk_buff *skb,
		   struct kturn_source *cache, u8 family, u8 tos)
{
	/* A packet of this host's own comes with its route. */
	if (unlikely(skb_valid_dst(skb)))
		return kturn_source_local(skb, family);
	if (family == KTURN_FAMILY_V4)
		return kturn_source_check4(kn->net, skb, cache, tos);
	return kturn_source_check6(kn, skb, cache);
}

#endif /* _KTURN_ROUTE_H */
