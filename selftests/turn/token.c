// SPDX-License-Identifier: GPL-2.0-or-later
/* Third-party authorization with access tokens (RFC 7635). */
#include <err.h>
#include <stdlib.h>

#include <kturnd/turn/token.h>

#include "tokens.h"
#include "turn_test.h"

#define NAME	TOKEN_SERVER
#define KEY	TOKEN_KEY
#define MAC_KEY	"ZksjpweoixXmvn67534m"

static struct client c;

/* ------------------------------------------------------------- the tokens */

/* RFC 7635 appendix A, samples 1 and 2. */
static const uint8_t sample_256[] = {
	0x00, 0x0c, 0x68, 0x34, 0x6a, 0x33, 0x6b, 0x32, 0x6c, 0x32, 0x6e, 0x34,
	0x62, 0x35, 0x61, 0x7e, 0xf1, 0x34, 0xa3, 0xd5, 0xe4, 0x4e, 0x9a, 0x19,
	0xcc, 0x7d, 0xc1, 0x04, 0xb0, 0xc0, 0x3d, 0x03, 0xb2, 0xa5, 0x51, 0xd8,
	0xfd, 0xf5, 0xcd, 0x3b, 0x6d, 0xca, 0x6f, 0x10, 0xcf, 0xb7, 0x7e, 0x5b,
	0x2d, 0xde, 0xc8, 0x4d, 0x29, 0x3a, 0x5c, 0x50, 0x49, 0x93, 0x59, 0xf0,
	0xc2, 0xe2, 0x6f, 0x76,
};

static const uint8_t sample_128[] = {
	0x00, 0x0c, 0x68, 0x34, 0x6a, 0x33, 0x6b, 0x32, 0x6c, 0x32, 0x6e, 0x34,
	0x62, 0x35, 0x7f, 0xb9, 0xe9, 0x9f, 0x08, 0x27, 0xbe, 0x3d, 0xf1, 0xe1,
	0xbd, 0x65, 0x14, 0x93, 0xd3, 0x03, 0x1d, 0x36, 0xdf, 0x57, 0x07, 0x97,
	0x84, 0xae, 0xe5, 0xea, 0xcb, 0x65, 0xfa, 0xd4, 0xf2, 0x7f, 0xab, 0x1a,
	0x3f, 0x97, 0x97, 0x4b, 0x69, 0xf8, 0x51, 0xb2, 0x4b, 0xf5, 0xaf, 0x09,
	0xed, 0xa3, 0x57, 0xe0,
};

static bool open_token(enum turn_aead aead, const char *name, const uint8_t *p,
		       size_t len, struct turn_token *token)
{
	/* So that reading beyond its end is seen. */
	uint8_t *copy = malloc(len ? len : 1);
	bool ok;

	if (!copy)
		err(1, "copying a token");
	memcpy(copy, p, len);
	ok = turn_token_open(aead, (const uint8_t *)KEY, name, copy, len,
			     token);
	free(copy);
	return ok;
}

static void check_sample(enum turn_aead aead, const uint8_t *sample)
{
	struct turn_token token;
	uint8_t copy[64];
	size_t i;

	KTAP_CHECK(open_token(aead, NAME, sample, 64, &token));
	KTAP_EQ(token.mac_key_len, 20);
	KTAP_MEM_EQ(token.mac_key, MAC_KEY, 20);
	KTAP_EQ(token.timestamp, 92470300704768 >> 16);
	KTAP_EQ(token.lifetime, 3600);

	/* For another server, with another algorithm, and with any bit else. */
	KTAP_CHECK(!open_token(aead, "other", sample, 64, &token));
	KTAP_CHECK(!open_token(!aead, NAME, sample, 64, &token));
	for (i = 0; i < 64 * 8; i++) {
		memcpy(copy, sample, 64);
		copy[i / 8] ^= 1 << i % 8;
		KTAP_CHECK(!open_token(aead, NAME, copy, 64, &token));
		KTAP_EQ(token.mac_key_len, 0);
	}
	for (i = 0; i < 64; i++)
		KTAP_CHECK(!open_token(aead, NAME, sample, i, &token));
}

static void samples(void)
{
	check_sample(TURN_AEAD_A256GCM, sample_256);
	check_sample(TURN_AEAD_A128GCM, sample_128);
}

