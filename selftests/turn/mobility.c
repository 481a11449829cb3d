// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients that take their allocation along (RFC 8016). */
#include <arpa/inet.h>

#include "turn_test.h"

static struct client c;
static struct ticket t;

bool resp_ticket(struct ticket *ticket)
{
	struct kturn_attr attr;

	if (!resp_attr(KTURN_ATTR_MOBILITY_TICKET, &attr))
		return false;
	KTAP_EQ(attr.len, 32);
	if (attr.len > sizeof(ticket->p))
		return false;
	memcpy(ticket->p, attr.value, attr.len);
	ticket->len = attr.len;
	return true;
}

void req_allocate(struct request *r, struct client *client)
{
	req_begin(r, client, KTURN_ALLOCATE);
	req_u32(r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
}

int do_allocate_ticket(struct client *client, struct ticket *ticket)
{
	struct request r;
	int code;

	req_allocate(&r, client);
	req_attr(&r, KTURN_ATTR_MOBILITY_TICKET, "", 0);
	code = req_call(&r, client);
	if (code == SUCCESS) {
		KTAP_CHECK(resp_relays(client));
		KTAP_CHECK(resp_ticket(ticket));
	}
	return code;
}

void req_move(struct request *r, struct client *client,
	      const struct ticket *ticket, uint32_t lifetime)
{
	req_begin(r, client, KTURN_REFRESH);
	req_u32(r, KTURN_ATTR_LIFETIME, lifetime);
	req_attr(r, KTURN_ATTR_MOBILITY_TICKET, ticket->p, ticket->len);
}

int do_move(struct client *client, struct ticket *ticket, uint32_t lifetime)
{
	struct request r;
	int code;

	req_move(&r, client, ticket, lifetime);
	code = req_call(&r, client);
	if (code == 438) {
		client_challenge(client);
		req_move(&r, client, ticket, lifetime);
		code = req_call(&r, client);
	}
	if (code == SUCCESS)
		KTAP_EQ(resp_ticket(ticket), lifetime != 0);
	return code;
}

void mobile_begin(struct client *client, struct ticket *ticket)
{
	world_init();
	world.cfg.mobility = true;
	world_start();
	client_init(client, 40000);
	client_challenge(client);
	KTAP_EQ(do_allocate_ticket(client, ticket), SUCCESS);
}

struct client at_port(const struct client *client, uint16_t port)
{
	struct client moved = *client;

	moved.tuple.client.port = htons(port);
	client_challenge(&moved);
	return moved;
}

static bool same_ticket(const struct ticket *a, const struct ticket *b)
{
	return a->len == b->len && !memcmp(a->p, b->p, a->len);
}

/* ------------------------------------------------------------------- tickets */

static void asked(void)
{
	struct ticket again;
	struct request r;

	mobile_begin(&c, &t);
	KTAP_EQ(world.mobile, 1);
	/* Repeated: the one that counts. */
	req_again(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	req_attr(&r, KTURN_ATTR_MOBILITY_TICKET, "", 0);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_ticket(&again));
	KTAP_CHECK(same_ticket(&t, &again));

	/* Who does not ask, and in other requests. */
	client_init(&c, 40001);
	client_challenge(&c);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_EQ(resp_count(KTURN_ATTR_MOBILITY_TICKET), 0);
	KTAP_EQ(world.mobile, 1);
	KTAP_EQ(do_refresh(&c, 600), SUCCESS);
	KTAP_EQ(resp_count(KTURN_ATTR_MOBILITY_TICKET), 0);
	world_stop();
}

static void not_given(void)
{
	struct request r;

	/* Forbidden; but what is no question is wrong. */
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	req_allocate(&r, &c);
	req_attr(&r, KTURN_ATTR_MOBILITY_TICKET, "", 0);
	req_refused(&r, &c, 405);
	req_allocate(&r, &c);
	req_attr(&r, KTURN_ATTR_MOBILITY_TICKET, "x", 1);
	req_refused(&r, &c, 400);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	req_begin(&r, &c, KTURN_REFRESH);
	req_attr(&r, KTURN_ATTR_MOBILITY_TICKET, "x", 1);
	req_refused(&r, &c, 405);
	world_stop();

	mobile_begin(&c, &t);
	c = at_port(&c, 40001);
	req_allocate(&r, &c);
	req_attr(&r, KTURN_ATTR_MOBILITY_TICKET, t.p, t.len);
	req_refused(&r, &c, 400);
	/* Nothing is left of what can't be made. */
	world.mobile_fails = true;
	KTAP_EQ(do_allocate_ticket(&c, &t), 508);
	world.mobile_fails = false;
	world.offload_fails = true;
	KTAP_EQ(do_allocate_ticket(&c, &t), 508);
	KTAP_EQ(world.mobile, 1);
	KTAP_EQ(world_open_ports(), 1);
	world_stop();
}

static void forged(void)
{
	struct ticket wrong;
	struct client next;
	struct request r;
	size_t i;

	mobile_begin(&c, &t);
	next = at_port(&c, 40001);
	for (i = 0; i < t.len * 8; i++) {
		wrong = t;
		wrong.p[i / 8] ^= 1 << i % 8;
		req_move(&r, &next, &wrong, 600);
		req_refused(&r, &next, 400);
	}
	for (i = 0; i < sizeof(wrong.p); i++) {
		wrong = t;
		wrong.len = i;
		if (i == t.len)
			continue;
		req_move(&r, &next, &wrong, 600);
		req_refused(&r, &next, 400);
	}
	/* Bytes that are zeros, and what base64 takes for that. */
	for (i = 0; i < 3; i++) {
		memset(wrong.p, "\0A="[i], t.len);
		wrong.len = t.len;
		req_move(&r, &next, &wrong, 600);
		req_refused(&r, &next, 400);
	}
	for (i = 0; i < t.len; i++)
		KTAP_CHECK(t.p[i] > ' ' && t.p[i] < 0x7f);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	world_stop();

	/* Another server's: the same, but for the key. */
	wrong = t;
	world_init();
	world.cfg.mobility = true;
	world.cfg.ticket_key[31] = 1;
	world_start();
	client_init(&c, 40000);
	client_challenge(&c);
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	next = at_port(&c, 40001);
	req_move(&r, &next, &wrong, 600);
	req_refused(&r, &next, 400);
	world_stop();
}

/* -------------------------------------------------------------------- moving */

static void moves(void)
{
	struct ticket first;
	struct client next;

	mobile_begin(&c, &t);
	first = t;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
	next = at_port(&c, 40001);
	KTAP_CHECK(!sends_by_indication(&next, PEER_A));
	world_pass(1000);
	KTAP_EQ(do_move(&next, &t, 900), SUCCESS);
	KTAP_CHECK(!same_ticket(&t, &first));
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 900);
	KTAP_CHECK(!strcmp(world.trace,
			   "user_keys offload_refresh client_send "));
	KTAP_EQ(world.off_lifetime, 900);

	/* All data goes where it went, and requests come from both. */
	KTAP_CHECK(sends_by_channel(&c, 0x4000, PEER_B));
	KTAP_CHECK(sends_by_indication(&c, PEER_A));
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_CHANNEL);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_permit(&next, "192.0.2.30:1"), SUCCESS);
	KTAP_EQ(do_refresh(&next, 800), SUCCESS);
	KTAP_EQ(do_allocate(&next), 437);
	KTAP_EQ(receives(&c, PEER_B), KTURN_KIND_CHANNEL);
	KTAP_EQ(turn_counters(world.s)->moved, 0);

	/* Until it comes from there. */
	KTAP_CHECK(sends_by_channel(&next, 0x4000, PEER_B));
	KTAP_CHECK(strstr(world.trace, "offload_move "));
	KTAP_CHECK(strstr(world.log, "client-moved user=alice "
				     "from=198.51.100.1:40000"));
	KTAP_EQ(turn_counters(world.s)->moved, 1);
	KTAP_EQ(receives(&next, PEER_B), KTURN_KIND_CHANNEL);
	KTAP_EQ(receives(&next, PEER_A), KTURN_KIND_STUN);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	KTAP_CHECK(!sends_by_channel(&c, 0x4000, PEER_B));
	KTAP_CHECK(!sends_by_indication(&c, PEER_A));
	KTAP_EQ(do_refresh(&c, 600), 437);
	/* The old place is free; the port, the quota are what they were. */
	KTAP_EQ(world.quota_used, 1);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_EQ(do_refresh(&c, 0), SUCCESS);

	/* And back, by a Send indication. */
	c.relay = next.relay;
	KTAP_EQ(do_move(&c, &t, 600), SUCCESS);
	KTAP_EQ(receives(&next, PEER_A), KTURN_KIND_STUN);
	KTAP_CHECK(sends_by_indication(&c, PEER_A));
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);
	KTAP_EQ(world.quota_used, 1);
	world_stop();
}

