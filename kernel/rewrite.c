// SPDX-License-Identifier: GPL-2.0
/*
 * Turn the datagram that came in into the one that goes out, in place: take
 * the old headers off the payload, put new ones before it.
 *
 * The payload's bytes are neither read nor moved. The checksum is derived
 * from the old one, so that damage on the way in is still seen at the end.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "relay.h"

/* How the new checksum comes about. */
enum kturn_csum {
	KTURN_CSUM_UPDATE,	/* from the old one */
	KTURN_CSUM_PARTIAL,	/* the device will */
	KTURN_CSUM_ZERO,	/* there was none, and there will be none */
	KTURN_CSUM_FULL,	/* there was none, but IPv6 demands one */
};

static unsigned int kturn_ip_len(u8 family)
{
	return family == KTURN_FAMILY_V4 ? sizeof(struct iphdr) :
					   sizeof(struct ipv6hdr);
}

static unsigned int kturn_udp_len(const struct kturn_forward *fwd)
{
	return sizeof(struct udphdr) + fwd->hdrlen + fwd->len + fwd->pad;
}

/**
 * kturn_forward_len() - length of the packet to send, IP header included
 * @fwd: what is to be sent
 */
unsigned int kturn_forward_len(const struct kturn_forward *fwd)
{
	return kturn_ip_len(fwd->dst.family) + kturn_udp_len(fwd);
}

/**
 * kturn_rewrite_prepare() - make sure that kturn_rewrite() has its room
 * @pkt: what came in; @pkt->head is invalid afterwards
 * @fwd: what is to be sent
 * @dst: its route
 *
 * The packet's contents stay as they are, so that it can still be punted.
 *
 * Return: 0 or -ENOMEM.
 */
int kturn_rewrite_prepare(struct kturn_packet *pkt,
			  const struct kturn_forward *fwd,
			  struct dst_entry *dst)
{
	unsigned int old = pkt->off + fwd->skip;
	unsigned int new = kturn_ip_len(fwd->dst.family) +
			   sizeof(struct udphdr) + fwd->hdrlen;
	unsigned int room = LL_RESERVED_SPACE(dst->dev) + dst->header_len;

	pkt->head = NULL;
	if (!pskb_may_pull(pkt->skb, old))
		return -ENOMEM;
	if (new > old)
		room += new - old;
	/* Not skb_cow_head(): the new headers overwrite what was payload. */
	return skb_cow(pkt->skb, room);
}

static enum kturn_csum kturn_csum_kind(const struct sk_buff *skb,
				       const struct udphdr *uh, u8 family)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		return KTURN_CSUM_PARTIAL;
	if (uh->check)
		return KTURN_CSUM_UPDATE;
	return family == KTURN_FAMILY_V4 ? KTURN_CSUM_ZERO : KTURN_CSUM_FULL;
}

/* Address and port: ip[] is zero beyond an IPv4 address, which adds nothing */
static __wsum kturn_csum_addr(const struct kturn_addr *addr)
{
	return csum_partial(addr, offsetof(struct kturn_addr, family), 0);
}

/* Addresses, ports, and the length in the UDP and the pseudo header. */
static __wsum kturn_csum_headers(const struct kturn_addr *src,
				 const struct kturn_addr *dst, unsigned int len)
{
	__wsum sum = csum_add(kturn_csum_addr(src), kturn_csum_addr(dst));
	__wsum be_len = (__force __wsum)htons(len);

	return csum_add(sum, csum_add(be_len, be_len));
}

/*
 * The sum of what will stand behind the new UDP header, from the old checksum
 * and what is taken away. Everything taken off the front has an even length.
 */
static __wsum kturn_csum_payload(const struct kturn_packet *pkt,
				 const struct kturn_forward *fwd,
				 const struct udphdr *uh)
{
	unsigned int kept = fwd->skip + fwd->len;
	__wsum sum = ~csum_unfold(uh->check);

	sum = csum_sub(sum, kturn_csum_headers(&pkt->src, &pkt->dst,
					       sizeof(*uh) + pkt->len));
	sum = csum_sub(sum, csum_partial(uh + 1, fwd->skip, 0));
	if (kept < pkt->len)
		sum = csum_block_sub(sum, skb_checksum(pkt->skb,
						       pkt->off + kept,
						       pkt->len - kept, 0),
				     kept);
	return csum_add(sum, csum_partial(fwd->hdr, fwd->hdrlen, 0));
}

static void kturn_csum_set(struct sk_buff *skb, const struct kturn_forward *fwd,
			   struct udphdr *uh, enum kturn_csum kind, __wsum sum)
{
	unsigned int len = kturn_udp_len(fwd);
	bool v4 = fwd->dst.family == KTURN_FAMILY_V4;
	__be32 saddr, daddr;

	memcpy(&saddr, fwd->src.ip, sizeof(saddr));
	memcpy(&daddr, fwd->dst.ip, sizeof(daddr));

	switch (kind) {
	case KTURN_CSUM_PARTIAL:
		uh->check = v4 ?
			~csum_tcpudp_magic(saddr, daddr, len, IPPROTO_UDP, 0) :
			~csum_ipv6_magic((struct in6_addr *)fwd->src.ip,
					 (struct in6_addr *)fwd->dst.ip, len,
					 IPPROTO_UDP, 0);
		skb->csum_start = skb_transport_header(skb) - skb->head;
		skb->csum_offset = offsetof(struct udphdr, check);
		return;
	case KTURN_CSUM_ZERO:
		uh->check = 0;
		return;
	case KTURN_CSUM_FULL:
		uh->check = 0;
		sum = skb_checksum(skb, skb_transport_offset(skb), len, 0);
		uh->check = csum_ipv6_magic((struct in6_addr *)fwd->src.ip,
					    (struct in6_addr *)fwd->dst.ip, len,
					    IPPROTO_UDP, sum);
		break;
	case KTURN_CSUM_UPDATE:
		sum = csum_add(sum, kturn_csum_headers(&fwd->src, &fwd->dst,
						       len));
		uh->check = csum_fold(sum);
		break;
	}
	/* RFC 768: zero would say that there is none. */
	if (!uh->check)
		uh->check = CSUM_MANGLED_0;
}

