// SPDX-License-Identifier: GPL-2.0-or-later
/* Allocations that go from one server to another; see handover.h. */
#include <stdlib.h>

#include "handover.h"
#include "mobile.h"

/* They stay in the allocation's lists. */
static void leave_peers(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_perm *p;
	struct turn_chan *c;

	LIST_FOREACH(p, &a->perms, entry) {
		turn_timer_del(&s->timers, &p->timer);
		turn_table_del(&s->by_perm, &p->node);
	}
	LIST_FOREACH(c, &a->chans, entry) {
		turn_timer_del(&s->timers, &c->timer);
		turn_table_del(&s->by_peer, &c->by_peer);
		turn_table_del(&s->by_number, &c->by_number);
	}
	s->counters.perms -= a->n_perms;
	s->counters.chans -= a->n_chans;
}

struct turn_alloc *turn_alloc_leave(struct turn_server *s, uint64_t id,
				    const struct turn_tuple *tuple,
				    uint32_t home)
{
	struct turn_node *node = turn_table_first(&s->by_id, id);
	struct turn_mobile *m;

	if (!node)
		return NULL;
	m = container_of(node, struct turn_mobile, by_id);
	if (!m->has_next || m->home != home ||
	    !turn_same_tuple(&m->next, tuple))
		return NULL;
	leave_peers(s, m->alloc);
	turn_alloc_unlink(s, m->alloc);
	turn_table_del(&s->by_next, &m->by_next);
	turn_table_del(&s->by_id, &m->by_id);
	return m->alloc;
}

/* Out of the lists that they left with, into the same ones again. */
static void arrive_peers(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_perms perms = a->perms;
	struct turn_chans chans = a->chans;
	struct turn_perm *p, *next_perm;
	struct turn_chan *c, *next_chan;
	struct kturn_addr peer;

	LIST_INIT(&a->perms);
	LIST_INIT(&a->chans);
	a->n_perms = 0;
	a->n_chans = 0;
	for (p = LIST_FIRST(&perms); p; p = next_perm) {
		next_perm = LIST_NEXT(p, entry);
		peer = p->peer;
		turn_perm_add(s, a, p, &peer, p->timer.at);
	}
	for (c = LIST_FIRST(&chans); c; c = next_chan) {
		next_chan = LIST_NEXT(c, entry);
		peer = c->peer;
		turn_chan_add(s, a, c, c->number, &peer, c->timer.at);
	}
}

bool turn_alloc_arrive(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_mobile *m = a->mobile;
	struct turn_tuple old = a->tuple;
	char text[TURN_ADDR_TEXT];

	/* Nobody else can be there: it was a visitor. */
	if (turn_client_known(s, &m->next) ||
	    !turn_heap_reserve(&s->timers, ARRAY_SIZE(a->half) + a->n_perms +
			       a->n_chans))
		return false;
	a->tuple = m->next;
	m->has_next = false;
	m->away = false;
	/* Those of this server: keys are made of it. */
	a->id = ++s->last_id;
	turn_alloc_link(s, a);
	arrive_peers(s, a);
	turn_table_add(&s->by_id, &m->by_id, m->id);
	s->counters.moved++;
	s->ops->log(s->env, LOG_INFO, "client-moved", &a->tuple, a->user,
		    "from=%s", turn_addr_text(&old.client, text));
	return true;
}

void turn_alloc_drop(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_perm *p;
	struct turn_chan *c;
	struct turn_half *h;

	s->ops->log(s->env, LOG_INFO, "alloc-end", &a->tuple, a->user,
		    "reason=%s", "handover-failed");
	s->ops->offload_remove(s->env, a);
	while ((c = LIST_FIRST(&a->chans))) {
		LIST_REMOVE(c, entry);
		free(c);
	}
	while ((p = LIST_FIRST(&a->perms))) {
		LIST_REMOVE(p, entry);
		free(p);
	}
	for (h = a->half; h < a->half + ARRAY_SIZE(a->half); h++)
		if (turn_half_there(h))
			s->ops->relay_close(s->env, &h->relay);
	turn_alloc_give_quota(s, a);
	s->ops->mobile_end(s->env, a->mobile->id);
	free(a->mobile);
	turn_alloc_free(a);
}
