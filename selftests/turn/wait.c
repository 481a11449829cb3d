// SPDX-License-Identifier: GPL-2.0-or-later
/* What happens while the user store has to be asked. */
#include "turn_test.h"

static const struct user old_alice[] = {
	{ "alice", "wonderland", true, true, NULL },
};

static const struct user changed_alice[] = {
	{ "alice", "changed", true, true, NULL },
};

static const struct user nobody[] = { { "", "", false, false, NULL } };

static struct client c;

/* What the store said some time ago. */
static void said(const struct user *users, size_t n)
{
	world.old_users = users;
	world.n_old_users = n;
}

/* No answer, and nothing has changed; the message is to come again. */
static void check_waits(int code, const char *asked)
{
	KTAP_EQ(code, NO_REPLY);
	KTAP_EQ(world.n_sent, 0);
	KTAP_CHECK(strstr(world.trace, "ask_again "));
	KTAP_CHECK(!strcmp(world.asked, asked));
	/* Nothing was done. */
	KTAP_CHECK(!strstr(world.trace, "relay_open"));
	KTAP_CHECK(!strstr(world.trace, "offload"));
}

static void newcomer(void)
{
	struct request r;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	world.asks = true;
	check_waits(do_allocate(&c), "alice");
	KTAP_EQ(turn_counters(world.s)->waited, 1);
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	/* What it said long ago is not enough. */
	said(old_alice, 1);
	check_waits(do_allocate(&c), "alice");
	/* The same message again. */
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	req_auth(&r, &c);
	check_waits(req_send(&r, &c), "alice");
	world.asks = false;
	KTAP_EQ(client_send_raw(&c, r.buf, r.b.len), SUCCESS);
	world_stop();
}

static void newcomer_by_hash(void)
{
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	c.mechanism = ALG_SHA256;
	c.userhash = true;
	world.asks = true;
	check_waits(do_allocate(&c), "(hash)");
	world.asks = false;
	KTAP_EQ(do_allocate(&c), SUCCESS);
	/* Who has an allocation is known without. */
	world.asks = true;
	KTAP_EQ(do_refresh(&c, 900), SUCCESS);
	world_stop();
}

/* In nobody else's name: who has no nonce gets one first. */
static void no_nonce(void)
{
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	world.asks = true;
	c.nonce[c.nonce_len - 1] ^= 1;
	KTAP_EQ(do_allocate(&c), 438);
	KTAP_EQ(world.n_asked, 0);
	client_challenge(&c);
	world_pass((TURN_NONCE_LIFETIME + 1) * 1000ull);
	KTAP_EQ(do_allocate(&c), 438);
	KTAP_EQ(world.n_asked, 0);
	world_stop();
}

/* Nobody waits for what is the owner's. */
static void owner(void)
{
	enum mechanism m;

	for (m = LEGACY; m <= ALG_SHA256; m++) {
		world_begin();
		client_init(&c, 40000);
		c.mechanism = m;
		client_challenge(&c);
		KTAP_EQ(do_allocate(&c), SUCCESS);
		world.asks = true;
		KTAP_EQ(do_refresh(&c, 900), SUCCESS);
		KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
		KTAP_EQ(do_bind(&c, 0x4000, PEER_B), SUCCESS);
		KTAP_EQ(world.n_asked, 3);
		KTAP_CHECK(strstr(world.trace, "ask "));
		KTAP_CHECK(!strstr(world.trace, "ask_again "));
		said(old_alice, 1);
		KTAP_EQ(do_refresh(&c, 900), SUCCESS);
		world_stop();
	}
}

/* The wrong password, another user, another 5-tuple. */
static void not_owner(void)
{
	struct client other;

	world_allocated(&c);
	other = c;
	other.tuple.client.port ^= 1;
	client_challenge(&other);
	world.asks = true;
	check_waits(do_refresh(&other, 900), "alice");
	other = c;
	other.password = "wrong";
	check_waits(do_refresh(&other, 900), "alice");
	other.user = "bob";
	other.password = "builder";
	check_waits(do_refresh(&other, 900), "bob");
	world_stop();
}

/* What the store has said since counts more than what was. */
static void changed(void)
{
	world_allocated(&c);
	world.asks = true;
	said(changed_alice, 1);
	check_waits(do_refresh(&c, 900), "alice");
	said(nobody, 1);
	check_waits(do_refresh(&c, 900), "alice");
	/* The new password is as good. */
	said(changed_alice, 1);
	c.password = "changed";
	KTAP_EQ(do_refresh(&c, 900), SUCCESS);
	world_stop();
}

/* Nobody is refused by what is old: the password may be a new one. */
static void refusal(void)
{
	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	world.asks_to_refuse = true;
	c.password = "new";
	check_waits(do_allocate(&c), "alice");
	c.user = "nobody";
	check_waits(do_allocate(&c), "nobody");
	c.user = "alice";
	c.password = "wonderland";
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world.asks_to_refuse = false;
	c.password = "new";
	KTAP_EQ(do_refresh(&c, 900), 401);
	world_stop();
}

/* The realm is part of the question, and of who an allocation's owner is. */
static void realms(void)
{
	static const struct user users[] = {
		{ "alice", "wonderland", true, true, NULL },
		{ "alice", "looking-glass", true, true, "other.example" },
	};
	struct client other;

	world_init();
	world.users = users;
	world.n_users = KTAP_COUNT(users);
	world.realms[1].name = "other.example";
	world.origins[1] = "https://other.example";
	world.n_realms = 2;
	world_start();
	client_init(&c, 40000);
	client_challenge(&c);
	KTAP_EQ(do_allocate(&c), SUCCESS);
	world.asks = true;
	client_init(&other, 40001);
	other.origin = "https://other.example";
	other.realm = "other.example";
	other.password = "looking-glass";
	client_challenge(&other);
	check_waits(do_allocate(&other), "alice");
	KTAP_CHECK(!strcmp(world.asked_realm, "other.example"));
	other.mechanism = ALG_SHA256;
	other.userhash = true;
	client_challenge(&other);
	check_waits(do_allocate(&other), "(hash)");
	KTAP_CHECK(!strcmp(world.asked_realm, "other.example"));
	world.asks = false;
	KTAP_EQ(do_allocate(&other), SUCCESS);

	/* The same name elsewhere is another user. */
	world.asks = true;
	said(users, 2);
	KTAP_EQ(do_refresh(&other, 900), SUCCESS);
	KTAP_EQ(do_refresh(&c, 900), SUCCESS);
	other.userhash = false;
	other.password = "wonderland";
	check_waits(do_refresh(&other, 900), "alice");
	KTAP_CHECK(!strcmp(world.asked_realm, "other.example"));
	/* Of a realm that is none of ours nothing is asked. */
	world.n_asked = 0;
	c.realm = "nowhere.example";
	KTAP_EQ(do_refresh(&c, 900), 438);
	KTAP_EQ(world.n_asked, 0);
	world_stop();
}

const struct ktap_case wait_cases[] = {
	{ "wait: who comes anew", newcomer },
	{ "wait: who comes by USERHASH", newcomer_by_hash },
	{ "wait: not without a nonce", no_nonce },
	{ "wait: never for an allocation's owner", owner },
	{ "wait: others do", not_owner },
	{ "wait: a password that has changed", changed },
	{ "wait: before a refusal", refusal },
	{ "wait: in the realm that the user is of", realms },
};

const size_t wait_count = KTAP_COUNT(wait_cases);
