/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a packet goes on: its header fields as RFC 8656 sections 13 and 14 want
 * them, its size, its route, and the short way between two clients of this
 * server (a hairpin).
 */
#ifndef _KTURN_FORWARD_H
#define _KTURN_FORWARD_H

#include <net/dst.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "rewrite.h"
#include "route.h"
#include "table.h"

/* From IPv6 to IPv4, longer packets must not be fragmented (RFC 7915 5.1). */
#define KTURN_DF_ABOVE		1260

/* Room for a Data indication around what a peer sends: section 13.2. */
#define KTURN_DATA_OVERHEAD	48

/* What an IPv4 packet becomes longer by in IPv6. */
#define KTURN_IP_DIFF		(sizeof(struct ipv6hdr) - sizeof(struct iphdr))

/**
 * kturn_plan_begin() - begin with what came in
 * @plan: its members for KTURN_FORWARD are set, but for addresses and data
 * @pkt: packet
 */
static __always_inline void kturn_plan_begin(struct kturn_plan *plan,
					     const struct kturn_packet *pkt)
{
	plan->next.alloc = NULL;
	plan->dont_fragment = false;
	plan->default_ttl = false;
	plan->fwd.hdrlen = 0;
	plan->fwd.pad = 0;
	plan->fwd.frag = 0;
	plan->fwd.tos = pkt->tos;
	plan->fwd.ttl = pkt->ttl;
	plan->fwd.df = pkt->df;
}

static __always_inline bool kturn_alternate(const struct kturn_alloc *alloc)
{
	return READ_ONCE(alloc->flags) & KTURN_ALLOC_FLAGS_ALTERNATE;
}

/* May the packet be fragmented behind this hop? */
static __always_inline bool kturn_df(const struct kturn_plan *plan, u8 from)
{
	const struct kturn_forward *fwd = &plan->fwd;

	if (fwd->family == KTURN_FAMILY_V6)
		return fwd->df;
	if (from == KTURN_FAMILY_V6)
		return fwd->df && kturn_forward_len(fwd) > KTURN_DF_ABOVE;
	return fwd->df || plan->dont_fragment;
}

/*
 * Take the packet over one hop more. @from is the family that it came to the
 * hop with. Return: false if the TTL ran out.
 */
static __always_inline bool
kturn_plan_hop(struct kturn_plan *plan, struct kturn_account *hop,
	       struct kturn_alloc *alloc, struct kturn_chan *chan,
	       enum kturn_dir dir, u8 from)
{
	struct kturn_forward *fwd = &plan->fwd;

	hop->alloc = alloc;
	hop->chan = chan;
	hop->dir = dir;
	hop->family = dir == KTURN_TO_PEER ? fwd->family : from;

	if (unlikely(kturn_alternate(alloc))) {
		plan->default_ttl = true;
		fwd->tos = 0;
		fwd->df = plan->dont_fragment && from == KTURN_FAMILY_V4 &&
			  fwd->family == KTURN_FAMILY_V4;
	} else {
		fwd->df = kturn_df(plan, from);
	}
	plan->dont_fragment = false;
	if (plan->default_ttl)
		return true;
	/* RFC 8656 section 21.1.7: loops end. */
	if (unlikely(fwd->ttl <= 1))
		return false;
	fwd->ttl--;
	return true;
}

/* ------------------------------------------------------------------- sizes */

/*
 * What the sender of a packet that is too big is told. Return: 0 if it would
 * not listen.
 */
