// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the kernel's messages say. */
#include <errno.h>
#include <string.h>
#include "internal.h"

/*
 * Readers of one attribute. Each notes in *@err that a value is too short and
 * then leaves the result as it is, so that a parser needs one check only.
 */
static void get_u16(const struct nlattr *attr, uint16_t *value, int *err)
{
	if (mnl_attr_get_payload_len(attr) < sizeof(*value))
		*err = -EBADMSG;
	else
		memcpy(value, mnl_attr_get_payload(attr), sizeof(*value));
}

static void get_u32(const struct nlattr *attr, uint32_t *value, int *err)
{
	if (mnl_attr_get_payload_len(attr) < sizeof(*value))
		*err = -EBADMSG;
	else
		memcpy(value, mnl_attr_get_payload(attr), sizeof(*value));
}

static void get_u64(const struct nlattr *attr, uint64_t *value, int *err)
{
	if (mnl_attr_get_payload_len(attr) < sizeof(*value))
		*err = -EBADMSG;
	else
		memcpy(value, mnl_attr_get_payload(attr), sizeof(*value));
}

/* @text has @size bytes, of which the last one is the NUL's. */
static void get_text(const struct nlattr *attr, char *text, size_t size,
		     int *err)
{
	size_t len = strnlen(mnl_attr_get_payload(attr),
			     mnl_attr_get_payload_len(attr));

	if (len >= size) {
		*err = -EBADMSG;
		return;
	}
	memcpy(text, mnl_attr_get_payload(attr), len);
	text[len] = '\0';
}

static void get_gone(const struct nlattr *attr, int *gone, int *err)
{
	uint32_t value = 0;

	get_u32(attr, &value, err);
	if (value > INT32_MAX)
		*err = -EBADMSG;
	else
		*gone = value;
}

static void get_ip(const struct nlattr *attr, struct kturn_addr *addr,
		   uint8_t family, int *err)
{
	if (mnl_attr_get_payload_len(attr) != kturn_addr_len(family)) {
		*err = -EBADMSG;
		return;
	}
	memcpy(addr->ip, mnl_attr_get_payload(attr), kturn_addr_len(family));
	addr->family = family;
}

static void get_endpoint(const struct nlattr *nest, struct kturn_addr *addr,
			 int *err)
{
	const struct nlattr *attr;
	uint16_t port = 0;	/* network byte order */

	memset(addr, 0, sizeof(*addr));
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_ENDPOINT_ADDR4:
			get_ip(attr, addr, KTURN_FAMILY_V4, err);
			break;
		case KTURN_A_ENDPOINT_ADDR6:
			get_ip(attr, addr, KTURN_FAMILY_V6, err);
			break;
		case KTURN_A_ENDPOINT_PORT:
			get_u16(attr, &port, err);
			break;
		}
	}
	memcpy(&addr->port, &port, sizeof(port));
}

static void get_counter(const struct nlattr *nest, struct kturn_counter *c,
			int *err)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_COUNTER_PACKETS:
			get_u64(attr, &c->packets, err);
			break;
		case KTURN_A_COUNTER_BYTES:
			get_u64(attr, &c->bytes, err);
			break;
		}
	}
}

static void get_limit(const struct nlattr *nest, struct kturn_limit *limit,
		      int *err)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_LIMIT_BIT_RATE:
			get_u64(attr, &limit->bit_rate, err);
			break;
		case KTURN_A_LIMIT_BURST_BYTES:
			get_u64(attr, &limit->burst_bytes, err);
			break;
		case KTURN_A_LIMIT_PACKET_RATE:
			get_u32(attr, &limit->packet_rate, err);
			break;
		case KTURN_A_LIMIT_BURST_PACKETS:
			get_u32(attr, &limit->burst_packets, err);
			break;
		}
	}
}

