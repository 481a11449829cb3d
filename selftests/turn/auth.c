// SPDX-License-Identifier: GPL-2.0-or-later
/* The long-term credential mechanism: keys, algorithms, integrity. */
#include <arpa/inet.h>

#include "turn_test.h"

static struct client c;

static const uint8_t both[] = { 0, 2, 0, 0, 0, 1, 0, 0 };
static const uint8_t md5_only[] = { 0, 1, 0, 0 };

static void begin(struct request *r)
{
	req_begin(r, &c, KTURN_ALLOCATE);
	req_u32(r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
}

/* Nothing came of it. */
static void check_no_state(void)
{
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	KTAP_EQ(world_open_ports(), 0);
}

static void check_cookie(const char *cookie)
{
	KTAP_CHECK(c.nonce_len > 13);
	KTAP_MEM_EQ(c.nonce, cookie, 13);
}

static void challenge(void)
{
	static const struct {
		unsigned int features;
		const char *cookie;
		const uint8_t *algorithms;
		size_t len;
	} table[] = {
		/* Bit 0 is the most significant of 24, bit 1 follows. */
		{ 0, "obMatJos2gAAA", md5_only, 4 },
		{ TURN_FEATURE_SHA256, "obMatJos2gAAA", both, 8 },
		{ TURN_FEATURE_ANONYMITY, "obMatJos2wAAA", md5_only, 4 },
		{ TURN_FEATURE_SHA256 | TURN_FEATURE_ANONYMITY,
		  "obMatJos2wAAA", both, 8 },
	};
	struct kturn_attr attr;
	size_t i;

	world_begin();
	client_init(&c, 40000);
	for (i = 0; i < KTAP_COUNT(table); i++) {
		world.features = table[i].features;
		client_challenge(&c);
		check_cookie(table[i].cookie);
		KTAP_EQ(c.algorithms_len, table[i].len);
		KTAP_MEM_EQ(c.algorithms, table[i].algorithms, table[i].len);
		KTAP_CHECK(resp_attr(KTURN_ATTR_REALM, &attr));
		KTAP_EQ(attr.len, strlen(REALM));
		KTAP_MEM_EQ(attr.value, REALM, strlen(REALM));
	}
	check_no_state();
	world_stop();
}

/* A source that has asked too much: only credentials help. */
static void limited(void)
{
	struct request r;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	world.silent = true;
	/* Without credentials, Binding, and with wrong ones. */
	begin(&r);
	KTAP_EQ(req_send(&r, &c), NO_REPLY);
	req_begin(&r, &c, KTURN_BINDING);
	KTAP_EQ(req_send(&r, &c), NO_REPLY);
	KTAP_EQ(turn_counters(world.s)->limited, 2);
	check_no_state();
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(turn_counters(world.s)->limited, 2);
	/* Nor does a nonce that has become old hurt: 438 comes. */
	KTAP_EQ(do_refresh(&c, 3600), SUCCESS);
	world.now += TURN_NONCE_LIFETIME * 1000ull / 2;
	KTAP_EQ(do_refresh(&c, 3600), SUCCESS);
	world.now += TURN_NONCE_LIFETIME * 1000ull / 2;
	KTAP_EQ(do_refresh(&c, 3600), 438);
	KTAP_EQ(turn_counters(world.s)->limited, 2);
	world_stop();
}

/* Each mechanism; req_call() checks which integrity the response has. */
static void mechanisms(void)
{
	int m, fingerprint, userhash;
	uint16_t port = 40000;
	struct turn_alloc *a;

	world_begin();
	for (m = LEGACY; m <= ALG_SHA256; m++)
		for (fingerprint = 0; fingerprint < 2; fingerprint++)
			for (userhash = 0; userhash < 2; userhash++) {
				client_init(&c, port++);
				client_challenge(&c);
				c.mechanism = m;
				c.fingerprint = fingerprint;
				c.userhash = userhash;
				KTAP_EQ(do_allocate(&c), SUCCESS);
				KTAP_EQ(do_refresh(&c, 900), SUCCESS);
				a = turn_alloc_find(world.s, &c.tuple);
				KTAP_CHECK(!strcmp(turn_alloc_user(a),
						   "alice"));
			}
	world_stop();
}

/* RFC 5769's and RFC 8489's way to the keys, in numbers that others publish. */
static void known_key(void)
{
	static const uint8_t md5[16] = {
		0x84, 0x93, 0xfb, 0xc5, 0x3b, 0xa5, 0x82, 0xfb,
		0x4c, 0x04, 0x4c, 0x45, 0x6b, 0xdc, 0x40, 0xeb,
	};
	static const struct user user = { "user", "pass", true, true, NULL };
	struct turn_keys keys;

	world_init();
	world.realms[0].name = "realm";
	world.users = &user;
	world.n_users = 1;
	world_start();
	/* The world's own keys are right, and the client's fit them. */
	KTAP_EQ(world_ops.user_keys(&world, "realm", "user", &keys), 0);
	KTAP_MEM_EQ(keys.md5, md5, sizeof(md5));
	client_init(&c, 40000);
	c.user = "user";
	c.password = "pass";
	c.realm = "realm";
	client_challenge(&c);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();
}

/* Section 9.2.4: SHA-256 integrity with an MD5 key, when it names none. */
static void sha256_without_algorithm(void)
{
	struct request r;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	begin(&r);
	req_names(&r, &c);
	req_integrity(&r, KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, &c);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_CHECK(resp_integrity(KTURN_ATTR_MESSAGE_INTEGRITY, &c));
	KTAP_EQ(resp_count(KTURN_ATTR_MESSAGE_INTEGRITY_SHA256), 0);
	world_stop();
}

/* An algorithm, but SHA-1 integrity: the response has SHA-256. */
static void algorithm_with_sha1(void)
{
	struct request r;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	c.mechanism = ALG_SHA256;
	begin(&r);
	req_names(&r, &c);
	req_integrity(&r, KTURN_ATTR_MESSAGE_INTEGRITY, &c);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_CHECK(resp_integrity(KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, &c));
	KTAP_EQ(resp_count(KTURN_ATTR_MESSAGE_INTEGRITY), 0);
	world_stop();
}

/* With both the SHA-256 one counts, right or wrong. */
static void both_integrities(void)
{
	struct request r;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);

	begin(&r);
	req_names(&r, &c);
	req_integrity(&r, KTURN_ATTR_MESSAGE_INTEGRITY, &c);
	req_integrity(&r, KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, &c);
	r.buf[r.b.len - 1] ^= 1;
	KTAP_EQ(req_send(&r, &c), 401);
	check_no_state();

	begin(&r);
	req_names(&r, &c);
	req_attr(&r, KTURN_ATTR_MESSAGE_INTEGRITY, NULL, 20);
	req_integrity(&r, KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, &c);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	world_stop();
}

