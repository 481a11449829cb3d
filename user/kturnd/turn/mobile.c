// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the client of an allocation is, and where it will be; see mobile.h. */
#include <errno.h>
#include <stdlib.h>

#include "handover.h"
#include "mobile.h"

#define ID_TRIES	8

/* Random as it is, the id needs no hash. */
static struct turn_mobile *find_id(const struct turn_server *s, uint64_t id)
{
	struct turn_node *node = turn_table_first(&s->by_id, id);

	return node ? container_of(node, struct turn_mobile, by_id) : NULL;
}

static bool is_live(const struct turn_mobile *m, uint64_t now)
{
	return m && now < turn_alloc_ends(m->alloc);
}

struct turn_alloc *turn_mobile_find(struct turn_server *s, uint64_t id,
				    uint64_t now)
{
	struct turn_mobile *m = find_id(s, id);

	return is_live(m, now) ? m->alloc : NULL;
}

static struct turn_mobile *find_next(const struct turn_server *s,
				     const struct turn_tuple *tuple)
{
	struct turn_node *node;
	struct turn_mobile *m;

	if (!s->by_next.n)
		return NULL;
	node = turn_table_first(&s->by_next, turn_tuple_hash(s, tuple));
	for (; node; node = turn_table_next(node)) {
		m = container_of(node, struct turn_mobile, by_next);
		if (turn_same_tuple(&m->next, tuple))
			return m;
	}
	return NULL;
}

struct turn_alloc *turn_mobile_next(struct turn_server *s,
				    const struct turn_tuple *tuple,
				    uint64_t now)
{
	struct turn_mobile *m = find_next(s, tuple);

	return is_live(m, now) ? m->alloc : NULL;
}

bool turn_client_known(struct turn_server *s, const struct turn_tuple *tuple)
{
	return turn_alloc_find(s, tuple) || find_next(s, tuple);
}

bool turn_ticket_here(const struct turn_server *s, uint64_t id)
{
	return find_id(s, id);
}

void turn_mobile_expect_none(struct turn_server *s, struct turn_mobile *m)
{
	if (m->has_next)
		turn_table_del(&s->by_next, &m->by_next);
	m->has_next = false;
}

void turn_mobile_expect(struct turn_server *s, struct turn_mobile *m,
			const struct turn_tuple *next, uint32_t home)
{
	turn_mobile_expect_none(s, m);
	m->next = *next;
	m->home = home;
	m->has_next = true;
	turn_table_add(&s->by_next, &m->by_next, turn_tuple_hash(s, next));
}

/* ---------------------------------------------------------------- life cycle */

int turn_mobile_restore(struct turn_server *s, struct turn_alloc *a,
			const struct turn_mobile *as)
{
	struct turn_mobile *m;
	int ret;

	if (find_id(s, as->id))
		return -EEXIST;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	ret = s->ops->mobile_new(s->env, as->id);
	if (ret) {
		free(m);
		return ret;
	}
	m->alloc = a;
	m->id = as->id;
	m->seq = as->seq;
	m->moved_ms = as->moved_ms;
	turn_table_add(&s->by_id, &m->by_id, m->id);
	if (as->has_next && !turn_client_known(s, &as->next))
		turn_mobile_expect(s, m, &as->next,
				   s->ops->home(s->env, &as->next));
	if (m->has_next && m->home != s->cfg.home)
		s->ops->visit_begin(s->env, m->id, &m->next, m->home);
	a->mobile = m;
	return 0;
}

int turn_mobile_new(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_mobile as = { 0 };
	int i, ret = -EEXIST;

	/* Another one may have it, once in a long time. */
	for (i = 0; i < ID_TRIES && ret == -EEXIST; i++) {
		s->ops->random(s->env, &as.id, sizeof(as.id));
		as.id >>= TURN_SEQ_BITS;
		ret = turn_mobile_restore(s, a, &as);
	}
	return ret;
}

void turn_mobile_free(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_mobile *m = a->mobile;

	if (!m)
		return;
	if (m->has_next && m->home != s->cfg.home)
		s->ops->visit_end(s->env, m->id, &m->next, m->home);
	turn_mobile_expect_none(s, m);
	turn_table_del(&s->by_id, &m->by_id);
	s->ops->mobile_end(s->env, m->id);
	a->mobile = NULL;
	free(m);
}

/* -------------------------------------------------------------------- moving */

bool turn_mobile_settle(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_mobile *m = a->mobile;
	struct turn_tuple old = a->tuple;
	char text[TURN_ADDR_TEXT];

	if (!m->away)
		turn_table_del(&s->by_tuple, &a->node);
	a->tuple = m->next;
	m->away = false;
	turn_mobile_expect_none(s, m);
	turn_table_add(&s->by_tuple, &a->node, turn_tuple_hash(s, &a->tuple));
	s->counters.moved++;
	s->ops->log(s->env, LOG_INFO, "client-moved", &a->tuple, a->user,
		    "from=%s", turn_addr_text(&old.client, text));
	if (!s->ops->offload_move(s->env, a))
		return true;
	turn_alloc_remove(s, a, false, "deleted");
	return false;
}

void turn_mobile_gone(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_mobile *m = a->mobile;

	if (m->has_next && m->home == s->cfg.home) {
		turn_mobile_settle(s, a);
		return;
	}
	turn_table_del(&s->by_tuple, &a->node);
	m->away = true;
	s->ops->log(s->env, LOG_INFO, "client-away", &a->tuple, a->user,
		    "reason=%s", "disconnected");
	if (m->has_next)
		s->ops->visit_stay(s->env, m->id, &m->next, m->home);
}

void turn_mobile_next_gone(struct turn_server *s,
			   const struct turn_tuple *tuple)
{
	struct turn_mobile *m = find_next(s, tuple);

	if (m)
		turn_mobile_expect_none(s, m);
}
