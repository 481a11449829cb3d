// SPDX-License-Identifier: GPL-2.0-or-later
/* Allocate (RFC 8656 section 7.2), but for which port is given. */
#include <arpa/inet.h>

#include "turn_test.h"

/* Values of REQUESTED-TRANSPORT and of the families' attributes. */
#define UDP	0x11000000
#define V4	0x01000000
#define V6	0x02000000

static struct client c;

static void begin(struct request *r)
{
	req_begin(r, &c, KTURN_ALLOCATE);
	req_u32(r, KTURN_ATTR_REQUESTED_TRANSPORT, UDP);
}

static void start(void)
{
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
}

static void success(void)
{
	struct kturn_addr relay = addr("203.0.113.1:50001");
	struct kturn_attr attr;
	struct turn_alloc *a;

	start();
	KTAP_EQ(do_allocate(&c), SUCCESS);
	/* The public address, not that of the socket. */
	KTAP_MEM_EQ(&c.relay, &relay, sizeof(relay));
	KTAP_MEM_EQ(&c.mapped, &c.tuple.client, sizeof(c.mapped));
	KTAP_EQ(c.lifetime, 600);
	KTAP_CHECK(!c.has_token);
	KTAP_CHECK(resp_attr(KTURN_ATTR_SOFTWARE, &attr));
	KTAP_EQ(resp_count(KTURN_ATTR_XOR_RELAYED_ADDRESS), 1);
	KTAP_EQ(resp_count(KTURN_ATTR_ADDRESS_ERROR_CODE), 0);

	a = turn_alloc_find(world.s, &c.tuple);
	if (KTAP_CHECK(a)) {
		KTAP_CHECK(world_port(&c.relay)->alloc == a);
		KTAP_MEM_EQ(turn_alloc_tuple(a), &c.tuple, sizeof(c.tuple));
		KTAP_EQ(turn_alloc_left_ms(a, world.now), 600000);
		KTAP_EQ(turn_alloc_offload(a), 1);
	}
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	KTAP_EQ(world.quota_used, 1);
	world_stop();
}

/* The offload knows before the client does, and the port before both. */
static void order(void)
{
	struct request r;

	start();
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_CHECK(!strcmp(world.trace, "user_keys quota_take relay_open "
			   "offload_alloc relay_start client_send "));
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_CHECK(!strcmp(world.trace, "user_keys offload_remove relay_close "
			   "quota_give client_send "));
	begin(&r);
	req_attr(&r, KTURN_ATTR_EVEN_PORT, "\x80", 1);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(!strcmp(world.trace, "user_keys quota_take relay_open "
			   "offload_alloc reserve relay_start client_send "));
	world_stop();
}

static void lifetimes(void)
{
	static const struct {
		uint32_t asked, got;
	} table[] = {
		{ 0, 600 }, { 1, 600 }, { 599, 600 }, { 600, 600 },
		{ 601, 601 }, { 777, 777 }, { 3599, 3599 }, { 3600, 3600 },
		{ 3601, 3600 }, { UINT32_MAX, 3600 },
	};
	struct request r;
	size_t i;

	start();
	for (i = 0; i < KTAP_COUNT(table); i++) {
		begin(&r);
		req_u32(&r, KTURN_ATTR_LIFETIME, table[i].asked);
		KTAP_EQ(req_call(&r, &c), SUCCESS);
		KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), table[i].got);
		KTAP_EQ(world.off_lifetime, table[i].got);
		KTAP_EQ(turn_alloc_left_ms(turn_alloc_find(world.s, &c.tuple),
					   world.now), table[i].got * 1000);
		KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	}
	world_stop();

	world_init();
	world.cfg.lifetime_max = 600;
	world_start();
	client_challenge(&c);
	begin(&r);
	req_u32(&r, KTURN_ATTR_LIFETIME, 3000);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 600);
	world_stop();
}