/* What comes after an integrity attribute is not there. */
static void after_integrity(void)
{
	struct request r;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);

	/* Not after MESSAGE-INTEGRITY: a transport, and an unknown one. */
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_auth(&r, &c);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	KTAP_EQ(req_send(&r, &c), 400);
	check_no_state();
	begin(&r);
	req_auth(&r, &c);
	req_attr(&r, 0x7abc, "x", 1);
	req_u32(&r, KTURN_ATTR_LIFETIME, 3000);
	req_attr(&r, KTURN_ATTR_EVEN_PORT, "xyz", 3);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 600);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);

	/* A MESSAGE-INTEGRITY after the SHA-256 one is not looked at. */
	begin(&r);
	req_names(&r, &c);
	req_integrity(&r, KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, &c);
	req_attr(&r, KTURN_ATTR_MESSAGE_INTEGRITY, "short", 5);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);

	/* Credentials after it are none. */
	begin(&r);
	req_integrity(&r, KTURN_ATTR_MESSAGE_INTEGRITY, &c);
	req_names(&r, &c);
	KTAP_EQ(req_send(&r, &c), 400);
	world_stop();
}

static void incomplete(void)
{
	static const uint16_t parts[] = {
		KTURN_ATTR_USERNAME, KTURN_ATTR_REALM, KTURN_ATTR_NONCE,
	};
	static const char *const text[] = { "alice", REALM, NULL };
	struct request r;
	size_t i, skip;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	for (skip = 0; skip < 3; skip++) {
		begin(&r);
		for (i = 0; i < 3; i++) {
			if (i == skip)
				continue;
			if (text[i])
				req_attr(&r, parts[i], text[i],
					 strlen(text[i]));
			else
				req_attr(&r, parts[i], c.nonce, c.nonce_len);
		}
		req_integrity(&r, KTURN_ATTR_MESSAGE_INTEGRITY, &c);
		KTAP_EQ(req_send(&r, &c), 400);
		KTAP_CHECK(resp.len <= r.b.len);
		KTAP_EQ(resp_count(KTURN_ATTR_MESSAGE_INTEGRITY), 0);
	}
	begin(&r);
	req_attr(&r, KTURN_ATTR_MESSAGE_INTEGRITY, NULL, 20);
	KTAP_EQ(req_send(&r, &c), 400);
	KTAP_CHECK(resp.len <= r.b.len);

	/* Credentials without integrity are a first request. */
	begin(&r);
	req_names(&r, &c);
	KTAP_EQ(req_send(&r, &c), 401);
	check_no_state();
	world_stop();
}

