// SPDX-License-Identifier: GPL-2.0-or-later
/* Parts of the user store: what is remembered, what waits, where it is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ktap.h"
#include "kturnd/db_url.h"
#include "kturnd/park.h"
#include "kturnd/store/cache.h"
#include "kturnd/store/redis_url.h"
#include "kturnd/users.h"

/* ------------------------------------------------------------------- cache */

static const uint8_t *id_of(uint32_t n)
{
	static uint8_t id[CACHE_ID_LEN];

	memset(id, 0, sizeof(id));
	memcpy(id, &n, sizeof(n));
	return id;
}

static void put(struct cache *c, uint32_t n, bool found)
{
	const struct cache_answer a = { .at = n, .found = found };

	cache_put(c, id_of(n), &a, NULL);
}

static bool has(struct cache *c, uint32_t n)
{
	struct cache_answer a;

	return cache_get(c, id_of(n), &a, NULL) && a.at == n;
}

/* Names that are nobody's drive out one another, and no user. */
static void cache_unknown(void)
{
	struct cache c;
	uint32_t i;

	KTAP_CHECK(cache_init(&c));
	for (i = 0; i < 100; i++)
		put(&c, i, true);
	for (; i < 100 + 3 * CACHE_UNKNOWN_MAX; i++) {
		put(&c, i, false);
		KTAP_CHECK(c.n_unknown <= CACHE_UNKNOWN_MAX);
	}
	for (i = 0; i < 100; i++)
		KTAP_CHECK(has(&c, i) && cache_is_known(&c, id_of(i)));
	KTAP_CHECK(!has(&c, 100));
	KTAP_CHECK(has(&c, 100 + 3 * CACHE_UNKNOWN_MAX - 1));
	/* Who was removed is remembered as well as before. */
	put(&c, 7, false);
	KTAP_CHECK(cache_is_known(&c, id_of(7)));
	KTAP_EQ(c.n_known, 100);
	/* And who is new is a user from now. */
	put(&c, 100 + 3 * CACHE_UNKNOWN_MAX - 1, true);
	KTAP_EQ(c.n_known, 101);
	KTAP_EQ(c.n_unknown, CACHE_UNKNOWN_MAX - 1);
	cache_free(&c);
}

/* Who was here least lately goes first. */
static void cache_oldest(void)
{
	struct cache c;
	uint32_t i;

	KTAP_CHECK(cache_init(&c));
	for (i = 0; i < CACHE_KNOWN_MAX; i++)
		put(&c, i, true);
	KTAP_CHECK(has(&c, 0));
	put(&c, i, true);
	KTAP_EQ(c.n_known, CACHE_KNOWN_MAX);
	KTAP_CHECK(has(&c, 0) && has(&c, i) && !has(&c, 1));
	cache_free(&c);
}

static void cache_names(void)
{
	const struct cache_answer a = { .at = 1, .found = true };
	struct cache_answer got;
	char name[USERDB_NAME_MAX + 1] = "";
	struct cache c;

	KTAP_CHECK(cache_init(&c));
	cache_put(&c, id_of(1), &a, "alice");
	KTAP_CHECK(cache_get(&c, id_of(1), &got, name));
	KTAP_CHECK(!strcmp(name, "alice"));
	cache_free(&c);
}

/* -------------------------------------------------------------------- park */

static struct turn_tuple client(uint8_t n)
{
	struct turn_tuple t = { 0 };

	t.client.ip[0] = n;
	return t;
}

static unsigned int taken(struct park *p, uint64_t number)
{
	struct parked_list list;
	unsigned int n = 0;
	struct parked *r;

	park_take(p, number, &list);
	while ((r = TAILQ_FIRST(&list))) {
		TAILQ_REMOVE(&list, r, entry);
		KTAP_EQ(r->number, number);
		free(r);
		n++;
	}
	return n;
}