/* A quota beyond what there is room for is newer than this library. */
static void get_quota(const struct nlattr *nest, struct kturn_alloc *a,
		      int *err)
{
	const struct nlattr *attr;
	struct kturn_quota *q;

	if (a->n_quotas == KTURN_QUOTAS_MAX)
		return;
	q = &a->quota[a->n_quotas++];
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_QUOTA_ID:
			get_u64(attr, &q->id, err);
			break;
		case KTURN_A_QUOTA_LIMIT_TO_PEER:
			get_limit(attr, &q->to_peer, err);
			break;
		case KTURN_A_QUOTA_LIMIT_TO_CLIENT:
			get_limit(attr, &q->to_client, err);
			break;
		case KTURN_A_QUOTA_ALLOCS:
			get_u32(attr, &q->allocs, err);
			break;
		}
	}
}

/* A reason beyond what there is room for is newer than this library. */
static void get_reason(const struct nlattr *nest,
		       uint64_t counts[KTURN_REASONS_MAX], int *err)
{
	uint32_t reason = KTURN_REASONS_MAX;
	const struct nlattr *attr;
	uint64_t packets = 0;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_REASON_COUNT_REASON:
			get_u32(attr, &reason, err);
			break;
		case KTURN_A_REASON_COUNT_PACKETS:
			get_u64(attr, &packets, err);
			break;
		}
	}
	if (reason < KTURN_REASONS_MAX)
		counts[reason] = packets;
}

/* ----------------------------------------------------------------- entries */

static bool too_short(const struct nlmsghdr *nlh)
{
	return mnl_nlmsg_get_payload_len(nlh) < GENL_HDRLEN;
}

int kt_parse_alloc(const struct nlmsghdr *nlh, struct kturn_alloc *a)
{
	const struct nlattr *attr;
	uint32_t idle = 0;
	int err = 0;

	memset(a, 0, sizeof(*a));
	a->gone = -1;
	a->idle_ms = -1;
	if (too_short(nlh))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_ALLOC_ID:
			get_u32(attr, &a->id, &err);
			break;
		case KTURN_A_ALLOC_OWNER_ID:
			get_u32(attr, &a->owner_id, &err);
			break;
		case KTURN_A_ALLOC_CLIENT:
			get_endpoint(attr, &a->client, &err);
			break;
		case KTURN_A_ALLOC_SERVER:
			get_endpoint(attr, &a->server, &err);
			break;
		case KTURN_A_ALLOC_RELAY4:
			get_endpoint(attr, &a->relay[0], &err);
			break;
		case KTURN_A_ALLOC_RELAY6:
			get_endpoint(attr, &a->relay[1], &err);
			break;
		case KTURN_A_ALLOC_L3MDEV:
			get_u32(attr, &a->l3mdev, &err);
			break;
		case KTURN_A_ALLOC_LIFETIME_MS:
			get_u32(attr, &a->lifetime_ms, &err);
			break;
		case KTURN_A_ALLOC_FLAGS:
			get_u32(attr, &a->flags, &err);
			break;
		case KTURN_A_ALLOC_LABEL:
			get_text(attr, a->label, sizeof(a->label), &err);
			break;
		case KTURN_A_ALLOC_OWNER_DATA:
			a->owner_data = mnl_attr_get_payload(attr);
			a->owner_data_len = mnl_attr_get_payload_len(attr);
			break;
		case KTURN_A_ALLOC_TO_PEER:
			get_counter(attr, &a->to_peer, &err);
			break;
		case KTURN_A_ALLOC_TO_CLIENT:
			get_counter(attr, &a->to_client, &err);
			break;
		case KTURN_A_ALLOC_DROPPED:
			get_u64(attr, &a->dropped, &err);
			break;
		case KTURN_A_ALLOC_PUNTED:
			get_u64(attr, &a->punted, &err);
			break;
		case KTURN_A_ALLOC_GONE:
			get_gone(attr, &a->gone, &err);
			break;
		case KTURN_A_ALLOC_TO_PEER4:
			get_counter(attr, &a->to_peer_by[0], &err);
			break;
		case KTURN_A_ALLOC_TO_PEER6:
			get_counter(attr, &a->to_peer_by[1], &err);
			break;
		case KTURN_A_ALLOC_TO_CLIENT4:
			get_counter(attr, &a->to_client_by[0], &err);
			break;
		case KTURN_A_ALLOC_TO_CLIENT6:
			get_counter(attr, &a->to_client_by[1], &err);
			break;
		case KTURN_A_ALLOC_IDLE_MS:
			get_u32(attr, &idle, &err);
			a->idle_ms = idle;
			break;
		case KTURN_A_ALLOC_LIMIT_TO_PEER:
			get_limit(attr, &a->limit_to_peer, &err);
			break;
		case KTURN_A_ALLOC_LIMIT_TO_CLIENT:
			get_limit(attr, &a->limit_to_client, &err);
			break;
		case KTURN_A_ALLOC_QUOTA:
			get_quota(attr, a, &err);
			break;
		}
	}
	return err;
}

