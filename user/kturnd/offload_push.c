// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The offload puts allocations into the kernel that have permissions and
 * channels already: the module is new, or an entry has to be made anew.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon.h"
#include "log.h"
#include "offload.h"

/**
 * struct pushed - an allocation on its way
 * @a: allocation
 * @old: what the kernel had of it, or NULL
 * @requests: of its permissions and channels
 * @whole: the kernel has all of it
 */
struct pushed {
	struct turn_alloc *a;
	const struct kturn_alloc *old;
	int requests;
	bool whole;
};

/**
 * struct push_all - allocations on their way
 * @o: mirror
 * @now: clock
 * @batch: requests
 * @v: allocations, in the order of the requests that make them
 * @n: how many
 * @room: how many fit
 * @at: which of @v is being pushed
 * @failed: memory is short
 */
struct push_all {
	struct offload *o;
	uint64_t now;
	struct kturn_batch *batch;
	struct pushed *v;
	size_t n;
	size_t room;
	size_t at;
	bool failed;
};

static void collect(struct turn_alloc *a, void *arg)
{
	struct push_all *p = arg;
	void *bigger;

	if (turn_alloc_tuple(a)->transport != TURN_UDP)
		return;
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		bigger = reallocarray(p->v, p->room, sizeof(*p->v));
		if (!bigger) {
			p->failed = true;
			return;
		}
		p->v = bigger;
	}
	if (!p->failed)
		p->v[p->n++] = (struct pushed){ .a = a, .whole = true };
}

/* Those that an administrator has set. */
static void keep_limits(struct kturn_alloc *ka, const struct kturn_alloc *old)
{
	ka->limit_to_peer = old->limit_to_peer;
	ka->limit_to_client = old->limit_to_client;
}

/* Not exclusive before everything is there. */
static void push_allocs(struct push_all *p)
{
	uint8_t packed[KTURN_OWNER_DATA_MAX];
	struct kturn_alloc ka;
	uint32_t id;
	size_t i;

	for (i = 0; i < p->n; i++) {
		offload_fill(p->o, p->v[i].a, turn_alloc_left_ms(p->v[i].a, p->now),
			     0, packed, &ka);
		if (p->v[i].old)
			keep_limits(&ka, p->v[i].old);
		kturn_batch_alloc_new(p->batch, &ka);
	}
	kturn_batch_run(p->batch);
	for (i = 0; i < p->n; i++) {
		id = kturn_batch_id(p->batch, (int)i);
		if (id)
			offload_adopted(p->o, p->v[i].a, id, false);
	}
}

static void push_perm(const struct kturn_addr *peer, uint32_t left_ms,
		      void *arg)
{
	struct push_all *p = arg;
	struct pushed *one = &p->v[p->at];

	if (offload_is_nat_peer(p->o, peer)) {
		one->whole = false;
		return;
	}
	one->requests++;
	kturn_batch_perm_new(p->batch, offload_id(one->a), peer, left_ms);
}

static void push_chan(uint16_t number, const struct kturn_addr *peer,
		      uint32_t left_ms, void *arg)
{
	struct push_all *p = arg;
	struct pushed *one = &p->v[p->at];

	if (offload_is_nat_peer(p->o, peer)) {
		one->whole = false;
		return;
	}
	one->requests++;
	kturn_batch_chan_new(p->batch, offload_id(one->a), number, peer,
			     left_ms);
}

static void push_entries(struct push_all *p)
{
	int next = 0, i;

	for (p->at = 0; p->at < p->n; p->at++) {
		if (!offload_id(p->v[p->at].a))
			continue;
		turn_alloc_each_perm(p->v[p->at].a, p->now, push_perm, p);
		turn_alloc_each_chan(p->v[p->at].a, p->now, push_chan, p);
	}
	kturn_batch_run(p->batch);
	for (p->at = 0; p->at < p->n; p->at++)
		for (i = 0; i < p->v[p->at].requests; i++)
			if (kturn_batch_result(p->batch, next++))
				p->v[p->at].whole = false;
}

static void push_exclusive(struct push_all *p)
{
	struct turn_alloc *a;
	int next = 0;
	size_t i;

	for (i = 0; i < p->n; i++) {
		a = p->v[i].a;
		p->v[i].whole &= offload_id(a) != 0;
		if (p->v[i].whole)
			kturn_batch_alloc_set_flags(p->batch, offload_id(a),
						    KTURN_ALLOC_FLAGS_EXCLUSIVE);
	}
	kturn_batch_run(p->batch);
	for (i = 0; i < p->n; i++)
		if (p->v[i].whole && !kturn_batch_result(p->batch, next++))
			offload_adopted(p->o, p->v[i].a,
					offload_id(p->v[i].a), true);
}

