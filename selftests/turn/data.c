// SPDX-License-Identifier: GPL-2.0-or-later
/* Relaying: Send, Data and ChannelData (RFC 8656 sections 11 and 12). */
#include <arpa/inet.h>

#include "turn_test.h"

static struct client c;
static uint8_t payload[65536];

static void start(void)
{
	size_t i;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = i * 7 + 1;
	world_begin();
	client_allocated(&c, 40000);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
}

/* A Send indication of these attributes, and the peer in front if @peer. */
static void send_begin(struct request *r, const char *peer)
{
	req_begin(r, &c, KTURN_SEND);
	kturn_put16(r->buf, KTURN_TYPE_SEND_IND);
	if (peer)
		req_peer(r, peer);
}

static bool relayed(struct request *r)
{
	uint64_t before = world_state();

	KTAP_CHECK(!r->b.overflow);
	client_send_raw(&c, r->b.buf, r->b.len);
	KTAP_CHECK(world_state() == before);
	return world.n_sent;
}

static void send_sizes(void)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 160, 1200, 1472, 8000 };
	size_t i;

	start();
	for (i = 0; i < KTAP_COUNT(sizes); i++) {
		send_indication(&c, PEER_A, payload, sizes[i], false);
		check_to_peer(&c.relay, PEER_A, payload, sizes[i], false);
	}
	KTAP_EQ(turn_counters(world.s)->to_peer_packets, KTAP_COUNT(sizes));
	KTAP_EQ(turn_counters(world.s)->to_peer_bytes,
		0 + 1 + 2 + 3 + 4 + 5 + 160 + 1200 + 1472 + 8000);
	/* The peer with a channel too. */
	send_indication(&c, PEER_B, payload, 7, false);
	check_to_peer(&c.relay, PEER_B, payload, 7, false);
	world_stop();
}

/* In any order, with whatever else that does not matter. */
static void send_forms(void)
{
	struct request r;

	start();
	send_begin(&r, NULL);
	req_attr(&r, KTURN_ATTR_DATA, "data", 4);
	req_peer(&r, PEER_A);
	KTAP_CHECK(relayed(&r));
	check_to_peer(&c.relay, PEER_A, "data", 4, false);

	/* A FINGERPRINT is not looked at, right or wrong, last or not. */
	send_begin(&r, NULL);
	req_attr(&r, KTURN_ATTR_DATA, "data", 4);
	req_peer(&r, PEER_A);
	req_u32(&r, KTURN_ATTR_FINGERPRINT, 0x12345678);
	KTAP_CHECK(relayed(&r));
	send_begin(&r, PEER_A);
	req_u32(&r, KTURN_ATTR_FINGERPRINT, 0x12345678);
	req_attr(&r, KTURN_ATTR_DATA, "data", 4);
	KTAP_CHECK(relayed(&r));

	/* Optional and meaningless ones are skipped; the first ones count. */
	send_begin(&r, PEER_A);
	req_attr(&r, 0x8abc, "x", 1);
	req_attr(&r, KTURN_ATTR_LIFETIME, "x", 1);
	req_attr(&r, KTURN_ATTR_DATA, "first", 5);
	req_peer(&r, PEER_B);
	req_attr(&r, KTURN_ATTR_DATA, "second", 6);
	KTAP_CHECK(relayed(&r));
	check_to_peer(&c.relay, PEER_A, "first", 5, false);
	world_stop();
}

/* Indications are never authenticated: integrity is ignored, and the rest. */
static void send_with_integrity(void)
{
	static const uint16_t types[] = {
		KTURN_ATTR_MESSAGE_INTEGRITY,
		KTURN_ATTR_MESSAGE_INTEGRITY_SHA256,
	};
	struct request r;
	size_t i;

	start();
	for (i = 0; i < KTAP_COUNT(types); i++) {
		send_begin(&r, PEER_A);
		req_attr(&r, KTURN_ATTR_DONT_FRAGMENT, NULL, 0);
		req_attr(&r, KTURN_ATTR_DATA, "hello", 5);
		req_attr(&r, types[i], "wrong", 5);
		req_attr(&r, 0x7abc, "x", 1);
		KTAP_CHECK(relayed(&r));
		check_to_peer(&c.relay, PEER_A, "hello", 5, true);

		/* What comes after it is not there. */
		send_begin(&r, PEER_A);
		req_attr(&r, types[i], NULL, 20);
		req_attr(&r, KTURN_ATTR_DATA, "hello", 5);
		KTAP_CHECK(!relayed(&r));
		send_begin(&r, NULL);
		req_attr(&r, KTURN_ATTR_DATA, "hello", 5);
		req_attr(&r, types[i], NULL, 20);
		req_peer(&r, PEER_A);
		KTAP_CHECK(!relayed(&r));
		/* What is wrong before it counts, and so does its frame. */
		send_begin(&r, PEER_A);
		req_attr(&r, 0x7abc, "x", 1);
		req_attr(&r, KTURN_ATTR_DATA, "hello", 5);
		req_attr(&r, types[i], NULL, 20);
		KTAP_CHECK(!relayed(&r));
		send_begin(&r, NULL);
		req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS, "bad", 3);
		req_attr(&r, KTURN_ATTR_DATA, "hello", 5);
		req_attr(&r, types[i], NULL, 20);
		KTAP_CHECK(!relayed(&r));
		send_begin(&r, PEER_A);
		req_attr(&r, KTURN_ATTR_DATA, "hello", 5);
		req_attr(&r, types[i], NULL, 20);
		req_attr(&r, 0x8abc, NULL, 0);
		kturn_put16(r.buf + r.b.len - 2, 40);
		KTAP_CHECK(!relayed(&r));
	}
	world_stop();
}

