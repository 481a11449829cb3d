// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn check-host: ip_tables and ip6_tables, as iptables-legacy fills them.
 * Both have the same form but for the head of an entry, which holds the
 * addresses. Only tables that are loaded are asked for: to ask loads them.
 */
/* First: the kernel's headers leave out what these have. */
#include <net/if.h>
#include <netinet/in.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "check_rules.h"

/* ip6_tables' numbers and structures are the same, but for what is used here. */
_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "");
_Static_assert(offsetof(struct ipt_get_entries, entrytable) ==
	       offsetof(struct ip6t_get_entries, entrytable), "");
_Static_assert(IPT_SO_GET_INFO == IP6T_SO_GET_INFO, "");
_Static_assert(IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES, "");

/**
 * struct blob - a table as the kernel gives it out
 * @c: where it goes
 * @r: likewise
 * @family: NFPROTO_…
 * @table: its name
 * @info: where its chains begin
 * @entries: entries, one behind another
 * @size: bytes of them
 */
struct blob {
	struct check *c;
	struct rules *r;
	uint8_t family;
	const char *table;
	struct ipt_getinfo info;
	const char *entries;
	unsigned int size;
};

/* What is used of an entry. */
struct entry {
	const char *start;
	unsigned int head;	/* bytes before the matches */
	unsigned int target;
	unsigned int next;
	uint8_t proto;
	bool other;	/* it looks at devices or addresses */
};

static void entry4_read(const char *p, struct entry *e)
{
	static const struct in_addr any;
	const struct ipt_entry *ip = (const void *)p;

	e->head = sizeof(*ip);
	e->target = ip->target_offset;
	e->next = ip->next_offset;
	e->proto = ip->ip.invflags & XT_INV_PROTO ? 0 : ip->ip.proto;
	e->other = *ip->ip.iniface || *ip->ip.outiface ||
		ip->ip.invflags & XT_INV_PROTO ||
		memcmp(&ip->ip.smsk, &any, sizeof(any)) ||
		memcmp(&ip->ip.dmsk, &any, sizeof(any));
}

static void entry6_read(const char *p, struct entry *e)
{
	static const struct in6_addr any;
	const struct ip6t_entry *ip = (const void *)p;

	e->head = sizeof(*ip);
	e->target = ip->target_offset;
	e->next = ip->next_offset;
	e->proto = ip->ipv6.invflags & XT_INV_PROTO ? 0 : ip->ipv6.proto;
	e->other = *ip->ipv6.iniface || *ip->ipv6.outiface ||
		ip->ipv6.invflags & XT_INV_PROTO ||
		memcmp(&ip->ipv6.smsk, &any, sizeof(any)) ||
		memcmp(&ip->ipv6.dmsk, &any, sizeof(any));
}

/* The entry at an offset; false at the end, or if it makes no sense. */
static bool entry_at(const struct blob *b, unsigned int at, struct entry *e)
{
	bool v6 = b->family == NFPROTO_IPV6;
	unsigned int head = v6 ? sizeof(struct ip6t_entry) :
				 sizeof(struct ipt_entry);

	if (at > b->size || b->size - at < head ||
	    at % __alignof__(struct ipt_entry))
		return false;
	e->start = b->entries + at;
	if (v6)
		entry6_read(e->start, e);
	else
		entry4_read(e->start, e);
	return e->target >= head && e->next <= b->size - at &&
	       e->target + sizeof(struct xt_entry_target) <= e->next;
}

static const struct xt_entry_target *target_of(const struct entry *e)
{
	return (const void *)(e->start + e->target);
}

/* A standard target's verdict: accept, drop, return or an entry's offset. */
static bool verdict_of(const struct entry *e, int *verdict)
{
	const struct xt_standard_target *std = (const void *)target_of(e);

	if (*std->target.u.user.name ||
	    e->next - e->target < sizeof(*std))
		return false;
	*verdict = std->verdict;
	return true;
}

static bool is_error(const struct entry *e)
{
	return !strcmp(target_of(e)->u.user.name, XT_ERROR_TARGET);
}

static void match_read(const struct xt_entry_match *m, struct rule *rule)
{
	const struct xt_udp *udp = (const void *)m->data;
	const char *name = m->u.user.name;

	if (!strcmp(name, "comment"))
		return;
	rule->match = true;
	rule->ct |= !strcmp(name, "conntrack") || !strcmp(name, "state");
	if (strcmp(name, "udp") ||
	    m->u.match_size < sizeof(*m) + sizeof(*udp) || udp->invflags) {
		rule->other = true;
		return;
	}
	rule->port_min = udp->dpts[0];
	rule->port_max = udp->dpts[1];
	rule->sport_min = udp->spts[0];
	rule->sport_max = udp->spts[1];
}