/* To an IPv6 address, and to other transports: padding is what differs. */
static void elsewhere(void)
{
	struct client next;

	mobile_begin(&c, &t);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	next = c;
	next.tuple.client = addr("[2001:db8::7]:5000");
	next.tuple.server = addr("[2001:db8::1]:3478");
	client_challenge(&next);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(sends_by_channel(&next, 0x4000, PEER_A));
	KTAP_EQ(receives(&next, PEER_A), KTURN_KIND_CHANNEL);
	KTAP_EQ(world.sent[0].len, 4 + 5);
	/* The same address and port, but a connection. */
	next.tuple.transport = TURN_TCP;
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(sends_by_channel(&next, 0x4000, PEER_A));
	KTAP_EQ(receives(&next, PEER_A), KTURN_KIND_CHANNEL);
	KTAP_EQ(world.sent[0].len, 4 + 8);
	world_stop();
}

static void repeated(void)
{
	struct ticket first, second;
	struct client next, third;
	struct request r;

	mobile_begin(&c, &t);
	first = t;
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	next = at_port(&c, 40001);
	third = at_port(&c, 40002);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	second = t;

	/* The answer was lost; before and after data has come. */
	t = first;
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(!same_ticket(&t, &first));
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	world_pass(39999);
	t = first;
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_EQ(receives(&next, PEER_A), KTURN_KIND_STUN);

	/* It is good for nothing else. */
	req_move(&r, &third, &first, 600);
	req_refused(&r, &third, 400);
	req_move(&r, &c, &first, 600);
	req_refused(&r, &c, 400);
	world_pass(1);
	req_move(&r, &next, &first, 600);
	req_refused(&r, &next, 400);

	/* Both answers had the same one. */
	KTAP_CHECK(same_ticket(&t, &second));
	KTAP_EQ(do_move(&third, &second, 600), SUCCESS);
	req_move(&r, &c, &t, 600);
	req_refused(&r, &c, 400);
	/* The first one is two behind. */
	req_move(&r, &third, &first, 600);
	req_refused(&r, &third, 400);
	world_stop();
}

