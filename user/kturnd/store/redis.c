// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Redis as a user store, with coturn's keys:
 *
 *	turn/realm/REALM/user/NAME/key	a string: the MD5 key, in hex
 *	turn/realm/REALM/secret		a set: shared secrets
 *	turn/realm/REALM/OPTION		a string: max-bps, total-quota or user-quota
 *	turn/realm/REALM/allowed-peer-ip	a set: ranges of IP addresses
 *	turn/realm/REALM/denied-peer-ip	the same
 *	turn/origin/ORIGIN		a string: its realm
 *	turn/oauth/kid/KID		a hash: ikm_key, timestamp, lifetime,
 *					as_rs_alg, realm
 *
 * Nothing is written.
 */
#include <errno.h>
#include <hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backend.h"
#include "redis_url.h"

#define KEY_MAX		(sizeof("turn/realm//user//key") + \
			 USERDB_REALM_BYTES_MAX + USERDB_NAME_MAX)
/* Each byte of a realm may need a backslash. */
#define PATTERN_MAX	(sizeof("turn/realm//user/*/key") + \
			 2 * USERDB_REALM_BYTES_MAX)

static const char *redis_check(const char *where)
{
	struct redis_url url;
	const char *why = redis_url_parse(where, &url);

	explicit_bzero(&url, sizeof(url));
	return why;
}

static void redis_close(struct backend *b)
{
	if (b->conn)
		redisFree(b->conn);
	b->conn = NULL;
}

static int hung_up(struct backend *b)
{
	const redisContext *c = b->conn;

	return backend_fail(b, -ENOTCONN, "%s",
			    c->err == REDIS_ERR_IO ? strerror(errno) :
			    *c->errstr ? c->errstr : "the connection is lost");
}

/* -------------------------------------------------------------- one command */

static int send_all(struct backend *b, uint64_t until)
{
	redisContext *c = b->conn;
	int done = 0, ret;

	for (;;) {
		if (redisBufferWrite(c, &done) != REDIS_OK)
			return hung_up(b);
		if (done)
			return 0;
		ret = backend_wait(b, c->fd, POLLOUT, until);
		if (ret)
			return ret;
	}
}

static int receive(struct backend *b, uint64_t until, redisReply **reply)
{
	redisContext *c = b->conn;
	void *got = NULL;
	int ret;

	for (;;) {
		if (redisGetReplyFromReader(c, &got) != REDIS_OK)
			return hung_up(b);
		if (got)
			break;
		ret = backend_wait(b, c->fd, POLLIN, until);
		if (ret)
			return ret;
		if (redisBufferRead(c) != REDIS_OK)
			return hung_up(b);
	}
	*reply = got;
	return 0;
}

/* An error's first word; the rest may quote what was sent. */
static int refused(struct backend *b, const redisReply *reply)
{
	return backend_fail(b, -EIO, "Redis answers %.*s",
			    (int)strcspn(reply->str, " "), reply->str);
}

/*
 * A command of words, and its reply, which is not an error. Any failure leaves
 * the connection to be closed.
 */
static int command(struct backend *b, const char *const *words,
		   const size_t *lens, int n, redisReply **reply)
{
	uint64_t until = backend_until();
	int ret;

	*reply = NULL;
	if (redisAppendCommandArgv(b->conn, n, (const char **)words, lens) !=
	    REDIS_OK)
		return hung_up(b);
	ret = send_all(b, until);
	if (!ret)
		ret = receive(b, until, reply);
	if (ret || (*reply)->type != REDIS_REPLY_ERROR)
		return ret;
	/* Somebody else's key of that name: it is no user, no secrets. */
	if (strncmp((*reply)->str, "WRONGTYPE", 9))
		ret = refused(b, *reply);
	freeReplyObject(*reply);
	*reply = NULL;
	return ret;
}

static int command_text(struct backend *b, const char *const *words, int n)
{
	redisReply *reply;
	int ret = command(b, words, NULL, n, &reply);

	freeReplyObject(reply);
	return ret;
}

