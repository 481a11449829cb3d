// SPDX-License-Identifier: GPL-2.0
/*
 * How a packet goes on: its header fields as RFC 8656 sections 13 and 14 want
 * them, its size, its route, and the short way between two clients of this
 * server (a hairpin).
 */
#include <linux/random.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "relay.h"

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
void kturn_plan_begin(struct kturn_plan *plan, const struct kturn_packet *pkt)
{
	plan->n_hops = 0;
	plan->dont_fragment = false;
	plan->default_ttl = false;
	plan->fwd.hdrlen = 0;
	plan->fwd.pad = 0;
	plan->fwd.frag = 0;
	plan->fwd.tos = pkt->tos;
	plan->fwd.ttl = pkt->ttl;
	plan->fwd.df = pkt->df;
}

static bool kturn_alternate(const struct kturn_alloc *alloc)
{
	return READ_ONCE(alloc->flags) & KTURN_ALLOC_FLAGS_ALTERNATE;
}

/* May the packet be fragmented behind this hop? */
static bool kturn_df(const struct kturn_plan *plan, u8 from)
{
	const struct kturn_forward *fwd = &plan->fwd;

	if (fwd->dst.family == KTURN_FAMILY_V6)
		return fwd->df;
	if (from == KTURN_FAMILY_V6)
		return fwd->df && kturn_forward_len(fwd) > KTURN_DF_ABOVE;
	return fwd->df || plan->dont_fragment;
}

/*
 * Take the packet over one hop more. @from is the family that it came to the
 * hop with. Return: false if the TTL ran out.
 */
static bool kturn_plan_hop(struct kturn_plan *plan, struct kturn_alloc *alloc,
			   struct kturn_chan *chan, enum kturn_dir dir, u8 from)
{
	struct kturn_account *hop = &plan->hop[plan->n_hops++];
	struct kturn_forward *fwd = &plan->fwd;

	hop->alloc = alloc;
	hop->chan = chan;
	hop->dir = dir;
	hop->family = dir == KTURN_TO_PEER ? fwd->dst.family : from;

