// SPDX-License-Identifier: GPL-2.0
/*
 * The relay: find the entry a packet belongs to and send it on.
 *
 *   from the client   (5-tuple, channel number) -> channel     ChannelData
 *                     (5-tuple) -> allocation, permission      Send indication
 *   from a peer       (relayed address, peer) -> channel       to ChannelData
 *                     (relayed address) -> allocation, permission
 *                                                       to a Data indication
 *
 * No entry, no business: NF_ACCEPT.
 */
#include <linux/random.h>
#include <linux/udp.h>
#include <net/dst.h>

#include "limit.h"
#include "relay.h"

/* What may follow the data in a Send indication: a FINGERPRINT takes 8. */
#define KTURN_SEND_TAIL_MAX	64
/* Enough for the attributes that real clients put before the data. */
#define KTURN_SEND_HEAD		128

/* From IPv6 to IPv4, longer packets must not be fragmented on their way. */
#define KTURN_DF_ABOVE		1260

/* Everything that can make this a punt comes before the first change. */
static unsigned int kturn_forward(struct kturn_packet *pkt,
				  struct kturn_forward *fwd,
				  struct kturn_route __rcu **route,
				  const struct kturn_account *acc)
{
	unsigned int len = kturn_forward_len(fwd);
	struct kturn_alloc *alloc = acc->alloc;
	struct dst_entry *dst;
	int err;

	err = kturn_route_lookup(pkt->kn->net, route, &fwd->src, &fwd->dst,
				 pkt->l3mdev, &dst);
	if (unlikely(err))
		return kturn_punt(pkt, alloc, -err - 1);
	/* Before anything that punts: the daemon's own TTL would be fresh. */
	if (unlikely(pkt->ttl <= 1)) {
		kturn_ttl_exceeded(pkt);
		return kturn_drop(pkt, alloc, KTURN_DROP_REASON_TTL);
	}
	if (unlikely(len > dst_mtu(dst) || len > U16_MAX))
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_MTU);
	/* RFC 8656 section 13.3, so RFC 7915 section 5.1. */
	if (pkt->family == KTURN_FAMILY_V6 &&
	    fwd->dst.family == KTURN_FAMILY_V4)
		fwd->df = len > KTURN_DF_ABOVE;
	if (unlikely(kturn_rewrite_prepare(pkt, fwd, dst)))
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_NO_MEMORY);
	if (unlikely(!kturn_limit_relay(alloc, acc->dir, fwd->len)))
		return kturn_drop(pkt, alloc, KTURN_DROP_REASON_LIMIT);
	if (unlikely(kturn_rewrite(pkt, fwd)))
		return kturn_drop(pkt, alloc, KTURN_DROP_REASON_NO_MEMORY);

	kturn_account_forward(pkt, acc, fwd->len);
	kturn_xmit(pkt->kn->net, pkt->skb, dst, pkt->tos);
	return NF_STOLEN;
}

/* ------------------------------------------------------------ from clients */

static unsigned int kturn_from_channel(struct kturn_packet *pkt,
				       struct kturn_chan *chan)
{
	struct kturn_account acc = {
		.alloc = chan->alloc,
		.chan = chan,
		.dir = KTURN_TO_PEER,
		.family = chan->peer_key.peer.family,
	};
	struct kturn_channel_data cd;
	struct kturn_forward fwd = {
		.src = chan->peer_key.relay,
		.dst = chan->peer_key.peer,
		.skip = KTURN_CHAN_HDR_LEN,
		.df = pkt->df,
	};
	int reason;

	reason = kturn_admit(pkt, &chan->alloc->source);
	if (unlikely(reason >= 0))
		return kturn_punt(pkt, chan->alloc, reason);
	if (unlikely(kturn_channel_data_parse(pkt->head, pkt->headlen, pkt->len,
					      &cd)))
		return kturn_punt(pkt, chan->alloc,
				  KTURN_PUNT_REASON_MALFORMED);
	fwd.len = cd.len;
	return kturn_forward(pkt, &fwd, &chan->route, &acc);
}

