// SPDX-License-Identifier: GPL-2.0-or-later
/* Which addresses may be peers: every rule, its edges, every embedded form. */
#include <stdio.h>
#include <string.h>

#include "../ktap.h"
#include "kturn.h"
#include "kturnd/peer_acl.h"

static const struct peer_acl none;

static struct kturn_addr addr_of(const char *text)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct kturn_addr addr;

	if (kturn_addr_parse(text, &addr))
		printf("# can't read %s\n", text);
	/* Clients write this form; parsing makes IPv4 of it. */
	if (!strncmp(text, "::ffff:", 7)) {
		memcpy(addr.ip + 12, addr.ip, 4);
		memcpy(addr.ip, mapped, sizeof(mapped));
		addr.family = KTURN_FAMILY_V6;
	}
	return addr;
}

static bool allowed(const struct peer_acl *acl, const char *text,
		    struct peer_rule *why)
{
	struct kturn_addr addr = addr_of(text);

	return peer_acl_check(acl, &addr, why);
}

static void check(const char *text, bool want)
{
	if (!KTAP_EQ(allowed(&none, text, NULL), want))
		printf("# %s\n", text);
}

/* First and last address of each prefix; and what lies next to it. */
static void special_v4(void)
{
	static const char *const no[] = {
		"0.0.0.0", "0.0.0.1", "0.255.255.255", "10.0.0.0",
		"10.255.255.255", "100.64.0.0", "100.127.255.255",
		"127.0.0.0", "127.0.0.1", "127.255.255.255", "169.254.0.0",
		"169.254.169.254", "169.254.255.255", "172.16.0.0",
		"172.31.255.255", "192.0.0.0", "192.0.0.8", "192.0.0.11",
		"192.0.0.170", "192.0.0.171", "192.0.0.255", "192.0.2.0",
		"192.0.2.255", "192.88.99.0", "192.88.99.1", "192.88.99.255",
		"192.168.0.0", "192.168.255.255", "198.18.0.0",
		"198.19.255.255", "198.51.100.0", "198.51.100.255",
		"203.0.113.0", "203.0.113.255", "224.0.0.0",
		"239.255.255.255", "240.0.0.0", "255.255.255.254",
		"255.255.255.255",
	};
	static const char *const yes[] = {
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255",
		"100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255",
		"172.32.0.0", "191.255.255.255", "192.0.0.9", "192.0.0.10",
		"192.0.1.0", "192.0.3.0", "192.31.196.1", "192.52.193.1",
		"192.88.98.255", "192.88.100.0", "192.167.255.255",
		"192.169.0.0", "192.175.48.1", "198.17.255.255",
		"198.20.0.0", "198.51.99.255", "198.51.101.0",
		"203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8",
	};
	size_t i;

	for (i = 0; i < KTAP_COUNT(no); i++)
		check(no[i], false);
	for (i = 0; i < KTAP_COUNT(yes); i++)
		check(yes[i], true);
}

