/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way of a packet through the module:
 *
 *   hook.c      takes it from netfilter, at PRE_ROUTING
 *   ingress.c   the same, where it comes out of an attached device
 *   packet.h    reads its headers
 *   decide.h    finds its entry and decides
 *   admit.h     whether it may be relayed here at all
 *   forward.h   header fields, sizes and routes; hairpins
 *   fast.c      all of that and the next two, for what most packets are
 *   relay.c     the same for the others, and who calls it for those
 *   rewrite.h   makes the packet that goes out
 *   account.h   counts it
 *   xmit.c      sends it
 *   verdict.c   leaves it to the stack, or drops it
 *
 * gso.c does that for each segment of a super-packet, icmp.c turns errors
 * into Data indications.
 *
 * The headers' functions are compiled twice: in relay.c as they stand, and in
 * fast.c with KTURN_FAST: what is unusual is left to relay.c then, and of what
 * they are given no address leaves them, so that it can live in registers. What
 * needs an address is in struct kturn_room.
 */
#ifndef _KTURN_RELAY_H
#define _KTURN_RELAY_H

#include <linux/udp.h>

#include "kturn.h"

#ifndef KTURN_FAST
#define KTURN_FAST	false
#endif

/* UDP header and as much payload as tells what it is. */
#define KTURN_PEEK	(sizeof(struct udphdr) + KTURN_STUN_HDR_LEN)

/**
 * struct kturn_room - what struct kturn_packet and kturn_plan point to
 * @key: from and to, and the channel number where it is looked for
 * @peer: of a Send indication: from the relayed address to the peer
 * @in: of a hairpin: what the other client's relayed address gets
 * @buf: the payload's first bytes, where they lie in pieces
 */
struct kturn_room {
	struct kturn_number_key key;
	struct kturn_tuple peer;
	struct kturn_tuple in;
	u8 buf[KTURN_PEEK] __aligned(4);
};

/**
 * struct kturn_packet - a UDP datagram that came in
 * @skb: with data at the IP header
 * @kn: namespace
 * @room: the addresses and more
 * @head: the payload's first bytes; valid until the skb is changed
 * @unusual: -1, or the enum kturn_punt_reason why it can't be relayed here
 * @thoff: offset of the UDP header from skb->data
 * @off: offset of the UDP payload; of a segment's in a super-packet
 * @len: bytes of UDP payload
 * @headlen: bytes of it in @head
 * @family: enum kturn_family
 * @tos: DSCP and ECN
 * @ttl: TTL or hop limit
 * @df: must not be fragmented: IPv4's DF, true of every IPv6 packet
 * @split: was part of a super-packet, so that it can't be punted
 * @early: at a device's ingress: what is not relayed there is looked at again
 *	at PRE_ROUTING, and counted there
 */
struct kturn_packet {
	struct sk_buff *skb;
	struct kturn_net *kn;
	struct kturn_room *room;
	const u8 *head;
	int unusual;
	unsigned int thoff;
	unsigned int off;
	unsigned int len;
	unsigned int headlen;
	u8 family;
	u8 tos;
	u8 ttl;
	bool df;
	bool split;
	bool early;
};

/**
 * struct kturn_account - what a relayed packet counts for
 * @alloc: allocation
 * @chan: channel, or NULL
 * @dir: direction
 * @family: of the relayed side: the peer's
 */
struct kturn_account {
	struct kturn_alloc *alloc;
	struct kturn_chan *chan;
	enum kturn_dir dir;
	u8 family;
};

/**
 * struct kturn_forward - what goes out instead
 * @out: from its local address to its remote one
 * @family: enum kturn_family of both
 * @route: where the flow label is remembered, or NULL
 * @skip: bytes of payload to take off the front, a multiple of four
 * @len: bytes of payload to keep after them
 * @hdrlen: bytes to put before them, a multiple of four: by the length, a
 *	ChannelData header, or a Data indication up to the data
 * @number: channel number
 * @from: whom the Data indication names
 * @pad: zero bytes to put after them, 0 to 3
 * @frag: largest IPv6 packet, longer ones are fragmented; 0: fits as it is
 * @tos: DSCP and ECN
 * @ttl: TTL or hop limit
 * @df: must not be fragmented
 */
struct kturn_forward {
	const struct kturn_tuple *out;
	u8 family;
	struct kturn_route *route;
	unsigned int skip;
	unsigned int len;
	unsigned int hdrlen;
	u16 number;
	const struct kturn_addr *from;
	unsigned int pad;
	unsigned int frag;
	u8 tos;
	u8 ttl;
	bool df;
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
 * @hop: who relays it
 * @next: who does so after that: another client of this server; or no alloc
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
	struct kturn_account hop;
	struct kturn_account next;
	struct dst_entry *dst;
	struct kturn_forward fwd;
};

/** kturn_plan_alloc() - whose the packet is, if it is one of ours */
static inline struct kturn_alloc *
kturn_plan_alloc(const struct kturn_plan *plan)
{
	return plan->outcome == KTURN_FORWARD ? plan->hop.alloc : plan->alloc;
}