/* Authentic, but not as it must be. */
static void well_formed(void)
{
	uint8_t plain[256], out[512];
	struct turn_token token;
	size_t key_len, len, n;

	for (key_len = 0; key_len <= 80; key_len++) {
		len = token_plain(plain, key_len, WALL0, 60);
		n = token_seal(NAME, 12, plain, len, out);
		KTAP_EQ(open_token(TURN_AEAD_A256GCM, NAME, out, n, &token),
			key_len >= 20 && key_len <= 32);
		if (key_len >= 20 && key_len <= 32) {
			KTAP_EQ(token.mac_key_len, key_len);
			KTAP_EQ(token.timestamp, WALL0);
		}
	}
	/* Something behind it, and a length that goes beyond it. */
	len = token_plain(plain, 20, WALL0, 60);
	n = token_seal(NAME, 12, plain, len + 1, out);
	KTAP_CHECK(!open_token(TURN_AEAD_A256GCM, NAME, out, n, &token));
	kturn_put16(plain, 21);
	n = token_seal(NAME, 12, plain, len, out);
	KTAP_CHECK(!open_token(TURN_AEAD_A256GCM, NAME, out, n, &token));
	kturn_put16(plain, 0xffff);
	n = token_seal(NAME, 12, plain, len, out);
	KTAP_CHECK(!open_token(TURN_AEAD_A256GCM, NAME, out, n, &token));
	/* RFC 5116 has nonces of 12 bytes. */
	len = token_plain(plain, 20, WALL0, 60);
	n = token_seal(NAME, 16, plain, len, out);
	KTAP_CHECK(!open_token(TURN_AEAD_A256GCM, NAME, out, n, &token));
}

/* lifetime + 5 > abs(now - timestamp) */
static void times(void)
{
	struct turn_token token = { .timestamp = 1000, .lifetime = 100 };

	KTAP_EQ(turn_token_left(&token, 1000), 105);
	KTAP_EQ(turn_token_left(&token, 1104), 1);
	KTAP_EQ(turn_token_left(&token, 1105), 0);
	KTAP_EQ(turn_token_left(&token, 896), 1);
	KTAP_EQ(turn_token_left(&token, 895), 0);
	token.lifetime = UINT32_MAX;
	KTAP_EQ(turn_token_left(&token, 1000), UINT32_MAX + 5ull);
	token.timestamp = (1ull << 48) - 1;
	KTAP_EQ(turn_token_left(&token, 1000), 0);
	token.lifetime = 0;
	KTAP_EQ(turn_token_left(&token, token.timestamp + 4), 1);
}

/* ----------------------------------------------------------- the requests */

static void get_token(const char *kid, uint8_t key_byte, int before,
		      uint32_t lifetime)
{
	client_token(&c, kid, key_byte, before, lifetime);
}

static void begin(void)
{
	token_world();
	world_start();
	client_init(&c, 40000);
	client_challenge(&c);
}

static void pass(uint64_t seconds)
{
	world_pass(seconds * 1000);
	world.wall += seconds;
	turn_expire(world.s, world.now);
}

static void advertised(void)
{
	struct kturn_attr attr;

	begin();
	KTAP_CHECK(resp_attr(KTURN_ATTR_THIRD_PARTY_AUTHORIZATION, &attr));
	KTAP_EQ(attr.len, strlen(NAME));
	KTAP_MEM_EQ(attr.value, NAME, attr.len);
	/* Passwords do as well. */
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	world_stop();

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	KTAP_EQ(resp_count(KTURN_ATTR_THIRD_PARTY_AUTHORIZATION), 0);
	world_stop();
}

static void whole_call(void)
{
	begin();
	get_token("north", 'a', 1, 1000);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_CHECK(!strncmp(world.quota_user, "\001token:", 7));
	KTAP_EQ(c.lifetime, 600);
	/* Section 9: only Allocate and Refresh bring it. */
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
	/* No longer than the token: 1000 + 5 - 1 seconds. */
	c.access = access_token;
	KTAP_EQ(do_refresh(&c, 3600), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 1004);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	world_stop();
}

/* coturn's clients take 16 bytes of the key, in all requests. */
static void shortened_key(void)
{
	begin();
	get_token("north", 'a', 1, 1000);
	c.mac_key_len = 16;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	c.mac_key_len = 15;
	KTAP_EQ(do_permit(&c, PEER_A), 401);
	world_stop();
}