static void special_v6(void)
{
	static const char *const no[] = {
		"::", "::1", "::2", "1::1", "64:ff9a:ffff::1",
		"64:ff9b:0:1::", "64:ff9b:1::", "64:ff9b:1:ffff::1",
		"64:ff9b:2::1", "100::", "100::ffff:ffff:ffff:ffff",
		"100:0:0:1::1", "200::1", "1fff:ffff::1", "2001::",
		"2001::1", "2001:0:ffff::1", "2001:1::", "2001:1::4",
		"2001:2::1", "2001:2:0:ffff::1", "2001:2:1::1",
		"2001:4:111::1", "2001:4:113::1", "2001:5::1", "2001:10::1",
		"2001:1f:ffff::1", "2001:40::1", "2001:1ff:ffff::1",
		"2001:db8::", "2001:db8:ffff::1", "2002::1",
		"2002:808:808::1", "2002:ffff:ffff::1", "3fff::1",
		"3fff:fff:ffff::1", "4000::1", "5f00::1", "5f00:ffff::1",
		"6000::1", "8000::1", "e000::1", "fbff::1", "fc00::",
		"fd00::1", "fdff:ffff::1", "fe00::1", "fe7f:ffff::1",
		"fe80::", "fe80::1", "febf::1", "fec0::1", "feff:ffff::1",
		"ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};
	static const char *const yes[] = {
		"2000::1", "2001:1::1", "2001:1::2", "2001:1::3",
		"2001:3::1", "2001:4:112::1", "2001:20::1", "2001:2f:ffff::1",
		"2001:30::1", "2001:200::1", "2001:db7:ffff::1",
		"2001:db9::1", "2003::1", "2001:4860:4860::8888",
		"2606:4700::1111", "2620:4f:8000::1", "3ffe:ffff::1",
		"3fff:1000::1",
	};
	size_t i;

	for (i = 0; i < KTAP_COUNT(no); i++)
		check(no[i], false);
	for (i = 0; i < KTAP_COUNT(yes); i++)
		check(yes[i], true);
}

/* What an IPv4 address may not be, it may not be in disguise. */
static void embedded(void)
{
	static const char *const v4[] = {
		"0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.1.1", "127.0.0.1",
		"169.254.169.254", "172.16.1.1", "192.0.0.1", "192.0.2.1",
		"192.88.99.1", "192.168.1.1", "198.18.1.1", "198.51.100.1",
		"203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
	};
	static const char *const forms[] = {
		"::ffff:", "64:ff9b::", "::",
	};
	char text[64], hex[64];
	unsigned char ip[4];
	size_t i, k;

	for (i = 0; i < KTAP_COUNT(v4); i++) {
		for (k = 0; k < KTAP_COUNT(forms); k++) {
			snprintf(text, sizeof(text), "%s%s", forms[k], v4[i]);
			check(text, false);
		}
		sscanf(v4[i], "%hhu.%hhu.%hhu.%hhu", &ip[0], &ip[1], &ip[2],
		       &ip[3]);
		snprintf(hex, sizeof(hex), "2002:%02x%02x:%02x%02x::1", ip[0],
			 ip[1], ip[2], ip[3]);
		check(hex, false);
	}
	/* Of these forms only NAT64's is in use with global addresses. */
	check("64:ff9b::8.8.8.8", true);
	check("::ffff:8.8.8.8", false);
	check("::8.8.8.8", false);
	check("2002:808:808::1", false);
}

static void opened(void)
{
	struct prefix allow[4];
	struct peer_acl acl = { .allow = allow, .n_allow = 4 };

	KTAP_EQ(prefix_parse("10.1.0.0/16", &allow[0]), 0);
	KTAP_EQ(prefix_parse("fd00:1::/32", &allow[1]), 0);
	KTAP_EQ(prefix_parse("192.168.1.7", &allow[2]), 0);
	KTAP_EQ(prefix_parse("::1", &allow[3]), 0);
	KTAP_CHECK(allowed(&acl, "10.1.255.255", NULL));
	KTAP_CHECK(!allowed(&acl, "10.2.0.0", NULL));
	KTAP_CHECK(!allowed(&acl, "10.0.255.255", NULL));
	KTAP_CHECK(allowed(&acl, "fd00:1:ffff::1", NULL));
	KTAP_CHECK(!allowed(&acl, "fd00:2::1", NULL));
	KTAP_CHECK(allowed(&acl, "192.168.1.7", NULL));
	KTAP_CHECK(!allowed(&acl, "192.168.1.8", NULL));
	KTAP_CHECK(allowed(&acl, "::1", NULL));
	/* NAT64's form of what is open, no other. */
	KTAP_CHECK(allowed(&acl, "64:ff9b::10.1.2.3", NULL));
	KTAP_CHECK(!allowed(&acl, "64:ff9b::10.2.2.3", NULL));
	KTAP_CHECK(!allowed(&acl, "::10.1.2.3", NULL));
	KTAP_CHECK(!allowed(&acl, "::ffff:10.1.2.3", NULL));
	KTAP_CHECK(!allowed(&acl, "2002:a01:203::1", NULL));
}

/* The longer prefix counts, and of two that are as long the one that denies. */
static void denied(void)
{
	struct prefix allow[4], deny[4];
	struct peer_acl acl = { .allow = allow, .n_allow = 4,
				.deny = deny, .n_deny = 4 };
	struct peer_rule why;

	KTAP_EQ(prefix_parse("10.0.0.0/8", &allow[0]), 0);
	KTAP_EQ(prefix_parse("8.8.4.4", &allow[1]), 0);
	KTAP_EQ(prefix_parse("9.9.0.0/16", &allow[2]), 0);
	KTAP_EQ(prefix_parse("2a00:1:2::/48", &allow[3]), 0);
	KTAP_EQ(prefix_parse("10.2.0.0/16", &deny[0]), 0);
	KTAP_EQ(prefix_parse("8.8.0.0/16", &deny[1]), 0);
	KTAP_EQ(prefix_parse("9.9.0.0/16", &deny[2]), 0);
	KTAP_EQ(prefix_parse("2a00:1::/32", &deny[3]), 0);
	KTAP_CHECK(allowed(&acl, "10.1.0.1", NULL));
	KTAP_CHECK(!allowed(&acl, "10.2.0.1", NULL));
	KTAP_CHECK(!allowed(&acl, "8.8.8.8", NULL));
	KTAP_CHECK(allowed(&acl, "8.8.4.4", NULL));
	KTAP_CHECK(!allowed(&acl, "9.9.9.9", &why));
	KTAP_CHECK(!strcmp(why.prefix, "9.9.9.9 in a /16"));
	KTAP_CHECK(why.openable);
	KTAP_CHECK(allowed(&acl, "1.1.1.1", NULL));
	KTAP_CHECK(!allowed(&acl, "2a00:1:3::1", NULL));
	KTAP_CHECK(allowed(&acl, "2a00:1:2::1", NULL));
	/* In whatever form it comes. */
	KTAP_CHECK(!allowed(&acl, "64:ff9b::8.8.8.8", NULL));
	KTAP_CHECK(allowed(&acl, "64:ff9b::8.8.4.4", NULL));
}

/* Not even by those who open everything. */
static void never(void)
{
	static const char *const no[] = {
		"0.0.0.0", "224.0.0.1", "239.255.255.255", "255.255.255.255",
		"::", "fe80::1", "febf::1", "ff02::1", "2002:808:808::1",
		"2001:0:808:808::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1",
		"64:ff9b::224.0.0.1", "64:ff9b::0.0.0.0",
	};
	struct prefix allow[2];
	struct peer_acl acl = { .allow = allow, .n_allow = 2 };
	struct peer_rule why;
	size_t i;

	KTAP_EQ(prefix_parse("0.0.0.0/0", &allow[0]), 0);
	KTAP_EQ(prefix_parse("::/0", &allow[1]), 0);
	KTAP_CHECK(allowed(&acl, "127.0.0.1", NULL));
	KTAP_CHECK(allowed(&acl, "240.0.0.1", NULL));
	KTAP_CHECK(allowed(&acl, "fec0::1", NULL));
	KTAP_CHECK(allowed(&acl, "::10.0.0.1", NULL));
	for (i = 0; i < KTAP_COUNT(no); i++) {
		memset(&why, 0, sizeof(why));
		if (!KTAP_CHECK(!allowed(&acl, no[i], &why)))
			printf("# %s\n", no[i]);
		KTAP_CHECK(!why.openable);
	}
}

static void reasons(void)
{
	struct kturn_addr v4 = addr_of("10.1.2.3"), v6 = addr_of("fd00::1");
	struct peer_rule why;

	KTAP_CHECK(!allowed(&none, "fd00::1", &why));
	KTAP_CHECK(!strcmp(why.prefix, "fc00::/7"));
	KTAP_CHECK(!strcmp(why.name, "unique local (RFC 4193)"));
	KTAP_CHECK(why.openable);
	KTAP_MEM_EQ(&why.subject, &v6, sizeof(v6));
	/* The most specific rule, about the address inside. */
	KTAP_CHECK(!allowed(&none, "64:ff9b::10.1.2.3", &why));
	KTAP_CHECK(!strcmp(why.prefix, "10.0.0.0/8"));
	KTAP_MEM_EQ(&why.subject, &v4, sizeof(v4));
	KTAP_CHECK(!allowed(&none, "100:0:0:1::1", &why));
	KTAP_CHECK(!strcmp(why.prefix, "100:0:0:1::/64"));
}

static void prefixes(void)
{
	static const char *const bad[] = {
		"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/08x", "10.0.0.0/8/8", "10.0.0/8", "::/129",
		"[::1]/128", "10.0.0.1:80", "10.0.0.1:80/32", "::ffff:0:0/95",
		"fe80::1%lo/64", "x",
	};
	static const char *const loose[] = {
		"10.0.0.1/8", "10.0.0.0/4", "2001:db8::1/32", "::1/127",
		"::ffff:10.0.0.1/104",
	};
	struct prefix p;
	size_t i;

	for (i = 0; i < KTAP_COUNT(bad); i++)
		if (!KTAP_EQ(prefix_parse(bad[i], &p), -EINVAL))
			printf("# %s\n", bad[i]);
	for (i = 0; i < KTAP_COUNT(loose); i++)
		if (!KTAP_EQ(prefix_parse(loose[i], &p), -ERANGE))
			printf("# %s\n", loose[i]);
	KTAP_EQ(prefix_parse("::ffff:10.0.0.0/104", &p), 0);
	KTAP_EQ(p.family, KTURN_FAMILY_V4);
	KTAP_EQ(p.len, 8);
	KTAP_EQ(prefix_parse("0.0.0.0/0", &p), 0);
	KTAP_EQ(p.len, 0);
	KTAP_EQ(prefix_parse("2001:db8::", &p), 0);
	KTAP_EQ(p.len, 128);
}

static struct range range_of(const char *text)
{
	struct range range;
	const char *why = range_parse(text, &range);

	if (!KTAP_CHECK(!why))
		printf("# %s %s\n", text, why);
	return range;
}

static void ranges(void)
{
	static const char *const same[][2] = {
		{ "10.0.0.0-10.255.255.255", "10.0.0.0/8" },
		{ "0.0.0.0-255.255.255.255", "0.0.0.0/0" },
		{ "255.255.255.255-255.255.255.255", "255.255.255.255" },
		{ "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0" },
		{ "2001:db8::-2001:db8::7", "2001:db8::/125" },
		{ "::ffff:10.0.0.0-::ffff:10.0.0.255", "10.0.0.0/24" },
		{ "::ffff:10.0.0.0-10.0.0.255", "::ffff:10.0.0.0/120" },
		{ "::ffff:10.0.0.1", "10.0.0.1/32" },
	};
	static const char *const bad[] = {
		"", "-", "10.0.0.1-", "-10.0.0.1", "10.0.0.2-10.0.0.1",
		"2001:db8::2-2001:db8::1", "10.0.0.1-2001:db8::1",
		"::-::ffff:10.0.0.1", "10.0.0.1-10.0.0.2-10.0.0.3",
		"10.0.0.1 - 10.0.0.2", "10.0.0.1-10.0.0.256", "localhost",
		"10.0.0.0/8-10.255.255.255", "10.0.0.1/8", "10.0.0.0/33",
		"10.0.0.1:80", "[::1]-[::2]", "fe80::1%lo", "10.0.0.1-x",
		"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:"
		"0000:0000-2001:db8::1",
	};
	struct range a, b;
	size_t i;

	for (i = 0; i < KTAP_COUNT(same); i++) {
		a = range_of(same[i][0]);
		b = range_of(same[i][1]);
		if (!KTAP_MEM_EQ(&a, &b, sizeof(a)))
			printf("# %s\n", same[i][0]);
	}
	for (i = 0; i < KTAP_COUNT(bad); i++)
		if (!KTAP_CHECK(range_parse(bad[i], &a)))
			printf("# %s\n", bad[i]);
	KTAP_CHECK(!strcmp(range_parse("10.0.0.2-10.0.0.1", &a),
			   "ends before it begins"));
}

/* The shortest prefix that fits: by trying all. */
static int shortest_fit(unsigned int first, unsigned int last, unsigned int ip)
{
	unsigned int len, rest;

	if (ip < first || ip > last)
		return -1;
	for (len = 0; len < 8; len++) {
		rest = 0xff >> len;
		if ((ip & ~rest) >= first && (ip | rest) <= last)
			break;
	}
	return (int)len;
}

/* Each range of one byte at the end, and what it says of each. */
static void every_range(const char *text, int before)
{
	struct kturn_addr addr = addr_of(text);
	struct range range = range_of(text);
	size_t end = before / 8;
	unsigned int first, last, ip;
	int wrong = 0, want;

	for (first = 0; first < 256; first++) {
		for (last = first; last < 256; last++) {
			range.first[end] = first;
			range.last[end] = last;
			for (ip = 0; ip < 256; ip += 1 + (last & 3)) {
				addr.ip[end] = ip;
				want = shortest_fit(first, last, ip);
				want += want < 0 ? 0 : before;
				wrong += range_match(&range, &addr) != want;
			}
		}
	}
	KTAP_EQ(wrong, 0);
}

static void range_prefixes(void)
{
	struct kturn_addr last = addr_of("255.255.255.255");
	struct kturn_addr ip = addr_of("10.0.0.1"), v6 = addr_of("2001:db8::1");
	struct range range = range_of("0.0.0.0-255.255.255.255");

	every_range("10.1.2.0", 24);
	every_range("255.255.255.0", 24);
	every_range("2001:db8::", 120);
	KTAP_EQ(range_match(&range, &last), 0);
	KTAP_EQ(range_match(&range, &v6), -1);
	range = range_of("255.255.255.255");
	KTAP_EQ(range_match(&range, &last), 32);
	KTAP_EQ(range_match(&range, &ip), -1);
	/* Over bytes. */
	range = range_of("9.255.255.255-10.0.1.0");
	KTAP_EQ(range_match(&range, &ip), 24);
	range = range_of("10.0.0.1-10.255.255.255");
	KTAP_EQ(range_match(&range, &ip), 32);
	range = range_of("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	KTAP_EQ(range_match(&range, &v6), 0);
	KTAP_EQ(range_match(&range, &ip), -1);
	range = range_of("2001:db8::1-2001:db9::");
	KTAP_EQ(range_match(&range, &v6), 128);
	v6 = addr_of("2001:db8:8000::1");
	KTAP_EQ(range_match(&range, &v6), 33);
}

static void add(struct peer_ranges *ranges, const char *text)
{
	struct range range = range_of(text);

	KTAP_EQ(peer_ranges_add(ranges, &range), 0);
}

/* The store's lists: for the realm and for all; the configuration's first. */
static void stored_lists(void)
{
	struct prefix allow[1], deny[1];
	struct peer_lists realm = { 0 }, every = { 0 };
	struct peer_acl acl = {
		.allow = allow, .n_allow = 1, .deny = deny, .n_deny = 1,
		.stored = { &realm, &every },
	};
	struct peer_rule why;

	KTAP_EQ(prefix_parse("10.1.2.0/24", &allow[0]), 0);
	KTAP_EQ(prefix_parse("10.9.0.0/16", &deny[0]), 0);
	add(&realm.allow, "10.0.0.0-10.255.255.255");
	add(&realm.deny, "10.1.0.0-10.2.255.255");
	add(&realm.allow, "10.2.3.0-10.2.3.7");
	add(&every.deny, "8.8.8.0-8.8.8.255");
	add(&every.allow, "fd00::1-fd00::ff");
	add(&realm.deny, "fd00::80-fd00::ff");
	/* What is special is opened, but for what is denied. */
	KTAP_CHECK(allowed(&acl, "10.3.0.1", NULL));
	KTAP_CHECK(!allowed(&acl, "192.168.0.1", NULL));
	KTAP_CHECK(!allowed(&acl, "10.2.0.1", &why));
	KTAP_CHECK(!strcmp(why.prefix, "10.2.0.1 in a /16"));
	KTAP_CHECK(!strcmp(why.name, "of denied_peer_ip"));
	KTAP_CHECK(why.openable);
	KTAP_CHECK(allowed(&acl, "10.2.3.7", NULL));
	KTAP_CHECK(!allowed(&acl, "10.2.3.8", NULL));
	/* A longer one of the configuration's counts. */
	KTAP_CHECK(allowed(&acl, "10.1.2.9", NULL));
	/* What the configuration denies stays so. */
	KTAP_CHECK(!allowed(&acl, "10.9.1.1", NULL));
	add(&realm.allow, "10.9.1.1");
	KTAP_CHECK(!allowed(&acl, "10.9.1.1", &why));
	KTAP_CHECK(!strcmp(why.name, "of --deny-peer"));
	/* Of two as long the one that denies; both lists are one. */
	KTAP_CHECK(allowed(&acl, "fd00::7f", NULL));
	KTAP_CHECK(!allowed(&acl, "fd00::80", NULL));
	KTAP_CHECK(!allowed(&acl, "8.8.8.8", NULL));
	KTAP_CHECK(!allowed(&acl, "64:ff9b::8.8.8.8", NULL));
	KTAP_CHECK(allowed(&acl, "8.8.4.4", NULL));
	add(&realm.allow, "8.8.8.8");
	KTAP_CHECK(allowed(&acl, "8.8.8.8", NULL));
	/* What nothing opens. */
	add(&every.allow, "0.0.0.0-255.255.255.255");
	KTAP_CHECK(!allowed(&acl, "255.255.255.255", NULL));
	KTAP_CHECK(!allowed(&acl, "224.0.0.1", NULL));
	KTAP_CHECK(allowed(&acl, "192.168.0.1", NULL));
	/* As long as not all that is closed is known, nothing is opened. */
	realm.unclear = true;
	KTAP_CHECK(!allowed(&acl, "192.168.0.1", NULL));
	KTAP_CHECK(!allowed(&acl, "8.8.8.8", NULL));
	/* But the configuration does. */
	KTAP_CHECK(allowed(&acl, "10.1.2.9", NULL));
	KTAP_CHECK(allowed(&acl, "8.8.4.4", NULL));
	acl.stored[0] = NULL;
	KTAP_CHECK(allowed(&acl, "192.168.0.1", NULL));
	peer_lists_free(&realm);
	peer_lists_free(&every);
}

static void many_ranges(void)
{
	struct peer_lists lists = { 0 };
	struct range range = range_of("10.0.0.1");
	int i;

	for (i = 0; i < PEER_RANGES_MAX; i++)
		KTAP_EQ(peer_ranges_add(&lists.deny, &range), 0);
	KTAP_EQ(peer_ranges_add(&lists.deny, &range), -ENOSPC);
	peer_lists_free(&lists);
	KTAP_EQ(lists.deny.n, 0);
}

static const struct ktap_case cases[] = {
	{ "peer acl: special IPv4 addresses", special_v4 },
	{ "peer acl: special IPv6 addresses", special_v6 },
	{ "peer acl: IPv4 addresses in IPv6 forms", embedded },
	{ "peer acl: prefixes that are opened", opened },
	{ "peer acl: prefixes that are closed", denied },
	{ "peer acl: what nothing opens", never },
	{ "peer acl: the rule that refuses", reasons },
	{ "peer acl: reading prefixes", prefixes },
	{ "peer acl: reading ranges", ranges },
	{ "peer acl: prefixes of ranges", range_prefixes },
	{ "peer acl: lists of the user store", stored_lists },
	{ "peer acl: ranges are so many at most", many_ranges },
};

int main(void)
{
	peer_acl_init();
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	return ktap_end();
}
