// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hundred thousand allocations, each with a permission and a channel, of
 * which some thousand end at once: nobody may have to look at all of them.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "turn_test.h"

#define ALLOCS	100000

static void no_relay_close(void *env, struct turn_relay *relay)
{
}

static void nth_tuple(size_t i, struct turn_tuple *tuple)
{
	uint32_t ip = htonl(0x0a000000 + i / 50000);

	*tuple = (struct turn_tuple){ .server = addr("203.0.113.1:3478") };
	tuple->client.family = KTURN_FAMILY_V4;
	memcpy(tuple->client.ip, &ip, sizeof(ip));
	tuple->client.port = htons(i % 50000 + 1024);
}

/* Ends 1 to 1000 s from the start, neighbours far apart. */
static uint32_t nth_left_ms(size_t i)
{
	return 1000 * (1 + i * 7919 % 1000);
}

static void adopt(size_t i)
{
	static const struct kturn_addr peer = {
		.ip = { 192, 0, 2, 1 }, .port = 1, .family = KTURN_FAMILY_V4,
	};
	static const struct turn_relay relays[2] = { {
		.addr.family = KTURN_FAMILY_V4,
		.public.family = KTURN_FAMILY_V4,
	} };
	struct turn_alloc *a;
	struct turn_tuple t;

	nth_tuple(i, &t);
	a = turn_adopt_alloc(world.s, world.now, &t, relays, nth_left_ms(i),
			     world.packed, world.packed_len);
	if (!KTAP_CHECK(a))
		return;
	turn_alloc_set_offload(a, 1);
	world.pushed++;
	KTAP_EQ(turn_adopt_perm(world.s, a, world.now, &peer, UINT32_MAX), 0);
	KTAP_EQ(turn_adopt_chan(world.s, a, world.now, 0x4000, &peer,
				UINT32_MAX), 0);
}

static void hundred_thousand(void)
{
	struct turn_ops ops = world_ops;
	const struct turn_counters *n;
	struct turn_tuple t;
	struct client c;
	size_t i;

	world_begin();
	client_allocated(&c, 40000);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	world_stop();

	ops.relay_close = no_relay_close;
	world.quota_left = ALLOCS;
	world.s = turn_server_new(&world.cfg, &ops, &world);
	if (!KTAP_CHECK(world.s))
		return;
	n = turn_counters(world.s);
	for (i = 0; i < ALLOCS; i++)
		adopt(i);
	KTAP_EQ(n->allocs, ALLOCS);
	KTAP_EQ(n->perms, ALLOCS);
	KTAP_EQ(n->chans, ALLOCS);

	/* Exactly those whose time has come, a hundred each second. */
	for (i = 1; i <= 990; i++) {
		world_pass(1000);
		KTAP_EQ(turn_expire(world.s, world.now), world.now + 1000);
		KTAP_EQ(n->allocs, ALLOCS - i * 100);
		KTAP_EQ(n->perms, n->allocs);
		KTAP_EQ(n->chans, n->allocs);
	}
	for (i = 0; i < ALLOCS; i++) {
		nth_tuple(i, &t);
		KTAP_EQ(!!turn_alloc_find(world.s, &t),
			nth_left_ms(i) > 990 * 1000);
	}
	KTAP_EQ(world.quota_used, 1000);
	world_stop();
}

const struct ktap_case scale_cases[] = {
	{ "scale: 100,000 allocations end in their order", hundred_thousand },
};

const size_t scale_count = KTAP_COUNT(scale_cases);