/* --------------------------------------------------------------- connecting */

static int await_connection(struct backend *b)
{
	redisContext *c = b->conn;
	socklen_t size = sizeof(int);
	int error = 0, ret;

	ret = backend_wait(b, c->fd, POLLOUT, backend_until());
	if (ret)
		return ret;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size))
		error = errno;
	if (error)
		return backend_fail(b, -ENOTCONN, "%s", strerror(error));
	return 0;
}

static int log_in(struct backend *b, const struct redis_url *url)
{
	const char *with_user[] = { "AUTH", url->user, url->password };
	const char *with_password[] = { "AUTH", url->password };

	if (!*url->password)
		return 0;
	return *url->user ? command_text(b, with_user, 3) :
			    command_text(b, with_password, 2);
}

static int select_database(struct backend *b, const struct redis_url *url)
{
	char number[16];
	const char *words[] = { "SELECT", number };

	snprintf(number, sizeof(number), "%d", url->database);
	return url->database ? command_text(b, words, 2) : 0;
}

static int redis_connect(struct backend *b)
{
	struct redis_url url;
	redisContext *c;
	int ret;

	if (redis_url_parse(b->where, &url))
		return backend_fail(b, -EINVAL, "not a URL");
	c = url.local ? redisConnectUnixNonBlock(url.host) :
			redisConnectNonBlock(url.host, url.port);
	b->conn = c;
	if (!c)
		ret = backend_fail(b, -ENOMEM, "out of memory");
	else if (c->err)
		ret = backend_fail(b, -ENOTCONN, "%s", c->errstr);
	else
		ret = await_connection(b);
	if (!ret)
		ret = log_in(b, &url);
	if (!ret)
		ret = select_database(b, &url);
	explicit_bzero(&url, sizeof(url));
	return ret;
}

/* ----------------------------------------------------------------- questions */

static int redis_keys(struct backend *b, const char *realm, const char *name,
		      struct userdb_keys *keys)
{
	char key[KEY_MAX];
	const char *words[] = { "GET", key };
	redisReply *reply;
	int ret;

	memset(keys, 0, sizeof(*keys));
	/* A longer name is nobody's. */
	if (snprintf(key, sizeof(key), "turn/realm/%s/user/%s/key", realm,
		     name) >= (int)sizeof(key))
		return -ENOENT;
	ret = command(b, words, NULL, 2, &reply);
	if (ret)
		return ret;
	if (!reply || reply->type != REDIS_REPLY_STRING) {
		ret = -ENOENT;
	} else {
		if (userdb_hex(reply->str, keys->md5, sizeof(keys->md5)))
			keys->flags = USERDB_MD5;
		else
			memset(keys->md5, 0, sizeof(keys->md5));
		explicit_bzero(reply->str, reply->len);
		ret = (int)keys->flags;
	}
	freeReplyObject(reply);
	return ret;
}

/* What a pattern would take for more than a character gets a backslash. */
static void make_pattern(const char *realm, char pattern[PATTERN_MAX])
{
	char *p = stpcpy(pattern, "turn/realm/");

	for (; *realm; realm++) {
		if (strchr("*?[]\\^", *realm))
			*p++ = '\\';
		*p++ = *realm;
	}
	stpcpy(p, "/user/*/key");
}

/* The names in a part of the answer to SCAN. */
static int add_names(const redisReply *part, size_t before,
		     int (*add)(void *arg, const char *name, size_t len),
		     void *arg)
{
	static const size_t behind = sizeof("/key") - 1;
	const redisReply *key;
	size_t i;
	int ret = 0;

	for (i = 0; i < part->elements && !ret; i++) {
		key = part->element[i];
		if (key->type == REDIS_REPLY_STRING &&
		    key->len > before + behind)
			ret = add(arg, key->str + before,
				  key->len - before - behind);
	}
	return ret;
}

