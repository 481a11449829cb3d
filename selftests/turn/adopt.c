// SPDX-License-Identifier: GPL-2.0-or-later
/* A successor goes on with what a predecessor left. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "turn_test.h"

static struct client c;

/* What the kernel would keep of an allocation, and hand to a successor. */
static struct kept {
	struct turn_tuple tuple;
	struct turn_relay relays[2];
	uint32_t left_ms;
	uint8_t packed[TURN_PACKED_MAX];
	size_t packed_len;
	struct {
		struct kturn_addr peer;
		uint32_t left_ms;
		uint16_t number;
	} v[8];
	size_t n;
} kept;

static void keep_perm(const struct kturn_addr *peer, uint32_t left_ms,
		      void *arg)
{
	kept.v[kept.n].peer = *peer;
	kept.v[kept.n].left_ms = left_ms;
	kept.v[kept.n++].number = 0;
}

static void keep_chan(uint16_t number, const struct kturn_addr *peer,
		      uint32_t left_ms, void *arg)
{
	keep_perm(peer, left_ms, arg);
	kept.v[kept.n - 1].number = number;
}

static void keep(struct turn_alloc *a, void *arg)
{
	const struct turn_relay *relay;
	size_t *n = arg, i;

	++*n;
	kept.tuple = *turn_alloc_tuple(a);
	memset(kept.relays, 0, sizeof(kept.relays));
	for (i = 0; i < 2; i++) {
		relay = turn_alloc_relay(a, i ? KTURN_FAMILY_V6 :
					 KTURN_FAMILY_V4);
		if (relay)
			kept.relays[i] = *relay;
	}
	kept.left_ms = turn_alloc_left_ms(a, world.now);
	kept.packed_len = turn_alloc_pack(a, kept.packed);
	kept.n = 0;
	turn_alloc_each_perm(a, world.now, keep_perm, NULL);
	turn_alloc_each_chan(a, world.now, keep_chan, NULL);
}

/* Binds what was kept; @lost can't be had any more. */
static void rebind(uint8_t lost)
{
	struct turn_relay *relay = kept.relays;
	struct port *port;

	for (; relay < kept.relays + 2; relay++) {
		if (relay->addr.family == KTURN_FAMILY_NONE)
			continue;
		port = relay->handle;
		if (relay->addr.family == lost)
			memset(relay, 0, sizeof(*relay));
		else
			*port = (struct port){ .open = true,
					       .family = relay->addr.family };
	}
}

static void start_relays(struct turn_alloc *a)
{
	struct turn_relay *relay = kept.relays;

	for (; relay < kept.relays + 2; relay++)
		if (relay->addr.family != KTURN_FAMILY_NONE)
			((struct port *)relay->handle)->alloc = a;
}

/*
 * The server goes, and a new one comes up with the only allocation, which may
 * have lost one of two relayed addresses, and what belongs to that.
 */
static struct turn_alloc *restart_without(uint8_t lost)
{
	struct turn_alloc *a;
	size_t n = 0, i;
	uint8_t *packed;
	int want;

	turn_server_each(world.s, keep, &n);
	KTAP_EQ(n, 1);
	/* What was pushed with the answer is all that is needed. */
	KTAP_EQ(world.packed_len, kept.packed_len);
	KTAP_MEM_EQ(world.packed, kept.packed, kept.packed_len);

	world_clear();
	turn_server_free(world.s, true);
	KTAP_CHECK(!strstr(world.trace, "offload_remove"));
	KTAP_EQ(world.pushed, 1);
	KTAP_EQ(world.quota_used, 0);
	KTAP_EQ(world_open_ports(), 0);

	world.seed += 12345;
	world_start();
	rebind(lost);
	packed = malloc(kept.packed_len);
	memcpy(packed, kept.packed, kept.packed_len);
	a = turn_adopt_alloc(world.s, world.now, &kept.tuple, kept.relays,
			     kept.left_ms, packed, kept.packed_len);
	free(packed);
	if (!KTAP_CHECK(a))
		return NULL;
	KTAP_EQ(turn_alloc_offload(a), 0);
	turn_alloc_set_offload(a, 1);
	start_relays(a);
	for (i = 0; i < kept.n; i++) {
		want = kept.v[i].peer.family == lost ? -EINVAL : 0;
		if (kept.v[i].number)
			KTAP_EQ(turn_adopt_chan(world.s, a, world.now,
						kept.v[i].number,
						&kept.v[i].peer,
						kept.v[i].left_ms), want);
		else
			KTAP_EQ(turn_adopt_perm(world.s, a, world.now,
						&kept.v[i].peer,
						kept.v[i].left_ms), want);
	}
	return a;
}

