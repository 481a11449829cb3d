/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to a user store, as one of its threads has it: SQLite,
 * PostgreSQL, Redis. They wait, but never longer than BACKEND_MS, and not at
 * all once the daemon stops.
 */
#ifndef _KTURND_STORE_BACKEND_H
#define _KTURND_STORE_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/userdb.h"
#include "names.h"
#include "tables.h"

/* A store that takes longer for an answer is as good as dead; milliseconds. */
#define BACKEND_MS	2000

struct backend;

/**
 * struct backend_realm - what a store says of a realm
 * @all_sha256: each of its users has a SHA-256 key
 * @all_hashed: each can be found by USERHASH
 */
struct backend_realm {
	bool all_sha256;
	bool all_hashed;
};

/**
 * struct backend_ops - a kind of store
 * @check: are the parameters good? NULL, or what is wrong, without passwords
 * @connect: connect
 * @close: give it up; also what did not connect
 * @keys: as userdb_get()
 * @by_hash: as userdb_find_userhash()
 * @realm: fill in what is zero
 * @names: tell @add the names of the realm's users; NULL where @by_hash does
 *	without
 * @tables: fill in those of realms, secrets, keys and peers, which are empty
 *
 * Where nothing else is said they return 0 or a negative errno: -ENOTCONN: the
 * connection is lost; -ETIMEDOUT; -ECANCELED: the daemon stops; other errors are
 * the store's own. backend.error has the words, but for -ENOENT.
 */
struct backend_ops {
	const char *(*check)(const char *where);
	int (*connect)(struct backend *b);
	void (*close)(struct backend *b);
	int (*keys)(struct backend *b, const char *realm, const char *name,
		    struct userdb_keys *keys);
	int (*by_hash)(struct backend *b, const char *realm,
		       const uint8_t hash[32], char *name);
	int (*realm)(struct backend *b, const char *realm,
		     struct backend_realm *r);
	int (*names)(struct backend *b, const char *realm,
		     int (*add)(void *arg, const char *name, size_t len),
		     void *arg);
	int (*tables)(struct backend *b, struct tables *t);
};

/**
 * struct backend - a connection
 * @ops: of its kind
 * @where: parameters; never logged
 * @stop_fd: readable once the daemon stops
 * @names: of all connections of the store
 * @conn: the kind's own; NULL: not connected
 * @seen: of SQLite, of all connections: the file has been there
 * @token_keys: keys of access tokens are of interest
 * @error: what went wrong last
 */
struct backend {
	const struct backend_ops *ops;
	const char *where;
	int stop_fd;
	struct names *names;
	void *conn;
	atomic_bool *seen;
	bool token_keys;
	char error[256];
};

extern const struct backend_ops backend_sqlite;
extern const struct backend_ops backend_postgres;
extern const struct backend_ops backend_redis;

/** backend_fail() - say what went wrong, in one line; returns @err */
int backend_fail(struct backend *b, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * backend_wait() - wait for a socket
 * @b: connection
 * @fd: its socket
 * @events: POLLIN or POLLOUT, or both
 * @until: worker_clock()'s time
 *
 * Return: 0, -ETIMEDOUT, -ECANCELED.
 */
int backend_wait(struct backend *b, int fd, short events, uint64_t until);

/** backend_until() - when a question that is asked now has to be answered */
uint64_t backend_until(void);

#endif /* _KTURND_STORE_BACKEND_H */