static void refused(void)
{
	struct client next, bob, other;
	struct ticket ended;
	struct request r;

	mobile_begin(&c, &t);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	/* From where it is, section 3.2.2; and from where it will be. */
	req_move(&r, &c, &t, 600);
	req_refused(&r, &c, 400);
	next = at_port(&c, 40001);
	bob = next;
	bob.user = "bob";
	bob.password = "builder";
	req_move(&r, &bob, &t, 600);
	req_refused(&r, &bob, 441);
	bob.password = "wrong";
	req_move(&r, &bob, &t, 600);
	req_refused(&r, &bob, 401);
	/* A 5-tuple with an allocation of its own. */
	other = at_port(&c, 40002);
	KTAP_EQ(do_allocate_ticket(&other, &ended), SUCCESS);
	req_move(&r, &other, &t, 600);
	req_refused(&r, &other, 437);
	KTAP_EQ(do_refresh(&other, 0), SUCCESS);
	/* An allocation that has ended. */
	req_move(&r, &next, &ended, 600);
	req_refused(&r, &next, 437);
	/* What a Refresh can have wrong; then the ticket is still good. */
	req_begin(&r, &next, KTURN_REFRESH);
	req_attr(&r, KTURN_ATTR_LIFETIME, "", 0);
	req_attr(&r, KTURN_ATTR_MOBILITY_TICKET, t.p, t.len);
	req_refused(&r, &next, 400);
	world.offload_fails = true;
	req_move(&r, &next, &t, 600);
	req_refused(&r, &next, 508);
	world.offload_fails = false;
	/* RFC 8656 section 21.4. */
	other.tuple.client = addr("[2002:c633:6401::1]:5000");
	other.tuple.server = addr("[2001:db8::1]:3478");
	client_challenge(&other);
	req_move(&r, &other, &t, 600);
	req_refused(&r, &other, 403);

	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	req_move(&r, &next, &t, 600);
	req_refused(&r, &next, 400);
	/* Where another one's client will be. */
	other = at_port(&c, 40003);
	KTAP_EQ(do_allocate_ticket(&other, &ended), SUCCESS);
	req_move(&r, &next, &ended, 600);
	req_refused(&r, &next, 437);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	world_stop();
}

