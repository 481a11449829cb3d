// SPDX-License-Identifier: GPL-2.0-or-later
/* Dual allocations: a relayed address of each family (RFC 8656 section 6). */
#include <arpa/inet.h>

#include "turn_test.h"

#define UDP	0x11000000
#define V4	0x01000000
#define V6	0x02000000

#define PEER_V6B	"[2001:db8:1::20]:7000"

static struct client c;

static void begin(struct request *r)
{
	req_begin(r, &c, KTURN_ALLOCATE);
	req_u32(r, KTURN_ATTR_REQUESTED_TRANSPORT, UDP);
}

static void begin_both(struct request *r)
{
	begin(r);
	req_u32(r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, V6);
}

static void start(void)
{
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
}

/* With an allocation. */
static void start_both(void)
{
	start();
	KTAP_EQ(do_allocate_both(&c), SUCCESS);
}

static void success(void)
{
	struct turn_alloc *a;

	start_both();
	KTAP_CHECK(!strcmp(world.trace, "user_keys quota_take relay_open "
			   "relay_open offload_alloc relay_start relay_start "
			   "client_send "));
	KTAP_CHECK(strstr(world.log, "relay=203.0.113.1:50001 "
			  "relay=[2001:db8:ff::1]:50002 lifetime=600"));
	KTAP_EQ(c.relay.family, KTURN_FAMILY_V4);
	KTAP_EQ(c.relay6.family, KTURN_FAMILY_V6);
	KTAP_EQ(resp_count(KTURN_ATTR_ADDRESS_ERROR_CODE), 0);
	KTAP_EQ(resp_count(KTURN_ATTR_LIFETIME), 1);
	KTAP_EQ(c.lifetime, 600);

	a = turn_alloc_find(world.s, &c.tuple);
	KTAP_CHECK(world_port(&c.relay)->alloc == a);
	KTAP_CHECK(world_port(&c.relay6)->alloc == a);
	KTAP_EQ(world_port(&c.relay6)->family, KTURN_FAMILY_V6);
	KTAP_EQ(turn_alloc_left_ms(a, world.now), 600000);
	/* It counts once. */
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	KTAP_EQ(turn_counters(world.s)->relays, 2);
	KTAP_EQ(world.quota_used, 1);
	KTAP_EQ(world.pushed, 1);

	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_CHECK(!strcmp(world.trace, "user_keys offload_remove relay_close "
			   "relay_close quota_give client_send "));
	KTAP_EQ(turn_counters(world.s)->relays, 0);
	KTAP_EQ(world_open_ports(), 0);
	world_stop();
}

/* One relayed address, of @family, and why there is no other. */
static void check_half_met(uint8_t family, int code, const char *reason)
{
	struct kturn_attr attr;

	KTAP_CHECK(resp_relays(&c));
	KTAP_EQ(c.relay.family, family);
	KTAP_EQ(c.relay6.family, KTURN_FAMILY_NONE);
	KTAP_EQ(resp_count(KTURN_ATTR_ADDRESS_ERROR_CODE), 1);
	if (!KTAP_CHECK(resp_attr(KTURN_ATTR_ADDRESS_ERROR_CODE, &attr)))
		return;
	KTAP_EQ(kturn_get32(attr.value),
		(uint32_t)(family ^ 3) << 24 | code / 100 << 8 | code % 100);
	if (KTAP_EQ(attr.len, 4 + strlen(reason)))
		KTAP_MEM_EQ(attr.value + 4, reason, strlen(reason));
}

