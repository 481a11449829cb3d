// SPDX-License-Identifier: GPL-2.0-or-later
/* The offload's part of turn_ops; see offload.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "log.h"
#include "offload.h"

#define PERM_MS		(TURN_PERMISSION_LIFETIME * 1000u)
#define CHAN_MS		(TURN_CHANNEL_LIFETIME * 1000u)

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

void offload_fill(const struct turn_alloc *a, uint32_t lifetime_ms,
		  uint32_t flags, uint8_t *packed, struct kturn_alloc *ka)
{
	const struct turn_relay *v4 = turn_alloc_relay(a, KTURN_FAMILY_V4);
	const struct turn_relay *v6 = turn_alloc_relay(a, KTURN_FAMILY_V6);
	const struct turn_tuple *tuple = turn_alloc_tuple(a);
	const char *user = turn_alloc_user(a);

	memset(ka, 0, sizeof(*ka));
	ka->client = tuple->client;
	ka->server = tuple->server;
	if (v4)
		ka->relay[0] = v4->addr;
	if (v6)
		ka->relay[1] = v6->addr;
	ka->lifetime_ms = lifetime_ms ? lifetime_ms : 1;
	ka->flags = flags;
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

/* The daemon can go on with it alone, unless told not to. */
static int go_on(const struct offload *o, int error)
{
	return o->strict ? error : 0;
}

int offload_withdraw(struct offload *o, struct turn_alloc *a)
{
	int ret = kturn_alloc_del(o->kt, offload_id(a));

	if (ret && ret != -ENOENT)
		return ret;
	set_id(o, a, 0);
	return 0;
}

/* From now on the kernel leaves to us what it does not know. */
static int make_partial(struct offload *o, struct turn_alloc *a)
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

	if (!o->kt)
		return go_on(o, -ENODEV);
	offload_fill(a, lifetime * 1000, KTURN_ALLOC_FLAGS_EXCLUSIVE, packed,
		     &ka);
	ret = kturn_alloc_new(o->kt, &ka, &id);
	if (!ret) {
		set_id(o, a, id);
		return 0;
	}
	if (ret == -ENOENT && offload_lost_module(o))
		return go_on(o, -ENODEV);
	/* Somebody else's entry would take this one's packets. */
	if (ret == -EEXIST) {
		offload_log_failed(a, "alloc", kturn_error(o->kt), "error 508");
		return ret;
	}
	offload_log_failed(a, "alloc", kturn_error(o->kt),
			   o->strict ? "error 508" : "the daemon relays");
	return go_on(o, ret);
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
	return go_on(o, ret);
}

void offload_remove(struct offload *o, struct turn_alloc *a)
{
	int ret;

	if (!offload_id(a))
		return;
	ret = o->kt ? kturn_alloc_del(o->kt, offload_id(a)) : 0;
	if (ret && ret != -ENOENT)
		offload_log_failed(a, "removal", kturn_error(o->kt),
				   "the kernel relays until the lifetime ends");
	set_id(o, a, 0);
}

/* --------------------------------------------------- permissions, channels */

/**
 * struct push - permissions and perhaps a channel on their way
 * @o: mirror
 * @a: allocation
 * @peers: peers
 * @n: how many
 * @number: channel of the only peer, or 0
 * @batch: requests
 * @index: of each peer's permission in @batch, -1 if it stays with us
 * @chan: the channel's index in @batch, or -1
 * @nat: some peer stays with us
 */
struct push {
	struct offload *o;
	struct turn_alloc *a;
	const struct kturn_addr *peers;
	size_t n;
	uint16_t number;
	struct kturn_batch *batch;
	int *index;
	int chan;
	bool nat;
};

static void push_build(struct push *p)
{
	uint32_t id = offload_id(p->a);
	struct kturn_addr ip;
	size_t i;

	p->chan = -1;
	p->nat = false;
	for (i = 0; i < p->n; i++) {
		p->index[i] = -1;
		if (offload_is_nat_peer(p->o, &p->peers[i])) {
			p->nat = true;
			continue;
		}
		ip = addr_with_port(&p->peers[i], 0);
		p->index[i] = kturn_batch_perm_new(p->batch, id, &ip, PERM_MS);
		if (p->number)
			p->chan = kturn_batch_chan_new(p->batch, id, p->number,
						       &p->peers[i], CHAN_MS);
	}
}

