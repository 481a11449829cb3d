// SPDX-License-Identifier: GPL-2.0-or-later
/* CreatePermission (RFC 8656 sections 9 and 10). */
#include <stdio.h>

#include "turn_test.h"

static struct client c;

static void one_address(void)
{
	struct kturn_addr ip = addr("192.0.2.10:0");

	world_allocated(&c);
	KTAP_CHECK(!sends_by_indication(&c, PEER_A));
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_CHECK(strstr(world.trace, "offload_peers client_send"));
	KTAP_EQ(world.off_n, 1);
	KTAP_EQ(world.off_number, 0);
	KTAP_MEM_EQ(&world.off_peers[0], &ip, sizeof(ip));
	KTAP_EQ(turn_counters(world.s)->perms, 1);

	/* The address, with whatever port; no other address. */
	KTAP_CHECK(sends_by_indication(&c, PEER_A));
	KTAP_CHECK(sends_by_indication(&c, PEER_A2));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);
	KTAP_EQ(receives(&c, PEER_A2), KTURN_KIND_STUN);
	KTAP_CHECK(!sends_by_indication(&c, PEER_B));
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_OTHER);

	/* Again, by another port: still one. */
	KTAP_EQ(do_permit(&c, "192.0.2.10:0"), SUCCESS);
	KTAP_EQ(do_permit(&c, "192.0.2.10:65535"), SUCCESS);
	KTAP_EQ(turn_counters(world.s)->perms, 1);
	world_stop();
}

static void several(void)
{
	struct request r;

	world_allocated(&c);
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_A);
	req_attr(&r, KTURN_ATTR_SOFTWARE, "between", 7);
	req_peer(&r, PEER_A2);
	req_peer(&r, PEER_B);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_EQ(world.off_n, 2);
	KTAP_EQ(turn_counters(world.s)->perms, 2);
	KTAP_CHECK(sends_by_indication(&c, PEER_A));
	KTAP_CHECK(sends_by_indication(&c, PEER_B));

	/* Those after the integrity are not there, valid or not. */
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_A);
	req_auth(&r, &c);
	req_peer(&r, "192.0.2.30:1");
	req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS, "bad", 3);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_EQ(turn_counters(world.s)->perms, 2);

	/* Only after it: none. */
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_auth(&r, &c);
	req_peer(&r, PEER_A);
	KTAP_EQ(req_send(&r, &c), 400);
	world_stop();
}

/* One bad one spoils all, wherever it stands. */
static void all_or_nothing(void)
{
	static const uint8_t bad[][20] = {
		{ 0, 0 }, { 0, 3 }, { 0, 1 }, { 0, 2 },
	};
	static const size_t lens[] = { 0, 1, 4, 7, 9, 12, 19, 21, 24 };
	struct request r;
	size_t i, j;
	int first;

	world_allocated(&c);
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_refused(&r, &c, 400);

	for (first = 0; first < 2; first++) {
		for (i = 0; i < KTAP_COUNT(bad); i++)
			for (j = 0; j < KTAP_COUNT(lens); j++) {
				req_begin(&r, &c, KTURN_CREATE_PERMISSION);
				if (!first)
					req_peer(&r, PEER_A);
				req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS,
					 lens[j] > 20 ? NULL : bad[i], lens[j]);
				if (first)
					req_peer(&r, PEER_A);
				req_refused(&r, &c, 400);
			}

		req_begin(&r, &c, KTURN_CREATE_PERMISSION);
		if (!first)
			req_peer(&r, PEER_A);
		req_peer(&r, PEER_V6);
		if (first)
			req_peer(&r, PEER_A);
		req_refused(&r, &c, 443);
	}
	world_stop();
}

static void forbidden(void)
{
	struct request r;

	world_allocated(&c);
	world.rules[0] = (struct rule){ addr("192.0.2.20:0"),
					TURN_PEER_FORBIDDEN };
	world.n_rules = 1;
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_B);
	req_refused(&r, &c, 403);
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_A);
	req_peer(&r, PEER_B);
	req_refused(&r, &c, 403);

	/* 400 before 443, 443 before 403. */
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_B);
	req_peer(&r, PEER_V6);
	req_refused(&r, &c, 443);
	KTAP_CHECK(!strstr(world.trace, "peer_check"));
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_V6);
	req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS, "bad", 3);
	req_refused(&r, &c, 400);

	/* A port of ours that is not relayed: it is the address that counts. */
	world.rules[0].verdict = TURN_PEER_PORT_FORBIDDEN;
	KTAP_EQ(do_permit(&c, PEER_B), SUCCESS);
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_STUN);
	world_stop();
}