static void in_part(void)
{
	static const char unsupported[] = "Address Family not Supported";
	static const char no_capacity[] = "Insufficient Capacity";
	static const struct {
		int error;
		uint8_t failing, got;
		int code;
		const char *reason;
	} table[] = {
		{ -ENOSPC, KTURN_FAMILY_V6, KTURN_FAMILY_V4, 508, no_capacity },
		{ -EMFILE, KTURN_FAMILY_V6, KTURN_FAMILY_V4, 508, no_capacity },
		{ -ENOSPC, KTURN_FAMILY_V4, KTURN_FAMILY_V6, 508, no_capacity },
		{ -EAFNOSUPPORT, KTURN_FAMILY_V6, KTURN_FAMILY_V4, 440,
		  unsupported },
	};
	struct request r;
	size_t i;

	start();
	for (i = 0; i < KTAP_COUNT(table); i++) {
		world.relay_error = table[i].error;
		world.relay_error_family = table[i].failing;
		begin_both(&r);
		KTAP_EQ(req_call(&r, &c), SUCCESS);
		check_half_met(table[i].got, table[i].code, table[i].reason);
		KTAP_EQ(turn_counters(world.s)->relays, 1);
		KTAP_EQ(world_open_ports(), 1);
		/* The same again, when both could be had. */
		world.relay_error = 0;
		req_again(&r, &c, KTURN_ALLOCATE);
		req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, UDP);
		req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, V6);
		KTAP_EQ(req_call(&r, &c), SUCCESS);
		check_half_met(table[i].got, table[i].code, table[i].reason);
		KTAP_EQ(do_refresh_family(&c, table[i].got ^ 3, 600), 443);
		KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	}
	world_stop();

	/* Not configured: nothing is tried. */
	world_init();
	world.cfg.family6 = false;
	world_start();
	client_challenge(&c);
	begin_both(&r);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(!strcmp(world.trace, "user_keys quota_take relay_open "
			   "offload_alloc relay_start client_send "));
	check_half_met(KTURN_FAMILY_V4, 440, unsupported);
	world_stop();
}

static void failures(void)
{
	struct request r;

	start();
	world.relay_error = -ENOSPC;
	begin_both(&r);
	check_refused(&c, &r, 508);
	/* Step 7: no IPv4 at all, whatever else can be had. */
	world.relay_error = -EAFNOSUPPORT;
	world.relay_error_family = KTURN_FAMILY_V4;
	begin_both(&r);
	check_refused(&c, &r, 440);
	world.relay_error = 0;

	world.offload_fails = true;
	begin_both(&r);
	check_refused(&c, &r, 508);
	KTAP_CHECK(!strcmp(world.trace, "user_keys quota_take relay_open "
			   "relay_open offload_alloc relay_close relay_close "
			   "quota_give client_send "));
	world.offload_fails = false;
	world.quota_left = 0;
	begin_both(&r);
	check_refused(&c, &r, 486);
	world.quota_left = 1;
	KTAP_EQ(do_allocate_both(&c), SUCCESS);
	world_stop();
}

/* Steps 5, 6, 8 and 9 of section 7.2. */
static void bad_requests(void)
{
	struct request r;

	start();
	begin(&r);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, V4);
	check_refused(&c, &r, 400);
	begin(&r);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, 3 << 24);
	check_refused(&c, &r, 400);
	begin_both(&r);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, V4);
	check_refused(&c, &r, 400);
	begin_both(&r);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, V6);
	check_refused(&c, &r, 400);
	begin_both(&r);
	req_attr(&r, KTURN_ATTR_EVEN_PORT, "\x80", 1);
	check_refused(&c, &r, 400);
	begin_both(&r);
	req_attr(&r, KTURN_ATTR_RESERVATION_TOKEN, "12345678", 8);
	check_refused(&c, &r, 400);
	/* What is reserved in the attribute may be anything. */
	begin(&r);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, V6 | 0xabcdef);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_EQ(resp_count(KTURN_ATTR_XOR_RELAYED_ADDRESS), 2);
	world_stop();
}

