// SPDX-License-Identifier: GPL-2.0
/*
 * Super-packets: several datagrams of a flow in one skb, from a local sender
 * (UDP_SEGMENT) or put together by receive offload.
 *
 * Each segment is a message of its own, perhaps for another peer. A packet that
 * was split can't be given back to the stack, so all segments are looked at
 * first, in place, and if one of them has to be punted, all are.
 */
#include <linux/netdev_features.h>
#include <net/gso.h>

#include "packet.h"

/* More than UDP_SEGMENT and receive offload ever make. */
#define KTURN_SEGMENTS_MAX	128

/* Not what a device has still to be told of tunnels, nor UDP fragments. */
#define KTURN_GSO_TYPES	(SKB_GSO_UDP_L4 | SKB_GSO_FRAGLIST | SKB_GSO_DODGY)

static bool kturn_can_split(const struct kturn_packet *pkt)
{
	const struct skb_shared_info *info = skb_shinfo(pkt->skb);

	return info->gso_type & SKB_GSO_UDP_L4 &&
	       !(info->gso_type & ~KTURN_GSO_TYPES) && info->gso_size &&
	       pkt->len > info->gso_size &&
	       DIV_ROUND_UP(pkt->len, info->gso_size) <= KTURN_SEGMENTS_MAX;
}

/* Make @seg the segment of @pkt that begins @pos bytes into the payload. */
static bool kturn_segment_at(const struct kturn_packet *pkt, unsigned int pos,
			     struct kturn_packet *seg)
{
	*seg = *pkt;
	seg->off = pkt->off + pos;
	seg->len = min_t(unsigned int, pkt->len - pos,
			 skb_shinfo(pkt->skb)->gso_size);
	seg->headlen = min_t(unsigned int, seg->len, KTURN_STUN_HDR_LEN);
	seg->head = skb_header_pointer(pkt->skb, seg->off, seg->headlen,
				       seg->room->buf);
	return seg->head;
}

/*
 * Return: KTURN_FORWARD if no segment needs the stack; else @plan says what
 * becomes of the whole.
 */
static enum kturn_outcome kturn_decide_all(struct kturn_packet *pkt,
					   struct kturn_plan *plan)
{
	unsigned int size = skb_shinfo(pkt->skb)->gso_size;
	struct kturn_packet seg;
	unsigned int pos;

	for (pos = 0; pos < pkt->len; pos += size) {
		if (!kturn_segment_at(pkt, pos, &seg)) {
			plan->outcome = KTURN_PASS;
			return KTURN_PASS;
		}
		kturn_decide(&seg, plan);
		/* Before the IP stack, nothing is dropped or answered. */
		if (plan->outcome != KTURN_FORWARD &&
		    (pkt->early || plan->outcome != KTURN_DROP))
			return plan->outcome;
	}
	return KTURN_FORWARD;
}

static void kturn_relay_segment(const struct kturn_packet *whole,
				struct sk_buff *skb)
{
	struct kturn_packet pkt;
	struct kturn_plan plan;
	struct kturn_room room;

	plan.outcome = KTURN_PASS;
	kturn_packet_init(&pkt, &room, skb, whole->kn,
			  whole->room->key.tuple.l3mdev, whole->early);
	pkt.split = true;
	if (kturn_packet_read(&pkt, whole->family))
		kturn_decide(&pkt, &plan);
	/* Its allocation may have ended since. */
	if (kturn_carry_out(&pkt, &plan) == NF_ACCEPT)
		kfree_skb(skb);
}

/**
 * kturn_relay_segments() - relay a super-packet if it is one of ours
 * @pkt: UDP datagrams of the same size, but for the last
 *
 * Context: RCU.
 * Return: the verdict.
 */
unsigned int kturn_relay_segments(struct kturn_packet *pkt)
{
	struct sk_buff *skb = pkt->skb, *segs, *next;
	unsigned int mac_len = skb->mac_len;
	u16 mac_header = skb->mac_header;
	struct kturn_plan plan;

	if (pkt->unusual >= 0 || !kturn_can_split(pkt)) {
		kturn_decide(pkt, &plan);
		if (plan.outcome != KTURN_PASS)
			kturn_plan_punt(&plan, kturn_plan_alloc(&plan),
					pkt->unusual >= 0 ? pkt->unusual :
					KTURN_PUNT_REASON_GSO);
		return kturn_carry_out(pkt, &plan);
	}
	if (kturn_decide_all(pkt, &plan) != KTURN_FORWARD)
		return kturn_carry_out(pkt, &plan);

	/* Leaves the sums to be made, as they were. */
	segs = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);
	if (IS_ERR_OR_NULL(segs)) {
		/* skb_segment_list() gives the list up before it can fail. */
		if (skb_shinfo(skb)->gso_type & SKB_GSO_FRAGLIST) {
			kturn_plan_drop(&plan, kturn_plan_alloc(&plan),
					KTURN_DROP_REASON_NO_MEMORY);
			pkt->split = true;
			return kturn_carry_out(pkt, &plan);
		}
		skb->mac_header = mac_header;
		skb->mac_len = mac_len;
		kturn_plan_punt(&plan, kturn_plan_alloc(&plan),
				KTURN_PUNT_REASON_GSO);
		return kturn_carry_out(pkt, &plan);
	}
	consume_skb(skb);
	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		kturn_relay_segment(pkt, skb);
	}
	return NF_STOLEN;
}
