// SPDX-License-Identifier: GPL-2.0-or-later
/* Which addresses may be peers; see peer_acl.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <array_size.h>
#include "peer_acl.h"

/* What becomes of an address that no more specific rule knows. */
enum rule_kind {
	RULE_GLOBAL,	/* globally reachable */
	RULE_SPECIAL,	/* not; --allow-peer opens it */
	RULE_NEVER,	/* can't be a peer: no option opens it */
};

struct rule {
	const char *text;
	enum rule_kind kind;
	const char *name;
	struct prefix prefix;
};

/*
 * https://www.iana.org/assignments/iana-ipv4-special-registry and
 * https://www.iana.org/assignments/iana-ipv6-special-registry, and what is
 * multicast, reserved or deprecated. The longest prefix wins. "N/A" in the
 * column "Globally Reachable" counts as no.
 */
#define R(text_, kind_, name_) \
	{ .text = (text_), .kind = (kind_), .name = (name_) }

static struct rule rules[] = {
	R("0.0.0.0/0", RULE_GLOBAL, "unicast"),
	R("0.0.0.0/8", RULE_SPECIAL, "this network (RFC 791)"),
	R("0.0.0.0/32", RULE_NEVER, "unspecified (RFC 1122)"),
	R("10.0.0.0/8", RULE_SPECIAL, "private use (RFC 1918)"),
	R("100.64.0.0/10", RULE_SPECIAL, "carrier-grade NAT (RFC 6598)"),
	R("127.0.0.0/8", RULE_SPECIAL, "loopback (RFC 1122)"),
	R("169.254.0.0/16", RULE_SPECIAL, "link-local (RFC 3927)"),
	R("172.16.0.0/12", RULE_SPECIAL, "private use (RFC 1918)"),
	R("192.0.0.0/24", RULE_SPECIAL, "IETF protocols (RFC 6890)"),
	R("192.0.0.9/32", RULE_GLOBAL, "PCP anycast (RFC 7723)"),
	R("192.0.0.10/32", RULE_GLOBAL, "TURN anycast (RFC 8155)"),
	R("192.0.2.0/24", RULE_SPECIAL, "documentation (RFC 5737)"),
	R("192.88.99.0/24", RULE_SPECIAL, "6to4 relay anycast (RFC 7526)"),
	R("192.168.0.0/16", RULE_SPECIAL, "private use (RFC 1918)"),
	R("198.18.0.0/15", RULE_SPECIAL, "benchmarking (RFC 2544)"),
	R("198.51.100.0/24", RULE_SPECIAL, "documentation (RFC 5737)"),
	R("203.0.113.0/24", RULE_SPECIAL, "documentation (RFC 5737)"),
	R("224.0.0.0/4", RULE_NEVER, "multicast (RFC 5771)"),
	R("240.0.0.0/4", RULE_SPECIAL, "reserved (RFC 1112)"),
	R("255.255.255.255/32", RULE_NEVER, "limited broadcast (RFC 919)"),

	R("::/0", RULE_SPECIAL, "not global unicast (RFC 4291)"),
	R("2000::/3", RULE_GLOBAL, "global unicast (RFC 4291)"),
	R("::/96", RULE_SPECIAL, "IPv4-compatible (RFC 4291)"),
	R("::/128", RULE_NEVER, "unspecified (RFC 4291)"),
	R("::1/128", RULE_SPECIAL, "loopback (RFC 4291)"),
	R("64:ff9b::/96", RULE_GLOBAL, "NAT64 (RFC 6052)"),
	R("64:ff9b:1::/48", RULE_SPECIAL, "local-use NAT64 (RFC 8215)"),
	R("100::/64", RULE_SPECIAL, "discard-only (RFC 6666)"),
	R("100:0:0:1::/64", RULE_SPECIAL, "dummy prefix (RFC 9780)"),
	R("2001::/23", RULE_SPECIAL, "IETF protocols (RFC 2928)"),
	/* RFC 8656 section 21.4: a server must not accept these two. */
	R("2001::/32", RULE_NEVER, "Teredo (RFC 4380, RFC 8656 21.4)"),
	R("2002::/16", RULE_NEVER, "6to4 (RFC 3056, RFC 8656 21.4)"),
	R("2001:1::1/128", RULE_GLOBAL, "PCP anycast (RFC 7723)"),
	R("2001:1::2/128", RULE_GLOBAL, "TURN anycast (RFC 8155)"),
	R("2001:1::3/128", RULE_GLOBAL, "DNS-SD SRP anycast (RFC 9665)"),
	R("2001:2::/48", RULE_SPECIAL, "benchmarking (RFC 5180)"),
	R("2001:3::/32", RULE_GLOBAL, "AMT (RFC 7450)"),
	R("2001:4:112::/48", RULE_GLOBAL, "AS112 (RFC 7535)"),
	R("2001:10::/28", RULE_SPECIAL, "deprecated ORCHID (RFC 4843)"),
	R("2001:20::/28", RULE_GLOBAL, "ORCHIDv2 (RFC 7343)"),
	R("2001:30::/28", RULE_GLOBAL, "drone remote ID (RFC 9374)"),
	R("2001:db8::/32", RULE_SPECIAL, "documentation (RFC 3849)"),
	R("3fff::/20", RULE_SPECIAL, "documentation (RFC 9637)"),
	R("5f00::/16", RULE_SPECIAL, "segment routing SIDs (RFC 9602)"),
	R("fc00::/7", RULE_SPECIAL, "unique local (RFC 4193)"),
	/* STUN's addresses have no zone, so such a peer can't be named. */
	R("fe80::/10", RULE_NEVER, "link-local (RFC 4291)"),
	R("fec0::/10", RULE_SPECIAL, "site-local (RFC 3879)"),
	R("ff00::/8", RULE_NEVER, "multicast (RFC 4291)"),
};

