// SPDX-License-Identifier: GPL-2.0
/*
 * The relay: find the entry a packet belongs to.
 *
 *   from the client   (5-tuple, channel number) -> channel     ChannelData
 *                     (5-tuple) -> allocation, permission      Send indication
 *   from a peer       (relayed address, peer) -> channel       to ChannelData
 *                     (relayed address) -> allocation, permission
 *                                                       to a Data indication
 *
 * No entry, no business: NF_ACCEPT.
 */
#include "relay.h"

/* What may follow the data in a Send indication: a FINGERPRINT takes 8. */
#define KTURN_SEND_TAIL_MAX	64
/* Enough for the attributes that real clients put before the data. */
#define KTURN_SEND_HEAD		128

/* ------------------------------------------------------------ from clients */

static void kturn_from_channel(struct kturn_packet *pkt,
			       struct kturn_plan *plan, struct kturn_chan *chan)
{
	struct kturn_alloc *alloc = chan->alloc;
	struct kturn_channel_data cd;
	int reason;

	reason = kturn_admit(pkt, &alloc->source);
	if (unlikely(reason >= 0))
		return kturn_plan_punt(plan, alloc, reason);
	if (unlikely(kturn_channel_data_parse(pkt->head, pkt->headlen, pkt->len,
					      &cd)))
		return kturn_plan_punt(plan, alloc,
				       KTURN_PUNT_REASON_MALFORMED);
	kturn_plan_begin(plan, pkt);
	plan->fwd.src = chan->peer_key.relay;
	plan->fwd.dst = chan->peer_key.peer;
	plan->fwd.skip = KTURN_CHAN_HDR_LEN;
	plan->fwd.len = cd.len;
	kturn_plan_to_peer(pkt, plan, alloc, chan, &chan->route);
}

/* The attributes behind the data, which may lie in page fragments. */
static int kturn_send_tail(const struct kturn_packet *pkt,
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
static int kturn_send_read(struct kturn_packet *pkt, struct kturn_send *send)
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
		/* It may have moved. */
		pkt->head = skb->data + pkt->off;
		err = kturn_send_parse(pkt->head, pkt->len, pkt->len, send);
	}
	return err ?: kturn_send_tail(pkt, send);
}

/* RFC 8656 section 11.2 */
static void kturn_from_send(struct kturn_packet *pkt, struct kturn_plan *plan,
			    struct kturn_alloc *alloc)
{
	struct kturn_perm_key key = { .alloc_id = alloc->id };
	struct kturn_relay *relay;
	struct kturn_send send;
	struct kturn_perm *perm;
	int reason;

	reason = kturn_admit(pkt, &alloc->source);
	if (unlikely(reason >= 0))
		return kturn_plan_punt(plan, alloc, reason);

	switch (kturn_send_read(pkt, &send)) {
	case 0:
		break;
	case -ENOMEM:
		return kturn_plan_punt(plan, alloc,
				       KTURN_PUNT_REASON_NO_MEMORY);
	case -EOPNOTSUPP:
		return kturn_plan_punt(plan, alloc,
				       KTURN_PUNT_REASON_ATTRIBUTE);
	default:
		return kturn_plan_punt(plan, alloc,
				       KTURN_PUNT_REASON_MALFORMED);
	}

	relay = kturn_alloc_relay(alloc, send.peer.family);
	if (unlikely(!relay || !send.peer.port))
		return kturn_plan_punt(plan, alloc, KTURN_PUNT_REASON_PEER);
	key.peer = send.peer;
	key.peer.port = 0;
	perm = kturn_perm_lookup(pkt->kn, &key);
	if (unlikely(!perm || !kturn_alive(&perm->expires, kturn_now())))
		return kturn_refuse_peer(pkt, plan, alloc);

	kturn_plan_begin(plan, pkt);
	plan->fwd.src = relay->key.relay;
	plan->fwd.dst = send.peer;
	plan->fwd.skip = send.data_off;
	plan->fwd.len = send.data_len;
	plan->dont_fragment = send.dont_fragment;
	kturn_plan_to_peer(pkt, plan, alloc, NULL, &perm->route);
}

static void kturn_from_client(struct kturn_packet *pkt, struct kturn_plan *plan,
			      struct kturn_alloc *alloc)
{
	switch (kturn_wire_kind(pkt->head, pkt->headlen)) {
	case KTURN_KIND_CHANNEL:
		return kturn_plan_refuse(pkt, plan, alloc,
					 KTURN_DROP_REASON_NO_CHANNEL,
					 KTURN_PUNT_REASON_NO_CHANNEL);
	case KTURN_KIND_STUN:
		if (kturn_get16(pkt->head) == KTURN_TYPE_SEND_IND)
			return kturn_from_send(pkt, plan, alloc);
		return kturn_plan_punt(plan, alloc, KTURN_PUNT_REASON_CONTROL);
	default:
		return kturn_plan_punt(plan, alloc, KTURN_PUNT_REASON_OTHER);
	}
}