static void wrong_lengths(void)
{
	static const struct {
		uint16_t type;
		size_t len;
	} table[] = {
		{ KTURN_ATTR_MESSAGE_INTEGRITY, 0 },
		{ KTURN_ATTR_MESSAGE_INTEGRITY, 19 },
		{ KTURN_ATTR_MESSAGE_INTEGRITY, 21 },
		{ KTURN_ATTR_MESSAGE_INTEGRITY, 32 },
		{ KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, 0 },
		/* TURN does not allow to cut it short. */
		{ KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, 16 },
		{ KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, 28 },
		{ KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, 31 },
		{ KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, 36 },
	};
	struct request r, full;
	size_t i;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	for (i = 0; i < KTAP_COUNT(table); i++) {
		begin(&r);
		req_names(&r, &c);
		/* The right value as far as it goes. */
		full = r;
		full.b.buf = full.buf;
		req_integrity(&full, table[i].type, &c);
		req_attr(&r, table[i].type, full.buf + r.b.len + 4,
			 table[i].len);
		KTAP_EQ(req_send(&r, &c), 400);
		KTAP_CHECK(resp.len <= r.b.len);
	}

	for (i = 0; i <= 64; i += 16) {
		begin(&r);
		req_attr(&r, KTURN_ATTR_USERHASH, NULL, i);
		req_attr(&r, KTURN_ATTR_REALM, REALM, strlen(REALM));
		req_attr(&r, KTURN_ATTR_NONCE, c.nonce, c.nonce_len);
		req_integrity(&r, KTURN_ATTR_MESSAGE_INTEGRITY, &c);
		KTAP_EQ(req_send(&r, &c), i == 32 ? 401 : 400);
	}
	check_no_state();
	world_stop();
}

/* Bids lower than what was offered: section 9.2.1. */
static void bid_down(void)
{
	struct request r;
	int m;

	world_begin();
	client_init(&c, 40000);

	/* The list on its way was cut to MD5: the client says what it saw. */
	client_challenge(&c);
	KTAP_EQ(c.algorithms_len, 8);
	memcpy(c.algorithms, md5_only, 4);
	c.algorithms_len = 4;
	c.mechanism = ALG_MD5;
	begin(&r);
	req_auth(&r, &c);
	KTAP_EQ(req_send(&r, &c), 400);

	/* Or turned round, or made longer. */
	client_challenge(&c);
	memcpy(c.algorithms, both + 4, 4);
	memcpy(c.algorithms + 4, both, 4);
	for (m = ALG_MD5; m <= ALG_SHA256; m++) {
		c.mechanism = m;
		begin(&r);
		req_auth(&r, &c);
		KTAP_EQ(req_send(&r, &c), 400);
	}
	client_challenge(&c);
	memcpy(c.algorithms + 8, both, 8);
	c.algorithms_len = 16;
	begin(&r);
	req_auth(&r, &c);
	KTAP_EQ(req_send(&r, &c), 400);

	/* The list and the nonce's bit were taken out: the nonce is not ours. */
	client_challenge(&c);
	c.nonce[9] = 'A';
	c.mechanism = LEGACY;
	begin(&r);
	req_auth(&r, &c);
	KTAP_EQ(req_send(&r, &c), 438);
	/* Only the bit. */
	c.mechanism = ALG_SHA256;
	begin(&r);
	req_auth(&r, &c);
	KTAP_EQ(req_send(&r, &c), 438);
	/* The whole cookie. */
	memmove(c.nonce, c.nonce + 13, c.nonce_len - 13);
	c.nonce_len -= 13;
	c.mechanism = LEGACY;
	begin(&r);
	req_auth(&r, &c);
	KTAP_EQ(req_send(&r, &c), 438);
	check_no_state();
	world_stop();
}

