// SPDX-License-Identifier: LGPL-2.1-or-later
/* Attributes of requests, and the requests that are no part of a batch. */
#include <errno.h>
#include <string.h>
#include <array_size.h>
#include "internal.h"

/* Writes an endpoint; a port of 0 is left out. */
static int put_endpoint(struct nlmsghdr *nlh, uint16_t type,
			const struct kturn_addr *addr, const char **why)
{
	struct nlattr *nest;

	if (!kturn_addr_len(addr->family)) {
		*why = "an address is missing";
		return -EINVAL;
	}
	nest = mnl_attr_nest_start(nlh, type);
	mnl_attr_put(nlh, addr->family == KTURN_FAMILY_V4 ?
		     KTURN_A_ENDPOINT_ADDR4 : KTURN_A_ENDPOINT_ADDR6,
		     kturn_addr_len(addr->family), addr->ip);
	if (addr->port)
		mnl_attr_put(nlh, KTURN_A_ENDPOINT_PORT, sizeof(addr->port),
			     &addr->port);
	mnl_attr_nest_end(nlh, nest);
	return 0;
}

static int put_label(struct nlmsghdr *nlh, uint16_t type, const char *label,
		     const char **why)
{
	if (strnlen(label, KTURN_LABEL_MAX + 1) > KTURN_LABEL_MAX) {
		*why = "the label is too long";
		return -EINVAL;
	}
	if (*label)
		mnl_attr_put_strz(nlh, type, label);
	return 0;
}

int kt_put_owner_data(struct nlmsghdr *nlh, const void *data, size_t len,
		      const char **why)
{
	if (len > KTURN_OWNER_DATA_MAX) {
		*why = "the owner's data is too long";
		return -EINVAL;
	}
	if (data)
		mnl_attr_put(nlh, KTURN_A_ALLOC_OWNER_DATA, len, data);
	return 0;
}

int kt_put_peer(struct nlmsghdr *nlh, uint16_t type,
		const struct kturn_addr *addr, const char **why)
{
	return put_endpoint(nlh, type, addr, why);
}

static int put_relay(struct nlmsghdr *nlh, uint16_t type,
		     const struct kturn_addr *addr, uint8_t family,
		     const char **why)
{
	if (addr->family == KTURN_FAMILY_NONE)
		return 0;
	if (addr->family != family) {
		*why = "a relayed address stands in the other family's place";
		return -EINVAL;
	}
	return put_endpoint(nlh, type, addr, why);
}

void kt_put_limit(struct nlmsghdr *nlh, uint16_t type,
		  const struct kturn_limit *limit)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	if (limit->bit_rate)
		mnl_attr_put_u64(nlh, KTURN_A_LIMIT_BIT_RATE, limit->bit_rate);
	if (limit->burst_bytes)
		mnl_attr_put_u64(nlh, KTURN_A_LIMIT_BURST_BYTES,
				 limit->burst_bytes);
	if (limit->packet_rate)
		mnl_attr_put_u32(nlh, KTURN_A_LIMIT_PACKET_RATE,
				 limit->packet_rate);
	if (limit->burst_packets)
		mnl_attr_put_u32(nlh, KTURN_A_LIMIT_BURST_PACKETS,
				 limit->burst_packets);
	mnl_attr_nest_end(nlh, nest);
}

/* Is there anything in it? What makes no sense is the kernel's to refuse. */
static bool has_limit(const struct kturn_limit *limit)
{
	return limit->bit_rate || limit->burst_bytes || limit->packet_rate ||
	       limit->burst_packets;
}

static int put_quotas(struct nlmsghdr *nlh, const struct kturn_alloc *a,
		      const char **why)
{
	const struct kturn_quota *q;
	struct nlattr *nest;

	if (a->n_quotas > KTURN_QUOTAS_MAX) {
		*why = "an allocation has more than two quotas";
		return -EINVAL;
	}
	for (q = a->quota; q < a->quota + a->n_quotas; q++) {
		nest = mnl_attr_nest_start(nlh, KTURN_A_ALLOC_QUOTA);
		mnl_attr_put_u64(nlh, KTURN_A_QUOTA_ID, q->id);
		if (!q->keep_to_peer)
			kt_put_limit(nlh, KTURN_A_QUOTA_LIMIT_TO_PEER,
				     &q->to_peer);
		if (!q->keep_to_client)
			kt_put_limit(nlh, KTURN_A_QUOTA_LIMIT_TO_CLIENT,
				     &q->to_client);
		mnl_attr_nest_end(nlh, nest);
	}
	return 0;
}

