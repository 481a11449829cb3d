/* SPDX-License-Identifier: GPL-2.0 */
/* Counting what is relayed; inlined. */
#ifndef _KTURN_ACCOUNT_H
#define _KTURN_ACCOUNT_H

#include <linux/jiffies.h>

#include "relay.h"
#include "trace.h"

/* Not for each packet, or CPUs would take the cache line from each other. */
static __always_inline void kturn_account_active(struct kturn_alloc *alloc)
{
	unsigned long now = jiffies;

	if (unlikely(now - READ_ONCE(alloc->active) >= HZ))
		WRITE_ONCE(alloc->active, now);
}

static __always_inline void
kturn_stats_relayed(struct kturn_net *kn, const struct kturn_account *acc,
		    unsigned int bytes)
{
	struct kturn_pcpu_stats *s = this_cpu_ptr(kn->stats);
	unsigned int family = kturn_family_index(acc->family);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->packets[acc->dir][family]);
	u64_stats_add(&s->bytes[acc->dir][family], bytes);
	u64_stats_update_end(&s->syncp);
}

/**
 * kturn_account_forward() - a packet is relayed
 * @kn: namespace
 * @skb: packet
 * @acc: what it counts for
 * @bytes: of application data
 *
 * Context: RCU, BH off.
 */
static __always_inline void
kturn_account_forward(struct kturn_net *kn, const struct sk_buff *skb,
		      const struct kturn_account *acc, unsigned int bytes)
{
	unsigned int family = kturn_family_index(acc->family);
	struct kturn_alloc *alloc = acc->alloc;
	unsigned int lane;

	lane = kturn_lane_get(&alloc->lanes);
	kturn_counter_add(&alloc->counter[lane][acc->dir][family], lane, bytes);
	if (acc->chan)
		kturn_counter_add(&acc->chan->counter[lane][acc->dir], lane,
				  bytes);
	kturn_stats_relayed(kn, acc, bytes);
	kturn_lane_put();
	kturn_account_active(alloc);
	trace_kturn_forward(skb, kn->net, alloc, acc->chan, acc->dir,
			    acc->family, bytes);
}

/**
 * kturn_account_plan() - a packet is relayed as planned
 * @kn: namespace
 * @skb: packet
 * @plan: its plan
 *
 * Context: RCU, BH off.
 */
static __always_inline void kturn_account_plan(struct kturn_net *kn,
					       const struct sk_buff *skb,
					       const struct kturn_plan *plan)
{
	kturn_account_forward(kn, skb, &plan->hop, plan->fwd.len);
	if (unlikely(plan->next.alloc))
		kturn_account_forward(kn, skb, &plan->next, plan->fwd.len);
}

#endif /* _KTURN_ACCOUNT_H */
