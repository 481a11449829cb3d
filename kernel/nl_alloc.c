// SPDX-License-Identifier: GPL-2.0
/* Requests about allocations. */
#include <net/sock.h>

#include "relay.h"
#include "limit.h"
#include "netlink.h"

/**
 * kturn_nl_alloc() - the allocation that an attribute names
 * @kn: namespace
 * @info: request
 * @attr: attribute with the id; it need not be there
 *
 * Context: kturn_net.lock.
 * Return: error pointer -EINVAL without the attribute, -ENOENT.
 */
struct kturn_alloc *kturn_nl_alloc(struct kturn_net *kn, struct genl_info *info,
				   int attr)
{
	struct kturn_alloc *alloc;
	int err;

	err = kturn_nl_need(info, attr);
	if (err)
		return ERR_PTR(err);
	alloc = kturn_alloc_by_id(kn, nla_get_u32(info->attrs[attr]));
	if (!alloc) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
				    "no such allocation");
		return ERR_PTR(-ENOENT);
	}
	return alloc;
}

static void *kturn_nl_alloc_find(struct kturn_net *kn, struct genl_info *info)
{
	return kturn_nl_alloc(kn, info, KTURN_A_ALLOC_ID);
}

static int kturn_nl_alloc_put_name(struct sk_buff *skb,
				   const struct kturn_alloc *alloc)
{
	const struct kturn_addr *r4 = &alloc->relay[0].key.relay;
	const struct kturn_addr *r6 = &alloc->relay[1].key.relay;

	return nla_put_u32(skb, KTURN_A_ALLOC_ID, alloc->id) ||
	       (alloc->owner &&
		nla_put_u32(skb, KTURN_A_ALLOC_OWNER_ID, alloc->owner->id)) ||
	       kturn_nl_put_endpoint(skb, KTURN_A_ALLOC_CLIENT,
				     &alloc->tuple.remote) ||
	       kturn_nl_put_endpoint(skb, KTURN_A_ALLOC_SERVER,
				     &alloc->tuple.local) ||
	       (r4->family &&
		kturn_nl_put_endpoint(skb, KTURN_A_ALLOC_RELAY4, r4)) ||
	       (r6->family &&
		kturn_nl_put_endpoint(skb, KTURN_A_ALLOC_RELAY6, r6)) ||
	       (alloc->tuple.l3mdev &&
		nla_put_u32(skb, KTURN_A_ALLOC_L3MDEV, alloc->tuple.l3mdev));
}

struct kturn_nl_dir {
	enum kturn_dir dir;
	int total;
	int families[KTURN_FAMILIES];
};

static const struct kturn_nl_dir kturn_nl_dirs[] = {
	{
		KTURN_TO_PEER, KTURN_A_ALLOC_TO_PEER,
		{ KTURN_A_ALLOC_TO_PEER4, KTURN_A_ALLOC_TO_PEER6 }
	}, {
		KTURN_TO_CLIENT, KTURN_A_ALLOC_TO_CLIENT,
		{ KTURN_A_ALLOC_TO_CLIENT4, KTURN_A_ALLOC_TO_CLIENT6 }
	},
};

/* By the families that it has relayed addresses of, and the total. */
static int kturn_nl_alloc_put_dir(struct sk_buff *skb,
				  const struct kturn_alloc *alloc,
				  const struct kturn_nl_dir *dir)
{
	struct kturn_count total = {};
	int i;

	for (i = 0; i < KTURN_FAMILIES; i++) {
		struct kturn_count count = {};
		u8 family = alloc->relay[i].key.relay.family;

		if (!family)
			continue;
		kturn_account_sum(alloc, dir->dir, family, &count);
		kturn_count_add(&total, &count);
		if (kturn_nl_put_count(skb, dir->families[i], &count))
			return -EMSGSIZE;
	}
	return kturn_nl_put_count(skb, dir->total, &total);
}

static int kturn_nl_alloc_put_use(struct sk_buff *skb,
				  const struct kturn_alloc *alloc)
{
	u32 ms;
	int i;

	for (i = 0; i < ARRAY_SIZE(kturn_nl_dirs); i++)
		if (kturn_nl_alloc_put_dir(skb, alloc, &kturn_nl_dirs[i]))
			return -EMSGSIZE;
	return nla_put_u64_64bit(skb, KTURN_A_ALLOC_DROPPED,
				 atomic64_read(&alloc->dropped),
				 KTURN_A_ALLOC_PAD) ||
	       nla_put_u64_64bit(skb, KTURN_A_ALLOC_PUNTED,
				 atomic64_read(&alloc->punted),
				 KTURN_A_ALLOC_PAD) ||
	       (kturn_account_idle(alloc, &ms) &&
		nla_put_u32(skb, KTURN_A_ALLOC_IDLE_MS, ms));
}

