// SPDX-License-Identifier: GPL-2.0
/* The relay, whatever a packet is like; see relay.h. */
#include "decide.h"
#include "packet.h"

/**
 * kturn_bound() - find what a relayed address knows of a peer
 * @kn: namespace
 * @in: from the peer to the relayed address
 * @now: kturn_now()
 * @b: result
 *
 * Context: RCU.
 * Return: is there a live allocation at the relayed address?
 */
bool kturn_bound(struct kturn_net *kn, const struct kturn_tuple *in, u64 now,
		 struct kturn_binding *b)
{
	return kturn_bound_at(kn, in, now, b);
}

/**
 * kturn_decide() - decide what becomes of a packet
 * @pkt: a UDP datagram, or a segment of a super-packet
 * @plan: result
 *
 * Context: RCU.
 */
void kturn_decide(struct kturn_packet *pkt, struct kturn_plan *plan)
{
	bool like_client = kturn_like_client(pkt);
	u64 now = kturn_now();
	bool local = false;

	plan->outcome = KTURN_PASS;
	if (like_client && (kturn_try_channel(pkt, plan, now, &local) ||
			    kturn_try_client(pkt, plan, now, &local)))
		goto out;
	if (kturn_try_peer_channel(pkt, plan, now) ||
	    kturn_try_peer(pkt, plan, now) || like_client)
		goto out;
	kturn_try_client(pkt, plan, now, &local);
out:
	if (local)
		kturn_plan_hairpin(pkt, plan, now);
}

/**
 * kturn_relay() - relay a packet if it is one of ours
 * @skb: with data at the IP header, which was checked; consumed only with
 *	NF_STOLEN
 * @kn: namespace
 * @l3mdev: VRF it came in through, or 0
 * @family: enum kturn_family
 * @early: at a device's ingress
 *
 * Context: RCU, BH off.
 * Return: the verdict.
 */
unsigned int kturn_relay(struct sk_buff *skb, struct kturn_net *kn, u32 l3mdev,
			 u8 family, bool early)
{
	struct kturn_packet pkt;
	struct kturn_plan plan;
	struct kturn_room room;

	kturn_packet_init(&pkt, &room, skb, kn, l3mdev, early);
	if (!kturn_packet_read(&pkt, family))
		return NF_ACCEPT;
	if (skb_is_gso(skb))
		return kturn_relay_segments(&pkt);
	kturn_decide(&pkt, &plan);
	return kturn_carry_out(&pkt, &plan);
}
