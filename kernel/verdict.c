// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a packet: it is sent on, left to the stack and so to the
 * owner's socket, or dropped. Each is counted, what is not relayed with its
 * reason.
 */
#include <net/udp.h>

#include "account.h"
#include "admit.h"
#include "limit.h"
#include "relay.h"
#include "rewrite.h"

static bool kturn_has_socket(const struct kturn_packet *pkt)
{
	const struct kturn_tuple *in = &pkt->room->key.tuple;
	const struct kturn_addr *src = &in->remote, *dst = &in->local;
	int dif = in->l3mdev ?: pkt->skb->dev->ifindex;
	int sdif = in->l3mdev ? pkt->skb->dev->ifindex : 0;
	struct net *net = pkt->kn->net;
	__be32 saddr, daddr;

	if (pkt->family == KTURN_FAMILY_V6)
		return __udp6_lib_lookup(net, (struct in6_addr *)src->ip,
					 src->port, (struct in6_addr *)dst->ip,
					 dst->port, dif, sdif, NULL);
	memcpy(&saddr, src->ip, sizeof(saddr));
	memcpy(&daddr, dst->ip, sizeof(daddr));
	return __udp4_lib_lookup(net, saddr, src->port, daddr, dst->port, dif,
				 sdif, NULL);
}

/*
 * Would the stack deliver this packet to this host? What is bridged, or routed
 * on to who has the address now, is not ours to drop.
 */
static bool kturn_for_host(struct kturn_net *kn, const struct sk_buff *skb,
			   u8 family)
{
	return !kturn_link_odd(skb) && kturn_dst_check(kn->net, skb, family);
}

/* ------------------------------------------------------------------ plans */

/**
 * kturn_droppable() - may this packet be dropped, if there is a reason?
 * @pkt: packet
 *
 * Dropping needs as much as relaying: not what is bridged or routed on to
 * somebody else, nor segments besides the one that was looked at.
 *
 * Context: RCU.
 * Return: -1, or the enum kturn_punt_reason why not.
 */
int kturn_droppable(const struct kturn_packet *pkt)
{
	if (kturn_link_odd(pkt->skb))
		return KTURN_PUNT_REASON_LINK;
	if (!kturn_dst_check(pkt->kn->net, pkt->skb, pkt->family))
		return KTURN_PUNT_REASON_SOURCE;
	if (skb_is_gso(pkt->skb))
		return KTURN_PUNT_REASON_GSO;
	return -1;
}

/** kturn_refuse() - see kturn_plan_refuse() */
void kturn_refuse(struct kturn_packet *pkt, struct kturn_plan *plan,
		  struct kturn_alloc *alloc, enum kturn_drop_reason drop,
		  enum kturn_punt_reason punt)
{
	int reason;

	if (!(READ_ONCE(alloc->flags) & KTURN_ALLOC_FLAGS_EXCLUSIVE))
		return kturn_plan_punt(plan, alloc, punt);
	reason = kturn_droppable(pkt);
	if (unlikely(reason >= 0 && reason != KTURN_PUNT_REASON_GSO))
		return kturn_plan_punt(plan, alloc, reason);
	kturn_plan_drop(plan, alloc, drop);
}

/* --------------------------------------------------------------- verdicts */

/*
 * The kernel's drop monitors (skb:kfree_skb) hear of it with a reason of the
 * kernel's own.
 */
static unsigned int kturn_drop(struct kturn_packet *pkt,
			       struct kturn_alloc *alloc,
			       enum kturn_drop_reason reason)
{
	kturn_account_drop(pkt, alloc, reason);
	return NF_DROP_REASON(pkt->skb, kturn_account_reason(reason), 0);
}

/*
 * While the owner is away and its socket with it, the host would answer "port
 * unreachable" and the client give up; then the packet is dropped. So is what
 * exceeds a limit.
 */
static unsigned int kturn_punt(struct kturn_packet *pkt,
			       struct kturn_alloc *alloc,
			       enum kturn_punt_reason reason)
{
	int drop;

