// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors that come back for relayed packets (RFC 8656 section 11.5): the
 * client is told by a Data indication, and the error goes on to the stack,
 * which learns the path MTU from it.
 *
 * What is relayed has no conntrack entry, so that such an error would be
 * "invalid" to a firewall, and path MTU discovery would end there; hence it is
 * marked untracked.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/random.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/ip6_route.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "admit.h"
#include "limit.h"
#include "rewrite.h"
#include "table.h"

/**
 * struct kturn_error - an ICMP error and the packet that it quotes
 * @skb: with data at the outer IP header
 * @kn: namespace
 * @family: enum kturn_family
 * @thoff: offset of the ICMP header
 * @type: ICMP type
 * @code: ICMP code
 * @data: the MTU, where there is one
 * @tuple: the quoted packet's: it was sent from the local address to the remote
 */
struct kturn_error {
	struct sk_buff *skb;
	struct kturn_net *kn;
	u8 family;
	unsigned int thoff;
	u8 type;
	u8 code;
	u32 data;
	struct kturn_tuple tuple;
};

/* Would the stack itself listen to it? */
static bool kturn_error_valid(const struct kturn_error *e)
{
	struct kturn_source none = {};
	struct kturn_packet pkt = {
		.skb = e->skb,
		.kn = e->kn,
		.family = e->family,
		.thoff = e->thoff,
		.unusual = -1,
	};

	if (e->family == KTURN_FAMILY_V4) {
		pkt.tos = ip_hdr(e->skb)->tos;
		return kturn_admit(&pkt, &none) < 0 &&
		       !nf_ip_checksum(e->skb, NF_INET_PRE_ROUTING, e->thoff,
				       IPPROTO_ICMP);
	}
	return kturn_admit(&pkt, &none) < 0 &&
	       !nf_ip6_checksum(e->skb, NF_INET_PRE_ROUTING, e->thoff,
				IPPROTO_ICMPV6);
}

static void kturn_error_tell(const struct kturn_error *e,
			     struct kturn_alloc *alloc)
{
	u32 tid[KTURN_STUN_TID_LEN / sizeof(u32)] = {
		get_random_u32(), get_random_u32(), get_random_u32(),
	};
	struct kturn_forward fwd = {
		.out = &alloc->tuple,
		.family = alloc->tuple.remote.family,
	};
	u8 payload[KTURN_ICMP_IND_MAX];
	struct kturn_way way;
	struct sk_buff *skb;

	if (kturn_route_lookup(e->kn->net, &alloc->route, fwd.out, &way))
		return;
	fwd.route = way.route;
	fwd.ttl = fwd.family == KTURN_FAMILY_V4 ?
		  ip4_dst_hoplimit(way.dst) : ip6_dst_hoplimit(way.dst);
	fwd.len = kturn_icmp_ind_build(payload, (u8 *)tid, &e->tuple.remote,
				       e->type, e->code, e->data);
	if (!fwd.len)
		return;
	skb = kturn_make(e->kn, &fwd, way.dst, payload);
	if (!skb)
		return;
	kturn_stats_icmp(e->kn);
	kturn_xmit(e->kn, skb, way.dst, &fwd);
}

/* The quoted packet was one to a client: nobody to tell. */
static bool kturn_error_to_client(const struct kturn_error *e)
{
	struct kturn_alloc *alloc = kturn_tuple_lookup(e->kn, &e->tuple);

	return alloc && kturn_alive(&alloc->expires, kturn_now());
}

/*
 * The permission that counts is that of the address the quoted packet was for;
 * who sends the error may be any router on the way.
 */
static void kturn_error(const struct kturn_error *e)
{
	u64 now = kturn_now();
	struct kturn_binding b;
	bool tell;

	tell = kturn_bound(e->kn, &e->tuple, now, &b) &&
	       b.perm && kturn_alive(&b.perm->expires, now);
	if (!tell && !kturn_error_to_client(e))
		return;
	if (!kturn_error_valid(e))
		return;
	if (!skb_nfct(e->skb))
		nf_ct_set(e->skb, NULL, IP_CT_UNTRACKED);
	if (tell && kturn_limit_icmp_ind(e->kn, b.alloc))
		kturn_error_tell(e, b.alloc);
}

/* The quoted UDP header, at @off. */
static bool kturn_error_ports(struct kturn_error *e, unsigned int off)
{
	const struct udphdr *uh;
	struct udphdr buf;

	uh = skb_header_pointer(e->skb, off, sizeof(buf), &buf);
	if (!uh)
		return false;
	e->tuple.local.port = uh->source;
	e->tuple.remote.port = uh->dest;
	return true;
}