/* coturn's number is as good as the RFC's, but for where both are there. */
static void coturns_number(void)
{
	static const uint16_t type = KTURN_ATTR_COTURN_ADDITIONAL_FAMILY;
	static const uint32_t other[][2] = {
		{ KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, V4 },
		{ KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, V6 },
	};
	static const char *const names[] = { "\x02", "host", "name.example" };
	struct request r;
	size_t i;

	start();
	for (i = 0; i < KTAP_COUNT(other); i++) {
		begin(&r);
		req_u32(&r, (uint16_t)other[i][0], other[i][1]);
		req_u32(&r, type, V6);
		check_refused(&c, &r, 400);
	}
	begin(&r);
	req_u32(&r, type, V6);
	req_attr(&r, KTURN_ATTR_EVEN_PORT, "\x80", 1);
	check_refused(&c, &r, 400);
	begin(&r);
	req_u32(&r, type, V6);
	req_attr(&r, KTURN_ATTR_RESERVATION_TOKEN, "12345678", 8);
	check_refused(&c, &r, 400);
	/* The RFC's counts, wherever it is. */
	begin(&r);
	req_u32(&r, type, V6);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, V4);
	check_refused(&c, &r, 400);
	begin_both(&r);
	req_u32(&r, type, V4);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_EQ(resp_count(KTURN_ATTR_XOR_RELAYED_ADDRESS), 2);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);

	begin(&r);
	req_u32(&r, type, V6);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_relays(&c));
	KTAP_EQ(c.relay6.family, KTURN_FAMILY_V6);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	/* What is nothing that coturn's clients send is something else. */
	for (i = 0; i < KTAP_COUNT(names); i++) {
		begin(&r);
		req_attr(&r, type, names[i], strlen(names[i]));
		KTAP_EQ(req_call(&r, &c), SUCCESS);
		KTAP_EQ(resp_count(KTURN_ATTR_XOR_RELAYED_ADDRESS), 1);
		KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	}
	world_stop();
}

static void even_ports(void)
{
	struct request r;

	start();
	begin_both(&r);
	req_attr(&r, KTURN_ATTR_EVEN_PORT, "\0", 1);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_relays(&c));
	KTAP_EQ(ntohs(c.relay.port) % 2, 0);
	KTAP_EQ(ntohs(c.relay6.port) % 2, 0);
	KTAP_EQ(resp_count(KTURN_ATTR_RESERVATION_TOKEN), 0);
	KTAP_EQ(world_open_ports(), 2);
	world_stop();
}

static void retransmission(void)
{
	struct client first;
	struct request r;
	uint64_t before;

	start_both();
	first = c;
	before = world_state();
	req_again(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, UDP);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, V6);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_relays(&c));
	KTAP_MEM_EQ(&c.relay, &first.relay, sizeof(c.relay));
	KTAP_MEM_EQ(&c.relay6, &first.relay6, sizeof(c.relay6));
	KTAP_EQ(resp_count(KTURN_ATTR_ADDRESS_ERROR_CODE), 0);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 600);
	KTAP_CHECK(world_state() == before);
	/* Another one. */
	begin_both(&r);
	check_refused(&c, &r, 437);
	world_stop();
}

/* Each from the relayed address of the peer's family, see client.h. */
static void data(void)
{
	struct request r;

	start_both();
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_peer(&r, PEER_A);
	req_peer(&r, PEER_V6);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(strstr(world.trace, "offload_peers"));
	KTAP_EQ(world.off_n, 2);
	KTAP_CHECK(sends_by_indication(&c, PEER_A));
	KTAP_CHECK(sends_by_indication(&c, PEER_V6));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);
	KTAP_EQ(receives(&c, PEER_V6), KTURN_KIND_STUN);
	KTAP_CHECK(!sends_by_indication(&c, PEER_B));
	KTAP_CHECK(!sends_by_indication(&c, PEER_V6B));
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_OTHER);
	KTAP_EQ(receives(&c, PEER_V6B), KTURN_KIND_OTHER);

	KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4001, PEER_V6B), SUCCESS);
	/* Numbers are the allocation's, not a family's. */
	KTAP_EQ(do_bind(&c, 0x4000, PEER_V6B), 400);
	KTAP_EQ(do_bind(&c, 0x4001, PEER_B), 400);
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_B));
	KTAP_CHECK(sends_by_channel(&c, 0x4001, PEER_V6B));
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_CHANNEL);
	KTAP_EQ(receives(&c, PEER_V6B), KTURN_KIND_CHANNEL);
	world_stop();
}