/* Attributes of limits. */
static const int kturn_nl_limits[KTURN_DIRS] = {
	[KTURN_TO_PEER] = KTURN_A_ALLOC_LIMIT_TO_PEER,
	[KTURN_TO_CLIENT] = KTURN_A_ALLOC_LIMIT_TO_CLIENT,
};

static int kturn_nl_alloc_put_limits(struct sk_buff *skb,
				     const struct kturn_alloc *alloc)
{
	const struct kturn_limit *limit;
	int i;

	for (i = 0; i < KTURN_DIRS; i++) {
		/* kturn_net.lock */
		limit = rcu_dereference_protected(alloc->limit[i], true);
		if (kturn_nl_put_limit(skb, kturn_nl_limits[i], limit))
			return -EMSGSIZE;
	}
	return 0;
}

static int kturn_nl_alloc_put(struct sk_buff *skb, const void *entry)
{
	const struct kturn_alloc *alloc = entry;

	return kturn_nl_alloc_put_name(skb, alloc) ||
	       nla_put_u32(skb, KTURN_A_ALLOC_LIFETIME_MS,
			   kturn_left_ms(alloc->expires, kturn_now())) ||
	       nla_put_u32(skb, KTURN_A_ALLOC_FLAGS, alloc->flags) ||
	       (alloc->label &&
		nla_put_string(skb, KTURN_A_ALLOC_LABEL, alloc->label)) ||
	       (alloc->owner_data_len &&
		nla_put(skb, KTURN_A_ALLOC_OWNER_DATA, alloc->owner_data_len,
			alloc->owner_data)) ||
	       kturn_nl_alloc_put_use(skb, alloc) ||
	       kturn_nl_alloc_put_limits(skb, alloc) ||
	       kturn_nl_put_quotas(skb, alloc);
}

static void kturn_nl_alloc_remove(struct kturn_net *kn, void *entry)
{
	kturn_alloc_destroy(kn, entry);
}

const struct kturn_nl_kind kturn_nl_alloc_kind = {
	.cmd = KTURN_CMD_ALLOC_GET,
	.gone_cmd = KTURN_CMD_ALLOC_GONE_NTF,
	.gone_attr = KTURN_A_ALLOC_GONE,
	.find = kturn_nl_alloc_find,
	.put = kturn_nl_alloc_put,
	.remove = kturn_nl_alloc_remove,
};

/* ---------------------------------------------------------- new and changed */

static int kturn_nl_relay(struct genl_info *info, int attr, u8 family,
			  struct kturn_addr *addr)
{
	struct nlattr *nla = info->attrs[attr];
	int err;

	memset(addr, 0, sizeof(*addr));
	if (!nla)
		return 0;
	err = kturn_nl_endpoint(nla, addr, info->extack);
	if (err)
		return err;
	if (addr->family != family) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla,
				    "address is of the other family");
		return -EINVAL;
	}
	return 0;
}

static int kturn_nl_relays(struct genl_info *info,
			   struct kturn_alloc_request *req)
{
	int err, i;

	err = kturn_nl_relay(info, KTURN_A_ALLOC_RELAY4, KTURN_FAMILY_V4,
			     &req->relay[0]) ?:
	      kturn_nl_relay(info, KTURN_A_ALLOC_RELAY6, KTURN_FAMILY_V6,
			     &req->relay[1]);
	if (err)
		return err;
	if (!req->relay[0].family && !req->relay[1].family) {
		NL_SET_ERR_MSG(info->extack,
			       "one of relay4 and relay6 is needed");
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(req->relay); i++) {
		if (memcmp(&req->relay[i], &req->tuple.local,
			   sizeof(req->relay[i])))
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KTURN_A_ALLOC_SERVER],
				    "relayed address is the server's own");
		return -EINVAL;
	}
	return 0;
}