int kt_parse_perm(const struct nlmsghdr *nlh, struct kturn_perm *p)
{
	const struct nlattr *attr;
	int err = 0;

	memset(p, 0, sizeof(*p));
	p->gone = -1;
	if (too_short(nlh))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_PERM_ALLOC_ID:
			get_u32(attr, &p->alloc_id, &err);
			break;
		case KTURN_A_PERM_PEER:
			get_endpoint(attr, &p->peer, &err);
			break;
		case KTURN_A_PERM_LIFETIME_MS:
			get_u32(attr, &p->lifetime_ms, &err);
			break;
		case KTURN_A_PERM_GONE:
			get_gone(attr, &p->gone, &err);
			break;
		}
	}
	return err;
}

int kt_parse_chan(const struct nlmsghdr *nlh, struct kturn_chan *c)
{
	const struct nlattr *attr;
	int err = 0;

	memset(c, 0, sizeof(*c));
	c->gone = -1;
	if (too_short(nlh))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_CHAN_ALLOC_ID:
			get_u32(attr, &c->alloc_id, &err);
			break;
		case KTURN_A_CHAN_NUMBER:
			get_u16(attr, &c->number, &err);
			break;
		case KTURN_A_CHAN_PEER:
			get_endpoint(attr, &c->peer, &err);
			break;
		case KTURN_A_CHAN_LIFETIME_MS:
			get_u32(attr, &c->lifetime_ms, &err);
			break;
		case KTURN_A_CHAN_TO_PEER:
			get_counter(attr, &c->to_peer, &err);
			break;
		case KTURN_A_CHAN_TO_CLIENT:
			get_counter(attr, &c->to_client, &err);
			break;
		case KTURN_A_CHAN_GONE:
			get_gone(attr, &c->gone, &err);
			break;
		}
	}
	return err;
}

int kt_parse_owner(const struct nlmsghdr *nlh, struct kturn_owner *o)
{
	const struct nlattr *attr;
	uint32_t left;
	int err = 0;

	memset(o, 0, sizeof(*o));
	o->left_ms = -1;
	if (too_short(nlh))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_OWNER_ID:
			get_u32(attr, &o->id, &err);
			break;
		case KTURN_A_OWNER_GRACE_MS:
			get_u32(attr, &o->grace_ms, &err);
			break;
		case KTURN_A_OWNER_SOCKETS:
			get_u32(attr, &o->sockets, &err);
			break;
		case KTURN_A_OWNER_ALLOCS:
			get_u32(attr, &o->allocs, &err);
			break;
		case KTURN_A_OWNER_LEFT_MS:
			left = 0;
			get_u32(attr, &left, &err);
			o->left_ms = left;
			break;
		case KTURN_A_OWNER_LABEL:
			get_text(attr, o->label, sizeof(o->label), &err);
			break;
		}
	}
	return err;
}

int kt_parse_device(const struct nlmsghdr *nlh, struct kturn_device *d)
{
	const struct nlattr *attr;
	int err = 0;

	memset(d, 0, sizeof(*d));
	if (too_short(nlh))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_DEVICE_IFINDEX:
			get_u32(attr, &d->ifindex, &err);
			break;
		case KTURN_A_DEVICE_IFNAME:
			get_text(attr, d->ifname, sizeof(d->ifname), &err);
			break;
		}
	}
	return err;
}