/* Each is 401, with what a client needs to try again. */
static void refused(void)
{
	size_t i;

	begin();
	for (i = 0; i < 8; i++) {
		client_init(&c, 41000 + i);
		client_challenge(&c);
		get_token(i == 0 ? "unknown" : i == 1 ? "old" : "north", 'a',
			  i == 2 ? 100 : i == 3 ? -100 : 0, 95);
		if (i == 1)
			world.wall += 5;
		if (i == 4)
			access_token[30] ^= 1;
		if (i == 5)
			c.access_len = 0;
		if (i == 6)
			c.mac_key = (const uint8_t *)MAC_KEY;
		if (i == 7)
			c.realm = "none.example";
		KTAP_EQ(do_allocate(&c), 401);
		KTAP_EQ(turn_counters(world.s)->allocs, 0);
		world.wall = WALL0;
	}
	/* Nothing of a key is in the log. */
	KTAP_CHECK(!strstr(world.log, MAC_KEY));
	/* USERHASH names no key. */
	client_init(&c, 41020);
	client_challenge(&c);
	get_token("north", 'a', 0, 95);
	c.userhash = true;
	{
		struct request r;

		req_begin(&r, &c, KTURN_ALLOCATE);
		req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
		req_auth(&r, &c);
		KTAP_EQ(req_send(&r, &c), 400);
	}
	world_stop();
}

/* As long as a key is good by five seconds. */
static void key_until(void)
{
	begin();
	get_token("old", 'a', 0, 95);
	world.wall += 4;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();
}

/* Section 7: where nobody said that tokens are taken. */
static void unexpected(void)
{
	struct kturn_attr attr;
	struct request r;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	get_token("north", 'a', 0, 95);
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	req_auth(&r, &c);
	KTAP_EQ(req_send(&r, &c), 420);
	KTAP_CHECK(resp_attr(KTURN_ATTR_UNKNOWN_ATTRIBUTES, &attr) &&
		   attr.len == 2 &&
		   kturn_get16(attr.value) == KTURN_ATTR_ACCESS_TOKEN);
	world_stop();
}

/* With the next token, of another key too, before the first one ends. */
static void renewed(void)
{
	begin();
	get_token("north", 'a', 0, 700);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	pass(500);
	get_token("south", 'b', 0, 700);
	KTAP_EQ(do_refresh(&c, 600), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 600);
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	/* The first one's key is good for nothing any more. */
	get_token("north", 'a', 500, 700);
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), 401);
	pass(400);
	/* Its allocation lives on, beyond the first one. */
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	get_token("south", 'b', 0, 0);
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	/* Without a new one for no longer than it. */
	KTAP_EQ(do_refresh(&c, 600), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 305);
	pass(306);
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	world_stop();
}

/* An offload that fails leaves the first one as it was. */
static void renewal_fails(void)
{
	begin();
	get_token("north", 'a', 0, 700);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	get_token("south", 'b', 0, 700);
	world.offload_fails = true;
	KTAP_EQ(do_refresh(&c, 600), 508);
	world.offload_fails = false;
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), 401);
	get_token("north", 'a', 0, 700);
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	world_stop();
}

static void forget_token(void)
{
	c.access = NULL;
	c.mac_key = NULL;
	c.user = "alice";
}

/* 441, RFC 8656 section 5. */
static void other_users(void)
{
	begin();
	get_token("north", 'a', 0, 700);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	/* A password there, */
	forget_token();
	KTAP_EQ(do_permit(&c, PEER_A), 441);
	KTAP_EQ(do_refresh(&c, 0), 441);
	/* a token for another realm, */
	get_token("other", 'a', 0, 700);
	KTAP_EQ(do_refresh(&c, 0), 441);
	/* and a token where there was a password. */
	client_init(&c, 40001);
	client_challenge(&c);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	get_token("north", 'a', 0, 700);
	KTAP_EQ(do_refresh(&c, 0), 441);
	c.access = NULL;
	KTAP_EQ(do_refresh(&c, 0), 401);
	world_stop();
}

/* The realm of the key, and not that of the challenge, has the allocation. */
static void realm_of_key(void)
{
	begin();
	get_token("other", 'a', 0, 700);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_CHECK(!strcmp(world.quota_realm, "other.example"));
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	c.access = access_token;
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	world_stop();
}

/* Binds a connection that a peer has opened. */
static int bind_connection(uint32_t id)
{
	struct request r;

	req_begin(&r, &c, KTURN_CONNECTION_BIND);
	req_u32(&r, KTURN_ATTR_CONNECTION_ID, id);
	return req_call(&r, &c);
}

