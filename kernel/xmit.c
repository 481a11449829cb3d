// SPDX-License-Identifier: GPL-2.0
/* Send what was rewritten, or tell the sender why not. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/inet_dscp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "limit.h"
#include "relay.h"

/* What the old packet brought along must not decide about the new one. */
static void kturn_scrub(struct sk_buff *skb, u8 tos)
{
	/* mark, timestamp, conntrack, extensions, packet type, route */
	skb_scrub_packet(skb, true);
	skb_orphan(skb);
	skb_clear_hash(skb);
	skb_set_queue_mapping(skb, 0);
	skb_init_secmark(skb);
	skb_reset_redirect(skb);
	skb_unset_mac_header(skb);
	skb->mac_len = 0;
	skb->encapsulation = 0;
	skb->priority = rt_tos2priority(tos);
#ifdef CONFIG_NET_SCHED
	skb->tc_index = 0;
#endif
	memset(skb->cb, 0, sizeof(skb->cb));
	/* Relay traffic has no conntrack entry; POST_ROUTING may ask. */
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
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
 * Context: RCU.
 */
void kturn_xmit(struct kturn_net *kn, struct sk_buff *skb,
		struct dst_entry *dst, const struct kturn_forward *fwd)
{
	struct net *net = kn->net;

	kturn_scrub(skb, fwd->tos);
	skb_dst_set_noref(skb, dst);
	/* As of a packet of this host: POST_ROUTING sees no input device. */
	skb->dev = NULL;
	if (unlikely(fwd->frag && fwd->dst.family == KTURN_FAMILY_V6)) {
		/* As of a socket that lets its packets be fragmented. */
		skb->ignore_df = 1;
		IP6CB(skb)->frag_max_size = fwd->frag;
	}
	if (likely(!READ_ONCE(kn->local_out)))
		dst_output(net, NULL, skb);
	else if (fwd->dst.family == KTURN_FAMILY_V4)
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