static void transport(void)
{
	static const uint32_t others[] = { 0, 6, 16, 18, 132, 136, 255 };
	struct request r;
	size_t i;

	start();
	for (i = 0; i < KTAP_COUNT(others); i++) {
		req_begin(&r, &c, KTURN_ALLOCATE);
		req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, others[i] << 24);
		check_refused(&c, &r, 442);
	}
	req_begin(&r, &c, KTURN_ALLOCATE);
	check_refused(&c, &r, 400);
	for (i = 0; i <= 8; i++) {
		if (i == 4)
			continue;
		req_begin(&r, &c, KTURN_ALLOCATE);
		req_attr(&r, KTURN_ATTR_REQUESTED_TRANSPORT, "\x11\0\0\0\0\0\0",
			 i);
		check_refused(&c, &r, 400);
	}

	/* What is reserved may be anything; the first of two counts. */
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, UDP | 0xabcdef);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 6 << 24);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	world_stop();
}

/* Attributes of lengths that they can't have, in requests fine otherwise. */
static void wrong_lengths(void)
{
	static const struct {
		uint16_t type;
		size_t len;
	} table[] = {
		{ KTURN_ATTR_LIFETIME, 4 },
		{ KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 4 },
		{ KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, 4 },
		{ KTURN_ATTR_EVEN_PORT, 1 },
		{ KTURN_ATTR_DONT_FRAGMENT, 0 },
		{ KTURN_ATTR_RESERVATION_TOKEN, 8 },
	};
	struct request r;
	size_t i, len;

	start();
	for (i = 0; i < KTAP_COUNT(table); i++)
		for (len = 0; len <= 9; len++) {
			if (len == table[i].len)
				continue;
			begin(&r);
			req_attr(&r, table[i].type, "\2\0\0\0\0\0\0\0", len);
			check_refused(&c, &r, 400);
		}
	/* Where they mean nothing their length does not matter either. */
	begin(&r);
	req_attr(&r, KTURN_ATTR_CHANNEL_NUMBER, "", 0);
	req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS, "abc", 3);
	req_attr(&r, KTURN_ATTR_DATA, "", 0);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	world_stop();
}

static void families(void)
{
	struct request r;

	start();
	begin(&r);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, V6 | 0xabcdef);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_RELAYED_ADDRESS, &c.relay));
	KTAP_EQ(c.relay.family, KTURN_FAMILY_V6);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);

	begin(&r);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, V4);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_RELAYED_ADDRESS, &c.relay));
	KTAP_EQ(c.relay.family, KTURN_FAMILY_V4);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);

	/* Families that are none. */
	begin(&r);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 3 << 24);
	check_refused(&c, &r, 440);
	begin(&r);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 0);
	check_refused(&c, &r, 440);

	/* The transport finds out that it has none. */
	world.relay_error = -EAFNOSUPPORT;
	begin(&r);
	check_refused(&c, &r, 440);
	world.relay_error = 0;
	world_stop();

	/* Only IPv4, then only IPv6, which must be asked for. */
	world_init();
	world.cfg.family6 = false;
	world_start();
	client_challenge(&c);
	begin(&r);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, V6);
	check_refused(&c, &r, 440);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();

	world_init();
	world.cfg.family4 = false;
	world_start();
	client_challenge(&c);
	begin(&r);
	check_refused(&c, &r, 440);
	begin(&r);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, V6);
	check_refused(&c, &r, 440);
	begin(&r);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, V6);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	world_stop();
}