/* Section 9.2.4's three conditions on the algorithms. */
static void algorithms(void)
{
	static const uint8_t chosen[][8] = {
		{ 0, 0, 0, 0 }, { 0, 3, 0, 0 }, { 0, 2, 0, 4 }, { 1, 2, 0, 0 },
	};
	struct request r;
	size_t i;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	c.mechanism = LEGACY;

	/* One without the other. */
	begin(&r);
	req_attr(&r, KTURN_ATTR_PASSWORD_ALGORITHMS, both, 8);
	req_auth(&r, &c);
	KTAP_EQ(req_send(&r, &c), 400);
	begin(&r);
	req_attr(&r, KTURN_ATTR_PASSWORD_ALGORITHM, md5_only, 4);
	req_auth(&r, &c);
	KTAP_EQ(req_send(&r, &c), 400);

	/* None of the list, or not as long as it says or must be. */
	for (i = 0; i < KTAP_COUNT(chosen); i++) {
		begin(&r);
		req_attr(&r, KTURN_ATTR_PASSWORD_ALGORITHMS, both, 8);
		req_attr(&r, KTURN_ATTR_PASSWORD_ALGORITHM, chosen[i], 4);
		req_auth(&r, &c);
		KTAP_EQ(req_send(&r, &c), 400);
	}
	for (i = 0; i <= 8; i++) {
		if (i == 4)
			continue;
		begin(&r);
		req_attr(&r, KTURN_ATTR_PASSWORD_ALGORITHMS, both, 8);
		req_attr(&r, KTURN_ATTR_PASSWORD_ALGORITHM, both, i);
		req_auth(&r, &c);
		KTAP_EQ(req_send(&r, &c), 400);
	}

	/* Where SHA-256 is not offered it can't be chosen. */
	world.features = 0;
	client_challenge(&c);
	c.mechanism = ALG_SHA256;
	begin(&r);
	req_auth(&r, &c);
	KTAP_EQ(req_send(&r, &c), 400);
	check_no_state();
	c.mechanism = ALG_MD5;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();
}

/* The realm changed its mind after the challenge: what was offered counts. */
static void features_change(void)
{
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	c.mechanism = ALG_SHA256;
	world.features = TURN_FEATURE_ANONYMITY;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);

	world.features = 0;
	client_challenge(&c);
	c.mechanism = ALG_MD5;
	world.features = TURN_FEATURE_SHA256;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();
}

/* Rows with one key only. */
static void missing_keys(void)
{
	static const struct user users[] = {
		{ "md5", "secret", true, false, NULL },
		{ "sha256", "secret", false, true, NULL },
		{ "none", "secret", false, false, NULL },
	};
	size_t i;
	int m;

	world_init();
	world.users = users;
	world.n_users = KTAP_COUNT(users);
	world_start();
	for (i = 0; i < KTAP_COUNT(users); i++)
		for (m = LEGACY; m <= ALG_SHA256; m++) {
			client_init(&c, 40000 + i * 10 + m);
			c.user = users[i].name;
			c.password = users[i].password;
			client_challenge(&c);
			c.mechanism = m;
			KTAP_EQ(do_allocate(&c),
				i == 2 || (i == 1) != (m == ALG_SHA256) ?
				401 : SUCCESS);
		}
	world_stop();
}

const struct ktap_case auth_cases[] = {
	{ "auth: the challenge says what is offered", challenge },
	{ "auth: no answer to a source without credentials", limited },
	{ "auth: each mechanism, with USERNAME and USERHASH", mechanisms },
	{ "auth: RFC 8489's example of a key", known_key },
	{ "auth: SHA-256 integrity without an algorithm",
	  sha256_without_algorithm },
	{ "auth: an algorithm with SHA-1 integrity", algorithm_with_sha1 },
	{ "auth: both integrity attributes", both_integrities },
	{ "auth: attributes after integrity are ignored", after_integrity },
	{ "auth: 400 when a part is missing", incomplete },
	{ "auth: 400 for attributes of wrong length", wrong_lengths },
	{ "auth: bid-down is noticed", bid_down },
	{ "auth: 400 for algorithms that don't match", algorithms },
	{ "auth: what was offered counts, not what is now", features_change },
	{ "auth: users without the key that is asked for", missing_keys },
};

const size_t auth_count = KTAP_COUNT(auth_cases);
