// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may use the world's server; see accounts.h. */
#include <arpa/inet.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "accounts.h"
#include "world.h"

static const struct user default_users[] = {
	{ "alice", "wonderland", true, true, NULL },
	{ "bob", "builder", true, true, NULL },
};

const struct turn_realm *account_realm_find(void *env, const char *name,
					    size_t len)
{
	size_t i;

	for (i = 0; i < world.n_realms; i++)
		if (len == strlen(world.realms[i].name) &&
		    !memcmp(world.realms[i].name, name, len))
			return &world.realms[i];
	return NULL;
}

const struct turn_realm *account_realm_by_origin(void *env, const char *origin,
						 size_t len)
{
	size_t i;

	for (i = 0; i < world.n_realms; i++)
		if (world.origins[i] && len == strlen(world.origins[i]) &&
		    !memcmp(world.origins[i], origin, len))
			return &world.realms[i];
	return NULL;
}

const struct turn_realm *account_realm_at(void *env,
					  const struct turn_tuple *tuple)
{
	return &world.realms[world.at_port &&
			     ntohs(tuple->server.port) == world.at_port ?
			     world.at_realm : 0];
}

static const char *realm_of(const struct user *u)
{
	return u->realm ? u->realm : world.realms[0].name;
}

static void make_key(const EVP_MD *md, const char *realm, const char *name,
		     const char *password, uint8_t *out)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s:%s:%s", name, realm, password);
	EVP_Digest(text, strlen(text), out, NULL, md, NULL);
}

static int find_keys(const struct user *u, size_t n, const char *realm,
		     const char *name, struct turn_keys *keys)
{
	const struct user *end = u + n;

	for (; u < end; u++) {
		if (strcmp(u->name, name) || strcmp(realm_of(u), realm))
			continue;
		keys->has_md5 = u->md5;
		keys->has_sha256 = u->sha256;
		if (u->md5)
			make_key(EVP_md5(), realm, name, u->password,
				 keys->md5);
		if (u->sha256)
			make_key(EVP_sha256(), realm, name, u->password,
				 keys->sha256);
		return 0;
	}
	return -ENOENT;
}

int account_user_keys(void *env, const char *realm, const char *name,
		      struct turn_keys *keys)
{
	world_trace("user_keys");
	if (!world.asks)
		return find_keys(world.users, world.n_users, realm, name,
				 keys);
	keys->heard = world.old_users;
	find_keys(world.old_users, world.n_old_users, realm, name, keys);
	return -EINPROGRESS;
}

int account_user_by_hash(void *env, const char *realm, const uint8_t hash[32],
			 char *name)
{
	const struct user *u = world.users;
	uint8_t want[32];
	char text[2048];

	if (world.asks)
		return -EINPROGRESS;
	for (; u < world.users + world.n_users; u++) {
		snprintf(text, sizeof(text), "%s:%s", u->name, realm);
		SHA256((uint8_t *)text, strlen(text), want);
		if (memcmp(want, hash, sizeof(want)) ||
		    strcmp(realm_of(u), realm))
			continue;
		memcpy(name, u->name, strlen(u->name) + 1);
		return 0;
	}
	return -ENOENT;
}

int account_user_refuse(void *env, const char *realm, const char *name)
{
	return world.asks_to_refuse ? -EINPROGRESS : 0;
}

void account_ask(void *env, const struct turn_question *q, const uint8_t *msg,
		 size_t len)
{
	world_trace(msg ? "ask_again" : "ask");
	world.n_asked++;
	snprintf(world.asked_realm, sizeof(world.asked_realm), "%s", q->realm);
	snprintf(world.asked, sizeof(world.asked), "%s",
		 q->user ? q->user : "(hash)");
}

unsigned int account_features(void *env, const struct turn_realm *realm)
{
	return world.features;
}

int account_token_key(void *env, const char *kid, struct turn_token_key *key)
{
	size_t i;

	for (i = 0; i < world.n_keys; i++) {
		if (strcmp(world.keys[i].kid, kid))
			continue;
		*key = world.keys[i].key;
		return 0;
	}
	return -ENOENT;
}

/* The daemon's own counts, below what a test allows. */
int account_quota_take(void *env, const char *realm, const char *user,
		       bool granted, struct turn_pool **pool)
{
	const struct quota_of of = { .realm = realm, .user = user };

	world_trace("quota_take");
	snprintf(world.quota_realm, sizeof(world.quota_realm), "%s", realm);
	snprintf(world.quota_user, sizeof(world.quota_user), "%s", user);
	if (world.quota_used >= world.quota_left && !granted)
		return -EDQUOT;
	world.quota_used++;
	return quota_take(&world.quota, &of, granted, pool);
}

void account_quota_give(void *env, const char *realm, const char *user)
{
	world_trace("quota_give");
	world.quota_used--;
	quota_give(&world.quota, realm, user, world.now);
}

void accounts_init(void)
{
	world.features = TURN_FEATURE_SHA256;
	world.users = default_users;
	world.n_users = KTAP_COUNT(default_users);
	world.quota_left = 1000;
	quota_init(&world.quota, 0);
	world.realms[0].name = REALM;
	world.n_realms = 1;
}
