// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The offload's part of turn_ops, permissions and channels; see offload.h.
 *
 * Clients come in bursts, and the kernel takes many entries at once for less. So
 * what it can hardly refuse waits until the answers to a burst are to be sent,
 * and goes first. Where a refusal would change an answer, nothing waits.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon.h"
#include "log.h"
#include "offload.h"

#define PERM_MS		(TURN_PERMISSION_LIFETIME * 1000u)
#define CHAN_MS		(TURN_CHANNEL_LIFETIME * 1000u)

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
	/* It may end before it is deleted; if it is still there, see below. */
	if (!ret)
		kturn_batch_run(s.batch);
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
		error = offload_make_partial(o, p->a);
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
	ret = p->nat ? offload_make_partial(p->o, p->a) : 0;
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

/* The kernel's answer is waited for. */
static int push_now(struct offload *o, struct turn_alloc *a,
		    const struct kturn_addr *peers, size_t n, uint16_t number)
{
	struct push p = { .o = o, .a = a, .peers = peers, .n = n,
			  .number = number };
	int ret = -ENOMEM;

	p.batch = kturn_batch_new(o->kt);
	p.index = calloc(n, sizeof(*p.index));
	if (p.batch && p.index)
		ret = push_run(&p);
	else
		/* Then the kernel must not know better than us. */
		ret = offload_go_on(o, ret) ? ret : offload_make_partial(o, a);
	kturn_batch_free(p.batch);
	free(p.index);
	return ret;
}

/* ----------------------------------------------------------- what can wait */

static bool may_wait(const struct offload *o, const struct kturn_addr *peers,
		     size_t n)
{
	size_t i;

	if (o->strict)
		return false;
	for (i = 0; i < n; i++)
		if (offload_is_nat_peer(o, &peers[i]))
			return false;
	return true;
}

/* False without memory: nothing was added. */
static bool push_later(struct offload *o, struct turn_alloc *a,
		       const struct kturn_addr *peers, size_t n,
		       uint16_t number)
{
	struct offload_waiting *w = &o->waiting[o->n_waiting];
	struct kturn_addr ip;
	size_t i;

	if (!o->batch)
		o->batch = kturn_batch_new(o->kt);
	if (!o->batch)
		return false;
	*w = (struct offload_waiting){ .a = a, .number = number, .n = n,
				       .peer = peers[0] };
	for (i = 0; i < n; i++) {
		ip = addr_with_port(&peers[i], 0);
		kturn_batch_perm_new(o->batch, offload_id(a), &ip, PERM_MS);
	}
	if (number)
		kturn_batch_chan_new(o->batch, offload_id(a), number,
				     &peers[0], CHAN_MS);
	o->n_waiting++;
	return true;
}

/* The first failure among results from @first on, of @n. */
static int first_failure(const struct kturn_batch *b, int first, size_t n)
{
	int ret = 0;
	size_t i;

	for (i = 0; i < n && !ret; i++)
		ret = kturn_batch_result(b, first + (int)i);
	return ret;
}

/* @first: of the requests that @w is. 0, or an error: it is not dealt with. */
static int settle(struct offload *o, const struct offload_waiting *w, int first)
{
	struct push p = { .o = o, .a = w->a, .peers = &w->peer, .n = w->n,
			  .number = w->number };
	int ret;

	/* The module may have gone, or the allocation withdrawn, just now. */
	if (!o->kt || !offload_id(w->a))
		return 0;
	ret = first_failure(o->batch, first, w->n);
	if (!ret && w->number) {
		ret = kturn_batch_result(o->batch, first + (int)w->n);
		if (ret == -EEXIST)
			ret = replace_chan(&p);
	}
	if (!ret)
		return 0;
	/* Of -ENOENT we will hear: somebody has deleted the allocation. */
	if (ret == -ENOENT) {
		offload_lost_module(o);
		return 0;
	}
	offload_log_failed(w->a, w->number ? "channel" : "permission",
			   kturn_error(o->kt), "the daemon relays");
	return offload_make_partial(o, w->a);
}

void offload_flush(struct offload *o)
{
	unsigned int i, n = o->n_waiting;
	int first = 0;

	if (!n)
		return;
	o->n_waiting = 0;
	/* Without the module, there is nothing that could drop anything. */
	if (o->kt && kturn_batch_run(o->batch)) {
		for (i = 0; i < n; i++) {
			if (settle(o, &o->waiting[i], first))
				o->unsettled = true;
			first += (int)o->waiting[i].n + !!o->waiting[i].number;
		}
	}
	kturn_batch_free(o->batch);
	o->batch = NULL;
}

bool offload_settled(struct offload *o)
{
	bool settled;

	offload_flush(o);
	settled = !o->unsettled;
	o->unsettled = false;
	return settled;
}

int offload_peers(struct offload *o, struct turn_alloc *a,
		  const struct kturn_addr *peers, size_t n, uint16_t number)
{
	if (o->n_waiting == OFFLOAD_WAITING)
		offload_flush(o);
	if (!o->kt || !offload_id(a))
		return 0;
	if (may_wait(o, peers, n) && push_later(o, a, peers, n, number))
		return 0;
	offload_flush(o);
	return o->kt && offload_id(a) ? push_now(o, a, peers, n, number) : 0;
}
