// SPDX-License-Identifier: GPL-2.0-or-later
/* Replies that nobody can be hit with: how large they get. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "turn_test.h"

static struct client c;
static char realm[200], software[800];

/* Every unauthenticated reply there is; client_send_raw() checks 200 bytes. */
static void check_all_replies(void)
{
	struct request r;
	int fingerprint;
	size_t i;

	for (fingerprint = 0; fingerprint < 2; fingerprint++) {
		client_init(&c, 40000);
		c.realm = world.realms[0].name;
		c.tuple.client = addr("[2001:db8::1]:40000");
		c.fingerprint = fingerprint;
		client_challenge(&c);			/* 401 */
		KTAP_CHECK(resp.len <= 200);
		req_begin(&r, &c, KTURN_BINDING);
		KTAP_EQ(req_send(&r, &c), SUCCESS);
		KTAP_CHECK(resp.len <= 200);
		req_begin(&r, &c, KTURN_BINDING);
		for (i = 0; i < 200; i++)
			req_attr(&r, 0x7000 + i, "", 0);
		KTAP_EQ(req_send(&r, &c), 420);
		KTAP_CHECK(resp.len <= 200);
		req_begin(&r, &c, KTURN_REFRESH);
		req_attr(&r, KTURN_ATTR_MESSAGE_INTEGRITY, NULL, 20);
		KTAP_EQ(req_send(&r, &c), 400);
		KTAP_CHECK(resp.len <= r.b.len);
		/* 401 for a wrong password, 438 for a nonce not ours. */
		c.password = "wrong";
		KTAP_EQ(do_allocate(&c), 401);
		KTAP_CHECK(resp.len <= 200);
		c.password = "wonderland";
		c.nonce[3] ^= 1;
		KTAP_EQ(do_allocate(&c), 438);
		KTAP_CHECK(resp.len <= 200);
	}
}

static void any_realm(void)
{
	size_t len, soft;

	memset(realm, 'r', sizeof(realm));
	memset(software, 's', sizeof(software));
	for (len = 1; len <= TURN_OWN_REALM_MAX; len++) {
		realm[len] = 0;
		for (soft = 0; soft < sizeof(software);
		     soft += soft < 120 ? 13 : 300) {
			software[soft] = 0;
			world_init();
			world.realms[0].name = realm;
			world.cfg.software = software;
			world_start();
			check_all_replies();
			world_stop();
			software[soft] = 's';
		}
		realm[len] = 'r';
	}

	/* The server's name takes some of that, with its header. */
	realm[60] = 0;
	software[40] = 0;
	world_init();
	world.realms[0].name = realm;
	world.cfg.server_name = software;
	world_start();
	check_all_replies();
	world_stop();
}

/*
 * Malformed requests, with credentials and without, right and wrong: the
 * answer is 400 or nothing, never larger than the request, and nothing else
 * happens.
 */
