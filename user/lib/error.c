// SPDX-License-Identifier: LGPL-2.1-or-later
/* Errors in words: the kernel's own, and where in the request they point. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "internal.h"

static _Thread_local char open_error[KT_ERROR_MAX] = "no error";

const char *kturn_error(const struct kturn *kt)
{
	return kt ? kt->error : open_error;
}

int kt_fail(struct kturn *kt, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(kt->error, sizeof(kt->error), fmt, ap);
	va_end(ap);
	return -err;
}

int kt_fail_open(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(open_error, sizeof(open_error), fmt, ap);
	va_end(ap);
	return -err;
}

/**
 * struct text - a line that grows as far as there is room
 * @p: next byte
 * @left: bytes there, at least 1 for the NUL
 */
struct text {
	char *p;
	size_t left;
};

__attribute__((format(printf, 2, 3)))
static void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p, t->left, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= t->left)
		n = t->left - 1;
	t->p += n;
	t->left -= n;
}

/* ---------------------------------------------------------- the attribute */

static void name_add(struct text *t, const struct kt_attr_set *set,
		     unsigned int type)
{
	if (set && type <= set->max && set->attrs[type].name)
		text_add(t, "%s", set->attrs[type].name);
	else
		text_add(t, "attribute %u", type);
}

static const struct kt_attr_set *nest_of(const struct kt_attr_set *set,
					 unsigned int type)
{
	return set && type <= set->max ? set->attrs[type].nest : NULL;
}

/*
 * Add the path to the attribute at offset @at, as in "client.port". Returns
 * the set of what is nested in it; *@found says whether it is there.
 */
static const struct kt_attr_set *path_add(struct text *t,
					  const struct nlmsghdr *req,
					  const struct kt_attr_set *set,
					  size_t at, bool *found)
{
	const char *base = (const char *)req;
	const struct nlattr *attr = mnl_nlmsg_get_payload_offset(req,
								 GENL_HDRLEN);
	const char *end = base + req->nlmsg_len;
	const char *target = base + at;
	unsigned int type;

	*found = false;
	if (at >= req->nlmsg_len)
		return NULL;
	while (mnl_attr_ok(attr, end - (const char *)attr)) {
		const char *start = (const char *)attr;

		if (target >= start + MNL_ALIGN(attr->nla_len)) {
			attr = mnl_attr_next(attr);
			continue;
		}
		if (target < start)
			break;
		type = mnl_attr_get_type(attr);
		name_add(t, set, type);
		set = nest_of(set, type);
		*found = true;
		if (target == start || !set)
			return set;
		text_add(t, ".");
		end = start + attr->nla_len;
		attr = mnl_attr_get_payload(attr);
	}
	return set;
}

/* ------------------------------------------------------------- the message */

/**
 * struct details - the attributes of an error message, NULL what lacks
 * @msg: words
 * @offs: offset of the attribute at fault, in the request
 * @policy: what would have been accepted
 * @miss_type: type of an attribute that is missing
 * @miss_nest: offset of the nest where it is missing
 */
struct details {
	const struct nlattr *msg;
	const struct nlattr *offs;
	const struct nlattr *policy;
	const struct nlattr *miss_type;
	const struct nlattr *miss_nest;
};

static void details_read(const struct nlmsghdr *nlh, size_t offset,
			 struct details *d)
{
	const struct nlattr *attr;

	memset(d, 0, sizeof(*d));
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    mnl_nlmsg_get_payload_len(nlh) < offset)
		return;
	mnl_attr_for_each(attr, nlh, offset) {
		switch (mnl_attr_get_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			if (!mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
				d->msg = attr;
			break;
		case NLMSGERR_ATTR_OFFS:
			if (!mnl_attr_validate(attr, MNL_TYPE_U32))
				d->offs = attr;
			break;
		case NLMSGERR_ATTR_POLICY:
			d->policy = attr;
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			if (!mnl_attr_validate(attr, MNL_TYPE_U32))
				d->miss_type = attr;
			break;
		case NLMSGERR_ATTR_MISS_NEST:
			if (!mnl_attr_validate(attr, MNL_TYPE_U32))
				d->miss_nest = attr;
			break;
		}
	}
}

/* The range that a number must be in, when the kernel says it. */
static void range_add(struct text *t, const struct nlattr *policy)
{
	const struct nlattr *attr, *min = NULL, *max = NULL;

	mnl_attr_for_each_nested(attr, policy) {
		if (mnl_attr_validate(attr, MNL_TYPE_U64))
			continue;
		if (mnl_attr_get_type(attr) == NL_POLICY_TYPE_ATTR_MIN_VALUE_U)
			min = attr;
		if (mnl_attr_get_type(attr) == NL_POLICY_TYPE_ATTR_MAX_VALUE_U)
			max = attr;
	}
	if (min && max)
		text_add(t, " (allowed: %" PRIu64 " to %" PRIu64 ")",
			 mnl_attr_get_u64(min), mnl_attr_get_u64(max));
}

static void missing_add(struct text *t, const struct nlmsghdr *req,
			const struct kt_attr_set *set, const struct details *d)
{
	bool found = false;

	if (d->miss_nest)
		set = path_add(t, req, set, mnl_attr_get_u32(d->miss_nest),
			       &found);
	if (found)
		text_add(t, ".");
	name_add(t, set, mnl_attr_get_u32(d->miss_type));
	text_add(t, ": ");
}

static void words_add(struct text *t, const struct details *d, int err)
{
	if (d->msg)
		text_add(t, "%s", mnl_attr_get_str(d->msg));
	else if (d->miss_type)
		text_add(t, "is missing");
	else if (err == EPERM)
		text_add(t, "needs CAP_NET_ADMIN in the user namespace that owns the network namespace");
	else if (err == ENOENT)
		text_add(t, "the kturn kernel module is not loaded any more");
	else
		text_add(t, "%s", strerror(err));
	if (d->policy)
		range_add(t, d->policy);
}

static void error_text(struct text *t, const struct nlmsghdr *req,
		       const struct details *d, int err)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(req);
	const struct kt_attr_set *set = kt_attr_set(genl->cmd);
	bool found;

	/* nlctrl has commands of the same numbers. */
	if (req->nlmsg_type == GENL_ID_CTRL)
		set = NULL;
	if (d->miss_type) {
		missing_add(t, req, set, d);
	} else if (d->offs) {
		path_add(t, req, set, mnl_attr_get_u32(d->offs), &found);
		if (found)
			text_add(t, ": ");
	}
	words_add(t, d, err);
}

int kt_error_read(const struct nlmsghdr *nlh, const struct nlmsghdr *req,
		  char *text, size_t size)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh), offset = sizeof(int);
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	struct text t = { text, size };
	struct details d;

	*text = '\0';
	if (nlh->nlmsg_type == NLMSG_DONE && len == 0)
		return 0;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		offset = sizeof(*e);
		if (len >= offset && !(nlh->nlmsg_flags & NLM_F_CAPPED) &&
		    e->msg.nlmsg_len >= NLMSG_HDRLEN)
			offset += MNL_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	}
	if (len < (nlh->nlmsg_type == NLMSG_ERROR ? sizeof(*e) : sizeof(int)) ||
	    e->error > 0) {
		text_add(&t, "can't read the kernel's answer");
		return -EBADMSG;
	}
	if (!e->error)
		return 0;
	details_read(nlh, offset, &d);
	error_text(&t, req, &d, -e->error);
	return e->error;
}
