/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the user store share. */
#ifndef _KTURN_USERDB_INTERNAL_H
#define _KTURN_USERDB_INTERNAL_H

#include <sqlite3.h>
#include <sys/types.h>
#include "userdb.h"

enum userdb_query {
	USERDB_Q_VERSION,
	USERDB_Q_TABLES,
	USERDB_Q_GET,
	USERDB_Q_GET_COTURN,
	USERDB_Q_LIST,
	USERDB_Q_LIST_COTURN,
	USERDB_Q_HASH,
	USERDB_Q_UNHASHED,
	USERDB_Q_UNHASHED_COTURN,
	USERDB_Q_WITHOUT_SHA256,
	USERDB_Q_WITHOUT_SHA256_COTURN,
	USERDB_Q_PUT,
	USERDB_Q_PUT_SHA256,
	USERDB_Q_DEL,
	USERDB_Q_DEL_SHA256,
	USERDB_Q_HAS_TABLE,
	USERDB_Q_ORIGINS,
	USERDB_Q_REALM_OPTIONS,
	USERDB_Q_SECRETS,
	USERDB_Q_TOKEN_KEYS,
	USERDB_Q_ALLOWED_PEERS,
	USERDB_Q_DENIED_PEERS,
	USERDB_Q_BEGIN,
	USERDB_Q_COMMIT,
	USERDB_Q_ROLLBACK,
	USERDB_Q_COUNT
};

struct userhash {
	uint8_t hash[32];
	char *name;
};

/**
 * struct realm_cache - what is derived from a realm's users
 * @next: of another realm
 * @hashes: of those that have none stored, sorted
 * @n_hashes: how many
 * @has_hashes: they are there
 * @all: answer of userdb_realm_all_sha256(); negative: not known
 * @realm: name
 */
struct realm_cache {
	struct realm_cache *next;
	struct userhash *hashes;
	size_t n_hashes;
	bool has_hashes;
	int all;
	char realm[];
};

/**
 * struct userdb - an open store
 * @path: as given
 * @mode: as given
 * @sql: NULL while the file is not there (USERDB_FOLLOW)
 * @stmt: prepared on first use
 * @dev: of the open file
 * @ino: of the open file
 * @version: of the file's content as of the last look; what follows is
 *	derived from it
 * @fresh: @version counts
 * @has_coturn: there is a table turnusers_lt
 * @has_own: there is a table kturn_users_sha256
 * @changes: goes up with each @version and file
 * @realms: derived from each realm that was asked for
 * @error: what userdb_error() returns
 */
struct userdb {
	char *path;
	enum userdb_mode mode;
	sqlite3 *sql;
	sqlite3_stmt *stmt[USERDB_Q_COUNT];
	dev_t dev;
	ino_t ino;
	uint32_t version;
	bool fresh;
	bool has_coturn;
	bool has_own;
	uint64_t changes;
	struct realm_cache *realms;
	char error[512];
};

/**
 * userdb_refresh() - open what is there, forget what is no longer true
 * @db: store
 *
 * Opens every operation. After 0, @db->has_coturn says whether there is
 * anything to ask.
 * Return: 0 or a negative errno.
 */
int userdb_refresh(struct userdb *db);

/**
 * userdb_query() - a statement with up to two texts bound
 * @db: store whose file is open
 * @query: which
 * @first: bound to ?1 unless NULL
 * @second: bound to ?2 unless NULL
 * @stmt: result, to be stepped and then given to userdb_query_end()
 *
 * Return: 0 or a negative errno.
 */
int userdb_query(struct userdb *db, enum userdb_query query,
		 const char *first, const char *second, sqlite3_stmt **stmt);

/** userdb_query_end() - done with it; the keys bound to it are forgotten */
void userdb_query_end(sqlite3_stmt *stmt);

/** userdb_fail() - remember SQLite's words for @rc; returns its errno */
int userdb_fail(struct userdb *db, int rc);

/** userdb_fail_text() - remember other words; returns -@err */
int userdb_fail_text(struct userdb *db, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** userdb_hashes_forget() - the file changed */
void userdb_hashes_forget(struct userdb *db);

#endif /* _KTURN_USERDB_INTERNAL_H */
