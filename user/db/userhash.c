// SPDX-License-Identifier: GPL-2.0-or-later
/* USERHASH of stored users, and what a realm's users allow to be offered. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

void userdb_hashes_forget(struct userdb *db)
{
	struct realm_cache *rc;

	while ((rc = db->realms)) {
		db->realms = rc->next;
		for (size_t i = 0; i < rc->n_hashes; i++)
			free(rc->hashes[i].name);
		free(rc->hashes);
		free(rc);
	}
}

/* NULL without memory. */
static struct realm_cache *cache_of(struct userdb *db, const char *realm)
{
	size_t size = strlen(realm) + 1;
	struct realm_cache *rc;

	for (rc = db->realms; rc; rc = rc->next)
		if (!strcmp(rc->realm, realm))
			return rc;
	rc = calloc(1, sizeof(*rc) + size);
	if (!rc) {
		userdb_fail_text(db, ENOMEM, "out of memory");
		return NULL;
	}
	memcpy(rc->realm, realm, size);
	rc->all = -1;
	rc->next = db->realms;
	db->realms = rc;
	return rc;
}

static int hash_compare(const void *a, const void *b)
{
	const struct userhash *x = a, *y = b;

	return memcmp(x->hash, y->hash, sizeof(x->hash));
}

/* Takes over nothing; grows by doubling. */
static int hash_add(struct userdb *db, struct realm_cache *rc,
		    const char *name)
{
	size_t n = rc->n_hashes;
	struct userhash *new;

	if ((n & (n - 1)) == 0) {
		new = reallocarray(rc->hashes, n ? 2 * n : 1, sizeof(*new));
		if (!new)
			return userdb_fail_text(db, ENOMEM, "out of memory");
		rc->hashes = new;
	}
	new = &rc->hashes[n];
	new->name = strdup(name);
	if (!new->name)
		return userdb_fail_text(db, ENOMEM, "out of memory");
	userdb_userhash(name, rc->realm, new->hash);
	rc->n_hashes++;
	return 0;
}

/* Hash the names of the realm for which no hash is stored. */
static int hashes_read(struct userdb *db, struct realm_cache *rc)
{
	sqlite3_stmt *stmt;
	const char *name;
	int ret, err;

	err = userdb_query(db, db->has_own ? USERDB_Q_UNHASHED :
			   USERDB_Q_UNHASHED_COTURN, rc->realm, NULL, &stmt);
	if (err)
		return err;
	while (!err && (ret = sqlite3_step(stmt)) == SQLITE_ROW) {
		name = (const char *)sqlite3_column_text(stmt, 0);
		if (name && strlen(name) <= USERDB_NAME_MAX)
			err = hash_add(db, rc, name);
	}
	if (!err && ret != SQLITE_DONE)
		err = userdb_fail(db, ret);
	userdb_query_end(stmt);
	if (err) {
		userdb_hashes_forget(db);
		return err;
	}
	if (rc->n_hashes)
		qsort(rc->hashes, rc->n_hashes, sizeof(*rc->hashes),
		      hash_compare);
	rc->has_hashes = true;
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
	struct realm_cache *rc;
	int err;

	err = userdb_refresh(db);
	if (err)
		return err;
	if (!db->has_coturn)
		return userdb_fail_text(db, ENOENT, "no such user");
	err = hash_find_stored(db, realm, hash, name);
	if (err != -ENOENT)
		return err;

	rc = cache_of(db, realm);
	if (!rc)
		return -ENOMEM;
	if (!rc->has_hashes) {
		err = hashes_read(db, rc);
		if (err)
			return err;
	}
	memcpy(key.hash, hash, sizeof(key.hash));
	if (rc->n_hashes)
		found = bsearch(&key, rc->hashes, rc->n_hashes,
				sizeof(*rc->hashes), hash_compare);
	if (!found)
		return userdb_fail_text(db, ENOENT, "no such user");
	memcpy(name, found->name, strlen(found->name) + 1);
	return 0;
}

int userdb_realm_all_sha256(struct userdb *db, const char *realm)
{
	struct realm_cache *cache;
	sqlite3_stmt *stmt;
	int rc, err;

	err = userdb_refresh(db);
	if (err)
		return err;
	if (!db->has_coturn)
		return 1;
	cache = cache_of(db, realm);
	if (!cache)
		return -ENOMEM;
	if (cache->all >= 0)
		return cache->all;

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
	cache->all = rc == SQLITE_DONE;
	return cache->all;
}