int kt_put_alloc(struct nlmsghdr *nlh, const struct kturn_alloc *a,
		 const char **why)
{
	if (put_endpoint(nlh, KTURN_A_ALLOC_CLIENT, &a->client, why) ||
	    put_endpoint(nlh, KTURN_A_ALLOC_SERVER, &a->server, why) ||
	    put_relay(nlh, KTURN_A_ALLOC_RELAY4, &a->relay[0],
		      KTURN_FAMILY_V4, why) ||
	    put_relay(nlh, KTURN_A_ALLOC_RELAY6, &a->relay[1],
		      KTURN_FAMILY_V6, why) ||
	    put_label(nlh, KTURN_A_ALLOC_LABEL, a->label, why) ||
	    kt_put_owner_data(nlh, a->owner_data, a->owner_data_len, why))
		return -EINVAL;
	if (a->l3mdev)
		mnl_attr_put_u32(nlh, KTURN_A_ALLOC_L3MDEV, a->l3mdev);
	mnl_attr_put_u32(nlh, KTURN_A_ALLOC_LIFETIME_MS, a->lifetime_ms);
	if (a->flags)
		mnl_attr_put_u32(nlh, KTURN_A_ALLOC_FLAGS, a->flags);
	if (has_limit(&a->limit_to_peer))
		kt_put_limit(nlh, KTURN_A_ALLOC_LIMIT_TO_PEER,
			     &a->limit_to_peer);
	if (has_limit(&a->limit_to_client))
		kt_put_limit(nlh, KTURN_A_ALLOC_LIMIT_TO_CLIENT,
			     &a->limit_to_client);
	return put_quotas(nlh, a, why);
}

/* ---------------------------------------------------------------- requests */

static int owner_reply(const struct nlmsghdr *nlh, void *arg)
{
	return kt_parse_owner(nlh, arg);
}

int kturn_join(struct kturn *kt, uint64_t cookie, uint32_t grace_ms,
	       const char *label, struct kturn_owner *owner)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = kt_request(kt, buf, KTURN_CMD_OWNER_JOIN);
	struct kturn_owner unused;
	const char *why;

	if (!owner)
		owner = &unused;
	memset(owner, 0, sizeof(*owner));
	mnl_attr_put_u64(nlh, KTURN_A_OWNER_COOKIE, cookie);
	mnl_attr_put_u32(nlh, KTURN_A_OWNER_GRACE_MS, grace_ms);
	if (label && put_label(nlh, KTURN_A_OWNER_LABEL, label, &why))
		return kt_fail(kt, EINVAL, "%s", why);
	return kt_call(kt, nlh, owner_reply, owner);
}

int kturn_flush(struct kturn *kt, uint32_t owner_id)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = kt_request(kt, buf, KTURN_CMD_FLUSH);

	if (owner_id)
		mnl_attr_put_u32(nlh, KTURN_A_ALLOC_OWNER_ID, owner_id);
	return kt_call(kt, nlh, NULL, NULL);
}

int kturn_config_set(struct kturn *kt, const struct kturn_config *cfg)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = kt_request(kt, buf, KTURN_CMD_CONFIG_SET);
	const struct {
		uint16_t type;
		uint32_t value;
	} limits[] = {
		{ KTURN_A_CONFIG_MAX_ALLOCS, cfg->max_allocs },
		{ KTURN_A_CONFIG_MAX_PERMS, cfg->max_perms },
		{ KTURN_A_CONFIG_MAX_CHANS, cfg->max_chans },
		{ KTURN_A_CONFIG_MAX_OWNERS, cfg->max_owners },
		{ KTURN_A_CONFIG_PUNT_RATE, cfg->punt_rate },
		{ KTURN_A_CONFIG_PUNT_BURST, cfg->punt_burst },
		{ KTURN_A_CONFIG_ICMP_RATE, cfg->icmp_rate },
		{ KTURN_A_CONFIG_ICMP_BURST, cfg->icmp_burst },
		{ KTURN_A_CONFIG_ICMP_IND_RATE, cfg->icmp_ind_rate },
		{ KTURN_A_CONFIG_ICMP_IND_BURST, cfg->icmp_ind_burst },
		{ KTURN_A_CONFIG_LOCAL_OUT, cfg->local_out },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].value != UINT32_MAX)
			mnl_attr_put_u32(nlh, limits[i].type, limits[i].value);
	return kt_call(kt, nlh, NULL, NULL);
}

/* ----------------------------------------------------------------- reading */

/*
 * One for each kind of entry: what the message says, given to the caller's
 * callback. A message that can't be read ends the reading.
 */
struct alloc_reader {
	kturn_alloc_cb cb;
	void *arg;
};

static int alloc_read(const struct nlmsghdr *nlh, void *arg)
{
	struct alloc_reader *r = arg;
	struct kturn_alloc a;
	int err = kt_parse_alloc(nlh, &a);

	return err ? err : r->cb(&a, r->arg);
}

int kturn_alloc_get(struct kturn *kt, uint32_t id, uint32_t owner_id,
		    kturn_alloc_cb cb, void *arg)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = kt_request(kt, buf, KTURN_CMD_ALLOC_GET);
	struct alloc_reader r = { cb, arg };

	if (id) {
		mnl_attr_put_u32(nlh, KTURN_A_ALLOC_ID, id);
		return kt_call(kt, nlh, alloc_read, &r);
	}
	if (owner_id)
		mnl_attr_put_u32(nlh, KTURN_A_ALLOC_OWNER_ID, owner_id);
	return kt_dump(kt, nlh, alloc_read, &r);
}