static struct turn_alloc *restart(void)
{
	return restart_without(KTURN_FAMILY_NONE);
}

static void goes_on(void)
{
	struct client bob;

	world_begin();
	client_allocated(&c, 40000);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	world_pass(100000);
	KTAP_EQ(do_permit(&c, PEER_B), SUCCESS);
	world_pass(1234);
	restart();
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	KTAP_EQ(turn_counters(world.s)->perms, 2);
	KTAP_EQ(turn_counters(world.s)->chans, 1);
	KTAP_EQ(world.quota_used, 1);

	/* Media, without any request. */
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
	KTAP_CHECK(sends_by_indication(&c, PEER_B));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_CHANNEL);
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_STUN);

	/* Another user. */
	bob = c;
	bob.user = "bob";
	bob.password = "builder";
	KTAP_EQ(do_refresh(&bob, 0), 441);
	KTAP_EQ(do_permit(&bob, PEER_A), 441);
	KTAP_EQ(do_bind(&bob, 0x4000, PEER_A), 441);

	/* The same one, with the nonce that it has. */
	KTAP_EQ(do_bind(&c, 0x4000, PEER_B), 400);
	KTAP_EQ(do_permit(&c, "192.0.2.30:1"), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4001, "192.0.2.40:1"), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	KTAP_EQ(do_refresh(&c, 900), SUCCESS);
	KTAP_EQ(do_allocate(&c), 437);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	KTAP_EQ(world_open_ports(), 0);
	world_stop();
}

/* What was left is what is left. */
static void ends_in_time(void)
{
	struct turn_alloc *a;

	world_begin();
	client_allocated(&c, 40000);
	world_pass(50000);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	world_pass(100000);
	a = restart();
	KTAP_EQ(turn_alloc_left_ms(a, world.now), 450000);
	world_pass(199999);
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_CHANNEL);
	world_pass(1);
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_OTHER);
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
	world_pass(249999);
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
	world_pass(1);
	KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_A));
	KTAP_EQ(do_refresh(&c, 600), 437);
	world_stop();
}

/* The Allocate whose answer was lost with the old server. */
static void retransmission(void)
{
	struct kturn_attr attr;
	struct kturn_addr relay;
	struct request r;
	uint8_t token[8];
	int again;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	for (again = 0; again < 2; again++) {
		req_again(&r, &c, KTURN_ALLOCATE);
		req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
		req_attr(&r, KTURN_ATTR_EVEN_PORT, "\x80", 1);
		KTAP_EQ(req_call(&r, &c), SUCCESS);
		KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_RELAYED_ADDRESS, &relay));
		if (!KTAP_CHECK(resp_attr(KTURN_ATTR_RESERVATION_TOKEN, &attr)))
			break;
		if (again) {
			KTAP_MEM_EQ(attr.value, token, 8);
			KTAP_MEM_EQ(&relay, &c.relay, sizeof(relay));
			break;
		}
		memcpy(token, attr.value, 8);
		c.relay = relay;
		world.ports[ntohs(relay.port) - PORT_MIN + 1].open = false;
		restart();
	}
	world_stop();
}

