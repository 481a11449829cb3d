// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What allocations relay together: those of a user, those of an access token,
 * and all. Each packet is of 1000 bytes where nothing else is said.
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/sha.h>

#include "kturnd/turn/request.h"
#include "tokens.h"
#include "turn_test.h"

#define TO_PEER		0
#define TO_CLIENT	1
#define BIG		65536

static struct client a, b, c;

/* Packets of a burst, and how many a second after that; 8000 bit are one. */
static void limit_bytes(struct turn_limit *l, uint64_t burst, uint64_t rate)
{
	KTAP_EQ(turn_limit_init(l, 8000 * rate, 1000 * burst, 0, 0), 0);
}

static void limit_packets(struct turn_limit *l, uint32_t burst, uint32_t rate)
{
	KTAP_EQ(turn_limit_init(l, 0, 0, rate, burst), 0);
}

static void allocate(struct client *client, uint16_t port, bool is_bob)
{
	client_init(client, port);
	if (is_bob) {
		client->user = "bob";
		client->password = "builder";
	}
	client_challenge(client);
	KTAP_EQ(do_allocate(client), SUCCESS);
	KTAP_EQ(do_bind(client, 0x4000, PEER_A), SUCCESS);
}

/* Two of alice's and one of bob's. */
static void begin(void)
{
	world_start();
	allocate(&a, 40000, false);
	allocate(&b, 40001, false);
	allocate(&c, 40002, true);
}

/* How many of @n pass. */
static size_t sent(struct client *client, size_t n, size_t len)
{
	const struct turn_counters *count = turn_counters(world.s);
	uint64_t before = count->to_peer_packets, over = count->over_limit;
	static uint8_t bytes[2000];
	size_t passed, i;

	for (i = 0; i < n; i++) {
		world_clear();
		send_channel(client, 0x4000, bytes, len);
	}
	passed = count->to_peer_packets - before;
	KTAP_EQ(count->over_limit - over, n - passed);
	return passed;
}

static size_t received(struct client *client, size_t n)
{
	const struct turn_counters *count = turn_counters(world.s);
	uint64_t before = count->to_client_packets;
	static uint8_t bytes[1000];
	size_t i;

	for (i = 0; i < n; i++) {
		world_clear();
		peer_send_in(&client->relay, PEER_A, bytes, sizeof(bytes));
	}
	return count->to_client_packets - before;
}

static void of_user(void)
{
	world_init();
	limit_bytes(&world.quota.user_limit[TO_PEER], 10, 10);
	limit_packets(&world.quota.user_limit[TO_CLIENT], 5, 100);
	begin();
	KTAP_EQ(sent(&a, 6, 1000), 6);
	KTAP_EQ(sent(&b, 6, 1000), 4);
	KTAP_EQ(sent(&a, 6, 1000), 0);
	KTAP_EQ(sent(&c, 20, 1000), 10);
	world_pass(200);
	KTAP_EQ(sent(&b, 6, 1000), 2);
	KTAP_EQ(sent(&a, 6, 1000), 0);
	KTAP_EQ(sent(&c, 1, 1000), 1);
	/* The other direction has not been used. */
	KTAP_EQ(received(&a, 3), 3);
	KTAP_EQ(received(&b, 3), 2);
	KTAP_EQ(received(&c, 9), 5);
	world_stop();
}

static void of_all(void)
{
	world_init();
	limit_bytes(&world.quota.total_limit[TO_PEER], 10, 10);
	limit_bytes(&world.quota.total_limit[TO_CLIENT], 4, 10);
	begin();
	KTAP_EQ(sent(&a, 7, 1000), 7);
	KTAP_EQ(sent(&c, 7, 1000), 3);
	KTAP_EQ(received(&c, 3), 3);
	KTAP_EQ(received(&a, 3), 1);
	world_pass(100);
	KTAP_EQ(sent(&b, 3, 1000), 1);
	world_stop();

	/* Beside users' own. */
	world_init();
	limit_bytes(&world.quota.user_limit[TO_PEER], 6, 10);
	limit_bytes(&world.quota.total_limit[TO_PEER], 10, 10);
	begin();
	KTAP_EQ(sent(&a, 4, 1000), 4);
	KTAP_EQ(sent(&b, 7, 1000), 2);
	KTAP_EQ(sent(&c, 7, 1000), 4);
	world_stop();
}