int kturn_alloc_sample(struct kturn *kt, kturn_alloc_cb cb, void *arg)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = kt_request(kt, buf, KTURN_CMD_ALLOC_GET);
	struct alloc_reader r = { cb, arg };

	return kt_dump_attempts(kt, nlh, 1, alloc_read, &r);
}

struct perm_reader {
	kturn_perm_cb cb;
	void *arg;
};

static int perm_read(const struct nlmsghdr *nlh, void *arg)
{
	struct perm_reader *r = arg;
	struct kturn_perm p;
	int err = kt_parse_perm(nlh, &p);

	return err ? err : r->cb(&p, r->arg);
}

int kturn_perm_get(struct kturn *kt, uint32_t alloc_id, kturn_perm_cb cb,
		   void *arg)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = kt_request(kt, buf, KTURN_CMD_PERM_GET);
	struct perm_reader r = { cb, arg };

	if (alloc_id)
		mnl_attr_put_u32(nlh, KTURN_A_PERM_ALLOC_ID, alloc_id);
	return kt_dump(kt, nlh, perm_read, &r);
}

struct chan_reader {
	kturn_chan_cb cb;
	void *arg;
};

static int chan_read(const struct nlmsghdr *nlh, void *arg)
{
	struct chan_reader *r = arg;
	struct kturn_chan c;
	int err = kt_parse_chan(nlh, &c);

	return err ? err : r->cb(&c, r->arg);
}

int kturn_chan_get(struct kturn *kt, uint32_t alloc_id, kturn_chan_cb cb,
		   void *arg)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = kt_request(kt, buf, KTURN_CMD_CHAN_GET);
	struct chan_reader r = { cb, arg };

	if (alloc_id)
		mnl_attr_put_u32(nlh, KTURN_A_CHAN_ALLOC_ID, alloc_id);
	return kt_dump(kt, nlh, chan_read, &r);
}

struct owner_reader {
	kturn_owner_cb cb;
	void *arg;
};

static int owner_read(const struct nlmsghdr *nlh, void *arg)
{
	struct owner_reader *r = arg;
	struct kturn_owner o;
	int err = kt_parse_owner(nlh, &o);

	return err ? err : r->cb(&o, r->arg);
}

int kturn_owner_get(struct kturn *kt, kturn_owner_cb cb, void *arg)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = kt_request(kt, buf, KTURN_CMD_OWNER_GET);
	struct owner_reader r = { cb, arg };

	return kt_dump(kt, nlh, owner_read, &r);
}

struct device_reader {
	kturn_device_cb cb;
	void *arg;
};

static int device_read(const struct nlmsghdr *nlh, void *arg)
{
	struct device_reader *r = arg;
	struct kturn_device d;
	int err = kt_parse_device(nlh, &d);

	return err ? err : r->cb(&d, r->arg);
}

int kturn_device_get(struct kturn *kt, kturn_device_cb cb, void *arg)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = kt_request(kt, buf, KTURN_CMD_DEVICE_GET);
	struct device_reader r = { cb, arg };

	return kt_dump(kt, nlh, device_read, &r);
}

static int device_request(struct kturn *kt, uint8_t cmd, uint32_t ifindex)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = kt_request(kt, buf, cmd);

	mnl_attr_put_u32(nlh, KTURN_A_DEVICE_IFINDEX, ifindex);
	return kt_call(kt, nlh, NULL, NULL);
}

int kturn_attach(struct kturn *kt, uint32_t ifindex)
{
	return device_request(kt, KTURN_CMD_DEVICE_ATTACH, ifindex);
}

int kturn_detach(struct kturn *kt, uint32_t ifindex)
{
	return device_request(kt, KTURN_CMD_DEVICE_DETACH, ifindex);
}

static int stats_reply(const struct nlmsghdr *nlh, void *arg)
{
	return kt_parse_stats(nlh, arg);
}

int kturn_stats_get(struct kturn *kt, struct kturn_stats *st)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));

	memset(st, 0, sizeof(*st));
	return kt_call(kt, kt_request(kt, buf, KTURN_CMD_STATS_GET),
		       stats_reply, st);
}

static int config_reply(const struct nlmsghdr *nlh, void *arg)
{
	return kt_parse_config(nlh, arg);
}

int kturn_config_get(struct kturn *kt, struct kturn_config *cfg)
{
	char buf[KT_REQUEST_MAX] __attribute__((aligned(8)));

	memset(cfg, 0, sizeof(*cfg));
	return kt_call(kt, kt_request(kt, buf, KTURN_CMD_CONFIG_GET),
		       config_reply, cfg);
}