static inline unsigned int kturn_mtu_for_sender(const struct kturn_packet *pkt,
						const struct kturn_plan *plan)
{
	unsigned int mtu = dst_mtu(plan->dst);

	if (pkt->family == KTURN_FAMILY_V6) {
		if (plan->fwd.family == KTURN_FAMILY_V4)
			mtu += KTURN_IP_DIFF;
	} else if (plan->fwd.family == KTURN_FAMILY_V6) {
		mtu -= KTURN_IP_DIFF;
	}
	if (plan->hop.dir == KTURN_TO_CLIENT) {
		/* With its padding the indication is a multiple of four. */
		mtu = round_down(mtu, 4);
		mtu = mtu > KTURN_DATA_OVERHEAD ? mtu - KTURN_DATA_OVERHEAD : 0;
	}
	/* RFC 8200 section 5: no path of IPv6 has a smaller one. */
	if (pkt->family == KTURN_FAMILY_V6)
		return mtu < IPV6_MIN_MTU ? 0 : mtu;
	return max_t(unsigned int, mtu, IPV4_MIN_MTU);
}

/*
 * RFC 8656 sections 13 and 14, and so RFC 7915: fragments where the sender
 * allows them, an ICMP error where it does not. A sender of IPv6 that can't be
 * told gets its packet through in fragments.
 */
static inline void kturn_plan_oversize(const struct kturn_packet *pkt,
				       struct kturn_plan *plan,
				       unsigned int len, unsigned int mtu)
{
	struct kturn_alloc *alloc = plan->hop.alloc;
	struct kturn_forward *fwd = &plan->fwd;

	if (len > U16_MAX)
		return kturn_plan_punt(plan, alloc, KTURN_PUNT_REASON_MTU);
	if (!fwd->df) {
		fwd->frag = min_t(unsigned int, len, mtu);
		/* RFC 7915 section 4: what IPv4 may fragment, IPv6 can't. */
		if (fwd->family == KTURN_FAMILY_V6 &&
		    !kturn_alternate(alloc))
			fwd->frag = min_t(unsigned int, mtu, IPV6_MIN_MTU);
		return;
	}
	/* The error would be for the relayed address between the clients. */
	if (plan->next.alloc)
		return kturn_plan_punt(plan, alloc, KTURN_PUNT_REASON_MTU);
	plan->mtu = 0;
	if (!kturn_alternate(alloc)) {
		plan->mtu = kturn_mtu_for_sender(pkt, plan);
		if (!plan->mtu) {
			fwd->df = false;
			fwd->frag = mtu;
			return;
		}
	}
	kturn_plan_drop(plan, alloc, KTURN_DROP_REASON_TOO_BIG);
}

/* dst_mtu(), but without a call where the device's is all there is to it. */
static __always_inline unsigned int kturn_mtu(const struct kturn_plan *plan)
{
	const struct kturn_route *route = plan->fwd.route;
	const struct dst_entry *dst = plan->dst;

	if (unlikely((!KTURN_FAST && !route) || !route->plain ||
		     ((const struct rtable *)dst)->rt_pmtu))
		return dst_mtu(dst);
	return READ_ONCE(dst->dev->mtu);
}

static __always_inline void kturn_plan_size(struct kturn_packet *pkt,
					    struct kturn_plan *plan)
{
	const struct kturn_forward *fwd = &plan->fwd;
	unsigned int len = kturn_forward_len(fwd);
	u8 family = fwd->family;
	unsigned int mtu = kturn_mtu(plan);

	if (likely(len <= mtu && len <= U16_MAX &&
		   (fwd->df || len <= IPV6_MIN_MTU ||
		    family == KTURN_FAMILY_V4 ||
		    kturn_alternate(plan->hop.alloc))))
		return;
	if (KTURN_FAST)
		plan->outcome = KTURN_DROP;
	else
		kturn_plan_oversize(pkt, plan, len, mtu);
}

/* ------------------------------------------------------------------ routes */

/* The peer's channel, if it is alive. */
static __always_inline bool kturn_bound_chan(struct kturn_net *kn,
					     const struct kturn_tuple *in,
					     u64 now, struct kturn_binding *b)
{
	b->chan = kturn_peer_lookup(kn, in);
	if (!b->chan || unlikely(!kturn_alive(&b->chan->expires, now) ||
				 !kturn_alive(&b->chan->alloc->expires, now)))
		return false;
	b->alloc = b->chan->alloc;
	b->perm = b->chan->perm;
	return true;
}

