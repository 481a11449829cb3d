// SPDX-License-Identifier: GPL-2.0-or-later
/* The offload's part of turn_ops, allocations; see offload.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "log.h"
#include "offload.h"

void offload_log_failed(const struct turn_alloc *a, const char *what,
			const char *error, const char *effect)
{
	char client[KTURN_ADDR_TEXT_MAX];

	log_limited(LOG_WARNING, "kernel-refused",
		    "what=%s client=%s error=%s effect=%s", what,
		    kturn_addr_text(&turn_alloc_tuple(a)->client, client),
		    error, effect);
}

bool offload_is_nat_peer(const struct offload *o,
			 const struct kturn_addr *peer)
{
	return relay_find_public(&o->w->d->relays, peer);
}

static bool is_limited(const struct kturn_limit limit[2])
{
	return limit[0].bit_rate || limit[0].packet_rate ||
	       limit[1].bit_rate || limit[1].packet_rate;
}

static void add_quota(struct kturn_alloc *ka, uint64_t id,
		      const struct kturn_limit limit[2])
{
	ka->quota[ka->n_quotas++] = (struct kturn_quota){
		.id = id, .to_peer = limit[0], .to_client = limit[1],
	};
}

static void fill_quotas(const struct config *cfg, const struct turn_alloc *a,
			struct kturn_alloc *ka)
{
	char account[TURN_ACCOUNT_MAX + 1];

	if (is_limited(cfg->user_limit))
		add_quota(ka, quota_user_id(turn_alloc_realm(a),
					    turn_alloc_account(a, account)),
			  cfg->user_limit);
	if (is_limited(cfg->total_limit))
		add_quota(ka, QUOTA_TOTAL_ID, cfg->total_limit);
}

void offload_fill(const struct offload *o, const struct turn_alloc *a,
		  uint32_t lifetime_ms, uint32_t flags, uint8_t *packed,
		  struct kturn_alloc *ka)
{
	const struct turn_relay *v4 = turn_alloc_relay(a, KTURN_FAMILY_V4);
	const struct turn_relay *v6 = turn_alloc_relay(a, KTURN_FAMILY_V6);
	const struct turn_tuple *tuple = turn_alloc_tuple(a);
	const char *user = turn_alloc_user(a), *name = turn_alloc_realm(a);
	const struct realm *realm = realms_find(o->w->realms, name,
						strlen(name));
	const struct kturn_limit *limit = realm ? realm->limit :
						  o->w->d->cfg->limit;

	memset(ka, 0, sizeof(*ka));
	ka->client = tuple->client;
	ka->server = tuple->server;
	if (v4)
		ka->relay[0] = v4->addr;
	if (v6)
		ka->relay[1] = v6->addr;
	ka->lifetime_ms = lifetime_ms ? lifetime_ms : 1;
	ka->flags = flags;
	ka->limit_to_peer = limit[0];
	ka->limit_to_client = limit[1];
	fill_quotas(o->w->d->cfg, a, ka);
	log_escape(ka->label, sizeof(ka->label), user, strlen(user));
	ka->owner_data = packed;
	ka->owner_data_len = turn_alloc_pack(a, packed);
}

static void set_id(struct offload *o, struct turn_alloc *a, uint64_t id)
{
	if (offload_id(a) && !(uint32_t)id)
		o->entries--;
	if (!offload_id(a) && (uint32_t)id)
		o->entries++;
	turn_alloc_set_offload(a, id);
}

void offload_adopted(struct offload *o, struct turn_alloc *a, uint32_t id,
		     bool exclusive)
{
	set_id(o, a, exclusive ? id : id | OFFLOAD_PARTIAL);
}

/* ------------------------------------------------------- what can go wrong */

bool offload_lost_module(struct offload *o)
{
	struct kturn_config limits;

	if (kturn_config_get(o->kt, &limits) != -ENOENT)
		return false;
	/* The ids are forgotten when the listener says so. */
	kturn_close(o->kt);
	o->kt = NULL;
	return true;
}