static void kturn_push_ip4(struct net *net, struct sk_buff *skb,
			   const struct kturn_forward *fwd)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	skb_reset_network_header(skb);
	skb->protocol = htons(ETH_P_IP);
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = fwd->tos;
	iph->tot_len = htons(skb->len);
	iph->frag_off = fwd->df ? htons(IP_DF) : 0;
	iph->ttl = fwd->ttl;
	iph->protocol = IPPROTO_UDP;
	memcpy(&iph->saddr, fwd->src.ip, sizeof(iph->saddr));
	memcpy(&iph->daddr, fwd->dst.ip, sizeof(iph->daddr));
	/* RFC 6864: with DF set the identification says nothing. */
	iph->id = 0;
	if (!fwd->df)
		__ip_select_ident(net, iph, 1);
	ip_send_check(iph);
}

static void kturn_push_ip6(struct net *net, struct sk_buff *skb,
			   const struct kturn_forward *fwd)
{
	struct flowi6 fl6 = {
		.flowi6_proto = IPPROTO_UDP,
		.fl6_sport = fwd->src.port,
		.fl6_dport = fwd->dst.port,
	};
	unsigned int len = skb->len;
	struct ipv6hdr *iph;
	__be32 label;

	memcpy(&fl6.saddr, fwd->src.ip, sizeof(fl6.saddr));
	memcpy(&fl6.daddr, fwd->dst.ip, sizeof(fl6.daddr));
	/* RFC 8656 section 13.2: never the old one; from the new 5-tuple. */
	skb_clear_hash(skb);
	label = ip6_make_flowlabel(net, skb, 0, true, &fl6);

	iph = skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	skb->protocol = htons(ETH_P_IPV6);
	ip6_flow_hdr(iph, fwd->tos, label);
	iph->payload_len = htons(len);
	iph->nexthdr = IPPROTO_UDP;
	iph->hop_limit = fwd->ttl;
	iph->saddr = fl6.saddr;
	iph->daddr = fl6.daddr;
}

/* Put the headers before the payload, whose sum is @sum. */
static void kturn_push_headers(struct net *net, struct sk_buff *skb,
			       const struct kturn_forward *fwd,
			       enum kturn_csum kind, __wsum sum)
{
	struct udphdr *uh = skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = fwd->src.port;
	uh->dest = fwd->dst.port;
	uh->len = htons(skb->len);
	kturn_csum_set(skb, fwd, uh, kind, sum);

	if (fwd->dst.family == KTURN_FAMILY_V4)
		kturn_push_ip4(net, skb, fwd);
	else
		kturn_push_ip6(net, skb, fwd);
}

/**
 * kturn_rewrite() - make the new packet out of the old one
 * @pkt: what came in, after kturn_rewrite_prepare()
 * @fwd: what is to be sent
 *
 * Return: 0, or -ENOMEM: then the packet is spoilt and can only be dropped.
 */
int kturn_rewrite(struct kturn_packet *pkt, const struct kturn_forward *fwd)
{
	struct sk_buff *skb = pkt->skb;
	struct udphdr *uh = (struct udphdr *)(skb->data + pkt->thoff);
	enum kturn_csum kind = kturn_csum_kind(skb, uh, fwd->dst.family);
	__wsum sum = 0;

	if (kind == KTURN_CSUM_UPDATE)
		sum = kturn_csum_payload(pkt, fwd, uh);
	if (kind != KTURN_CSUM_PARTIAL)
		skb->ip_summed = CHECKSUM_NONE;

	__skb_pull(skb, pkt->thoff + sizeof(*uh) + fwd->skip);
	if (pskb_trim(skb, fwd->len))
		return -ENOMEM;
	if (fwd->pad) {
		/* Knows what to do with fragments and clones. */
		if (__skb_pad(skb, fwd->pad, false))
			return -ENOMEM;
		__skb_put(skb, fwd->pad);
	}

	memcpy(skb_push(skb, fwd->hdrlen), fwd->hdr, fwd->hdrlen);
	kturn_push_headers(pkt->kn->net, skb, fwd, kind, sum);
	return 0;
}

/**
 * kturn_make() - make a packet that has no other before it
 * @net: namespace
 * @fwd: what is to be sent; all of the payload is in its @hdr
 * @dst: its route
 *
 * Return: NULL without memory.
 */
struct sk_buff *kturn_make(struct net *net, const struct kturn_forward *fwd,
			   struct dst_entry *dst)
{
	unsigned int room = LL_RESERVED_SPACE(dst->dev) + dst->header_len;
	unsigned int headers = kturn_ip_len(fwd->dst.family) +
			       sizeof(struct udphdr);
	struct sk_buff *skb;
	__wsum sum;

	skb = alloc_skb(room + headers + fwd->hdrlen, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, room + headers);
	skb_put_data(skb, fwd->hdr, fwd->hdrlen);
	/* The one part of the sum that never changes from packet to packet. */
	sum = csum_partial(fwd->hdr, fwd->hdrlen,
			   (__force __wsum)htons(IPPROTO_UDP));
	kturn_push_headers(net, skb, fwd, KTURN_CSUM_UPDATE, sum);
	return skb;
}
