// SPDX-License-Identifier: GPL-2.0-or-later
/* What the user store has said lately; see cache.h. */
#include <stdlib.h>
#include <string.h>

#include "cache.h"

/* An id is a hash. */
static uint64_t hash_of(const uint8_t *id)
{
	uint64_t hash;

	memcpy(&hash, id, sizeof(hash));
	return hash;
}

static struct cache_entry *find(const struct cache *c, const uint8_t *id)
{
	struct turn_node *node = turn_table_first(&c->table, hash_of(id));
	struct cache_entry *e;

	for (; node; node = turn_table_next(node)) {
		/* The node is its first member. */
		e = (struct cache_entry *)node;
		if (!memcmp(e->id, id, CACHE_ID_LEN))
			return e;
	}
	return NULL;
}

static void take_out(struct cache *c, struct cache_entry *e)
{
	if (e->known) {
		TAILQ_REMOVE(&c->known, e, entry);
		c->n_known--;
	} else {
		TAILQ_REMOVE(&c->unknown, e, entry);
		c->n_unknown--;
	}
}

static void put_first(struct cache *c, struct cache_entry *e)
{
	if (e->known) {
		TAILQ_INSERT_HEAD(&c->known, e, entry);
		c->n_known++;
	} else {
		TAILQ_INSERT_HEAD(&c->unknown, e, entry);
		c->n_unknown++;
	}
}

static void drop(struct cache *c, struct cache_entry *e)
{
	take_out(c, e);
	turn_table_del(&c->table, &e->node);
	free(e->name);
	explicit_bzero(e, sizeof(*e));
	free(e);
}

bool cache_init(struct cache *c)
{
	memset(c, 0, sizeof(*c));
	TAILQ_INIT(&c->known);
	TAILQ_INIT(&c->unknown);
	return turn_table_init(&c->table);
}

void cache_free(struct cache *c)
{
	struct cache_entry *e;

	while ((e = TAILQ_FIRST(&c->known)) || (e = TAILQ_FIRST(&c->unknown)))
		drop(c, e);
	turn_table_destroy(&c->table);
}

bool cache_get(struct cache *c, const uint8_t *id, struct cache_answer *answer,
	       char *name)
{
	struct cache_entry *e = find(c, id);

	if (!e)
		return false;
	take_out(c, e);
	put_first(c, e);
	*answer = e->answer;
	if (name && e->name)
		memcpy(name, e->name, strlen(e->name) + 1);
	return true;
}

bool cache_is_known(const struct cache *c, const uint8_t *id)
{
	const struct cache_entry *e = find(c, id);

	return e && e->known;
}

void cache_put(struct cache *c, const uint8_t *id,
	       const struct cache_answer *answer, const char *name)
{
	struct cache_entry *e = find(c, id);

	if (e) {
		take_out(c, e);
	} else {
		e = calloc(1, sizeof(*e));
		if (!e)
			return;
		memcpy(e->id, id, CACHE_ID_LEN);
		turn_table_add(&c->table, &e->node, hash_of(id));
	}
	e->known |= answer->found;
	e->answer = *answer;
	free(e->name);
	e->name = name ? strdup(name) : NULL;
	put_first(c, e);
	if (name && !e->name)
		drop(c, e);
	if (c->n_known > CACHE_KNOWN_MAX)
		drop(c, TAILQ_LAST(&c->known, cache_list));
	if (c->n_unknown > CACHE_UNKNOWN_MAX)
		drop(c, TAILQ_LAST(&c->unknown, cache_list));
}
