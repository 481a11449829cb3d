// SPDX-License-Identifier: GPL-2.0
/* Send what was rewritten, or tell the sender why not. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/inet_dscp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "limit.h"
#include "relay.h"

/*
 * What the old packet brought along must not decide about the new one. That is
 * skb_scrub_packet() and more, but in one piece and without what it does for
 * packets that cross into a tunnel.
 */
static __always_inline void kturn_scrub(struct sk_buff *skb, u8 tos)
{
	skb_dst_drop(skb);
	skb_ext_reset(skb);
	nf_reset_ct(skb);
	nf_reset_trace(skb);
	skb_orphan(skb);
	skb_clear_hash(skb);
	skb_reset_redirect(skb);
	skb_init_secmark(skb);
	skb_set_queue_mapping(skb, 0);
	skb_unset_mac_header(skb);
	skb->pkt_type = PACKET_HOST;
	skb->ignore_df = 0;
	skb->encapsulation = 0;
	skb->skb_iif = 0;
	skb->mark = 0;
	skb->mac_len = 0;
	skb->priority = rt_tos2priority(tos);
	skb_clear_tstamp(skb);
	ipvs_reset(skb);
#ifdef CONFIG_NET_SWITCHDEV
	skb->offload_fwd_mark = 0;
	skb->offload_l3_fwd_mark = 0;
#endif
#ifdef CONFIG_NET_SCHED
	skb->tc_index = 0;
#endif
	/* What IP keeps there, of either family. */
	memset(skb->cb, 0, max(sizeof(*IPCB(skb)), sizeof(*IP6CB(skb))));
	/* Relay traffic has no conntrack entry; POST_ROUTING may ask. */
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

/*
 * As ip_output() and ip6_output() count, but not what is dropped on the way; and
 * what was not counted on its way in, is not on its way out.
 */
static __always_inline void kturn_count_out(struct net *net,
					    const struct sk_buff *skb,
					    struct dst_entry *dst, u8 family)
{
	if (family == KTURN_FAMILY_V4)
		IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, skb->len);
	else
		IP6_UPD_PO_STATS(net, ip6_dst_idev(dst), IPSTATS_MIB_OUT,
				 skb->len);
}

/*
 * What is queued to userspace there goes on without the module, which may be
 * gone by then; hence the flag, which keeps it from coming by a second time.
 *
 * Return: false if the packet has gone another way.
 */
static noinline bool kturn_post_routing(struct net *net, struct sk_buff *skb,
					struct dst_entry *dst, u8 family)
{
	unsigned int len = skb->len;
	int go;

	if (family == KTURN_FAMILY_V4) {
		IPCB(skb)->flags |= IPSKB_REROUTED;
		go = nf_hook(NFPROTO_IPV4, NF_INET_POST_ROUTING, net, NULL, skb,
			     NULL, dst->dev, ip_output);
	} else {
		IP6CB(skb)->flags |= IP6SKB_REROUTED;
		go = nf_hook(NFPROTO_IPV6, NF_INET_POST_ROUTING, net, NULL, skb,
			     NULL, dst->dev, ip6_output);
	}
	if (go != 1)
		return false;
	if (likely(skb_dst(skb) == dst && skb->len == len))
		return true;
	/* It was translated, or put into something. */
	dst_output(net, NULL, skb);
	return false;
}

/* Is there anything at POST_ROUTING that wants to see it? */
static __always_inline bool kturn_hooked_out(const struct net *net, u8 family)
{
	if (family == KTURN_FAMILY_V4)
		return rcu_access_pointer(net->nf.hooks_ipv4[NF_INET_POST_ROUTING]);
	return rcu_access_pointer(net->nf.hooks_ipv6[NF_INET_POST_ROUTING]);
}

/* Not that of an IPv6 gateway, whose header can't be remembered. */
static __always_inline struct neighbour *
kturn_neigh4(const struct sk_buff *skb, const struct dst_entry *dst)
{
	const struct rtable *rt = (const struct rtable *)dst;

	return ip_neigh_gw4(dst->dev, rt->rt_gw_family ? rt->rt_gw4 :
							 ip_hdr(skb)->daddr);
}

static __always_inline struct neighbour *
kturn_neigh6(const struct sk_buff *skb, const struct dst_entry *dst)
{
	const struct rt6_info *rt = (const struct rt6_info *)dst;

	return ip_neigh_gw6(dst->dev, rt6_nexthop(rt, &ipv6_hdr(skb)->daddr));
}

