// SPDX-License-Identifier: GPL-2.0-or-later
/* What ends when, to the millisecond, and what goes on without it. */
#include <arpa/inet.h>
#include <stdio.h>

#include "turn_test.h"

static struct client c;

static void start(void)
{
	world_begin();
	client_allocated(&c, 40000);
	KTAP_EQ(do_refresh(&c, 3600), SUCCESS);
}

/*
 * At the time of the end, with turn_expire() called or not yet: what has
 * ended may still be in memory, but must not count.
 */
static void collect(bool now)
{
	if (now)
		turn_expire(world.s, world.now);
}

static void permission(void)
{
	int gc;

	for (gc = 0; gc < 2; gc++) {
		start();
		KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
		world_pass(299999);
		collect(gc);
		KTAP_CHECK(sends_by_indication(&c, PEER_A));
		KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);
		world_pass(1);
		collect(gc);
		KTAP_CHECK(!sends_by_indication(&c, PEER_A));
		KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_OTHER);
		turn_expire(world.s, world.now);
		KTAP_EQ(turn_counters(world.s)->perms, 0);
		KTAP_EQ(turn_counters(world.s)->allocs, 1);
		world_stop();
	}
}

static void permission_refreshed(void)
{
	start();
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	world_pass(200000);
	/* Data does not refresh it, the request does, and so does a channel. */
	KTAP_CHECK(sends_by_indication(&c, PEER_A));
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	world_pass(200000);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	world_pass(299999);
	KTAP_EQ(receives(&c, PEER_A2), KTURN_KIND_STUN);
	world_pass(1);
	KTAP_EQ(receives(&c, PEER_A2), KTURN_KIND_OTHER);
	/* Once ended it can be made anew, before anybody collected it. */
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(receives(&c, PEER_A2), KTURN_KIND_STUN);
	KTAP_EQ(turn_counters(world.s)->perms, 1);
	world_stop();
}

static void data_refreshes_nothing(void)
{
	int i;

	start();
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
	for (i = 0; i < 299; i++) {
		world_pass(1000);
		KTAP_CHECK(sends_by_indication(&c, PEER_A));
		KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_B));
		KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);
		KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_CHANNEL);
	}
	world_pass(1000);
	KTAP_CHECK(!sends_by_indication(&c, PEER_A));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_OTHER);
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_OTHER);
	world_pass(300000);
	KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_B));
	world_stop();
}

/* The channel outlives its permission: one way only then. */
static void permission_under_channel(void)
{
	int gc;

	for (gc = 0; gc < 2; gc++) {
		start();
		KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
		world_pass(300000);
		collect(gc);
		KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
		KTAP_CHECK(!sends_by_indication(&c, PEER_A));
		KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_OTHER);
		/* With a permission again both ways, over the channel. */
		KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
		KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_CHANNEL);
		world_pass(299999);
		collect(gc);
		KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
		KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_CHANNEL);
		world_pass(1);
		collect(gc);
		KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_A));
		world_stop();
	}
}

/* Without the channel, but with a permission: Data indications. */
static void channel(void)
{
	int gc;

	for (gc = 0; gc < 2; gc++) {
		start();
		KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
		world_pass(400000);
		KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
		world_pass(199999);
		collect(gc);
		KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
		KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_CHANNEL);
		world_pass(1);
		collect(gc);
		KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_A));
		KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);
		KTAP_CHECK(sends_by_indication(&c, PEER_A));
		/* Both ends are free for others at once. */
		KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
		KTAP_EQ(do_bind(&c, 0x4001, PEER_A), SUCCESS);
		KTAP_EQ(turn_counters(world.s)->chans, 2);
		world_stop();
	}
}

static void channel_refreshed(void)
{
	start();
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	world_pass(500000);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	world_pass(599999);
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
	world_pass(1);
	KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_A));
	world_stop();
}

