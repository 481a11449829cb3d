// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family: requests that read. Dumps go by ascending id, and an
 * entry made or removed meanwhile shows as NLM_F_DUMP_INTR.
 */
#include <net/sock.h>

#include "netlink.h"

typedef int (*kturn_nl_fill_t)(const struct kturn_nl_msg *msg,
			       const void *entry, void **hdr);

/* ------------------------------------------------------------- one of them */

static int kturn_nl_get_reply(struct genl_info *info, u8 cmd,
			      kturn_nl_fill_t fill, const void *entry)
{
	struct kturn_nl_msg msg = {
		.skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL),
		.portid = info->snd_portid,
		.seq = info->snd_seq,
		.cmd = cmd,
		.gone = -1,
	};
	void *hdr;
	int err;

	if (!msg.skb)
		return -ENOMEM;
	err = fill(&msg, entry, &hdr);
	if (err) {
		nlmsg_free(msg.skb);
		return err;
	}
	return genlmsg_reply(msg.skb, info);
}

static int kturn_fill_owner(const struct kturn_nl_msg *msg, const void *entry,
			    void **hdr)
{
	return kturn_nl_fill_owner(msg, entry, hdr);
}

static int kturn_fill_alloc(const struct kturn_nl_msg *msg, const void *entry,
			    void **hdr)
{
	return kturn_nl_fill_alloc(msg, entry, hdr);
}

static int kturn_fill_perm(const struct kturn_nl_msg *msg, const void *entry,
			   void **hdr)
{
	return kturn_nl_fill_perm(msg, entry, hdr);
}

static int kturn_fill_chan(const struct kturn_nl_msg *msg, const void *entry,
			   void **hdr)
{
	return kturn_nl_fill_chan(msg, entry, hdr);
}

static int kturn_fill_stats(const struct kturn_nl_msg *msg, const void *entry,
			    void **hdr)
{
	return kturn_nl_fill_stats(msg, entry);
}

static int kturn_fill_config(const struct kturn_nl_msg *msg, const void *entry,
			     void **hdr)
{
	return kturn_nl_fill_config(msg, entry);
}

int kturn_nl_owner_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KTURN_A_OWNER_ID];
	struct kturn_owner *owner;
	struct kturn_net *kn;
	int err;

	err = kturn_nl_need(info, KTURN_A_OWNER_ID);
	if (err)
		return err;
	kn = kturn_nl_net(genl_info_net(info), info->extack);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	mutex_lock(&kn->lock);
	owner = kturn_owner_by_id(kn, nla_get_u32(attr));
	if (owner) {
		err = kturn_nl_get_reply(info, KTURN_CMD_OWNER_GET,
					 kturn_fill_owner, owner);
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such owner");
		err = -ENOENT;
	}
	mutex_unlock(&kn->lock);
	return err;
}

int kturn_nl_alloc_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_alloc *alloc;
	struct kturn_net *kn;
	int err;

	kn = kturn_nl_net(genl_info_net(info), info->extack);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	mutex_lock(&kn->lock);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_ALLOC_ID);
	err = IS_ERR(alloc) ? PTR_ERR(alloc) :
	      kturn_nl_get_reply(info, KTURN_CMD_ALLOC_GET, kturn_fill_alloc,
				 alloc);
	mutex_unlock(&kn->lock);
	return err;
}

int kturn_nl_perm_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KTURN_A_PERM_PEER];
	struct kturn_alloc *alloc;
	struct kturn_perm *perm;
	struct kturn_addr peer;
	struct kturn_net *kn;
	int err;

	err = kturn_nl_need(info, KTURN_A_PERM_PEER);
	if (err)
		return err;
	err = kturn_nl_peer_ip(attr, &peer, info->extack);
	if (err)
		return err;
	kn = kturn_nl_net(genl_info_net(info), info->extack);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	mutex_lock(&kn->lock);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_PERM_ALLOC_ID);
	if (IS_ERR(alloc)) {
		err = PTR_ERR(alloc);
		goto unlock;
	}
	perm = kturn_perm_find(kn, alloc, &peer);
	if (!perm) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such permission");
		err = -ENOENT;
		goto unlock;
	}
	err = kturn_nl_get_reply(info, KTURN_CMD_PERM_GET, kturn_fill_perm,
				 perm);