static bool step(struct push_all *p, void (*fn)(struct push_all *p))
{
	p->batch = kturn_batch_new(p->o->kt);
	if (!p->batch)
		return false;
	fn(p);
	kturn_batch_free(p->batch);
	return true;
}

/* What fails on the way stays with the daemon. */
static void push(struct push_all *p)
{
	if (p->n && step(p, push_allocs) && step(p, push_entries))
		step(p, push_exclusive);
}

void offload_push_all(struct offload *o)
{
	struct push_all p = { .o = o, .now = o->w->now };

	offload_flush(o);
	turn_server_each(o->w->turn, collect, &p);
	push(&p);
	log_event(LOG_INFO, "kernel-pushed",
		  "worker=%u allocs=%zu in_kernel=%u", o->w->index, p.n,
		  o->entries);
	free(p.v);
}

static int copy_alloc(const struct kturn_alloc *ka, void *arg)
{
	struct kturn_alloc *copy = arg;

	*copy = *ka;
	/* It is valid here only, and made anew. */
	copy->owner_data = NULL;
	copy->owner_data_len = 0;
	return 0;
}

/*
 * The kernel has no way to take one relayed address from an allocation. So the
 * entry goes, and one with what is left takes its place; what comes in between
 * is relayed by the daemon, which needs no entry.
 */
void offload_shrink(struct offload *o, struct turn_alloc *a)
{
	struct kturn_alloc old = { 0 };
	struct pushed one = { .a = a, .old = &old, .whole = true };
	struct push_all p = { .o = o, .now = o->w->now, .v = &one, .n = 1 };
	int ret;

	offload_flush(o);
	if (!o->kt || !offload_id(a))
		return;
	ret = kturn_alloc_get(o->kt, offload_id(a), 0, copy_alloc, &old);
	/* Somebody has deleted it, and we will hear of it. */
	if (ret == -ENOENT)
		return;
	if (!ret)
		ret = offload_withdraw(o, a);
	if (ret) {
		offload_log_failed(a, "removal", kturn_error(o->kt),
				   "the kernel relays until the lifetime ends");
		return;
	}
	push(&p);
	if (!offload_id(a))
		offload_log_failed(a, "alloc", kturn_error(o->kt),
				   "the daemon relays");
}

/* The module may have gone and come back while the allocation was on its way. */
static bool is_other(const struct offload *o, const struct turn_alloc *a,
		     const struct kturn_alloc *old)
{
	uint8_t packed[KTURN_OWNER_DATA_MAX];
	struct kturn_alloc ka;

	offload_fill(o, a, 0, 0, packed, &ka);
	return old->owner_id != o->owner_id ||
	       !addr_equal(&ka.relay[0], &old->relay[0]) ||
	       !addr_equal(&ka.relay[1], &old->relay[1]);
}

/* Takes the entry away, if there is one; its copy is in @old. */
static int withdraw_old(struct offload *o, struct turn_alloc *a,
			struct kturn_alloc *old)
{
	int ret = kturn_alloc_get(o->kt, offload_id(a), 0, copy_alloc, old);

	if (ret == -ENOENT)
		return offload_lost_module(o) ? 0 : ret;
	if (!ret && is_other(o, a, old)) {
		o->entries--;
		turn_alloc_set_offload(a, 0);
		return 0;
	}
	return ret ? ret : offload_withdraw(o, a);
}

/*
 * The old entry goes, and one with the new 5-tuple takes its place; what comes in
 * between is relayed by the daemon, to and from the new one.
 */
int offload_move(struct offload *o, struct turn_alloc *a)
{
	struct kturn_alloc old = { 0 };
	struct pushed one = { .a = a, .whole = true };
	struct push_all p = { .o = o, .now = o->w->now, .v = &one, .n = 1 };
	int ret;

	offload_flush(o);
	if (o->kt && offload_id(a)) {
		ret = withdraw_old(o, a, &old);
		if (ret == -ENOENT)
			return ret;
		if (ret) {
			offload_log_failed(a, "removal", kturn_error(o->kt),
					   "the kernel relays to the old address until the lifetime ends");
			return 0;
		}
		one.old = old.id ? &old : NULL;
	}
	if (!o->kt || turn_alloc_tuple(a)->transport != TURN_UDP)
		return 0;
	push(&p);
	if (!offload_id(a))
		offload_log_failed(a, "alloc", kturn_error(o->kt),
				   "the daemon relays");
	return 0;
}
