/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_COMPAT_NET_ROUTE_H
#define _KTURN_COMPAT_NET_ROUTE_H

#include_next <net/route.h>
#include <net/inet_dscp.h>

#ifndef KTURN_HAVE_ROUTE_INPUT_DSCP
/* Linux 6.13: takes a dscp_t, not the whole field, which may hold ECN. */
static inline int
kturn_compat_route_input_noref(struct sk_buff *skb, __be32 daddr, __be32 saddr,
			       dscp_t dscp, struct net_device *dev)
{
	return ip_route_input_noref(skb, daddr, saddr,
				    inet_dscp_to_dsfield(dscp), dev);
}

#define ip_route_input_noref	kturn_compat_route_input_noref
#endif

#endif /* _KTURN_COMPAT_NET_ROUTE_H */
