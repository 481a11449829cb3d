// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clients that take their allocation along (RFC 8016): connections that end, and
 * servers that hand it over.
 */
#include <arpa/inet.h>

#include <kturnd/turn/handover.h>

#include "tokens.h"
#include "turn_test.h"

static struct client c;
static struct ticket t;

/* --------------------------------------------------------------- connections */

static struct client at_connection(uint16_t port)
{
	struct client moved = c;

	moved.tuple.client.port = htons(port);
	moved.tuple.transport = TURN_TCP;
	client_challenge(&moved);
	return moved;
}

static void connection_ends(void)
{
	struct client next, udp;

	mobile_begin(&c, &t);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	next = at_connection(40001);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	turn_client_gone(world.s, &next.tuple);
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	KTAP_CHECK(strstr(world.log, "client-away"));
	/* Whoever comes from there now is somebody else. */
	KTAP_CHECK(!sends_by_indication(&next, PEER_A));
	KTAP_EQ(do_permit(&next, PEER_A), 437);
	KTAP_EQ(do_allocate(&next), SUCCESS);
	turn_client_gone(world.s, &next.tuple);
	next.relay = c.relay;
	KTAP_EQ(turn_counters(world.s)->allocs, 1);

	/* Who comes back is there at once: nothing can go elsewhere. */
	udp = at_port(&c, 40002);
	udp.tuple.transport = TURN_UDP;
	KTAP_EQ(do_move(&udp, &t, 600), SUCCESS);
	KTAP_CHECK(strstr(world.trace, "offload_move client_send"));
	KTAP_EQ(receives(&udp, PEER_A), KTURN_KIND_STUN);

	/* Also from the address and port of a connection before. */
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	turn_client_gone(world.s, &next.tuple);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_EQ(receives(&next, PEER_A), KTURN_KIND_STUN);

	/* Nobody comes: it ends in time. */
	turn_client_gone(world.s, &next.tuple);
	world_pass(599999);
	turn_expire(world.s, world.now);
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	world_pass(1);
	turn_expire(world.s, world.now);
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	world_stop();
}

static void connection_ends_between(void)
{
	struct client next, third;

	mobile_begin(&c, &t);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	next = at_connection(40001);
	/* The one that it was to be at: then it is where it was. */
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	turn_client_gone(world.s, &next.tuple);
	KTAP_CHECK(!sends_by_indication(&next, PEER_A));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	/* The one that it was at, section 3.2.2: then it is at the other. */
	third = at_connection(40002);
	KTAP_EQ(do_move(&third, &t, 600), SUCCESS);
	KTAP_EQ(receives(&next, PEER_A), KTURN_KIND_STUN);
	turn_client_gone(world.s, &next.tuple);
	KTAP_EQ(receives(&third, PEER_A), KTURN_KIND_STUN);
	KTAP_CHECK(sends_by_indication(&third, PEER_A));
	world_stop();
}

/* ------------------------------------------------------------ several servers */

static struct turn_server *servers[2];

/* That one does what comes now. */
static void use(uint32_t home)
{
	world.s = servers[home];
	world.cfg.home = home;
}

/* Beside the one that there is. */
static void second_server(void)
{
	servers[0] = world.s;
	world.cfg.home = 1;
	world.home = 1;
	servers[1] = turn_server_new(&world.cfg, &world_ops, &world);
	use(0);
}

static void begin_two(void)
{
	mobile_begin(&c, &t);
	second_server();
}

static void stop_two(void)
{
	turn_server_free(servers[1], false);
	use(0);
	world_stop();
}

/* A request of a client of the second server's, carried out by the first. */
static int visit(struct request *r, struct client *visitor)
{
	struct kturn_attr attr;

	req_auth(r, visitor);
	world_clear();
	resp = (struct response){ .code = NO_REPLY };
	if (!turn_visitor_input(servers[0], world.now, world.wall,
				&visitor->tuple, 1, r->b.buf, r->b.len))
		return NO_REPLY;
	if (!KTAP_EQ(world.n_sent, 1))
		return NO_REPLY;
	KTAP_MEM_EQ(&world.sent[0].tuple, &visitor->tuple,
		    sizeof(visitor->tuple));
	resp.p = world.sent[0].p;
	resp.len = world.sent[0].len;
	KTAP_EQ(kturn_stun_parse(resp.p, resp.len, &resp.msg), 0);
	resp.code = SUCCESS;
	if (resp_attr(KTURN_ATTR_ERROR_CODE, &attr))
		resp.code = attr.value[2] * 100 + attr.value[3];
	return resp.code;
}

