// SPDX-License-Identifier: GPL-2.0-or-later
/* Nonces: how long, for whom, and that nothing of them can be changed. */
#include <arpa/inet.h>

#include "turn_test.h"

static struct client c;

static void lifetime(void)
{
	world_begin();
	client_init(&c, 40000);
	world.now = 12345678;
	client_challenge(&c);

	world_pass(1000 * 3600 - 1000);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_pass(1001);
	KTAP_EQ(do_refresh(&c, 0), 438);
	KTAP_EQ(turn_counters(world.s)->allocs, 1);

	client_challenge(&c);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	world_pass(1000 * 86400ull * 365);
	KTAP_EQ(do_allocate(&c), 438);
	world_stop();
}

/* A client that gets 438 goes on with what that says. */
static void renewed(void)
{
	struct kturn_attr attr;

	world_begin();
	client_allocated(&c, 40000);
	KTAP_EQ(do_refresh(&c, 3600), SUCCESS);
	world_pass(3599 * 1000);
	KTAP_EQ(do_refresh(&c, 3600), SUCCESS);
	world_pass(2000);
	KTAP_EQ(do_refresh(&c, 3600), 438);
	KTAP_CHECK(resp_attr(KTURN_ATTR_NONCE, &attr));
	KTAP_CHECK(attr.len != c.nonce_len ||
		   memcmp(attr.value, c.nonce, attr.len));
	memcpy(c.nonce, attr.value, attr.len);
	KTAP_EQ(do_refresh(&c, 3600), SUCCESS);
	world_stop();
}

/* From a clock that is behind: as if it were stale, never valid for long. */
static void future(void)
{
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	world.now -= 2000;
	KTAP_EQ(do_allocate(&c), 438);
	world_stop();
}

static void bound_to_address(void)
{
	static const char *const others[] = {
		"198.51.100.1:40001", "198.51.100.2:40000",
		"[2001:db8::1]:40000",
	};
	struct client d;
	size_t i;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	for (i = 0; i < KTAP_COUNT(others); i++) {
		d = c;
		d.tuple.client = addr(others[i]);
		KTAP_EQ(do_allocate(&d), 438);
		client_challenge(&d);
		KTAP_CHECK(memcmp(d.nonce, c.nonce, c.nonce_len));
		KTAP_EQ(do_allocate(&d), SUCCESS);
	}
	/* At another address of the server it is the same client. */
	c.tuple.server = addr("203.0.113.2:3478");
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();
}

/* Every bit of it counts; of other lengths none is ours. */
static void tampered(void)
{
	struct client d;
	size_t i, len;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	for (i = 0; i < c.nonce_len * 8; i++) {
		d = c;
		d.nonce[i / 8] ^= 1 << i % 8;
		KTAP_EQ(do_allocate(&d), 438);
	}
	for (len = 0; len <= NONCE_MAX; len++) {
		if (len == c.nonce_len)
			continue;
		d = c;
		if (len > c.nonce_len)
			memset(d.nonce + c.nonce_len, 'A', len - c.nonce_len);
		d.nonce_len = len;
		KTAP_EQ(do_allocate(&d), 438);
	}
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();
}

/* Wrong credentials are told before a stale nonce (section 9.2.4). */
static void order(void)
{
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	c.nonce[20] ^= 1;
	c.password = "wrong";
	KTAP_EQ(do_allocate(&c), 401);
	world_stop();
}

/* Workers share a key, and take each other's; other servers' are stale. */
static void other_servers(void)
{
	struct turn_server *first, *second;

	world_begin();
	first = world.s;
	world_start();
	second = world.s;
	client_init(&c, 40000);
	client_challenge(&c);
	world.s = first;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	turn_server_free(second, false);
	world_stop();

	world_init();
	world.cfg.nonce_key[15] = 1;
	world_start();
	KTAP_EQ(do_allocate(&c), 438);
	world_stop();

	world_init();
	world.realms[0].name = "other.example";
	world_start();
	c.realm = "other.example";
	KTAP_EQ(do_allocate(&c), 438);
	world_stop();
}

/* RFC 8489 section 14.10: qdtext, shorter than 128 characters. */
static void characters(void)
{
	size_t i;

	world_begin();
	for (world.now = T0; world.now < T0 + 100000; world.now += 777) {
		client_init(&c, world.now % 60000);
		client_challenge(&c);
		KTAP_CHECK(c.nonce_len < 128);
		for (i = 0; i < c.nonce_len; i++)
			KTAP_CHECK(c.nonce[i] > ' ' && c.nonce[i] < 0x7f &&
				   c.nonce[i] != '"' && c.nonce[i] != '\\');
	}
	world_stop();
}

const struct ktap_case nonce_cases[] = {
	{ "nonce: 438 after an hour", lifetime },
	{ "nonce: a new one with the 438", renewed },
	{ "nonce: not from the future", future },
	{ "nonce: for one client address and port", bound_to_address },
	{ "nonce: no bit of it can be changed", tampered },
	{ "nonce: 401 comes before 438", order },
	{ "nonce: shared by workers, not by servers", other_servers },
	{ "nonce: characters", characters },
};

const size_t nonce_count = KTAP_COUNT(nonce_cases);
