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

static const struct user *find(const struct users *users, const char *realm,
			       const char *name)
{
	const struct user key = { .realm = realm, .name = name };

	return bsearch(&key, users->v, users->n, sizeof(key), compare);
}

static void copy_keys(const struct userdb_keys *from, struct turn_keys *to)
{
	to->has_md5 = from->flags & USERDB_MD5;
	to->has_sha256 = from->flags & USERDB_SHA256;
	memcpy(to->md5, from->md5, sizeof(to->md5));
	memcpy(to->sha256, from->sha256, sizeof(to->sha256));
}

/*
 * While the store can't be reached, what it said of its users goes on counting.
 * Who was nobody may be somebody by now.
 */
static bool is_fresh(const struct users *users,
		     const struct cache_answer *answer, uint64_t now,
		     uint64_t age_ms)
{
	if (store_is_local(users->store))
		age_ms = STORE_LOCAL_MS;
	/* It may be of a moment after the beginning of the round. */
	return answer->at >= now || now - answer->at <= age_ms ||
	       (answer->found && store_is_down(users->store));
}

int users_keys(const struct users *users, uint64_t now, const char *realm,
	       const char *name, struct turn_keys *keys)
{
	const struct user *u = find(users, realm, name);
	struct cache_answer answer;
	uint64_t age;
	int ret;

	if (u) {
		copy_keys(&u->keys, keys);
		return 0;
	}
	if (!users->store)
		return -ENOENT;
	if (!store_keys(users->store, realm, name, &answer))
		return -EINPROGRESS;
	keys->heard = true;
	copy_keys(&answer.keys, keys);
	age = answer.found ? STORE_KEYS_MS : STORE_REFUSE_MS;
	ret = answer.found ? 0 : -ENOENT;
	if (!is_fresh(users, &answer, now, age))
		ret = -EINPROGRESS;
	explicit_bzero(&answer, sizeof(answer));
	return ret;
}

/* For users of the configuration too, so that time does not tell who is one. */
int users_refuse(const struct users *users, uint64_t now, const char *realm,
		 const char *name)
{
	struct cache_answer answer;
	int ret = -EINPROGRESS;

	if (!users->store)
		return 0;
	if (store_keys(users->store, realm, name, &answer) &&
	    is_fresh(users, &answer, now, STORE_REFUSE_MS))
		ret = 0;
	explicit_bzero(&answer, sizeof(answer));
	return ret;
}

int users_by_hash(const struct users *users, uint64_t now, const char *realm,
		  const uint8_t hash[32], char *name)
{
	struct cache_answer answer;
	size_t i;

	for (i = 0; i < users->n; i++) {
		if (memcmp(users->v[i].hash, hash, 32) ||
		    strcmp(users->v[i].realm, realm))
			continue;
		memcpy(name, users->v[i].name, strlen(users->v[i].name) + 1);
		return 0;
	}
	if (!users->store)
		return -ENOENT;
	if (!store_name(users->store, realm, hash, &answer, name))
		return -EINPROGRESS;
	/* A name's hash is always the same; whether the user is there is not. */
	if (answer.found)
		return 0;
	return is_fresh(users, &answer, now, STORE_REFUSE_MS) ? -ENOENT :
								-EINPROGRESS;
}
