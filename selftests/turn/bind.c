// SPDX-License-Identifier: GPL-2.0-or-later
/* ConnectionBind requests (RFC 6062 section 5.4), and what is relayed then. */
#include <array_size.h>

#include "turn_test.h"

static struct client c, d;
static const char *user, *password;

/* As others, or another user. */
static void init(struct client *cl, uint16_t port)
{
	client_init(cl, port);
	if (!user)
		return;
	cl->user = user;
	cl->password = password;
}

/* @d is the client's connection for data, which has no nonce yet. */
static void start(void)
{
	struct request r;

	init(&c, 40000);
	c.tuple.transport = TURN_TCP;
	client_challenge(&c);
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 6u << 24);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_relays(&c));
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	init(&d, 40001);
	d.tuple.transport = TURN_TLS;
}

static void begin(void)
{
	world_init();
	world.cfg.tcp_relay = true;
	world_start();
	start();
}

/* A peer's connection; its CONNECTION-ID. */
static uint32_t pending(const char *peer)
{
	uint32_t id;

	world_clear();
	if (!KTAP_CHECK(peer_connect_in(&c.relay, peer)))
		return 0;
	KTAP_EQ(kturn_stun_parse(world.sent[0].p, world.sent[0].len,
				 &resp.msg), 0);
	id = resp_u32(KTURN_ATTR_CONNECTION_ID);
	return id;
}

static int bind_id(struct client *cl, uint32_t id)
{
	struct request r;

	req_begin(&r, cl, KTURN_CONNECTION_BIND);
	req_u32(&r, KTURN_ATTR_CONNECTION_ID, id);
	return req_call(&r, cl);
}

static void binds(void)
{
	struct link *link;
	uint32_t id;

	begin();
	client_challenge(&d);
	id = pending(PEER_A);
	link = world_link();
	KTAP_CHECK(pending(PEER_A2) != id);
	world_pass(29999);
	KTAP_EQ(bind_id(&d, id), SUCCESS);
	/* What is relayed comes behind the answer. */
	KTAP_CHECK(strstr(world.trace, "client_send connection_join"));
	KTAP_CHECK(link->joined);
	KTAP_MEM_EQ(&link->client, &d.tuple, sizeof(d.tuple));
	/* Once, and for as long as the allocation. */
	KTAP_EQ(bind_id(&d, id), 400);
	world_pass(500000);
	turn_expire(world.s, world.now);
	KTAP_EQ(world_open_links(), 1);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_EQ(world_open_links(), 0);
	world_stop();
}

static void refusals(void)
{
	struct request r;
	uint32_t id;
	int bit;

	begin();
	client_challenge(&d);
	id = pending(PEER_A);
	for (bit = 0; bit < 32; bit++)
		KTAP_EQ(bind_id(&d, id ^ 1u << bit), 400);
	req_begin(&r, &d, KTURN_CONNECTION_BIND);
	req_refused(&r, &d, 400);
	req_begin(&r, &d, KTURN_CONNECTION_BIND);
	req_attr(&r, KTURN_ATTR_CONNECTION_ID, "12345678", 8);
	req_refused(&r, &d, 400);
	/* By the control connection. */
	KTAP_EQ(bind_id(&c, id), 400);
	/* Another user is not told that it is there. */
	d.user = "bob";
	d.password = "builder";
	KTAP_EQ(bind_id(&d, id), 400);
	KTAP_CHECK(!world_link()->joined);
	/* By datagrams. */
	client_init(&d, 40002);
	client_challenge(&d);
	KTAP_EQ(bind_id(&d, id), 400);
	/* Too late. */
	client_init(&d, 40003);
	d.tuple.transport = TURN_TCP;
	client_challenge(&d);
	world_pass(30000);
	KTAP_EQ(bind_id(&d, id), 400);
	KTAP_EQ(world_open_links(), 0);
	world_stop();
}

static void connecting(void)
{
	struct request r;

	begin();
	client_challenge(&d);
	req_begin(&r, &c, KTURN_CONNECT);
	req_peer(&r, PEER_B);
	KTAP_EQ(req_call(&r, &c), NO_REPLY);
	KTAP_EQ(bind_id(&d, 0), 400);
	world_stop();
}

/* It goes to where the connection is, with nothing said. */
static void elsewhere(void)
{
	uint32_t id;

	begin();
	client_challenge(&d);
	id = pending(PEER_A);
	world.elsewhere = true;
	KTAP_EQ(bind_id(&d, 4711), NO_REPLY);
	KTAP_EQ(world.n_passed, 1);
	/* Not without credentials, nor what has an allocation or no number. */
	d.password = "guess";
	KTAP_EQ(bind_id(&d, 4711), 401);
	KTAP_EQ(bind_id(&c, 4711), 400);
	KTAP_EQ(world.n_passed, 1);
	d.password = "wonderland";
	/* What is here stays here. */
	KTAP_EQ(bind_id(&d, id), SUCCESS);
	KTAP_EQ(world.n_passed, 1);
	world_stop();
}

/* The credentials that the allocation was made with have expired. */
static void expired(void)
{
	/* Of "1700000100:web" and the secret "south". */
	static const char *const secrets[] = { "south" };
	struct client other;
	uint32_t id;

	world_init();
	world.cfg.tcp_relay = true;
	world.realms[0].secrets = secrets;
	world.realms[0].n_secrets = 1;
	world.users = NULL;
	world.n_users = 0;
	world_start();
	user = "1700000100:web";
	password = "lpnb7KMrR0E5bVPSA3JzjD3jklk=";
	start();
	client_challenge(&d);
	world.wall += 5000;
	id = pending(PEER_A);
	KTAP_EQ(bind_id(&d, id), SUCCESS);
	/* For nothing else, and with no other name. */
	other = d;
	other.tuple.client = addr("198.51.100.1:40005");
	client_challenge(&other);
	KTAP_EQ(do_allocate(&other), 401);
	KTAP_EQ(do_refresh(&c, 600), SUCCESS);
	user = NULL;
	world_stop();
}