/* RFC 6062 section 5.4; another's token is none of the allocation's. */
static void tcp_connection(void)
{
	struct client control;
	struct request r;
	uint32_t id;

	begin();
	world_stop();
	world.cfg.tcp_relay = true;
	world_start();
	client_init(&c, 40000);
	c.tuple.transport = TURN_TCP;
	client_challenge(&c);
	get_token("north", 'a', 0, 700);
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 6u << 24);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_relays(&c));
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	control = c;
	world_clear();
	KTAP_CHECK(peer_connect_in(&control.relay, PEER_A));
	KTAP_EQ(kturn_stun_parse(world.sent[0].p, world.sent[0].len,
				 &resp.msg), 0);
	id = resp_u32(KTURN_ATTR_CONNECTION_ID);

	client_init(&c, 40001);
	c.tuple.transport = TURN_TCP;
	client_challenge(&c);
	KTAP_EQ(bind_connection(id), 400);
	get_token("north", 'b', 0, 700);
	KTAP_EQ(bind_connection(id), 400);
	get_token("north", 'a', 0, 700);
	KTAP_EQ(bind_connection(id), SUCCESS);
	world_stop();
}

/* --------------------------------------------------------------- adoption */

static uint8_t packed[TURN_PACKED_MAX];
static size_t packed_len;
static struct turn_relay relays[2];

static struct turn_alloc *adopt(size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct turn_alloc *a;

	if (!copy)
		err(1, "adopting");
	memcpy(copy, packed, len);
	a = turn_adopt_alloc(world.s, world.now, &c.tuple, relays, 300000,
			     copy, len);
	free(copy);
	return a;
}

static void restart(const char *realm)
{
	struct port *port = relays[0].handle, kept = *port;
	struct turn_alloc *a;

	turn_server_free(world.s, true);
	*port = kept;
	port->open = true;
	port->alloc = NULL;
	world_start();
	a = adopt(packed_len);
	if (!KTAP_CHECK(a))
		return;
	KTAP_CHECK(!strcmp(turn_alloc_realm(a), realm));
	turn_alloc_set_offload(a, 1);
	port->alloc = a;
}

static void keep(void)
{
	struct turn_alloc *a = turn_alloc_find(world.s, &c.tuple);

	memset(relays, 0, sizeof(relays));
	relays[0] = *turn_alloc_relay(a, KTURN_FAMILY_V4);
	packed_len = turn_alloc_pack(a, packed);
}

static void adopted(void)
{
	size_t len;

	begin();
	get_token("other", 'a', 0, 700);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	keep();
	/* The key is not to be read where it is kept. */
	KTAP_CHECK(!memmem(packed, packed_len, c.mac_key, c.mac_key_len));
	KTAP_EQ(turn_limit_init(&world.realms[1].limit[0], 0, 0, 100, 1), 0);
	restart("other.example");
	client_challenge(&c);
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_CHECK(sends_by_indication(&c, PEER_A) &&
		   !sends_by_indication(&c, PEER_A));
	c.access = access_token;
	KTAP_EQ(do_refresh(&c, 600), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 600);

	/* A key that is gone: the next token does, and nothing before. */
	world.n_keys = 0;
	restart("other.example");
	world.n_keys = TOKEN_KEYS;
	client_challenge(&c);
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), 401);
	c.access = access_token;
	KTAP_EQ(do_refresh(&c, 600), SUCCESS);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);

	for (len = 0; len < packed_len; len++)
		KTAP_CHECK(!adopt(len));
	world_stop();
}

/* A realm in its pack is checked as well. */
static void adopted_realm(void)
{
	begin();
	world.n_realms = 2;
	c.realm = "other.example";
	world.at_port = 3478;
	world.at_realm = 1;
	world.users = &(const struct user){ "alice", "wonderland", true, true,
					    "other.example" };
	world.n_users = 1;
	client_challenge(&c);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	keep();
	world.at_port = 0;
	restart("other.example");
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	world_stop();
}

const struct ktap_case token_cases[] = {
	{ "token: samples of RFC 7635", samples },
	{ "token: authentic and malformed", well_formed },
	{ "token: its time", times },
	{ "token: the challenge tells the server's name", advertised },
	{ "token: a whole call", whole_call },
	{ "token: a key shortened as by coturn", shortened_key },
	{ "token: refused", refused },
	{ "token: its key's time", key_until },
	{ "token: 420 where none are taken", unexpected },
	{ "token: the next one", renewed },
	{ "token: the next one, and an offload that fails", renewal_fails },
	{ "token: 441 for other users", other_users },
	{ "token: the key's realm", realm_of_key },
	{ "token: connections with peers", tcp_connection },
	{ "token: adopted", adopted },
	{ "token: a realm is adopted", adopted_realm },
};

const size_t token_count = KTAP_COUNT(token_cases);
