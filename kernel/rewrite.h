/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Turn the datagram that came in into the one that goes out, in place: take
 * the old headers off the payload, put new ones before it.
 *
 * The payload's bytes are neither read nor moved. The checksum is derived
 * from the old one, so that damage on the way in is still seen at the end.
 */
#ifndef _KTURN_REWRITE_H
#define _KTURN_REWRITE_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/siphash.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "relay.h"
#include "route.h"

/** kturn_ip_len() - bytes of an IP header */
static __always_inline unsigned int kturn_ip_len(u8 family)
{
	return family == KTURN_FAMILY_V4 ? sizeof(struct iphdr) :
					   sizeof(struct ipv6hdr);
}

/** kturn_udp_len() - length of the datagram to send, UDP header included */
static __always_inline unsigned int
kturn_udp_len(const struct kturn_forward *fwd)
{
	return sizeof(struct udphdr) + fwd->hdrlen + fwd->len + fwd->pad;
}

/** kturn_forward_len() - length of the packet to send, IP header included */
static __always_inline unsigned int
kturn_forward_len(const struct kturn_forward *fwd)
{
	return kturn_ip_len(fwd->family) + kturn_udp_len(fwd);
}

/** kturn_is_direct() - is kturn_xmit_direct() all that it needs to be sent? */
static __always_inline bool kturn_is_direct(const struct kturn_net *kn,
					    const struct kturn_forward *fwd)
{
	/* In a hurry it was found where it is remembered. */
	return (KTURN_FAST || fwd->route) && fwd->route->direct && !fwd->frag &&
	       !READ_ONCE(kn->local_out);
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
static __always_inline int
kturn_rewrite_prepare(struct kturn_packet *pkt, const struct kturn_forward *fwd,
		      const struct dst_entry *dst)
{
	unsigned int old = pkt->off + fwd->skip;
	unsigned int new = kturn_ip_len(fwd->family) +
			   sizeof(struct udphdr) + fwd->hdrlen;
	/* Enough for the device's header; more is a wish, see below. */
	unsigned int room = HH_DATA_ALIGN(dst->dev->hard_header_len);
	struct sk_buff *skb = pkt->skb;

	pkt->head = NULL;
	if (KTURN_FAST ? unlikely(pkt->headlen < fwd->skip) :
			 !pskb_may_pull(skb, old))
		return -ENOMEM;
	/* The new headers overwrite what was payload, too. */
	if (likely(skb_headroom(skb) + old >= room + new && !skb_cloned(skb)))
		return 0;
	room = LL_RESERVED_SPACE(dst->dev) + dst->header_len;
	if (new > old)
		room += new - old;
	return skb_cow(skb, room);
}

/* How the new checksum comes about. */
enum kturn_csum {
	KTURN_CSUM_UPDATE,	/* from the old one */
	KTURN_CSUM_PARTIAL,	/* the device will */
	KTURN_CSUM_ZERO,	/* there was none, and there will be none */
	KTURN_CSUM_FULL,	/* there was none, but IPv6 demands one */
};

static __always_inline enum kturn_csum
kturn_csum_kind(const struct sk_buff *skb, const struct udphdr *uh, u8 family)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		return KTURN_CSUM_PARTIAL;
	if (uh->check)
		return KTURN_CSUM_UPDATE;
	return family == KTURN_FAMILY_V4 ? KTURN_CSUM_ZERO : KTURN_CSUM_FULL;
}

/*
 * Sums are kept in 64 bits while they grow: one's complement knows no order,
 * and a carry is worth as much at the lower end.
 */
static __always_inline u64 kturn_sum_addr(const struct kturn_addr *addr)
{
	const u32 *word = (const u32 *)addr->ip;
	u64 sum = (u64)word[0] + (__force u16)addr->port;

	if (addr->family == KTURN_FAMILY_V6)
		sum += (u64)word[1] + word[2] + word[3];
	return sum;
}

/* Addresses, ports, and the length in the UDP and the pseudo header. */
static __always_inline u64 kturn_sum_tuple(const struct kturn_tuple *tuple,
					   unsigned int len)
{
	return kturn_sum_addr(&tuple->remote) + kturn_sum_addr(&tuple->local) +
	       2 * (u64)(__force u16)htons(len);
}

static __always_inline __wsum kturn_sum_fold(u64 sum)
{
	sum = (sum & U32_MAX) + (sum >> 32);
	return (__force __wsum)(u32)(sum + (sum >> 32));
}

/* What is before the data: a ChannelData header is one word. */
static __always_inline u64 kturn_sum_head(const void *head, unsigned int len)
{
	if (!len)
		return 0;
	if (likely(len == KTURN_CHAN_HDR_LEN))
		return get_unaligned((const u32 *)head);
	return (__force u32)csum_partial(head, len, 0);
}