/* What comes back in 200 ms passes, as those before have taken nothing. */
static void refusals_take_nothing(void)
{
	/* From an allocation's own limit. */
	world_init();
	limit_bytes(&world.realms[0].limit[TO_PEER], 5, 1);
	limit_packets(&world.quota.user_limit[TO_PEER], 3, 10);
	begin();
	KTAP_EQ(sent(&a, 20, 1000), 3);
	world_pass(200);
	KTAP_EQ(sent(&a, 20, 1000), 2);
	world_stop();

	/* From the user's. */
	world_init();
	limit_bytes(&world.quota.user_limit[TO_PEER], 5, 1);
	limit_packets(&world.quota.total_limit[TO_PEER], 3, 10);
	begin();
	KTAP_EQ(sent(&a, 20, 1000), 3);
	world_pass(200);
	KTAP_EQ(sent(&b, 20, 1000), 2);
	world_stop();

	/* By the allocation's own, from the user's. */
	world_init();
	limit_packets(&world.realms[0].limit[TO_PEER], 2, 1);
	limit_packets(&world.quota.user_limit[TO_PEER], 4, 1);
	begin();
	KTAP_EQ(sent(&a, 20, 1000), 2);
	KTAP_EQ(sent(&b, 20, 1000), 2);
	world_stop();

	/* Packets by bytes: two of 600 bytes are too much. */
	world_init();
	KTAP_EQ(turn_limit_init(&world.quota.user_limit[TO_PEER], 8, 1000, 1,
				3), 0);
	begin();
	KTAP_EQ(sent(&a, 20, 600), 1);
	KTAP_EQ(sent(&b, 20, 100), 2);
	world_stop();
}

/* ------------------------------------------------------------------ balance */

/* It lasts as long as the user has an allocation, whichever. */
static void lasts(void)
{
	world_init();
	limit_bytes(&world.quota.user_limit[TO_PEER], 10, 1);
	begin();
	KTAP_EQ(sent(&a, 20, 1000), 10);
	KTAP_EQ(do_refresh(&a, 0), SUCCESS);
	KTAP_EQ(sent(&b, 2, 1000), 0);
	allocate(&a, 40003, false);
	KTAP_EQ(sent(&a, 2, 1000), 0);
	/* What is refused in the end does not take it along. */
	KTAP_EQ(do_refresh(&a, 0), SUCCESS);
	world.offload_fails = true;
	KTAP_EQ(do_allocate(&a), 508);
	world.offload_fails = false;
	KTAP_EQ(sent(&b, 2, 1000), 0);
	turn_client_gone(world.s, &b.tuple);
	allocate(&a, 40004, false);
	/* Nor does it begin anew with the next one. */
	KTAP_EQ(sent(&a, 2, 1000), 0);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_CHECK(world.quota.n > world.quota.n_idle);
	world_pass(600000);
	turn_expire(world.s, world.now);
	KTAP_EQ(world.quota.n, world.quota.n_idle);
	world_stop();
}

/* A successor goes on with @client's only allocation. */
static void restart(const struct client *client)
{
	struct turn_alloc *alloc = turn_alloc_find(world.s, &client->tuple);
	struct turn_relay relays[2] = {
		*turn_alloc_relay(alloc, KTURN_FAMILY_V4)
	};
	struct port *port = relays[0].handle, kept = *port;
	struct kturn_addr peer = addr(PEER_A);
	uint8_t packed[TURN_PACKED_MAX];
	size_t len = turn_alloc_pack(alloc, packed);

	turn_server_free(world.s, true);
	KTAP_EQ(world.quota.n, world.quota.n_idle);
	*port = kept;
	world_start();
	alloc = turn_adopt_alloc(world.s, world.now, &client->tuple, relays,
				 300000, packed, len);
	if (!KTAP_CHECK(alloc))
		return;
	turn_alloc_set_offload(alloc, 1);
	port->alloc = alloc;
	KTAP_EQ(turn_adopt_chan(world.s, alloc, world.now, 0x4000, &peer,
				300000), 0);
	/* One that is cut off is none. */
	KTAP_CHECK(!turn_adopt_alloc(world.s, world.now, &b.tuple, relays,
				     300000, packed, len - 1));
}