/* Read with prefix_parse(), the IPv4 form would result. */
static struct rule mapped_rule = {
	"::ffff:0:0/96", RULE_NEVER, "IPv4-mapped (RFC 4291)",
	{ .ip = { [10] = 0xff, [11] = 0xff }, .family = KTURN_FAMILY_V6,
	  .len = 96 },
};

static int longest_first(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	return y->prefix.len - x->prefix.len;
}

void peer_acl_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (prefix_parse(rules[i].text, &rules[i].prefix))
			abort();
	qsort(rules, ARRAY_SIZE(rules), sizeof(rules[0]), longest_first);
}

static const struct rule *find_rule(const struct kturn_addr *addr)
{
	size_t i;

	if (prefix_match(&mapped_rule.prefix, addr))
		return &mapped_rule;
	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (prefix_match(&rules[i].prefix, addr))
			return &rules[i];
	/* Not an address at all. */
	return &mapped_rule;
}

int peer_ranges_add(struct peer_ranges *ranges, const struct range *range)
{
	struct range *v;

	if (ranges->n >= PEER_RANGES_MAX)
		return -ENOSPC;
	v = reallocarray(ranges->v, ranges->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	ranges->v = v;
	v[ranges->n++] = *range;
	return 0;
}

void peer_lists_free(struct peer_lists *lists)
{
	free(lists->allow.v);
	free(lists->deny.v);
	memset(lists, 0, sizeof(*lists));
}

/* The length of the longest prefix that matches; -1: none. */
static int longest(const struct prefix *v, size_t n,
		   const struct kturn_addr *addr)
{
	int len = -1;
	size_t i;

	for (i = 0; i < n; i++)
		if (v[i].len > len && prefix_match(&v[i], addr))
			len = v[i].len;
	return len;
}

/* The same of a store's ranges, if that is longer than @len. */
static int longer(const struct peer_ranges *ranges,
		  const struct kturn_addr *addr, int len)
{
	size_t i;
	int got;

	for (i = 0; i < ranges->n; i++) {
		got = range_match(&ranges->v[i], addr);
		if (got > len)
			len = got;
	}
	return len;
}

static bool refuse(struct peer_rule *why, const char *prefix, const char *name,
		   bool openable, const struct kturn_addr *addr)
{
	if (!why)
		return false;
	snprintf(why->prefix, sizeof(why->prefix), "%s", prefix);
	why->name = name;
	why->openable = openable;
	why->subject = *addr;
	return false;
}

static bool refuse_denied(struct peer_rule *why, int len, const char *list,
			  const struct kturn_addr *addr)
{
	char text[PEER_RULE_PREFIX], ip[INET6_ADDRSTRLEN];

	inet_ntop(addr_af(addr), addr->ip, ip, sizeof(ip));
	snprintf(text, sizeof(text), "%s in a /%d", ip, len);
	return refuse(why, text, list,
		      len < (addr->family == KTURN_FAMILY_V4 ? 32 : 128), addr);
}

static bool is_clear(const struct peer_acl *acl)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(acl->stored); i++)
		if (acl->stored[i] && acl->stored[i]->unclear)
			return false;
	return true;
}

/* @allow: the length of what the configuration opens; becomes that of all. */
static int stored(const struct peer_acl *acl, const struct kturn_addr *addr,
		  int *allow)
{
	bool clear = is_clear(acl);
	int deny = -1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(acl->stored); i++) {
		if (!acl->stored[i])
			continue;
		deny = longer(&acl->stored[i]->deny, addr, deny);
		if (clear)
			*allow = longer(&acl->stored[i]->allow, addr, *allow);
	}
	return deny;
}

/* By the lists. @allow: the length of what opens it, -1 for nothing */
static bool check_lists(const struct peer_acl *acl,
			const struct kturn_addr *addr, int *allow,
			struct peer_rule *why)
{
	int deny;

	*allow = longest(acl->allow, acl->n_allow, addr);
	deny = longest(acl->deny, acl->n_deny, addr);
	if (deny >= 0 && deny >= *allow)
		return refuse_denied(why, deny, "of --deny-peer", addr);
	deny = stored(acl, addr, allow);
	if (deny >= 0 && deny >= *allow)
		return refuse_denied(why, deny, "of denied_peer_ip", addr);
	return true;
}

static bool check_one(const struct peer_acl *acl,
		      const struct kturn_addr *addr, struct peer_rule *why)
{
	const struct rule *rule = find_rule(addr);
	int allow;

	if (rule->kind == RULE_NEVER)
		return refuse(why, rule->text, rule->name, false, addr);
	if (!check_lists(acl, addr, &allow, why))
		return false;
	if (rule->kind == RULE_GLOBAL || allow >= 0)
		return true;
	return refuse(why, rule->text, rule->name, true, addr);
}

bool peer_acl_check(const struct peer_acl *acl, const struct kturn_addr *peer,
		    struct peer_rule *why)
{
	struct kturn_addr v4;

	if (!check_one(acl, peer, why))
		return false;
	return !addr_embedded(peer, &v4) || check_one(acl, &v4, why);
}

bool peer_acl_is_denied(const struct peer_acl *acl,
			const struct kturn_addr *peer, struct peer_rule *why)
{
	int allow;

	return !check_lists(acl, peer, &allow, why);
}

bool peer_acl_is_global(const struct kturn_addr *addr)
{
	static const struct peer_acl none;

	return peer_acl_check(&none, addr, NULL);
}
