// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps go by ascending id, and an entry made or removed meanwhile shows as
 * NLM_F_DUMP_INTR.
 */
#include <net/sock.h>

#include "netlink.h"

/**
 * struct kturn_dump_pos - where a dump goes on, in netlink_callback.ctx
 * @id: as in struct kturn_dump
 * @index: as in struct kturn_dump
 */
struct kturn_dump_pos {
	unsigned long id;
	unsigned long index;
};

static struct kturn_dump_pos *kturn_dump_pos(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct kturn_dump_pos) > sizeof(cb->ctx));
	return (struct kturn_dump_pos *)cb->ctx;
}

/**
 * kturn_dump_begin() - fill a buffer, beginning where the last one ended
 * @dump: result, for kturn_dump_end()
 * @skb: buffer
 * @cb: the dump
 * @kind: what it shows
 *
 * Takes kturn_net.lock.
 *
 * Return: 0 or -EPERM.
 */
int kturn_dump_begin(struct kturn_dump *dump, struct sk_buff *skb,
		     struct netlink_callback *cb,
		     const struct kturn_nl_kind *kind)
{
	struct kturn_net *kn = kturn_nl_net(sock_net(skb->sk), cb->extack);

	if (IS_ERR(kn))
		return PTR_ERR(kn);
	mutex_lock(&kn->lock);
	/* Never 0, which would mean that changes are not watched for. */
	cb->seq = kn->gen ?: 1;
	*dump = (struct kturn_dump) {
		.skb = skb,
		.cb = cb,
		.kn = kn,
		.kind = kind,
		.now = kturn_now(),
		.id = kturn_dump_pos(cb)->id,
		.index = kturn_dump_pos(cb)->index,
	};
	return 0;
}

/**
 * kturn_dump_end() - the buffer is full, or all is shown
 * @dump: what kturn_dump_begin() began
 * @err: 0, or the error that ended it
 *
 * Gives kturn_net.lock back.
 *
 * Return: what a dumpit operation returns.
 */
int kturn_dump_end(struct kturn_dump *dump, int err)
{
	*kturn_dump_pos(dump->cb) = (struct kturn_dump_pos) {
		.id = dump->id,
		.index = dump->index,
	};
	mutex_unlock(&dump->kn->lock);
	/* A full buffer that holds something is not an error. */
	return dump->skb->len ? dump->skb->len : err;
}

/** kturn_dump_u32() - an attribute of the request, or 0 without it */
u32 kturn_dump_u32(struct netlink_callback *cb, int attr)
{
	const struct nlattr *nla = genl_info_dump(cb)->attrs[attr];

	return nla ? nla_get_u32(nla) : 0;
}

static int kturn_dump_one(struct kturn_dump *dump, const void *entry)
{
	struct kturn_nl_msg msg = {
		.skb = dump->skb,
		.portid = NETLINK_CB(dump->cb->skb).portid,
		.seq = dump->cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
		.cb = dump->cb,
	};

	return kturn_nl_show(&msg, dump->kind, entry);
}

/**
 * kturn_dump_show() - show an entry that has an id of its own
 * @dump: dump, which goes on behind that id
 * @entry: entry
 * @id: its id
 *
 * Return: 0 or -EMSGSIZE.
 */
int kturn_dump_show(struct kturn_dump *dump, const void *entry,
		    unsigned long id)
{
	int err = kturn_dump_one(dump, entry);

	if (!err)
		dump->id = id + 1;
	return err;
}

/**
 * kturn_dump_show_next() - show the next entry of an allocation
 * @dump: dump, which passes over those that were shown before
 * @entry: entry
 * @expires: when it does; what has expired is not shown
 *
 * Return: 0 or -EMSGSIZE.
 */
int kturn_dump_show_next(struct kturn_dump *dump, const void *entry,
			 const u64 *expires)
{
	int err = 0;

	if (dump->seen++ < dump->index)
		return 0;
	if (kturn_alive(expires, dump->now))
		err = kturn_dump_one(dump, entry);
	if (!err)
		dump->index = dump->seen;
	return err;
}

/**
 * kturn_dump_step() - let others have the lock from time to time
 * @dump: dump; after each entry that was looked at, shown or not
 *
 * Where there is nothing to show, no buffer gets full. What was found before is
 * not to be used any more.
 */
void kturn_dump_step(struct kturn_dump *dump)
{
	struct netlink_callback *cb = dump->cb;

	if (++dump->steps % KTURN_BATCH)
		return;
	kturn_net_pause(dump->kn);
	/* What has changed meanwhile is a reason to say so, with what follows. */
	if (!cb->prev_seq)
		cb->prev_seq = cb->seq;
	cb->seq = dump->kn->gen ?: 1;
}

static int kturn_dump_range(struct kturn_dump *dump, unsigned long last,
			    int (*each)(struct kturn_dump *dump,
					const struct kturn_alloc *alloc))
{
	struct kturn_alloc *alloc;
	unsigned long id;
	int err;

	xa_for_each_range(&dump->kn->ids, id, alloc, dump->id, last) {
		/* The one begun with may be gone. */
		if (id != dump->id) {
			dump->id = id;
			dump->index = 0;
		}
		if (kturn_alive(&alloc->expires, dump->now)) {
			dump->seen = 0;
			err = each(dump, alloc);
			if (err)
				return err;
		}
		dump->id = id + 1;
		dump->index = 0;
		kturn_dump_step(dump);
	}
	return 0;
}

/**
 * kturn_dump_allocs() - dump what each allocation has, or one of them
 * @skb: buffer
 * @cb: the dump
 * @kind: what it shows
 * @alloc_attr: attribute of the request that names the one
 * @each: calls kturn_dump_show_next() for what an allocation has, until that
 *	returns an error
 *
 * Return: what a dumpit operation returns.
 */
int kturn_dump_allocs(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct kturn_nl_kind *kind, int alloc_attr,
		      int (*each)(struct kturn_dump *dump,
				  const struct kturn_alloc *alloc))
{
	u32 alloc_id = kturn_dump_u32(cb, alloc_attr);
	struct kturn_dump dump;
	int err;

	err = kturn_dump_begin(&dump, skb, cb, kind);
	if (err)
		return err;
	if (dump.id < alloc_id)
		dump.id = alloc_id;
	err = kturn_dump_range(&dump, alloc_id ?: ULONG_MAX, each);
	return kturn_dump_end(&dump, err);
}
