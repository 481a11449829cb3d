// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn check-host: connection tracking. What the module relays is not tracked;
 * all else that comes to the relay's ports is, and costs time and an entry.
 */
/* First: the kernel's headers leave out what these have. */
#include <net/if.h>
#include <netinet/in.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <string.h>
#include "check_rules.h"

/* Is anything asking for it? The hooks are there as long as that is so. */
static bool is_wanted(const struct rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct chain *chain = &r->chains[i];

		if (chain->base && chain->nat)
			return true;
		for (size_t k = 0; k < chain->n_rules; k++)
			if (chain->rules[k].ct)
				return true;
	}
	return false;
}

/* Of this family; inet stands for both. */
static bool is_kept_away(const struct check *c, const struct rules *r,
			 uint8_t family)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct chain *chain = &r->chains[i];

		if (chain->base && chain->hook != NF_INET_PRE_ROUTING)
			continue;
		if (chain->family != family && chain->family != NFPROTO_INET)
			continue;
		for (size_t k = 0; k < chain->n_rules; k++)
			if (chain->rules[k].notrack &&
			    rules_is_relay(c, &chain->rules[k]))
				return true;
	}
	return false;
}

static bool has_v6(const struct check *c)
{
	for (size_t i = 0; i < c->n_devs; i++)
		if (c->devs[i].has_v6)
			return true;
	return false;
}

static void table_look(struct check *c, uint64_t count, uint64_t max)
{
	static const char stats[] = "/proc/net/stat/nf_conntrack";
	uint64_t lost = check_column(stats, "drop") +
		check_column(stats, "early_drop");
	bool full = max && count * 20 >= max * 19;
	bool tight = max && count * 4 >= max * 3;

	if (!lost && !tight) {
		check_ok(c, "conntrack-table", NULL,
			 "%" PRIu64 " of %" PRIu64 " connections are tracked",
			 count, max);
		return;
	}
	check_add(c, full ? CHECK_BAD : tight ? CHECK_WARN : CHECK_NOTE,
		  "conntrack-table", NULL);
	check_found(c, "%" PRIu64 " of %" PRIu64 " connections are tracked, and %" PRIu64 " were dropped for want of room",
		    count, max, lost);
	check_why(c, "When the table is full, packets that would begin a connection are dropped: new clients get no answer.");
	check_do(c, "sysctl -w net.netfilter.nf_conntrack_max=%" PRIu64,
		 max < 1 << 18 ? (uint64_t)1 << 18 : 2 * max);
}

static void tracked_look(struct check *c, const struct rules *r)
{
	bool v4 = is_kept_away(c, r, NFPROTO_IPV4);
	bool v6 = is_kept_away(c, r, NFPROTO_IPV6) || !has_v6(c);

	if (v4 && v6) {
		check_ok(c, "conntrack", NULL,
			 "a rule keeps it away from the relay's ports");
		return;
	}
	check_add(c, CHECK_WARN, "conntrack", NULL);
	check_found(c, "connections are tracked, those to the relay's ports over %s too",
		    v4 ? "IPv6" : v6 ? "IPv4" : "IPv4 and IPv6");
	check_why(c, "What the module relays is not tracked. But all that it leaves to kturnd is: requests, floods of them, and all media while the module is not there. Each source makes an entry, and a full table shuts new clients out. Fragments are put together for it, and the module leaves them alone then.");
	check_do(c, "nft add table inet relay");
	check_do(c, "nft add chain inet relay untracked-in '{ type filter hook prerouting priority raw; }'");
	check_do(c, "nft add rule inet relay untracked-in udp dport '{ 3478, %u-%u }' notrack",
		 c->port_min, c->port_max);
	check_do(c, "nft add chain inet relay untracked-out '{ type filter hook output priority raw; }'");
	check_do(c, "nft add rule inet relay untracked-out udp sport '{ 3478, %u-%u }' notrack",
		 c->port_min, c->port_max);
}

void check_conntrack(struct check *c, const struct rules *r)
{
	uint64_t count, max;

	if (!check_number(&max, "/proc/sys/net/netfilter/nf_conntrack_max") ||
	    !check_number(&count,
			  "/proc/sys/net/netfilter/nf_conntrack_count")) {
		if (errno == ENOENT)
			check_ok(c, "conntrack", NULL, "nothing is tracked");
		else
			check_unseen(c, "connection tracking", "%s",
				     strerror(errno));
		return;
	}
	if (!count && !is_wanted(r)) {
		check_ok(c, "conntrack", NULL, "nothing is tracked");
		return;
	}
	tracked_look(c, r);
	table_look(c, count, max);
}
