// SPDX-License-Identifier: GPL-2.0-or-later
/* ICMP errors (RFC 8656 section 11.5). */
#include "turn_test.h"

static struct client c;

static void icmp_in(const char *peer, uint8_t type, uint8_t code,
		    uint32_t data)
{
	struct port *p = world_port(&c.relay);
	struct kturn_addr to = addr(peer);

	world_clear();
	if (KTAP_CHECK(p && p->alloc))
		turn_icmp_input(world.s, world.now, p->alloc, &to, type, code,
				data);
}

/* Was the client told exactly that? */
static bool told(const char *peer, uint8_t type, uint8_t code, uint32_t data)
{
	uint8_t want[KTURN_ICMP_IND_MAX];
	struct kturn_addr to = addr(peer);
	const struct sent *sent = &world.sent[0];

	if (world.n_sent != 1 || sent->to_peer ||
	    memcmp(&sent->tuple, &c.tuple, sizeof(c.tuple)))
		return false;
	return sent->len == kturn_icmp_ind_build(want, sent->p + 8, &to, type,
						 code, data) &&
		!memcmp(sent->p, want, sent->len);
}

static void kinds4(void)
{
	unsigned int type, n = 0;

	world_begin();
	client_allocated(&c, 40000);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	for (type = 0; type < 256; type++) {
		icmp_in(PEER_A, type, 1, 1400);
		if (type == 3 || type == 11)
			KTAP_CHECK(told(PEER_A, type, 1, 0));
		n += world.n_sent;
	}
	KTAP_EQ(n, 2);
	/* An MTU is in this one only. */
	icmp_in(PEER_A, 3, 4, 1400);
	KTAP_CHECK(told(PEER_A, 3, 4, 1400));
	KTAP_EQ(turn_counters(world.s)->icmp, 3);
	/* It is no data. */
	KTAP_EQ(turn_counters(world.s)->to_client_packets, 0);
	world_stop();
}

static void kinds6(void)
{
	unsigned int type, n = 0;

	world_begin();
	client_allocated_v6(&c, 40000);
	KTAP_EQ(do_permit(&c, PEER_V6), SUCCESS);
	for (type = 0; type < 256; type++) {
		icmp_in(PEER_V6, type, 0, 1280);
		if (type >= 1 && type <= 3)
			KTAP_CHECK(told(PEER_V6, type, 0,
					type == 2 ? 1280 : 0));
		n += world.n_sent;
	}
	KTAP_EQ(n, 3);
	world_stop();
}

/* The address that the datagram was for counts, and no port. */
static void permissions(void)
{
	world_begin();
	client_allocated(&c, 40000);
	icmp_in(PEER_A, 3, 3, 0);
	KTAP_EQ(world.n_sent, 0);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	icmp_in(PEER_A, 3, 3, 0);
	KTAP_CHECK(told(PEER_A, 3, 3, 0));
	icmp_in(PEER_B, 3, 3, 0);
	KTAP_EQ(world.n_sent, 0);
	/* A channel is not enough when the permission is over. */
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	world_pass(299 * 1000);
	icmp_in(PEER_A, 3, 3, 0);
	KTAP_CHECK(told(PEER_A, 3, 3, 0));
	world_pass(1000);
	icmp_in(PEER_A, 3, 3, 0);
	KTAP_EQ(world.n_sent, 0);
	world_stop();
}

static size_t flood(size_t n)
{
	size_t i, sent = 0;

	for (i = 0; i < n; i++) {
		icmp_in(PEER_A, 3, 3, 0);
		sent += world.n_sent;
	}
	return sent;
}

static void rate(void)
{
	world_begin();
	client_allocated(&c, 40000);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(flood(1000), 20);
	world_pass(99);
	KTAP_EQ(flood(10), 0);
	world_pass(1);
	KTAP_EQ(flood(10), 1);
	world_pass(1000);
	KTAP_EQ(flood(1000), 10);
	world_pass(10000);
	KTAP_EQ(flood(1000), 20);
	/* What is not told costs nothing. */
	world_pass(10000);
	icmp_in(PEER_B, 3, 3, 0);
	icmp_in(PEER_A, 8, 0, 0);
	KTAP_EQ(flood(1000), 20);
	world_stop();
}

/* One allocation after another has its share, until all is used up. */
static void rate_of_all(void)
{
	unsigned int i;

	world_begin();
	for (i = 0; i < 12; i++) {
		client_allocated(&c, 40000 + i);
		KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
		KTAP_EQ(flood(100), 20);
	}
	client_allocated(&c, 41000);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(flood(100), 10);
	world_pass(1);
	client_allocated(&c, 41001);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(flood(100), 1);
	world_stop();
}

const struct ktap_case icmp_cases[] = {
	{ "ICMP: types, IPv4", kinds4 },
	{ "ICMP: types, IPv6", kinds6 },
	{ "ICMP: permissions", permissions },
	{ "ICMP: an allocation's rate", rate },
	{ "ICMP: everybody's rate", rate_of_all },
};

const size_t icmp_count = KTAP_COUNT(icmp_cases);