static void send_refused(void)
{
	struct request r;
	uint64_t malformed;

	start();
	malformed = turn_counters(world.s)->malformed;
	send_begin(&r, PEER_A);
	KTAP_CHECK(!relayed(&r));
	send_begin(&r, NULL);
	req_attr(&r, KTURN_ATTR_DATA, "data", 4);
	KTAP_CHECK(!relayed(&r));
	send_begin(&r, NULL);
	req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS, "bad", 3);
	req_peer(&r, PEER_A);
	req_attr(&r, KTURN_ATTR_DATA, "data", 4);
	KTAP_CHECK(!relayed(&r));
	send_begin(&r, PEER_A);
	req_attr(&r, KTURN_ATTR_DATA, "data", 4);
	req_attr(&r, 0x7abc, "", 0);
	KTAP_CHECK(!relayed(&r));
	send_begin(&r, PEER_A);
	req_attr(&r, KTURN_ATTR_DATA, "data", 4);
	kturn_put16(r.buf + r.b.len - 6, 5);
	KTAP_CHECK(!relayed(&r));
	KTAP_EQ(turn_counters(world.s)->malformed, malformed + 5);

	/* Well-formed, but to whom nothing may be sent. */
	KTAP_EQ(turn_counters(world.s)->dropped, 0);
	KTAP_CHECK(!sends_by_indication(&c, "192.0.2.11:7000"));
	KTAP_CHECK(!sends_by_indication(&c, PEER_V6));
	KTAP_CHECK(!sends_by_indication(&c, "[::ffff:192.0.2.10]:7000"));
	KTAP_CHECK(!sends_by_indication(&c, "192.0.2.10:0"));
	KTAP_EQ(turn_counters(world.s)->dropped, 4);
	c.tuple.client.port ^= 1;
	KTAP_CHECK(!sends_by_indication(&c, PEER_A));
	KTAP_EQ(turn_counters(world.s)->dropped, 5);
	world_stop();
}

/* Rules are asked again for each datagram: ports of our own come and go. */
static void rules(void)
{
	enum turn_verdict v;

	start();
	world.n_rules = 2;
	for (v = TURN_PEER_FORBIDDEN; v <= TURN_PEER_PORT_FORBIDDEN; v++) {
		world.rules[0] = (struct rule){ addr(PEER_A), v };
		world.rules[1] = (struct rule){ addr(PEER_B), v };
		KTAP_CHECK(!sends_by_indication(&c, PEER_A));
		KTAP_CHECK(sends_by_indication(&c, PEER_A2));
		KTAP_CHECK(!sends_by_indication(&c, PEER_B));
		KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_B));
	}
	KTAP_EQ(turn_counters(world.s)->dropped, 6);
	world.n_rules = 0;
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_B));
	world_stop();
}

/* RFC 8656 section 14: between IPv4 and IPv4, and nowhere else. */
static void dont_fragment(void)
{
	static const struct {
		const char *client, *peer;
		uint8_t family;
		bool expect;
	} table[] = {
		{ "198.51.100.9:1", PEER_A, KTURN_FAMILY_V4, true },
		{ "198.51.100.9:2", PEER_V6, KTURN_FAMILY_V6, false },
		{ "[2001:db8::9]:3", PEER_A, KTURN_FAMILY_V4, false },
		{ "[2001:db8::9]:4", PEER_V6, KTURN_FAMILY_V6, false },
	};
	struct request r;
	size_t i;

	start();
	for (i = 0; i < KTAP_COUNT(table); i++) {
		client_init(&c, 40000);
		c.tuple.client = addr(table[i].client);
		client_challenge(&c);
		req_begin(&r, &c, KTURN_ALLOCATE);
		req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
		req_attr(&r, KTURN_ATTR_DONT_FRAGMENT, NULL, 0);
		req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY,
			(uint32_t)table[i].family << 24);
		KTAP_EQ(req_call(&r, &c), SUCCESS);
		KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_RELAYED_ADDRESS,
				     &c.relay));
		KTAP_EQ(do_permit(&c, table[i].peer), SUCCESS);
		send_indication(&c, table[i].peer, "x", 1, true);
		check_to_peer(&c.relay, table[i].peer, "x", 1, table[i].expect);
		send_indication(&c, table[i].peer, "x", 1, false);
		check_to_peer(&c.relay, table[i].peer, "x", 1, false);
	}
	world_stop();
}

