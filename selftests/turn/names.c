// SPDX-License-Identifier: GPL-2.0-or-later
/* User names and realms, right and wrong; 401 and 441. */
#include <stdio.h>
#include <stdlib.h>

#include "turn_test.h"

static struct client c;

static void begin(struct request *r)
{
	req_begin(r, &c, KTURN_ALLOCATE);
	req_u32(r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
}

/* An Allocate whose USERNAME and REALM are these bytes; the key is c's. */
static int allocate_as(const void *user, size_t user_len, const void *realm,
		       size_t realm_len)
{
	struct request r;

	begin(&r);
	req_attr(&r, KTURN_ATTR_USERNAME, user, user_len);
	req_attr(&r, KTURN_ATTR_REALM, realm, realm_len);
	req_attr(&r, KTURN_ATTR_NONCE, c.nonce, c.nonce_len);
	req_integrity(&r, KTURN_ATTR_MESSAGE_INTEGRITY, &c);
	return req_send(&r, &c);
}

static void check_unknown(int code)
{
	KTAP_EQ(code, 401);
	KTAP_EQ(turn_counters(world.s)->allocs, 0);
	KTAP_EQ(resp_count(KTURN_ATTR_MESSAGE_INTEGRITY), 0);
	KTAP_EQ(resp_count(KTURN_ATTR_MESSAGE_INTEGRITY_SHA256), 0);
}

static void wrong_credentials(void)
{
	static const struct {
		const char *user, *password, *realm;
	} table[] = {
		{ "alice", "Wonderland", REALM },
		{ "alice", "", REALM },
		{ "bob", "wonderland", REALM },
		{ "nobody", "wonderland", REALM },
		{ "Alice", "wonderland", REALM },
		{ "alic", "wonderland", REALM },
		{ "alice", "wonderland", "example.com" },
		{ "alice", "wonderland", "Example.org" },
		{ "alice", "wonderland", "example.orgx" },
	};
	size_t i;
	int m;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	for (i = 0; i < KTAP_COUNT(table); i++)
		for (m = LEGACY; m <= ALG_SHA256; m++) {
			c.user = table[i].user;
			c.password = table[i].password;
			c.realm = table[i].realm;
			c.mechanism = m;
			c.userhash = false;
			check_unknown(do_allocate(&c));
			KTAP_CHECK(strstr(world.log, "auth-failed"));
			KTAP_CHECK(!strstr(world.log, "wonderland"));
			c.userhash = true;
			check_unknown(do_allocate(&c));
		}

	/* The right key, but another REALM or none that it is for. */
	client_init(&c, 40000);
	client_challenge(&c);
	check_unknown(allocate_as("alice", 5, "example.com", 11));
	check_unknown(allocate_as("alice", 5, "", 0));
	KTAP_EQ(allocate_as("alice", 5, REALM, strlen(REALM)), SUCCESS);
	world_stop();
}

/* Whether the user exists or not, as many keys are looked at. */
static void same_work(void)
{
	char known[sizeof(world.trace)];

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	c.password = "wrong";
	KTAP_EQ(do_allocate(&c), 401);
	memcpy(known, world.trace, sizeof(known));
	c.user = "nobody";
	KTAP_EQ(do_allocate(&c), 401);
	KTAP_CHECK(!strcmp(known, world.trace));
	KTAP_CHECK(!strcmp(known, "user_keys client_send "));
	world_stop();
}

/* Section 9.2.2: quotes around and NULs behind are no part of a name. */
static void trimmed(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		int code;
	} table[] = {
		{ "alice\0", 6, SUCCESS },
		{ "alice\0\0\0\0", 9, SUCCESS },
		{ "\"alice\"", 7, SUCCESS },
		{ "\"alice\"\0", 8, SUCCESS },
		{ "\"alice", 6, 401 },
		{ "alice\"", 6, 401 },
		{ "'alice'", 7, 401 },
		{ "\0alice", 6, 401 },
		{ "al\0ice", 6, 401 },
		{ " alice", 6, 401 },
	};
	size_t i;

	world_begin();
	client_init(&c, 40000);
	for (i = 0; i < KTAP_COUNT(table); i++) {
		client_challenge(&c);
		KTAP_EQ(allocate_as(table[i].bytes, table[i].len, REALM,
				    strlen(REALM)), table[i].code);
		if (!table[i].code)
			KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	}
	KTAP_EQ(allocate_as("alice", 5, "\"" REALM "\"\0", strlen(REALM) + 3),
		SUCCESS);
	world_stop();
}

