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
 * kturn_xmit() - send a rewritten packet
 * @net: namespace
 * @skb: consumed
 * @dst: route, valid for the RCU read section
 * @tos: DSCP and ECN
 *
 * Goes through POST_ROUTING, not through LOCAL_OUT or FORWARD.
 *
 * Context: RCU.
 */
void kturn_xmit(struct net *net, struct sk_buff *skb, struct dst_entry *dst,
		u8 tos)
{
	kturn_scrub(skb, tos);
	skb_dst_set_noref(skb, dst);
	/* As of a packet of this host: POST_ROUTING sees no input device. */
	skb->dev = NULL;
	dst_output(net, NULL, skb);
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
	struct sk_buff *skb = pkt->skb;

	if (!kturn_limit_icmp(pkt->kn))
		return;
	if (pkt->family == KTURN_FAMILY_V6) {
		icmpv6_send(skb, ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT, 0);
		return;
	}
	/* Without a route on the packet icmp_send() does nothing. */
	if (!skb_valid_dst(skb) &&
	    ip_route_input_noref(skb, ip_hdr(skb)->daddr, ip_hdr(skb)->saddr,
				 inet_dsfield_to_dscp(pkt->tos), skb->dev))
		return;
	icmp_send(skb, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
}