static void adopted(void)
{
	world_init();
	limit_bytes(&world.quota.user_limit[TO_PEER], 10, 1);
	world_start();
	allocate(&a, 40000, false);
	client_init(&b, 40001);
	restart(&a);
	KTAP_EQ(sent(&a, 6, 1000), 6);
	allocate(&b, 40001, false);
	KTAP_EQ(sent(&b, 6, 1000), 4);
	client_challenge(&a);
	KTAP_EQ(do_refresh(&a, 0), SUCCESS);
	KTAP_EQ(do_refresh(&b, 0), SUCCESS);
	KTAP_EQ(world.quota.n, world.quota.n_idle);
	world_stop();
}

/* A new time-limited credential makes no new user. */
static void time_limited(void)
{
	static const struct {
		const char *user;
		const char *account;
	} names[] = {
		{ "1893456000:alice", "alice" }, { "1:a:b", "a:b" },
		{ "1893456000", "1893456000" }, { "7:", "7:" },
		{ "alice", "alice" }, { ":alice", ":alice" },
		{ "a1:alice", "a1:alice" }, { "1a:b", "1a:b" },
	};
	size_t i;

	for (i = 0; i < KTAP_COUNT(names); i++)
		KTAP_CHECK(!strcmp(turn_rest_account(names[i].user),
				   names[i].account));
}

/* ------------------------------------------------------------ access tokens */

/* With the token that was made last. */
static void token_allocate(struct client *client, uint16_t port,
			   const struct client *as)
{
	client_init(client, port);
	client_challenge(client);
	client->user = as->user;
	client->access = as->access;
	client->access_len = as->access_len;
	client->mac_key = as->mac_key;
	client->mac_key_len = as->mac_key_len;
	KTAP_EQ(do_allocate(client), SUCCESS);
	KTAP_EQ(do_bind(client, 0x4000, PEER_A), SUCCESS);
}

static void check_account(const char *name)
{
	KTAP_CHECK(!strcmp(world.quota_user, name));
}

static void of_token(void)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char name[128], *p = name + sprintf(name, "\001token:");
	struct client maker;
	size_t i;

	token_world();
	limit_bytes(&world.quota.user_limit[TO_PEER], 10, 1);
	world_start();
	client_init(&maker, 40009);
	client_token(&maker, "north", 'a', 0, 700);
	SHA256(maker.access, maker.access_len, digest);
	for (i = 0; i < sizeof(digest); i++)
		p += sprintf(p, "%02x", digest[i]);
	token_allocate(&a, 40000, &maker);
	check_account(name);
	token_allocate(&b, 40001, &maker);
	check_account(name);
	KTAP_EQ(sent(&a, 6, 1000), 6);
	KTAP_EQ(sent(&b, 6, 1000), 4);
	/* Another one, encrypted with the same key. */
	client_token(&maker, "north", 'b', 0, 700);
	token_allocate(&c, 40002, &maker);
	KTAP_CHECK(strcmp(world.quota_user, name));
	KTAP_EQ(sent(&c, 20, 1000), 10);

	/* With which a refreshed one remains whose it was. */
	a.access = maker.access;
	a.access_len = maker.access_len;
	a.mac_key = maker.mac_key;
	world_pass(5000);
	KTAP_EQ(do_refresh(&a, 600), SUCCESS);
	KTAP_EQ(sent(&a, 6, 1000), 5);
	KTAP_EQ(sent(&b, 6, 1000), 0);
	KTAP_EQ(sent(&c, 1, 1000), 1);
	KTAP_EQ(do_refresh(&a, 0), SUCCESS);
	turn_client_gone(world.s, &c.tuple);
	KTAP_EQ(sent(&b, 1, 1000), 0);
	turn_client_gone(world.s, &b.tuple);
	KTAP_EQ(world.quota.n, world.quota.n_idle);
	world_stop();
}

/* What a predecessor has kept with it says whose it is. */
static void token_adopted(void)
{
	struct client maker;
	char first[128];

	token_world();
	world_start();
	client_init(&b, 40001);
	client_init(&maker, 40009);
	client_token(&maker, "north", 'a', 0, 700);
	token_allocate(&a, 40000, &maker);
	snprintf(first, sizeof(first), "%s", world.quota_user);
	world.quota_user[0] = 0;
	restart(&a);
	check_account(first);

	/* An offload that fails leaves the first one. */
	client_challenge(&a);
	client_token(&a, "south", 'b', 0, 700);
	world.offload_fails = true;
	KTAP_EQ(do_refresh(&a, 600), 508);
	world.offload_fails = false;
	restart(&a);
	check_account(first);
	client_challenge(&a);
	KTAP_EQ(do_refresh(&a, 600), SUCCESS);
	world.quota_user[0] = 0;
	restart(&a);
	check_account(first);
	/* Once more, and without the keys. */
	world.n_keys = 0;
	world.quota_user[0] = 0;
	restart(&a);
	check_account(first);
	world_stop();
}

