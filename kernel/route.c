// SPDX-License-Identifier: GPL-2.0
/*
 * Routes: one remembered for each direction of an entry, and whether input
 * routing takes packets from where they say they come from. Both are looked
 * up again when the routing tables have changed.
 */
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/dst_metadata.h>
#include <net/inet_dscp.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "kturn.h"

static void kturn_route_free(struct kturn_route *route)
{
	dst_release(route->dst);
	kfree(route);
}

static void kturn_route_free_rcu(struct rcu_head *head)
{
	kturn_route_free(container_of(head, struct kturn_route, rcu));
}

/**
 * kturn_route_flush() - forget a route
 * @slot: of an entry that no reader can find any more
 */
void kturn_route_flush(struct kturn_route __rcu **slot)
{
	struct kturn_route *route = rcu_dereference_protected(*slot, true);

	RCU_INIT_POINTER(*slot, NULL);
	if (route)
		kturn_route_free(route);
}

static struct dst_entry *kturn_route4(struct net *net,
				      const struct kturn_addr *src,
				      const struct kturn_addr *dst, u32 l3mdev)
{
	struct flowi4 fl4 = {
		.flowi4_oif = l3mdev,
		.flowi4_proto = IPPROTO_UDP,
		.fl4_sport = src->port,
		.fl4_dport = dst->port,
	};
	struct rtable *rt;

	memcpy(&fl4.saddr, src->ip, sizeof(fl4.saddr));
	memcpy(&fl4.daddr, dst->ip, sizeof(fl4.daddr));
	rt = ip_route_output_flow(net, &fl4, NULL);
	return IS_ERR(rt) ? ERR_CAST(rt) : &rt->dst;
}

static struct dst_entry *kturn_route6(struct net *net,
				      const struct kturn_addr *src,
				      const struct kturn_addr *dst, u32 l3mdev)
{
	struct flowi6 fl6 = {
		.flowi6_oif = l3mdev,
		.flowi6_proto = IPPROTO_UDP,
		.fl6_sport = src->port,
		.fl6_dport = dst->port,
	};
	struct dst_entry *route;

	memcpy(&fl6.saddr, src->ip, sizeof(fl6.saddr));
	memcpy(&fl6.daddr, dst->ip, sizeof(fl6.daddr));
	route = ip6_dst_lookup_flow(net, NULL, &fl6, NULL);
	/* IPv4 output looks at this itself. */
	if (!IS_ERR(route) &&
	    !ipv6_chk_addr(net, &fl6.saddr, route->dev, 0)) {
		dst_release(route);
		return ERR_PTR(-EADDRNOTAVAIL);
	}
	return route;
}

/* Return: 0, or the enum kturn_punt_reason why it can't be used, negated - 1 */
static int kturn_route_usable(const struct dst_entry *dst, u8 family)
{
	if (dst_xfrm(dst))
		return -KTURN_PUNT_REASON_POLICY - 1;
	if (dst->error)
		return -KTURN_PUNT_REASON_ROUTE - 1;

	if (family == KTURN_FAMILY_V4) {
		const struct rtable *rt = (const struct rtable *)dst;

		if (rt->rt_type == RTN_LOCAL)
			return KTURN_ROUTE_LOCAL;
		if (rt->rt_type != RTN_UNICAST)
			return -KTURN_PUNT_REASON_ROUTE - 1;
	} else {
		const struct rt6_info *rt = (const struct rt6_info *)dst;

		if (rt->rt6i_flags & RTF_LOCAL)
			return KTURN_ROUTE_LOCAL;
		if (rt->rt6i_flags & (RTF_REJECT | RTF_ANYCAST))
			return -KTURN_PUNT_REASON_ROUTE - 1;
	}
	return 0;
}

static u32 kturn_route_cookie(const struct dst_entry *dst, u8 family)
{
	if (family == KTURN_FAMILY_V4)
		return 0;
	return rt6_get_cookie((const struct rt6_info *)dst);
}

/*
 * Remember @dst, whose reference is taken over in any case. Without memory it
 * is good for this packet only.
 */
static void kturn_route_remember(struct kturn_route __rcu **slot,
				 struct dst_entry *dst, u8 family,
				 __be16 dport, bool local)
{
	struct kturn_route *route, *old;

	route = kmalloc(sizeof(*route), GFP_ATOMIC | __GFP_NOWARN);
	if (!route) {
		/* Freed after a grace period: the caller may use it still. */
		dst_release(dst);
		return;
	}
	route->dst = dst;
	route->cookie = kturn_route_cookie(dst, family);
	route->dport = dport;
	route->local = local;
	/* Two CPUs may do this at once; each frees what it replaced. */
	old = unrcu_pointer(xchg(slot, RCU_INITIALIZER(route)));
	if (old)
		call_rcu(&old->rcu, kturn_route_free_rcu);
}

/**
 * kturn_route_lookup() - the route for a packet that the module sends
 * @net: namespace
 * @slot: where the entry remembers it
 * @src: from: an address of the host
 * @dst: to
 * @l3mdev: VRF or 0
 * @result: no reference; good for the RCU read section
 *
 * Only what is sent on to another host is a route here; that it leads to this
 * host is remembered too. The TOS takes no part, so that both planes send the
 * same way.
 *
 * Context: RCU.
 * Return: 0, or the enum kturn_punt_reason, negated - 1.
 */