static int kturn_nl_tuple(struct genl_info *info, struct kturn_tuple *tuple)
{
	int err;

	err = kturn_nl_need(info, KTURN_A_ALLOC_CLIENT) ?:
	      kturn_nl_need(info, KTURN_A_ALLOC_SERVER) ?:
	      kturn_nl_endpoint(info->attrs[KTURN_A_ALLOC_CLIENT],
				&tuple->remote, info->extack) ?:
	      kturn_nl_endpoint(info->attrs[KTURN_A_ALLOC_SERVER],
				&tuple->local, info->extack);
	if (err)
		return err;
	if (tuple->remote.family != tuple->local.family) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KTURN_A_ALLOC_SERVER],
				    "server and client are of different families");
		return -EINVAL;
	}
	tuple->l3mdev = 0;
	if (info->attrs[KTURN_A_ALLOC_L3MDEV])
		tuple->l3mdev = nla_get_u32(info->attrs[KTURN_A_ALLOC_L3MDEV]);
	return 0;
}

static int kturn_nl_rates(struct genl_info *info,
			  struct kturn_rate rate[KTURN_DIRS])
{
	int err = 0, i;

	for (i = 0; i < KTURN_DIRS && !err; i++)
		err = kturn_nl_rate(info->attrs[kturn_nl_limits[i]], &rate[i],
				    info->extack);
	return err;
}

static int kturn_nl_alloc_request(struct genl_info *info,
				  struct kturn_alloc_request *req)
{
	int err;

	err = kturn_nl_tuple(info, &req->tuple) ?:
	      kturn_nl_relays(info, req) ?:
	      kturn_nl_rates(info, req->rate) ?:
	      kturn_nl_need(info, KTURN_A_ALLOC_LIFETIME_MS) ?:
	      kturn_nl_quotas(info, req);
	if (err)
		return err;
	req->lifetime_ms = nla_get_u32(info->attrs[KTURN_A_ALLOC_LIFETIME_MS]);
	req->flags = 0;
	if (info->attrs[KTURN_A_ALLOC_FLAGS])
		req->flags = nla_get_u32(info->attrs[KTURN_A_ALLOC_FLAGS]);
	req->label = info->attrs[KTURN_A_ALLOC_LABEL];
	req->owner_data = info->attrs[KTURN_A_ALLOC_OWNER_DATA];
	return 0;
}

static struct sk_buff *kturn_nl_alloc_reply(struct genl_info *info,
					    struct nlattr **id)
{
	struct sk_buff *skb = genlmsg_new(nla_total_size(sizeof(u32)),
					  GFP_KERNEL);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put_reply(skb, info, &kturn_nl_family, 0,
				KTURN_CMD_ALLOC_NEW);
	*id = nla_reserve(skb, KTURN_A_ALLOC_ID, sizeof(u32));
	if (!hdr || !*id) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

int kturn_nl_alloc_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_alloc_request req = {};
	struct sk_buff *reply;
	struct kturn_net *kn;
	struct nlattr *attr;
	u32 id;
	int err;

	err = kturn_nl_alloc_request(info, &req);
	if (err)
		goto free_quotas;
	/* Nothing must stay behind that nobody was told of. */
	reply = kturn_nl_alloc_reply(info, &attr);
	if (!reply) {
		err = -ENOMEM;
		goto free_quotas;
	}

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn)) {
		nlmsg_free(reply);
		err = PTR_ERR(kn);
		goto free_quotas;
	}
	req.owner = kturn_owner_of(kn, NETLINK_CB(skb).sk);
	err = kturn_alloc_create(kn, &req, info->extack, &id);
	if (err) {
		nlmsg_free(reply);
		goto out;
	}
	memcpy(nla_data(attr), &id, sizeof(id));
	/* The requester's buffer may be full. */
	err = genlmsg_reply(reply, info);
	if (err)
		kturn_alloc_destroy(kn, xa_load(&kn->ids, id));
	else
		kturn_quota_update(kn, xa_load(&kn->ids, id), &req);
out:
	mutex_unlock(&kn->lock);
free_quotas:
	kturn_nl_quotas_free(&req);
	return err;
}

/* The limits that a request asks for; those that it does not name are NULL. */
static int kturn_nl_limits_make(struct genl_info *info,
				struct kturn_limit *limit[KTURN_DIRS])
{
	struct kturn_rate rate[KTURN_DIRS];
	int err, i;

	err = kturn_nl_rates(info, rate);
	if (err)
		return err;
	for (i = 0; i < KTURN_DIRS && !err; i++)
		err = kturn_limit_make(&rate[i], &limit[i]);
	if (err)
		NL_SET_ERR_MSG(info->extack, "no memory for the limit");
	return err;
}

static int kturn_nl_alloc_change(struct kturn_net *kn, struct genl_info *info,
				 struct kturn_alloc *alloc,
				 struct kturn_limit *limit[KTURN_DIRS])
{
	struct nlattr *attr;
	int err = 0, i;