static void parking(void)
{
	struct turn_tuple a = client(1), b = client(2);
	uint8_t msg[4] = { 0 }, large[PARK_LEN_MAX + 1] = { 0 };
	struct park p;
	uint32_t i;

	park_init(&p);
	park_add(&p, 1, 0, &a, msg, sizeof(msg));
	park_add(&p, 1, 0, &b, msg, sizeof(msg));
	/* Sent again by its client. */
	park_add(&p, 1, 0, &a, msg, sizeof(msg));
	KTAP_EQ(p.n, 2);
	park_add(&p, 2, 0, &a, msg, 3);
	KTAP_EQ(taken(&p, 1), 2);
	KTAP_EQ(taken(&p, 1), 0);
	/* Whose connection is gone gets no allocation. */
	park_add(&p, 2, 0, &b, msg, 2);
	park_forget(&p, &a);
	KTAP_EQ(taken(&p, 2), 1);
	KTAP_EQ(p.dropped, 0);
	/* The oldest goes. */
	for (i = 0; i < PARK_MAX + 10; i++) {
		memcpy(msg, &i, sizeof(i));
		park_add(&p, i, 0, &a, msg, sizeof(msg));
	}
	KTAP_EQ(p.n, PARK_MAX);
	KTAP_EQ(p.dropped, 10);
	KTAP_EQ(taken(&p, 9), 0);
	KTAP_EQ(taken(&p, 10), 1);
	park_add(&p, 1, 0, &a, large, sizeof(large));
	KTAP_EQ(p.n, PARK_MAX - 1);
	park_free(&p);
	KTAP_EQ(p.n, 0);
}

/* -------------------------------------------------------------------- URLs */

static void kinds(void)
{
	static const struct {
		const char *text, *rest;
		enum db_kind kind;
	} table[] = {
		{ "/var/lib/kturn/users.db", "/var/lib/kturn/users.db",
		  DB_SQLITE },
		{ "sqlite:users.db", "users.db", DB_SQLITE },
		{ "postgres://x", "postgres://x", DB_POSTGRESQL },
		{ "postgresql:///x", "postgresql:///x", DB_POSTGRESQL },
		{ "redis://x", "redis://x", DB_REDIS },
		{ "redis+unix:///x", "redis+unix:///x", DB_REDIS },
		{ "rediss://x", "rediss://x", DB_UNKNOWN },
		{ "mysql://x", "mysql://x", DB_UNKNOWN },
	};
	const char *rest;
	size_t i;

	for (i = 0; i < KTAP_COUNT(table); i++) {
		KTAP_EQ(db_url_kind(table[i].text, &rest), table[i].kind);
		KTAP_CHECK(!strcmp(rest, table[i].rest));
	}
}

static void redis_good(void)
{
	static const struct {
		const char *text;
		struct redis_url url;
	} table[] = {
		{ "redis://localhost",
		  { false, "localhost", 6379, "", "", 0 } },
		{ "redis://localhost/", { false, "localhost", 6379, "", "", 0 } },
		{ "redis://:pw@10.0.0.1:7000/15",
		  { false, "10.0.0.1", 7000, "", "pw", 15 } },
		{ "redis://kturnd:a%40b%2f%25@[2001:db8::1]:7000/2",
		  { false, "2001:db8::1", 7000, "kturnd", "a@b/%", 2 } },
		{ "redis://u:p@ss:w@[::1]",
		  { false, "::1", 6379, "u", "p@ss:w", 0 } },
		{ "redis+unix:///run/redis.sock",
		  { true, "/run/redis.sock", 6379, "", "", 0 } },
		{ "redis+unix://u:p@/run/redis.sock?db=3",
		  { true, "/run/redis.sock", 6379, "u", "p", 3 } },
	};
	struct redis_url url;
	size_t i;

	for (i = 0; i < KTAP_COUNT(table); i++) {
		KTAP_CHECK(!redis_url_parse(table[i].text, &url));
		KTAP_EQ(url.local, table[i].url.local);
		KTAP_CHECK(!strcmp(url.host, table[i].url.host));
		KTAP_EQ(url.port, table[i].url.port);
		KTAP_CHECK(!strcmp(url.user, table[i].url.user));
		KTAP_CHECK(!strcmp(url.password, table[i].url.password));
		KTAP_EQ(url.database, table[i].url.database);
	}
}

