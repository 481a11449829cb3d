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
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "route.h"

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
				      const struct kturn_tuple *out)
{
	struct flowi4 fl4 = {
		.flowi4_oif = out->l3mdev,
		.flowi4_proto = IPPROTO_UDP,
		.fl4_sport = out->local.port,
		.fl4_dport = out->remote.port,
	};
	struct rtable *rt;

	memcpy(&fl4.saddr, out->local.ip, sizeof(fl4.saddr));
	memcpy(&fl4.daddr, out->remote.ip, sizeof(fl4.daddr));
	rt = ip_route_output_flow(net, &fl4, NULL);
	return IS_ERR(rt) ? ERR_CAST(rt) : &rt->dst;
}

static struct dst_entry *kturn_route6(struct net *net,
				      const struct kturn_tuple *out)
{
	struct flowi6 fl6 = {
		.flowi6_oif = out->l3mdev,
		.flowi6_proto = IPPROTO_UDP,
		.fl6_sport = out->local.port,
		.fl6_dport = out->remote.port,
	};
	struct dst_entry *route;

	memcpy(&fl6.saddr, out->local.ip, sizeof(fl6.saddr));
	memcpy(&fl6.daddr, out->remote.ip, sizeof(fl6.daddr));
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
 * Does the way lead over nothing but the neighbour? Not so with encapsulation
 * that is part of the route; transformations make a route unusable before.
 */
static bool kturn_route_direct(const struct dst_entry *dst, u8 family)
{
	if (dst->lwtstate)
		return false;
	if (family == KTURN_FAMILY_V6)
		return dst->output == ip6_output;
	/* The header for a gateway of the other family is not remembered. */
	return dst->output == ip_output &&
	       ((const struct rtable *)dst)->rt_gw_family != AF_INET6;
}

/*
 * Remember @dst, whose reference is taken over in any case. Without memory it
 * is good for this packet only, and NULL is returned.
 */
static struct kturn_route *
kturn_route_remember(struct kturn_route __rcu **slot, struct dst_entry *dst,
		     const struct kturn_tuple *out, bool local)
{
	u8 family = out->local.family;
	struct kturn_route *route, *old;

	route = kmalloc(sizeof(*route), GFP_ATOMIC | __GFP_NOWARN);
	if (!route) {
		/* Freed after a grace period: the caller may use it still. */
		dst_release(dst);
		return NULL;
	}
	route->dst = dst;
	route->flow = kturn_route_flow(out->remote.port);
	route->cookie = kturn_route_cookie(dst, family);
	route->local = local;
	route->direct = kturn_route_direct(dst, family);
	route->plain = family == KTURN_FAMILY_V4 && !dst->lwtstate &&
		       !dst_metric_raw(dst, RTAX_MTU);
	/* Two CPUs may do this at once; each frees what it replaced. */
	old = unrcu_pointer(xchg(slot, RCU_INITIALIZER(route)));
	if (old)
		call_rcu(&old->rcu, kturn_route_free_rcu);
	return route;
}

/**
 * kturn_route_find() - find a route and remember it
 * @net: namespace
 * @slot: where the entry remembers it
 * @out: from its local address to its remote one
 * @way: result
 *
 * Context: RCU.
 * Return: as kturn_route_lookup().
 */
int kturn_route_find(struct net *net, struct kturn_route __rcu **slot,
		     const struct kturn_tuple *out, struct kturn_way *way)
{
	struct kturn_route *route = rcu_dereference(*slot);
	u8 family = out->local.family;
	struct dst_entry *found;
	int err;

	found = family == KTURN_FAMILY_V4 ? kturn_route4(net, out) :
					    kturn_route6(net, out);
	if (IS_ERR(found))
		return -KTURN_PUNT_REASON_ROUTE - 1;
	err = kturn_route_usable(found, family);
	if (err && err != KTURN_ROUTE_LOCAL) {
		dst_release(found);
		return err;
	}
	way->dst = found;
	if (route && route->dst == found &&
	    route->cookie == kturn_route_cookie(found, family)) {
		/* Another port, the same way; @route has a reference. */
		WRITE_ONCE(route->flow, kturn_route_flow(out->remote.port));
		dst_release(found);
		way->route = route;
	} else {
		way->route = kturn_route_remember(slot, found, out, err);
	}
	return err;
}

/** kturn_source_local() - is a packet that has its route for this host? */
bool kturn_source_local(const struct sk_buff *skb, u8 family)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (dst->error)
		return false;
	if (family == KTURN_FAMILY_V4)
		return ((const struct rtable *)dst)->rt_type == RTN_LOCAL;
	return ((const struct rt6_info *)dst)->rt6i_flags & RTF_LOCAL;
}

/**
 * kturn_source_find4() - would input routing deliver this packet to the host?
 * @skb: packet without a route
 * @tos: DSCP and ECN
 *
 * A full look-up, as the stack itself would do next.
 *
 * Context: RCU.
 */
bool kturn_source_find4(struct sk_buff *skb, u8 tos)
{
	const struct iphdr *iph = ip_hdr(skb);
	bool local;

	if (ip_route_input_noref(skb, iph->daddr, iph->saddr,
				 inet_dsfield_to_dscp(tos), skb->dev))
		return false;
	local = skb_dst(skb) && kturn_source_local(skb, KTURN_FAMILY_V4);
	/* The packet may be punted, and destination NAT comes later. */
	skb_dst_drop(skb);
	return local;
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
		return kturn_source_local(skb, family);
	if (family == KTURN_FAMILY_V4)
		return inet_addr_type_dev_table(net, skb->dev,
						ip_hdr(skb)->daddr) == RTN_LOCAL;
	return ipv6_chk_addr(net, &ipv6_hdr(skb)->daddr, skb->dev, 0);
}
