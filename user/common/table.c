// SPDX-License-Identifier: GPL-2.0-or-later
/* Hash tables; see table.h. */
#include <stdlib.h>

#include "table.h"

#define BUCKETS_MIN	64

bool turn_table_init(struct turn_table *t)
{
	t->buckets = calloc(BUCKETS_MIN, sizeof(*t->buckets));
	t->mask = BUCKETS_MIN - 1;
	t->n = 0;
	return t->buckets;
}

void turn_table_destroy(struct turn_table *t)
{
	free(t->buckets);
	t->buckets = NULL;
}

/* Twice the buckets: no longer lists than one node each on average. */
static void grow(struct turn_table *t)
{
	struct turn_node **buckets, *node, *next;
	size_t mask = t->mask * 2 + 1, i;

	buckets = calloc(mask + 1, sizeof(*buckets));
	if (!buckets)
		return;

	for (i = 0; i <= t->mask; i++) {
		for (node = t->buckets[i]; node; node = next) {
			next = node->next;
			node->next = buckets[node->hash & mask];
			buckets[node->hash & mask] = node;
		}
	}
	free(t->buckets);
	t->buckets = buckets;
	t->mask = mask;
}

void turn_table_add(struct turn_table *t, struct turn_node *node, uint64_t hash)
{
	struct turn_node **bucket;

	if (t->n > t->mask)
		grow(t);

	bucket = &t->buckets[hash & t->mask];
	node->hash = hash;
	node->next = *bucket;
	*bucket = node;
	t->n++;
}

void turn_table_del(struct turn_table *t, struct turn_node *node)
{
	struct turn_node **p = &t->buckets[node->hash & t->mask];

	while (*p != node)
		p = &(*p)->next;
	*p = node->next;
	t->n--;
}

static struct turn_node *skip(struct turn_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct turn_node *turn_table_first(const struct turn_table *t, uint64_t hash)
{
	return skip(t->buckets[hash & t->mask], hash);
}

struct turn_node *turn_table_next(const struct turn_node *node)
{
	return skip(node->next, node->hash);
}