static void malformed_requests(void)
{
	static const struct {
		enum kturn_method method;
		uint16_t type;
		size_t len;
	} table[] = {
		{ KTURN_ALLOCATE, KTURN_ATTR_REQUESTED_TRANSPORT, 3 },
		{ KTURN_ALLOCATE, KTURN_ATTR_REQUESTED_TRANSPORT, 0 },
		{ KTURN_ALLOCATE, KTURN_ATTR_LIFETIME, 5 },
		{ KTURN_ALLOCATE, KTURN_ATTR_EVEN_PORT, 4 },
		{ KTURN_ALLOCATE, KTURN_ATTR_RESERVATION_TOKEN, 7 },
		{ KTURN_ALLOCATE, KTURN_ATTR_DONT_FRAGMENT, 1 },
		{ KTURN_ALLOCATE, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 1 },
		{ KTURN_ALLOCATE, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, 1 },
		{ KTURN_ALLOCATE, KTURN_ATTR_USERHASH, 31 },
		{ KTURN_REFRESH, KTURN_ATTR_LIFETIME, 0 },
		{ KTURN_REFRESH, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 2 },
		{ KTURN_CREATE_PERMISSION, KTURN_ATTR_XOR_PEER_ADDRESS, 7 },
		{ KTURN_CHANNEL_BIND, KTURN_ATTR_XOR_PEER_ADDRESS, 21 },
		{ KTURN_CHANNEL_BIND, KTURN_ATTR_CHANNEL_NUMBER, 2 },
	};
	struct request r;
	uint64_t before;
	size_t i, way;
	int code;

	world_begin();
	client_allocated(&c, 40000);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	world_pass(1000);
	before = world_state();
	for (i = 0; i < KTAP_COUNT(table); i++)
		for (way = 0; way < 4; way++) {
			req_begin(&r, &c, table[i].method);
			req_attr(&r, table[i].type, NULL, table[i].len);
			c.password = way == 2 ? "wrong" : "wonderland";
			c.nonce[3] ^= way == 3;
			if (way)
				req_auth(&r, &c);
			c.nonce[3] ^= way == 3;
			code = req_send(&r, &c);
			KTAP_CHECK(world_state() == before);
			if (code == NO_REPLY) {
				/* Only what 28 bytes don't fit into. */
				KTAP_CHECK(r.b.len < 28);
				continue;
			}
			KTAP_CHECK(resp.len <= r.b.len);
			/* In use: that comes first for who may know it. */
			KTAP_EQ(code, way == 1 && i < 8 ? 437 : 400);
		}
	world_stop();
}

/* Authenticated ones too, however much there is to say about the software. */
static void malformed_and_large_reply(void)
{
	struct request r;

	memset(software, 's', sizeof(software));
	software[700] = 0;
	world_init();
	world.cfg.software = software;
	world_start();
	client_allocated(&c, 40000);
	KTAP_EQ(resp_count(KTURN_ATTR_SOFTWARE), 1);
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	req_attr(&r, KTURN_ATTR_LIFETIME, NULL, 3);
	KTAP_EQ(req_call(&r, &c), 437);
	KTAP_CHECK(resp.len <= r.b.len);
	world_stop();
}

/* One peer of several is malformed: that is malformed too. */
static void malformed_second_peer(void)
{
	struct request r;

	world_begin();
	client_allocated(&c, 40000);
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_A);
	req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS, "bad", 3);
	KTAP_EQ(req_send(&r, &c), 400);
	KTAP_CHECK(resp.len <= r.b.len);
	world_stop();
}

/* With right credentials, and the walk over the attributes failing. */
static void broken_behind_integrity(void)
{
	struct request r;
	uint64_t before;
	size_t i;

	world_begin();
	client_allocated(&c, 40000);
	before = world_state();
	for (i = 1; i < 40; i++) {
		req_begin(&r, &c, KTURN_REFRESH);
		req_u32(&r, KTURN_ATTR_LIFETIME, 0);
		req_auth(&r, &c);
		req_attr(&r, 0x8abc, NULL, 0);
		kturn_put16(r.buf + r.b.len - 2, i);
		KTAP_EQ(req_send(&r, &c), 400);
		KTAP_CHECK(resp.len <= r.b.len);
		KTAP_CHECK(resp_integrity(KTURN_ATTR_MESSAGE_INTEGRITY, &c));
	}
	KTAP_CHECK(world_state() == before);
	world_stop();
}

const struct ktap_case malformed_cases[] = {
	{ "malformed: replies to strangers, any realm, 200 bytes", any_realm },
	{ "malformed: 400, never larger, nothing changes",
	  malformed_requests },
	{ "malformed: replies with a long SOFTWARE", malformed_and_large_reply },
	{ "malformed: the second of two peers", malformed_second_peer },
	{ "malformed: broken behind the integrity", broken_behind_integrity },
};

const size_t malformed_count = KTAP_COUNT(malformed_cases);
