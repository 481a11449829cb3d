// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose allocation a ticket moves: realms, access tokens, and TCP's has none. */
#include <arpa/inet.h>
#include <err.h>
#include <stdlib.h>

#include "tokens.h"
#include "turn_test.h"

#define OTHER	"other.example"

static struct client c;
static struct ticket t;

/* -------------------------------------------------------------------- realms */

static const struct user users[] = {
	{ "alice", "wonderland", true, true, NULL },
	{ "alice", "looking-glass", true, true, OTHER },
};

/* As somebody else, or the same, of the same name. */
static struct client alice_of(const char *realm, uint16_t port)
{
	bool other = !strcmp(realm, OTHER);
	struct client client;

	client_init(&client, port);
	client.realm = realm;
	client.password = other ? "looking-glass" : "wonderland";
	client.origin = other ? "https://other.example" : NULL;
	client_challenge(&client);
	return client;
}

static void check_realm(const char *realm)
{
	struct kturn_attr attr;

	KTAP_CHECK(resp_attr(KTURN_ATTR_REALM, &attr) &&
		   attr.len == strlen(realm) &&
		   !memcmp(attr.value, realm, attr.len));
}

static void one_realm(const char *realm, const char *other)
{
	struct client next, thief;
	struct request r;

	world_init();
	world.cfg.mobility = true;
	world.users = users;
	world.n_users = KTAP_COUNT(users);
	world.realms[1].name = OTHER;
	world.origins[1] = "https://other.example";
	world.n_realms = 2;
	world_start();
	c = alice_of(realm, 40000);
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);

	thief = alice_of(other, 40001);
	req_move(&r, &thief, &t, 600);
	req_refused(&r, &thief, 441);
	req_move(&r, &thief, &t, 0);
	req_refused(&r, &thief, 441);
	KTAP_CHECK(strstr(world.log, "wrong-user user=alice"));
	KTAP_CHECK(!sends_by_indication(&thief, PEER_A));

	/* Challenged for the realm that is of use, whatever the origin says. */
	next = alice_of(realm, 40002);
	next.relay = c.relay;
	next.origin = thief.origin;
	req_move(&r, &next, &t, 600);
	KTAP_EQ(req_send(&r, &next), 401);
	check_realm(realm);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	world_stop();
}

static void realms(void)
{
	one_realm(REALM, OTHER);
	one_realm(OTHER, REALM);
}

/* ------------------------------------------------------------- access tokens */

static void begin(void)
{
	token_world();
	world.cfg.mobility = true;
	world_start();
	client_init(&c, 40000);
	client_challenge(&c);
}

static void allocated_by(const char *kid, uint8_t key_byte)
{
	begin();
	client_token(&c, kid, key_byte, 0, 700);
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	KTAP_EQ(world.mobile, 1);
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
}

static void by_token(void)
{
	struct ticket first;
	struct client next;

	allocated_by("north", 'a');
	first = t;
	/* By the key alone; repeated, because the answer was lost. */
	next = at_port(&c, 40001);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	t = first;
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_EQ(do_permit(&next, PEER_B), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	KTAP_EQ(do_permit(&next, PEER_B), SUCCESS);

	/* With the token, for no longer than that: 700 + 5 seconds. */
	next = at_port(&c, 40002);
	client_token(&next, "north", 'a', 0, 700);
	KTAP_EQ(do_move(&next, &t, 3600), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 705);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));

	/* The next one from there. */
	client_token(&next, "south", 'b', 0, 900);
	KTAP_EQ(do_refresh(&next, 3600), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 905);
	next.access = NULL;
	next = at_port(&next, 40003);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	KTAP_EQ(do_move(&c, &t, 600), 401);
	KTAP_EQ(world.quota_used, 1);
	KTAP_EQ(do_refresh(&next, 0), SUCCESS);
	world_stop();
}

/* An offload that fails leaves it where it was, with the token that it had. */
static void renewal_fails(void)
{
	struct client next;
	struct request r;

	allocated_by("north", 'a');
	next = at_port(&c, 40001);
	client_token(&next, "north", 'a', 0, 3600);
	world.offload_fails = true;
	req_move(&r, &next, &t, 3600);
	req_refused(&r, &next, 508);
	world.offload_fails = false;
	next.access = NULL;
	KTAP_EQ(do_move(&next, &t, 3600), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 705);
	world_stop();
}

/* Each has a key or a token that is good for something, but not for this. */
static void others(void)
{
	struct client thief;
	struct request r;

	allocated_by("north", 'a');
	client_init(&thief, 40001);
	client_challenge(&thief);
	/* A password, */
	req_move(&r, &thief, &t, 0);
	req_refused(&r, &thief, 441);
	/* a token for the same realm, and one for another, */
	client_token(&thief, "south", 'b', 0, 700);
	req_move(&r, &thief, &t, 600);
	req_refused(&r, &thief, 441);
	client_token(&thief, "other", 'a', 0, 700);
	req_move(&r, &thief, &t, 600);
	req_refused(&r, &thief, 441);
	/* the key of an allocation that is there. */
	client_token(&thief, "north", 'b', 0, 700);
	KTAP_EQ(do_allocate(&thief), SUCCESS);
	thief.access = NULL;
	KTAP_EQ(do_permit(&thief, PEER_B), SUCCESS);
	req_move(&r, &thief, &t, 600);
	req_refused(&r, &thief, 401);
	KTAP_EQ(do_refresh(&thief, 0), SUCCESS);
	world_stop();

	/* A token where there was a password. */
	begin();
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	client_init(&thief, 40001);
	client_challenge(&thief);
	client_token(&thief, "north", 'a', 0, 700);
	req_move(&r, &thief, &t, 600);
	req_refused(&r, &thief, 441);
	world_stop();
}

