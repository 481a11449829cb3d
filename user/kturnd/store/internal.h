/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the user store share. */
#ifndef _KTURND_STORE_INTERNAL_H
#define _KTURND_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "backend.h"
#include "kturnd/db_url.h"
#include "store.h"

/* Connections to a database; a file needs fewer. */
#define STORE_THREADS		4
#define STORE_THREADS_LOCAL	2

/* Questions that may wait: about users that are known, and others. */
#define STORE_KNOWN_WAITING	1024
#define STORE_UNKNOWN_WAITING	256
/* Of the others, for clients of one network; networks are told apart by hash. */
#define STORE_SOURCE_WAITING	8
#define STORE_SOURCES		1024
/* Nobody waits longer; milliseconds. */
#define STORE_QUESTION_MS	10000

/* How often realms are asked for. */
#define STORE_REALM_MS		5000

/*
 * How often its tables are read: a file's, a database's, but no more than a
 * hundredth of the time; at least every STORE_FOLLOW_MAX_MS.
 */
#define STORE_FOLLOW_LOCAL_MS	1000
#define STORE_FOLLOW_MS		5000
#define STORE_FOLLOW_PAUSE	100
#define STORE_FOLLOW_MAX_MS	60000

/**
 * struct question - one that waits, or is being asked
 * @node: in the table of those
 * @entry: of a queue, unless @running
 * @id: of what is asked
 * @number: for those who wait
 * @realm: realm
 * @user: name, or NULL
 * @hash: USERHASH
 * @workers: bits of those who wait
 * @source: where it is counted, if not @known
 * @asked_at: when
 * @known: there is or was such a user
 * @running: a thread asks it
 */
struct question {
	struct turn_node node;
	TAILQ_ENTRY(question) entry;
	uint8_t id[CACHE_ID_LEN];
	uint64_t number;
	char *realm;
	char *user;
	uint8_t hash[32];
	uint64_t workers[STORE_WORKERS_MAX / 64];
	unsigned int source;
	uint64_t asked_at;
	bool known;
	bool running;
};

TAILQ_HEAD(question_queue, question);

/**
 * struct known_realm - what is known of a realm
 * @entry: of the store's
 * @realm: name
 * @said: what the store said last
 * @asked_at: when it was asked last; 0: never
 * @wanted: it is to be asked
 * @running: it is being asked
 */
struct known_realm {
	STAILQ_ENTRY(known_realm) entry;
	char *realm;
	struct backend_realm said;
	uint64_t asked_at;
	bool wanted;
	bool running;
};

STAILQ_HEAD(known_realms, known_realm);

/**
 * struct pool_thread - a thread
 * @s: store
 * @thread: thread
 * @started: @thread runs
 * @b: its connection
 */
struct pool_thread {
	struct store *s;
	pthread_t thread;
	bool started;
	struct backend b;
};

/**
 * struct store - a user store; all below @lock is protected by it
 * @kind: which kind
 * @where: connection's parameters
 * @listener: who hears of it
 * @names: for USERHASH
 * @stop_fd: readable once @stopping
 * @id_key: for cache_get()'s ids
 * @threads: its threads
 * @n_threads: how many of them
 * @follower: reads its tables
 * @seen: of SQLite: the file has been there
 * @down: it can't be reached
 * @lock: lock
 * @work: there is something to do
 * @again: @follower has to look
 * @news: it has spoken, or could not be reached
 * @spoken: it has, or could not, once
 * @followed: its tables were read, or could not, once
 * @tables: its tables, or NULL
 * @stopping: threads are to end; no listener hears of anything
 * @cache: what it said
 * @pending: questions by id
 * @queue: those that wait: [0] about users that are known, [1] others
 * @n_queued: how many
 * @n_running: threads with one of [1]
 * @sources: unknown questions by source
 * @last_number: of a question
 * @realms: realms; the first is always there
 * @probing: a thread looks whether it is back
 * @retry_at: when that is to be done
 * @backoff_ms: how long until the next time
 * @lost_at: when it went
 * @back_at: when it came back
 * @counters: counters
 */
struct store {
	enum db_kind kind;
	char *where;
	struct store_listener listener;
	struct names names;
	int stop_fd;
	uint8_t id_key[TURN_SIPHASH_KEY_LEN];
	struct pool_thread threads[STORE_THREADS];
	unsigned int n_threads;
	struct pool_thread follower;
	atomic_bool seen;
	atomic_bool down;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t again;
	pthread_cond_t news;
	bool spoken;
	bool followed;
	struct tables *tables;
	bool stopping;
	struct cache cache;
	struct turn_table pending;
	struct question_queue queue[2];
	unsigned int n_queued[2];
	unsigned int n_running;
	uint8_t sources[STORE_SOURCES];
	uint64_t last_number;
	struct known_realms realms;
	bool probing;
	uint64_t retry_at;
	uint64_t backoff_ms;
	uint64_t lost_at;
	uint64_t back_at;
	struct store_counters counters;
};

/** pool_thread_main() - asks until the store stops; for pthread_create(), with
 * a struct pool_thread
 */
void *pool_thread_main(void *arg);

/** follow_thread_main() - reads tables until the store stops; as
 * pool_thread_main()
 */
void *follow_thread_main(void *arg);

/** store_id() - the id of a question, CACHE_ID_LEN bytes; @user may be NULL */
void store_id(const struct store *s, const char *realm, const char *user,
	      const uint8_t *hash, uint8_t *id);

/** pool_wait() - wait for a condition of the store's for at most @ms; its lock
 * is held
 */
void pool_wait(struct store *s, pthread_cond_t *cond, uint64_t ms);

/** question_free() - free it; it is neither pending nor in a queue */
void question_free(struct question *q);

#endif /* _KTURND_STORE_INTERNAL_H */
