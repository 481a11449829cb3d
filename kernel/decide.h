/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Find the entry a packet belongs to.
 *
 *   from the client   (5-tuple, channel number) -> channel     ChannelData
 *                     (5-tuple) -> allocation, permission      Send indication
 *   from a peer       (5-tuple) -> channel                     to ChannelData
 *                     (relayed address) -> allocation, permission
 *                                                       to a Data indication
 *
 * No entry, no business.
 */
#ifndef _KTURN_DECIDE_H
#define _KTURN_DECIDE_H

#include "admit.h"
#include "forward.h"
#include "relay.h"
#include "table.h"

/* What may follow the data in a Send indication: a FINGERPRINT takes 8. */
#define KTURN_SEND_TAIL_MAX	64
/* Enough for the attributes that real clients put before the data. */
#define KTURN_SEND_HEAD		128

/* ------------------------------------------------------------ from clients */

/**
 * struct kturn_sender - a client that sends to a peer
 * @alloc: its allocation
 * @chan: the peer's channel, or NULL
 * @route: where the way to the peer is remembered
 */
struct kturn_sender {
	struct kturn_alloc *alloc;
	struct kturn_chan *chan;
	struct kturn_route __rcu **route;
};

/*
 * These read what a client sends. Return: false if it is not to be relayed;
 * then @plan says what becomes of it. The number of a channel that is bound is
 * a channel's, so the length is all that is left to check.
 */
static __always_inline bool kturn_from_channel(struct kturn_packet *pkt,
					       struct kturn_plan *plan,
					       struct kturn_sender *from)
{
	unsigned int len = kturn_get16(pkt->head + 2);
	int reason;

	reason = kturn_admit(pkt, &from->alloc->source);
	if (likely(reason < 0) &&
	    unlikely(len > pkt->len - KTURN_CHAN_HDR_LEN))
		reason = KTURN_PUNT_REASON_MALFORMED;
	if (unlikely(reason >= 0)) {
		kturn_plan_punt(plan, from->alloc, reason);
		return false;
	}
	kturn_plan_begin(plan, pkt);
	plan->fwd.out = &from->chan->peer_key;
	plan->fwd.family = from->chan->peer_key.remote.family;
	plan->fwd.skip = KTURN_CHAN_HDR_LEN;
	plan->fwd.len = len;
	from->route = &from->chan->route;
	return true;
}

/* The attributes behind the data, which may lie in page fragments. */
static inline int kturn_send_tail(const struct kturn_packet *pkt,
				  struct kturn_send *send)
{
	unsigned int off = pkt->off + send->tail_off;
	u8 buf[KTURN_SEND_TAIL_MAX];
	const u8 *tail;

	if (!send->tail_len)
		return 0;
	if (send->tail_len > sizeof(buf))
		return -EOPNOTSUPP;
	tail = skb_header_pointer(pkt->skb, off, send->tail_len, buf);
	if (!tail)
		return -EBADMSG;
	return kturn_send_parse_tail(tail, send->tail_len, send);
}

/*
 * A packet with more before its data is made linear; the segments of a
 * super-packet must stay as they are.
 */
static inline int kturn_send_read(const struct kturn_packet *pkt,
				  struct kturn_send *send)
{
	unsigned int avail = min_t(unsigned int, pkt->len, KTURN_SEND_HEAD);
	struct sk_buff *skb = pkt->skb;
	u8 buf[KTURN_SEND_HEAD];
	const u8 *head;
	int err;

	/* All that is in one piece. */
	if (skb_headlen(skb) > pkt->off + avail)
		avail = min_t(unsigned int, pkt->len,
			      skb_headlen(skb) - pkt->off);
	head = skb_header_pointer(skb, pkt->off, avail, buf);
	if (!head)
		return -EBADMSG;
	err = kturn_send_parse(head, avail, pkt->len, send);
	if (err == -EMSGSIZE) {
		if (skb_is_gso(skb) || !pskb_may_pull(skb, pkt->off + pkt->len))
			return -ENOMEM;
		err = kturn_send_parse(skb->data + pkt->off, pkt->len,
				       pkt->len, send);
	}
	return err ?: kturn_send_tail(pkt, send);
}

