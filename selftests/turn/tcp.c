// SPDX-License-Identifier: GPL-2.0-or-later
/* TCP allocations and Connect requests (RFC 6062 sections 5.1 to 5.3). */
#include <arpa/inet.h>

#include "turn_test.h"

#define TCP	(6u << 24)
#define PEER_C	"192.0.2.30:7000"

static struct client c;

static void start(enum turn_transport transport)
{
	world_init();
	world.cfg.tcp_relay = true;
	world_start();
	client_init(&c, 40000);
	c.tuple.transport = transport;
	client_challenge(&c);
}

static void begin(struct request *r)
{
	req_begin(r, &c, KTURN_ALLOCATE);
	req_u32(r, KTURN_ATTR_REQUESTED_TRANSPORT, TCP);
}

static int allocate(void)
{
	struct request r;
	int code;

	begin(&r);
	code = req_call(&r, &c);
	if (!code)
		KTAP_CHECK(resp_relays(&c));
	return code;
}

static void allocated(void)
{
	start(TURN_TCP);
	KTAP_EQ(allocate(), SUCCESS);
}

static void begin_connect(struct request *r, const char *peer)
{
	req_begin(r, &c, KTURN_CONNECT);
	req_peer(r, peer);
}

/* Nothing is answered before it is known. */
static struct link *connecting(struct request *r, const char *peer)
{
	begin_connect(r, peer);
	KTAP_EQ(req_call(r, &c), NO_REPLY);
	return world_link();
}

static void refused(const char *peer, int code)
{
	struct request r;

	begin_connect(&r, peer);
	req_refused(&r, &c, code);
	KTAP_CHECK(!strstr(world.trace, "connect "));
}

/* -------------------------------------------------------------- allocations */

static void allocation(void)
{
	static const enum turn_transport streams[] = { TURN_TCP, TURN_TLS };
	struct request r;
	size_t i;

	for (i = 0; i < KTAP_COUNT(streams); i++) {
		start(streams[i]);
		KTAP_EQ(allocate(), SUCCESS);
		KTAP_CHECK(strstr(world.trace, "tcp "));
		KTAP_EQ(resp_count(KTURN_ATTR_RESERVATION_TOKEN), 0);
		KTAP_CHECK(world_port(&c.relay)->is_tcp);

		/* Repeated, and another one. */
		req_again(&r, &c, KTURN_ALLOCATE);
		req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, TCP);
		KTAP_EQ(req_call(&r, &c), SUCCESS);
		KTAP_EQ(world_open_ports(), 1);
		KTAP_EQ(allocate(), 437);
		KTAP_EQ(do_refresh(&c, 600), SUCCESS);
		KTAP_EQ(do_refresh(&c, 0), SUCCESS);
		KTAP_EQ(world_open_ports(), 0);
		/* UDP is relayed as ever. */
		KTAP_EQ(do_allocate(&c), SUCCESS);
		KTAP_CHECK(!world_port(&c.relay)->is_tcp);
		world_stop();
	}
}

static void dual(void)
{
	struct request r;

	start(TURN_TCP);
	begin(&r);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, 2u << 24);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_relays(&c));
	KTAP_CHECK(world_port(&c.relay)->is_tcp);
	KTAP_CHECK(world_port(&c.relay6)->is_tcp);
	connecting(&r, PEER_A);
	connecting(&r, PEER_V6);
	KTAP_EQ(world_open_links(), 2);
	/* What is answered: Refresh, and the Connect that came to nothing. */
	req_begin(&r, &c, KTURN_REFRESH);
	req_u32(&r, KTURN_ATTR_LIFETIME, 0);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 2u << 24);
	req_auth(&r, &c);
	world_clear();
	turn_client_input(world.s, world.now, world.wall, &c.tuple, r.b.buf,
			  r.b.len);
	KTAP_EQ(world.n_sent, 2);
	KTAP_EQ(world_open_links(), 1);
	KTAP_EQ(world_link()->to.family, KTURN_FAMILY_V4);
	world_stop();
}

static void refused_with(uint16_t type, const void *value, size_t len)
{
	struct request r;

	begin(&r);
	req_attr(&r, type, value, len);
	check_refused(&c, &r, 400);
}

static void refusals(void)
{
	static const enum turn_transport others[] = { TURN_UDP, TURN_DTLS };
	struct request r;
	size_t i;

	start(TURN_TCP);
	refused_with(KTURN_ATTR_DONT_FRAGMENT, NULL, 0);
	refused_with(KTURN_ATTR_EVEN_PORT, "\0", 1);
	refused_with(KTURN_ATTR_RESERVATION_TOKEN, "12345678", 8);
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 99u << 24);
	check_refused(&c, &r, 442);
	world.relay_error = -ENOSPC;
	begin(&r);
	check_refused(&c, &r, 508);
	world_stop();

	for (i = 0; i < KTAP_COUNT(others); i++) {
		start(others[i]);
		begin(&r);
		check_refused(&c, &r, 400);
		world_stop();
	}
}

