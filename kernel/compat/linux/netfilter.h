/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_COMPAT_LINUX_NETFILTER_H
#define _KTURN_COMPAT_LINUX_NETFILTER_H

#include_next <linux/netfilter.h>

/* Linux 6.7, and 6.1.78: a hook can say why it drops. */
#ifndef KTURN_HAVE_NF_DROP_REASON
static __always_inline int
kturn_compat_nf_drop_reason(struct sk_buff *skb, enum skb_drop_reason reason,
			    u32 err)
{
	kfree_skb_reason(skb, reason);
	return (err << NF_VERDICT_QBITS) | NF_STOLEN;
}

#define NF_DROP_REASON	kturn_compat_nf_drop_reason
#endif

#endif /* _KTURN_COMPAT_LINUX_NETFILTER_H */
