// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks: read the packet's headers, hand it to the relay, and
 * accept whatever the relay does not want.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>

#include "relay.h"

/*
 * After raw, where packets can be excepted from everything; before conntrack,
 * because relay traffic needs no entries there.
 */
#define KTURN_HOOK_PRIORITY	(NF_IP_PRI_RAW + 50)

/* UDP header and as much payload as tells what it is. */
#define KTURN_PEEK	(sizeof(struct udphdr) + KTURN_STUN_HDR_LEN)

static void kturn_addr_set(struct kturn_addr *addr, u8 family, const void *ip,
			   __be16 port)
{
	memset(addr, 0, sizeof(*addr));
	memcpy(addr->ip, ip, kturn_addr_len(family));
	addr->port = port;
	addr->family = family;
}

/*
 * Look at the UDP header of a packet whose IP header is known. @total is the
 * IP packet's length as its header says. Lengths that do not fit are a matter
 * for the stack, but only after it is clear whether it is ours at all.
 *
 * Return: false if there is not even a UDP header.
 */
static bool kturn_packet_udp(struct kturn_packet *pkt, unsigned int total,
			     const void *saddr, const void *daddr,
			     u8 buf[KTURN_PEEK])
{
	const struct sk_buff *skb = pkt->skb;
	unsigned int ulen, seen;
	const struct udphdr *uh;

	if (total > skb->len || total < pkt->thoff + sizeof(*uh))
		return false;
	seen = min_t(unsigned int, KTURN_PEEK, total - pkt->thoff);
	uh = skb_header_pointer(skb, pkt->thoff, seen, buf);
	if (!uh)
		return false;

	kturn_addr_set(&pkt->src, pkt->family, saddr, uh->source);
	kturn_addr_set(&pkt->dst, pkt->family, daddr, uh->dest);
	pkt->head = (const u8 *)(uh + 1);
	pkt->headlen = seen - sizeof(*uh);

	ulen = ntohs(uh->len);
	if (ulen != total - pkt->thoff || total != skb->len) {
		pkt->unusual = KTURN_PUNT_REASON_MALFORMED;
		pkt->len = pkt->headlen;
	} else {
		pkt->len = ulen - sizeof(*uh);
	}
	/* RFC 8200 section 8.1: not in IPv6, except for some tunnels. */
	if (!uh->check && pkt->family == KTURN_FAMILY_V6)
		pkt->unusual = KTURN_PUNT_REASON_HEADER;
	return true;
}

static void kturn_packet_init(struct kturn_packet *pkt, struct sk_buff *skb,
			      const struct nf_hook_state *state, u8 family)
{
	pkt->skb = skb;
	pkt->kn = kturn_pernet(state->net);
	pkt->family = family;
	pkt->df = false;
	pkt->unusual = -1;
	/* The key is the VRF's, whichever of its ports the packet took. */
	pkt->l3mdev = l3mdev_master_ifindex_rcu(state->in);
}

static unsigned int kturn_hook4(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	u8 buf[KTURN_PEEK] __aligned(4);
	struct kturn_packet pkt;
	const struct iphdr *iph;

	/*
	 * What came in through a VRF's port was looked at there, where input
	 * routing looks at the source; the VRF device would allow any port's.
	 */
	if (ipv4_l3mdev_skb(IPCB(skb)->flags))
		return NF_ACCEPT;
	/* ip_rcv() has checked the header and trimmed what is behind. */
	iph = ip_hdr(skb);
	if (iph->protocol != IPPROTO_UDP)
		return NF_ACCEPT;
	/* Whose it is, only the first fragment could say. */
	if (ip_is_fragment(iph))
		return NF_ACCEPT;

	kturn_packet_init(&pkt, skb, state, KTURN_FAMILY_V4);
	pkt.thoff = iph->ihl * 4;
	pkt.tos = iph->tos;
	pkt.ttl = iph->ttl;
	pkt.df = iph->frag_off & htons(IP_DF);
	if (iph->ihl != 5)
		pkt.unusual = KTURN_PUNT_REASON_HEADER;
	else if (IPCB(skb)->frag_max_size)
		pkt.unusual = KTURN_PUNT_REASON_FRAGMENT;
	if (!kturn_packet_udp(&pkt, ntohs(iph->tot_len), &iph->saddr,
			      &iph->daddr, buf))
		return NF_ACCEPT;
	return kturn_relay(&pkt);
}

static unsigned int kturn_hook6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	u8 buf[KTURN_PEEK] __aligned(4);
	const struct ipv6hdr *iph;
	struct kturn_packet pkt;

	/* As above. */
	if (ipv6_l3mdev_skb(IP6CB(skb)->flags))
		return NF_ACCEPT;
	iph = ipv6_hdr(skb);
	/* Extension headers, fragments included, are the stack's. */
	if (iph->nexthdr != IPPROTO_UDP)
		return NF_ACCEPT;

	kturn_packet_init(&pkt, skb, state, KTURN_FAMILY_V6);
	pkt.thoff = sizeof(*iph);
	pkt.tos = ipv6_get_dsfield(iph);
	pkt.ttl = iph->hop_limit;
	if (IP6CB(skb)->frag_max_size)
		pkt.unusual = KTURN_PUNT_REASON_FRAGMENT;
	if (!kturn_packet_udp(&pkt, sizeof(*iph) + ntohs(iph->payload_len),
			      &iph->saddr, &iph->daddr, buf))
		return NF_ACCEPT;
	return kturn_relay(&pkt);
}

static const struct nf_hook_ops kturn_hook_ops[] = {
	{
		.hook = kturn_hook4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = KTURN_HOOK_PRIORITY,
	},
	{
		.hook = kturn_hook6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = KTURN_HOOK_PRIORITY,
	},
};

/**
 * kturn_hooks_get() - see to it that the hooks are registered
 * @kn: namespace
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0 or a negative errno.
 */
int kturn_hooks_get(struct kturn_net *kn)
{
	int err;

	lockdep_assert_held(&kn->lock);
	if (kn->hooks)
		return 0;
	err = nf_register_net_hooks(kn->net, kturn_hook_ops,
				    ARRAY_SIZE(kturn_hook_ops));
	if (!err)
		kn->hooks = true;
	return err;
}

/**
 * kturn_hooks_release() - unregister the hooks
 * @kn: namespace; nothing in it needs them any more
 *
 * They may still be running when this returns.
 *
 * Context: may sleep; kturn_net.lock.
 */
void kturn_hooks_release(struct kturn_net *kn)
{
	lockdep_assert_held(&kn->lock);
	if (!kn->hooks)
		return;
	nf_unregister_net_hooks(kn->net, kturn_hook_ops,
				ARRAY_SIZE(kturn_hook_ops));
	kn->hooks = false;
}