/* Without the option there are neither methods nor the attribute. */
static void off(void)
{
	struct request r;

	world_begin();
	client_init(&c, 40000);
	c.tuple.transport = TURN_TCP;
	client_challenge(&c);
	begin(&r);
	check_refused(&c, &r, 442);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	begin_connect(&r, PEER_A);
	KTAP_EQ(req_call(&r, &c), NO_REPLY);
	req_begin(&r, &c, KTURN_CONNECTION_BIND);
	req_u32(&r, KTURN_ATTR_CONNECTION_ID, 1);
	KTAP_EQ(req_call(&r, &c), NO_REPLY);
	req_begin(&r, &c, KTURN_REFRESH);
	req_u32(&r, KTURN_ATTR_CONNECTION_ID, 1);
	KTAP_EQ(req_call(&r, &c), 420);
	world_stop();
}

/* RFC 6062 has nothing of the sort. */
static void no_datagrams(void)
{
	allocated();
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), 403);
	KTAP_CHECK(!sends_by_indication(&c, PEER_A));
	KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_A));
	world_stop();
}

/* ------------------------------------------------------------------ Connect */

static void connect_later(void)
{
	struct kturn_addr peer = addr(PEER_A);
	struct request r, other;
	struct link *link;

	allocated();
	c.fingerprint = true;
	c.mechanism = ALG_SHA256;
	link = connecting(&r, PEER_A);
	KTAP_MEM_EQ(&link->to, &peer, sizeof(peer));
	KTAP_EQ(ntohs(link->from.port), ntohs(c.relay.port));
	/* Others go on meanwhile. */
	begin_connect(&other, PEER_B);
	KTAP_EQ(req_call(&other, &c), NO_REPLY);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);

	world_pass(29999);
	world_clear();
	turn_connected(world.s, world.now, link->c);
	KTAP_EQ(resp_later(&c, &r), SUCCESS);
	KTAP_CHECK(resp_integrity(KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, &c));
	KTAP_EQ(resp_count(KTURN_ATTR_FINGERPRINT), 1);
	KTAP_EQ(resp_u32(KTURN_ATTR_CONNECTION_ID) >> 16, 0x5eed);

	world_clear();
	turn_connect_failed(world.s, world_link()->c, ECONNREFUSED);
	world_link()->open = false;
	KTAP_EQ(resp_later(&c, &other), 447);
	KTAP_CHECK(resp_integrity(KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, &c));
	KTAP_EQ(turn_counters(world.s)->connects, 1);
	KTAP_EQ(turn_counters(world.s)->connects_failed, 1);
	KTAP_EQ(turn_counters(world.s)->conns, 1);
	world_stop();
}

static void connect_errors(void)
{
	struct request r;

	start(TURN_TCP);
	refused(PEER_A, 437);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	refused(PEER_A, 437);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);

	KTAP_EQ(allocate(), SUCCESS);
	req_begin(&r, &c, KTURN_CONNECT);
	req_refused(&r, &c, 400);
	req_begin(&r, &c, KTURN_CONNECT);
	req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS, "1234567", 7);
	req_refused(&r, &c, 400);
	refused(PEER_V6, 443);
	refused("192.0.2.10:0", 403);
	refused("224.0.0.1:7000", 403);
	world.rules[0] = (struct rule){ addr(PEER_A), TURN_PEER_FORBIDDEN };
	world.rules[1] = (struct rule){ addr(PEER_B),
					TURN_PEER_PORT_FORBIDDEN };
	world.n_rules = 2;
	refused(PEER_A, 403);
	refused(PEER_B, 403);
	world.n_rules = 0;
	/* With itself. */
	world.rules[0] = (struct rule){ c.relay, TURN_PEER_OK };
	req_begin(&r, &c, KTURN_CONNECT);
	kturn_build_xor_addr(&r.b, KTURN_ATTR_XOR_PEER_ADDRESS, &c.relay);
	req_refused(&r, &c, 403);

	world.connect_error = -ENETUNREACH;
	begin_connect(&r, PEER_A);
	req_refused(&r, &c, 447);
	world.connect_error = -ENOBUFS;
	begin_connect(&r, PEER_A);
	req_refused(&r, &c, 508);
	world.connect_error = 0;
	c.user = "bob";
	c.password = "builder";
	refused(PEER_A, 441);
	world_stop();
}