/**
 * kturn_xmit_direct() - send a packet to the neighbour, and nowhere else
 * @net: namespace
 * @skb: consumed
 * @dst: route, valid for the RCU read section; the packet fits its MTU
 * @family: enum kturn_family
 * @tos: its DSCP and ECN
 * @early: it was taken at a device's ingress: nor through POST_ROUTING
 *
 * That is what ip_output() comes to for packets that need nothing else.
 *
 * Context: RCU, BH off.
 */
void __flatten kturn_xmit_direct(struct net *net, struct sk_buff *skb,
				 struct dst_entry *dst, u8 family, u8 tos,
				 bool early)
{
	struct neighbour *neigh;

	kturn_scrub(skb, tos);
	skb_dst_set_noref(skb, dst);
	skb->dev = dst->dev;
	if (!early) {
		if (kturn_hooked_out(net, family) &&
		    !kturn_post_routing(net, skb, dst, family))
			return;
		kturn_count_out(net, skb, dst, family);
	}
	neigh = family == KTURN_FAMILY_V4 ? kturn_neigh4(skb, dst) :
					    kturn_neigh6(skb, dst);
	if (IS_ERR(neigh))
		kfree_skb(skb);
	else
		neigh_output(neigh, skb, false);
}

/**
 * kturn_xmit() - send a packet
 * @kn: namespace
 * @skb: consumed
 * @dst: route, valid for the RCU read section
 * @fwd: what @skb was made from
 *
 * Goes through POST_ROUTING, through LOCAL_OUT if that is configured, never
 * through FORWARD.
 *
 * Context: RCU, BH off.
 */
void kturn_xmit(struct kturn_net *kn, struct sk_buff *skb,
		struct dst_entry *dst, const struct kturn_forward *fwd)
{
	u8 family = fwd->family;
	struct net *net = kn->net;

	kturn_scrub(skb, fwd->tos);
	skb_dst_set_noref(skb, dst);
	/* As of a packet of this host: POST_ROUTING sees no input device. */
	skb->dev = NULL;
	if (unlikely(fwd->frag && family == KTURN_FAMILY_V6)) {
		/* As of a socket that lets its packets be fragmented. */
		skb->ignore_df = 1;
		IP6CB(skb)->frag_max_size = fwd->frag;
	}
	if (likely(!READ_ONCE(kn->local_out)))
		dst_output(net, NULL, skb);
	else if (family == KTURN_FAMILY_V4)
		ip_local_out(net, NULL, skb);
	else
		ip6_local_out(net, NULL, skb);
}

/* Without a route on the packet, icmp_send() does nothing. */
static bool kturn_icmp_route(const struct kturn_packet *pkt)
{
	struct sk_buff *skb = pkt->skb;

	return skb_valid_dst(skb) ||
	       !ip_route_input_noref(skb, ip_hdr(skb)->daddr, ip_hdr(skb)->saddr,
				     inet_dsfield_to_dscp(pkt->tos), skb->dev);
}

/**
 * kturn_ttl_exceeded() - tell the sender that the TTL ran out
 * @pkt: unchanged; the caller drops it
 *
 * RFC 8656 section 21.1.7: relaying decrements, and loops end. The stack
 * limits the rate as well.
 *
 * Context: RCU.
 */
void kturn_ttl_exceeded(struct kturn_packet *pkt)
{
	if (!kturn_limit_icmp(pkt->kn))
		return;
	if (pkt->family == KTURN_FAMILY_V6)
		icmpv6_send(pkt->skb, ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT,
			    0);
	else if (kturn_icmp_route(pkt))
		icmp_send(pkt->skb, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
}

/**
 * kturn_too_big() - tell the sender that the packet was too big
 * @pkt: unchanged; the caller drops it
 * @mtu: what would fit, in bytes with the IP header
 *
 * RFC 8656 section 13. The stack limits the rate too.
 *
 * Context: RCU.
 */
void kturn_too_big(struct kturn_packet *pkt, u32 mtu)
{
	if (!kturn_limit_icmp(pkt->kn))
		return;
	if (pkt->family == KTURN_FAMILY_V6)
		icmpv6_send(pkt->skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	else if (kturn_icmp_route(pkt))
		icmp_send(pkt->skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			  htonl(mtu));
}