static bool is_scan_reply(const redisReply *r)
{
	return r && r->type == REDIS_REPLY_ARRAY && r->elements == 2 &&
	       r->element[0]->type == REDIS_REPLY_STRING &&
	       r->element[1]->type == REDIS_REPLY_ARRAY;
}

/**
 * struct names_scan - a realm's names
 * @before: bytes before each
 * @add: who is told
 * @arg: for @add
 */
struct names_scan {
	size_t before;
	int (*add)(void *arg, const char *name, size_t len);
	void *arg;
};

static int on_names(const redisReply *part, void *arg)
{
	const struct names_scan *n = arg;

	return add_names(part, n->before, n->add, n->arg);
}

/* Tells @cb of all keys that fit, in parts, and perhaps of some twice. */
static int scan(struct backend *b, const char *pattern,
		int (*cb)(const redisReply *part, void *arg), void *arg)
{
	char cursor[24] = "0";
	const char *words[] = { "SCAN", cursor, "MATCH", pattern, "COUNT",
				"1000" };
	redisReply *reply;
	int ret;

	do {
		ret = command(b, words, NULL, 6, &reply);
		if (ret)
			return ret;
		if (is_scan_reply(reply)) {
			snprintf(cursor, sizeof(cursor), "%s",
				 reply->element[0]->str);
			ret = cb(reply->element[1], arg);
		} else {
			ret = backend_fail(b, -EIO, "SCAN is not understood");
		}
		freeReplyObject(reply);
	} while (!ret && strcmp(cursor, "0"));
	return ret;
}

static int redis_names(struct backend *b, const char *realm,
		       int (*add)(void *arg, const char *name, size_t len),
		       void *arg)
{
	struct names_scan n = {
		.before = strlen("turn/realm/") + strlen(realm) +
			  strlen("/user/"),
		.add = add,
		.arg = arg,
	};
	char pattern[PATTERN_MAX];

	make_pattern(realm, pattern);
	return scan(b, pattern, on_names, &n);
}

static int redis_realm(struct backend *b, const char *realm,
		       struct backend_realm *r)
{
	int ret = names_complete(b, realm);

	r->all_hashed = ret > 0;
	return ret < 0 ? ret : 0;
}

/* ----------------------------------------- realms, secrets, keys and peers */

struct reader {
	struct backend *b;
	struct tables *t;
};

static bool is_text(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING && !memchr(r->str, 0, r->len);
}

/* A row whose last column is the key's value. */
static int read_string(struct reader *r, const char *key,
		       enum userdb_table table, const char **columns)
{
	const char *words[] = { "GET", key };
	redisReply *reply;
	int ret = command(r->b, words, NULL, 2, &reply);

	if (!ret && reply && is_text(reply)) {
		columns[tables_columns(table) - 1] = reply->str;
		ret = tables_add(r->t, table, columns);
	}
	freeReplyObject(reply);
	return ret;
}

static int read_secrets(struct reader *r, const char *key, const char *realm)
{
	const char *words[] = { "SMEMBERS", key };
	const char *columns[] = { realm, NULL };
	redisReply *reply;
	int ret = command(r->b, words, NULL, 2, &reply);
	size_t i;

	for (i = 0; reply && i < reply->elements && !ret; i++) {
		if (!is_text(reply->element[i]))
			continue;
		columns[1] = reply->element[i]->str;
		ret = tables_add(r->t, USERDB_TABLE_SECRETS, columns);
	}
	freeReplyObject(reply);
	return ret;
}

/* What is no text, or no set, must be seen to be no range. */
static int read_peers(struct reader *r, const char *key, const char *realm,
		      enum userdb_table table)
{
	const char *words[] = { "SMEMBERS", key };
	const char *columns[] = { realm, "(no set)" };
	redisReply *reply;
	int ret = command(r->b, words, NULL, 2, &reply);
	size_t i;

