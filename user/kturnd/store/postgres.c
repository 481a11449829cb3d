// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PostgreSQL as a user store, with coturn's tables:
 *
 *	turnusers_lt (realm, name, hmackey)	MD5 keys, in hex
 *	turn_secret (realm, value)		shared secrets
 *	turn_origin_to_realm (origin, realm)
 *	turn_realm_option (realm, opt, value)
 *	oauth_key (kid, ikm_key, timestamp, lifetime, as_rs_alg, realm)
 *	allowed_peer_ip (realm, ip_range)
 *	denied_peer_ip (realm, ip_range)
 *
 * Nothing is written.
 */
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "log.h"

#define STRING(x)	STRING_(x)
#define STRING_(x)	#x

/* Its words may hold the password. */
static const char *postgres_check(const char *where)
{
	PQconninfoOption *options;
	char *error = NULL;

	options = PQconninfoParse(where, &error);
	PQfreemem(error);
	if (!options)
		return "not a connection URI of PostgreSQL";
	PQconninfoFree(options);
	return NULL;
}

static void postgres_close(struct backend *b)
{
	PQfinish(b->conn);
	b->conn = NULL;
}

static int lost(struct backend *b)
{
	return backend_fail(b, -ENOTCONN, "%s", PQerrorMessage(b->conn));
}

static int postgres_connect(struct backend *b)
{
	static const char *const keys[] = {
		"dbname", "client_encoding", "fallback_application_name", NULL
	};
	const char *const values[] = { b->where, "UTF8", "kturnd", NULL };
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	uint64_t until = backend_until();
	int ret;

	b->conn = PQconnectStartParams(keys, values, 1);
	if (!b->conn)
		return backend_fail(b, -ENOMEM, "out of memory");
	while (PQstatus(b->conn) != CONNECTION_BAD) {
		if (status == PGRES_POLLING_OK)
			return PQsetnonblocking(b->conn, 1) ? lost(b) : 0;
		if (status == PGRES_POLLING_FAILED)
			break;
		ret = backend_wait(b, PQsocket(b->conn),
				   status == PGRES_POLLING_READING ? POLLIN :
								     POLLOUT,
				   until);
		if (ret)
			return ret;
		status = PQconnectPoll(b->conn);
	}
	return lost(b);
}

/* Sends all that waits; 0, or a negative errno. */
static int flush(struct backend *b, uint64_t until)
{
	int left, ret;

	while ((left = PQflush(b->conn)) > 0) {
		ret = backend_wait(b, PQsocket(b->conn), POLLIN | POLLOUT,
				   until);
		if (ret)
			return ret;
		if (!PQconsumeInput(b->conn))
			return lost(b);
	}
	return left ? lost(b) : 0;
}

static int next_result(struct backend *b, uint64_t until, PGresult **result)
{
	int ret;

	while (PQisBusy(b->conn)) {
		ret = backend_wait(b, PQsocket(b->conn), POLLIN, until);
		if (ret)
			return ret;
		if (!PQconsumeInput(b->conn))
			return lost(b);
	}
	*result = PQgetResult(b->conn);
	return 0;
}

/*
 * What is no error: a table that is not there, which coturn may do without; text
 * that the database's encoding has no room for, so that it can't be in there.
 */
static bool is_empty(const PGresult *result, bool may_lack)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (!state)
		return false;
	return may_lack ? !strcmp(state, "42P01") : !strncmp(state, "22", 2);
}

