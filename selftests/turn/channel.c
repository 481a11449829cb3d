// SPDX-License-Identifier: GPL-2.0-or-later
/* ChannelBind (RFC 8656 section 12.2). */
#include <stdio.h>

#include "turn_test.h"

static struct client c;

static void begin(struct request *r, uint16_t number, const char *peer)
{
	req_begin(r, &c, KTURN_CHANNEL_BIND);
	req_u32(r, KTURN_ATTR_CHANNEL_NUMBER, (uint32_t)number << 16);
	req_peer(r, peer);
}

static void both_ways(void)
{
	struct kturn_addr peer = addr(PEER_A);

	world_allocated(&c);
	KTAP_EQ(do_bind(&c, 0x4abc, PEER_A), SUCCESS);
	KTAP_CHECK(strstr(world.trace, "offload_peers client_send"));
	KTAP_EQ(world.off_n, 1);
	KTAP_EQ(world.off_number, 0x4abc);
	KTAP_MEM_EQ(&world.off_peers[0], &peer, sizeof(peer));
	KTAP_EQ(turn_counters(world.s)->chans, 1);
	KTAP_EQ(turn_counters(world.s)->perms, 1);

	KTAP_CHECK(sends_by_channel(&c, 0x4abc, PEER_A));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_CHANNEL);
	/* The permission is for all ports, the channel for one. */
	KTAP_EQ(receives(&c, PEER_A2), KTURN_KIND_STUN);
	KTAP_CHECK(sends_by_indication(&c, PEER_A));
	KTAP_CHECK(sends_by_indication(&c, PEER_A2));
	KTAP_CHECK(!sends_by_channel(&c, 0x4abd, PEER_A));
	world_stop();
}

static void numbers(void)
{
	static const struct {
		uint16_t number;
		int rfc8656, rfc5766;
	} table[] = {
		{ 0x0000, 400, 400 }, { 0x3fff, 400, 400 },
		{ 0x4000, 0, 0 }, { 0x4001, 0, 0 }, { 0x4fff, 0, 0 },
		{ 0x5000, 400, 0 }, { 0x7fff, 400, 0 },
		{ 0x8000, 400, 400 }, { 0xffff, 400, 400 },
	};
	char peer[32];
	size_t i;

	world_allocated(&c);
	for (i = 0; i < KTAP_COUNT(table); i++) {
		snprintf(peer, sizeof(peer), "192.0.2.%zu:1", i + 1);
		KTAP_EQ(do_bind(&c, table[i].number, peer), table[i].rfc8656);
	}
	world_stop();

	world_init();
	world.cfg.chan_max = KTURN_CHAN_MAX_5766;
	world_start();
	client_allocated(&c, 40000);
	for (i = 0; i < KTAP_COUNT(table); i++) {
		snprintf(peer, sizeof(peer), "192.0.2.%zu:1", i + 1);
		KTAP_EQ(do_bind(&c, table[i].number, peer), table[i].rfc5766);
	}
	world_stop();
}

static void conflicts(void)
{
	struct request r;

	world_allocated(&c);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4001, PEER_A2), SUCCESS);
	world_pass(1000);
	begin(&r, 0x4000, PEER_B);
	req_refused(&r, &c, 400);
	begin(&r, 0x4002, PEER_A);
	req_refused(&r, &c, 400);
	/* Both bound, to others. */
	begin(&r, 0x4000, PEER_A2);
	req_refused(&r, &c, 400);
	/* Bound like this already: refreshed. */
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	KTAP_EQ(turn_counters(world.s)->chans, 2);
	/* After 400 for the conflict comes 443. */
	begin(&r, 0x4000, PEER_V6);
	req_refused(&r, &c, 400);
	begin(&r, 0x4002, PEER_V6);
	req_refused(&r, &c, 443);
	world_stop();
}

static void malformed(void)
{
	struct request r;
	size_t len;

	world_allocated(&c);
	req_begin(&r, &c, KTURN_CHANNEL_BIND);
	req_refused(&r, &c, 400);
	req_begin(&r, &c, KTURN_CHANNEL_BIND);
	req_peer(&r, PEER_A);
	req_refused(&r, &c, 400);
	req_begin(&r, &c, KTURN_CHANNEL_BIND);
	req_u32(&r, KTURN_ATTR_CHANNEL_NUMBER, 0x40000000);
	req_refused(&r, &c, 400);
	for (len = 0; len <= 8; len++) {
		if (len == 4)
			continue;
		req_begin(&r, &c, KTURN_CHANNEL_BIND);
		req_attr(&r, KTURN_ATTR_CHANNEL_NUMBER, "\x40\0\0\0\0\0\0",
			 len);
		req_peer(&r, PEER_A);
		req_refused(&r, &c, 400);
	}
	for (len = 0; len <= 24; len++) {
		if (len == 8)
			continue;
		req_begin(&r, &c, KTURN_CHANNEL_BIND);
		req_u32(&r, KTURN_ATTR_CHANNEL_NUMBER, 0x40000000);
		req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS,
			 "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", len);
		req_refused(&r, &c, 400);
	}
	/* Only the first of each counts. */
	begin(&r, 0x4000, PEER_A);
	req_u32(&r, KTURN_ATTR_CHANNEL_NUMBER, 0);
	req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS, "bad", 3);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
	KTAP_EQ(turn_counters(world.s)->perms, 1);
	world_stop();
}