/* The same in short: all but the data in one piece, and nothing behind it. */
static __always_inline int kturn_send_whole(const struct kturn_packet *pkt,
					    struct kturn_send *send)
{
	unsigned int avail = min_t(unsigned int, pkt->len,
				   skb_headlen(pkt->skb) - pkt->off);

	return kturn_send_parse(pkt->head, avail, pkt->len, send) ?:
	       send->tail_len;
}

static __always_inline int kturn_send_reason(int err)
{
	switch (err) {
	case -ENOMEM:
		return KTURN_PUNT_REASON_NO_MEMORY;
	case -EOPNOTSUPP:
		return KTURN_PUNT_REASON_ATTRIBUTE;
	default:
		return KTURN_PUNT_REASON_MALFORMED;
	}
}

/* RFC 8656 section 11.2 */
static __always_inline bool kturn_from_send(struct kturn_packet *pkt,
					    struct kturn_plan *plan,
					    struct kturn_sender *from, u64 now)
{
	struct kturn_tuple *peer = &pkt->room->peer;
	struct kturn_send send __uninitialized;
	struct kturn_alloc *alloc = from->alloc;
	struct kturn_perm_key key;
	struct kturn_relay *relay;
	struct kturn_perm *perm;
	int reason, err;

	reason = kturn_admit(pkt, &alloc->source);
	if (unlikely(reason >= 0)) {
		kturn_plan_punt(plan, alloc, reason);
		return false;
	}
	err = KTURN_FAST ? kturn_send_whole(pkt, &send) :
			  kturn_send_read(pkt, &send);
	if (unlikely(err)) {
		kturn_plan_punt(plan, alloc, kturn_send_reason(err));
		return false;
	}
	relay = &alloc->relay[kturn_family_index(send.peer.family)];
	if (unlikely(!relay->key.relay.family || !send.peer.port)) {
		kturn_plan_punt(plan, alloc, KTURN_PUNT_REASON_PEER);
		return false;
	}
	key.peer = send.peer;
	key.peer.port = 0;
	key.alloc_id = alloc->id;
	perm = kturn_perm_lookup(pkt->kn, &key);
	if (unlikely(!perm || !kturn_alive(&perm->expires, now))) {
		kturn_refuse_peer(pkt, plan, alloc);
		return false;
	}

	kturn_plan_begin(plan, pkt);
	peer->local = relay->key.relay;
	peer->remote = send.peer;
	peer->l3mdev = relay->key.l3mdev;
	plan->fwd.out = peer;
	plan->fwd.family = peer->remote.family;
	plan->fwd.skip = send.data_off;
	plan->fwd.len = send.data_len;
	plan->dont_fragment = send.dont_fragment;
	from->route = &perm->route;
	return true;
}

static __always_inline bool kturn_from_client(struct kturn_packet *pkt,
					      struct kturn_plan *plan,
					      struct kturn_sender *from,
					      u64 now)
{
	switch (kturn_wire_kind(pkt->head, pkt->headlen)) {
	case KTURN_KIND_CHANNEL:
		kturn_plan_refuse(pkt, plan, from->alloc,
				  KTURN_DROP_REASON_NO_CHANNEL,
				  KTURN_PUNT_REASON_NO_CHANNEL);
		return false;
	case KTURN_KIND_STUN:
		if (kturn_get16(pkt->head) == KTURN_TYPE_SEND_IND)
			return kturn_from_send(pkt, plan, from, now);
		kturn_plan_punt(plan, from->alloc, KTURN_PUNT_REASON_CONTROL);
		return false;
	default:
		kturn_plan_punt(plan, from->alloc, KTURN_PUNT_REASON_OTHER);
		return false;
	}
}