int kturn_route_lookup(struct net *net, struct kturn_route __rcu **slot,
		       const struct kturn_addr *src,
		       const struct kturn_addr *dst, u32 l3mdev,
		       struct dst_entry **result)
{
	struct kturn_route *route = rcu_dereference(*slot);
	struct dst_entry *found;
	int err;

	if (likely(route && READ_ONCE(route->dport) == dst->port &&
		   dst_check(route->dst, route->cookie))) {
		*result = route->dst;
		return route->local ? KTURN_ROUTE_LOCAL : 0;
	}

	found = src->family == KTURN_FAMILY_V4 ?
		kturn_route4(net, src, dst, l3mdev) :
		kturn_route6(net, src, dst, l3mdev);
	if (IS_ERR(found))
		return -KTURN_PUNT_REASON_ROUTE - 1;
	err = kturn_route_usable(found, src->family);
	if (err && err != KTURN_ROUTE_LOCAL) {
		dst_release(found);
		return err;
	}
	if (route && route->dst == found &&
	    route->cookie == kturn_route_cookie(found, src->family)) {
		/* Another port, the same way; @route has a reference. */
		WRITE_ONCE(route->dport, dst->port);
		dst_release(found);
	} else {
		kturn_route_remember(slot, found, src->family, dst->port, err);
	}
	*result = found;
	return err;
}

/* For a packet that has its route. */
static bool kturn_dst_is_local(const struct sk_buff *skb, u8 family)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (dst->error)
		return false;
	if (family == KTURN_FAMILY_V4)
		return ((const struct rtable *)dst)->rt_type == RTN_LOCAL;
	return ((const struct rt6_info *)dst)->rt6i_flags & RTF_LOCAL;
}

/* A full look-up, as the stack itself would do next. */
static bool kturn_source_lookup4(struct sk_buff *skb, u8 tos)
{
	const struct iphdr *iph = ip_hdr(skb);
	bool local;

	if (ip_route_input_noref(skb, iph->daddr, iph->saddr,
				 inet_dsfield_to_dscp(tos), skb->dev))
		return false;
	local = skb_dst(skb) && kturn_dst_is_local(skb, KTURN_FAMILY_V4);
	/* The packet may be punted, and destination NAT comes later. */
	skb_dst_drop(skb);
	return local;
}

/* Apart for the marks that clients use: RFC 8837 section 5. */
static u64 *kturn_source_slot(struct kturn_source *cache, u32 where, u8 tos)
{
	return &cache->key[(where ^ tos >> 2 ^ tos >> 5) % KTURN_SOURCE_SLOTS];
}

static bool kturn_source_check4(struct net *net, struct sk_buff *skb,
				struct kturn_source *cache, u8 tos)
{
	struct in_device *in_dev = __in_dev_get_rcu(skb->dev);
	u32 gen = rt_genid_ipv4(net);
	u32 where = skb->dev->ifindex;
	u64 key, *slot;
	u32 filter;

	if (!in_dev)
		return false;
	/* The one setting whose change does not count as one of routing. */
	filter = IN_DEV_RPFILTER(in_dev);
	/* What the key has no room for is never remembered. */
	if (unlikely(skb->mark || where >> 22 || filter > 3))
		return kturn_source_lookup4(skb, tos);
	/* Without ECN, which changes from packet to packet. */
	key = (u64)gen << 32 | where << 10 | filter << 8 |
	      (tos & INET_DSCP_MASK);
	slot = kturn_source_slot(cache, where, tos & INET_DSCP_MASK);
	if (likely(READ_ONCE(*slot) == key))
		return true;
	if (!kturn_source_lookup4(skb, tos))
		return false;
	WRITE_ONCE(*slot, key);
	return true;
}

/**
 * kturn_source_check() - would input routing deliver this packet to the host?
 * @net: namespace
 * @skb: packet
 * @cache: what was allowed last for this pair of addresses
 * @family: enum kturn_family
 * @tos: DSCP and ECN
 *
 * Refuses destinations that are not (or no longer) the host's, and in IPv4
 * martian sources and those that reverse path filtering refuses; the answer
 * holds until routes, addresses or rules change. IPv6 input routing does not
 * look at the source, and what it should not be, ipv6_rcv() has dropped.
 *
 * Context: RCU.
 */
bool kturn_source_check(struct net *net, struct sk_buff *skb,
			struct kturn_source *cache, u8 family, u8 tos)
{
	/* A packet of this host's own comes with its route. */
	if (skb_valid_dst(skb))
		return kturn_dst_is_local(skb, family);
	if (family == KTURN_FAMILY_V4)
		return kturn_source_check4(net, skb, cache, tos);
	return ipv6_chk_addr(net, &ipv6_hdr(skb)->daddr, skb->dev, 0);
}

/**
 * kturn_dst_check() - is the packet's destination the host's?
 * @net: namespace
 * @skb: packet
 * @family: enum kturn_family
 *
 * Context: RCU.
 */
bool kturn_dst_check(struct net *net, const struct sk_buff *skb, u8 family)
{
	if (skb_valid_dst(skb))
		return kturn_dst_is_local(skb, family);
	if (family == KTURN_FAMILY_V4)
		return inet_addr_type_dev_table(net, skb->dev,
						ip_hdr(skb)->daddr) == RTN_LOCAL;
	return ipv6_chk_addr(net, &ipv6_hdr(skb)->daddr, skb->dev, 0);
}