static void rule_read(const struct entry *e, struct rule *rule)
{
	const char *name = target_of(e)->u.user.name;
	const struct xt_entry_match *m;
	int verdict;

	rule->proto = e->proto;
	rule->other = e->other;
	rule->match = e->other || e->proto;
	for (unsigned int at = e->head; at + sizeof(*m) <= e->target;
	     at += m->u.match_size) {
		m = (const void *)(e->start + at);
		if (m->u.match_size < sizeof(*m) ||
		    m->u.match_size > e->target - at)
			break;
		match_read(m, rule);
	}
	if (verdict_of(e, &verdict)) {
		rule->drop = verdict == -NF_DROP - 1;
		rule->accept = verdict == -NF_ACCEPT - 1 ||
			verdict == XT_RETURN;
		if (verdict >= 0)
			snprintf(rule->jump, sizeof(rule->jump), "%d", verdict);
		return;
	}
	rule->drop = !strcmp(name, "REJECT");
	rule->notrack = !strcmp(name, "CT") || !strcmp(name, "NOTRACK");
	rule->snat = !strcmp(name, "SNAT") || !strcmp(name, "MASQUERADE");
	rule->dnat = !strcmp(name, "DNAT") || !strcmp(name, "REDIRECT");
}

/* The rules from an offset up to @end, which is the chain's policy. */
static void chain_read(const struct blob *b, struct chain *chain,
		       unsigned int at, unsigned int end)
{
	struct entry e;

	while (at < end && entry_at(b, at, &e) && !is_error(&e)) {
		rule_read(&e, rules_rule_add(chain));
		at += e.next;
	}
}

static struct chain *chain_new(const struct blob *b, const char *name)
{
	struct chain *chain = rules_chain_add(b->r);

	chain->legacy = true;
	chain->family = b->family;
	snprintf(chain->table, sizeof(chain->table), "%s", b->table);
	snprintf(chain->name, sizeof(chain->name), "%s", name);
	return chain;
}

static int priority_of(const char *table, unsigned int hook)
{
	if (!strcmp(table, "raw"))
		return NF_IP_PRI_RAW;
	if (!strcmp(table, "mangle"))
		return NF_IP_PRI_MANGLE;
	if (!strcmp(table, "nat"))
		return hook == NF_INET_PRE_ROUTING ||
		       hook == NF_INET_LOCAL_OUT ? NF_IP_PRI_NAT_DST :
						   NF_IP_PRI_NAT_SRC;
	return NF_IP_PRI_FILTER;
}

static void hook_read(const struct blob *b, unsigned int hook)
{
	static const char *const names[] = {
		"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING",
	};
	struct chain *chain = chain_new(b, names[hook]);
	unsigned int end = b->info.underflow[hook];
	struct entry e;
	int verdict;

	chain->base = true;
	chain->hook = hook;
	chain->priority = priority_of(b->table, hook);
	chain->nat = !strcmp(b->table, "nat");
	if (entry_at(b, end, &e) && verdict_of(&e, &verdict))
		chain->policy_drop = verdict == -NF_DROP - 1;
	chain_read(b, chain, b->info.hook_entry[hook], end);
}

/* The users' chains: each begins behind an error entry that has its name. */
static void chains_read(const struct blob *b)
{
	char name[16];
	struct entry e;

	for (unsigned int at = 0; entry_at(b, at, &e); at += e.next) {
		if (!is_error(&e))
			continue;
		snprintf(name, sizeof(name), "%u", at + e.next);
		chain_read(b, chain_new(b, name), at + e.next, b->size);
	}
}

static int entries_read(int fd, int level, struct blob *b)
{
	struct ipt_get_entries *get;
	socklen_t len;
	int err = 0;

	len = sizeof(b->info);
	snprintf(b->info.name, sizeof(b->info.name), "%s", b->table);
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &b->info, &len))
		return errno;
	len = sizeof(*get) + b->info.size;
	get = calloc(1, len);
	if (!get)
		return ENOMEM;
	snprintf(get->name, sizeof(get->name), "%s", b->table);
	get->size = b->info.size;
	b->size = b->info.size;
	b->entries = (const char *)get->entrytable;
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, get, &len)) {
		err = errno;
		goto free;
	}
	for (unsigned int hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		if (b->info.valid_hooks & 1U << hook)
			hook_read(b, hook);
	chains_read(b);
free:
	free(get);
	return err;
}

static void family_read(struct check *c, struct rules *r, uint8_t family)
{
	bool v6 = family == NFPROTO_IPV6;
	char *names = check_read(NULL, "/proc/net/ip%s_tables_names",
				 v6 ? "6" : ""), *save = NULL, *name;
	int fd, err = 0;

	/* Not there: no such tables in this kernel. */
	if (!names) {
		if (errno != ENOENT)
			check_unseen(c, v6 ? "ip6tables-legacy's rules" :
				     "iptables-legacy's rules", "%s",
				     strerror(errno));
		return;
	}
	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC,
		    IPPROTO_RAW);
	if (fd < 0)
		err = errno;
	for (name = strtok_r(names, "\n", &save); name && !err;
	     name = strtok_r(NULL, "\n", &save)) {
		struct blob b = { c, r, family, .table = name };

		err = entries_read(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, &b);
	}
	if (err && *names)
		check_unseen(c, v6 ? "ip6tables-legacy's rules" :
			     "iptables-legacy's rules", "%s", strerror(err));
	if (fd >= 0)
		close(fd);
	free(names);
}

void rules_legacy_read(struct check *c, struct rules *r)
{
	family_read(c, r, NFPROTO_IPV4);
	family_read(c, r, NFPROTO_IPV6);
}