/* Steps 2, 3, 5 to 9 of section 7.2: what is told first. */
static void precedence(void)
{
	struct request r;

	start();
	/* 442 before 400 for what contradicts itself, and before 440. */
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 6 << 24);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 3 << 24);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, V4);
	check_refused(&c, &r, 442);
	begin(&r);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 3 << 24);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, V4);
	check_refused(&c, &r, 400);
	/* 420 before all of them, after 401. */
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_attr(&r, 0x7abc, "", 0);
	check_refused(&c, &r, 420);
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_attr(&r, 0x7abc, "", 0);
	KTAP_EQ(req_send(&r, &c), 401);
	/* 437 before what is wrong with the rest, but 420 still first. */
	KTAP_EQ(do_allocate(&c), SUCCESS);
	req_begin(&r, &c, KTURN_ALLOCATE);
	check_refused(&c, &r, 437);
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_attr(&r, 0x7abc, "", 0);
	check_refused(&c, &r, 420);
	world_stop();
}

/* RFC 8656 section 21.4. */
static void tunneled_client(void)
{
	static const struct {
		const char *client;
		int code;
	} table[] = {
		{ "[2002:c633:6401::1]:40000", 403 },
		{ "[2001:0:c633:6401::1]:40000", 403 },
		{ "[2001:1::1]:40000", SUCCESS },
		{ "[2003:c633:6401::1]:40000", SUCCESS },
		{ "32.2.0.1:40000", SUCCESS },
	};
	size_t i;

	world_begin();
	for (i = 0; i < KTAP_COUNT(table); i++) {
		client_init(&c, 40000);
		c.tuple.client = addr(table[i].client);
		client_challenge(&c);
		KTAP_EQ(do_allocate(&c), table[i].code);
	}
	KTAP_EQ(turn_counters(world.s)->allocs, 3);
	world_stop();
}

/* Section 7.2's last note: no second allocation, and the same answer. */
static void retransmission(void)
{
	struct client first;
	struct request r;
	uint64_t before;

	start();
	KTAP_EQ(do_allocate(&c), SUCCESS);
	first = c;
	before = world_state();

	world_pass(500);
	req_again(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, UDP);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_RELAYED_ADDRESS, &c.relay));
	KTAP_MEM_EQ(&c.relay, &first.relay, sizeof(c.relay));
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 600);
	KTAP_CHECK(!strstr(world.trace, "offload") &&
		   !strstr(world.trace, "relay_open"));

	/* What is left of it, later on. */
	world_pass(9500);
	req_again(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, UDP);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 590);
	world.now -= 10000;
	KTAP_CHECK(world_state() == before);

	/* It is authenticated each time. */
	c.password = "wrong";
	req_again(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, UDP);
	check_refused(&c, &r, 401);
	/* A malformed one can't be what made it. */
	c.password = first.password;
	req_again(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, UDP);
	req_attr(&r, KTURN_ATTR_LIFETIME, "", 0);
	check_refused(&c, &r, 437);
	/* Another user's, by chance or not, is no retransmission. */
	c.user = "bob";
	c.password = "builder";
	req_again(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, UDP);
	check_refused(&c, &r, 437);
	/* Nor is another transaction of the same one. */
	c = first;
	begin(&r);
	check_refused(&c, &r, 437);
	/* Of another client the same transaction id is another one. */
	c.tuple.client.port ^= 1;
	memcpy(c.tid, first.tid, sizeof(c.tid));
	client_challenge(&c);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_EQ(turn_counters(world.s)->allocs, 2);
	world_stop();
}

static void quota(void)
{
	struct request r;

	start();
	world.quota_left = 1;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	c.tuple.client.port ^= 1;
	client_challenge(&c);
	begin(&r);
	check_refused(&c, &r, 486);
	KTAP_CHECK(!strstr(world.trace, "relay_open"));
	c.tuple.client.port ^= 1;
	client_challenge(&c);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();
}

static void failures(void)
{
	struct request r;

	start();
	world.relay_error = -ENOSPC;
	begin(&r);
	check_refused(&c, &r, 508);
	world.relay_error = -EMFILE;
	begin(&r);
	check_refused(&c, &r, 508);
	world.relay_error = 0;
	KTAP_EQ(world.quota_used, 0);

	world.offload_fails = true;
	begin(&r);
	check_refused(&c, &r, 508);
	KTAP_CHECK(!strcmp(world.trace, "user_keys quota_take relay_open "
			   "offload_alloc relay_close quota_give client_send "));
	world.offload_fails = false;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();
}