static bool adopt(const struct turn_relay *relays, const uint8_t *packed,
		  size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct turn_alloc *a;

	/* So that reading beyond its end is seen. */
	if (!copy)
		err(1, "adopting");
	memcpy(copy, packed, len);
	a = turn_adopt_alloc(world.s, world.now, &c.tuple, relays, 300000,
			     copy, len);
	free(copy);
	if (a)
		turn_alloc_set_offload(a, 1);
	return a;
}

/* With a token, a ticket and two relayed addresses, all in one. */
static void adopted(void)
{
	struct turn_relay relays[2];
	uint8_t packed[TURN_PACKED_MAX];
	struct turn_alloc *a;
	struct client next;
	struct request r;
	size_t len, n;

	begin();
	client_token(&c, "north", 'a', 0, 700);
	req_allocate(&r, &c);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, 2u << 24);
	req_attr(&r, KTURN_ATTR_MOBILITY_TICKET, "", 0);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_relays(&c) && resp_ticket(&t));
	a = turn_alloc_find(world.s, &c.tuple);
	relays[0] = *turn_alloc_relay(a, KTURN_FAMILY_V4);
	relays[1] = *turn_alloc_relay(a, KTURN_FAMILY_V6);
	n = turn_alloc_pack(a, packed);
	turn_server_free(world.s, true);
	((struct port *)relays[0].handle)->open = true;
	((struct port *)relays[0].handle)->alloc = NULL;
	((struct port *)relays[1].handle)->open = true;
	((struct port *)relays[1].handle)->alloc = NULL;
	world_start();
	for (len = 0; len < n; len++) {
		KTAP_CHECK(!adopt(relays, packed, len));
		KTAP_EQ(world.mobile, 0);
	}
	KTAP_CHECK(adopt(relays, packed, n));
	KTAP_EQ(world.mobile, 1);

	c.access = NULL;
	next = at_port(&c, 40001);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_EQ(do_permit(&next, PEER_A), SUCCESS);
	KTAP_EQ(do_refresh(&next, 0), SUCCESS);
	world_stop();
}

/* ------------------------------------------------------------------ RFC 6062 */

static void req_allocate_tcp(struct request *r)
{
	req_begin(r, &c, KTURN_ALLOCATE);
	req_u32(r, KTURN_ATTR_REQUESTED_TRANSPORT, 6u << 24);
	req_attr(r, KTURN_ATTR_MOBILITY_TICKET, "", 0);
}

static void begin_tcp(bool mobility)
{
	world_init();
	world.cfg.tcp_relay = true;
	world.cfg.mobility = mobility;
	world_start();
	client_init(&c, 40000);
	c.tuple.transport = TURN_TCP;
	client_challenge(&c);
}

static void tcp_allocation(void)
{
	struct client udp;
	struct request r;

	begin_tcp(true);
	req_allocate_tcp(&r);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_relays(&c));
	KTAP_EQ(resp_count(KTURN_ATTR_MOBILITY_TICKET), 0);
	KTAP_EQ(world.mobile, 0);
	KTAP_CHECK(world_port(&c.relay)->is_tcp);
	/* Where it is, no other allocation comes. */
	udp = at_port(&c, 40001);
	udp.tuple.transport = TURN_UDP;
	KTAP_EQ(do_allocate_ticket(&udp, &t), SUCCESS);
	req_move(&r, &c, &t, 600);
	req_refused(&r, &c, 437);
	/* It ends with its connection. */
	turn_client_gone(world.s, &c.tuple);
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	world_stop();

	begin_tcp(false);
	req_allocate_tcp(&r);
	req_refused(&r, &c, 405);
	world_stop();
}

/* A connection by which data is to come can't be bound to a peer's. */
static void connection_bind(void)
{
	struct client next;
	struct request r;

	begin_tcp(true);
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	next = at_port(&c, 40001);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	world.elsewhere = true;
	req_begin(&r, &next, KTURN_CONNECTION_BIND);
	req_u32(&r, KTURN_ATTR_CONNECTION_ID, 1);
	req_refused(&r, &next, 400);
	KTAP_EQ(world.n_passed, 0);
	world.elsewhere = false;
	req_begin(&r, &next, KTURN_CONNECT);
	req_peer(&r, PEER_A);
	req_refused(&r, &next, 437);
	world_stop();
}

const struct ktap_case owner_cases[] = {
	{ "mobility: 441 for the same name in another realm", realms },
	{ "mobility: made with an access token", by_token },
	{ "mobility: a token, and an offload that fails", renewal_fails },
	{ "mobility: other tokens, keys and passwords", others },
	{ "mobility: adopted with a token", adopted },
	{ "mobility: no ticket where TCP is relayed", tcp_allocation },
	{ "mobility: a ConnectionBind where data is to come",
	  connection_bind },
};

const size_t owner_count = KTAP_COUNT(owner_cases);