/*
 * The sum of what will stand behind the new UDP header, from the old checksum
 * and what is taken away. Everything taken off the front has an even length.
 */
static __always_inline __wsum
kturn_csum_payload(const struct kturn_packet *pkt,
		   const struct kturn_forward *fwd, const struct udphdr *uh)
{
	unsigned int kept = fwd->skip + fwd->len;
	__wsum sum = ~csum_unfold(uh->check);
	u64 old;

	old = kturn_sum_tuple(&pkt->room->key.tuple, sizeof(*uh) + pkt->len) +
	      kturn_sum_head(uh + 1, fwd->skip);
	sum = csum_sub(sum, kturn_sum_fold(old));
	if (unlikely(kept < pkt->len))
		sum = csum_block_sub(sum, skb_checksum(pkt->skb,
						       pkt->off + kept,
						       pkt->len - kept, 0),
				     kept);
	return sum;
}

static __always_inline void
kturn_csum_set(struct sk_buff *skb, const struct kturn_forward *fwd,
	       struct udphdr *uh, enum kturn_csum kind, __wsum sum)
{
	const struct in6_addr *src = (struct in6_addr *)fwd->out->local.ip;
	const struct in6_addr *dst = (struct in6_addr *)fwd->out->remote.ip;
	unsigned int len = kturn_udp_len(fwd);
	bool v4 = fwd->family == KTURN_FAMILY_V4;
	__be32 saddr, daddr;
	u64 new;

	switch (kind) {
	case KTURN_CSUM_PARTIAL:
		memcpy(&saddr, fwd->out->local.ip, sizeof(saddr));
		memcpy(&daddr, fwd->out->remote.ip, sizeof(daddr));
		uh->check = v4 ?
			~csum_tcpudp_magic(saddr, daddr, len, IPPROTO_UDP, 0) :
			~csum_ipv6_magic(src, dst, len, IPPROTO_UDP, 0);
		skb->csum_start = skb_transport_header(skb) - skb->head;
		skb->csum_offset = offsetof(struct udphdr, check);
		return;
	case KTURN_CSUM_ZERO:
		uh->check = 0;
		return;
	case KTURN_CSUM_FULL:
		uh->check = 0;
		sum = skb_checksum(skb, skb_transport_offset(skb), len, 0);
		uh->check = csum_ipv6_magic(src, dst, len, IPPROTO_UDP, sum);
		break;
	case KTURN_CSUM_UPDATE:
		new = kturn_sum_tuple(fwd->out, len) +
		      kturn_sum_head(uh + 1, fwd->hdrlen);
		uh->check = csum_fold(csum_add(sum, kturn_sum_fold(new)));
		break;
	}
	/* RFC 768: zero would say that there is none. */
	if (!uh->check)
		uh->check = CSUM_MANGLED_0;
}

/* ip_fast_csum() of a header without options, without a loop. */
static __always_inline __sum16 kturn_ip4_sum(const struct iphdr *iph)
{
	const u32 *word = (const u32 *)iph;
	u64 sum = (u64)word[0] + word[1] + word[2] + word[3] + word[4];

	return csum_fold(kturn_sum_fold(sum));
}

static __always_inline void kturn_put_ip4(struct net *net, struct sk_buff *skb,
					  const struct kturn_forward *fwd)
{
	struct iphdr *iph = (struct iphdr *)skb->data;
	__be32 *word = (__be32 *)iph;

	skb->protocol = htons(ETH_P_IP);
	/* Version, header length, TOS, length. */
	word[0] = htonl(0x45000000 | fwd->tos << 16 | skb->len);
	/* RFC 6864: with DF set the identification says nothing. */
	word[1] = fwd->df ? htonl(IP_DF) : 0;
	/* TTL, protocol, checksum. */
	word[2] = htonl(fwd->ttl << 24 | IPPROTO_UDP << 16);
	word[3] = *(const __be32 *)fwd->out->local.ip;
	word[4] = *(const __be32 *)fwd->out->remote.ip;
	if (unlikely(!fwd->df))
		__ip_select_ident(net, iph, 1);
	iph->check = kturn_ip4_sum(iph);
}

static __always_inline void kturn_put_ip6(struct net *net, struct sk_buff *skb,
					  const struct kturn_forward *fwd)
{
	struct ipv6hdr *iph = (struct ipv6hdr *)skb->data;
	__be32 label = 0;

	if (likely(fwd->route))
		label = kturn_route_label(fwd->route, fwd->out->remote.port);
	if (unlikely(!label))
		label = kturn_flow_label(net, skb, fwd->out, fwd->route);

	skb->protocol = htons(ETH_P_IPV6);
	ip6_flow_hdr(iph, fwd->tos, label);
	iph->payload_len = htons(skb->len - sizeof(*iph));
	iph->nexthdr = IPPROTO_UDP;
	iph->hop_limit = fwd->ttl;
	memcpy(&iph->saddr, fwd->out->local.ip, sizeof(iph->saddr));
	memcpy(&iph->daddr, fwd->out->remote.ip, sizeof(iph->daddr));
}

