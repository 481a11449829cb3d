/* SPDX-License-Identifier: GPL-2.0 */
/* What may be relayed in the kernel at all. */
#ifndef _KTURN_ADMIT_H
#define _KTURN_ADMIT_H

#include <linux/netfilter_bridge.h>
#include <net/xfrm.h>

#include "relay.h"
#include "route.h"

/* Stealing a packet skips UDP's policy check, so there must be none. */
static __always_inline bool kturn_under_policy(const struct kturn_packet *pkt)
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
static __always_inline bool kturn_csum_start_odd(const struct kturn_packet *pkt)
{
	const struct sk_buff *skb = pkt->skb;

	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       (skb->head + skb->csum_start != skb->data + pkt->thoff ||
		skb->csum_offset != offsetof(struct udphdr, check));
}

static __always_inline bool kturn_bridged(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return nf_bridge_info_exists(skb);
#else
	return false;
#endif
}

/* The bridge calls this hook too, and rewrites PACKET_OTHERHOST. */
static __always_inline bool kturn_link_odd(const struct sk_buff *skb)
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
static __always_inline int kturn_admit(struct kturn_packet *pkt,
				       struct kturn_source *source)
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
	if (unlikely(!kturn_source_check(pkt->kn, skb, source,
					 pkt->family, pkt->tos)))
		return KTURN_PUNT_REASON_SOURCE;
	return -1;
}

#endif /* _KTURN_ADMIT_H */