	/* It could be relayed a moment ago. */
	if (unlikely(pkt->split))
		return kturn_drop(pkt, alloc, KTURN_DROP_REASON_SPLIT);
	if (pkt->early)
		return NF_ACCEPT;
	if (unlikely(alloc->owner && READ_ONCE(alloc->owner->deadline)) &&
	    reason != KTURN_PUNT_REASON_SOURCE &&
	    kturn_for_host(pkt->kn, pkt->skb, pkt->family) &&
	    !kturn_has_socket(pkt))
		return kturn_drop(pkt, alloc, KTURN_DROP_REASON_ORPHAN);
	drop = kturn_limit_punt(pkt, alloc, reason);
	if (unlikely(drop >= 0))
		return kturn_drop(pkt, alloc, drop);
	kturn_account_punt(pkt, alloc, reason);
	return NF_ACCEPT;
}

/* Tell the sender what it can learn from, while the packet is as it was. */
static void kturn_tell_sender(struct kturn_packet *pkt,
			      const struct kturn_plan *plan)
{
	if (plan->reason == KTURN_DROP_REASON_TTL)
		kturn_ttl_exceeded(pkt);
	else if (plan->reason == KTURN_DROP_REASON_TOO_BIG && plan->mtu)
		kturn_too_big(pkt, plan->mtu);
}

static unsigned int kturn_send_on(struct kturn_packet *pkt,
				  struct kturn_plan *plan)
{
	struct kturn_alloc *alloc = plan->hop.alloc;
	struct kturn_alloc *over;
	int reason;

	/* The last that can make it a punt, and before the first change. */
	if (unlikely(kturn_rewrite_prepare(pkt, &plan->fwd, plan->dst)))
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_NO_MEMORY);
	reason = kturn_limit_plan(plan, &over);
	if (unlikely(reason >= 0))
		return kturn_drop(pkt, over, reason);
	if (unlikely(kturn_rewrite(pkt, &plan->fwd)))
		return kturn_drop(pkt, alloc, KTURN_DROP_REASON_NO_MEMORY);

	kturn_account_plan(pkt->kn, pkt->skb, plan);
	/* As those that come after it, whose route is known by now. */
	if (pkt->early && kturn_is_direct(pkt->kn, &plan->fwd))
		kturn_xmit_direct(pkt->kn->net, pkt->skb, plan->dst,
				  plan->fwd.family, plan->fwd.tos, true);
	else
		kturn_xmit(pkt->kn, pkt->skb, plan->dst, &plan->fwd);
	return NF_STOLEN;
}

/**
 * kturn_carry_out() - do with a packet what was decided
 * @pkt: packet; changed or consumed only with NF_STOLEN
 * @plan: made of this very packet
 *
 * Context: RCU.
 * Return: the verdict.
 */
unsigned int kturn_carry_out(struct kturn_packet *pkt, struct kturn_plan *plan)
{
	switch (plan->outcome) {
	case KTURN_FORWARD:
		return kturn_send_on(pkt, plan);
	case KTURN_PUNT:
		return kturn_punt(pkt, plan->alloc, plan->reason);
	case KTURN_DROP:
		if (pkt->early && !pkt->split)
			break;
		/* Early, there is no control block that ICMP could use. */
		if (!pkt->early)
			kturn_tell_sender(pkt, plan);
		return kturn_drop(pkt, plan->alloc, plan->reason);
	case KTURN_PASS:
		break;
	}
	return NF_ACCEPT;
}

/**
 * kturn_spoilt() - a packet can be neither relayed nor given back any more
 * @skb: packet
 * @kn: namespace
 * @room: its addresses, as they were
 * @family: enum kturn_family
 * @alloc: whose it is
 *
 * Context: RCU, BH off.
 * Return: the verdict.
 */
unsigned int kturn_spoilt(struct sk_buff *skb, struct kturn_net *kn,
			  struct kturn_room *room, u8 family,
			  struct kturn_alloc *alloc)
{
	struct kturn_packet pkt = {
		.skb = skb,
		.kn = kn,
		.room = room,
		.len = skb->len,
		.family = family,
	};

	return kturn_drop(&pkt, alloc, KTURN_DROP_REASON_NO_MEMORY);
}