/* Nobody promises that what is kept is what was put there. */
static void check_unreadable(bool both)
{
	static const struct turn_relay relays[2] = {
		{ .addr = { .family = KTURN_FAMILY_V4 } },
	};
	static const struct turn_relay none[2];
	struct turn_relay one[2] = { 0 };
	uint8_t copy[TURN_PACKED_MAX], *p;
	struct turn_alloc *a;
	size_t n = 0, len, i;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	if (both)
		KTAP_EQ(do_allocate_both(&c), SUCCESS);
	else
		KTAP_EQ(do_allocate(&c), SUCCESS);
	turn_server_each(world.s, keep, &n);
	/* It is there already. */
	KTAP_CHECK(!turn_adopt_alloc(world.s, world.now, &kept.tuple, relays,
				     1000, kept.packed, kept.packed_len));
	kept.tuple.client.port ^= 1;

	for (len = 0; len < kept.packed_len; len++) {
		p = malloc(len);
		memcpy(p, kept.packed, len);
		KTAP_CHECK(!turn_adopt_alloc(world.s, world.now, &kept.tuple,
					     relays, 1000, p, len));
		free(p);
	}
	memcpy(copy, kept.packed, kept.packed_len);
	copy[kept.packed_len] = 'x';
	KTAP_CHECK(!turn_adopt_alloc(world.s, world.now, &kept.tuple, relays,
				     1000, copy, kept.packed_len + 1));

	/* Another version; a name that is none. */
	copy[0]++;
	KTAP_CHECK(!turn_adopt_alloc(world.s, world.now, &kept.tuple, relays,
				     1000, copy, kept.packed_len));
	copy[0]--;
	/* Before what two relayed addresses differ in. */
	copy[kept.packed_len - (both ? 8 : 1)] = '\n';
	KTAP_CHECK(!turn_adopt_alloc(world.s, world.now, &kept.tuple, relays,
				     1000, copy, kept.packed_len));

	one[0].addr = addr("10.0.0.1:50009");
	one[0].handle = &world.ports[9];
	/* Whatever byte is wrong: no crash, and at most another name or id. */
	for (i = 0; i < kept.packed_len * 8; i++) {
		memcpy(copy, kept.packed, kept.packed_len);
		copy[i / 8] ^= 1 << i % 8;
		world.ports[9].open = true;
		a = turn_adopt_alloc(world.s, world.now, &kept.tuple,
				     one, 1000, copy, kept.packed_len);
		if (a)
			turn_alloc_end(world.s, a);
		world.ports[9].open = false;
	}
	/* Nor is there an allocation without any relayed address. */
	KTAP_CHECK(!turn_adopt_alloc(world.s, world.now, &kept.tuple,
				     none, 1000, kept.packed, kept.packed_len));
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	world_stop();
}

static void unreadable(void)
{
	check_unreadable(false);
	check_unreadable(true);
}

static void parts(void)
{
	struct kturn_addr a1 = addr(PEER_A), a2 = addr(PEER_A2);
	struct kturn_addr v6 = addr(PEER_V6), none = addr("192.0.2.10:0");
	struct turn_alloc *a;

	world_begin();
	client_allocated(&c, 40000);
	a = turn_alloc_find(world.s, &c.tuple);
	KTAP_EQ(turn_adopt_perm(world.s, a, world.now, &v6, 1000), -EINVAL);
	KTAP_EQ(turn_adopt_chan(world.s, a, world.now, 0x4000, &v6, 1000),
		-EINVAL);
	KTAP_EQ(turn_adopt_chan(world.s, a, world.now, 0x4000, &none, 1000),
		-EINVAL);
	KTAP_EQ(turn_adopt_chan(world.s, a, world.now, 0x3fff, &a1, 1000),
		-EINVAL);
	KTAP_EQ(turn_adopt_chan(world.s, a, world.now, 0x8000, &a1, 1000),
		-EINVAL);
	/* Numbers that the predecessor was configured to grant. */
	KTAP_EQ(turn_adopt_chan(world.s, a, world.now, 0x7fff, &a1, 1000), 0);
	KTAP_EQ(turn_adopt_chan(world.s, a, world.now, 0x7ffe, &a1, 1000),
		-EEXIST);
	KTAP_EQ(turn_adopt_chan(world.s, a, world.now, 0x7fff, &a2, 1000),
		-EEXIST);
	KTAP_EQ(turn_adopt_chan(world.s, a, world.now, 0x7fff, &a1, 2000), 0);
	KTAP_EQ(turn_adopt_perm(world.s, a, world.now, &a1, 1000), 0);
	KTAP_EQ(turn_adopt_perm(world.s, a, world.now, &a2, 2000), 0);
	KTAP_EQ(turn_counters(world.s)->perms, 1);
	KTAP_EQ(turn_counters(world.s)->chans, 1);
	world_pass(1999);
	KTAP_CHECK(sends_by_channel(&c, 0x7fff, PEER_A));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_CHANNEL);
	world_pass(1);
	KTAP_CHECK(!sends_by_channel(&c, 0x7fff, PEER_A));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_OTHER);
	world_stop();
}

