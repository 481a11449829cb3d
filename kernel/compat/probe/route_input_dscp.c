// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <net/inet_dscp.h>
#include <net/route.h>

typeof(int (*)(struct sk_buff *skb, __be32 daddr, __be32 saddr, u8 tos,
	       struct net_device *dev)) before;

/* Since then it returns a reason, too. */
static_assert(!__same_type(before, &ip_route_input_noref));
