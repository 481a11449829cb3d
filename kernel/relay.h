/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way of a packet through the module:
 *
 *   hook.c      takes it from netfilter
 *   packet.c    reads its headers
 *   relay.c     finds its entry and decides
 *   forward.c   header fields, sizes and routes; hairpins
 *   verdict.c   leaves it to the stack, or drops it
 *   rewrite.c   makes the packet that goes out
 *   xmit.c      sends it
 *
 * gso.c does that for each segment of a super-packet, icmp.c turns errors
 * into Data indications.
 */
#ifndef _KTURN_RELAY_H
#define _KTURN_RELAY_H

#include <linux/udp.h>

#include "account.h"

/* A packet's own, and one between two clients of this server. */
#define KTURN_HOPS_MAX	2

/* UDP header and as much payload as tells what it is. */
#define KTURN_PEEK	(sizeof(struct udphdr) + KTURN_STUN_HDR_LEN)

/**
 * struct kturn_packet - a UDP datagram that came in
 * @skb: with data at the IP header
 * @kn: namespace
 * @src: from
 * @dst: to
 * @l3mdev: VRF it came in through, or 0
 * @family: enum kturn_family
 * @tos: DSCP and ECN
 * @ttl: TTL or hop limit
 * @df: must not be fragmented: IPv4's DF, true of every IPv6 packet
 * @split: was part of a super-packet, so that it can't be punted
 * @unusual: -1, or the enum kturn_punt_reason why it can't be relayed here
 * @thoff: offset of the UDP header from skb->data
 * @off: offset of the UDP payload; of a segment's in a super-packet
 * @len: bytes of UDP payload
 * @headlen: bytes of it in @head
 * @head: the payload's first bytes; valid until the skb is changed
 */
struct kturn_packet {
	struct sk_buff *skb;
	struct kturn_net *kn;
	struct kturn_addr src;
	struct kturn_addr dst;
	u32 l3mdev;
	u8 family;
	u8 tos;
	u8 ttl;
	bool df;
	bool split;
	int unusual;
	unsigned int thoff;
	unsigned int off;
	unsigned int len;
	unsigned int headlen;
	const u8 *head;
};

/**
 * struct kturn_forward - what goes out instead
 * @src: from
 * @dst: to
 * @skip: bytes of payload to take off the front, a multiple of four
 * @len: bytes of payload to keep after them
 * @hdrlen: bytes of @hdr to put before them, a multiple of four
 * @pad: zero bytes to put after them, 0 to 3
 * @frag: largest IPv6 packet, longer ones are fragmented; 0: fits as it is
 * @tos: DSCP and ECN
 * @ttl: TTL or hop limit
 * @df: must not be fragmented
 * @hdr: ChannelData header, Data indication up to the data, or all of one that
 *	carries an ICMP error
 */
struct kturn_forward {
	struct kturn_addr src;
	struct kturn_addr dst;
	unsigned int skip;
	unsigned int len;
	unsigned int hdrlen;
	unsigned int pad;
	unsigned int frag;
	u8 tos;
	u8 ttl;
	bool df;
	u8 hdr[KTURN_ICMP_IND_MAX] __aligned(4);
};

/** enum kturn_outcome - what is to become of a packet */
enum kturn_outcome {
	KTURN_PASS,		/* no entry, no business */
	KTURN_FORWARD,
	KTURN_PUNT,
	KTURN_DROP,
};

/**
 * struct kturn_plan - what is to become of a packet, and all that it needs
 * @outcome: of the members below, those for it are set
 * @reason: enum kturn_punt_reason or kturn_drop_reason
 * @alloc: whose the packet is, of what is punted or dropped
 * @mtu: for a drop as too big: what to tell the sender, 0 for nothing
 * @dont_fragment: the client asked for it (RFC 8656 section 14)
 * @default_ttl: the TTL is to be the route's default
 * @n_hops: how many of @hop
 * @hop: who relays it, in turn
 * @dst: its route; no reference, good for the RCU read section
 * @fwd: what goes out
 *
 * Making a plan changes nothing and counts nothing, so that it can be done for
 * each segment of a super-packet before any of them is touched.
 */
