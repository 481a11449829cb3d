/* SPDX-License-Identifier: GPL-2.0 */
/* The headers of a packet that came in, and the beginning of its payload. */
#ifndef _KTURN_PACKET_H
#define _KTURN_PACKET_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>

#include "relay.h"
#include "table.h"

static __always_inline void kturn_addr_set(struct kturn_addr *addr, u8 family,
					   const void *ip, __be16 port)
{
	memset(addr, 0, sizeof(*addr));
	if (family == KTURN_FAMILY_V4)
		memcpy(addr->ip, ip, sizeof(struct in_addr));
	else
		memcpy(addr->ip, ip, sizeof(struct in6_addr));
	addr->port = port;
	addr->family = family;
}

/* See kturn_read_udp(): headers in one piece, and lengths that fit. */
static __always_inline bool
kturn_read_plain(struct kturn_packet *pkt, u8 family, unsigned int total,
		 const void *saddr, const void *daddr)
{
	const struct sk_buff *skb = pkt->skb;
	const struct udphdr *uh = (struct udphdr *)(skb->data + pkt->thoff);

	pkt->off = pkt->thoff + sizeof(*uh);
	if (unlikely(skb_headlen(skb) < pkt->off || skb->len != total ||
		     ntohs(uh->len) != total - pkt->thoff))
		return false;
	if (family == KTURN_FAMILY_V6 && unlikely(!uh->check))
		return false;
	pkt->family = family;
	kturn_addr_set(&pkt->room->key.tuple.remote, family, saddr, uh->source);
	kturn_addr_set(&pkt->room->key.tuple.local, family, daddr, uh->dest);
	pkt->head = (const u8 *)(uh + 1);
	pkt->headlen = skb_headlen(skb) - pkt->off;
	pkt->len = total - pkt->off;
	return true;
}

/*
 * Look at the UDP header of a packet whose IP header is known. @total is the
 * IP packet's length as its header says. Lengths that do not fit are a matter
 * for the stack, but only after it is clear whether it is ours at all.
 *
 * Return: false if there is not even a UDP header.
 */
static __always_inline bool
kturn_read_udp(struct kturn_packet *pkt, u8 family, unsigned int total,
	       const void *saddr, const void *daddr)
{
	const struct sk_buff *skb = pkt->skb;
	unsigned int ulen, seen;
	const struct udphdr *uh;

	if (KTURN_FAST)
		return kturn_read_plain(pkt, family, total, saddr, daddr);

	if (unlikely(total > skb->len || total < pkt->thoff + sizeof(*uh)))
		return false;
	seen = min_t(unsigned int, KTURN_PEEK, total - pkt->thoff);
	uh = skb_header_pointer(skb, pkt->thoff, seen, pkt->room->buf);
	if (unlikely(!uh))
		return false;

	pkt->family = family;
	kturn_addr_set(&pkt->room->key.tuple.remote, family, saddr, uh->source);
	kturn_addr_set(&pkt->room->key.tuple.local, family, daddr, uh->dest);
	pkt->off = pkt->thoff + sizeof(*uh);
	pkt->head = (const u8 *)(uh + 1);
	pkt->headlen = seen - sizeof(*uh);

	ulen = ntohs(uh->len);
	if (unlikely(ulen != total - pkt->thoff || total != skb->len)) {
		pkt->unusual = KTURN_PUNT_REASON_MALFORMED;
		pkt->len = pkt->headlen;
	} else {
		pkt->len = ulen - sizeof(*uh);
	}
	/* RFC 8200 section 8.1: not in IPv6, except for some tunnels. */
	if (family == KTURN_FAMILY_V6 && unlikely(!uh->check))
		pkt->unusual = KTURN_PUNT_REASON_HEADER;
	return true;
}

/*
 * The stack (or ingress.c) has checked the header and trimmed what is
 * behind. Fragments are no datagrams: whose they are, only the first could say.
 */