/* Is the permission one that the client had before? */
struct search {
	struct kturn_addr ip;
	bool found;
};

static void match_perm(const struct kturn_addr *peer, uint32_t left_ms,
		       void *arg)
{
	struct search *s = arg;

	s->found |= addr_ip_equal(peer, &s->ip);
}

/* The request fails, so nothing may have changed. */
static void push_undo(struct push *p)
{
	struct kturn_batch *b = kturn_batch_new(p->o->kt);
	struct search s;
	size_t i;

	if (!b)
		return;
	for (i = 0; i < p->n; i++) {
		if (p->index[i] < 0 ||
		    kturn_batch_result(p->batch, p->index[i]))
			continue;
		s.ip = addr_with_port(&p->peers[i], 0);
		s.found = false;
		turn_alloc_each_perm(p->a, p->o->w->now, match_perm, &s);
		if (!s.found)
			kturn_batch_perm_del(b, offload_id(p->a), &s.ip);
	}
	kturn_batch_run(b);
	kturn_batch_free(b);
}

/*
 * The kernel's clock lets a channel go an instant later than ours, so its
 * number or its peer may still be in use there. Out with it, and once more.
 */
struct stale {
	struct push *push;
	struct kturn_batch *batch;
};

static int del_stale(const struct kturn_chan *c, void *arg)
{
	const struct stale *s = arg;
	const struct push *p = s->push;
	bool number = c->number == p->number;
	bool peer = addr_equal(&c->peer, &p->peers[0]);

	if (number != peer)
		kturn_batch_chan_del(s->batch, c->alloc_id, c->number);
	return 0;
}

static int replace_chan(struct push *p)
{
	struct stale s = { .push = p };
	int ret;

	s.batch = kturn_batch_new(p->o->kt);
	if (!s.batch)
		return -ENOMEM;
	ret = kturn_chan_get(p->o->kt, offload_id(p->a), del_stale, &s);
	if (!ret)
		ret = kturn_batch_run(s.batch);
	kturn_batch_free(s.batch);
	if (ret)
		return ret;
	return kturn_chan_new(p->o->kt, offload_id(p->a), p->number,
			      &p->peers[0], CHAN_MS);
}

static int push_failed(struct push *p, int error)
{
	struct offload *o = p->o;

	if (error == -ENOENT) {
		if (offload_lost_module(o))
			return 0;
		/* Somebody has deleted the allocation; we will hear of it. */
		return error;
	}
	offload_log_failed(p->a, p->number ? "channel" : "permission",
			   kturn_error(o->kt),
			   o->strict ? "error 508" : "the daemon relays");
	if (!o->strict) {
		error = make_partial(o, p->a);
		if (!error)
			return 0;
	}
	push_undo(p);
	return error;
}

static int push_run(struct push *p)
{
	int ret;

	push_build(p);
	/* Before anything else, or the kernel drops what is for us. */
	ret = p->nat ? make_partial(p->o, p->a) : 0;
	if (ret)
		return push_failed(p, ret);
	/* It may have been withdrawn just now. */
	if (!offload_id(p->a))
		return 0;
	ret = kturn_batch_run(p->batch);
	if (ret == -EEXIST && p->chan >= 0 &&
	    kturn_batch_result(p->batch, p->chan) == -EEXIST)
		ret = replace_chan(p);
	return ret ? push_failed(p, ret) : 0;
}

int offload_peers(struct offload *o, struct turn_alloc *a,
		  const struct kturn_addr *peers, size_t n, uint16_t number)
{
	struct push p = { .o = o, .a = a, .peers = peers, .n = n,
			  .number = number };
	int ret = -ENOMEM;

	if (!o->kt || !offload_id(a))
		return 0;
	p.batch = kturn_batch_new(o->kt);
	p.index = calloc(n, sizeof(*p.index));
	if (p.batch && p.index)
		ret = push_run(&p);
	else
		/* Then the kernel must not know better than us. */
		ret = go_on(o, ret) ? ret : make_partial(o, a);
	kturn_batch_free(p.batch);
	free(p.index);
	return ret;
}
