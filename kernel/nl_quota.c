// SPDX-License-Identifier: GPL-2.0
/* Quotas in netlink attributes. */
#include <linux/slab.h>

#include "limit.h"
#include "netlink.h"

/* Attributes of a quota's limits. */
static const int kturn_nl_quota_limits[KTURN_DIRS] = {
	[KTURN_TO_PEER] = KTURN_A_QUOTA_LIMIT_TO_PEER,
	[KTURN_TO_CLIENT] = KTURN_A_QUOTA_LIMIT_TO_CLIENT,
};

/* Its limits are the caller's to free, whatever is returned. */
static int kturn_nl_quota(const struct nlattr *attr,
			  struct kturn_quota_request *quota,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KTURN_A_QUOTA_MAX + 1];
	const struct nlattr *limit;
	struct kturn_rate rate;
	int i, err;

	err = nla_parse_nested(tb, KTURN_A_QUOTA_MAX, attr,
			       kturn_quota_nl_policy, extack);
	if (err)
		return err;
	if (!tb[KTURN_A_QUOTA_ID]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "a quota without an id");
		return -EINVAL;
	}
	if (tb[KTURN_A_QUOTA_ALLOCS]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[KTURN_A_QUOTA_ALLOCS],
				    "is shown only");
		return -EINVAL;
	}
	quota->id = nla_get_u64(tb[KTURN_A_QUOTA_ID]);
	for (i = 0; i < KTURN_DIRS; i++) {
		limit = tb[kturn_nl_quota_limits[i]];
		quota->named[i] = limit;
		err = kturn_nl_rate(limit, &rate, extack);
		if (err)
			return err;
		err = kturn_limit_make(&rate, &quota->limit[i]);
		if (err) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "no memory for the quota");
			return err;
		}
	}
	return 0;
}

static int kturn_nl_quota_add(const struct nlattr *attr,
			      struct kturn_alloc_request *req,
			      struct netlink_ext_ack *extack)
{
	struct kturn_quota_request *quota = &req->quota[req->n_quotas];
	int i, err;

	if (req->n_quotas == KTURN_QUOTAS_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "there are too many quotas");
		return -EINVAL;
	}
	req->n_quotas++;
	err = kturn_nl_quota(attr, quota, extack);
	if (err)
		return err;
	/* Else its packets would be charged twice. */
	for (i = 0; &req->quota[i] < quota; i++)
		if (req->quota[i].id == quota->id) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "the same quota a second time");
			return -EINVAL;
		}
	return 0;
}

/**
 * kturn_nl_quotas() - read the quotas of an allocation that is to be made
 * @info: request
 * @req: result, so far without quotas; kturn_nl_quotas_free() is due in any case
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ERANGE or -ENOMEM.
 */
int kturn_nl_quotas(struct genl_info *info, struct kturn_alloc_request *req)
{
	const struct nlattr *attr;
	int rem, err;

	if (!info->attrs[KTURN_A_ALLOC_QUOTA])
		return 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != KTURN_A_ALLOC_QUOTA)
			continue;
		err = kturn_nl_quota_add(attr, req, info->extack);
		if (err)
			return err;
	}
	return 0;
}

/** kturn_nl_quotas_free() - free those limits that were not taken over */
void kturn_nl_quotas_free(struct kturn_alloc_request *req)
{
	int i, dir;

	for (i = 0; i < req->n_quotas; i++)
		for (dir = 0; dir < KTURN_DIRS; dir++)
			kfree(req->quota[i].limit[dir]);
}

static int kturn_nl_put_quota(struct sk_buff *skb,
			      const struct kturn_quota *quota)
{
	const struct kturn_limit *limit;
	struct nlattr *nest;
	int i;

	nest = nla_nest_start(skb, KTURN_A_ALLOC_QUOTA);
	if (!nest ||
	    nla_put_u64_64bit(skb, KTURN_A_QUOTA_ID, quota->key.id,
			      KTURN_A_QUOTA_PAD) ||
	    nla_put_u32(skb, KTURN_A_QUOTA_ALLOCS, quota->n_allocs))
		return -EMSGSIZE;
	for (i = 0; i < KTURN_DIRS; i++) {
		/* kturn_net.lock */
		limit = rcu_dereference_protected(quota->limit[i], true);
		if (kturn_nl_put_limit(skb, kturn_nl_quota_limits[i], limit))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * kturn_nl_put_quotas() - write the quotas that an allocation is under
 * @skb: message
 * @alloc: allocation
 *
 * Context: kturn_net.lock.
 * Return: 0 or -EMSGSIZE.
 */
int kturn_nl_put_quotas(struct sk_buff *skb, const struct kturn_alloc *alloc)
{
	int i;

	for (i = 0; i < KTURN_QUOTAS_MAX; i++)
		if (alloc->quota[i] &&
		    kturn_nl_put_quota(skb, alloc->quota[i]))
			return -EMSGSIZE;
	return 0;
}
