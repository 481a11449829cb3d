// SPDX-License-Identifier: GPL-2.0-or-later
/* Allocations (RFC 8656 section 6). */
#include <stdlib.h>

#include "turn_internal.h"

static uint64_t tuple_hash(const struct turn_server *s,
			   const struct turn_tuple *tuple)
{
	return turn_siphash(s->hash_key, tuple, sizeof(*tuple));
}

struct turn_alloc *turn_alloc_new(struct turn_server *s,
				  const struct turn_tuple *tuple,
				  const char *user)
{
	size_t user_size = strlen(user) + 1;
	struct turn_alloc *a;

	a = calloc(1, sizeof(*a) + user_size);
	if (!a)
		return NULL;
	a->id = ++s->last_id;
	a->tuple = *tuple;
	LIST_INIT(&a->perms);
	LIST_INIT(&a->chans);
	memcpy(a->user, user, user_size);
	return a;
}

void turn_alloc_link(struct turn_server *s, struct turn_alloc *a, uint64_t at)
{
	turn_table_add(&s->by_tuple, &a->node, tuple_hash(s, &a->tuple));
	turn_timer_add(&s->timers, &a->timer, TURN_TIMER_ALLOC, at);
	LIST_INSERT_HEAD(&s->allocs, a, entry);
	s->counters.allocs++;
}

struct turn_alloc *turn_alloc_find(struct turn_server *s,
				   const struct turn_tuple *tuple)
{
	struct turn_node *node;
	struct turn_alloc *a;

	node = turn_table_first(&s->by_tuple, tuple_hash(s, tuple));
	for (; node; node = turn_table_next(node)) {
		a = container_of(node, struct turn_alloc, node);
		if (turn_addr_equal(&a->tuple.client, &tuple->client) &&
		    turn_addr_equal(&a->tuple.server, &tuple->server))
			return a;
	}
	return NULL;
}

struct turn_alloc *turn_alloc_live(struct turn_server *s,
				   const struct turn_tuple *tuple, uint64_t now)
{
	struct turn_alloc *a = turn_alloc_find(s, tuple);

	return a && !turn_timer_over(&a->timer, now) ? a : NULL;
}

void turn_alloc_remove(struct turn_server *s, struct turn_alloc *a,
		       bool offload, const char *reason)
{
	struct turn_perm *p;
	struct turn_chan *c;

	s->ops->log(s->env, LOG_INFO, "alloc-end", &a->tuple, a->user,
		    "reason=%s", reason);

	if (offload)
		s->ops->offload_remove(s->env, a);
	while ((c = LIST_FIRST(&a->chans)))
		turn_chan_remove(s, c);
	while ((p = LIST_FIRST(&a->perms)))
		turn_perm_remove(s, p);
	s->ops->relay_close(s->env, &a->relay);
	if (a->has_quota)
		s->ops->quota_give(s->env, a->user);

	LIST_REMOVE(a, entry);
	turn_timer_del(&s->timers, &a->timer);
	turn_table_del(&s->by_tuple, &a->node);
	s->counters.allocs--;
	free(a);
}

void turn_alloc_end(struct turn_server *s, struct turn_alloc *a)
{
	turn_alloc_remove(s, a, false, "deleted");
}

void turn_server_each(struct turn_server *s,
		      void (*cb)(struct turn_alloc *a, void *arg), void *arg)
{
	struct turn_alloc *a;

	LIST_FOREACH(a, &s->allocs, entry)
		cb(a, arg);
}

const struct turn_tuple *turn_alloc_tuple(const struct turn_alloc *a)
{
	return &a->tuple;
}

const struct turn_relay *turn_alloc_relay(const struct turn_alloc *a)
{
	return &a->relay;
}

const char *turn_alloc_user(const struct turn_alloc *a)
{
	return a->user;
}

void turn_alloc_set_offload(struct turn_alloc *a, uint64_t id)
{
	a->offload = id;
}

uint64_t turn_alloc_offload(const struct turn_alloc *a)
{
	return a->offload;
}

uint32_t turn_alloc_left_ms(const struct turn_alloc *a, uint64_t now)
{
	return turn_timer_left(&a->timer, now);
}
