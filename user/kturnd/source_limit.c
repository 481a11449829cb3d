// SPDX-License-Identifier: GPL-2.0-or-later
/* How often who has no credentials is answered; see source_limit.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "source_limit.h"

#define SECOND_US	1000000ull

int source_limit_init(struct source_limit *l, uint32_t rate)
{
	memset(l, 0, sizeof(*l));
	if (!rate)
		return 0;
	random_bytes(l->key, sizeof(l->key));
	l->each_us = SECOND_US / rate;
	l->v = calloc(SOURCE_LIMIT_SETS * SOURCE_LIMIT_WAYS, sizeof(*l->v));
	return l->v ? 0 : -ENOMEM;
}

void source_limit_free(struct source_limit *l)
{
	free(l->v);
	l->v = NULL;
}

/* The source's bucket, or that of the one that has used least of its own. */
static struct source_bucket *find(struct source_limit *l, uint64_t hash)
{
	struct source_bucket *set, *least, *b;

	set = l->v + hash % SOURCE_LIMIT_SETS * SOURCE_LIMIT_WAYS;
	least = set;
	for (b = set; b < set + SOURCE_LIMIT_WAYS; b++) {
		if (b->hash == hash)
			return b;
		if (b->used_us < least->used_us)
			least = b;
	}
	*least = (struct source_bucket){ .hash = hash };
	return least;
}

bool source_limit_take(struct source_limit *l, const struct kturn_addr *source,
		       uint64_t now)
{
	const uint64_t now_us = now * 1000;
	struct source_bucket *b;
	uint64_t hash;

	if (!l->each_us)
		return true;
	hash = turn_siphash(l->key, source->ip,
			    source->family == KTURN_FAMILY_V4 ? 4 : 8);
	b = find(l, hash ? hash : 1);
	if (b->used_us < now_us)
		b->used_us = now_us;
	if (b->used_us + l->each_us > now_us + SOURCE_LIMIT_SECONDS * SECOND_US)
		return false;
	b->used_us += l->each_us;
	return true;
}