/* Without a channel: the allocation, and the peer's permission. */
static __always_inline bool kturn_bound_relay(struct kturn_net *kn,
					      const struct kturn_tuple *in,
					      u64 now, struct kturn_binding *b)
{
	struct kturn_relay_key relay_key;
	struct kturn_perm_key perm_key;
	struct kturn_relay *found;

	relay_key.relay = in->local;
	relay_key.l3mdev = in->l3mdev;
	found = kturn_relay_lookup(kn, &relay_key);
	if (!found || unlikely(!kturn_alive(&found->alloc->expires, now)))
		return false;
	b->chan = NULL;
	b->alloc = found->alloc;
	perm_key.alloc_id = b->alloc->id;
	perm_key.peer = in->remote;
	perm_key.peer.port = 0;
	b->perm = kturn_perm_lookup(kn, &perm_key);
	return true;
}

/**
 * kturn_bound_at() - find what a relayed address knows of a peer
 * @kn: namespace
 * @in: from the peer to the relayed address
 * @now: kturn_now()
 * @b: result
 *
 * Context: RCU.
 * Return: is there a live allocation at the relayed address?
 */
static __always_inline bool
kturn_bound_at(struct kturn_net *kn, const struct kturn_tuple *in, u64 now,
	       struct kturn_binding *b)
{
	return kturn_bound_chan(kn, in, now, b) ||
	       kturn_bound_relay(kn, in, now, b);
}

static __always_inline int kturn_plan_route(const struct kturn_packet *pkt,
					    struct kturn_plan *plan,
					    struct kturn_route __rcu **slot)
{
	struct kturn_way way = {};
	int err;

	err = kturn_route_lookup(pkt->kn->net, slot, plan->fwd.out, &way);
	plan->dst = way.dst;
	plan->fwd.route = way.route;
	return err;
}

/* Everything of the packet is known but the TTL that is the route's. */
static __always_inline void kturn_plan_send(struct kturn_packet *pkt,
					    struct kturn_plan *plan)
{
	struct kturn_forward *fwd = &plan->fwd;

	plan->outcome = KTURN_FORWARD;
	if (unlikely(plan->default_ttl))
		fwd->ttl = fwd->family == KTURN_FAMILY_V4 ?
			   ip4_dst_hoplimit(plan->dst) :
			   ip6_dst_hoplimit(plan->dst);
	kturn_plan_size(pkt, plan);
}

/*
 * The client's address is one of this host: a client here, which the daemon
 * reaches, or a relayed address, and then it would go in a circle.
 */
static inline void kturn_plan_circle(struct kturn_packet *pkt,
				     struct kturn_plan *plan,
				     struct kturn_alloc *alloc, u64 now)
{
	const struct kturn_tuple *out = plan->fwd.out;
	/* As it would come back. */
	struct kturn_tuple in = {
		.remote = out->local,
		.local = out->remote,
		.l3mdev = out->l3mdev,
	};
	struct kturn_binding b;

	if (kturn_bound(pkt->kn, &in, now, &b))
		kturn_plan_refuse(pkt, plan, alloc, KTURN_DROP_REASON_LOOP,
				  KTURN_PUNT_REASON_LOCAL_PEER);
	else
		kturn_plan_punt(plan, alloc, KTURN_PUNT_REASON_LOCAL_PEER);
}

/**
 * kturn_plan_to_client() - plan the way to an allocation's client
 * @pkt: packet
 * @plan: begun, with the data known
 * @hop: of @plan
 * @b: the allocation, and the peer's channel if it has one
 * @peer: who sends the data
 * @now: kturn_now()
 *
 * RFC 8656 sections 11.3 and 12.7.
 *
 * Context: RCU.
 */