static int visit_move(struct client *visitor)
{
	struct request r;
	uint64_t id;
	int code;

	req_move(&r, visitor, &t, 600);
	/* The second one knows by the ticket alone whose it is. */
	KTAP_CHECK(turn_ticket_id(servers[1], r.b.buf, r.b.len, &id));
	KTAP_CHECK(turn_ticket_here(servers[0], id));
	KTAP_CHECK(!turn_ticket_here(servers[1], id));
	code = visit(&r, visitor);
	if (code == SUCCESS) {
		KTAP_CHECK(resp_ticket(&t));
		KTAP_CHECK(world.visit_id == id);
	}
	return code;
}

static struct turn_alloc *hand_over(const struct client *visitor)
{
	struct turn_alloc *a = turn_alloc_leave(servers[0], world.visit_id,
						&visitor->tuple, 1);

	if (!KTAP_CHECK(a))
		return NULL;
	KTAP_EQ(turn_counters(servers[0])->allocs, 0);
	KTAP_EQ(turn_counters(servers[0])->relays, 0);
	KTAP_EQ(turn_counters(servers[0])->perms, 0);
	KTAP_EQ(turn_counters(servers[0])->chans, 0);
	KTAP_CHECK(turn_expire(servers[0], world.now) == UINT64_MAX);
	return a;
}

static void handed_over(void)
{
	struct ticket foreign;
	struct turn_alloc *a;
	struct client next;
	struct request r;

	begin_two();
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
	use(1);
	next = at_port(&c, 40002);
	KTAP_EQ(do_allocate_ticket(&next, &foreign), SUCCESS);
	KTAP_EQ(do_refresh(&next, 0), SUCCESS);
	next = at_port(&c, 40001);
	use(0);

	/* Before: of no business of the first one. */
	req_begin(&r, &next, KTURN_REFRESH);
	KTAP_EQ(visit(&r, &next), NO_REPLY);
	KTAP_EQ(visit_move(&next), SUCCESS);
	KTAP_CHECK(strstr(world.trace, "visit_begin client_send "));
	KTAP_MEM_EQ(&world.visit, &next.tuple, sizeof(next.tuple));
	KTAP_EQ(world.visit_home, 1);

	/* Requests of the visitor; data goes where it went. */
	req_begin(&r, &next, KTURN_CREATE_PERMISSION);
	req_peer(&r, "192.0.2.30:1");
	KTAP_EQ(visit(&r, &next), SUCCESS);
	req_allocate(&r, &next);
	KTAP_EQ(visit(&r, &next), 437);
	req_move(&r, &next, &foreign, 600);
	KTAP_EQ(visit(&r, &next), 437);
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_CHANNEL);
	/* Not elsewhere, not for another. */
	KTAP_CHECK(!turn_alloc_leave(servers[0], world.visit_id, &c.tuple, 1));
	KTAP_CHECK(!turn_alloc_leave(servers[0], world.visit_id, &next.tuple,
				     0));
	KTAP_CHECK(!turn_alloc_leave(servers[0], world.visit_id + 1,
				     &next.tuple, 1));

	world_pass(1000);
	a = hand_over(&next);
	use(1);
	KTAP_CHECK(turn_alloc_arrive(world.s, a));
	KTAP_EQ(turn_counters(world.s)->perms, 3);
	KTAP_EQ(turn_counters(world.s)->chans, 1);
	KTAP_EQ(turn_counters(world.s)->relays, 1);
	KTAP_CHECK(sends_by_channel(&next, 0x4000, PEER_B));
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	KTAP_EQ(receives(&next, PEER_B), KTURN_KIND_CHANNEL);
	KTAP_EQ(do_bind(&next, 0x4000, PEER_A), 400);
	KTAP_EQ(do_permit(&next, PEER_A), SUCCESS);
	/* What was to end then, ends then. */
	world_pass(298999);
	KTAP_EQ(receives(&next, PEER_B), KTURN_KIND_CHANNEL);
	world_pass(1);
	KTAP_EQ(receives(&next, PEER_B), KTURN_KIND_OTHER);
	KTAP_EQ(receives(&next, PEER_A), KTURN_KIND_STUN);
	world_pass(300000);
	turn_expire(world.s, world.now);
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	stop_two();
}

/* What a user shares goes along, and stays where the others are. */
static void pool_handed_over(void)
{
	struct client next, other;
	struct turn_alloc *a;

	world_init();
	world.cfg.mobility = true;
	KTAP_EQ(turn_limit_init(&world.quota.user_limit[0], 0, 0, 1, 4), 0);
	world_start();
	client_init(&c, 40000);
	client_challenge(&c);
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	second_server();
	KTAP_CHECK(sends_by_indication(&c, PEER_A));
	next = at_port(&c, 40001);
	KTAP_EQ(visit_move(&next), SUCCESS);
	a = hand_over(&next);
	client_allocated(&other, 40002);
	KTAP_EQ(do_permit(&other, PEER_A), SUCCESS);
	KTAP_CHECK(sends_by_indication(&other, PEER_A));
	use(1);
	KTAP_CHECK(turn_alloc_arrive(world.s, a));
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	use(0);
	KTAP_CHECK(sends_by_indication(&other, PEER_A));
	KTAP_EQ(do_refresh(&other, 0), SUCCESS);
	use(1);
	KTAP_CHECK(!sends_by_indication(&next, PEER_A));
	KTAP_EQ(do_refresh(&next, 0), SUCCESS);
	KTAP_EQ(world.quota.n, world.quota.n_idle);
	stop_two();
}

