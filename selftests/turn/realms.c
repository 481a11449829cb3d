// SPDX-License-Identifier: GPL-2.0-or-later
/* Several realms: which one a challenge names, and whose a request is. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "turn_test.h"

#define OTHER	"other.example"

static struct client c;

static const struct user users[] = {
	{ "alice", "wonderland", true, true, NULL },
	{ "alice", "looking-glass", true, true, OTHER },
	{ "oscar", "wilde", true, true, OTHER },
};

static void begin(void)
{
	world_init();
	world.users = users;
	world.n_users = KTAP_COUNT(users);
	world.realms[1].name = OTHER;
	world.origins[1] = "https://other.example";
	world.n_realms = 2;
	world_start();
	client_init(&c, 40000);
}

static void in_other(void)
{
	c.realm = OTHER;
	c.password = "looking-glass";
}

static void check_challenged(const char *realm)
{
	struct kturn_attr attr;

	client_challenge(&c);
	if (!KTAP_CHECK(resp_attr(KTURN_ATTR_REALM, &attr)) ||
	    !KTAP_EQ(attr.len, strlen(realm)))
		return;
	KTAP_MEM_EQ(attr.value, realm, attr.len);
}

static void by_origin(void)
{
	struct request r;

	begin();
	check_challenged(REALM);
	c.origin = "https://unknown.example";
	check_challenged(REALM);
	c.origin = "https://other.example";
	check_challenged(OTHER);

	/* Of several, the first that is known. */
	c.origin = "https://unknown.example";
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_attr(&r, KTURN_ATTR_ORIGIN, "https://other.example", 21);
	KTAP_EQ(req_send(&r, &c), 401);
	KTAP_CHECK(memmem(resp.p, resp.len, OTHER, strlen(OTHER)));
	world_stop();
}

static void by_address(void)
{
	begin();
	world.at_port = 3479;
	world.at_realm = 1;
	c.tuple.server.port = htons(3479);
	check_challenged(OTHER);
	c.tuple.server.port = htons(3478);
	check_challenged(REALM);
	world_stop();
}

/* The same name is another user there. */
static void users_apart(void)
{
	begin();
	c.origin = "https://other.example";
	client_challenge(&c);
	c.realm = OTHER;
	KTAP_EQ(do_allocate(&c), 401);
	in_other();
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_CHECK(!strcmp(world.quota_realm, OTHER) &&
		   !strcmp(world.quota_user, "alice"));
	KTAP_CHECK(!strcmp(turn_alloc_realm(turn_alloc_find(world.s, &c.tuple)),
			   OTHER));
	c.userhash = true;
	KTAP_EQ(do_refresh(&c, 600), SUCCESS);
	/* Oscar is here, and not there. */
	client_init(&c, 40001);
	c.user = "oscar";
	c.password = "wilde";
	client_challenge(&c);
	KTAP_EQ(do_allocate(&c), 401);
	world_stop();
}

/* A nonce is for one realm, and 438 for who has credentials keeps theirs. */
static void bound_nonce(void)
{
	struct kturn_attr attr;

	begin();
	client_challenge(&c);
	in_other();
	KTAP_EQ(do_allocate(&c), 438);
	KTAP_CHECK(resp_attr(KTURN_ATTR_REALM, &attr) &&
		   attr.len == strlen(OTHER) &&
		   !memcmp(attr.value, OTHER, attr.len));
	KTAP_CHECK(resp_attr(KTURN_ATTR_NONCE, &attr));
	memcpy(c.nonce, attr.value, attr.len);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world_stop();
}

/* Who guesses realms sees no difference, in what comes and in what is done. */
static void no_enumeration(void)
{
	char known[sizeof(world.trace)];
	struct kturn_attr attr;
	uint8_t reply[200];
	size_t len, i;

	begin();
	client_challenge(&c);
	for (i = 0; i < 3; i++) {
		/* A user there, none there, and no realm at all. */
		c.realm = i == 2 ? "nowhere.example" : OTHER;
		c.user = i == 1 ? "nobody" : "oscar";
		c.password = "wrong";
		c.tid[11] = 0;
		KTAP_EQ(do_allocate(&c), 401);
		KTAP_CHECK(resp_attr(KTURN_ATTR_REALM, &attr) &&
			   attr.len == strlen(REALM));
		if (!i) {
			len = resp.len;
			memcpy(reply, resp.p, len);
			memcpy(known, world.trace, sizeof(known));
		}
		KTAP_EQ(resp.len, len);
		KTAP_MEM_EQ(resp.p, reply, len);
		KTAP_CHECK(!strcmp(world.trace, known));
	}
	/* Good credentials in none of ours. */
	c.user = "alice";
	c.password = "wonderland";
	KTAP_EQ(do_allocate(&c), 401);
	world_stop();
}

/* RFC 8656 section 5: of another realm is of another user. */
static void fixed(void)
{
	begin();
	client_challenge(&c);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	/* A challenge names the allocation's, whatever the origin says. */
	c.origin = "https://other.example";
	check_challenged(REALM);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	/* The same name and the credentials of another realm. */
	in_other();
	KTAP_EQ(do_permit(&c, PEER_A), 438);
	{
		struct kturn_attr attr;

		KTAP_CHECK(resp_attr(KTURN_ATTR_NONCE, &attr));
		memcpy(c.nonce, attr.value, attr.len);
	}
	KTAP_EQ(do_permit(&c, PEER_A), 441);
	KTAP_EQ(do_refresh(&c, 0), 441);
	KTAP_EQ(do_allocate(&c), 437);
	KTAP_EQ(turn_counters(world.s)->allocs, 1);
	world_stop();
}

static void limits(void)
{
	begin();
	KTAP_EQ(turn_limit_init(&world.realms[1].limit[0], 0, 0, 100, 2), 0);
	client_challenge(&c);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_CHECK(sends_by_indication(&c, PEER_A) &&
		   sends_by_indication(&c, PEER_A) &&
		   sends_by_indication(&c, PEER_A));
	client_init(&c, 40001);
	c.origin = "https://other.example";
	client_challenge(&c);
	in_other();
	KTAP_EQ(do_allocate(&c), SUCCESS);
	KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
	KTAP_CHECK(sends_by_indication(&c, PEER_A) &&
		   sends_by_indication(&c, PEER_A) &&
		   !sends_by_indication(&c, PEER_A));
	world_stop();
}

const struct ktap_case realms_cases[] = {
	{ "realms: chosen by origin", by_origin },
	{ "realms: chosen by address", by_address },
	{ "realms: users of one are not of another", users_apart },
	{ "realms: a nonce is for one", bound_nonce },
	{ "realms: can't be guessed", no_enumeration },
	{ "realms: of an allocation, for good", fixed },
	{ "realms: limits of one", limits },
};

const size_t realms_count = KTAP_COUNT(realms_cases);