static __always_inline void
kturn_plan_to_client(struct kturn_packet *pkt, struct kturn_plan *plan,
		     struct kturn_account *hop, const struct kturn_binding *b,
		     const struct kturn_addr *peer, u64 now)
{
	struct kturn_alloc *alloc = b->alloc;
	struct kturn_forward *fwd = &plan->fwd;
	int err;

	fwd->out = &alloc->tuple;
	fwd->family = alloc->tuple.remote.family;
	if (b->chan) {
		fwd->hdrlen = KTURN_CHAN_HDR_LEN;
		fwd->number = b->chan->number_key.number;
	} else {
		fwd->hdrlen = kturn_data_ind_len(peer, fwd->len);
		fwd->from = peer;
		fwd->pad = kturn_pad(fwd->len);
		if (unlikely(!fwd->hdrlen))
			return kturn_plan_punt(plan, alloc,
					       KTURN_PUNT_REASON_MTU);
	}

	err = kturn_plan_route(pkt, plan, &alloc->route);
	if (unlikely(err)) {
		if (err == KTURN_ROUTE_LOCAL && !KTURN_FAST)
			return kturn_plan_circle(pkt, plan, alloc, now);
		return kturn_plan_punt(plan, alloc, -err - 1);
	}
	/* Before anything that punts: the daemon's own TTL would be fresh. */
	if (unlikely(!kturn_plan_hop(plan, hop, alloc, b->chan, KTURN_TO_CLIENT,
				     peer->family)))
		return kturn_plan_drop(plan, alloc, KTURN_DROP_REASON_TTL);
	kturn_plan_send(pkt, plan);
}

/**
 * kturn_plan_hairpin() - plan the way of a packet whose peer is this host
 * @pkt: packet
 * @plan: made by kturn_plan_to_peer()
 * @now: kturn_now()
 *
 * Only a relayed address can be one: the packet goes on to that one's client,
 * as if it had come there from outside.
 *
 * Context: RCU.
 */
static __always_inline void kturn_plan_hairpin(struct kturn_packet *pkt,
					       struct kturn_plan *plan, u64 now)
{
	const struct kturn_tuple *out = plan->fwd.out;
	struct kturn_tuple *in = &pkt->room->in;
	struct kturn_binding b;

	/* What the one sends comes in at the other. */
	in->remote = out->local;
	in->local = out->remote;
	in->l3mdev = out->l3mdev;
	if (!kturn_bound_at(pkt->kn, in, now, &b))
		return kturn_plan_punt(plan, plan->hop.alloc,
				       KTURN_PUNT_REASON_LOCAL_PEER);
	if (!b.perm || !kturn_alive(&b.perm->expires, now))
		return kturn_refuse_peer(pkt, plan, b.alloc);
	kturn_plan_to_client(pkt, plan, &plan->next, &b, &in->remote, now);
}

/**
 * kturn_plan_to_peer() - plan the way to a peer
 * @pkt: packet
 * @plan: begun, with addresses and data known
 * @alloc: the client's
 * @chan: the peer's channel, or NULL
 * @slot: where the entry remembers the route
 *
 * RFC 8656 sections 11.2 and 12.6.
 *
 * Context: RCU.
 * Return: is the peer this host? Then kturn_plan_hairpin() is next.
 */
static __always_inline bool
kturn_plan_to_peer(struct kturn_packet *pkt, struct kturn_plan *plan,
		   struct kturn_alloc *alloc, struct kturn_chan *chan,
		   struct kturn_route __rcu **slot)
{
	int err;

	err = kturn_plan_route(pkt, plan, slot);
	if (unlikely(err && err != KTURN_ROUTE_LOCAL)) {
		kturn_plan_punt(plan, alloc, -err - 1);
		return false;
	}
	if (unlikely(!kturn_plan_hop(plan, &plan->hop, alloc, chan,
				     KTURN_TO_PEER, pkt->family))) {
		kturn_plan_drop(plan, alloc, KTURN_DROP_REASON_TTL);
		return false;
	}
	if (unlikely(err))
		return true;
	kturn_plan_send(pkt, plan);
	return false;
}

#endif /* _KTURN_FORWARD_H */