unlock:
	mutex_unlock(&kn->lock);
	return err;
}

int kturn_nl_chan_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KTURN_A_CHAN_NUMBER];
	struct kturn_alloc *alloc;
	struct kturn_chan *chan;
	struct kturn_net *kn;
	int err;

	err = kturn_nl_need(info, KTURN_A_CHAN_NUMBER);
	if (err)
		return err;
	kn = kturn_nl_net(genl_info_net(info), info->extack);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	mutex_lock(&kn->lock);
	alloc = kturn_nl_alloc(kn, info, KTURN_A_CHAN_ALLOC_ID);
	if (IS_ERR(alloc)) {
		err = PTR_ERR(alloc);
		goto unlock;
	}
	chan = kturn_chan_find(kn, alloc, nla_get_u16(attr));
	if (!chan) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such channel");
		err = -ENOENT;
		goto unlock;
	}
	err = kturn_nl_get_reply(info, KTURN_CMD_CHAN_GET, kturn_fill_chan,
				 chan);
unlock:
	mutex_unlock(&kn->lock);
	return err;
}

static int kturn_nl_get_net(struct genl_info *info, u8 cmd,
			    kturn_nl_fill_t fill)
{
	struct kturn_net *kn;
	int err;

	kn = kturn_nl_net(genl_info_net(info), info->extack);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	mutex_lock(&kn->lock);
	err = kturn_nl_get_reply(info, cmd, fill, kn);
	mutex_unlock(&kn->lock);
	return err;
}

int kturn_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_get_net(info, KTURN_CMD_STATS_GET, kturn_fill_stats);
}

int kturn_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_get_net(info, KTURN_CMD_CONFIG_GET, kturn_fill_config);
}

/* -------------------------------------------------------------- all of them */

/**
 * struct kturn_dump - where a dump goes on, in netlink_callback.ctx
 * @id: the next allocation or owner
 * @index: entries of that allocation shown already
 */
struct kturn_dump {
	unsigned long id;
	unsigned long index;
};

static struct kturn_dump *kturn_dump_ctx(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct kturn_dump) > sizeof(cb->ctx));
	return (struct kturn_dump *)cb->ctx;
}

static struct kturn_net *kturn_dump_lock(struct sk_buff *skb,
					 struct netlink_callback *cb)
{
	struct kturn_net *kn = kturn_nl_net(sock_net(skb->sk), cb->extack);

	if (IS_ERR(kn))
		return kn;
	mutex_lock(&kn->lock);
	/* Never 0, which would mean that changes are not watched for. */
	cb->seq = kn->gen ?: 1;
	return kn;
}

static int kturn_dump_unlock(struct kturn_net *kn, struct sk_buff *skb, int err)
{
	mutex_unlock(&kn->lock);
	/* A full buffer that holds something is not an error. */
	return skb->len ? skb->len : err;
}

static int kturn_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			  u8 cmd, kturn_nl_fill_t fill, const void *entry)
{
	struct kturn_nl_msg msg = {
		.skb = skb,
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
		.cmd = cmd,
		.gone = -1,
	};
	void *hdr;
	int err;

	err = fill(&msg, entry, &hdr);
	if (!err)
		genl_dump_check_consistent(cb, hdr);
	return err;
}

static struct nlattr *kturn_dump_attr(struct netlink_callback *cb, int attr)
{
	return genl_info_dump(cb)->attrs[attr];
}

int kturn_nl_owner_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kturn_dump *pos = kturn_dump_ctx(cb);
	struct kturn_net *kn = kturn_dump_lock(skb, cb);
	struct kturn_owner *owner;
	int err = 0;

	if (IS_ERR(kn))
		return PTR_ERR(kn);
	/* The list is in the order of ids, until they wrap round. */
	list_for_each_entry(owner, &kn->owners, link) {
		if (owner->id < pos->id)
			continue;
		err = kturn_dump_one(skb, cb, KTURN_CMD_OWNER_GET,
				     kturn_fill_owner, owner);
		if (err)
			break;
		pos->id = (unsigned long)owner->id + 1;
	}
	return kturn_dump_unlock(kn, skb, err);
}