static void over_quota(void)
{
	world_begin();
	client_allocated(&c, 40000);
	world.quota_left = 0;
	restart();
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	KTAP_EQ(world.quota_used, 1);
	KTAP_EQ(do_refresh(&c, 600), SUCCESS);
	world_stop();
}

static void both_families(void)
{
	struct turn_alloc *a;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	KTAP_EQ(do_allocate_both(&c), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_V6), SUCCESS);
	/* IPv4 until 700 s, IPv6 until 600 s. */
	KTAP_EQ(do_refresh_family(&c, KTURN_FAMILY_V4, 700), SUCCESS);
	world_pass(100000);
	a = restart();
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	KTAP_EQ(turn_counters(world.s)->relays, 2);
	KTAP_EQ(world.quota_used, 1);
	KTAP_EQ(turn_alloc_left_ms(a, world.now), 600000);
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_A));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_CHANNEL);
	KTAP_CHECK(sends_by_indication(&c, PEER_V6));
	KTAP_EQ(receives(&c, PEER_V6), KTURN_KIND_STUN);

	world_pass(499999);
	KTAP_EQ(do_permit(&c, PEER_V6), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	world_pass(1);
	turn_expire(world.s, world.now);
	KTAP_EQ(turn_counters(world.s)->relays, 1);
	KTAP_EQ(do_permit(&c, PEER_V6), 443);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	world_pass(99999);
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);
	world_pass(1);
	KTAP_EQ(do_permit(&c, PEER_A), 437);
	world_stop();
}

/* One that should have ended while there was no server ends at once. */
static void over_meanwhile(void)
{
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	KTAP_EQ(do_allocate_both(&c), SUCCESS);
	KTAP_EQ(do_refresh_family(&c, KTURN_FAMILY_V6, 900), SUCCESS);
	world_pass(601000);
	restart();
	KTAP_EQ(turn_expire(world.s, world.now), world.now + 299000);
	KTAP_EQ(turn_counters(world.s)->relays, 1);
	KTAP_EQ(do_permit(&c, PEER_A), 443);
	KTAP_EQ(do_permit(&c, PEER_V6), SUCCESS);
	world_stop();
}

static void one_family_lost(void)
{
	static const struct {
		uint8_t lost;
		const char *gone, *kept;
	} table[] = {
		{ KTURN_FAMILY_V4, PEER_A, PEER_V6 },
		{ KTURN_FAMILY_V6, PEER_V6, PEER_A },
	};
	size_t i;

	for (i = 0; i < KTAP_COUNT(table); i++) {
		world_begin();
		client_init(&c, 40000);
		client_challenge(&c);
		KTAP_EQ(do_allocate_both(&c), SUCCESS);
		KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
		KTAP_EQ(do_bind(&c, 0x4001, PEER_V6), SUCCESS);
		restart_without(table[i].lost);
		KTAP_EQ(turn_counters(world.s)->relays, 1);
		KTAP_EQ(turn_counters(world.s)->perms, 1);
		KTAP_EQ(turn_counters(world.s)->chans, 1);
		KTAP_EQ(receives(&c, table[i].kept), KTURN_KIND_CHANNEL);
		KTAP_EQ(do_permit(&c, table[i].gone), 443);
		KTAP_EQ(do_refresh_family(&c, table[i].lost, 0), 443);
		KTAP_EQ(do_refresh(&c, 0), SUCCESS);
		world_stop();
	}
}

/* Met in full and in part: what the client is told does not change. */
static void retransmission_both(void)
{
	struct kturn_attr attr;
	struct client before;
	struct request r;
	int part;

	for (part = 0; part < 2; part++) {
		world_begin();
		client_init(&c, 40000);
		client_challenge(&c);
		world.relay_error = part ? -ENOSPC : 0;
		world.relay_error_family = KTURN_FAMILY_V6;
		KTAP_EQ(do_allocate_both(&c), SUCCESS);
		before = c;
		restart();
		req_again(&r, &c, KTURN_ALLOCATE);
		req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
		KTAP_EQ(req_call(&r, &c), SUCCESS);
		KTAP_CHECK(resp_relays(&c));
		KTAP_MEM_EQ(&c.relay, &before.relay, sizeof(c.relay));
		KTAP_MEM_EQ(&c.relay6, &before.relay6, sizeof(c.relay6));
		KTAP_EQ(resp_attr(KTURN_ATTR_ADDRESS_ERROR_CODE, &attr), part);
		if (part)
			KTAP_EQ(kturn_get32(attr.value),
				0x02000000 | 5 << 8 | 8);
		world_stop();
	}
}