/* Names that are taken to the store, and those that never get there. */
static void opaque_string(void)
{
	static const struct {
		const char *name;
		bool valid;
	} table[] = {
		{ "x", true },
		{ "with space:and,stuff@host\\", true },
		{ "\xdf\xbf", true },			/* U+07FF */
		{ "\xe0\xa0\x80", true },		/* U+0800 */
		{ "\xed\x9e\xa3", true },		/* U+D7A3 */
		{ "\xef\xbf\xbd", true },		/* U+FFFD */
		{ "\xf0\x90\x80\x80", true },		/* U+10000 */
		{ "z\xc3\xbcrich", true },
		{ "", false },
		{ "\t", false }, { "a\n", false }, { "\x1f", false },
		{ "\x7f", false },
		{ "\xc2\x80", false }, { "\xc2\x9f", false },
		{ "\x80", false }, { "\xbf", false }, { "\xc0\x80", false },
		{ "\xc1\xbf", false }, { "\xc3", false }, { "\xc3(", false },
		{ "\xe0\x9f\xbf", false },		/* too long a form */
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xed\xa0\x80", false },		/* surrogates */
		{ "\xed\xbf\xbf", false },
		{ "\xee\x80\x80", false },		/* private use */
		{ "\xf4\x8f\xbf\xbd", false },
		{ "\xcd\xb8", false },			/* unassigned */
		{ "\xc2\xad", false },			/* invisible */
		{ "\xef\xb7\x90", false },		/* noncharacters */
		{ "\xef\xbf\xbe", false }, { "\xef\xbf\xbf", false },
		{ "\xf0\x9f\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false },		/* beyond U+10FFFF */
		{ "\xf5\x80\x80\x80", false }, { "\xff", false },
		{ "\xe2\x82", false }, { "\xf0\x9f\x98", false },
	};
	struct user user = { .password = "p", .md5 = true };
	size_t i;

	world_begin();
	world.users = &user;
	world.n_users = 1;
	for (i = 0; i < KTAP_COUNT(table); i++) {
		client_init(&c, 40000 + i);
		user.name = table[i].name;
		c.user = user.name;
		c.password = "p";
		client_challenge(&c);
		KTAP_EQ(do_allocate(&c), table[i].valid ? SUCCESS : 401);
		KTAP_EQ(!!strstr(world.trace, "user_keys"), table[i].valid);
		if (table[i].valid)
			KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	}
	world_stop();
}

/*
 * What OpaqueString makes one name is one user's name, in the store, in the
 * allocation and in the key, which is the prepared name's (RFC 8489 section
 * 9.2.2), whatever the client has left undone of it.
 */
static void prepared(void)
{
	static const struct {
		const char *sent, *name;
	} table[] = {
		{ "ren\u00e9 b", "ren\u00e9 b" },
		{ "rene\u0301 b", "ren\u00e9 b" },
		{ "rene\u0301\u00a0b", "ren\u00e9 b" },
		{ "\"ren\u00e9\u3000b\"", "ren\u00e9 b" },
	};
	struct user user = { "ren\u00e9 b", "p", true, true,
			     NULL };
	struct turn_alloc *a;
	struct request r;
	size_t i;
	int m;

	world_begin();
	world.users = &user;
	world.n_users = 1;
	for (i = 0; i < KTAP_COUNT(table); i++)
		for (m = LEGACY; m <= ALG_SHA256; m++) {
			client_init(&c, 40000 + 10 * i + m);
			c.user = table[i].name;
			c.password = "p";
			c.mechanism = m;
			client_challenge(&c);
			begin(&r);
			c.sent_user = table[i].sent;
			req_auth(&r, &c);
			KTAP_EQ(req_send(&r, &c), SUCCESS);
			a = turn_alloc_find(world.s, &c.tuple);
			KTAP_CHECK(a && !strcmp(turn_alloc_user(a),
						"ren\u00e9 b"));
			/* With and without preparation: the same user. */
			c.sent_user = NULL;
			KTAP_EQ(do_permit(&c, PEER_A), SUCCESS);
			c.sent_user = table[i].sent;
			KTAP_EQ(do_refresh(&c, 0), SUCCESS);
		}

	/* A key of the name as it was before: not what section 9.2.2 says. */
	client_init(&c, 40000);
	c.user = "rene\u0301 b";
	c.password = "p";
	client_challenge(&c);
	KTAP_EQ(do_allocate(&c), 401);
	world_stop();
}

static void name_length(void)
{
	struct user user = { .password = "p", .md5 = true, .sha256 = true };
	char name[801];
	size_t len;

	world_begin();
	world.users = &user;
	world.n_users = 1;
	for (len = 508; len <= 800; len++) {
		if (len > 510 && len < 760)
			continue;
		memset(name, 'n', len);
		name[len] = 0;
		user.name = name;
		client_init(&c, 40000 + len);
		c.user = name;
		c.password = "p";
		client_challenge(&c);
		KTAP_EQ(do_allocate(&c), len <= 763 ? SUCCESS : 401);
		if (len <= 763)
			KTAP_EQ(do_refresh(&c, 0), SUCCESS);
	}
	world_stop();
}

/* RFC 8656 section 5. */
static void other_user(void)
{
	struct request r;
	uint64_t before;
	int m;

	world_begin();
	client_allocated(&c, 40000);
	c.user = "bob";
	c.password = "builder";
	before = world_state();
	for (m = LEGACY; m <= ALG_SHA256; m++) {
		c.mechanism = m;
		c.userhash = m == ALG_MD5;
		KTAP_EQ(do_refresh(&c, 0), 441);
		KTAP_EQ(do_permit(&c, PEER_A), 441);
		KTAP_EQ(do_bind(&c, 0x4000, PEER_A), 441);
	}
	/* An Allocate is refused for the 5-tuple's sake. */
	KTAP_EQ(do_allocate(&c), 437);

	/* Before what else is wrong with them, but after what is unknown. */
	req_begin(&r, &c, KTURN_CHANNEL_BIND);
	KTAP_EQ(req_call(&r, &c), 441);
	req_begin(&r, &c, KTURN_REFRESH);
	req_attr(&r, 0x7abc, "", 0);
	KTAP_EQ(req_call(&r, &c), 420);
	KTAP_CHECK(world_state() == before);
	world_stop();
}

/* 437 for all methods but Allocate, after authentication and 420. */
static void no_allocation(void)
{
	struct request r;

	world_begin();
	client_init(&c, 40000);
	client_challenge(&c);
	KTAP_EQ(do_refresh(&c, 600), 437);
	KTAP_EQ(do_refresh(&c, 0), 437);
	KTAP_EQ(do_permit(&c, PEER_A), 437);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), 437);
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	KTAP_EQ(req_call(&r, &c), 437);
	req_begin(&r, &c, KTURN_CREATE_PERMISSION);
	req_attr(&r, 0x7abc, "", 0);
	KTAP_EQ(req_call(&r, &c), 420);
	req_begin(&r, &c, KTURN_REFRESH);
	KTAP_EQ(req_send(&r, &c), 401);

	/* Of the same client at another server address, or another client. */
	KTAP_EQ(do_allocate(&c), SUCCESS);
	c.tuple.server = addr("203.0.113.2:3478");
	KTAP_EQ(do_refresh(&c, 600), 437);
	world_stop();
}

const struct ktap_case names_cases[] = {
	{ "names: 401 for wrong credentials", wrong_credentials },
	{ "names: the same steps for unknown users", same_work },
	{ "names: quotes and trailing NULs", trimmed },
	{ "names: what OpaqueString allows", opaque_string },
	{ "names: what is one name", prepared },
	{ "names: length", name_length },
	{ "names: 441 for another user", other_user },
	{ "names: 437 without an allocation", no_allocation },
};

const size_t names_count = KTAP_COUNT(names_cases);
