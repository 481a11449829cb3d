// SPDX-License-Identifier: GPL-2.0
/*
 * The relay for what most packets are: in one piece, for an entry whose route
 * is known, of a size that fits. All the decisions are those of decide.h and
 * forward.h, compiled once more and without what is unusual; a packet that is
 * not simply relayed goes to kturn_relay() as it came.
 */
#define KTURN_FAST	true

#include "account.h"
#include "decide.h"
#include "limit.h"
#include "packet.h"

/*
 * Relay it as planned, if that needs nothing special. Return: false if it does;
 * the packet is as it came then.
 */
static __always_inline bool kturn_go(struct kturn_packet *pkt,
				     struct kturn_plan *plan,
				     unsigned int *verdict)
{
	struct kturn_net *kn = pkt->kn;
	struct sk_buff *skb = pkt->skb;
	struct kturn_alloc *over;

	if (unlikely(!kturn_is_direct(kn, &plan->fwd)) ||
	    unlikely(kturn_rewrite_prepare(pkt, &plan->fwd, plan->dst)) ||
	    unlikely(kturn_limit_plan(plan, &over) >= 0))
		return false;

	*verdict = NF_STOLEN;
	/* From here on the packet is another one. */
	if (unlikely(kturn_rewrite_packet(pkt, &plan->fwd))) {
		*verdict = kturn_spoilt(skb, kn, pkt->room, pkt->family,
					plan->hop.alloc);
		return true;
	}
	kturn_account_plan(kn, skb, plan);
	kturn_xmit_direct(kn->net, skb, plan->dst, plan->fwd.family,
			  plan->fwd.tos, pkt->early);
	return true;
}

/* The same, if it stays in its family, which the compiler knows then. */
static __always_inline bool kturn_go_within(struct kturn_packet *pkt,
					    struct kturn_plan *plan, u8 family,
					    unsigned int *verdict)
{
	if (unlikely(plan->outcome != KTURN_FORWARD) ||
	    unlikely(plan->fwd.family != family))
		return false;
	plan->fwd.family = family;
	return kturn_go(pkt, plan, verdict);
}

/*
 * The two kinds of packets that most are, ChannelData and what becomes that,
 * between addresses of one family, go from here; what is known of them need not
 * be looked at. The rest is sent from one place.
 */
static __always_inline unsigned int
kturn_fast(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev, u8 family,
	   bool early)
{
	struct kturn_room room __uninitialized;
	struct kturn_packet pkt __uninitialized;
	struct kturn_plan plan __uninitialized;
	u64 now = kturn_now_cached(kn);
	unsigned int verdict;
	bool local = false;

	kturn_packet_init(&pkt, &room, skb, kn, l3mdev, early);
	if (unlikely(skb_is_gso(skb)) || !kturn_packet_read(&pkt, family) ||
	    unlikely(pkt.unusual >= 0))
		goto full;
	plan.outcome = KTURN_PASS;
	if (kturn_like_client(&pkt)) {
		if (likely(kturn_try_channel(&pkt, &plan, now, &local))) {
			if (unlikely(local))
				goto hairpin;
			if (likely(kturn_go_within(&pkt, &plan, family,
						   &verdict)))
				return verdict;
			goto planned;
		}
		if (kturn_try_client(&pkt, &plan, now, &local)) {
			if (unlikely(local))
				goto hairpin;
			goto planned;
		}
	}
	if (kturn_try_peer_channel(&pkt, &plan, now)) {
		if (likely(kturn_go_within(&pkt, &plan, family, &verdict)))
			return verdict;
		goto planned;
	}
	if (kturn_try_peer(&pkt, &plan, now))
		goto planned;
	/* Whose it is else is known already, or found in a moment. */
	if (kturn_like_client(&pkt) ||
	    !kturn_tuple_lookup(kn, &room.key.tuple))
		return NF_ACCEPT;
	goto full;

hairpin:
	kturn_plan_hairpin(&pkt, &plan, now);
planned:
	if (likely(plan.outcome == KTURN_FORWARD) &&
	    likely(kturn_go(&pkt, &plan, &verdict)))
		return verdict;
full:
	return kturn_relay(skb, kn, l3mdev, family, early);
}

/**
 * kturn_fast4() - relay an IPv4 packet if it is one of ours
 * @skb: with data at the IP header, which was checked and has no options; of
 *	UDP; consumed only with NF_STOLEN
 * @kn: namespace
 * @l3mdev: VRF it came in through, or 0
 * @early: at a device's ingress
 *
 * Context: RCU, BH off.
 * Return: the verdict.
 */
unsigned int kturn_fast4(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev,
			 bool early)
{
	return kturn_fast(skb, kn, l3mdev, KTURN_FAMILY_V4, early);
}

/** kturn_fast6() - the same of an IPv6 packet */
unsigned int kturn_fast6(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev,
			 bool early)
{
	return kturn_fast(skb, kn, l3mdev, KTURN_FAMILY_V6, early);
}
