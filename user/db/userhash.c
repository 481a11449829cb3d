// SPDX-License-Identifier: GPL-2.0-or-later
/* USERHASH of stored users, and what a realm's users allow to be offered. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

void userdb_hashes_forget(struct userdb *db)
{
	for (size_t i = 0; i < db->n_hashes; i++)
		free(db->hashes[i].name);
	free(db->hashes);
	db->hashes = NULL;
	db->n_hashes = 0;
	free(db->realm);
	db->realm = NULL;
	free(db->all_realm);
	db->all_realm = NULL;
}

static int hash_compare(const void *a, const void *b)
{
	const struct userhash *x = a, *y = b;

	return memcmp(x->hash, y->hash, sizeof(x->hash));
}

/* Takes over nothing; grows by doubling. */
static int hash_add(struct userdb *db, const char *realm, const char *name)
{
	size_t n = db->n_hashes;
	struct userhash *new;

	if ((n & (n - 1)) == 0) {
		new = reallocarray(db->hashes, n ? 2 * n : 1, sizeof(*new));
		if (!new)
			return userdb_fail_text(db, ENOMEM, "out of memory");
		db->hashes = new;
	}
	new = &db->hashes[n];
	new->name = strdup(name);
	if (!new->name)
		return userdb_fail_text(db, ENOMEM, "out of memory");
	userdb_userhash(name, realm, new->hash);
	db->n_hashes++;
	return 0;
}

/* Hash the names of the realm for which no hash is stored. */
static int hashes_read(struct userdb *db, const char *realm)
{
	sqlite3_stmt *stmt;
	const char *name;
	int rc, err;

	userdb_hashes_forget(db);
	err = userdb_query(db, db->has_own ? USERDB_Q_UNHASHED :
			   USERDB_Q_UNHASHED_COTURN, realm, NULL, &stmt);
	if (err)
		return err;
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		name = (const char *)sqlite3_column_text(stmt, 0);
		if (name && strlen(name) <= USERDB_NAME_MAX)
			err = hash_add(db, realm, name);
	}
	if (!err && rc != SQLITE_DONE)
		err = userdb_fail(db, rc);
	userdb_query_end(stmt);
	if (!err) {
		db->realm = strdup(realm);
		if (!db->realm)
			err = userdb_fail_text(db, ENOMEM, "out of memory");
	}
	if (err) {
		userdb_hashes_forget(db);
		return err;
	}
	if (db->n_hashes)
		qsort(db->hashes, db->n_hashes, sizeof(*db->hashes),
		      hash_compare);
	return 0;
}

/* Is its hash stored? Return: 0, -ENOENT or another error. */
static int hash_find_stored(struct userdb *db, const char *realm,
			    const uint8_t hash[32],
			    char name[USERDB_NAME_MAX + 1])
{
	sqlite3_stmt *stmt;
	const char *found;
	char hex[65];
	int rc, err;

	if (!db->has_own)
		return -ENOENT;
	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", hash[i]);
	err = userdb_query(db, USERDB_Q_HASH, realm, hex, &stmt);
	if (err)
		return err;
	err = -ENOENT;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		found = (const char *)sqlite3_column_text(stmt, 0);
		if (found && strlen(found) <= USERDB_NAME_MAX) {
			memcpy(name, found, strlen(found) + 1);
			err = 0;
		}
	} else if (rc != SQLITE_DONE) {
		err = userdb_fail(db, rc);
	}
	userdb_query_end(stmt);
	return err;
}

int userdb_find_userhash(struct userdb *db, const char *realm,
			 const uint8_t hash[32],
			 char name[USERDB_NAME_MAX + 1])
{
	struct userhash key, *found = NULL;
	int err;

	err = userdb_refresh(db);
	if (err)
		return err;
	if (!db->has_coturn)
		return userdb_fail_text(db, ENOENT, "no such user");
	err = hash_find_stored(db, realm, hash, name);
	if (err != -ENOENT)
		return err;

	if (!db->realm || strcmp(db->realm, realm)) {
		err = hashes_read(db, realm);
		if (err)
			return err;
	}
	memcpy(key.hash, hash, sizeof(key.hash));
	if (db->n_hashes)
		found = bsearch(&key, db->hashes, db->n_hashes,
				sizeof(*db->hashes), hash_compare);
	if (!found)
		return userdb_fail_text(db, ENOENT, "no such user");
	memcpy(name, found->name, strlen(found->name) + 1);
	return 0;
}

int userdb_realm_all_sha256(struct userdb *db, const char *realm)
{
	sqlite3_stmt *stmt;
	int rc, err;

	err = userdb_refresh(db);
	if (err)
		return err;
	if (!db->has_coturn)
		return 1;
	if (db->all_realm && !strcmp(db->all_realm, realm))
		return db->all;

	err = userdb_query(db, db->has_own ? USERDB_Q_WITHOUT_SHA256 :
			   USERDB_Q_WITHOUT_SHA256_COTURN, realm, NULL, &stmt);
	if (err)
		return err;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		err = userdb_fail(db, rc);
	userdb_query_end(stmt);
	if (err)
		return err;
	free(db->all_realm);
	db->all_realm = strdup(realm);
	db->all = rc == SQLITE_DONE;
	return db->all;
}
