// SPDX-License-Identifier: GPL-2.0-or-later
/* The user store: reading and changing users. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "internal.h"

/* Columns 0 and 1 of a row are the MD5 and the SHA-256 key, in hex. */
static unsigned int keys_read(sqlite3_stmt *stmt, struct userdb_keys *keys)
{
	memset(keys, 0, sizeof(*keys));
	if (userdb_hex((const char *)sqlite3_column_text(stmt, 0), keys->md5,
		       sizeof(keys->md5)))
		keys->flags |= USERDB_MD5;
	else
		memset(keys->md5, 0, sizeof(keys->md5));
	if (userdb_hex((const char *)sqlite3_column_text(stmt, 1), keys->sha256,
		       sizeof(keys->sha256)))
		keys->flags |= USERDB_SHA256;
	else
		memset(keys->sha256, 0, sizeof(keys->sha256));
	return keys->flags;
}

int userdb_get(struct userdb *db, const char *realm, const char *name,
	       struct userdb_keys *keys)
{
	sqlite3_stmt *stmt;
	int rc, err;

	memset(keys, 0, sizeof(*keys));
	err = userdb_refresh(db);
	if (err)
		return err;
	if (!db->has_coturn)
		return userdb_fail_text(db, ENOENT, "no such user");
	err = userdb_query(db, db->has_own ? USERDB_Q_GET :
			   USERDB_Q_GET_COTURN, realm, name, &stmt);
	if (err)
		return err;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		err = keys_read(stmt, keys);
	else if (rc == SQLITE_DONE)
		err = userdb_fail_text(db, ENOENT, "no such user");
	else
		err = userdb_fail(db, rc);
	userdb_query_end(stmt);
	return err;
}

int userdb_list(struct userdb *db, const char *realm, userdb_cb cb, void *arg)
{
	struct userdb_keys keys;
	sqlite3_stmt *stmt;
	const char *r, *n;
	int rc, err;

	err = userdb_refresh(db);
	if (err || !db->has_coturn)
		return err;
	err = userdb_query(db, db->has_own ? USERDB_Q_LIST :
			   USERDB_Q_LIST_COTURN, realm, NULL, &stmt);
	if (err)
		return err;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		keys_read(stmt, &keys);
		r = (const char *)sqlite3_column_text(stmt, 2);
		n = (const char *)sqlite3_column_text(stmt, 3);
		err = cb(r ? r : "", n ? n : "", keys.flags, arg);
		if (err)
			goto end;
	}
	if (rc != SQLITE_DONE)
		err = userdb_fail(db, rc);
end:
	userdb_query_end(stmt);
	explicit_bzero(&keys, sizeof(keys));
	return err;
}

/* ---------------------------------------------------------------- changing */

static void hex_write(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* Run a statement that returns no rows; more texts go to ?3 and on. */
static int change(struct userdb *db, enum userdb_query query,
		  const char *realm, const char *name,
		  const char *const *more, int n)
{
	sqlite3_stmt *stmt;
	int rc = SQLITE_OK, err;

	err = userdb_query(db, query, realm, name, &stmt);
	if (err)
		return err;
	for (int i = 0; i < n && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_text(stmt, 3 + i, more[i], -1,
				       SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_DONE)
		err = userdb_fail(db, rc);
	userdb_query_end(stmt);
	return err;
}

static int transaction_begin(struct userdb *db)
{
	int err = userdb_refresh(db);

	if (err)
		return err;
	if (db->mode != USERDB_WRITE)
		return userdb_fail_text(db, EROFS, "%s: opened for reading",
					db->path);
	return change(db, USERDB_Q_BEGIN, NULL, NULL, NULL, 0);
}

static int transaction_end(struct userdb *db, int err)
{
	sqlite3_stmt *stmt;

	if (!err)
		err = change(db, USERDB_Q_COMMIT, NULL, NULL, NULL, 0);
	/* Not change(): the words for the first failure stay. */
	if (err && !sqlite3_get_autocommit(db->sql) &&
	    !userdb_query(db, USERDB_Q_ROLLBACK, NULL, NULL, &stmt)) {
		sqlite3_step(stmt);
		userdb_query_end(stmt);
	}
	db->fresh = false;
	return err;
}

int userdb_put(struct userdb *db, const char *realm, const char *name,
	       const struct userdb_keys *keys, bool replace)
{
	char md5[2 * sizeof(keys->md5) + 1];
	char sha256[2 * sizeof(keys->sha256) + 1];
	char userhash[65];
	const char *const more[] = { md5, sha256, userhash };
	struct userdb_keys old;
	uint8_t hash[32];
	int err;

	if (keys->flags != (USERDB_MD5 | USERDB_SHA256))
		return userdb_fail_text(db, EINVAL, "both keys are needed");
	hex_write(keys->md5, sizeof(keys->md5), md5);
	hex_write(keys->sha256, sizeof(keys->sha256), sha256);
	userdb_userhash(name, realm, hash);
	hex_write(hash, sizeof(hash), userhash);

	err = transaction_begin(db);
	if (err)
		goto wipe;
	if (!replace) {
		err = userdb_get(db, realm, name, &old);
		explicit_bzero(&old, sizeof(old));
		if (err >= 0)
			err = userdb_fail_text(db, EEXIST, "the user exists");
		else if (err == -ENOENT)
			err = 0;
	}
	if (!err)
		err = change(db, USERDB_Q_PUT, realm, name, more, 1);
	if (!err)
		err = change(db, USERDB_Q_PUT_SHA256, realm, name, more, 3);
	err = transaction_end(db, err);
wipe:
	explicit_bzero(md5, sizeof(md5));
	explicit_bzero(sha256, sizeof(sha256));
	return err;
}

int userdb_del(struct userdb *db, const char *realm, const char *name)
{
	int err;

	err = transaction_begin(db);
	if (err)
		return err;
	err = change(db, USERDB_Q_DEL, realm, name, NULL, 0);
	if (!err && !sqlite3_changes(db->sql))
		err = userdb_fail_text(db, ENOENT, "no such user");
	if (!err)
		err = change(db, USERDB_Q_DEL_SHA256, realm, name, NULL, 0);
	return transaction_end(db, err);
}