/* The attributes behind the data, which may lie in page fragments. */
static int kturn_send_tail(const struct kturn_packet *pkt,
			   struct kturn_send *send)
{
	unsigned int off = pkt->thoff + sizeof(struct udphdr) + send->tail_off;
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

static int kturn_send_read(struct kturn_packet *pkt, struct kturn_send *send)
{
	unsigned int off = pkt->thoff + sizeof(struct udphdr);
	unsigned int avail = min_t(unsigned int, pkt->len, KTURN_SEND_HEAD);
	struct sk_buff *skb = pkt->skb;
	int err;

	if (!pskb_may_pull(skb, off + avail))
		return -ENOMEM;
	avail = min_t(unsigned int, pkt->len, skb_headlen(skb) - off);
	err = kturn_send_parse(skb->data + off, avail, pkt->len, send);
	if (err == -EMSGSIZE) {
		if (!pskb_may_pull(skb, off + pkt->len))
			return -ENOMEM;
		err = kturn_send_parse(skb->data + off, pkt->len, pkt->len,
				       send);
	}
	return err ?: kturn_send_tail(pkt, send);
}

/* RFC 8656 section 11.2 */
static unsigned int kturn_from_send(struct kturn_packet *pkt,
				    struct kturn_alloc *alloc)
{
	struct kturn_account acc = {
		.alloc = alloc,
		.dir = KTURN_TO_PEER,
	};
	struct kturn_forward fwd = { .df = pkt->df };
	struct kturn_perm_key key = { .alloc_id = alloc->id };
	struct kturn_relay *relay;
	struct kturn_send send;
	struct kturn_perm *perm;
	int reason;

	reason = kturn_admit(pkt, &alloc->source);
	if (unlikely(reason >= 0))
		return kturn_punt(pkt, alloc, reason);

	switch (kturn_send_read(pkt, &send)) {
	case 0:
		break;
	case -ENOMEM:
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_NO_MEMORY);
	case -EOPNOTSUPP:
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_ATTRIBUTE);
	default:
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_MALFORMED);
	}

	relay = kturn_alloc_relay(alloc, send.peer.family);
	if (unlikely(!relay || !send.peer.port))
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_PEER);
	key.peer = send.peer;
	key.peer.port = 0;
	perm = kturn_perm_lookup(pkt->kn, &key);
	if (unlikely(!perm || !kturn_alive(&perm->expires, kturn_now())))
		return kturn_refuse_peer(pkt, alloc);

	acc.family = send.peer.family;
	fwd.src = relay->key.relay;
	fwd.dst = send.peer;
	fwd.skip = send.data_off;
	fwd.len = send.data_len;
	/* RFC 8656 section 14; across families the attribute is ignored. */
	if (send.dont_fragment && send.peer.family == pkt->family)
		fwd.df = true;
	return kturn_forward(pkt, &fwd, &perm->route, &acc);
}

static unsigned int kturn_from_client(struct kturn_packet *pkt,
				      struct kturn_alloc *alloc)
{
	switch (kturn_wire_kind(pkt->head, pkt->headlen)) {
	case KTURN_KIND_CHANNEL:
		return kturn_refuse_channel(pkt, alloc);
	case KTURN_KIND_STUN:
		if (kturn_get16(pkt->head) == KTURN_TYPE_SEND_IND)
			return kturn_from_send(pkt, alloc);
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_CONTROL);
	default:
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_OTHER);
	}
}

/*
 * Is it from a client? Return: false if not; then nothing was done.
 */
static bool kturn_try_client(struct kturn_packet *pkt, u64 now,
			     unsigned int *verdict)
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
			*verdict = kturn_from_channel(pkt, chan);
			return true;
		}
	}
	alloc = kturn_tuple_lookup(pkt->kn, &key.tuple);
	if (!alloc || !kturn_alive(&alloc->expires, now))
		return false;
	*verdict = kturn_from_client(pkt, alloc);
	return true;
}

/* -------------------------------------------------------------- from peers */

/* RFC 8656 section 12.7; the permission counts as well (section 9). */
static unsigned int kturn_to_channel(struct kturn_packet *pkt,
				     struct kturn_chan *chan, u64 now)
{
	struct kturn_alloc *alloc = chan->alloc;
	struct kturn_account acc = {
		.alloc = alloc,
		.chan = chan,
		.dir = KTURN_TO_CLIENT,
		.family = pkt->family,
	};
	struct kturn_forward fwd = {
		.src = alloc->tuple.server,
		.dst = alloc->tuple.client,
		.len = pkt->len,
		.df = pkt->df,
	};
	int reason;

