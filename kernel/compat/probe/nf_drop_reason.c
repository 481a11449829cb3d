// SPDX-License-Identifier: GPL-2.0
#include <linux/netfilter.h>

int probe(struct sk_buff *skb);
int probe(struct sk_buff *skb)
{
	return NF_DROP_REASON(skb, SKB_DROP_REASON_NETFILTER_DROP, 0);
}
