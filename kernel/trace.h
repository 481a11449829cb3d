/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: what became of each packet that belongs to an allocation. Each
 * is a jump that is patched in while somebody listens.
 *
 * An allocation's id is unique in its network namespace, which is named as
 * /proc/PID/ns/net names it. A family is 0 where nothing says which it would
 * have been.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kturn

#if !defined(_KTURN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KTURN_TRACE_H

#include <linux/tracepoint.h>

#include <kturn/reason_gen.h>

#include "relay.h"

#define KTURN_TRACE_DIRS(X, LAST) \
	X(KTURN_TO_PEER, "to-peer", "") \
	LAST(KTURN_TO_CLIENT, "to-client", "")

#define KTURN_TRACE_FAMILIES(X, LAST) \
	X(KTURN_FAMILY_NONE, "none", "") \
	X(KTURN_FAMILY_V4, "ipv4", "") \
	LAST(KTURN_FAMILY_V6, "ipv6", "")

/* For programs that read the events' formats, which know no enum by name. */
#undef KTURN_TRACE_NAME
#define KTURN_TRACE_NAME(value, name, text) TRACE_DEFINE_ENUM(value);

KTURN_TRACE_DIRS(KTURN_TRACE_NAME, KTURN_TRACE_NAME)
KTURN_TRACE_FAMILIES(KTURN_TRACE_NAME, KTURN_TRACE_NAME)
KTURN_DROP_REASON_LIST(KTURN_TRACE_NAME, KTURN_TRACE_NAME)
KTURN_PUNT_REASON_LIST(KTURN_TRACE_NAME, KTURN_TRACE_NAME)

#undef KTURN_TRACE_NAME
#undef KTURN_TRACE_LAST
#define KTURN_TRACE_NAME(value, name, text) { value, name },
#define KTURN_TRACE_LAST(value, name, text) { value, name }

#define kturn_trace_symbol(value, list) \
	__print_symbolic(value, list(KTURN_TRACE_NAME, KTURN_TRACE_LAST))

/*
 * A packet is relayed: what it counts for, the peer's family, and its bytes of
 * application data.
 */
TRACE_EVENT(kturn_forward,
	TP_PROTO(const struct sk_buff *skb, const struct net *net,
		 const struct kturn_alloc *alloc,
		 const struct kturn_chan *chan, unsigned int dir, u8 family,
		 unsigned int len),

	TP_ARGS(skb, net, alloc, chan, dir, family, len),

	TP_STRUCT__entry(
		__field(const void *,	skbaddr)
		__field(unsigned int,	netns)
		__field(unsigned int,	alloc)
		__field(unsigned int,	len)
		__field(u16,		chan)
		__field(u8,		dir)
		__field(u8,		family_in)
		__field(u8,		family_out)
	),

	TP_fast_assign(
		u8 client = alloc->tuple.remote.family;

		__entry->skbaddr = skb;
		__entry->netns = net->ns.inum;
		__entry->alloc = alloc->id;
		__entry->len = len;
		__entry->chan = chan ? chan->number_key.number : 0;
		__entry->dir = dir;
		__entry->family_in = dir == KTURN_TO_PEER ? client : family;
		__entry->family_out = dir == KTURN_TO_PEER ? family : client;
	),

	TP_printk("skbaddr=%p netns=%u alloc=%u dir=%s in=%s out=%s len=%u chan=0x%04x",
		  __entry->skbaddr, __entry->netns, __entry->alloc,
		  kturn_trace_symbol(__entry->dir, KTURN_TRACE_DIRS),
		  kturn_trace_symbol(__entry->family_in, KTURN_TRACE_FAMILIES),
		  kturn_trace_symbol(__entry->family_out, KTURN_TRACE_FAMILIES),
		  __entry->len, __entry->chan)
);

/* The length is that of the whole UDP payload: what is in it was not agreed. */
DECLARE_EVENT_CLASS(kturn_unrelayed,
	TP_PROTO(const struct kturn_packet *pkt,
		 const struct kturn_alloc *alloc, unsigned int reason),

	TP_ARGS(pkt, alloc, reason),

	TP_STRUCT__entry(
		__field(const void *,	skbaddr)
		__field(unsigned int,	netns)
		__field(unsigned int,	alloc)
		__field(unsigned int,	len)
		__field(unsigned int,	reason)
		__field(u8,		dir)
		__field(u8,		family_in)
		__field(u8,		family_out)
	),

	TP_fast_assign(
		__entry->skbaddr = pkt->skb;
		__entry->netns = pkt->kn->net->ns.inum;
		__entry->alloc = alloc->id;
		__entry->len = pkt->len;
		__entry->reason = reason;
		__entry->dir = kturn_account_dir(pkt, alloc);
		__entry->family_in = pkt->family;
		__entry->family_out = kturn_account_out(pkt, alloc);
	),

	TP_printk("skbaddr=%p netns=%u alloc=%u dir=%s in=%s out=%s len=%u reason=%s",
		  __entry->skbaddr, __entry->netns, __entry->alloc,
		  kturn_trace_symbol(__entry->dir, KTURN_TRACE_DIRS),
		  kturn_trace_symbol(__entry->family_in, KTURN_TRACE_FAMILIES),
		  kturn_trace_symbol(__entry->family_out, KTURN_TRACE_FAMILIES),
		  __entry->len,
		  kturn_trace_symbol(__entry->reason, KTURN_DROP_REASON_LIST))
);

/* A packet of an allocation is dropped; reason: enum kturn_drop_reason. */
DEFINE_EVENT(kturn_unrelayed, kturn_drop,
	TP_PROTO(const struct kturn_packet *pkt,
		 const struct kturn_alloc *alloc, unsigned int reason),
	TP_ARGS(pkt, alloc, reason)
);

/* A packet of an allocation is punted; reason: enum kturn_punt_reason. */
DEFINE_EVENT_PRINT(kturn_unrelayed, kturn_punt,
	TP_PROTO(const struct kturn_packet *pkt,
		 const struct kturn_alloc *alloc, unsigned int reason),
	TP_ARGS(pkt, alloc, reason),

	TP_printk("skbaddr=%p netns=%u alloc=%u dir=%s in=%s out=%s len=%u reason=%s",
		  __entry->skbaddr, __entry->netns, __entry->alloc,
		  kturn_trace_symbol(__entry->dir, KTURN_TRACE_DIRS),
		  kturn_trace_symbol(__entry->family_in, KTURN_TRACE_FAMILIES),
		  kturn_trace_symbol(__entry->family_out, KTURN_TRACE_FAMILIES),
		  __entry->len,
		  kturn_trace_symbol(__entry->reason, KTURN_PUNT_REASON_LIST))
);

#endif /* _KTURN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
