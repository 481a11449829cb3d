// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may use the server; see users.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "users.h"

struct user {
	const char *realm;
	const char *name;
	struct userdb_keys keys;
	uint8_t hash[32];
};

static int compare(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	int order = strcmp(x->realm, y->realm);

	return order ? order : strcmp(x->name, y->name);
}

int users_init(struct users *users, const struct config *cfg)
{
	struct user *u;
	size_t i;
	int ret;

	memset(users, 0, sizeof(*users));
	users->v = calloc(cfg->n_users + 1, sizeof(*users->v));
	if (!users->v)
		return -ENOMEM;
	for (i = 0; i < cfg->n_users; i++) {
		u = &users->v[i];
		u->name = cfg->users[i].name;
		u->realm = cfg->users[i].realm ? cfg->users[i].realm :
						 cfg->realm;
		ret = userdb_keys_make(u->name, u->realm,
				       cfg->users[i].password, &u->keys);
		if (ret)
			goto free;
		userdb_userhash(u->name, u->realm, u->hash);
	}
	users->n = cfg->n_users;
	qsort(users->v, users->n, sizeof(*users->v), compare);
	return 0;
free:
	users_free(users);
	return ret;
}

void users_free(struct users *users)
{
	if (users->v)
		explicit_bzero(users->v, users->n * sizeof(*users->v));
	free(users->v);
	memset(users, 0, sizeof(*users));
}

static void store_failed(struct userdb *db)
{
	log_limited(LOG_ERR, "user-store-failed", "error=%s",
		    userdb_error(db));
}

static void copy_keys(const struct userdb_keys *from, struct turn_keys *to)
{
	to->has_md5 = from->flags & USERDB_MD5;
	to->has_sha256 = from->flags & USERDB_SHA256;
	memcpy(to->md5, from->md5, sizeof(to->md5));
	memcpy(to->sha256, from->sha256, sizeof(to->sha256));
}

/* The store is asked either way, so that time does not tell who is where. */
int users_keys(const struct users *users, struct userdb *db, const char *realm,
	       const char *name, struct turn_keys *keys)
{
	const struct user key = { .realm = realm, .name = name };
	const struct user *u;
	struct userdb_keys stored;
	int ret = -ENOENT;

	if (db)
		ret = userdb_get(db, realm, name, &stored);
	if (ret < 0 && ret != -ENOENT)
		store_failed(db);
	u = bsearch(&key, users->v, users->n, sizeof(key), compare);
	if (u)
		copy_keys(&u->keys, keys);
	else if (ret > 0)
		copy_keys(&stored, keys);
	explicit_bzero(&stored, sizeof(stored));
	return u || ret > 0 ? 0 : -ENOENT;
}

int users_by_hash(const struct users *users, struct userdb *db,
		  const char *realm, const uint8_t hash[32], char *name)
{
	int ret = -ENOENT;
	size_t i;

	for (i = 0; i < users->n; i++) {
		if (memcmp(users->v[i].hash, hash, 32) ||
		    strcmp(users->v[i].realm, realm))
			continue;
		memcpy(name, users->v[i].name, strlen(users->v[i].name) + 1);
		return 0;
	}
	if (db)
		ret = userdb_find_userhash(db, realm, hash, name);
	if (ret && ret != -ENOENT)
		store_failed(db);
	return ret ? -ENOENT : 0;
}