static void channel_sizes(void)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 160, 1200, 1472 };
	size_t i;

	start();
	for (i = 0; i < KTAP_COUNT(sizes); i++) {
		send_channel(&c, 0x4000, payload, sizes[i]);
		check_to_peer(&c.relay, PEER_B, payload, sizes[i], false);
	}
	world_stop();
}

/* The Length field decides; padding may be there, and be anything. */
static void channel_lengths(void)
{
	uint8_t buf[64];
	size_t pad;

	start();
	memset(buf, 0xee, sizeof(buf));
	kturn_channel_data_build(buf, 0x4000, 5);
	memcpy(buf + 4, payload, 5);
	for (pad = 0; pad <= 16; pad++) {
		client_send_raw(&c, buf, 9 + pad);
		check_to_peer(&c.relay, PEER_B, payload, 5, false);
	}
	KTAP_EQ(client_send_raw(&c, buf, 8), NO_REPLY);
	KTAP_EQ(world.n_sent, 0);
	KTAP_EQ(client_send_raw(&c, buf, 4), NO_REPLY);
	KTAP_EQ(world.n_sent, 0);

	/* Not bound, and no channel numbers at all. */
	KTAP_CHECK(!sends_by_channel(&c, 0x4001, PEER_B));
	KTAP_CHECK(!sends_by_channel(&c, 0x5000, PEER_B));
	KTAP_CHECK(!sends_by_channel(&c, 0x7fff, PEER_B));
	KTAP_CHECK(!sends_by_channel(&c, 0x8000, PEER_B));
	c.tuple.client.port ^= 1;
	KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_B));
	world_stop();
}

static void data_indications(void)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 160, 1472, 65496 };
	struct kturn_addr peer = addr(PEER_A);
	uint8_t tid[12] = { 0 };
	struct kturn_send send;
	size_t i, pad;
	uint8_t *p;

	start();
	for (i = 0; i < KTAP_COUNT(sizes); i++) {
		world_clear();
		peer_send_in(&c.relay, PEER_A, payload, sizes[i]);
		if (!KTAP_EQ(world.n_sent, 1))
			continue;
		pad = kturn_pad(sizes[i]);
		p = world.sent[0].p;
		KTAP_EQ(world.sent[0].len, 36 + sizes[i] + pad);
		KTAP_EQ(kturn_get16(p), KTURN_TYPE_DATA_IND);
		KTAP_CHECK(memcmp(p + 8, tid, sizeof(tid)));
		memcpy(tid, p + 8, sizeof(tid));
		/* But for its type it is what a Send indication is. */
		kturn_put16(p, KTURN_TYPE_SEND_IND);
		KTAP_EQ(kturn_send_parse(p, world.sent[0].len,
					 world.sent[0].len, &send), 0);
		KTAP_MEM_EQ(&send.peer, &peer, sizeof(peer));
		KTAP_EQ(send.data_len, sizes[i]);
		KTAP_MEM_EQ(p + send.data_off, payload, sizes[i]);
		KTAP_MEM_EQ(p + 36 + sizes[i], "\0\0\0", pad);
	}
	/* More than fits. */
	world_clear();
	peer_send_in(&c.relay, PEER_A, payload, 65497);
	KTAP_EQ(world.n_sent, 0);
	KTAP_EQ(turn_counters(world.s)->dropped, 1);
	KTAP_EQ(turn_counters(world.s)->to_client_packets, KTAP_COUNT(sizes));
	world_stop();
}

/* Transaction ids differ for longer than one draw of random bytes lasts. */
static void transaction_ids(void)
{
	uint8_t tids[200][12];
	size_t i, j;

	start();
	for (i = 0; i < 200; i++) {
		world_clear();
		peer_send_in(&c.relay, PEER_A, "x", 1);
		memcpy(tids[i], world.sent[0].p + 8, 12);
		for (j = 0; j < i; j++)
			KTAP_CHECK(memcmp(tids[i], tids[j], 12));
	}
	world_stop();
}