	if (unlikely(kturn_alternate(alloc))) {
		plan->default_ttl = true;
		fwd->tos = 0;
		fwd->df = plan->dont_fragment && from == KTURN_FAMILY_V4 &&
			  fwd->dst.family == KTURN_FAMILY_V4;
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
static unsigned int kturn_mtu_for_sender(const struct kturn_packet *pkt,
					 const struct kturn_plan *plan)
{
	unsigned int mtu = dst_mtu(plan->dst);

	if (pkt->family == KTURN_FAMILY_V6) {
		if (plan->fwd.dst.family == KTURN_FAMILY_V4)
			mtu += KTURN_IP_DIFF;
	} else if (plan->fwd.dst.family == KTURN_FAMILY_V6) {
		mtu -= KTURN_IP_DIFF;
	}
	if (plan->hop[0].dir == KTURN_TO_CLIENT) {
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
static void kturn_plan_size(struct kturn_packet *pkt, struct kturn_plan *plan)
{
	struct kturn_alloc *alloc = plan->hop[0].alloc;
	struct kturn_forward *fwd = &plan->fwd;
	unsigned int len = kturn_forward_len(fwd);
	unsigned int mtu = dst_mtu(plan->dst);
	bool v6 = fwd->dst.family == KTURN_FAMILY_V6;

	if (unlikely(len > U16_MAX))
		return kturn_plan_punt(plan, alloc, KTURN_PUNT_REASON_MTU);
	/* RFC 7915 section 4: what IPv4 may fragment, IPv6 can't on its way. */
	if (unlikely(v6 && !fwd->df && len > IPV6_MIN_MTU &&
		     !kturn_alternate(alloc))) {
		fwd->frag = min_t(unsigned int, mtu, IPV6_MIN_MTU);
		return;
	}
	if (likely(len <= mtu))
		return;
	if (!fwd->df) {
		fwd->frag = mtu;
		return;
	}
	/* The error would be for the relayed address between the clients. */
	if (plan->n_hops > 1)
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

/* ------------------------------------------------------------------ routes */

/* Everything of the packet is known but the TTL that is the route's. */
static void kturn_plan_send(struct kturn_packet *pkt, struct kturn_plan *plan)
{
	struct kturn_forward *fwd = &plan->fwd;

	plan->outcome = KTURN_FORWARD;
	if (unlikely(plan->default_ttl))
		fwd->ttl = fwd->dst.family == KTURN_FAMILY_V4 ?
			   ip4_dst_hoplimit(plan->dst) :
			   ip6_dst_hoplimit(plan->dst);
	kturn_plan_size(pkt, plan);
}

/*
 * The client's address is one of this host: a client here, which the daemon
 * reaches, or a relayed address, and then it would go in a circle.
 */
static void kturn_plan_circle(struct kturn_packet *pkt, struct kturn_plan *plan,
			      struct kturn_alloc *alloc)
{
	const struct kturn_forward *fwd = &plan->fwd;
	struct kturn_binding b;

	if (kturn_bound(pkt->kn, &fwd->dst, &fwd->src, pkt->l3mdev,
			kturn_now(), &b))
		kturn_plan_refuse(pkt, plan, alloc, KTURN_DROP_REASON_LOOP,
				  KTURN_PUNT_REASON_LOCAL_PEER);
	else
		kturn_plan_punt(plan, alloc, KTURN_PUNT_REASON_LOCAL_PEER);
}

/**
 * kturn_plan_to_client() - plan the way to an allocation's client
 * @pkt: packet
 * @plan: begun, with the data known
 * @b: the allocation, and the peer's channel if it has one
 * @peer: who sends the data
 *
 * RFC 8656 sections 11.3 and 12.7.
 *
 * Context: RCU.
 */
void kturn_plan_to_client(struct kturn_packet *pkt, struct kturn_plan *plan,
			  const struct kturn_binding *b,
			  const struct kturn_addr *peer)
{
	struct kturn_alloc *alloc = b->alloc;
	struct kturn_forward *fwd = &plan->fwd;
	u32 tid[KTURN_STUN_TID_LEN / sizeof(u32)];
	int err;

	fwd->src = alloc->tuple.server;
	fwd->dst = alloc->tuple.client;
	if (b->chan) {
		fwd->hdrlen = kturn_channel_data_build(fwd->hdr,
						       b->chan->number_key.number,
						       fwd->len);
	} else {
		/* RFC 8489 section 6: unpredictable */
		tid[0] = get_random_u32();
		tid[1] = get_random_u32();
		tid[2] = get_random_u32();
		fwd->hdrlen = kturn_data_ind_build(fwd->hdr, (u8 *)tid, peer,
						   fwd->len);
		fwd->pad = kturn_pad(fwd->len);
		if (unlikely(!fwd->hdrlen))
			return kturn_plan_punt(plan, alloc,
					       KTURN_PUNT_REASON_MTU);
	}

	err = kturn_route_lookup(pkt->kn->net, &alloc->route, &fwd->src,
				 &fwd->dst, pkt->l3mdev, &plan->dst);
	if (unlikely(err == KTURN_ROUTE_LOCAL))
		return kturn_plan_circle(pkt, plan, alloc);
	if (unlikely(err))
		return kturn_plan_punt(plan, alloc, -err - 1);
	/* Before anything that punts: the daemon's own TTL would be fresh. */
	if (unlikely(!kturn_plan_hop(plan, alloc, b->chan, KTURN_TO_CLIENT,
				     peer->family)))
		return kturn_plan_drop(plan, alloc, KTURN_DROP_REASON_TTL);
	kturn_plan_send(pkt, plan);
}

/*
 * The peer is this host. Only a relayed address can be one: the packet goes
 * on to that one's client, as if it had come there from outside.
 */
static void kturn_plan_hairpin(struct kturn_packet *pkt,
			       struct kturn_plan *plan)
{
	struct kturn_addr relay = plan->fwd.src;
	u64 now = kturn_now();
	struct kturn_binding b;

	if (!kturn_bound(pkt->kn, &plan->fwd.dst, &relay, pkt->l3mdev, now, &b))
		return kturn_plan_punt(plan, plan->hop[0].alloc,
				       KTURN_PUNT_REASON_LOCAL_PEER);
	if (!b.perm || !kturn_alive(&b.perm->expires, now))
		return kturn_refuse_peer(pkt, plan, b.alloc);
	kturn_plan_to_client(pkt, plan, &b, &relay);
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
 */
void kturn_plan_to_peer(struct kturn_packet *pkt, struct kturn_plan *plan,
			struct kturn_alloc *alloc, struct kturn_chan *chan,
			struct kturn_route __rcu **slot)
{
	struct kturn_forward *fwd = &plan->fwd;
	int err;

	err = kturn_route_lookup(pkt->kn->net, slot, &fwd->src, &fwd->dst,
				 pkt->l3mdev, &plan->dst);
	if (unlikely(err && err != KTURN_ROUTE_LOCAL))
		return kturn_plan_punt(plan, alloc, -err - 1);
	if (unlikely(!kturn_plan_hop(plan, alloc, chan, KTURN_TO_PEER,
				     pkt->family)))
		return kturn_plan_drop(plan, alloc, KTURN_DROP_REASON_TTL);
	if (err)
		kturn_plan_hairpin(pkt, plan);
	else
		kturn_plan_send(pkt, plan);
}