int kt_parse_stats(const struct nlmsghdr *nlh, struct kturn_stats *st)
{
	const struct nlattr *attr;
	uint32_t hooks = 0;
	int err = 0;

	memset(st, 0, sizeof(*st));
	if (too_short(nlh))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_STATS_TO_PEER:
			get_counter(attr, &st->to_peer, &err);
			break;
		case KTURN_A_STATS_TO_CLIENT:
			get_counter(attr, &st->to_client, &err);
			break;
		case KTURN_A_STATS_DROP:
			get_reason(attr, st->drop, &err);
			break;
		case KTURN_A_STATS_PUNT:
			get_reason(attr, st->punt, &err);
			break;
		case KTURN_A_STATS_ALLOCS:
			get_u32(attr, &st->allocs, &err);
			break;
		case KTURN_A_STATS_PERMS:
			get_u32(attr, &st->perms, &err);
			break;
		case KTURN_A_STATS_CHANS:
			get_u32(attr, &st->chans, &err);
			break;
		case KTURN_A_STATS_OWNERS:
			get_u32(attr, &st->owners, &err);
			break;
		case KTURN_A_STATS_HOOKS:
			get_u32(attr, &hooks, &err);
			break;
		case KTURN_A_STATS_TO_PEER4:
			get_counter(attr, &st->to_peer_by[0], &err);
			break;
		case KTURN_A_STATS_TO_PEER6:
			get_counter(attr, &st->to_peer_by[1], &err);
			break;
		case KTURN_A_STATS_TO_CLIENT4:
			get_counter(attr, &st->to_client_by[0], &err);
			break;
		case KTURN_A_STATS_TO_CLIENT6:
			get_counter(attr, &st->to_client_by[1], &err);
			break;
		case KTURN_A_STATS_ICMP:
			get_u64(attr, &st->icmp, &err);
			break;
		}
	}
	st->hooks = hooks;
	return err;
}

int kt_parse_config(const struct nlmsghdr *nlh, struct kturn_config *cfg)
{
	const struct nlattr *attr;
	int err = 0;

	memset(cfg, 0, sizeof(*cfg));
	if (too_short(nlh))
		return -EBADMSG;
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		switch (mnl_attr_get_type(attr)) {
		case KTURN_A_CONFIG_MAX_ALLOCS:
			get_u32(attr, &cfg->max_allocs, &err);
			break;
		case KTURN_A_CONFIG_MAX_PERMS:
			get_u32(attr, &cfg->max_perms, &err);
			break;
		case KTURN_A_CONFIG_MAX_CHANS:
			get_u32(attr, &cfg->max_chans, &err);
			break;
		case KTURN_A_CONFIG_MAX_OWNERS:
			get_u32(attr, &cfg->max_owners, &err);
			break;
		case KTURN_A_CONFIG_PUNT_RATE:
			get_u32(attr, &cfg->punt_rate, &err);
			break;
		case KTURN_A_CONFIG_PUNT_BURST:
			get_u32(attr, &cfg->punt_burst, &err);
			break;
		case KTURN_A_CONFIG_ICMP_RATE:
			get_u32(attr, &cfg->icmp_rate, &err);
			break;
		case KTURN_A_CONFIG_ICMP_BURST:
			get_u32(attr, &cfg->icmp_burst, &err);
			break;
		case KTURN_A_CONFIG_ICMP_IND_RATE:
			get_u32(attr, &cfg->icmp_ind_rate, &err);
			break;
		case KTURN_A_CONFIG_ICMP_IND_BURST:
			get_u32(attr, &cfg->icmp_ind_burst, &err);
			break;
		case KTURN_A_CONFIG_LOCAL_OUT:
			get_u32(attr, &cfg->local_out, &err);
			break;
		}
	}
	return err;
}