	if (!ret && !reply)
		ret = tables_add(r->t, table, columns);
	for (i = 0; reply && i < reply->elements && !ret; i++) {
		columns[1] = is_text(reply->element[i]) ?
			     reply->element[i]->str : "(no text)";
		ret = tables_add(r->t, table, columns);
	}
	freeReplyObject(reply);
	return ret;
}

static int read_token_key(struct reader *r, const char *key, const char *kid)
{
	static const char *const fields[] = {
		"ikm_key", "timestamp", "lifetime", "as_rs_alg", "realm"
	};
	/* What is not there is as in coturn's tables. */
	const char *columns[] = { kid, "", "0", "0", "", "" };
	const char *words[] = { "HGETALL", key };
	redisReply *reply;
	int ret = command(r->b, words, NULL, 2, &reply);
	size_t i, k;

	for (i = 0; reply && i + 1 < reply->elements; i += 2)
		for (k = 0; k < sizeof(fields) / sizeof(*fields); k++)
			if (is_text(reply->element[i]) &&
			    is_text(reply->element[i + 1]) &&
			    !strcmp(reply->element[i]->str, fields[k]))
				columns[k + 1] = reply->element[i + 1]->str;
	if (!ret && reply)
		ret = tables_add(r->t, USERDB_TABLE_TOKEN_KEYS, columns);
	freeReplyObject(reply);
	return ret;
}

static const char *behind(const char *key, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(key, prefix, len) ? NULL : key + len;
}

/* turn/realm/REALM/WHAT; REALM may have slashes. */
static int read_realm_key(struct reader *r, const char *key, const char *rest)
{
	char realm[USERDB_REALM_BYTES_MAX + 1];
	const char *what = strrchr(rest, '/');
	const char *columns[] = { realm, NULL, NULL };

	if (!what || (size_t)(what - rest) >= sizeof(realm))
		return 0;
	memcpy(realm, rest, (size_t)(what - rest));
	realm[what - rest] = '\0';
	if (!strcmp(++what, "secret"))
		return read_secrets(r, key, realm);
	if (!strcmp(what, "allowed-peer-ip"))
		return read_peers(r, key, realm, USERDB_TABLE_ALLOWED_PEERS);
	if (!strcmp(what, "denied-peer-ip"))
		return read_peers(r, key, realm, USERDB_TABLE_DENIED_PEERS);
	if (strcmp(what, "max-bps") && strcmp(what, "total-quota") &&
	    strcmp(what, "user-quota"))
		return 0;
	columns[1] = what;
	return read_string(r, key, USERDB_TABLE_REALM_OPTIONS, columns);
}

static int read_key_of(struct reader *r, const char *key)
{
	const char *columns[] = { NULL, NULL };
	const char *rest;

	rest = behind(key, "turn/realm/");
	if (rest)
		return read_realm_key(r, key, rest);
	columns[0] = behind(key, "turn/origin/");
	if (columns[0])
		return read_string(r, key, USERDB_TABLE_ORIGINS, columns);
	rest = behind(key, "turn/oauth/kid/");
	return rest && r->b->token_keys ? read_token_key(r, key, rest) : 0;
}

static int on_keys(const redisReply *part, void *arg)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < part->elements && !ret; i++)
		if (is_text(part->element[i]))
			ret = read_key_of(arg, part->element[i]->str);
	return ret;
}

/* Users' keys, which may be many, end with a y: they are not sent. */
static int redis_tables(struct backend *b, struct tables *t)
{
	struct reader r = { .b = b, .t = t };
	int ret = scan(b, "turn/o*", on_keys, &r);

	return ret ? ret : scan(b, "turn/realm/*[satp]", on_keys, &r);
}

const struct backend_ops backend_redis = {
	.check = redis_check,
	.connect = redis_connect,
	.close = redis_close,
	.keys = redis_keys,
	.by_hash = names_find,
	.realm = redis_realm,
	.names = redis_names,
	.tables = redis_tables,
};