/* -------------------------------------------------- connections with peers */

static struct turn_connection *connected(struct client *client, uint16_t port)
{
	struct request r;

	client_init(client, port);
	client->tuple.transport = TURN_TCP;
	client_challenge(client);
	req_begin(&r, client, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 6u << 24);
	KTAP_EQ(req_call(&r, client), SUCCESS);
	req_begin(&r, client, KTURN_CONNECT);
	req_peer(&r, PEER_A);
	KTAP_EQ(req_call(&r, client), NO_REPLY);
	return world_link()->c;
}

static size_t room(const struct turn_connection *conn)
{
	return turn_connection_room(world.s, conn, TURN_TO_PEER, BIG,
				    world.now);
}

static void passed(struct turn_connection *conn, size_t len)
{
	turn_connection_passed(world.s, conn, TURN_TO_PEER, len, world.now);
}

static void of_streams(void)
{
	struct turn_connection *one, *two;

	world_init();
	world.cfg.tcp_relay = true;
	/* That of packets does not count. */
	KTAP_EQ(turn_limit_init(&world.quota.user_limit[TO_PEER], 80000, 10000,
				1, 1), 0);
	limit_bytes(&world.quota.total_limit[TO_PEER], 30, 30);
	world_start();
	one = connected(&a, 40000);
	two = connected(&b, 40001);
	allocate(&c, 40002, true);
	KTAP_EQ(room(one), 8192);
	KTAP_EQ(room(one), 8192);
	passed(one, 6000);
	KTAP_EQ(room(two), 2048);
	KTAP_EQ(turn_connection_room(world.s, two, TURN_TO_PEER, 4000,
				     world.now), 4000);
	KTAP_EQ(turn_connection_room(world.s, two, TURN_TO_PEER, 4001,
				     world.now), 2000);
	KTAP_EQ(turn_connection_room(world.s, two, TURN_TO_CLIENT, BIG,
				     world.now), BIG);
	/* Other threads were faster: worked off before anything passes. */
	passed(two, 4000);
	passed(one, 5000);
	KTAP_EQ(room(one), 0);
	world_pass(499);
	KTAP_EQ(room(two), 0);
	world_pass(101);
	KTAP_EQ(turn_connection_room(world.s, two, TURN_TO_PEER, 1000,
				     world.now), 1000);
	/* Of all: 500 bytes are left of a full bucket. */
	world_pass(10000);
	KTAP_EQ(sent(&c, 1, 1000), 1);
	passed(one, 9000);
	passed(one, 19500);
	KTAP_EQ(room(two), 0);
	KTAP_EQ(sent(&c, 1, 1000), 0);
	world_stop();
}

/* ------------------------------------------------------------------ several */

/* The same pool as another server's, as workers have it. */
static void several_servers(void)
{
	struct turn_server *first, *second;

	world_init();
	limit_bytes(&world.quota.user_limit[TO_PEER], 10, 1);
	world_start();
	first = world.s;
	allocate(&a, 40000, false);
	KTAP_EQ(sent(&a, 6, 1000), 6);
	world_start();
	second = world.s;
	allocate(&b, 40001, false);
	KTAP_EQ(sent(&b, 6, 1000), 4);
	turn_server_free(second, false);
	world.s = first;
	KTAP_EQ(sent(&a, 1, 1000), 0);
	world_stop();
}

const struct ktap_case pool_cases[] = {
	{ "pools: a user's allocations", of_user },
	{ "pools: all allocations", of_all },
	{ "pools: what does not pass takes nothing", refusals_take_nothing },
	{ "pools: as long as there is an allocation", lasts },
	{ "pools: adopted", adopted },
	{ "pools: a time-limited credential's user", time_limited },
	{ "pools: an access token's allocations", of_token },
	{ "pools: an access token's, adopted", token_adopted },
	{ "pools: connections with peers", of_streams },
	{ "pools: several servers", several_servers },
};

const size_t pool_count = KTAP_COUNT(pool_cases);