	if (unlikely(!kturn_alive(&chan->perm->expires, now)))
		return kturn_refuse_peer(pkt, alloc);
	reason = kturn_admit(pkt, &chan->perm->source);
	if (unlikely(reason >= 0))
		return kturn_punt(pkt, alloc, reason);
	fwd.hdrlen = kturn_channel_data_build(fwd.hdr, chan->number_key.number,
					      pkt->len);
	return kturn_forward(pkt, &fwd, &alloc->route, &acc);
}

/* RFC 8656 section 11.3 */
static unsigned int kturn_to_data(struct kturn_packet *pkt,
				  struct kturn_alloc *alloc, u64 now)
{
	struct kturn_account acc = {
		.alloc = alloc,
		.dir = KTURN_TO_CLIENT,
		.family = pkt->family,
	};
	struct kturn_forward fwd = {
		.src = alloc->tuple.server,
		.dst = alloc->tuple.client,
		.len = pkt->len,
		.pad = kturn_pad(pkt->len),
		.df = pkt->df,
	};
	struct kturn_perm_key key = {
		.peer = pkt->src,
		.alloc_id = alloc->id,
	};
	u8 tid[KTURN_STUN_TID_LEN];
	u32 random[sizeof(tid) / sizeof(u32)];
	struct kturn_perm *perm;
	int reason;

	key.peer.port = 0;
	perm = kturn_perm_lookup(pkt->kn, &key);
	if (unlikely(!perm || !kturn_alive(&perm->expires, now)))
		return kturn_refuse_peer(pkt, alloc);
	reason = kturn_admit(pkt, &perm->source);
	if (unlikely(reason >= 0))
		return kturn_punt(pkt, alloc, reason);
	/* RFC 8489 section 6: unpredictable */
	random[0] = get_random_u32();
	random[1] = get_random_u32();
	random[2] = get_random_u32();
	memcpy(tid, random, sizeof(tid));
	fwd.hdrlen = kturn_data_ind_build(fwd.hdr, tid, &pkt->src, pkt->len);
	if (unlikely(!fwd.hdrlen))
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_MTU);
	return kturn_forward(pkt, &fwd, &alloc->route, &acc);
}

/* Is it to a relayed address? Return: false if not; then nothing was done. */
static bool kturn_try_peer(struct kturn_packet *pkt, u64 now,
			   unsigned int *verdict)
{
	struct kturn_peer_key peer_key = {
		.relay = pkt->dst,
		.peer = pkt->src,
		.l3mdev = pkt->l3mdev,
	};
	struct kturn_relay_key relay_key = {
		.relay = pkt->dst,
		.l3mdev = pkt->l3mdev,
	};
	struct kturn_relay *relay;
	struct kturn_chan *chan;

	chan = kturn_peer_lookup(pkt->kn, &peer_key);
	if (chan && kturn_alive(&chan->expires, now) &&
	    kturn_alive(&chan->alloc->expires, now)) {
		*verdict = kturn_to_channel(pkt, chan, now);
		return true;
	}
	relay = kturn_relay_lookup(pkt->kn, &relay_key);
	if (!relay || !kturn_alive(&relay->alloc->expires, now))
		return false;
	*verdict = kturn_to_data(pkt, relay->alloc, now);
	return true;
}

/* ------------------------------------------------------------------- both */

/**
 * kturn_relay() - relay a packet if it is one of ours
 * @pkt: a UDP datagram
 *
 * What begins with the bits 00 or 01 looks like a client's (RFC 7983), so
 * that is tried first; peers may send anything.
 *
 * Context: RCU.
 * Return: the verdict.
 */
unsigned int kturn_relay(struct kturn_packet *pkt)
{
	bool like_client = pkt->headlen && !(pkt->head[0] & 0x80);
	unsigned int verdict = NF_ACCEPT;
	u64 now = kturn_now();

	if (like_client)
		(void)(kturn_try_client(pkt, now, &verdict) ||
		       kturn_try_peer(pkt, now, &verdict));
	else
		(void)(kturn_try_peer(pkt, now, &verdict) ||
		       kturn_try_client(pkt, now, &verdict));
	return verdict;
}