/* A ticket survives, and that its client will be elsewhere. */
static void moved(void)
{
	struct ticket t, old;
	struct client next;

	mobile_begin(&c, &t);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	old = t;
	next = at_port(&c, 40001);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	restart();
	KTAP_EQ(world.mobile, 1);
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);
	KTAP_EQ(do_refresh(&next, 700), SUCCESS);
	/* Repeated, because the answer was lost with the old server. */
	KTAP_EQ(do_move(&next, &old, 600), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	KTAP_EQ(receives(&next, PEER_A), KTURN_KIND_STUN);
	KTAP_EQ(do_refresh(&c, 0), 437);
	/* And on, with the ticket that counts. */
	restart();
	next = at_port(&c, 40002);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	world_stop();
}

/* To a connection nobody comes back after a restart. */
static void moved_to_tcp(void)
{
	struct client next;
	struct ticket t;

	mobile_begin(&c, &t);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	next = at_port(&c, 40001);
	next.tuple.transport = TURN_TCP;
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	restart();
	KTAP_CHECK(!sends_by_indication(&next, PEER_A));
	KTAP_CHECK(sends_by_indication(&c, PEER_A));
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	world_stop();
}

/* No memory, or the id is taken: then it is not taken over. */
static void ticket_refused(void)
{
	static const struct turn_relay relays[2] = {
		{ .addr = { .family = KTURN_FAMILY_V4 } },
	};
	uint8_t copy[TURN_PACKED_MAX];
	struct turn_relay one[2] = { 0 };
	struct turn_alloc *a;
	struct client next;
	struct ticket t;
	size_t n = 0, i;

	mobile_begin(&c, &t);
	next = at_port(&c, 40003);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	turn_server_each(world.s, keep, &n);
	kept.tuple.client.port ^= 1;
	for (i = 0; i < kept.packed_len; i++)
		KTAP_CHECK(!turn_adopt_alloc(world.s, world.now, &kept.tuple,
					     relays, 1000, kept.packed, i));
	/* Whatever bit is wrong: no crash, and nothing is left of it. */
	one[0].addr = addr("10.0.0.1:50009");
	one[0].handle = &world.ports[9];
	for (i = 0; i < kept.packed_len * 8; i++) {
		memcpy(copy, kept.packed, kept.packed_len);
		copy[i / 8] ^= 1 << i % 8;
		world.ports[9].open = true;
		a = turn_adopt_alloc(world.s, world.now, &kept.tuple,
				     one, 1000, copy, kept.packed_len);
		if (a)
			turn_alloc_end(world.s, a);
		world.ports[9].open = false;
		KTAP_EQ(world.mobile, 1);
	}
	KTAP_CHECK(!turn_adopt_alloc(world.s, world.now, &kept.tuple, relays,
				     1000, kept.packed, kept.packed_len));
	KTAP_EQ(world.mobile, 1);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	world.mobile_fails = true;
	KTAP_CHECK(!turn_adopt_alloc(world.s, world.now, &kept.tuple, relays,
				     1000, kept.packed, kept.packed_len));
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	world_stop();
}

const struct ktap_case adopt_cases[] = {
	{ "adopt: clients go on, other users can't", goes_on },
	{ "adopt: all ends when it would have", ends_in_time },
	{ "adopt: a repeated Allocate gets the same answer", retransmission },
	{ "adopt: unreadable data is refused", unreadable },
	{ "adopt: permissions and channels", parts },
	{ "adopt: over the quota, and given back once", over_quota },
	{ "adopt: two relayed addresses, with their ends", both_families },
	{ "adopt: two, of which one is over meanwhile", over_meanwhile },
	{ "adopt: two, of which one can't be had any more", one_family_lost },
	{ "adopt: a repeated Allocate for two gets the same answer",
	  retransmission_both },
	{ "adopt: a ticket, and a client that is about to move", moved },
	{ "adopt: one that is about to move to a connection", moved_to_tcp },
	{ "adopt: a ticket that can't be taken over", ticket_refused },
};

const size_t adopt_count = KTAP_COUNT(adopt_cases);