static void allocation(void)
{
	struct turn_alloc *a;
	int gc;

	for (gc = 0; gc < 2; gc++) {
		world_begin();
		client_allocated(&c, 40000);
		world_pass(599999);
		KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
		KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
		collect(gc);
		KTAP_CHECK(sends_by_indication(&c, PEER_A));
		KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_B));
		KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);

		world_pass(1);
		a = turn_alloc_find(world.s, &c.tuple);
		KTAP_CHECK(a && !turn_alloc_left_ms(a, world.now));
		KTAP_CHECK(!gc || !turn_expire(world.s, world.now - 1) ||
			   turn_alloc_find(world.s, &c.tuple));
		collect(gc);
		KTAP_CHECK(!sends_by_indication(&c, PEER_A));
		KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_B));
		if (!gc)
			KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_OTHER);
		KTAP_EQ(do_refresh(&c, 600), 437);
		/* All that belonged to it is gone with it. */
		KTAP_EQ(turn_counters(world.s)->allocs, 0);
		KTAP_EQ(turn_counters(world.s)->perms, 0);
		KTAP_EQ(turn_counters(world.s)->chans, 0);
		KTAP_EQ(world_open_ports(), 0);
		KTAP_EQ(world.quota_used, 0);
		KTAP_EQ(world.pushed, 0);
		KTAP_EQ(do_allocate(&c), SUCCESS);
		world_stop();
	}
}

/* A new Allocate finds the old one over, whoever looks first. */
static void allocate_again(void)
{
	struct request r;

	world_begin();
	client_allocated(&c, 40000);
	world_pass(599999);
	KTAP_EQ(do_allocate(&c), 437);
	world_pass(1);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_pass(600000);
	/* The transaction id of an allocation that ended: a new one. */
	req_again(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 600);
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	world_stop();
}

/* Each time when to come back, and nothing happens before. */
static void when_to_call(void)
{
	uint64_t at, t = T0;

	world_begin();
	KTAP_CHECK(turn_expire(world.s, t) == UINT64_MAX);
	client_allocated(&c, 40000);
	KTAP_EQ(turn_expire(world.s, t), t + 600000);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	KTAP_EQ(turn_expire(world.s, t), t + 300000);
	world_pass(10000);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(turn_expire(world.s, world.now), t + 310000);
	KTAP_EQ(do_refresh(&c, 3600), SUCCESS);

	at = turn_expire(world.s, t + 309999);
	KTAP_EQ(at, t + 310000);
	KTAP_EQ(turn_counters(world.s)->perms, 1);
	at = turn_expire(world.s, at);
	KTAP_EQ(turn_counters(world.s)->perms, 0);
	KTAP_EQ(at, t + 600000);
	at = turn_expire(world.s, at);
	KTAP_EQ(turn_counters(world.s)->chans, 0);
	KTAP_EQ(at, t + 3610000);
	at = turn_expire(world.s, at);
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	KTAP_CHECK(at == UINT64_MAX);
	world_stop();
}

static void administrator(void)
{
	struct kturn_addr peer = addr(PEER_A2);
	struct turn_alloc *a;

	start();
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4001, PEER_B), SUCCESS);
	a = turn_alloc_find(world.s, &c.tuple);
	turn_perm_end(world.s, a, &peer);
	turn_perm_end(world.s, a, &peer);
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_OTHER);
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_CHANNEL);
	turn_chan_end(world.s, a, 0x4001);
	turn_chan_end(world.s, a, 0x4001);
	turn_chan_end(world.s, a, 0x4002);
	KTAP_CHECK(!sends_by_channel(&c, 0x4001, PEER_B));
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_STUN);

	world_clear();
	turn_alloc_end(world.s, a);
	KTAP_CHECK(!strstr(world.trace, "offload_remove"));
	world.pushed--;
	KTAP_EQ(world_open_ports(), 0);
	KTAP_EQ(do_refresh(&c, 600), 437);
	world_stop();
}

const struct ktap_case expiry_cases[] = {
	{ "expiry: permission, after 300 s", permission },
	{ "expiry: permission, refreshed by requests", permission_refreshed },
	{ "expiry: data refreshes nothing", data_refreshes_nothing },
	{ "expiry: permission under a live channel", permission_under_channel },
	{ "expiry: channel, after 600 s", channel },
	{ "expiry: channel, refreshed", channel_refreshed },
	{ "expiry: allocation", allocation },
	{ "expiry: a new allocation after it", allocate_again },
	{ "expiry: when to call again", when_to_call },
	{ "expiry: ended by an administrator", administrator },
};

const size_t expiry_count = KTAP_COUNT(expiry_cases);