/* Bound to a channel: ChannelData, without padding over UDP. */
static void channel_data(void)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 160, 1472, 65535 };
	size_t i;

	start();
	for (i = 0; i < KTAP_COUNT(sizes); i++) {
		world_clear();
		peer_send_in(&c.relay, PEER_B, payload, sizes[i]);
		if (!KTAP_EQ(world.n_sent, 1))
			continue;
		KTAP_EQ(world.sent[0].len, 4 + sizes[i]);
		KTAP_EQ(kturn_get16(world.sent[0].p), 0x4000);
		KTAP_EQ(kturn_get16(world.sent[0].p + 2), sizes[i]);
		KTAP_MEM_EQ(world.sent[0].p + 4, payload, sizes[i]);
	}
	world_clear();
	peer_send_in(&c.relay, PEER_B, payload, 65536);
	KTAP_EQ(world.n_sent, 0);
	world_stop();
}

static void ipv6(void)
{
	world_begin();
	client_allocated_v6(&c, 40000);
	KTAP_EQ(do_permit(&c, PEER_V6), SUCCESS);
	KTAP_CHECK(sends_by_indication(&c, PEER_V6));
	KTAP_EQ(receives(&c, PEER_V6), KTURN_KIND_STUN);
	KTAP_EQ(world.sent[0].len, 48 + 8);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_V6), SUCCESS);
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_V6));
	KTAP_EQ(receives(&c, PEER_V6), KTURN_KIND_CHANNEL);
	KTAP_EQ(do_bind(&c, 0x4001, PEER_A), 443);
	world_stop();
}

/* How many of so many of @len bytes pass now, in both directions. */
static void check_passes(size_t n, size_t len, size_t to_peer, size_t to_client)
{
	static uint8_t bytes[2000];
	const struct turn_counters *count = turn_counters(world.s);
	uint64_t peer = count->to_peer_packets, client = count->to_client_packets;
	uint64_t over = count->over_limit;
	size_t i;

	for (i = 0; i < n; i++) {
		world_clear();
		send_channel(&c, 0x4000, bytes, len);
		world_clear();
		peer_send_in(&c.relay, PEER_A, bytes, len);
	}
	KTAP_EQ(count->to_peer_packets - peer, to_peer);
	KTAP_EQ(count->to_client_packets - client, to_client);
	KTAP_EQ(count->over_limit - over, 2 * n - to_peer - to_client);
}

/* As much at once as the burst, and then as much as the rate. */
static void limits(void)
{
	world_init();
	KTAP_EQ(turn_limit_init(&world.realms[0].limit[0], 80000, 10000, 0, 0), 0);
	KTAP_EQ(turn_limit_init(&world.realms[0].limit[1], 0, 0, 100, 5), 0);
	world_start();
	client_allocated(&c, 40000);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	check_passes(20, 1000, 10, 5);
	check_passes(20, 1000, 0, 0);
	world.now += 100;
	check_passes(20, 1000, 1, 5);
	world.now += 60000;
	check_passes(30, 1000, 10, 5);
	/* Smaller ones pass more often, if only bytes count. */
	world.now += 60000;
	check_passes(30, 500, 20, 5);
	/* Others have buckets of their own. */
	client_allocated(&c, 40001);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	check_passes(20, 1000, 10, 5);
	world_stop();
	/* By default a quarter of a second, but at least as much as a datagram. */
	world_init();
	KTAP_EQ(turn_limit_init(&world.realms[0].limit[0], 8000, 0, 0, 0), 0);
	KTAP_EQ(turn_limit_init(&world.realms[0].limit[1], 0, 0, 400, 0), 0);
	world_start();
	client_allocated(&c, 40000);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	check_passes(200, 1000, 65, 100);
	world_stop();
}

/* Fewer than there can be. */
static void few(void)
{
	world_init();
	world.cfg.perms_max = 2;
	world.cfg.chans_max = 1;
	world_start();
	client_allocated(&c, 40000);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4001, PEER_B), 508);
	KTAP_EQ(do_permit(&c, PEER_B), SUCCESS);
	KTAP_EQ(do_permit(&c, "192.0.2.99:9"), 508);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	world_stop();
}

const struct ktap_case data_cases[] = {
	{ "data: limits of an allocation", limits },
	{ "data: few permissions and channels", few },
	{ "data: Send, of any size", send_sizes },
	{ "data: Send, in any order", send_forms },
	{ "data: Send with integrity attributes", send_with_integrity },
	{ "data: Send that is dropped", send_refused },
	{ "data: peers are checked for each datagram", rules },
	{ "data: DONT-FRAGMENT", dont_fragment },
	{ "data: ChannelData to the peer", channel_sizes },
	{ "data: ChannelData's length and padding", channel_lengths },
	{ "data: Data indications", data_indications },
	{ "data: transaction ids of Data indications", transaction_ids },
	{ "data: ChannelData to the client", channel_data },
	{ "data: IPv6", ipv6 },
};

const size_t data_count = KTAP_COUNT(data_cases);
