/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user store, asked by a few threads of its own: who serves clients never
 * waits for it. What it says is remembered for a time; see cache.h.
 *
 *	store.c		opening, questions, what is known
 *	pool.c		the threads
 *	follow.c tables.c	realms, secrets, keys and peers, read by one more
 *	backend.c sqlite.c postgres.c redis.c	a thread's connection
 *	names.c		which user a USERHASH is of
 *	cache.c		what was said
 *
 * While it can't be reached it is asked by one thread at a time, less and less
 * often up to every STORE_RETRY_MAX_MS, and what it said within STORE_OLD_MS
 * goes on counting.
 */
#ifndef _KTURND_STORE_STORE_H
#define _KTURND_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "cache.h"
#include "tables.h"

#define STORE_WORKERS_MAX	256
#define STORE_OLD_MS		(3600 * 1000ull)
#define STORE_RETRY_MAX_MS	5000

/*
 * How old what it said may be: for SQLite, which is asked in microseconds, and
 * for others.
 */
#define STORE_LOCAL_MS		10
#define STORE_KEYS_MS		30000
#define STORE_REFUSE_MS		1000

struct store;
struct config;

/**
 * struct store_question - what it is asked
 * @realm: realm
 * @user: the keys of this user; NULL: the name that @hash is of
 * @hash: USERHASH
 * @worker: who asks
 * @source: for whom: the same number for the same network
 * @waits: the worker wants to hear when there is an answer
 */
struct store_question {
	const char *realm;
	const char *user;
	const uint8_t *hash;
	unsigned int worker;
	uint64_t source;
	bool waits;
};

/**
 * struct store_realm - what it says of a realm
 * @all_sha256: each of its users has a SHA-256 key
 * @all_hashed: each can be found by USERHASH
 */
struct store_realm {
	bool all_sha256;
	bool all_hashed;
};

/** struct store_counters - since the start */
struct store_counters {
	uint64_t asked;		/* questions */
	uint64_t answered;
	uint64_t failed;	/* without an answer */
	uint64_t refused;	/* questions not put: too many wait */
	uint64_t lost;		/* how often it could not be reached any more */
	uint64_t cached;	/* now: answers that are remembered */
	bool up;		/* now */
};

/**
 * struct store_listener - who hears of it
 * @answered: the workers of whom @workers has a bit asked question @number. @known:
 *	there is an answer
 * @tables: realms, secrets or keys have changed
 * @arg: for them
 *
 * Context: a thread of the store.
 */
struct store_listener {
	void (*answered)(void *arg, const uint64_t *workers, uint64_t number,
			 bool known);
	void (*tables)(void *arg);
	void *arg;
};

/**
 * store_open() - start asking
 * @store: result
 * @cfg: its db says what; @cfg->realm is the first realm
 * @listener: copied
 *
 * What is wrong is logged: a database that can't be reached is not. Waits until it
 * has spoken once, or for BACKEND_MS. Return: 0, with a store or, where the default
 * file can't be used, without; or a negative errno.
 */
int store_open(struct store **store, const struct config *cfg,
	       const struct store_listener *listener);

/** store_close() - stop; never waits for the database. NULL is fine */
void store_close(struct store *s);

/**
 * store_keys() - what is known of a user
 * @s: store
 * @realm: realm
 * @user: name
 * @answer: result
 *
 * Return: false: nothing. Any thread.
 */
bool store_keys(struct store *s, const char *realm, const char *user,
		struct cache_answer *answer);

/** store_name() - the same for a USERHASH; USERDB_NAME_MAX + 1 bytes in @name */
bool store_name(struct store *s, const char *realm, const uint8_t hash[32],
		struct cache_answer *answer, char *name);

/** store_is_down() - can't it be reached, as far as is known? Any thread */
bool store_is_down(const struct store *s);

/** store_is_local() - may it be asked each time? */
bool store_is_local(const struct store *s);

/**
 * store_ask() - put a question, unless it is being asked
 * @s: store
 * @q: copied
 *
 * Return: its number, or 0: too many wait. Any thread.
 */
uint64_t store_ask(struct store *s, const struct store_question *q);

/** store_realm() - what is known of a realm; asks for it again where due. Any
 * thread.
 */
struct store_realm store_realm(struct store *s, const char *realm);

/** store_settle() - wait until it has spoken of each realm that was asked for, or
 * for BACKEND_MS
 */
void store_settle(struct store *s);

/** store_tables() - those that were read last, for the caller to put; NULL: they
 * could not be read yet. Any thread.
 */
struct tables *store_tables(struct store *s);

/** store_count() - counters */
void store_count(struct store *s, struct store_counters *c);

#endif /* _KTURND_STORE_STORE_H */
