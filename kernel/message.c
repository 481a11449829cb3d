// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that show an entry: one layout for get, dump and notification. All
 * of it runs under kturn_net.lock.
 */
#include "netlink.h"

static void *kturn_nl_begin(const struct kturn_nl_msg *msg, u8 cmd)
{
	return genlmsg_put(msg->skb, msg->portid, msg->seq, &kturn_nl_family,
			   msg->flags, cmd);
}

/* Complete or not there at all. */
static int kturn_nl_end(const struct kturn_nl_msg *msg, void *hdr, int failed)
{
	if (failed) {
		genlmsg_cancel(msg->skb, hdr);
		return -EMSGSIZE;
	}
	if (msg->cb)
		genl_dump_check_consistent(msg->cb, hdr);
	genlmsg_end(msg->skb, hdr);
	return 0;
}

/**
 * kturn_nl_show() - write a message that shows an entry
 * @msg: where
 * @kind: of entry
 * @entry: entry
 *
 * Return: 0 or -EMSGSIZE.
 */
int kturn_nl_show(const struct kturn_nl_msg *msg,
		  const struct kturn_nl_kind *kind, const void *entry)
{
	void *hdr = kturn_nl_begin(msg, kind->cmd);

	if (!hdr)
		return -EMSGSIZE;
	return kturn_nl_end(msg, hdr, kind->put(msg->skb, entry));
}

/**
 * kturn_nl_show_gone() - write a message that an entry goes
 * @msg: where
 * @kind: of entry
 * @entry: entry, still complete
 * @reason: why it goes
 *
 * Return: 0 or -EMSGSIZE.
 */
int kturn_nl_show_gone(const struct kturn_nl_msg *msg,
		       const struct kturn_nl_kind *kind, const void *entry,
		       enum kturn_gone_reason reason)
{
	void *hdr = kturn_nl_begin(msg, kind->gone_cmd);

	if (!hdr)
		return -EMSGSIZE;
	return kturn_nl_end(msg, hdr, kind->put(msg->skb, entry) ?:
			    nla_put_u32(msg->skb, kind->gone_attr, reason));
}

/**
 * kturn_nl_put_count() - write a nest of packets and bytes
 * @skb: message
 * @type: attribute
 * @count: packets and bytes
 *
 * Return: 0 or -EMSGSIZE.
 */
int kturn_nl_put_count(struct sk_buff *skb, int type,
		       const struct kturn_count *count)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, KTURN_A_COUNTER_PACKETS, count->packets,
			      KTURN_A_COUNTER_PAD) ||
	    nla_put_u64_64bit(skb, KTURN_A_COUNTER_BYTES, count->bytes,
			      KTURN_A_COUNTER_PAD)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}
