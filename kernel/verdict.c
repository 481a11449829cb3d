// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a packet of an allocation that is not relayed: it is left
 * to the stack, and so to the owner's socket, or dropped. Each is counted
 * with its reason.
 */
#include <linux/netfilter_bridge.h>
#include <linux/udp.h>
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
	if (unlikely(skb_is_gso(skb)))
		return KTURN_PUNT_REASON_GSO;
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

/*
 * Only what the stack would deliver to this host is ours to drop: not what is
 * bridged, or routed on to who has the address now.
 */
static bool kturn_for_host(const struct kturn_packet *pkt)
{
	return !kturn_link_odd(pkt->skb) &&
	       kturn_dst_check(pkt->kn->net, pkt->skb, pkt->family);
}

/**
 * kturn_drop() - drop a packet
 * @pkt: consumed
 * @alloc: whose it is
 * @reason: why
 *
 * The kernel's drop monitors (skb:kfree_skb) hear of it with a reason of the
 * kernel's own.
 *
 * Context: RCU.
 * Return: the verdict.
 */
unsigned int kturn_drop(struct kturn_packet *pkt, struct kturn_alloc *alloc,
			enum kturn_drop_reason reason)
{
	kturn_account_drop(pkt, alloc, reason);
	return NF_DROP_REASON(pkt->skb, kturn_account_reason(reason), 0);
}

/**
 * kturn_punt() - leave a packet to the stack
 * @pkt: with its contents unchanged
 * @alloc: whose it is
 * @reason: why
 *
 * While the owner is away and its socket with it, the host would answer "port
 * unreachable" and the client give up; then it is dropped. So is what exceeds
 * a limit.
 *
 * Context: RCU.
 * Return: the verdict.
 */
unsigned int kturn_punt(struct kturn_packet *pkt, struct kturn_alloc *alloc,
			enum kturn_punt_reason reason)
{
	int drop;

	if (unlikely(alloc->owner && READ_ONCE(alloc->owner->deadline)) &&
	    reason != KTURN_PUNT_REASON_SOURCE &&
	    kturn_for_host(pkt) && !kturn_has_socket(pkt))
		return kturn_drop(pkt, alloc, KTURN_DROP_REASON_ORPHAN);
	drop = kturn_limit_punt(pkt, alloc, reason);
	if (unlikely(drop >= 0))
		return kturn_drop(pkt, alloc, drop);
	kturn_account_punt(pkt, alloc, reason);
	return NF_ACCEPT;
}

/**
 * kturn_droppable() - may this packet be dropped, if there is a reason?
 * @pkt: packet
 *
 * Dropping needs as much as relaying: not what is bridged or routed on to
 * somebody else, nor segments behind the one that was looked at.
 *
 * Context: RCU.
 * Return: -1, or the enum kturn_punt_reason why not.
 */
int kturn_droppable(const struct kturn_packet *pkt)
{
	if (kturn_link_odd(pkt->skb))
		return KTURN_PUNT_REASON_LINK;
	if (skb_is_gso(pkt->skb))
		return KTURN_PUNT_REASON_GSO;
	if (!kturn_dst_check(pkt->kn->net, pkt->skb, pkt->family))
		return KTURN_PUNT_REASON_SOURCE;
	return -1;
}

static unsigned int kturn_refuse(struct kturn_packet *pkt,
				 struct kturn_alloc *alloc,
				 enum kturn_drop_reason drop,
				 enum kturn_punt_reason punt)
{
	int reason;

	if (!(READ_ONCE(alloc->flags) & KTURN_ALLOC_FLAGS_EXCLUSIVE))
		return kturn_punt(pkt, alloc, punt);
	reason = kturn_droppable(pkt);
	if (unlikely(reason >= 0))
		return kturn_punt(pkt, alloc, reason);
	return kturn_drop(pkt, alloc, drop);
}

/** kturn_refuse_channel() - ChannelData on a channel that is not bound */
unsigned int kturn_refuse_channel(struct kturn_packet *pkt,
				  struct kturn_alloc *alloc)
{
	return kturn_refuse(pkt, alloc, KTURN_DROP_REASON_NO_CHANNEL,
			    KTURN_PUNT_REASON_NO_CHANNEL);
}

/** kturn_refuse_peer() - to or from a peer without a permission */
unsigned int kturn_refuse_peer(struct kturn_packet *pkt,
			       struct kturn_alloc *alloc)
{
	return kturn_refuse(pkt, alloc, KTURN_DROP_REASON_NO_PERMISSION,
			    KTURN_PUNT_REASON_NO_PERMISSION);
}