/* Its realm, which only a key has, its limits and its key go with it. */
static void token_handed_over(void)
{
	struct turn_alloc *a;
	struct client next;

	token_world();
	world.cfg.mobility = true;
	KTAP_EQ(turn_limit_init(&world.realms[1].limit[0], 0, 0, 100, 1), 0);
	world_start();
	client_init(&c, 40000);
	client_challenge(&c);
	client_token(&c, "other", 'a', 0, 700);
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	c.access = NULL;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	second_server();

	/* By the key alone, with which the visitor's requests are answered. */
	next = at_port(&c, 40001);
	KTAP_EQ(visit_move(&next), SUCCESS);
	a = hand_over(&next);
	use(1);
	KTAP_CHECK(turn_alloc_arrive(world.s, a));
	KTAP_CHECK(!strcmp(turn_alloc_realm(a), "other.example"));
	KTAP_CHECK(sends_by_indication(&next, PEER_A) &&
		   !sends_by_indication(&next, PEER_A));
	KTAP_EQ(do_permit(&next, PEER_B), SUCCESS);
	KTAP_CHECK(!strcmp(world.quota_realm, "other.example"));
	/* The next token takes the place of the first one, and ends it too. */
	client_token(&next, "other", 'b', 0, 700);
	KTAP_EQ(do_refresh(&next, 600), SUCCESS);
	next.access = NULL;
	KTAP_EQ(do_permit(&next, PEER_B), SUCCESS);
	stop_two();

	/* On its way it is lost. */
	token_world();
	world.cfg.mobility = true;
	world_start();
	client_init(&c, 40000);
	client_challenge(&c);
	client_token(&c, "other", 'a', 0, 700);
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	second_server();
	next = at_port(&c, 40001);
	KTAP_EQ(visit_move(&next), SUCCESS);
	world_clear();
	turn_alloc_drop(servers[1], hand_over(&next));
	KTAP_CHECK(strstr(world.trace, "relay_close quota_give mobile_end "));
	stop_two();
}

/* Each of these says to the second server that nobody comes any more, or for good. */
static void visit_ends(void)
{
	struct client next, third;

	begin_two();
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	next = at_port(&c, 40001);
	KTAP_EQ(visit_move(&next), SUCCESS);
	third = at_port(&c, 40002);
	KTAP_EQ(do_move(&third, &t, 600), SUCCESS);
	KTAP_CHECK(strstr(world.trace, "visit_end"));
	KTAP_MEM_EQ(&world.visit, &next.tuple, sizeof(next.tuple));
	KTAP_CHECK(sends_by_indication(&third, PEER_A));

	KTAP_EQ(visit_move(&next), SUCCESS);
	KTAP_EQ(do_refresh(&third, 0), SUCCESS);
	KTAP_CHECK(strstr(world.trace, "visit_end"));

	/* Its connection ended before, or afterwards. */
	c = at_connection(40003);
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	turn_client_gone(world.s, &c.tuple);
	KTAP_EQ(visit_move(&next), SUCCESS);
	KTAP_CHECK(strstr(world.trace, "visit_begin client_send visit_stay"));
	world_clear();
	turn_alloc_drop(servers[1], hand_over(&next));
	KTAP_CHECK(strstr(world.trace, "relay_close quota_give mobile_end "));

	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	KTAP_EQ(visit_move(&next), SUCCESS);
	KTAP_CHECK(!strstr(world.trace, "visit_stay"));
	turn_client_gone(world.s, &c.tuple);
	KTAP_CHECK(strstr(world.trace, "visit_stay"));
	stop_two();
}

const struct ktap_case handover_cases[] = {
	{ "mobility: a connection ends, and its client comes back",
	  connection_ends },
	{ "mobility: a connection ends before data came",
	  connection_ends_between },
	{ "mobility: to another server", handed_over },
	{ "mobility: with what a user shares to another server",
	  pool_handed_over },
	{ "mobility: with an access token to another server",
	  token_handed_over },
	{ "mobility: another server's visitor does not come", visit_ends },
};

const size_t handover_count = KTAP_COUNT(handover_cases);