/* An attribute like MAPPED-ADDRESS: plain. */
static void check_plain(const struct kturn_attr *attr, const char *text)
{
	struct kturn_addr want = addr(text);
	size_t ip_len = want.family == KTURN_FAMILY_V4 ? 4 : 16;

	KTAP_EQ(attr->len, 4 + ip_len);
	KTAP_EQ(attr->value[0], 0);
	KTAP_EQ(attr->value[1], want.family);
	KTAP_EQ(kturn_get16(attr->value + 2), kturn_addr_port(&want));
	KTAP_MEM_EQ(attr->value + 4, want.ip, ip_len);
}

/* RFC 8489 section 10. */
static void elsewhere(void)
{
	struct kturn_attr attr;
	struct request r;
	int transport;

	start();
	world.place = TURN_GO;
	world.alternate[0].addr = addr("192.0.2.7:3479");
	world.alternate[0].domain = "turn.example.org";
	world.alternate[1].addr = addr("[2001:db8::7]:5349");
	/* Not before it is known who asks, and what. */
	begin(&r);
	KTAP_EQ(req_send(&r, &c), 401);
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 0x06000000);
	req_refused(&r, &c, 442);
	begin(&r);
	req_refused(&r, &c, 300);
	KTAP_EQ(resp_count(KTURN_ATTR_ALTERNATE_SERVER), 2);
	KTAP_CHECK(resp_attr(KTURN_ATTR_ALTERNATE_SERVER, &attr));
	check_plain(&attr, "192.0.2.7:3479");
	KTAP_EQ(resp_count(KTURN_ATTR_ALTERNATE_DOMAIN), 0);
	/* With TLS, to who is known to understand it. */
	for (transport = TURN_UDP; transport <= TURN_DTLS; transport++) {
		client_init(&c, 40000);
		c.tuple.transport = transport;
		client_challenge(&c);
		c.mechanism = ALG_SHA256;
		begin(&r);
		req_refused(&r, &c, 300);
		KTAP_EQ(resp_count(KTURN_ATTR_ALTERNATE_DOMAIN),
			transport == TURN_TLS || transport == TURN_DTLS);
	}
	KTAP_CHECK(resp_attr(KTURN_ATTR_ALTERNATE_DOMAIN, &attr));
	KTAP_MEM_EQ(attr.value, "turn.example.org", 16);
	world.alternate[1].addr.family = KTURN_FAMILY_NONE;
	begin(&r);
	req_refused(&r, &c, 300);
	KTAP_EQ(resp_count(KTURN_ATTR_ALTERNATE_SERVER), 1);
	world.place = TURN_NOWHERE;
	begin(&r);
	req_refused(&r, &c, 508);
	/* Who is here stays. */
	world.place = TURN_STAY;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world.place = TURN_GO;
	KTAP_EQ(do_refresh(&c, 600), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	world_stop();
}

const struct ktap_case allocate_cases[] = {
	{ "allocate: what the answer says", success },
	{ "allocate: offload first, then the answer", order },
	{ "allocate: LIFETIME", lifetimes },
	{ "allocate: ALTERNATE-SERVER", elsewhere },
	{ "allocate: REQUESTED-TRANSPORT, 400 and 442", transport },
	{ "allocate: 400 for attributes of wrong length", wrong_lengths },
	{ "allocate: REQUESTED-ADDRESS-FAMILY and 440", families },
	{ "allocate: which error comes first", precedence },
	{ "allocate: 403 for Teredo and 6to4 clients", tunneled_client },
	{ "allocate: retransmissions get the same answer", retransmission },
	{ "allocate: 486 when the quota is reached", quota },
	{ "allocate: 508 changes nothing", failures },
};

const size_t allocate_count = KTAP_COUNT(allocate_cases);
