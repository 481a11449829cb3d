// SPDX-License-Identifier: GPL-2.0
/* The headers of a packet that came in, and the beginning of its payload. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "relay.h"

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
static bool kturn_read_udp(struct kturn_packet *pkt, unsigned int total,
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
	pkt->off = pkt->thoff + sizeof(*uh);
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

static bool kturn_read4(struct kturn_packet *pkt, u8 buf[KTURN_PEEK])
{
	/* ip_rcv() has checked the header and trimmed what is behind. */
	const struct iphdr *iph = ip_hdr(pkt->skb);

	if (iph->protocol != IPPROTO_UDP)
		return false;
	/* Whose it is, only the first fragment could say. */
	if (ip_is_fragment(iph))
		return false;
	pkt->thoff = iph->ihl * 4;
	pkt->tos = iph->tos;
	pkt->ttl = iph->ttl;
	pkt->df = iph->frag_off & htons(IP_DF);
	if (iph->ihl != 5)
		pkt->unusual = KTURN_PUNT_REASON_HEADER;
	else if (IPCB(pkt->skb)->frag_max_size)
		pkt->unusual = KTURN_PUNT_REASON_FRAGMENT;
	return kturn_read_udp(pkt, ntohs(iph->tot_len), &iph->saddr,
			      &iph->daddr, buf);
}

static bool kturn_read6(struct kturn_packet *pkt, u8 buf[KTURN_PEEK])
{
	const struct ipv6hdr *iph = ipv6_hdr(pkt->skb);

	/* Extension headers, fragments included, are the stack's. */
	if (iph->nexthdr != IPPROTO_UDP)
		return false;
	pkt->thoff = sizeof(*iph);
	pkt->tos = ipv6_get_dsfield(iph);
	pkt->ttl = iph->hop_limit;
	pkt->df = true;
	if (IP6CB(pkt->skb)->frag_max_size)
		pkt->unusual = KTURN_PUNT_REASON_FRAGMENT;
	return kturn_read_udp(pkt, sizeof(*iph) + ntohs(iph->payload_len),
			      &iph->saddr, &iph->daddr, buf);
}

/**
 * kturn_packet_read() - read the headers of a packet
 * @pkt: result
 * @skb: with data at the IP header, which the stack has checked
 * @kn: namespace
 * @l3mdev: VRF it came in through, or 0
 * @family: enum kturn_family
 * @buf: for the payload's first bytes where they lie in pieces
 *
 * Context: RCU.
 * Return: is it a UDP datagram? Fragments are not.
 */
bool kturn_packet_read(struct kturn_packet *pkt, struct sk_buff *skb,
		       struct kturn_net *kn, u32 l3mdev, u8 family,
		       u8 buf[KTURN_PEEK])
{
	pkt->skb = skb;
	pkt->kn = kn;
	pkt->l3mdev = l3mdev;
	pkt->family = family;
	pkt->split = false;
	pkt->unusual = -1;
	return family == KTURN_FAMILY_V4 ? kturn_read4(pkt, buf) :
					   kturn_read6(pkt, buf);
}