/* With peers and channels of both families. */
static void start_busy(void)
{
	start_both();
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_V6), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4001, PEER_V6B), SUCCESS);
}

/* What ended, and what went on as if nothing had happened. */
static void check_half_gone(bool v4)
{
	const char *gone = v4 ? PEER_A : PEER_V6, *kept = v4 ? PEER_V6 : PEER_A;
	uint8_t family = v4 ? KTURN_FAMILY_V4 : KTURN_FAMILY_V6;

	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	KTAP_EQ(turn_counters(world.s)->relays, 1);
	KTAP_EQ(turn_counters(world.s)->perms, 2);
	KTAP_EQ(turn_counters(world.s)->chans, 1);
	KTAP_EQ(world_open_ports(), 1);
	KTAP_EQ(world.quota_used, 1);
	KTAP_EQ(world.pushed, 1);

	KTAP_CHECK(!sends_by_indication(&c, gone));
	KTAP_CHECK(!sends_by_channel(&c, v4 ? 0x4000 : 0x4001, gone));
	KTAP_CHECK(sends_by_indication(&c, kept));
	KTAP_EQ(receives(&c, kept), KTURN_KIND_STUN);
	KTAP_CHECK(sends_by_channel(&c, v4 ? 0x4001 : 0x4000,
				    v4 ? PEER_V6B : PEER_B));
	KTAP_EQ(receives(&c, v4 ? PEER_V6B : PEER_B), KTURN_KIND_CHANNEL);

	KTAP_EQ(do_permit(&c, gone), 443);
	KTAP_EQ(do_bind(&c, 0x4002, gone), 443);
	KTAP_EQ(do_refresh_family(&c, family, 600), 443);
	KTAP_EQ(do_refresh_family(&c, family, 0), 443);
	KTAP_EQ(do_permit(&c, kept), SUCCESS);
}

static void deletion(void)
{
	struct request r;
	uint8_t family;

	for (family = KTURN_FAMILY_V4; family <= KTURN_FAMILY_V6; family++) {
		start_busy();
		KTAP_EQ(do_refresh_family(&c, family, 0), SUCCESS);
		KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 0);
		KTAP_CHECK(!strcmp(world.trace, "user_keys offload_shrink "
				   "relay_close client_send "));
		/* The answer was lost. */
		req_again(&r, &c, KTURN_REFRESH);
		req_u32(&r, KTURN_ATTR_LIFETIME, 0);
		req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY,
			(uint32_t)family << 24);
		KTAP_EQ(req_call(&r, &c), SUCCESS);
		KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 0);
		check_half_gone(family == KTURN_FAMILY_V4);

		/* The last one takes all with it. */
		KTAP_EQ(do_refresh_family(&c, family ^ 3, 0), SUCCESS);
		KTAP_CHECK(!strstr(world.trace, "offload_shrink"));
		KTAP_EQ(do_refresh_family(&c, family ^ 3, 0), 437);
		KTAP_EQ(world_open_ports(), 0);
		world_stop();
	}
}