static void only_one(void)
{
	struct request r;
	struct link *link;

	allocated();
	link = connecting(&r, PEER_A);
	refused(PEER_A, 446);
	/* Another port is another peer. */
	connecting(&r, PEER_A2);
	turn_connected(world.s, world.now, link->c);
	refused(PEER_A, 446);
	turn_connection_gone(world.s, link->c);
	link->open = false;
	connecting(&r, PEER_A);
	KTAP_EQ(do_permit(&c, PEER_B), SUCCESS);
	KTAP_CHECK(peer_connect_in(&c.relay, PEER_B));
	refused(PEER_B, 446);
	world_stop();
}

static void limited(void)
{
	struct request r;

	start(TURN_TCP);
	world_stop();
	world_init();
	world.cfg.tcp_relay = true;
	world.cfg.conns_max = 2;
	world_start();
	client_init(&c, 40000);
	c.tuple.transport = TURN_TCP;
	client_challenge(&c);
	KTAP_EQ(allocate(), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_CHECK(peer_connect_in(&c.relay, PEER_A));
	connecting(&r, PEER_B);
	refused(PEER_C, 508);
	KTAP_CHECK(!peer_connect_in(&c.relay, PEER_A2));
	world_stop();
}

static void connect_times_out(void)
{
	struct request r;

	allocated();
	connecting(&r, PEER_A);
	world_clear();
	world_pass(29999);
	turn_expire(world.s, world.now);
	KTAP_EQ(world_open_links(), 1);
	world_pass(1);
	turn_expire(world.s, world.now);
	KTAP_EQ(world_open_links(), 0);
	KTAP_EQ(resp_later(&c, &r), 447);
	connecting(&r, PEER_A);
	world_stop();
}

/* ------------------------------------------------------------------ attempts */

static void attempt(void)
{
	struct kturn_addr peer = addr(PEER_A2), got;
	struct kturn_attr attr;
	struct kturn_stun msg;

	allocated();
	KTAP_CHECK(!peer_connect_in(&c.relay, PEER_A));
	KTAP_EQ(turn_counters(world.s)->attempts_refused, 1);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_CHECK(!peer_connect_in(&c.relay, PEER_B));
	world_clear();
	KTAP_CHECK(peer_connect_in(&c.relay, PEER_A2));
	if (!KTAP_EQ(world.n_sent, 1))
		return;
	KTAP_MEM_EQ(&world.sent[0].tuple, &c.tuple, sizeof(c.tuple));
	KTAP_EQ(kturn_stun_parse(world.sent[0].p, world.sent[0].len, &msg), 0);
	KTAP_EQ(msg.method, KTURN_CONNECTION_ATTEMPT);
	KTAP_EQ(msg.cls, KTURN_INDICATION);
	resp.msg = msg;
	KTAP_CHECK(resp_attr(KTURN_ATTR_CONNECTION_ID, &attr));
	KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_PEER_ADDRESS, &got));
	KTAP_MEM_EQ(&got, &peer, sizeof(peer));

	/* What was permitted stays, and no more comes. */
	world_pass(29999);
	turn_expire(world.s, world.now);
	KTAP_EQ(world_open_links(), 1);
	world_pass(1);
	turn_expire(world.s, world.now);
	KTAP_EQ(world_open_links(), 0);
	world_pass(270000);
	KTAP_CHECK(!peer_connect_in(&c.relay, PEER_A));
	world_stop();
}

/* -------------------------------------------------------------------- ending */

static void two(struct request *r)
{
	allocated();
	turn_connected(world.s, world.now, connecting(r, PEER_A)->c);
	connecting(r, PEER_B);
	world_clear();
}

static void ends(void)
{
	struct request r;

	two(&r);
	turn_client_gone(world.s, &c.tuple);
	KTAP_EQ(world_open_links(), 0);
	world_stop();

	two(&r);
	world_pass(600000);
	turn_expire(world.s, world.now);
	KTAP_EQ(world_open_links(), 0);
	KTAP_EQ(turn_counters(world.s)->conns, 0);
	world_stop();

	two(&r);
	turn_server_free(world.s, true);
	KTAP_EQ(world_open_links(), 0);
	/* As far as the offload knows; of streams it has nothing. */
	world.pushed = 0;
	world_start();
	world_stop();
}

const struct ktap_case tcp_cases[] = {
	{ "tcp: Allocate", allocation },
	{ "tcp: both families", dual },
	{ "tcp: refused allocations", refusals },
	{ "tcp: off", off },
	{ "tcp: no Send, no channels", no_datagrams },
	{ "tcp: Connect is answered later", connect_later },
	{ "tcp: refused Connects", connect_errors },
	{ "tcp: one connection with a peer", only_one },
	{ "tcp: a limit of connections", limited },
	{ "tcp: 30 seconds to connect", connect_times_out },
	{ "tcp: peers that connect", attempt },
	{ "tcp: connections end with the allocation", ends },
};

const size_t tcp_count = KTAP_COUNT(tcp_cases);