static void forbidden(void)
{
	struct request r;

	world_allocated(&c);
	world.rules[0] = (struct rule){ addr("192.0.2.20:0"),
					TURN_PEER_FORBIDDEN };
	world.rules[1] = (struct rule){ addr("203.0.113.1:3478"),
					TURN_PEER_PORT_FORBIDDEN };
	world.n_rules = 2;
	begin(&r, 0x4000, PEER_B);
	req_refused(&r, &c, 403);
	begin(&r, 0x4000, "203.0.113.1:3478");
	req_refused(&r, &c, 403);
	KTAP_EQ(do_bind(&c, 0x4000, "203.0.113.1:50007"), SUCCESS);
	/* Nothing can be sent to port 0. */
	begin(&r, 0x4001, "192.0.2.10:0");
	req_refused(&r, &c, 403);
	begin(&r, 0x4001, "224.0.0.1:1");
	req_refused(&r, &c, 403);
	begin(&r, 0x4001, "0.0.0.0:1");
	req_refused(&r, &c, 403);
	/* 400 first, and 443. */
	begin(&r, 0x3000, PEER_B);
	req_refused(&r, &c, 400);
	begin(&r, 0x4001, "[ff02::1]:1");
	req_refused(&r, &c, 443);
	world_stop();
}

/* RFC 8656 section 21.4: nor from a client that came to be tunneled. */
static void tunneled_client(void)
{
	struct turn_relay relays[2] = { 0 };
	struct request r;

	world_allocated(&c);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	relays[0] = *turn_alloc_relay(turn_alloc_find(world.s, &c.tuple),
				      KTURN_FAMILY_V4);
	c.tuple.client = addr("[2002:c633:6401::1]:40000");
	turn_alloc_end(world.s, turn_alloc_find(world.s, &(struct turn_tuple){
		addr("198.51.100.1:40000"), c.tuple.server, TURN_UDP }));
	world.pushed--;
	world.ports[1].open = true;
	KTAP_CHECK(turn_adopt_alloc(world.s, world.now, &c.tuple, relays, 10000,
				    world.packed, world.packed_len));
	turn_alloc_set_offload(turn_alloc_find(world.s, &c.tuple), 1);
	world.pushed++;
	client_challenge(&c);
	begin(&r, 0x4000, PEER_A);
	req_refused(&r, &c, 403);
	world_stop();
}

static void offload_failure(void)
{
	struct request r;

	world_allocated(&c);
	world.offload_fails = true;
	begin(&r, 0x4000, PEER_A);
	req_refused(&r, &c, 508);
	world.offload_fails = false;
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	world_pass(1000);
	world.offload_fails = true;
	begin(&r, 0x4000, PEER_A);
	req_refused(&r, &c, 508);
	world_stop();
}

/* The whole range to one host; more only with RFC 5766's, which is too many. */
static void capacity(void)
{
	struct request r;
	char peer[32];
	size_t i;

	world_init();
	world.cfg.chan_max = KTURN_CHAN_MAX_5766;
	world_start();
	client_allocated(&c, 40000);
	for (i = 0; i < TURN_CHANNELS_MAX; i++) {
		snprintf(peer, sizeof(peer), "192.0.2.10:%zu", i + 1);
		KTAP_EQ(do_bind(&c, 0x4000 + i, peer), SUCCESS);
	}
	KTAP_EQ(turn_counters(world.s)->chans, TURN_CHANNELS_MAX);
	KTAP_EQ(turn_counters(world.s)->perms, 1);
	begin(&r, 0x4000 + i, "192.0.2.10:60000");
	req_refused(&r, &c, 508);
	KTAP_EQ(do_bind(&c, 0x4fff, "192.0.2.10:4096"), SUCCESS);
	for (i = 0; i < TURN_CHANNELS_MAX; i += 97) {
		snprintf(peer, sizeof(peer), "192.0.2.10:%zu", i + 1);
		KTAP_CHECK(sends_by_channel(&c, 0x4000 + i, peer));
		KTAP_EQ(receives(&c, peer), KTURN_KIND_CHANNEL);
		KTAP_EQ(kturn_get16(world.sent[0].p), 0x4000 + i);
	}
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_EQ(turn_counters(world.s)->chans, 0);
	world_stop();
}

/* The same number and the same peer in another allocation: another channel. */
static void separate(void)
{
	struct client d;

	world_allocated(&c);
	client_allocated(&d, 40001);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&d, 0x4000, PEER_B), SUCCESS);
	KTAP_EQ(do_bind(&d, 0x4001, PEER_A), SUCCESS);
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
	KTAP_CHECK(sends_by_channel(&d, 0x4000, PEER_B));
	KTAP_CHECK(sends_by_channel(&d, 0x4001, PEER_A));
	KTAP_CHECK(!sends_by_channel(&c, 0x4001, PEER_A));
	world_stop();
}

const struct ktap_case channel_cases[] = {
	{ "channel: binds, and permits, both ways", both_ways },
	{ "channel: number range, as configured", numbers },
	{ "channel: 400 for conflicts", conflicts },
	{ "channel: 400 for what is missing or malformed", malformed },
	{ "channel: 403, after 400 and 443", forbidden },
	{ "channel: 403 for a 6to4 client", tunneled_client },
	{ "channel: 508 when the offload fails", offload_failure },
	{ "channel: 508 beyond the limit", capacity },
	{ "channel: of one allocation only", separate },
};

const size_t channel_count = KTAP_COUNT(channel_cases);