/* Is it from a client? If not, @plan is unchanged. */
static bool kturn_try_client(struct kturn_packet *pkt, struct kturn_plan *plan,
			     u64 now)
{
	struct kturn_number_key key = {
		.tuple = {
			.client = pkt->src,
			.server = pkt->dst,
			.l3mdev = pkt->l3mdev,
		},
	};
	struct kturn_alloc *alloc;
	struct kturn_chan *chan;

	if (kturn_wire_kind(pkt->head, pkt->headlen) == KTURN_KIND_CHANNEL) {
		key.number = kturn_get16(pkt->head);
		chan = kturn_number_lookup(pkt->kn, &key);
		if (chan && kturn_alive(&chan->expires, now) &&
		    kturn_alive(&chan->alloc->expires, now)) {
			kturn_from_channel(pkt, plan, chan);
			return true;
		}
	}
	alloc = kturn_tuple_lookup(pkt->kn, &key.tuple);
	if (!alloc || !kturn_alive(&alloc->expires, now))
		return false;
	kturn_from_client(pkt, plan, alloc);
	return true;
}

/* -------------------------------------------------------------- from peers */

/**
 * kturn_bound() - find what a relayed address knows of a peer
 * @kn: namespace
 * @relay: relayed transport address
 * @peer: peer's transport address
 * @l3mdev: VRF or 0
 * @now: kturn_now()
 * @b: result
 *
 * Context: RCU.
 * Return: is there a live allocation at @relay?
 */
bool kturn_bound(struct kturn_net *kn, const struct kturn_addr *relay,
		 const struct kturn_addr *peer, u32 l3mdev, u64 now,
		 struct kturn_binding *b)
{
	struct kturn_peer_key peer_key = {
		.relay = *relay,
		.peer = *peer,
		.l3mdev = l3mdev,
	};
	struct kturn_relay_key relay_key = {
		.relay = *relay,
		.l3mdev = l3mdev,
	};
	struct kturn_perm_key perm_key = { .peer = *peer };
	struct kturn_relay *found;

	b->chan = kturn_peer_lookup(kn, &peer_key);
	if (b->chan && kturn_alive(&b->chan->expires, now) &&
	    kturn_alive(&b->chan->alloc->expires, now)) {
		b->alloc = b->chan->alloc;
		b->perm = b->chan->perm;
		return true;
	}
	b->chan = NULL;
	found = kturn_relay_lookup(kn, &relay_key);
	if (!found || !kturn_alive(&found->alloc->expires, now))
		return false;
	b->alloc = found->alloc;
	perm_key.alloc_id = b->alloc->id;
	perm_key.peer.port = 0;
	b->perm = kturn_perm_lookup(kn, &perm_key);
	return true;
}

/*
 * Is it to a relayed address? If not, @plan is unchanged. RFC 8656 sections
 * 11.3 and 12.7; over a channel too the permission counts (section 9).
 */
static bool kturn_try_peer(struct kturn_packet *pkt, struct kturn_plan *plan,
			   u64 now)
{
	struct kturn_binding b;
	int reason;

	if (!kturn_bound(pkt->kn, &pkt->dst, &pkt->src, pkt->l3mdev, now, &b))
		return false;
	if (unlikely(!b.perm || !kturn_alive(&b.perm->expires, now))) {
		kturn_refuse_peer(pkt, plan, b.alloc);
		return true;
	}
	reason = kturn_admit(pkt, &b.perm->source);
	if (unlikely(reason >= 0)) {
		kturn_plan_punt(plan, b.alloc, reason);
		return true;
	}
	kturn_plan_begin(plan, pkt);
	plan->fwd.skip = 0;
	plan->fwd.len = pkt->len;
	kturn_plan_to_client(pkt, plan, &b, &pkt->src);
	return true;
}

/* ------------------------------------------------------------------- both */

/**
 * kturn_decide() - decide what becomes of a packet
 * @pkt: a UDP datagram, or a segment of a super-packet
 * @plan: result
 *
 * What begins with the bits 00 or 01 looks like a client's (RFC 7983), so
 * that is tried first; peers may send anything.
 *
 * Context: RCU.
 */
void kturn_decide(struct kturn_packet *pkt, struct kturn_plan *plan)
{
	bool like_client = pkt->headlen && !(pkt->head[0] & 0x80);
	u64 now = kturn_now();

	plan->outcome = KTURN_PASS;
	if (like_client)
		(void)(kturn_try_client(pkt, plan, now) ||
		       kturn_try_peer(pkt, plan, now));
	else
		(void)(kturn_try_peer(pkt, plan, now) ||
		       kturn_try_client(pkt, plan, now));
}

/**
 * kturn_relay() - relay a packet if it is one of ours
 * @pkt: a UDP datagram
 *
 * Context: RCU.
 * Return: the verdict.
 */
unsigned int kturn_relay(struct kturn_packet *pkt)
{
	struct kturn_plan plan;

	kturn_decide(pkt, &plan);
	return kturn_carry_out(pkt, &plan);
}