static void take_nonce(const struct client *from)
{
	memcpy(d.nonce, from->nonce, from->nonce_len);
	d.nonce_len = from->nonce_len;
	memcpy(d.algorithms, from->algorithms, from->algorithms_len);
	d.algorithms_len = from->algorithms_len;
}

/* The control connection's will do, from the same address, for this alone. */
static void nonces(void)
{
	struct request r;
	uint32_t id;

	begin();
	id = pending(PEER_A);
	take_nonce(&c);
	KTAP_EQ(bind_id(&d, id ^ 1), 438);
	req_begin(&r, &d, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17u << 24);
	KTAP_EQ(req_call(&r, &d), 438);
	d.tuple.client = addr("198.51.100.9:40001");
	KTAP_EQ(bind_id(&d, id), 438);
	client_init(&d, 40001);
	d.tuple.transport = TURN_TLS;
	take_nonce(&c);
	KTAP_EQ(bind_id(&d, id), SUCCESS);
	/* It is bound once; nobody repeats that. */
	KTAP_EQ(bind_id(&d, id), 438);

	/* Where it is not known, it goes where it is. */
	world.elsewhere = true;
	KTAP_EQ(bind_id(&d, 4711), NO_REPLY);
	KTAP_EQ(world.n_passed, 1);
	world_stop();
}

/* Bytes a second, and no packets. */
static void limit(void)
{
	struct turn_connection *tc;
	uint64_t sum = 0;
	size_t n, i;

	world_init();
	world.cfg.tcp_relay = true;
	turn_limit_init(&world.realms[0].limit[TURN_TO_PEER], 80000, 5000, 1,
			1);
	world_start();
	start();
	client_challenge(&d);
	KTAP_EQ(bind_id(&d, pending(PEER_A)), SUCCESS);
	tc = world_link()->c;
	for (i = 0; i < 1000; i++) {
		n = turn_connection_room(world.s, tc, TURN_TO_PEER, 65536,
					 world.now);
		KTAP_CHECK(n <= 5000);
		if (n)
			turn_connection_passed(world.s, tc, TURN_TO_PEER, n,
					       world.now);
		sum += n;
		world_pass(10);
	}
	KTAP_CHECK(sum > 100000 && sum <= 105000);
	KTAP_EQ(turn_counters(world.s)->to_peer_bytes, sum);
	/* The other way there is no limit. */
	KTAP_EQ(turn_connection_room(world.s, tc, TURN_TO_CLIENT, 65536,
				     world.now), 65536);
	world_stop();
}

/* Whatever a bucket holds passes in the end, and nearly as fast as it may. */
static void limit_of_burst(uint64_t rate, uint64_t burst)
{
	struct turn_connection *tc;
	uint64_t sum = 0, least = rate * 10 * 3 / 4;
	size_t n, i;

	world_init();
	world.cfg.tcp_relay = true;
	turn_limit_init(&world.realms[0].limit[TURN_TO_PEER], rate * 8, burst,
			0, 0);
	world_start();
	start();
	client_challenge(&d);
	KTAP_EQ(bind_id(&d, pending(PEER_A)), SUCCESS);
	tc = world_link()->c;
	for (i = 0; i < 1000; i++) {
		while ((n = turn_connection_room(world.s, tc, TURN_TO_PEER,
						 65536, world.now))) {
			turn_connection_passed(world.s, tc, TURN_TO_PEER, n,
					       world.now);
			sum += n;
		}
		world_pass(10);
	}
	KTAP_CHECK(sum >= least && sum <= rate * 10 + burst);
	world_stop();
}

static void limit_of_bursts(void)
{
	static const uint64_t bursts[] = {
		1200, 1399, 1400, 1500, 2047, 2048, 2800, 5000,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bursts); i++) {
		limit_of_burst(100000, bursts[i]);
		limit_of_burst(10000, bursts[i]);
		limit_of_burst(100, bursts[i]);
	}
}

/* The owner does not wait for the user store; others do, where it is to be. */
static void store(void)
{
	uint32_t id;

	begin();
	client_challenge(&d);
	id = pending(PEER_A);
	world.asks = true;
	world_clear();
	d.password = "guess";
	KTAP_EQ(bind_id(&d, id), NO_REPLY);
	KTAP_CHECK(strstr(world.trace, "ask_again "));
	KTAP_EQ(world.n_asked, 1);
	d.password = "wonderland";
	KTAP_EQ(bind_id(&d, id), SUCCESS);
	KTAP_EQ(world.n_asked, 2);
	KTAP_CHECK(strstr(world.trace, "ask "));

	init(&d, 40002);
	d.tuple.transport = TURN_TCP;
	client_challenge(&d);
	world.elsewhere = true;
	KTAP_EQ(bind_id(&d, 4711), NO_REPLY);
	KTAP_EQ(world.n_passed, 1);
	KTAP_EQ(world.n_asked, 2);
	world_stop();
}

const struct ktap_case bind_cases[] = {
	{ "bind: ConnectionBind", binds },
	{ "bind: refusals", refusals },
	{ "bind: what is not connected yet", connecting },
	{ "bind: a connection that another server has", elsewhere },
	{ "bind: credentials that have expired", expired },
	{ "bind: the control connection's nonce", nonces },
	{ "bind: while the user store is asked", store },
	{ "bind: a limit of bytes", limit },
	{ "bind: limits with small bursts", limit_of_bursts },
};

const size_t bind_count = KTAP_COUNT(bind_cases);