/* rewrite.c */
extern siphash_key_t kturn_tid_key;

/*
 * A transaction id. RFC 8489 section 6: uniform, and cryptographically random;
 * of an indication it says nothing to anybody, so 64 bits that can't be told in
 * advance are enough, with the count to make it unique. The kernel's random
 * numbers would cost more than all the rest that is done for the packet.
 */
static __always_inline void kturn_make_tid(const struct kturn_net *kn,
					   u32 tid[3])
{
	u32 n = this_cpu_inc_return(kn->stats->tids);
	u64 hash;

	hash = siphash_1u64((u64)smp_processor_id() << 32 | n, &kturn_tid_key);
	tid[0] = hash;
	tid[1] = hash >> 32;
	tid[2] = n ^ tid[0];
}

/* What TURN puts before the data. */
static __always_inline void kturn_put_turn(const struct kturn_net *kn, u8 *buf,
					   const struct kturn_forward *fwd)
{
	u32 tid[KTURN_STUN_TID_LEN / sizeof(u32)] __uninitialized;

	if (!fwd->hdrlen)
		return;
	if (likely(fwd->hdrlen == KTURN_CHAN_HDR_LEN)) {
		kturn_channel_data_build(buf, fwd->number, fwd->len);
		return;
	}
	kturn_make_tid(kn, tid);
	kturn_data_ind_build(buf, (u8 *)tid, fwd->from, fwd->len);
}

/**
 * kturn_put_headers() - write what is before the data
 * @kn: namespace
 * @skb: with data where the IP header is to be, and of its final length
 * @fwd: what it is to be
 * @kind: how the checksum comes about
 * @sum: of the data
 */
static __always_inline void
kturn_put_headers(struct kturn_net *kn, struct sk_buff *skb,
		  const struct kturn_forward *fwd, enum kturn_csum kind,
		  __wsum sum)
{
	unsigned int ip_len = kturn_ip_len(fwd->family);
	struct udphdr *uh = (struct udphdr *)(skb->data + ip_len);

	skb_reset_network_header(skb);
	skb_set_transport_header(skb, ip_len);
	kturn_put_turn(kn, (u8 *)(uh + 1), fwd);
	uh->source = fwd->out->local.port;
	uh->dest = fwd->out->remote.port;
	uh->len = htons(skb->len - ip_len);
	kturn_csum_set(skb, fwd, uh, kind, sum);

	if (fwd->family == KTURN_FAMILY_V4)
		kturn_put_ip4(kn->net, skb, fwd);
	else
		kturn_put_ip6(kn->net, skb, fwd);
}

/**
 * kturn_rewrite_packet() - make the new packet out of the old one
 * @pkt: what came in, after kturn_rewrite_prepare()
 * @fwd: what is to be sent
 *
 * Return: 0, or -ENOMEM: then the packet is spoilt and can only be dropped.
 */
static __always_inline int
kturn_rewrite_packet(const struct kturn_packet *pkt,
		     const struct kturn_forward *fwd)
{
	struct sk_buff *skb = pkt->skb;
	struct udphdr *uh = (struct udphdr *)(skb->data + pkt->thoff);
	enum kturn_csum kind = kturn_csum_kind(skb, uh, fwd->family);
	unsigned int old = pkt->off + fwd->skip;
	unsigned int new = kturn_ip_len(fwd->family) + sizeof(*uh) +
			   fwd->hdrlen;
	__wsum sum = 0;

	if (kind == KTURN_CSUM_UPDATE)
		sum = kturn_csum_payload(pkt, fwd, uh);
	if (kind != KTURN_CSUM_PARTIAL)
		skb->ip_summed = CHECKSUM_NONE;

	if (unlikely(pskb_trim(skb, old + fwd->len)))
		return -ENOMEM;
	if (unlikely(fwd->pad)) {
		/* Knows what to do with fragments and clones. */
		if (__skb_pad(skb, fwd->pad, false))
			return -ENOMEM;
		__skb_put(skb, fwd->pad);
	}
	if (new > old)
		__skb_push(skb, new - old);
	else
		__skb_pull(skb, old - new);
	kturn_put_headers(pkt->kn, skb, fwd, kind, sum);
	return 0;
}

#endif /* _KTURN_REWRITE_H */