/* No rule can open these. */
static void never(void)
{
	static const char *const v4[] = {
		"0.0.0.0:1", "224.0.0.1:1", "239.255.255.255:1",
		"255.255.255.255:1",
	};
	static const char *const v6[] = {
		"[::]:1", "[ff02::1]:1", "[ff0e::1]:1",
		"[::ffff:192.0.2.10]:1", "[::ffff:0:0]:1",
		"[2002:c000:20a::1]:1", "[2001:0:c000:20a::1]:1",
	};
	static const char *const fine[] = {
		"[::1:ffff:c000:20a]:1", "[2001:1::1]:1", "[2003::1]:1",
		"[fe00::1]:1",
	};
	struct request r;
	size_t i;

	world_allocated(&c);
	for (i = 0; i < KTAP_COUNT(v4); i++) {
		req_begin(&r, &c, KTURN_CREATE_PERMISSION);
		req_peer(&r, v4[i]);
		req_refused(&r, &c, 403);
		KTAP_CHECK(strstr(world.log, "peer-refused"));
	}
	/* In another family's clothes they are of that family: 443. */
	for (i = 0; i < KTAP_COUNT(v6); i++) {
		req_begin(&r, &c, KTURN_CREATE_PERMISSION);
		req_peer(&r, v6[i]);
		req_refused(&r, &c, 443);
	}
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 2 << 24);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	for (i = 0; i < KTAP_COUNT(v6); i++) {
		req_begin(&r, &c, KTURN_CREATE_PERMISSION);
		req_peer(&r, v6[i]);
		req_refused(&r, &c, 403);
	}
	for (i = 0; i < KTAP_COUNT(fine); i++)
		KTAP_EQ(do_permit(&c, fine[i]), SUCCESS);
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_A);
	req_refused(&r, &c, 443);
	world_stop();
}

static void capacity(void)
{
	struct request r;
	char peer[32];
	int none;
	size_t i;

	world_allocated(&c);
	/* As many at once as there may be, some of them twice. */
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	for (i = 0; i < TURN_PERMISSIONS_MAX + 20; i++) {
		snprintf(peer, sizeof(peer), "198.18.%zu.%zu:1",
			 i % TURN_PERMISSIONS_MAX / 100,
			 i % TURN_PERMISSIONS_MAX % 100);
		req_peer(&r, peer);
	}
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_EQ(world.off_n, TURN_PERMISSIONS_MAX);
	KTAP_EQ(turn_counters(world.s)->perms, TURN_PERMISSIONS_MAX);

	/* One more is too many, but those that are there can be refreshed. */
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_A);
	req_refused(&r, &c, 508);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), 508);
	KTAP_EQ(do_permit(&c, "198.18.0.7:1"), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, "198.18.0.7:1"), SUCCESS);

	/* When they have ended there is room again. */
	world_pass(299999);
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_A);
	req_refused(&r, &c, 508);
	world_pass(1);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(turn_counters(world.s)->perms, 1);

	/* More in one request than there may be, also where none is yet. */
	world_pass(200000);
	KTAP_EQ(do_refresh(&c, 3600), SUCCESS);
	for (none = 0; none < 2; none++) {
		req_begin(&r, &c, KTURN_CREATE_PERMISSION);
		for (i = 0; i <= TURN_PERMISSIONS_MAX; i++) {
			snprintf(peer, sizeof(peer), "198.18.%zu.%zu:1",
				 i / 100, i % 100);
			req_peer(&r, peer);
		}
		req_refused(&r, &c, 508);
		KTAP_EQ(turn_counters(world.s)->perms, !none);
		world_pass(100000);
		turn_expire(world.s, world.now);
	}
	world_stop();
}

static void offload_failure(void)
{
	struct request r;

	world_allocated(&c);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	world_pass(1000);
	world.offload_fails = true;
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_A);
	req_peer(&r, PEER_B);
	req_refused(&r, &c, 508);
	KTAP_CHECK(!sends_by_indication(&c, PEER_B));
	world_stop();
}

/* Of one allocation only. */
static void separate(void)
{
	struct client d;

	world_allocated(&c);
	client_allocated(&d, 40001);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_CHECK(sends_by_indication(&c, PEER_A));
	KTAP_CHECK(!sends_by_indication(&d, PEER_A));
	KTAP_EQ(receives(&d, PEER_A), KTURN_KIND_OTHER);
	world_stop();
}

const struct ktap_case permission_cases[] = {
	{ "permission: for an address, whatever the port", one_address },
	{ "permission: several in one request", several },
	{ "permission: 400 and 443, all or nothing", all_or_nothing },
	{ "permission: 403, after 443 and 400", forbidden },
	{ "permission: 403 for what no rule can open", never },
	{ "permission: 508 beyond the limit", capacity },
	{ "permission: 508 when the offload fails", offload_failure },
	{ "permission: of one allocation only", separate },
};

const size_t permission_count = KTAP_COUNT(permission_cases);