/* Each has its own time; what is told is that of the one that is meant. */
static void refresh(void)
{
	struct turn_alloc *a;

	start_busy();
	a = turn_alloc_find(world.s, &c.tuple);
	world_pass(200000);
	KTAP_EQ(do_refresh_family(&c, KTURN_FAMILY_V4, 1000), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 1000);
	KTAP_EQ(turn_alloc_left_ms(a, world.now), 1000000);
	/* What the kernel gets is the longer one. */
	KTAP_EQ(world.off_lifetime, 1000);
	world_pass(100000);
	KTAP_EQ(do_refresh_family(&c, KTURN_FAMILY_V6, 700), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 700);
	KTAP_EQ(turn_alloc_left_ms(a, world.now), 900000);
	KTAP_EQ(world.off_lifetime, 900);
	KTAP_EQ(do_refresh_family(&c, 3, 700), 443);
	KTAP_EQ(do_refresh_family(&c, 0, 700), 443);
	/* Both, to one end. */
	KTAP_EQ(do_refresh(&c, 800), SUCCESS);
	KTAP_EQ(turn_alloc_left_ms(a, world.now), 800000);
	world_pass(799999);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_V6), SUCCESS);
	world_pass(1);
	turn_expire(world.s, world.now);
	KTAP_CHECK(!strstr(world.trace, "offload_shrink"));
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	world_stop();
}

/* A refusal leaves each end where it was. */
static void refresh_fails(void)
{
	uint64_t before;
	uint8_t family;

	start_both();
	KTAP_EQ(do_refresh_family(&c, KTURN_FAMILY_V4, 900), SUCCESS);
	before = world_state();
	world.offload_fails = true;
	for (family = KTURN_FAMILY_V4; family <= KTURN_FAMILY_V6; family++) {
		KTAP_EQ(do_refresh_family(&c, family, 2000), 508);
		KTAP_CHECK(world_state() == before);
	}
	KTAP_EQ(do_refresh(&c, 2000), 508);
	KTAP_CHECK(world_state() == before);
	/* An end can't be refused. */
	KTAP_EQ(do_refresh_family(&c, KTURN_FAMILY_V4, 0), SUCCESS);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	world_stop();
}

static void expiry(void)
{
	uint8_t family;
	int gc;

	for (gc = 0; gc < 4; gc++) {
		family = gc / 2 ? KTURN_FAMILY_V6 : KTURN_FAMILY_V4;
		start_busy();
		KTAP_EQ(do_refresh_family(&c, family ^ 3, 1000), SUCCESS);
		world_pass(599999);
		KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
		KTAP_EQ(do_permit(&c, PEER_V6), SUCCESS);
		KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
		KTAP_EQ(do_bind(&c, 0x4001, PEER_V6B), SUCCESS);
		KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_B));
		KTAP_CHECK(sends_by_channel(&c, 0x4001, PEER_V6B));
		world_clear();
		world_pass(1);
		/* Before anybody collected it, it does not count any more. */
		if (gc % 2 == 0) {
			const char *peer = family == KTURN_FAMILY_V4 ? PEER_A :
								       PEER_V6;

			KTAP_CHECK(!sends_by_indication(&c, peer));
			KTAP_EQ(receives(&c, peer), KTURN_KIND_OTHER);
		}
		turn_expire(world.s, world.now);
		check_half_gone(family == KTURN_FAMILY_V4);
		world_pass(400000);
		KTAP_EQ(do_refresh(&c, 600), 437);
		world_stop();
	}
}

const struct ktap_case dual_cases[] = {
	{ "dual: a relayed address of each family", success },
	{ "dual: one of them and ADDRESS-ERROR-CODE", in_part },
	{ "dual: refusals change nothing", failures },
	{ "dual: 400 for what can't be asked for together", bad_requests },
	{ "dual: by the number that coturn's clients have", coturns_number },
	{ "dual: EVEN-PORT", even_ports },
	{ "dual: retransmissions get the same answer", retransmission },
	{ "dual: data with peers of both families", data },
	{ "dual: the end of one leaves the other alone", deletion },
	{ "dual: lifetimes of their own", refresh },
	{ "dual: a Refresh that fails changes nothing", refresh_fails },
	{ "dual: one expires", expiry },
};

const size_t dual_count = KTAP_COUNT(dual_cases);
