// SPDX-License-Identifier: GPL-2.0
/* Making packets, where it need not be fast; see rewrite.h. */
#include <linux/random.h>

#include "rewrite.h"

siphash_key_t kturn_tid_key __ro_after_init;

/** kturn_rewrite_init() - for all namespaces. Context: module init. */
void __init kturn_rewrite_init(void)
{
	get_random_bytes(&kturn_tid_key, sizeof(kturn_tid_key));
}

/**
 * kturn_flow_label() - the IPv6 flow label of a packet to send
 * @net: namespace
 * @skb: packet
 * @out: from its local address to its remote one
 * @route: where to remember it, or NULL
 *
 * RFC 8656 section 13.2: never the old one; from the new 5-tuple.
 *
 * Context: RCU.
 */
__be32 kturn_flow_label(struct net *net, struct sk_buff *skb,
			const struct kturn_tuple *out,
			struct kturn_route *route)
{
	struct flowi6 fl6 = {
		.flowi6_proto = IPPROTO_UDP,
		.fl6_sport = out->local.port,
		.fl6_dport = out->remote.port,
	};
	__be32 label;

	memcpy(&fl6.saddr, out->local.ip, sizeof(fl6.saddr));
	memcpy(&fl6.daddr, out->remote.ip, sizeof(fl6.daddr));
	skb_clear_hash(skb);
	label = ip6_make_flowlabel(net, skb, 0, true, &fl6);
	if (route)
		kturn_route_set_label(route, out->remote.port, label);
	return label;
}

/** kturn_rewrite() - see kturn_rewrite_packet() */
int kturn_rewrite(struct kturn_packet *pkt, const struct kturn_forward *fwd)
{
	return kturn_rewrite_packet(pkt, fwd);
}

/**
 * kturn_make() - make a packet that has no other before it
 * @kn: namespace
 * @fwd: what is to be sent; its @hdrlen is 0
 * @dst: its route
 * @payload: @fwd->len bytes
 *
 * Return: NULL without memory.
 */
struct sk_buff *kturn_make(struct kturn_net *kn,
			   const struct kturn_forward *fwd,
			   struct dst_entry *dst, const u8 *payload)
{
	unsigned int room = LL_RESERVED_SPACE(dst->dev) + dst->header_len;
	unsigned int headers = kturn_ip_len(fwd->family) +
			       sizeof(struct udphdr);
	struct sk_buff *skb;
	__wsum sum;

	skb = alloc_skb(room + headers + fwd->len, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	skb_put(skb, headers);
	skb_put_data(skb, payload, fwd->len);
	/* The one part of the sum that never changes from packet to packet. */
	sum = csum_partial(payload, fwd->len,
			   (__force __wsum)htons(IPPROTO_UDP));
	kturn_put_headers(kn, skb, fwd, KTURN_CSUM_UPDATE, sum);
	return skb;
}