int kturn_nl_alloc_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *attr = kturn_dump_attr(cb, KTURN_A_ALLOC_OWNER_ID);
	struct kturn_dump *pos = kturn_dump_ctx(cb);
	struct kturn_net *kn = kturn_dump_lock(skb, cb);
	u32 owner_id = attr ? nla_get_u32(attr) : 0;
	struct kturn_alloc *alloc;
	u64 now = kturn_now();
	unsigned long id;
	int err = 0;

	if (IS_ERR(kn))
		return PTR_ERR(kn);
	xa_for_each_start(&kn->ids, id, alloc, pos->id) {
		if (!kturn_alive(&alloc->expires, now))
			continue;
		if (owner_id &&
		    (!alloc->owner || alloc->owner->id != owner_id))
			continue;
		err = kturn_dump_one(skb, cb, KTURN_CMD_ALLOC_GET,
				     kturn_fill_alloc, alloc);
		if (err)
			break;
		pos->id = id + 1;
	}
	return kturn_dump_unlock(kn, skb, err);
}

static int kturn_dump_perms(struct sk_buff *skb, struct netlink_callback *cb,
			    const struct kturn_alloc *alloc)
{
	struct kturn_dump *pos = kturn_dump_ctx(cb);
	struct kturn_perm *perm;
	u64 now = kturn_now();
	unsigned long i = 0;
	int err;

	list_for_each_entry(perm, &alloc->perms, link) {
		if (i++ < pos->index)
			continue;
		if (kturn_alive(&perm->expires, now)) {
			err = kturn_dump_one(skb, cb, KTURN_CMD_PERM_GET,
					     kturn_fill_perm, perm);
			if (err)
				return err;
		}
		pos->index = i;
	}
	return 0;
}

static int kturn_dump_chans(struct sk_buff *skb, struct netlink_callback *cb,
			    const struct kturn_alloc *alloc)
{
	struct kturn_dump *pos = kturn_dump_ctx(cb);
	struct kturn_chan *chan;
	u64 now = kturn_now();
	unsigned long i = 0;
	int err;

	list_for_each_entry(chan, &alloc->chans, link) {
		if (i++ < pos->index)
			continue;
		if (kturn_alive(&chan->expires, now)) {
			err = kturn_dump_one(skb, cb, KTURN_CMD_CHAN_GET,
					     kturn_fill_chan, chan);
			if (err)
				return err;
		}
		pos->index = i;
	}
	return 0;
}

/* Over the allocations, or one of them, with what each has. */
static int kturn_dump_each(struct sk_buff *skb, struct netlink_callback *cb,
			   const struct nlattr *only,
			   int (*dump)(struct sk_buff *skb,
				       struct netlink_callback *cb,
				       const struct kturn_alloc *alloc))
{
	u32 alloc_id = only ? nla_get_u32(only) : 0;
	struct kturn_dump *pos = kturn_dump_ctx(cb);
	struct kturn_net *kn = kturn_dump_lock(skb, cb);
	struct kturn_alloc *alloc;
	unsigned long id, last;
	u64 now = kturn_now();
	int err = 0;

	if (IS_ERR(kn))
		return PTR_ERR(kn);
	if (pos->id < alloc_id)
		pos->id = alloc_id;
	last = alloc_id ?: ULONG_MAX;
	xa_for_each_range(&kn->ids, id, alloc, pos->id, last) {
		/* The one begun with may be gone. */
		if (id != pos->id) {
			pos->id = id;
			pos->index = 0;
		}
		if (!kturn_alive(&alloc->expires, now))
			continue;
		err = dump(skb, cb, alloc);
		if (err)
			break;
		pos->id = id + 1;
		pos->index = 0;
	}
	return kturn_dump_unlock(kn, skb, err);
}

int kturn_nl_perm_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return kturn_dump_each(skb, cb,
			       kturn_dump_attr(cb, KTURN_A_PERM_ALLOC_ID),
			       kturn_dump_perms);
}

int kturn_nl_chan_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return kturn_dump_each(skb, cb,
			       kturn_dump_attr(cb, KTURN_A_CHAN_ALLOC_ID),
			       kturn_dump_chans);
}