/* A column that lacks, no privilege, odd text: others can be read, perhaps. */
static bool is_unreadable(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (!state || (strcmp(state, "42703") && strcmp(state, "42501") &&
		       strncmp(state, "22", 2)))
		return false;
	log_limited(LOG_WARNING, "store-table-ignored", "error=%s",
		    PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	return true;
}

/*
 * The rows of a query with up to two parameters, in *@result; NULL: none. 1: there
 * are some, perhaps, that can't be read; only where a table may lack. Any failure
 * leaves the connection to be closed.
 */
static int query(struct backend *b, const char *text, bool may_lack,
		 const char *first, const char *second, PGresult **result)
{
	const char *const values[] = { first, second };
	uint64_t until = backend_until();
	PGresult *more;
	int ret;

	*result = NULL;
	if (!PQsendQueryParams(b->conn, text, !!first + !!second, NULL,
			       values, NULL, NULL, 0))
		return lost(b);
	ret = flush(b, until);
	if (!ret)
		ret = next_result(b, until, result);
	if (ret)
		return ret;
	for (;;) {
		ret = next_result(b, until, &more);
		if (ret)
			goto clear;
		if (!more)
			break;
		PQclear(more);
	}
	if (PQresultStatus(*result) == PGRES_TUPLES_OK)
		return 0;
	if (PQstatus(b->conn) == CONNECTION_BAD)
		ret = lost(b);
	else if (may_lack && is_unreadable(*result))
		ret = 1;
	else if (!is_empty(*result, may_lack))
		ret = backend_fail(b, -EIO, "%s", PQresultErrorMessage(*result));
clear:
	PQclear(*result);
	*result = NULL;
	return ret;
}

/* A char(128) comes filled up with blanks. */
static void read_key(const char *text, struct userdb_keys *keys)
{
	char hex[2 * sizeof(keys->md5) + 1] = { 0 };
	size_t len = strcspn(text, " ");

	if (len != sizeof(hex) - 1 || text[len + strspn(text + len, " ")])
		return;
	memcpy(hex, text, len);
	if (userdb_hex(hex, keys->md5, sizeof(keys->md5)))
		keys->flags = USERDB_MD5;
	explicit_bzero(hex, sizeof(hex));
}

static int postgres_keys(struct backend *b, const char *realm,
			 const char *name, struct userdb_keys *keys)
{
	PGresult *result;
	int ret;

	memset(keys, 0, sizeof(*keys));
	ret = query(b, "SELECT hmackey FROM turnusers_lt"
		       " WHERE realm = $1 AND name = $2",
		    false, realm, name, &result);
	if (ret)
		return ret;
	if (!result || !PQntuples(result))
		ret = -ENOENT;
	else
		read_key(PQgetvalue(result, 0, 0), keys);
	PQclear(result);
	return ret ? ret : (int)keys->flags;
}

static int postgres_names(struct backend *b, const char *realm,
			  int (*add)(void *arg, const char *name, size_t len),
			  void *arg)
{
	PGresult *result;
	int i, n, ret;

	/* One more tells that they are too many. */
	ret = query(b, "SELECT name FROM turnusers_lt WHERE realm = $1"
		       " LIMIT 1 + " STRING(NAMES_MAX),
		    false, realm, NULL, &result);
	n = result ? PQntuples(result) : 0;
	for (i = 0; i < n && !ret; i++)
		ret = add(arg, PQgetvalue(result, i, 0),
			  (size_t)PQgetlength(result, i, 0));
	PQclear(result);
	return ret;
}

static int postgres_realm(struct backend *b, const char *realm,
			  struct backend_realm *r)
{
	int ret = names_complete(b, realm);

	r->all_hashed = ret > 0;
	return ret < 0 ? ret : 0;
}

/* What is NULL comes as an empty text. */
static int add_rows(const PGresult *result, struct tables *t,
		    enum userdb_table table)
{
	const char *columns[USERDB_COLUMNS_MAX];
	int i, k, n = PQntuples(result), ret = 0;

	for (i = 0; i < n && !ret; i++) {
		for (k = 0; k < (int)tables_columns(table); k++)
			columns[k] = PQgetvalue(result, i, k);
		ret = tables_add(t, table, columns);
	}
	return ret;
}

/* One more tells that they are too many. */
#define SOME	" ORDER BY 1, 2 LIMIT 1 + " STRING(TABLES_PEERS_MAX)

static int postgres_tables(struct backend *b, struct tables *t)
{
	static const char *const queries[USERDB_TABLE_COUNT] = {
		[USERDB_TABLE_ORIGINS] =
			"SELECT origin, realm FROM turn_origin_to_realm",
		[USERDB_TABLE_REALM_OPTIONS] =
			"SELECT realm, opt, value FROM turn_realm_option",
		[USERDB_TABLE_SECRETS] = "SELECT realm, value FROM turn_secret",
		[USERDB_TABLE_TOKEN_KEYS] =
			"SELECT kid, ikm_key, timestamp, lifetime, as_rs_alg, realm"
			" FROM oauth_key",
		[USERDB_TABLE_ALLOWED_PEERS] =
			"SELECT realm, ip_range FROM allowed_peer_ip" SOME,
		[USERDB_TABLE_DENIED_PEERS] =
			"SELECT realm, ip_range FROM denied_peer_ip" SOME,
	};
	enum userdb_table table;
	PGresult *result;
	int ret = 0;

	for (table = 0; table < USERDB_TABLE_COUNT && !ret; table++) {
		if (table == USERDB_TABLE_TOKEN_KEYS && !b->token_keys)
			continue;
		ret = query(b, queries[table], true, NULL, NULL, &result);
		if (!ret && result)
			ret = add_rows(result, t, table);
		PQclear(result);
		if (ret > 0) {
			tables_cut(t, table);
			ret = 0;
		}
	}
	return ret;
}

const struct backend_ops backend_postgres = {
	.check = postgres_check,
	.connect = postgres_connect,
	.close = postgres_close,
	.keys = postgres_keys,
	.by_hash = names_find,
	.realm = postgres_realm,
	.names = postgres_names,
	.tables = postgres_tables,
};