/* Until the data comes it can be told again, and then that is where it will be. */
static void changes_its_mind(void)
{
	struct client next, third;

	mobile_begin(&c, &t);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	next = at_port(&c, 40001);
	third = at_port(&c, 40002);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_EQ(do_move(&third, &t, 600), SUCCESS);
	KTAP_CHECK(!sends_by_indication(&next, PEER_A));
	KTAP_EQ(do_refresh(&next, 600), 437);
	KTAP_EQ(receives(&c, PEER_A), KTURN_KIND_STUN);
	KTAP_CHECK(sends_by_indication(&third, PEER_A));
	KTAP_EQ(receives(&third, PEER_A), KTURN_KIND_STUN);
	world_stop();
}

static void ends(void)
{
	struct client next;
	struct request r;

	mobile_begin(&c, &t);
	next = at_port(&c, 40001);
	KTAP_EQ(do_move(&next, &t, 0), SUCCESS);
	KTAP_EQ(resp_u32(KTURN_ATTR_LIFETIME), 0);
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	KTAP_EQ(world.mobile, 0);
	KTAP_EQ(do_move(&next, &t, 0), 437);
	KTAP_EQ(do_refresh(&c, 600), 437);

	/* When its time is over, where it is and where it will be. */
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	world_pass(600000);
	KTAP_CHECK(!sends_by_indication(&next, PEER_A));
	KTAP_EQ(do_refresh(&next, 600), 437);
	next = at_port(&c, 40002);
	req_move(&r, &next, &t, 600);
	req_refused(&r, &next, 437);
	KTAP_EQ(world.mobile, 0);

	/* Somebody had deleted it in the kernel. */
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	world.deleted = true;
	KTAP_CHECK(!sends_by_indication(&next, PEER_A));
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	world.pushed--;
	world_stop();
}

static void both_families(void)
{
	struct client next;
	struct request r;

	world_init();
	world.cfg.mobility = true;
	world_start();
	client_init(&c, 40000);
	client_challenge(&c);
	req_allocate(&r, &c);
	req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, 2 << 24);
	req_attr(&r, KTURN_ATTR_MOBILITY_TICKET, "", 0);
	KTAP_EQ(req_call(&r, &c), SUCCESS);
	KTAP_CHECK(resp_relays(&c) && resp_ticket(&t));
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_V6), SUCCESS);
	next = at_port(&c, 40001);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_V6));
	KTAP_EQ(receives(&next, PEER_A), KTURN_KIND_STUN);
	/* It moves, and one half of it ends. */
	next = at_port(&c, 40002);
	req_move(&r, &next, &t, 0);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 1 << 24);
	KTAP_EQ(req_call(&r, &next), SUCCESS);
	KTAP_CHECK(resp_ticket(&t));
	KTAP_EQ(turn_counters(world.s)->relays, 1);
	KTAP_CHECK(sends_by_indication(&next, PEER_V6));
	KTAP_EQ(receives(&next, PEER_V6), KTURN_KIND_STUN);
	world_stop();
}

/* Time-limited credentials that have expired: what they made can be kept. */
static void expired_credentials(void)
{
	static const char *const secrets[] = { "secret" };
	struct client next;

	world_init();
	world.cfg.mobility = true;
	world.realms[0].secrets = secrets;
	world.realms[0].n_secrets = 1;
	world_start();
	client_init(&c, 40000);
	c.user = "1700000100:carol";
	c.password = "zRZepL7MZe5L1IlD/IUIuE984to=";
	client_challenge(&c);
	KTAP_EQ(do_allocate_ticket(&c, &t), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	world.wall += 101;
	next = at_port(&c, 40001);
	KTAP_EQ(do_allocate(&next), 401);
	KTAP_EQ(do_move(&next, &t, 600), SUCCESS);
	KTAP_EQ(do_refresh(&next, 600), SUCCESS);
	KTAP_CHECK(sends_by_indication(&next, PEER_A));
	world_stop();
}

const struct ktap_case mobility_cases[] = {
	{ "mobility: a ticket for who asks", asked },
	{ "mobility: 405, and 400 for what is no question", not_given },
	{ "mobility: 400 for what is none of our tickets", forged },
	{ "mobility: the old 5-tuple until data comes from the new one",
	  moves },
	{ "mobility: to another family and another transport", elsewhere },
	{ "mobility: a repeated Refresh", repeated },
	{ "mobility: what is refused changes nothing", refused },
	{ "mobility: to a third 5-tuple before data came", changes_its_mind },
	{ "mobility: its end", ends },
	{ "mobility: a relayed address of each family", both_families },
	{ "mobility: credentials that have expired", expired_credentials },
};

const size_t mobility_count = KTAP_COUNT(mobility_cases);
