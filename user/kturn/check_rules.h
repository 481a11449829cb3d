/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kturn check-host: the rules of the firewall, of nf_tables and of the older
 * ip_tables alike, as far as they matter to a relay.
 */
#ifndef _KTURN_CHECK_RULES_H
#define _KTURN_CHECK_RULES_H

#include "check.h"

/* As in nft: 128 and a NUL; of ip_tables shorter ones. */
#define RULES_NAME_MAX	129

/**
 * struct rule - a rule
 * @drop: it drops or rejects
 * @accept: it accepts, or goes back to where its chain was called
 * @match: it looks at something that differs between packets
 * @other: and that is not only protocol and ports
 * @ct: it looks at connections
 * @map: what it does is in a map or a set
 * @notrack: it keeps connection tracking away
 * @snat: it changes the source address
 * @dnat: it changes the destination address
 * @proto: protocol that it is for, 0 for any
 * @port_min: destination ports that it is for
 * @port_max: likewise
 * @sport_min: source ports that it is for
 * @sport_max: likewise
 * @not_ours: it is for source addresses that no relay here has
 * @jump: chain that it goes to; empty without one
 */
struct rule {
	bool drop;
	bool accept;
	bool match;
	bool other;
	bool ct;
	bool map;
	bool notrack;
	bool snat;
	bool dnat;
	uint8_t proto;
	uint16_t port_min;
	uint16_t port_max;
	uint16_t sport_min;
	uint16_t sport_max;
	bool not_ours;
	char jump[RULES_NAME_MAX];
};

/**
 * struct chain - a chain, and its rules
 * @legacy: of ip_tables
 * @family: NFPROTO_…
 * @table: its table
 * @name: its name
 * @base: it is called by a hook
 * @hook: NF_INET_…, if @base
 * @priority: if @base
 * @nat: it is for the first packet of a connection only
 * @policy_drop: what no rule matches is dropped
 * @rules: in their order
 * @n_rules: how many
 */
struct chain {
	bool legacy;
	uint8_t family;
	char table[RULES_NAME_MAX];
	char name[RULES_NAME_MAX];
	bool base;
	uint32_t hook;
	int32_t priority;
	bool nat;
	bool policy_drop;
	struct rule *rules;
	size_t n_rules;
};

/**
 * struct rules - all chains of the network namespace
 * @chains: chains
 * @n: how many
 */
struct rules {
	struct chain *chains;
	size_t n;
};

/** rules_chain_add() - a new chain, zeroed; valid until the next one */
struct chain *rules_chain_add(struct rules *r);

/** rules_rule_add() - a new rule that is for everything and does nothing */
struct rule *rules_rule_add(struct chain *chain);

/** rules_chain_find() - the chain of this name in a table, or NULL */
struct chain *rules_chain_find(struct rules *r, bool legacy, uint8_t family,
			       const char *table, const char *name);

/** rules_free() - forget them */
void rules_free(struct rules *r);

/** rules_nft_read() - read those of nf_tables, and these alone; what can't be
 * read is "unseen"
 */
void rules_nft_read(struct check *c, struct rules *r);

/** rules_legacy_read() - the same, of ip_tables and ip6_tables */
void rules_legacy_read(struct check *c, struct rules *r);

/** rules_is_relay() - is it for UDP, and for ports that matter to a relay? */
bool rules_is_relay(const struct check *c, const struct rule *rule);

/** rules_has_addr() - has a relay here an address with these first @bits? */
bool rules_has_addr(const struct check *c, int family, const uint8_t *bytes,
		    unsigned int bits);

/** check_conntrack() - look at connection tracking, with the rules at hand */
void check_conntrack(struct check *c, const struct rules *r);

#endif /* _KTURN_CHECK_RULES_H */
