// SPDX-License-Identifier: GPL-2.0-or-later
/* EVEN-PORT and RESERVATION-TOKEN. */
#include <arpa/inet.h>

#include "turn_test.h"

static struct client c, d;

static void begin(struct request *r, struct client *cl)
{
	req_begin(r, cl, KTURN_ALLOCATE);
	req_u32(r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
}

static int allocate_even(uint8_t flags, bool again)
{
	struct kturn_attr attr;
	struct request r;
	int code;

	if (again)
		req_again(&r, &c, KTURN_ALLOCATE);
	else
		req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	req_attr(&r, KTURN_ATTR_EVEN_PORT, &flags, 1);
	code = req_call(&r, &c);
	if (code)
		return code;
	KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_RELAYED_ADDRESS, &c.relay));
	c.has_token = resp_attr(KTURN_ATTR_RESERVATION_TOKEN, &attr);
	if (c.has_token && KTAP_EQ(attr.len, 8))
		memcpy(c.token, attr.value, 8);
	return code;
}

static int allocate_token(const uint8_t *token)
{
	struct request r;
	int code;

	begin(&r, &d);
	req_attr(&r, KTURN_ATTR_RESERVATION_TOKEN, token, 8);
	code = req_call(&r, &d);
	if (!code)
		KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_RELAYED_ADDRESS,
				     &d.relay));
	return code;
}

static void start(void)
{
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	client_init(&d, 40001);
	client_challenge(&d);
}

static void even(void)
{
	start();
	/* The bits that are reserved for the future don't matter. */
	KTAP_EQ(allocate_even(0x7f, false), SUCCESS);
	KTAP_EQ(ntohs(c.relay.port) % 2, 0);
	KTAP_CHECK(!c.has_token);
	KTAP_EQ(world_open_ports(), 1);
	world_stop();
}

static void pair(void)
{
	uint8_t token[8];

	start();
	KTAP_EQ(allocate_even(0xff, false), SUCCESS);
	KTAP_EQ(ntohs(c.relay.port) % 2, 0);
	KTAP_CHECK(c.has_token);
	KTAP_EQ(world_open_ports(), 2);
	memcpy(token, c.token, 8);

	/* Repeated: the same token, and no other port. */
	KTAP_EQ(allocate_even(0x80, true), SUCCESS);
	KTAP_CHECK(c.has_token);
	KTAP_MEM_EQ(c.token, token, 8);
	KTAP_EQ(world_open_ports(), 2);

	/* Another client, even another user, claims it once. */
	d.user = "bob";
	d.password = "builder";
	d.tuple.server = addr("203.0.113.9:5000");
	KTAP_EQ(allocate_token(token), SUCCESS);
	KTAP_EQ(ntohs(d.relay.port), ntohs(c.relay.port) + 1);
	KTAP_EQ(do_refresh(&d, 0), SUCCESS);
	KTAP_EQ(allocate_token(token), 508);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_EQ(allocate_even(0x80, false), SUCCESS);
	KTAP_CHECK(memcmp(c.token, token, 8));
	world_stop();
}

static void held_for_thirty_seconds(void)
{
	start();
	KTAP_EQ(allocate_even(0x80, false), SUCCESS);
	world_pass(29999);
	KTAP_EQ(allocate_token(c.token), SUCCESS);
	KTAP_EQ(do_refresh(&d, 0), SUCCESS);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_EQ(allocate_even(0x80, false), SUCCESS);
	world_pass(30000);
	KTAP_EQ(allocate_token(c.token), 508);
	world_stop();
}

static void bad_tokens(void)
{
	uint8_t token[8];
	struct request r;
	uint64_t before;
	size_t i;

	start();
	KTAP_EQ(allocate_even(0x80, false), SUCCESS);
	before = world_state();
	for (i = 0; i < 64; i++) {
		memcpy(token, c.token, 8);
		token[i / 8] ^= 1 << i % 8;
		KTAP_EQ(allocate_token(token), 508);
	}
	/* Not together with what else says which port. */
	begin(&r, &d);
	req_attr(&r, KTURN_ATTR_RESERVATION_TOKEN, c.token, 8);
	req_attr(&r, KTURN_ATTR_EVEN_PORT, "\0", 1);
	KTAP_EQ(req_call(&r, &d), 400);
	begin(&r, &d);
	req_attr(&r, KTURN_ATTR_RESERVATION_TOKEN, c.token, 8);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 1 << 24);
	KTAP_EQ(req_call(&r, &d), 400);
	begin(&r, &d);
	req_attr(&r, KTURN_ATTR_RESERVATION_TOKEN, c.token, 8);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, 2 << 24);
	KTAP_EQ(req_call(&r, &d), 400);
	KTAP_CHECK(world_state() == before);
	KTAP_EQ(allocate_token(c.token), SUCCESS);
	world_stop();
}

/* What fails must not cost a reservation, nor leave one behind. */
static void failures(void)
{
	uint64_t before;

	start();
	before = world_state();
	world.reserve_fails = true;
	KTAP_EQ(allocate_even(0x80, false), 508);
	KTAP_CHECK(strstr(world.trace, "offload_alloc reserve offload_remove "
			  "relay_close relay_close quota_give"));
	world.reserve_fails = false;
	world.offload_fails = true;
	KTAP_EQ(allocate_even(0x80, false), 508);
	KTAP_CHECK(world_state() == before);
	KTAP_EQ(world_open_ports(), 0);

	world.offload_fails = false;
	KTAP_EQ(allocate_even(0x80, false), SUCCESS);
	world.offload_fails = true;
	KTAP_EQ(allocate_token(c.token), 508);
	world.offload_fails = false;
	world.quota_left = 1;
	KTAP_EQ(allocate_token(c.token), 486);
	world.quota_left = 2;
	KTAP_EQ(allocate_token(c.token), SUCCESS);
	KTAP_EQ(ntohs(d.relay.port), ntohs(c.relay.port) + 1);
	KTAP_EQ(do_refresh(&d, 0), SUCCESS);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);

	/* It can't be held again either: then it is closed, not lost. */
	KTAP_EQ(allocate_even(0x80, false), SUCCESS);
	world.offload_fails = true;
	world.reserve_fails = true;
	KTAP_EQ(allocate_token(c.token), 508);
	KTAP_EQ(world_open_ports(), 1);
	world_stop();
}

/* A token says which address; whether IPv4 is there does not matter. */
static void without_ipv4(void)
{
	struct kturn_attr attr;
	struct request r;

	world_init();
	world.cfg.family4 = false;
	world_start();
	client_init(&c, 40000);
	client_challenge(&c);
	client_init(&d, 40001);
	client_challenge(&d);
	begin(&r, &c);
	req_attr(&r, KTURN_ATTR_EVEN_PORT, "\x80", 1);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 2 << 24);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	if (KTAP_CHECK(resp_attr(KTURN_ATTR_RESERVATION_TOKEN, &attr)))
		memcpy(c.token, attr.value, 8);
	KTAP_EQ(allocate_token(c.token), SUCCESS);
	KTAP_EQ(d.relay.family, KTURN_FAMILY_V6);
	world_stop();
}

const struct ktap_case ports_cases[] = {
	{ "ports: EVEN-PORT", even },
	{ "ports: a pair, its token, and who claims it", pair },
	{ "ports: a reservation lasts 30 seconds", held_for_thirty_seconds },
	{ "ports: 508 and 400 for tokens", bad_tokens },
	{ "ports: failures keep reservations", failures },
	{ "ports: a token on a server without IPv4", without_ipv4 },
};

const size_t ports_count = KTAP_COUNT(ports_cases);