/** kturn_plan_punt() - the packet is to be left to the stack */
static __always_inline void kturn_plan_punt(struct kturn_plan *plan,
					    struct kturn_alloc *alloc,
					    enum kturn_punt_reason reason)
{
	plan->outcome = KTURN_PUNT;
	plan->alloc = alloc;
	plan->reason = reason;
}

/** kturn_plan_drop() - the packet is to be dropped */
static __always_inline void kturn_plan_drop(struct kturn_plan *plan,
					    struct kturn_alloc *alloc,
					    enum kturn_drop_reason reason)
{
	plan->outcome = KTURN_DROP;
	plan->alloc = alloc;
	plan->reason = reason;
}

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

/* fast.c */
unsigned int kturn_fast4(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev,
			 bool early);
unsigned int kturn_fast6(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev,
			 bool early);

/* relay.c */
bool kturn_bound(struct kturn_net *kn, const struct kturn_tuple *in, u64 now,
		 struct kturn_binding *b);
void kturn_decide(struct kturn_packet *pkt, struct kturn_plan *plan);
unsigned int kturn_relay(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev,
			 u8 family, bool early);

/* verdict.c */
int kturn_droppable(const struct kturn_packet *pkt);
void kturn_refuse(struct kturn_packet *pkt, struct kturn_plan *plan,
		  struct kturn_alloc *alloc, enum kturn_drop_reason drop,
		  enum kturn_punt_reason punt);
unsigned int kturn_carry_out(struct kturn_packet *pkt, struct kturn_plan *plan);
unsigned int kturn_spoilt(struct sk_buff *skb, struct kturn_net *kn,
			  struct kturn_room *room, u8 family,
			  struct kturn_alloc *alloc);

/**
 * kturn_plan_refuse() - the packet has no business here
 * @pkt: packet
 * @plan: result
 * @alloc: whose it is
 * @drop: why, if the allocation is exclusive
 * @punt: why, if it is not, and the owner may know better
 *
 * A segment is dropped alone: see kturn_relay_segments().
 *
 * Context: RCU.
 */
static __always_inline void
kturn_plan_refuse(struct kturn_packet *pkt, struct kturn_plan *plan,
		  struct kturn_alloc *alloc, enum kturn_drop_reason drop,
		  enum kturn_punt_reason punt)
{
	if (KTURN_FAST)
		plan->outcome = KTURN_DROP;
	else
		kturn_refuse(pkt, plan, alloc, drop, punt);
}

/** kturn_refuse_peer() - to or from a peer without a permission */
static __always_inline void kturn_refuse_peer(struct kturn_packet *pkt,
					      struct kturn_plan *plan,
					      struct kturn_alloc *alloc)
{
	kturn_plan_refuse(pkt, plan, alloc, KTURN_DROP_REASON_NO_PERMISSION,
			  KTURN_PUNT_REASON_NO_PERMISSION);
}

/* gso.c */
unsigned int kturn_relay_segments(struct kturn_packet *pkt);

/* icmp.c */
void kturn_icmp4(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev);
void kturn_icmp6(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev);

/* rewrite.c */
void kturn_rewrite_init(void);
__be32 kturn_flow_label(struct net *net, struct sk_buff *skb,
			const struct kturn_tuple *out,
			struct kturn_route *route);
int kturn_rewrite(struct kturn_packet *pkt, const struct kturn_forward *fwd);
struct sk_buff *kturn_make(struct kturn_net *kn,
			   const struct kturn_forward *fwd,
			   struct dst_entry *dst, const u8 *payload);

/* xmit.c */
void kturn_xmit(struct kturn_net *kn, struct sk_buff *skb,
		struct dst_entry *dst, const struct kturn_forward *fwd);
void kturn_xmit_direct(struct net *net, struct sk_buff *skb,
		       struct dst_entry *dst, u8 family, u8 tos, bool early);
void kturn_ttl_exceeded(struct kturn_packet *pkt);
void kturn_too_big(struct kturn_packet *pkt, u32 mtu);

/* account.c */
void kturn_account_drop(const struct kturn_packet *pkt,
			struct kturn_alloc *alloc,
			enum kturn_drop_reason reason);
void kturn_account_punt(const struct kturn_packet *pkt,
			struct kturn_alloc *alloc,
			enum kturn_punt_reason reason);
void kturn_account_sum(const struct kturn_alloc *alloc, enum kturn_dir dir,
		       u8 family, struct kturn_count *sum);
void kturn_account_chan_sum(const struct kturn_chan *chan, enum kturn_dir dir,
			    struct kturn_count *sum);
bool kturn_account_idle(const struct kturn_alloc *alloc, u32 *ms);
enum kturn_dir kturn_account_dir(const struct kturn_packet *pkt,
				 const struct kturn_alloc *alloc);
u8 kturn_account_out(const struct kturn_packet *pkt,
		     const struct kturn_alloc *alloc);
enum skb_drop_reason kturn_account_reason(enum kturn_drop_reason reason);

#endif /* _KTURN_RELAY_H */