static bool kturn_error_read4(struct kturn_error *e)
{
	const struct iphdr *iph = ip_hdr(e->skb);
	const struct icmphdr *icmph;
	struct icmphdr icmp_buf;
	struct iphdr ip_buf;
	unsigned int off;

	if (ip_is_fragment(iph))
		return false;
	e->thoff = iph->ihl * 4;
	icmph = skb_header_pointer(e->skb, e->thoff, sizeof(icmp_buf),
				   &icmp_buf);
	if (!icmph || (icmph->type != ICMP_DEST_UNREACH &&
		       icmph->type != ICMP_TIME_EXCEEDED))
		return false;
	e->type = icmph->type;
	e->code = icmph->code;
	if (e->type == ICMP_DEST_UNREACH && e->code == ICMP_FRAG_NEEDED)
		e->data = ntohs(icmph->un.frag.mtu);

	off = e->thoff + sizeof(*icmph);
	iph = skb_header_pointer(e->skb, off, sizeof(ip_buf), &ip_buf);
	if (!iph || iph->version != 4 || iph->ihl < 5 ||
	    iph->protocol != IPPROTO_UDP || iph->frag_off & htons(IP_OFFSET))
		return false;
	e->tuple.local.family = KTURN_FAMILY_V4;
	memcpy(e->tuple.local.ip, &iph->saddr, sizeof(iph->saddr));
	e->tuple.remote.family = KTURN_FAMILY_V4;
	memcpy(e->tuple.remote.ip, &iph->daddr, sizeof(iph->daddr));
	return kturn_error_ports(e, off + iph->ihl * 4);
}

/**
 * kturn_icmp4() - look at an ICMP packet
 * @skb: stays as it is, but may be marked untracked
 * @kn: namespace
 * @l3mdev: VRF it came in through, or 0
 *
 * Context: RCU.
 */
void kturn_icmp4(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev)
{
	struct kturn_error e = {
		.skb = skb,
		.kn = kn,
		.tuple.l3mdev = l3mdev,
		.family = KTURN_FAMILY_V4,
	};

	if (kturn_error_read4(&e))
		kturn_error(&e);
}

static bool kturn_error_read6(struct kturn_error *e)
{
	const struct icmp6hdr *icmph;
	struct icmp6hdr icmp_buf;
	const struct ipv6hdr *iph;
	struct ipv6hdr ip_buf;
	__be16 frag_off;
	int off;
	u8 next;

	e->thoff = sizeof(struct ipv6hdr);
	icmph = skb_header_pointer(e->skb, e->thoff, sizeof(icmp_buf),
				   &icmp_buf);
	if (!icmph || (icmph->icmp6_type != ICMPV6_DEST_UNREACH &&
		       icmph->icmp6_type != ICMPV6_PKT_TOOBIG &&
		       icmph->icmp6_type != ICMPV6_TIME_EXCEED))
		return false;
	e->type = icmph->icmp6_type;
	e->code = icmph->icmp6_code;
	if (e->type == ICMPV6_PKT_TOOBIG)
		e->data = ntohl(icmph->icmp6_mtu);

	off = e->thoff + sizeof(*icmph);
	iph = skb_header_pointer(e->skb, off, sizeof(ip_buf), &ip_buf);
	if (!iph || iph->version != 6)
		return false;
	e->tuple.local.family = KTURN_FAMILY_V6;
	memcpy(e->tuple.local.ip, &iph->saddr, sizeof(iph->saddr));
	e->tuple.remote.family = KTURN_FAMILY_V6;
	memcpy(e->tuple.remote.ip, &iph->daddr, sizeof(iph->daddr));
	next = iph->nexthdr;
	/* What was sent may have been a fragment. */
	off = ipv6_skip_exthdr(e->skb, off + sizeof(*iph), &next, &frag_off);
	if (off < 0 || next != IPPROTO_UDP || frag_off & htons(~0x7))
		return false;
	return kturn_error_ports(e, off);
}

/**
 * kturn_icmp6() - look at an ICMPv6 packet
 * @skb: stays as it is, but may be marked untracked
 * @kn: namespace
 * @l3mdev: VRF it came in through, or 0
 *
 * Context: RCU.
 */
void kturn_icmp6(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev)
{
	struct kturn_error e = {
		.skb = skb,
		.kn = kn,
		.tuple.l3mdev = l3mdev,
		.family = KTURN_FAMILY_V6,
	};

	if (kturn_error_read6(&e))
		kturn_error(&e);
}
