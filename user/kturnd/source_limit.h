/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often who has no credentials is answered: a token bucket for each source,
 * an IPv4 address or a /64 of IPv6. The table has one size, so that sources
 * without end take no memory; one that comes seldom gives way to another, and
 * has a full bucket when it comes again.
 */
#ifndef _KTURND_SOURCE_LIMIT_H
#define _KTURND_SOURCE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <kturn/wire.h>

#include "table.h"

/* How many answers may come at once: as many as in so many seconds. */
#define SOURCE_LIMIT_SECONDS	10

/* Those that a source may share its place with, and places; a power of two. */
#define SOURCE_LIMIT_WAYS	8
#define SOURCE_LIMIT_SETS	4096

/**
 * struct source_bucket - of a source
 * @hash: of the source, 0 for none
 * @used_us: until when the bucket is used up, in microseconds
 */
struct source_bucket {
	uint64_t hash;
	uint64_t used_us;
};

/**
 * struct source_limit - all buckets
 * @key: of the hashes
 * @each_us: what an answer takes, microseconds; 0: there is no limit
 * @v: SOURCE_LIMIT_SETS times SOURCE_LIMIT_WAYS buckets
 */
struct source_limit {
	uint8_t key[TURN_SIPHASH_KEY_LEN];
	uint64_t each_us;
	struct source_bucket *v;
};

/** source_limit_init() - full buckets; @rate a second, 0: no limit. 0 or -ENOMEM */
int source_limit_init(struct source_limit *l, uint32_t rate);

/** source_limit_free() - free it; also of what could not be made */
void source_limit_free(struct source_limit *l);

/**
 * source_limit_take() - may it be answered once more?
 * @l: buckets
 * @source: its port does not matter
 * @now: milliseconds of a clock that never goes back
 */
bool source_limit_take(struct source_limit *l, const struct kturn_addr *source,
		       uint64_t now);

#endif /* _KTURND_SOURCE_LIMIT_H */