static __always_inline bool kturn_read4(struct kturn_packet *pkt)
{
	const struct iphdr *iph = ip_hdr(pkt->skb);

	/* Who is in a hurry has looked at the protocol and for options. */
	if ((!KTURN_FAST && iph->protocol != IPPROTO_UDP) ||
	    unlikely(ip_is_fragment(iph)))
		return false;
	pkt->thoff = KTURN_FAST ? sizeof(*iph) : iph->ihl * 4;
	pkt->tos = iph->tos;
	pkt->ttl = iph->ttl;
	pkt->df = iph->frag_off & htons(IP_DF);
	if (!KTURN_FAST && unlikely(iph->ihl != 5))
		pkt->unusual = KTURN_PUNT_REASON_HEADER;
	else if (!pkt->early && unlikely(IPCB(pkt->skb)->frag_max_size))
		pkt->unusual = KTURN_PUNT_REASON_FRAGMENT;
	return kturn_read_udp(pkt, KTURN_FAMILY_V4, ntohs(iph->tot_len),
			      &iph->saddr, &iph->daddr);
}

/* Extension headers, fragments included, are the stack's. */
static __always_inline bool kturn_read6(struct kturn_packet *pkt)
{
	const struct ipv6hdr *iph = ipv6_hdr(pkt->skb);

	if (!KTURN_FAST && iph->nexthdr != IPPROTO_UDP)
		return false;
	pkt->thoff = sizeof(*iph);
	pkt->tos = ipv6_get_dsfield(iph);
	pkt->ttl = iph->hop_limit;
	pkt->df = true;
	if (!pkt->early && unlikely(IP6CB(pkt->skb)->frag_max_size))
		pkt->unusual = KTURN_PUNT_REASON_FRAGMENT;
	return kturn_read_udp(pkt, KTURN_FAMILY_V6,
			      sizeof(*iph) + ntohs(iph->payload_len),
			      &iph->saddr, &iph->daddr);
}

/**
 * kturn_packet_init() - what is known of a packet before its headers are read
 * @pkt: result
 * @room: for what it is to point to
 * @skb: with data at the IP header, which was checked
 * @kn: namespace
 * @l3mdev: VRF it came in through, or 0
 * @early: at a device's ingress
 */
static __always_inline void
kturn_packet_init(struct kturn_packet *pkt, struct kturn_room *room,
		  struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev,
		  bool early)
{
	pkt->skb = skb;
	pkt->kn = kn;
	pkt->room = room;
	room->key.tuple.l3mdev = l3mdev;
	pkt->split = false;
	pkt->early = early;
	pkt->unusual = -1;
}

/**
 * kturn_packet_read() - read a packet's headers
 * @pkt: after kturn_packet_init()
 * @family: enum kturn_family
 *
 * Context: RCU.
 * Return: is it a UDP datagram? Fragments are not.
 */
static __always_inline bool kturn_packet_read(struct kturn_packet *pkt,
					      u8 family)
{
	return family == KTURN_FAMILY_V4 ? kturn_read4(pkt) : kturn_read6(pkt);
}

/** kturn_l3mdev() - the VRF that a packet from this device is in, or 0 */
static __always_inline u32 kturn_l3mdev(const struct net_device *dev)
{
	if (likely(!netif_is_l3_master(dev) && !netif_is_l3_slave(dev)))
		return 0;
	return l3mdev_master_ifindex_rcu(dev);
}

/*
 * Is it to a port that an entry can have? @thoff: of the UDP header. What does
 * not lie in one piece is to be looked at more closely.
 */
static __always_inline bool kturn_to_known_port(const struct kturn_net *kn,
						const struct sk_buff *skb,
						unsigned int thoff)
{
	const struct udphdr *uh = (struct udphdr *)(skb->data + thoff);

	if (unlikely(skb_headlen(skb) < thoff + sizeof(*uh)))
		return true;
	return kturn_port_known(kn, uh->dest);
}

#endif /* _KTURN_PACKET_H */