struct kturn_plan {
	enum kturn_outcome outcome;
	int reason;
	struct kturn_alloc *alloc;
	unsigned int mtu;
	bool dont_fragment;
	bool default_ttl;
	unsigned int n_hops;
	struct kturn_account hop[KTURN_HOPS_MAX];
	struct dst_entry *dst;
	struct kturn_forward fwd;
};

/** kturn_plan_alloc() - whose the packet is, if it is one of ours */
static inline struct kturn_alloc *
kturn_plan_alloc(const struct kturn_plan *plan)
{
	return plan->outcome == KTURN_FORWARD ? plan->hop[0].alloc :
						plan->alloc;
}

/* packet.c */
bool kturn_packet_read(struct kturn_packet *pkt, struct sk_buff *skb,
		       struct kturn_net *kn, u32 l3mdev, u8 family,
		       u8 buf[KTURN_PEEK]);

/* relay.c */

/**
 * struct kturn_binding - what an allocation knows of a peer
 * @alloc: the relayed address's
 * @chan: the peer's channel, or NULL
 * @perm: the peer's permission, expired perhaps, or NULL
 */
struct kturn_binding {
	struct kturn_alloc *alloc;
	struct kturn_chan *chan;
	struct kturn_perm *perm;
};

bool kturn_bound(struct kturn_net *kn, const struct kturn_addr *relay,
		 const struct kturn_addr *peer, u32 l3mdev, u64 now,
		 struct kturn_binding *b);
void kturn_decide(struct kturn_packet *pkt, struct kturn_plan *plan);
unsigned int kturn_relay(struct kturn_packet *pkt);

/* forward.c */
void kturn_plan_begin(struct kturn_plan *plan, const struct kturn_packet *pkt);
void kturn_plan_to_peer(struct kturn_packet *pkt, struct kturn_plan *plan,
			struct kturn_alloc *alloc, struct kturn_chan *chan,
			struct kturn_route __rcu **slot);
void kturn_plan_to_client(struct kturn_packet *pkt, struct kturn_plan *plan,
			  const struct kturn_binding *b,
			  const struct kturn_addr *peer);

/* verdict.c */
int kturn_droppable(const struct kturn_packet *pkt);
int kturn_admit(struct kturn_packet *pkt, struct kturn_source *source);
int kturn_droppable(const struct kturn_packet *pkt);
bool kturn_for_host(struct kturn_net *kn, const struct sk_buff *skb, u8 family);
void kturn_plan_punt(struct kturn_plan *plan, struct kturn_alloc *alloc,
		     enum kturn_punt_reason reason);
void kturn_plan_drop(struct kturn_plan *plan, struct kturn_alloc *alloc,
		     enum kturn_drop_reason reason);
void kturn_plan_refuse(struct kturn_packet *pkt, struct kturn_plan *plan,
		       struct kturn_alloc *alloc, enum kturn_drop_reason drop,
		       enum kturn_punt_reason punt);
void kturn_refuse_peer(struct kturn_packet *pkt, struct kturn_plan *plan,
		       struct kturn_alloc *alloc);
unsigned int kturn_carry_out(struct kturn_packet *pkt, struct kturn_plan *plan);

/* gso.c */
unsigned int kturn_relay_segments(struct kturn_packet *pkt);

/* icmp.c */
void kturn_icmp4(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev);
void kturn_icmp6(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev);

/* rewrite.c */
unsigned int kturn_forward_len(const struct kturn_forward *fwd);
int kturn_rewrite_prepare(struct kturn_packet *pkt,
			  const struct kturn_forward *fwd,
			  struct dst_entry *dst);
int kturn_rewrite(struct kturn_packet *pkt, const struct kturn_forward *fwd);
struct sk_buff *kturn_make(struct net *net, const struct kturn_forward *fwd,
			   struct dst_entry *dst);

/* xmit.c */
void kturn_xmit(struct kturn_net *kn, struct sk_buff *skb,
		struct dst_entry *dst, const struct kturn_forward *fwd);
void kturn_ttl_exceeded(struct kturn_packet *pkt);
void kturn_too_big(struct kturn_packet *pkt, u32 mtu);

#endif /* _KTURN_RELAY_H */