	/* What can fail comes first: all or nothing but the label. */
	attr = info->attrs[KTURN_A_ALLOC_LABEL];
	if (attr)
		err = kturn_alloc_set_label(alloc, attr, info->extack);
	attr = info->attrs[KTURN_A_ALLOC_OWNER_DATA];
	if (!err && attr)
		err = kturn_alloc_set_data(alloc, attr, info->extack);
	if (err)
		return err;

	for (i = 0; i < KTURN_DIRS; i++) {
		if (!info->attrs[kturn_nl_limits[i]])
			continue;
		kturn_limit_alloc_set(alloc, i, limit[i]);
		limit[i] = NULL;
	}
	attr = info->attrs[KTURN_A_ALLOC_LIFETIME_MS];
	if (attr)
		kturn_alloc_refresh(kn, alloc, nla_get_u32(attr));
	attr = info->attrs[KTURN_A_ALLOC_FLAGS];
	if (attr)
		WRITE_ONCE(alloc->flags, nla_get_u32(attr));
	return 0;
}

int kturn_nl_alloc_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_limit *limit[KTURN_DIRS] = {};
	struct kturn_alloc *alloc;
	struct kturn_net *kn;
	int err, i;

	err = kturn_nl_limits_make(info, limit);
	if (err)
		goto free_limits;
	kn = kturn_nl_lock(info);
	if (IS_ERR(kn)) {
		err = PTR_ERR(kn);
		goto free_limits;
	}
	alloc = kturn_nl_alloc(kn, info, KTURN_A_ALLOC_ID);
	err = IS_ERR(alloc) ? PTR_ERR(alloc) :
			      kturn_nl_alloc_change(kn, info, alloc, limit);
	mutex_unlock(&kn->lock);
free_limits:
	/* Those that were not installed. */
	for (i = 0; i < KTURN_DIRS; i++)
		kfree(limit[i]);
	return err;
}

/* ------------------------------------------------------------ seen and gone */

/* Of this owner, or is that 0 and all are meant? */
static bool kturn_nl_owned_by(const struct kturn_alloc *alloc, u32 owner_id)
{
	return !owner_id || (alloc->owner && alloc->owner->id == owner_id);
}

int kturn_nl_alloc_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_get(info, &kturn_nl_alloc_kind);
}

int kturn_nl_alloc_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	u32 owner_id = kturn_dump_u32(cb, KTURN_A_ALLOC_OWNER_ID);
	struct kturn_alloc *alloc;
	struct kturn_dump dump;
	unsigned long id;
	int err;

	err = kturn_dump_begin(&dump, skb, cb, &kturn_nl_alloc_kind);
	if (err)
		return err;
	xa_for_each_start(&dump.kn->ids, id, alloc, dump.id) {
		if (kturn_alive(&alloc->expires, dump.now) &&
		    kturn_nl_owned_by(alloc, owner_id)) {
			err = kturn_dump_show(&dump, alloc, id);
			if (err)
				break;
		}
		kturn_dump_step(&dump);
	}
	return kturn_dump_end(&dump, err);
}

int kturn_nl_alloc_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_del(info, &kturn_nl_alloc_kind);
}

/* From *@id on; return: whether there is more, which *@id then says. */
static bool kturn_nl_flush_batch(struct kturn_net *kn, u32 owner_id,
				 unsigned long *id)
{
	struct kturn_alloc *alloc;
	int left = KTURN_BATCH;

	lockdep_assert_held(&kn->lock);
	xa_for_each_start(&kn->ids, *id, alloc, *id) {
		if (left <= 0)
			return true;
		if (!kturn_nl_owned_by(alloc, owner_id)) {
			left--;
			continue;
		}
		left -= kturn_alloc_entries(alloc);
		kturn_notify_alloc(kn, alloc, KTURN_GONE_REASON_DELETED);
		kturn_alloc_destroy(kn, alloc);
	}
	return false;
}

int kturn_nl_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KTURN_A_ALLOC_OWNER_ID];
	u32 owner_id = attr ? nla_get_u32(attr) : 0;
	struct kturn_net *kn;
	unsigned long id = 0;

	kn = kturn_nl_lock(info);
	if (IS_ERR(kn))
		return PTR_ERR(kn);
	if (owner_id && !kturn_owner_by_id(kn, owner_id)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such owner");
		return kturn_nl_unlock(kn, -ENOENT);
	}
	while (kturn_nl_flush_batch(kn, owner_id, &id))
		kturn_net_pause(kn);
	return kturn_nl_unlock(kn, 0);
}
