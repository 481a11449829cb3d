// SPDX-License-Identifier: GPL-2.0
/*
 * What may be relayed, and what becomes of a packet: it is sent on, left to the
 * stack and so to the owner's socket, or dropped. Each is counted, what is not
 * relayed with its reason.
 */
#include <linux/netfilter_bridge.h>
#include <net/udp.h>
#include <net/xfrm.h>

#include "limit.h"
#include "relay.h"

/* Stealing a packet skips UDP's policy check, so there must be none. */
static bool kturn_under_policy(const struct kturn_packet *pkt)
{
	if (secpath_exists(pkt->skb))
		return true;
#ifdef CONFIG_XFRM
	{
		const struct netns_xfrm *xfrm = &pkt->kn->net->xfrm;

		return xfrm->policy_count[XFRM_POLICY_IN] ||
		       xfrm->policy_default[XFRM_POLICY_IN] ==
		       XFRM_USERPOLICY_BLOCK;
	}
#else
	return false;
#endif
}

/* The module knows of one place only where a checksum may be due. */
static bool kturn_csum_start_odd(const struct kturn_packet *pkt)
{
	const struct sk_buff *skb = pkt->skb;

	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       (skb_checksum_start_offset(skb) != pkt->thoff ||
		skb->csum_offset != offsetof(struct udphdr, check));
}

static bool kturn_bridged(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return nf_bridge_info_exists(skb);
#else
	return false;
#endif
}

/* The bridge calls this hook too, and rewrites PACKET_OTHERHOST. */
static bool kturn_link_odd(const struct sk_buff *skb)
{
	return skb->pkt_type != PACKET_HOST || skb_vlan_tag_present(skb) ||
	       kturn_bridged(skb) || skb_shared(skb);
}

/**
 * kturn_admit() - may this packet be relayed in the kernel at all?
 * @pkt: a packet for which there is an entry
 * @source: the entry's memory of what input routing allows
 *
 * Context: RCU.
 * Return: -1, or the enum kturn_punt_reason why not.
 */
int kturn_admit(struct kturn_packet *pkt, struct kturn_source *source)
{
	struct sk_buff *skb = pkt->skb;

	if (unlikely(pkt->unusual >= 0))
		return pkt->unusual;
	if (unlikely(kturn_link_odd(skb)))
		return KTURN_PUNT_REASON_LINK;
	if (unlikely(kturn_under_policy(pkt)))
		return KTURN_PUNT_REASON_POLICY;
	if (unlikely(kturn_csum_start_odd(pkt)))
		return KTURN_PUNT_REASON_MALFORMED;
	if (unlikely(!kturn_source_check(pkt->kn->net, skb, source,
					 pkt->family, pkt->tos)))
		return KTURN_PUNT_REASON_SOURCE;
	return -1;
}

static bool kturn_has_socket(const struct kturn_packet *pkt)
{
	struct net *net = pkt->kn->net;
	int dif = pkt->l3mdev ?: pkt->skb->dev->ifindex;
	int sdif = pkt->l3mdev ? pkt->skb->dev->ifindex : 0;
	__be32 saddr, daddr;

	if (pkt->family == KTURN_FAMILY_V6)
		return __udp6_lib_lookup(net, (struct in6_addr *)pkt->src.ip,
					 pkt->src.port,
					 (struct in6_addr *)pkt->dst.ip,
					 pkt->dst.port, dif, sdif, NULL);
	memcpy(&saddr, pkt->src.ip, sizeof(saddr));
	memcpy(&daddr, pkt->dst.ip, sizeof(daddr));
	return __udp4_lib_lookup(net, saddr, pkt->src.port, daddr,
				 pkt->dst.port, dif, sdif, NULL);
}

/**
 * kturn_for_host() - would the stack deliver this packet to this host?
 * @kn: namespace
 * @skb: packet
 * @family: enum kturn_family
 *
 * What is bridged, or routed on to who has the address now, is not ours to
 * drop.
 *
 * Context: RCU.
 */
bool kturn_for_host(struct kturn_net *kn, const struct sk_buff *skb, u8 family)
{
	return !kturn_link_odd(skb) && kturn_dst_check(kn->net, skb, family);
}

/* ------------------------------------------------------------------ plans */

/** kturn_plan_punt() - the packet is to be left to the stack */
void kturn_plan_punt(struct kturn_plan *plan, struct kturn_alloc *alloc,
		     enum kturn_punt_reason reason)
{
	plan->outcome = KTURN_PUNT;
	plan->alloc = alloc;
	plan->reason = reason;
}

/** kturn_plan_drop() - the packet is to be dropped */
void kturn_plan_drop(struct kturn_plan *plan, struct kturn_alloc *alloc,
		     enum kturn_drop_reason reason)
{
	plan->outcome = KTURN_DROP;
	plan->alloc = alloc;
	plan->reason = reason;
}

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
void kturn_plan_refuse(struct kturn_packet *pkt, struct kturn_plan *plan,
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

/** kturn_refuse_peer() - to or from a peer without a permission */
void kturn_refuse_peer(struct kturn_packet *pkt, struct kturn_plan *plan,
		       struct kturn_alloc *alloc)
{
	kturn_plan_refuse(pkt, plan, alloc, KTURN_DROP_REASON_NO_PERMISSION,
			  KTURN_PUNT_REASON_NO_PERMISSION);
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
	struct kturn_alloc *alloc = plan->hop[0].alloc;
	const struct kturn_account *hop;
	unsigned int i;

	/* The last that can make it a punt, and before the first change. */
	if (unlikely(kturn_rewrite_prepare(pkt, &plan->fwd, plan->dst)))
		return kturn_punt(pkt, alloc, KTURN_PUNT_REASON_NO_MEMORY);
	for (i = 0; i < plan->n_hops; i++) {
		hop = &plan->hop[i];
		if (unlikely(!kturn_limit_relay(hop->alloc, hop->dir,
						plan->fwd.len)))
			return kturn_drop(pkt, hop->alloc,
					  KTURN_DROP_REASON_LIMIT);
	}
	if (unlikely(kturn_rewrite(pkt, &plan->fwd)))
		return kturn_drop(pkt, alloc, KTURN_DROP_REASON_NO_MEMORY);

	for (i = 0; i < plan->n_hops; i++)
		kturn_account_forward(pkt, &plan->hop[i], plan->fwd.len);
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
		kturn_tell_sender(pkt, plan);
		return kturn_drop(pkt, plan->alloc, plan->reason);
	case KTURN_PASS:
		break;
	}
	return NF_ACCEPT;
}