static void redis_bad(void)
{
	static const char *const table[] = {
		"redis://", "redis:///1", "redis://:p@", "redis://p@host",
		"redis://:@host", "redis://host:0x10", "redis://host:65536",
		"redis://host:", "redis://host/x", "redis://host/1/2",
		"redis://[::1", "redis://[::1]x", "redis://:a%4@host",
		"redis://:a%zz@host", "redis://:a%00b@host",
		"redis+unix://path", "redis+unix:///path?db=",
		"redis+unix:///path?x=1",
	};
	struct redis_url url;
	size_t i;

	for (i = 0; i < KTAP_COUNT(table); i++)
		if (!KTAP_CHECK(redis_url_parse(table[i], &url)))
			printf("# %s\n", table[i]);
}

/* ------------------------------------------------------- how long it counts */

/* A store that has said this, at @said.at. */
static struct {
	struct cache_answer said;
	bool local;
	bool down;
} fake;

bool store_keys(struct store *s, const char *realm, const char *user,
		struct cache_answer *answer)
{
	*answer = fake.said;
	return fake.said.at && !strcmp(user, "bob");
}

bool store_name(struct store *s, const char *realm, const uint8_t hash[32],
		struct cache_answer *answer, char *name)
{
	*answer = fake.said;
	memcpy(name, "bob", sizeof("bob"));
	return fake.said.at;
}

bool store_is_local(const struct store *s)
{
	return fake.local;
}

bool store_is_down(const struct store *s)
{
	return fake.down;
}

static struct users users;

static int keys_at(uint64_t now)
{
	struct turn_keys keys = { 0 };
	int ret = users_keys(&users, now, "r", "bob", &keys);

	/* What it said last is told even if it is old. */
	KTAP_EQ(keys.heard, !!fake.said.at);
	KTAP_EQ(keys.has_md5, fake.said.found);
	return ret;
}

static void ages(void)
{
	struct config_user alice = { NULL, (char *)"alice", (char *)"pw" };
	struct config cfg = { .realm = (char *)"r", .users = &alice,
			      .n_users = 1 };
	const uint8_t hash[32] = { 0 };
	struct turn_keys keys;
	char name[USERDB_NAME_MAX + 1];

	KTAP_EQ(users_init(&users, &cfg), 0);
	KTAP_EQ(keys_at(1000), -ENOENT);
	users.store = (struct store *)&fake;
	KTAP_EQ(keys_at(1000), -EINPROGRESS);
	fake.said.at = 1000;
	fake.said.found = true;
	fake.said.keys.flags = USERDB_MD5;
	/* A good password for half a minute, a wrong one for a second. */
	KTAP_EQ(keys_at(999), 0);
	KTAP_EQ(keys_at(31000), 0);
	KTAP_EQ(keys_at(31001), -EINPROGRESS);
	KTAP_EQ(users_refuse(&users, 2000, "r", "bob"), 0);
	KTAP_EQ(users_refuse(&users, 2001, "r", "bob"), -EINPROGRESS);
	/* Nobody is told apart by who is in the configuration. */
	KTAP_EQ(users_keys(&users, 1000, "r", "alice", &keys), 0);
	KTAP_EQ(users_refuse(&users, 1000, "r", "alice"), -EINPROGRESS);
	KTAP_EQ(users_keys(&users, 1000, "other", "alice", &keys),
		-EINPROGRESS);
	/* Who it is does not change, that it is nobody does. */
	KTAP_EQ(users_by_hash(&users, 99999, "r", hash, name), 0);
	fake.said.found = false;
	fake.said.keys.flags = 0;
	KTAP_EQ(users_by_hash(&users, 2000, "r", hash, name), -ENOENT);
	KTAP_EQ(users_by_hash(&users, 2001, "r", hash, name), -EINPROGRESS);
	KTAP_EQ(keys_at(2000), -ENOENT);
	KTAP_EQ(keys_at(2001), -EINPROGRESS);
	fake.down = true;
	KTAP_EQ(keys_at(99999), -EINPROGRESS);
	fake.said.found = true;
	fake.said.keys.flags = USERDB_MD5;
	KTAP_EQ(keys_at(99999), 0);
	KTAP_EQ(users_refuse(&users, 99999, "r", "bob"), 0);
	KTAP_EQ(users_refuse(&users, 99999, "r", "nobody"), -EINPROGRESS);
	fake.down = false;
	fake.local = true;
	KTAP_EQ(keys_at(1010), 0);
	KTAP_EQ(keys_at(1011), -EINPROGRESS);
	users_free(&users);
}