int offload_withdraw(struct offload *o, struct turn_alloc *a)
{
	int ret = kturn_alloc_del(o->kt, offload_id(a));

	if (ret && ret != -ENOENT)
		return ret;
	set_id(o, a, 0);
	return 0;
}

int offload_make_partial(struct offload *o, struct turn_alloc *a)
{
	struct kturn_batch *b;
	int ret = -ENOMEM;

	if (offload_is_partial(a))
		return 0;
	b = kturn_batch_new(o->kt);
	if (b) {
		kturn_batch_alloc_set_flags(b, offload_id(a), 0);
		ret = kturn_batch_run(b);
		kturn_batch_free(b);
	}
	if (ret)
		return offload_withdraw(o, a);
	set_id(o, a, offload_id(a) | OFFLOAD_PARTIAL);
	return 0;
}

/* ------------------------------------------------------------- allocations */

int offload_alloc(struct offload *o, struct turn_alloc *a, uint32_t lifetime)
{
	uint8_t packed[KTURN_OWNER_DATA_MAX];
	struct kturn_alloc ka;
	uint32_t id;
	int ret;

	/* The kernel relays for UDP clients. */
	if (turn_alloc_tuple(a)->transport != TURN_UDP)
		return 0;
	if (!o->kt)
		return offload_go_on(o, -ENODEV);
	offload_fill(o, a, lifetime * 1000, KTURN_ALLOC_FLAGS_EXCLUSIVE, packed,
		     &ka);
	ret = kturn_alloc_new(o->kt, &ka, &id);
	if (!ret) {
		set_id(o, a, id);
		return 0;
	}
	if (ret == -ENOENT && offload_lost_module(o))
		return offload_go_on(o, -ENODEV);
	/* Somebody else's entry would take this one's packets. */
	if (ret == -EEXIST) {
		offload_log_failed(a, "alloc", kturn_error(o->kt), "error 508");
		return ret;
	}
	offload_log_failed(a, "alloc", kturn_error(o->kt),
			   o->strict ? "error 508" : "the daemon relays");
	return offload_go_on(o, ret);
}

int offload_refresh(struct offload *o, struct turn_alloc *a)
{
	uint32_t left_ms = turn_alloc_left_ms(a, o->w->now);
	uint8_t packed[KTURN_OWNER_DATA_MAX];
	struct kturn_batch *b;
	int ret = -ENOMEM;

	if (!o->kt || !offload_id(a))
		return 0;
	b = kturn_batch_new(o->kt);
	if (b) {
		kturn_batch_alloc_set(b, offload_id(a), left_ms, packed,
				      turn_alloc_pack(a, packed));
		ret = kturn_batch_run(b);
		kturn_batch_free(b);
	}
	if (!ret)
		return 0;
	/* Somebody has deleted it, and we will hear of it. */
	if (ret == -ENOENT)
		return offload_lost_module(o) ? 0 : ret;
	/* It ends in the kernel when it would have, and comes to us then. */
	offload_log_failed(a, "refresh", kturn_error(o->kt),
			   o->strict ? "error 508" : "the daemon relays later on");
	return offload_go_on(o, ret);
}

void offload_give(struct offload *o, struct turn_alloc *a)
{
	offload_flush(o);
	if (offload_id(a))
		o->entries--;
}

void offload_take(struct offload *o, struct turn_alloc *a)
{
	if (offload_id(a))
		o->entries++;
}

void offload_remove(struct offload *o, struct turn_alloc *a)
{
	int ret;

	offload_flush(o);
	if (!offload_id(a))
		return;
	ret = o->kt ? kturn_alloc_del(o->kt, offload_id(a)) : 0;
	if (ret && ret != -ENOENT)
		offload_log_failed(a, "removal", kturn_error(o->kt),
				   "the kernel relays until the lifetime ends");
	set_id(o, a, 0);
}
