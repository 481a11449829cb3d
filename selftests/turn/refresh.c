// SPDX-License-Identifier: GPL-2.0-or-later
/* Refresh (RFC 8656 section 8.2). */
#include "turn_test.h"

static struct client c;

static uint32_t left(void)
{
	struct turn_alloc *a = turn_alloc_find(world.s, &c.tuple);

	return a ? turn_alloc_left_ms(a, world.now) : 0;
}

static void lifetimes(void)
{
	static const struct {
		uint32_t asked, got;
	} table[] = {
		{ 1, 600 }, { 599, 600 }, { 600, 600 }, { 601, 601 },
		{ 3600, 3600 }, { 3601, 3600 }, { UINT32_MAX, 3600 },
	};
	struct request r;
	size_t i;

	world_begin();
	client_allocated(&c, 40000);
	for (i = 0; i < KTAP_COUNT(table); i++) {
		world_pass(5000);
		KTAP_EQ(do_refresh(&c, table[i].asked), SUCCESS);
		KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), table[i].got);
		KTAP_EQ(left(), table[i].got * 1000);
		KTAP_EQ(world.off_lifetime, table[i].got);
		KTAP_CHECK(!strcmp(world.trace,
				   "user_keys offload_refresh client_send "));
	}
	/* Without LIFETIME the default. */
	req_begin(&r, &c, KTURN_REFRESH);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 600);
	KTAP_EQ(left(), 600000);
	world_stop();
}

static void deletion(void)
{
	world_begin();
	client_allocated(&c, 40000);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 0);
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	KTAP_EQ(turn_counters(world.s)->perms, 0);
	KTAP_EQ(turn_counters(world.s)->chans, 0);
	KTAP_EQ(world_open_ports(), 0);
	KTAP_EQ(world.pushed, 0);

	/* Repeated: 437, which the client takes for success. */
	KTAP_EQ(do_refresh(&c, 0), 437);

	/* A new allocation there has nothing of the old one. */
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_CHECK(!sends_by_indication(&c, PEER_A));
	KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_B));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_OTHER);
	world_stop();
}

static void family(void)
{
	struct request r;
	uint64_t before;
	size_t i;

	world_begin();
	client_allocated(&c, 40000);
	world_pass(1000);
	before = world_state();
	for (i = 0; i < 256; i++) {
		req_begin(&r, &c, KTURN_REFRESH);
		req_u32(&r, KTURN_ATTR_LIFETIME, i % 2 * 700);
		req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY,
			(uint32_t)i << 24);
		if (i == 1)
			continue;
		KTAP_EQ(req_call(&r, &c), 443);
	}
	KTAP_CHECK(world_state() == before);
	req_begin(&r, &c, KTURN_REFRESH);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 1 << 24 | 0xabcdef);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	world_stop();
}

static void refused(void)
{
	struct request r;
	uint64_t before;
	size_t len;

	world_begin();
	client_allocated(&c, 40000);
	world_pass(1000);
	before = world_state();
	for (len = 0; len <= 8; len++) {
		if (len == 4)
			continue;
		req_begin(&r, &c, KTURN_REFRESH);
		req_attr(&r, KTURN_ATTR_LIFETIME, NULL, len);
		KTAP_EQ(req_call(&r, &c), 400);
		req_begin(&r, &c, KTURN_REFRESH);
		req_attr(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY,
			 "\1\0\0\0\0\0\0", len);
		KTAP_EQ(req_call(&r, &c), 400);
	}
	world.offload_fails = true;
	KTAP_EQ(do_refresh(&c, 900), 508);
	KTAP_CHECK(world_state() == before);
	KTAP_EQ(left(), 599000);
	/* The end can't be refused. */
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	world_stop();
}

const struct ktap_case refresh_cases[] = {
	{ "refresh: LIFETIME", lifetimes },
	{ "refresh: LIFETIME 0 ends it, and all that belongs to it", deletion },
	{ "refresh: 443 for another family", family },
	{ "refresh: 400 and 508 change nothing", refused },
};

const size_t refresh_count = KTAP_COUNT(refresh_cases);