static int append(const char *const *columns, void *arg)
{
	sprintf((char *)arg + strlen(arg), "%s=%s ", columns[0], columns[1]);
	return 0;
}

/* In one order, each row once, whatever the store does. */
static void tables(void)
{
	static const char *const rows[][2] = {
		{ "b", "1" }, { "a", "22" }, { "a", "2" }, { "b", "1" },
		{ "a2", "" },
	};
	struct tables *a = tables_new(), *b = tables_new();
	size_t i, n = KTAP_COUNT(rows);
	char text[64] = "";

	for (i = 0; i < n; i++) {
		KTAP_EQ(tables_add(a, USERDB_TABLE_SECRETS, rows[i]), 0);
		KTAP_EQ(tables_add(b, USERDB_TABLE_SECRETS, rows[n - 1 - i]),
			0);
	}
	tables_finish(a);
	tables_finish(b);
	KTAP_EQ(tables_each(a, USERDB_TABLE_SECRETS, append, text), 0);
	KTAP_CHECK(!strcmp(text, "a=2 a=22 a2= b=1 "));
	KTAP_CHECK(tables_same(a, b));
	tables_put(b);
	b = tables_new();
	for (i = 0; i < n; i++)
		KTAP_EQ(tables_add(b, i ? USERDB_TABLE_SECRETS :
					  USERDB_TABLE_ORIGINS, rows[i]), 0);
	tables_finish(b);
	KTAP_CHECK(!tables_same(a, b));
	tables_put(a);
	tables_put(tables_get(b));
	tables_put(b);
}

/* Of peers only so many; those that are too many are not forgotten. */
static void tables_of_peers(void)
{
	struct tables *a = tables_new(), *b = tables_new();
	char text[16], realm[] = "r";
	const char *const columns[] = { realm, text };
	int i;

	for (i = 0; i < TABLES_PEERS_MAX; i++) {
		snprintf(text, sizeof(text), "%d", i);
		KTAP_EQ(tables_add(a, USERDB_TABLE_DENIED_PEERS, columns), 0);
		KTAP_EQ(tables_add(b, USERDB_TABLE_DENIED_PEERS, columns), 0);
	}
	KTAP_CHECK(!tables_is_cut(a, USERDB_TABLE_DENIED_PEERS));
	KTAP_EQ(tables_add(a, USERDB_TABLE_DENIED_PEERS, columns), 0);
	KTAP_CHECK(tables_is_cut(a, USERDB_TABLE_DENIED_PEERS));
	KTAP_CHECK(!tables_is_cut(a, USERDB_TABLE_ALLOWED_PEERS));
	tables_finish(a);
	tables_finish(b);
	KTAP_CHECK(!tables_same(a, b));
	tables_cut(b, USERDB_TABLE_DENIED_PEERS);
	KTAP_CHECK(tables_same(a, b));
	tables_put(a);
	tables_put(b);
}

static const struct ktap_case cases[] = {
	{ "store: names that are nobody's are remembered apart", cache_unknown },
	{ "store: the oldest are forgotten", cache_oldest },
	{ "store: names of hashes", cache_names },
	{ "store: requests that wait", parking },
	{ "store: how long its word counts", ages },
	{ "store: tables of realms, secrets and keys", tables },
	{ "store: tables of peers", tables_of_peers },
	{ "store: kinds of URLs", kinds },
	{ "store: URLs of Redis", redis_good },
	{ "store: what is none", redis_bad },
};

int main(void)
{
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	return ktap_end();
}
