// SPDX-License-Identifier: GPL-2.0-or-later
/* The offload and what happens to it: the module comes and goes, entries are
 * deleted by others, messages are lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "log.h"
#include "offload.h"

/* --------------------------------------------------------------- the module */

int offload_join(const struct worker *w, struct kturn **kt,
		 uint32_t *owner_id, uint32_t *left)
{
	const struct daemon *d = w->d;
	struct kturn_owner owner;
	int ret;

	ret = kturn_open(kt);
	if (ret)
		return ret;
	ret = kturn_join(*kt, d->state.cookie, d->cfg->grace * 1000, "kturnd",
			 &owner);
	if (ret) {
		log_event(LOG_DEBUG, "kernel-join-failed", "error=%s",
			  kturn_error(*kt));
		kturn_close(*kt);
		*kt = NULL;
		return ret;
	}
	*owner_id = owner.id;
	if (left)
		*left = owner.allocs;
	return 0;
}

int offload_open(struct offload *o, struct worker *w)
{
	o->w = w;
	return offload_join(w, &o->kt, &o->owner_id, NULL);
}

void offload_close(struct offload *o)
{
	offload_flush(o);
	kturn_close(o->kt);
	o->kt = NULL;
}

static void forget(struct turn_alloc *a, void *arg)
{
	turn_alloc_set_offload(a, 0);
}

void offload_gone(struct offload *o)
{
	offload_close(o);
	o->entries = 0;
	turn_server_each(o->w->turn, forget, NULL);
}

/* ----------------------------------------------------------------- removals */

void offload_alloc_gone(struct offload *o, const struct turn_tuple *tuple,
			uint32_t id, bool expired)
{
	struct turn_alloc *a;

	offload_flush(o);
	a = turn_alloc_find(o->w->turn, tuple);
	if (!a || offload_id(a) != id)
		return;
	o->entries--;
	turn_alloc_set_offload(a, 0);
	/* Ours ends first; if not, we can go on without the kernel. */
	if (!expired)
		turn_alloc_end(o->w->turn, a);
}

/**
 * struct seen - what the kernel has
 * @ids: allocations, ascending
 * @n_ids: how many
 * @perms: sorted
 * @n_perms: how many
 * @chans: sorted
 * @n_chans: how many
 */
struct seen {
	uint32_t *ids;
	size_t n_ids;
	struct kturn_perm *perms;
	size_t n_perms;
	struct kturn_chan *chans;
	size_t n_chans;
};

/* Makes room for one more, doubling; NULL without memory. */
static void *grow(void *array, size_t *n, size_t size)
{
	void **v = array, *bigger;

	if (!(*n & (*n - 1))) {
		bigger = reallocarray(*v, *n ? 2 * *n : 1, size);
		if (!bigger)
			return NULL;
		*v = bigger;
	}
	return (char *)*v + (*n)++ * size;
}

/* @item, copied behind the others. */
static int append(void *array, size_t *n, const void *item, size_t size)
{
	void *room = grow(array, n, size);

	if (!room)
		return -ENOMEM;
	memcpy(room, item, size);
	return 0;
}

static int see_alloc(const struct kturn_alloc *a, void *arg)
{
	struct seen *s = arg;

	return append(&s->ids, &s->n_ids, &a->id, sizeof(a->id));
}

static int see_perm(const struct kturn_perm *p, void *arg)
{
	struct seen *s = arg;

	return append(&s->perms, &s->n_perms, p, sizeof(*p));
}

static int see_chan(const struct kturn_chan *c, void *arg)
{
	struct seen *s = arg;

	return append(&s->chans, &s->n_chans, c, sizeof(*c));
}

