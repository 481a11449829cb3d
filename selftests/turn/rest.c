// SPDX-License-Identifier: GPL-2.0-or-later
/* Time-limited credentials from shared secrets. */
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "turn_test.h"

static const char *const secrets[] = { "north", "south", "east" };
static struct client c;
static char user[800], password[64];

static void mint(const char *name, const char *secret)
{
	uint8_t hmac[20];

	snprintf(user, sizeof(user), "%s", name);
	HMAC(EVP_sha1(), secret, strlen(secret), (const uint8_t *)name,
	     strlen(name), hmac, NULL);
	EVP_EncodeBlock((uint8_t *)password, hmac, sizeof(hmac));
	c.user = user;
	c.password = password;
}

/* Until WALL0 + @seconds. */
static void mint_for(int seconds, const char *id, const char *secret)
{
	char name[128];

	snprintf(name, sizeof(name), "%llu%s", WALL0 + seconds, id);
	mint(name, secret);
}

static void begin(void)
{
	world_init();
	world.realms[0].secrets = secrets;
	world.realms[0].n_secrets = KTAP_COUNT(secrets);
	world_start();
	client_init(&c, 40000);
	client_challenge(&c);
}

static void every_secret(void)
{
	static const char *const ids[] = { "", ":", ":web", ":a:b", ":\xc3\xbc" };
	size_t i, j;
	int m;

	begin();
	for (i = 0; i < KTAP_COUNT(secrets); i++)
		for (j = 0; j < KTAP_COUNT(ids); j++)
			for (m = LEGACY; m <= ALG_SHA256; m++) {
				mint_for(100, ids[j], secrets[i]);
				c.mechanism = m;
				KTAP_EQ(do_allocate(&c), SUCCESS);
				KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
				KTAP_EQ(do_refresh(&c, 0), SUCCESS);
			}
	world_stop();
}

static void wrong(void)
{
	char name[64];

	begin();
	mint_for(100, ":web", "west");
	KTAP_EQ(do_allocate(&c), 401);
	mint_for(100, ":web", "");
	KTAP_EQ(do_allocate(&c), 401);

	/* The password of another name, or of a later time. */
	mint_for(100, ":web", "north");
	snprintf(user, sizeof(user), "%llu:wob", WALL0 + 100);
	KTAP_EQ(do_allocate(&c), 401);
	snprintf(user, sizeof(user), "%llu:web", WALL0 + 1000);
	KTAP_EQ(do_allocate(&c), 401);

	/* No time in front. */
	mint("web", "north");
	KTAP_EQ(do_allocate(&c), 401);
	mint(":web", "north");
	KTAP_EQ(do_allocate(&c), 401);
	snprintf(name, sizeof(name), "%llux", WALL0 + 100);
	mint(name, "north");
	KTAP_EQ(do_allocate(&c), 401);
	snprintf(name, sizeof(name), "+%llu", WALL0 + 100);
	mint(name, "north");
	KTAP_EQ(do_allocate(&c), 401);
	mint("99999999999999999999999:web", "north");
	KTAP_EQ(do_allocate(&c), 401);
	/* 2^64 + a little: not taken for the little. */
	mint("18446744073709551617:web", "north");
	KTAP_EQ(do_allocate(&c), 401);
	/* The largest number that is one. */
	mint("18446744073709551609:web", "north");
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	world_stop();

	/* A server without secrets. */
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	mint_for(100, ":web", "north");
	KTAP_EQ(do_allocate(&c), 401);
	world_stop();
}

static void expiry(void)
{
	int m;

	begin();
	for (m = LEGACY; m <= ALG_SHA256; m++) {
		c.mechanism = m;
		world.wall = WALL0 + 100;
		mint_for(100, ":web", "south");
		KTAP_EQ(do_allocate(&c), SUCCESS);
		KTAP_EQ(do_refresh(&c, 0), SUCCESS);
		world.wall = WALL0 + 101;
		KTAP_EQ(do_allocate(&c), 401);
		KTAP_CHECK(strstr(world.log, "expired"));
		mint("0:web", "south");
		KTAP_EQ(do_allocate(&c), 401);
	}
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	world_stop();
}

/* A call outlives the credentials that it began with, and no more. */
static void call_goes_on(void)
{
	struct client other;

	begin();
	mint_for(100, ":web", "south");
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world.wall = WALL0 + 5000;
	KTAP_EQ(do_refresh(&c, 900), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);

	/* Not with another expired name, and not with a wrong password. */
	other = c;
	mint_for(101, ":web", "south");
	other.user = c.user;
	KTAP_EQ(do_refresh(&other, 900), 401);
	mint_for(100, ":web", "west");
	KTAP_EQ(do_refresh(&c, 900), 401);

	/* Nor for a new allocation, there or elsewhere. */
	mint_for(100, ":web", "south");
	other = c;
	other.tuple.client.port ^= 1;
	client_challenge(&other);
	KTAP_EQ(do_allocate(&other), 401);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_EQ(do_allocate(&c), 401);
	world_stop();
}

/*
 * Secrets come first, as they need no store; a stored user is one all the same,
 * whatever the name looks like.
 */
static void stored_too(void)
{
	static const struct user users[] = {
		{ "1800000000:web", "stored", true, true, NULL },
	};

	begin();
	world.users = users;
	world.n_users = 1;
	mint("1800000000:web", "north");
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_CHECK(!strstr(world.trace, "user_keys"));
	/* A new time makes no new user, but nobody can have himself stored as one. */
	KTAP_CHECK(!strcmp(world.quota_user, "web"));
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	c.password = "stored";
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_CHECK(!strcmp(world.quota_user, "1800000000:web"));
	/* Found by hash, too. */
	c.userhash = true;
	KTAP_EQ(do_refresh(&c, 900), SUCCESS);
	/* Of those that nobody stored there is no way back from the hash. */
	c.userhash = false;
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	mint("1800000001:web", "north");
	c.userhash = true;
	KTAP_EQ(do_allocate(&c), 401);
	c.userhash = false;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();
}

/* A successor counts it as the same user's. */
static void adopted(void)
{
	struct turn_relay relays[2] = { 0 };
	uint8_t packed[TURN_PACKED_MAX];
	struct turn_alloc *alloc;
	struct port *port, kept;
	size_t len;

	begin();
	mint_for(100, ":web", "north");
	KTAP_EQ(do_allocate(&c), SUCCESS);
	alloc = turn_alloc_find(world.s, &c.tuple);
	relays[0] = *turn_alloc_relay(alloc, KTURN_FAMILY_V4);
	len = turn_alloc_pack(alloc, packed);
	port = relays[0].handle;
	kept = *port;
	turn_server_free(world.s, true);
	*port = kept;
	world_start();
	world.quota_user[0] = 0;
	alloc = turn_adopt_alloc(world.s, world.now, &c.tuple, relays, 300000,
				 packed, len);
	if (!KTAP_CHECK(alloc))
		return;
	turn_alloc_set_offload(alloc, 1);
	port->alloc = alloc;
	KTAP_CHECK(!strcmp(world.quota_user, "web"));
	client_challenge(&c);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	world_stop();
}

const struct ktap_case rest_cases[] = {
	{ "rest: every secret, every mechanism", every_secret },
	{ "rest: 401 for what was not minted so", wrong },
	{ "rest: 401 once expired", expiry },
	{ "rest: what was made in time can be kept", call_goes_on },
	{ "rest: stored users of such names", stored_too },
	{ "rest: adopted", adopted },
};

const size_t rest_count = KTAP_COUNT(rest_cases);
