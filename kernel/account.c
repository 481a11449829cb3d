// SPDX-License-Identifier: GPL-2.0
/* Who is told what became of a packet: counters, tracepoints, drop monitors. */
#include <linux/jiffies.h>

#include "relay.h"
#include "table.h"
#include "trace.h"

/**
 * kturn_account_sum() - what was relayed for an allocation
 * @alloc: allocation
 * @dir: direction
 * @family: of the peers
 * @sum: what it is added to
 */
void kturn_account_sum(const struct kturn_alloc *alloc, enum kturn_dir dir,
		       u8 family, struct kturn_count *sum)
{
	kturn_counter_sum(&alloc->counter[0][dir][kturn_family_index(family)],
			  KTURN_DIRS * KTURN_FAMILIES, sum);
}

/**
 * kturn_account_chan_sum() - what was relayed over a channel
 * @chan: channel
 * @dir: direction
 * @sum: what it is added to
 */
void kturn_account_chan_sum(const struct kturn_chan *chan, enum kturn_dir dir,
			    struct kturn_count *sum)
{
	kturn_counter_sum(&chan->counter[0][dir], KTURN_DIRS, sum);
}

/**
 * kturn_account_idle() - how long nothing was relayed for an allocation
 * @alloc: allocation
 * @ms: milliseconds, at most a second too many
 *
 * Return: false if nothing ever was.
 */
bool kturn_account_idle(const struct kturn_alloc *alloc, u32 *ms)
{
	unsigned long active = READ_ONCE(alloc->active);

	if (!active)
		return false;
	*ms = min_t(u64, jiffies64_to_msecs(jiffies - active), U32_MAX);
	return true;
}

/**
 * kturn_account_drop() - a packet is dropped
 * @pkt: packet, there still
 * @alloc: whose it is
 * @reason: why
 *
 * Context: RCU.
 */
void kturn_account_drop(const struct kturn_packet *pkt,
			struct kturn_alloc *alloc,
			enum kturn_drop_reason reason)
{
	atomic64_inc(&alloc->dropped);
	kturn_stats_drop(pkt->kn, reason);
	trace_kturn_drop(pkt, alloc, reason);
}

/**
 * kturn_account_punt() - a packet is left to the stack
 * @pkt: packet
 * @alloc: whose it is
 * @reason: why
 *
 * Context: RCU.
 */
void kturn_account_punt(const struct kturn_packet *pkt,
			struct kturn_alloc *alloc,
			enum kturn_punt_reason reason)
{
	atomic64_inc(&alloc->punted);
	kturn_stats_punt(pkt->kn, reason);
	trace_kturn_punt(pkt, alloc, reason);
}

/** kturn_account_dir() - the direction of a packet that is not relayed */
enum kturn_dir kturn_account_dir(const struct kturn_packet *pkt,
				 const struct kturn_alloc *alloc)
{
	const struct kturn_tuple *in = &pkt->room->key.tuple;
	bool client = kturn_addr_equal(&in->remote, &alloc->tuple.remote) &&
		      kturn_addr_equal(&in->local, &alloc->tuple.local);

	return client ? KTURN_TO_PEER : KTURN_TO_CLIENT;
}

/**
 * kturn_account_out() - the family that a packet would have left with
 * @pkt: packet that is not relayed
 * @alloc: whose it is
 *
 * Return: enum kturn_family; KTURN_FAMILY_NONE: from the client of an
 * allocation with relayed addresses of both.
 */
u8 kturn_account_out(const struct kturn_packet *pkt,
		     const struct kturn_alloc *alloc)
{
	u8 v4 = alloc->relay[0].key.relay.family;
	u8 v6 = alloc->relay[1].key.relay.family;

	if (kturn_account_dir(pkt, alloc) == KTURN_TO_CLIENT)
		return alloc->tuple.remote.family;
	return v4 && v6 ? KTURN_FAMILY_NONE : v4 ?: v6;
}

/*
 * A module can't have drop reasons of its own: the kernel knows its subsystems
 * by number. What is a decision about this packet, as a filter makes them, is
 * NETFILTER_DROP.
 */
static const u16 kturn_skb_reasons[KTURN_DROP_REASONS] = {
	/* As ip_forward() has it. */
	[KTURN_DROP_REASON_TTL] = SKB_DROP_REASON_IP_INHDR,
	[KTURN_DROP_REASON_NO_MEMORY] = SKB_DROP_REASON_NOMEM,
	[KTURN_DROP_REASON_ORPHAN] = SKB_DROP_REASON_NO_SOCKET,
	[KTURN_DROP_REASON_TOO_BIG] = SKB_DROP_REASON_PKT_TOO_BIG,
};

/** kturn_account_reason() - what the kernel's drop monitors are told */
enum skb_drop_reason kturn_account_reason(enum kturn_drop_reason reason)
{
	return kturn_skb_reasons[reason] ?: SKB_DROP_REASON_NETFILTER_DROP;
}