/* The live channel that a packet is for, as its first bytes say. */
static __always_inline struct kturn_chan *
kturn_chan_of(struct kturn_packet *pkt, u64 now)
{
	struct kturn_chan *chan;

	if (kturn_wire_kind(pkt->head, pkt->headlen) != KTURN_KIND_CHANNEL)
		return NULL;
	pkt->room->key.number = kturn_get16(pkt->head);
	chan = kturn_number_lookup(pkt->kn, &pkt->room->key);
	if (unlikely(!chan) || !kturn_alive(&chan->expires, now) ||
	    !kturn_alive(&chan->alloc->expires, now))
		return NULL;
	return chan;
}

/*
 * These try what a packet may be. Return: is it that? If not, @plan is
 * unchanged. @local: kturn_plan_hairpin() is next.
 *
 * First, ChannelData on a channel that is bound.
 */
static __always_inline bool kturn_try_channel(struct kturn_packet *pkt,
					      struct kturn_plan *plan, u64 now,
					      bool *local)
{
	struct kturn_sender from;

	from.chan = kturn_chan_of(pkt, now);
	if (!from.chan)
		return false;
	from.alloc = from.chan->alloc;
	if (likely(kturn_from_channel(pkt, plan, &from)))
		*local = kturn_plan_to_peer(pkt, plan, from.alloc, from.chan,
					    from.route);
	return true;
}

/* Anything else from a client. */
static __always_inline bool kturn_try_client(struct kturn_packet *pkt,
					     struct kturn_plan *plan, u64 now,
					     bool *local)
{
	struct kturn_sender from = { .chan = NULL };

	from.alloc = kturn_tuple_lookup(pkt->kn, &pkt->room->key.tuple);
	if (!from.alloc || unlikely(!kturn_alive(&from.alloc->expires, now)))
		return false;
	if (likely(kturn_from_client(pkt, plan, &from, now)))
		*local = kturn_plan_to_peer(pkt, plan, from.alloc, NULL,
					    from.route);
	return true;
}

/* -------------------------------------------------------------- from peers */

/*
 * RFC 8656 sections 11.3 and 12.7; over a channel too the permission counts
 * (section 9).
 */
static __always_inline void kturn_from_peer(struct kturn_packet *pkt,
					    struct kturn_plan *plan,
					    const struct kturn_binding *b,
					    u64 now)
{
	int reason;

	if (unlikely(!b->perm || !kturn_alive(&b->perm->expires, now)))
		return kturn_refuse_peer(pkt, plan, b->alloc);
	reason = kturn_admit(pkt, &b->perm->source);
	if (unlikely(reason >= 0))
		return kturn_plan_punt(plan, b->alloc, reason);
	kturn_plan_begin(plan, pkt);
	plan->fwd.skip = 0;
	plan->fwd.len = pkt->len;
	kturn_plan_to_client(pkt, plan, &plan->hop, b,
			     &pkt->room->key.tuple.remote, now);
}

/* From a peer that has a channel. */
static __always_inline bool kturn_try_peer_channel(struct kturn_packet *pkt,
						   struct kturn_plan *plan,
						   u64 now)
{
	struct kturn_binding b;

	if (!kturn_bound_chan(pkt->kn, &pkt->room->key.tuple, now, &b))
		return false;
	kturn_from_peer(pkt, plan, &b, now);
	return true;
}

/* From any other peer to a relayed address. */
static __always_inline bool kturn_try_peer(struct kturn_packet *pkt,
					   struct kturn_plan *plan, u64 now)
{
	struct kturn_binding b;

	if (!kturn_bound_relay(pkt->kn, &pkt->room->key.tuple, now, &b))
		return false;
	kturn_from_peer(pkt, plan, &b, now);
	return true;
}

/* ------------------------------------------------------------------- both */

/**
 * kturn_like_client() - does it look as if from a client?
 * @pkt: packet
 *
 * What does begins with the bits 00 or 01 (RFC 7983), so that is tried first
 * then; peers may send anything.
 */
static __always_inline bool kturn_like_client(const struct kturn_packet *pkt)
{
	return pkt->headlen && !(pkt->head[0] & 0x80);
}

#endif /* _KTURN_DECIDE_H */
