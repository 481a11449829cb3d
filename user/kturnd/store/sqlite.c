// SPDX-License-Identifier: GPL-2.0-or-later
/* SQLite as a user store: a file that may come and go. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"

static int fail(struct backend *b, int err)
{
	return backend_fail(b, err, "%s", userdb_error(b->conn));
}

/*
 * One that was never there is a store without users; one that was and is gone
 * says nothing of its users. To put another in its place is fine. An error of
 * another kind than -ENOENT, which is an answer.
 */
static int look(struct backend *b)
{
	if (!access(b->where, F_OK))
		*b->seen = true;
	else if (*b->seen)
		return backend_fail(b, -EIO, "%s: %s", b->where,
				    strerror(errno));
	return 0;
}

/* A user whom nobody knows, or a file that nobody has? */
static int missing(struct backend *b)
{
	int ret = look(b);

	return ret ? ret : -ENOENT;
}

static int sqlite_connect(struct backend *b)
{
	int ret = look(b);

	if (ret)
		return ret;
	ret = userdb_open((struct userdb **)&b->conn, b->where,
			  USERDB_FOLLOW);
	return ret ? fail(b, ret) : 0;
}

static void sqlite_close(struct backend *b)
{
	userdb_close(b->conn);
	b->conn = NULL;
}

static int sqlite_keys(struct backend *b, const char *realm, const char *name,
		       struct userdb_keys *keys)
{
	int ret = userdb_get(b->conn, realm, name, keys);

	if (ret == -ENOENT)
		return missing(b);
	return ret < 0 ? fail(b, ret) : ret;
}

static int sqlite_by_hash(struct backend *b, const char *realm,
			  const uint8_t hash[32], char *name)
{
	int ret = userdb_find_userhash(b->conn, realm, hash, name);

	if (ret == -ENOENT)
		return missing(b);
	return ret ? fail(b, ret) : 0;
}

static int sqlite_realm(struct backend *b, const char *realm,
			struct backend_realm *r)
{
	int ret = userdb_realm_all_sha256(b->conn, realm);

	if (ret < 0)
		return fail(b, ret);
	r->all_sha256 = ret;
	r->all_hashed = true;
	return look(b);
}

/**
 * struct reader - a table that is being read
 * @t: where to
 * @table: which
 */
struct reader {
	struct tables *t;
	enum userdb_table table;
};

static int add_row(const char *const *columns, void *arg)
{
	const struct reader *r = arg;

	return tables_add(r->t, r->table, columns);
}

static int sqlite_tables(struct backend *b, struct tables *t)
{
	struct reader r = { .t = t };
	int ret = 0;

	for (; r.table < USERDB_TABLE_COUNT && !ret; r.table++)
		if (r.table != USERDB_TABLE_TOKEN_KEYS || b->token_keys)
			ret = userdb_rows(b->conn, r.table, add_row, &r);
	return ret ? fail(b, ret) : look(b);
}

const struct backend_ops backend_sqlite = {
	.connect = sqlite_connect,
	.close = sqlite_close,
	.keys = sqlite_keys,
	.by_hash = sqlite_by_hash,
	.realm = sqlite_realm,
	.tables = sqlite_tables,
};
