/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user store has said lately. Bounded; who was used least lately goes
 * first, and those whom the store does not know have a place of their own, so
 * that no flood of made-up names drives real ones out.
 */
#ifndef _KTURND_STORE_CACHE_H
#define _KTURND_STORE_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "db/userdb.h"
#include "table.h"

/* Two of each user: keys by name, and name by USERHASH. */
#define CACHE_KNOWN_MAX		131072
#define CACHE_UNKNOWN_MAX	4096
#define CACHE_ID_LEN		16

TAILQ_HEAD(cache_list, cache_entry);

/**
 * struct cache_answer - what the store said
 * @at: when, worker_clock()'s
 * @found: there is such a user
 * @keys: the user's
 */
struct cache_answer {
	uint64_t at;
	bool found;
	struct userdb_keys keys;
};

/**
 * struct cache_entry - an answer
 * @node: in the table
 * @entry: of one of the lists
 * @id: of the question
 * @known: it is in the list of those
 * @answer: answer
 * @name: a USERHASH's, or NULL
 */
struct cache_entry {
	struct turn_node node;
	TAILQ_ENTRY(cache_entry) entry;
	uint8_t id[CACHE_ID_LEN];
	bool known;
	struct cache_answer answer;
	char *name;
};

/**
 * struct cache - answers
 * @table: all of them by id
 * @known: users, and those who once were, the latest first
 * @unknown: those who never were
 * @n_known: how many
 * @n_unknown: how many
 */
struct cache {
	struct turn_table table;
	struct cache_list known;
	struct cache_list unknown;
	unsigned int n_known;
	unsigned int n_unknown;
};

/** cache_init() - an empty one; false without memory */
bool cache_init(struct cache *c);

/** cache_free() - overwrite and free all */
void cache_free(struct cache *c);

/**
 * cache_get() - what was said
 * @c: cache
 * @id: of the question, CACHE_ID_LEN bytes as random as a keyed hash
 * @answer: result
 * @name: for a USERHASH, the name, USERDB_NAME_MAX + 1 bytes; or NULL
 *
 * Return: false: nothing, or it is forgotten.
 */
bool cache_get(struct cache *c, const uint8_t *id, struct cache_answer *answer,
	       char *name);

/** cache_is_known() - is, or was, there such a user, as far as is remembered? */
bool cache_is_known(const struct cache *c, const uint8_t *id);

/** cache_put() - remember an answer; @name may be NULL. Without memory it is
 * not remembered.
 */
void cache_put(struct cache *c, const uint8_t *id,
	       const struct cache_answer *answer, const char *name);

#endif /* _KTURND_STORE_CACHE_H */