static int compare_id(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int compare_perm(const void *a, const void *b)
{
	const struct kturn_perm *x = a, *y = b;

	if (x->alloc_id != y->alloc_id)
		return x->alloc_id < y->alloc_id ? -1 : 1;
	return memcmp(&x->peer, &y->peer, sizeof(x->peer));
}

static int compare_chan(const void *a, const void *b)
{
	const struct kturn_chan *x = a, *y = b;

	if (x->alloc_id != y->alloc_id)
		return x->alloc_id < y->alloc_id ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static bool found(const void *key, const void *v, size_t n, size_t size,
		  int (*compare)(const void *a, const void *b))
{
	return n && bsearch(key, v, n, size, compare);
}

/* @id 0: of all allocations */
static int see_all(struct offload *o, uint32_t id, struct seen *s)
{
	int ret;

	memset(s, 0, sizeof(*s));
	ret = kturn_alloc_get(o->kt, id, id ? 0 : o->owner_id, see_alloc, s);
	if (!ret)
		ret = kturn_perm_get(o->kt, id, see_perm, s);
	if (!ret)
		ret = kturn_chan_get(o->kt, id, see_chan, s);
	if (ret)
		return ret;
	if (s->n_ids)
		qsort(s->ids, s->n_ids, sizeof(*s->ids), compare_id);
	if (s->n_perms)
		qsort(s->perms, s->n_perms, sizeof(*s->perms), compare_perm);
	if (s->n_chans)
		qsort(s->chans, s->n_chans, sizeof(*s->chans), compare_chan);
	return 0;
}

/* What is to be ended, once nothing walks over the state any more. */
struct ended {
	struct turn_alloc *a;
	enum { ENDED_ALLOC, ENDED_PERM, ENDED_CHAN } what;
	struct kturn_addr peer;
	uint16_t number;
};

struct reconcile {
	struct offload *o;
	struct seen seen;
	struct turn_alloc *a;
	struct ended *v;
	size_t n;
};

static void end(struct reconcile *r, const struct ended *what)
{
	struct ended *room = grow(&r->v, &r->n, sizeof(*room));

	/* Without memory it ends when its time is over. */
	if (room)
		*room = *what;
}

static void check_perm(const struct kturn_addr *peer, uint32_t left_ms,
		       void *arg)
{
	struct reconcile *r = arg;
	struct kturn_perm key = { .alloc_id = offload_id(r->a),
				  .peer = *peer };
	const struct ended what = { .a = r->a, .what = ENDED_PERM,
				    .peer = *peer };

	if (!found(&key, r->seen.perms, r->seen.n_perms, sizeof(key),
		   compare_perm))
		end(r, &what);
}

static void check_chan(uint16_t number, const struct kturn_addr *peer,
		       uint32_t left_ms, void *arg)
{
	struct reconcile *r = arg;
	struct kturn_chan key = { .alloc_id = offload_id(r->a),
				  .number = number };
	const struct ended what = { .a = r->a, .what = ENDED_CHAN,
				    .number = number };

	if (!found(&key, r->seen.chans, r->seen.n_chans, sizeof(key),
		   compare_chan))
		end(r, &what);
}

static void check_alloc(struct turn_alloc *a, void *arg)
{
	const struct ended what = { .a = a, .what = ENDED_ALLOC };
	struct reconcile *r = arg;
	uint32_t id = offload_id(a);

	if (!id)
		return;
	r->a = a;
	if (!found(&id, r->seen.ids, r->seen.n_ids, sizeof(id), compare_id)) {
		end(r, &what);
		return;
	}
	/* What lacks in a partial one may never have been there. */
	if (offload_is_partial(a))
		return;
	turn_alloc_each_perm(a, r->o->w->now, check_perm, r);
	turn_alloc_each_chan(a, r->o->w->now, check_chan, r);
}

static void end_all(struct reconcile *r)
{
	struct turn_server *s = r->o->w->turn;
	size_t i;

	for (i = 0; i < r->n; i++) {
		switch (r->v[i].what) {
		case ENDED_ALLOC:
			r->o->entries--;
			turn_alloc_set_offload(r->v[i].a, 0);
			turn_alloc_end(s, r->v[i].a);
			break;
		case ENDED_PERM:
			turn_perm_end(s, r->v[i].a, &r->v[i].peer);
			break;
		case ENDED_CHAN:
			turn_chan_end(s, r->v[i].a, r->v[i].number);
			break;
		}
	}
}

void offload_reconcile(struct offload *o, const struct turn_tuple *tuple)
{
	struct reconcile r = { .o = o };
	struct turn_alloc *a = NULL;
	int ret;

	offload_flush(o);
	if (!o->kt)
		return;
	if (tuple) {
		a = turn_alloc_find(o->w->turn, tuple);
		if (!a || !offload_id(a))
			return;
	}
	ret = see_all(o, a ? offload_id(a) : 0, &r.seen);
	/* Deleted in between, or is there nothing at all any more? */
	if (ret == -ENOENT && a && !offload_lost_module(o))
		ret = 0;
	if (ret) {
		log_event(LOG_WARNING, "reconcile-failed",
			  "worker=%u error=%s", o->w->index, strerror(-ret));
	} else {
		if (a)
			check_alloc(a, &r);
		else
			turn_server_each(o->w->turn, check_alloc, &r);
		end_all(&r);
	}
	if (!a)
		log_event(LOG_INFO, "reconciled", "worker=%u ended=%zu",
			  o->w->index, r.n);
	free(r.v);
	free(r.seen.ids);
	free(r.seen.perms);
	free(r.seen.chans);
}
