// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn check-host: what a firewall does not see. The module relays in
 * PRE_ROUTING, between raw and conntrack, and what it relays passes neither
 * INPUT nor OUTPUT, and is untracked in POST_ROUTING.
 */
/* First: the kernel's headers leave out what these have. */
#include <net/if.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_rules.h"

/* Where the module is, in PRE_ROUTING; and a place before it. */
#define OWN_PRIORITY	(NF_IP_PRI_RAW + 50)
#define BEFORE		(OWN_PRIORITY - 10)
/* And at the ingress of attached devices. */
#define INGRESS_PRIORITY	100

/**
 * struct sums - what a chain and those that it goes to do to a relay's packets
 * @drops: rules that drop some
 * @drops_all: rules that drop what gets there
 * @drops_ct: rules that drop by a connection's state
 * @maps: rules whose verdict is in a map
 * @snat: rules that change the source
 * @dnat: rules that change the destination
 */
struct sums {
	unsigned int drops;
	unsigned int drops_all;
	unsigned int drops_ct;
	unsigned int maps;
	unsigned int snat;
	unsigned int dnat;
};

struct walk {
	const struct check *c;
	struct rules *r;
	bool *seen;	/* chains, by their index */
	bool outwards;	/* ports are the other end's, the source is ours */
	struct sums sums;
};

static void chain_walk(struct walk *w, const struct chain *chain, bool match);

/* What follows in a chain sees nothing of the relay's any more. */
static bool exempts(const struct walk *w, const struct rule *rule)
{
	uint16_t min = w->outwards ? rule->sport_min : rule->port_min;
	uint16_t max = w->outwards ? rule->sport_max : rule->port_max;

	if (w->outwards ? rule->port_min || rule->port_max < 65535 :
			  rule->sport_min || rule->sport_max < 65535)
		return false;
	return rule->accept && !rule->other && !rule->ct &&
	       (!rule->proto || rule->proto == IPPROTO_UDP) &&
	       min <= w->c->port_min && max >= w->c->port_max;
}

static bool concerns(const struct walk *w, const struct rule *rule)
{
	if (w->outwards)
		return !rule->not_ours &&
		       (!rule->proto || rule->proto == IPPROTO_UDP);
	return rules_is_relay(w->c, rule);
}

static void rule_walk(struct walk *w, const struct chain *chain,
		      const struct rule *rule, bool match)
{
	const struct chain *to;

	if (!concerns(w, rule))
		return;
	match |= rule->match;
	w->sums.snat += rule->snat;
	w->sums.dnat += rule->dnat;
	w->sums.maps += rule->map && !rule->ct;
	if (rule->drop && rule->ct)
		w->sums.drops_ct++;
	else if (rule->drop && match)
		w->sums.drops++;
	else if (rule->drop)
		w->sums.drops_all++;
	if (!*rule->jump)
		return;
	to = rules_chain_find(w->r, chain->legacy, chain->family, chain->table,
			      rule->jump);
	if (to)
		chain_walk(w, to, match);
}

/* @match: only some packets get there */
static void chain_walk(struct walk *w, const struct chain *chain, bool match)
{
	size_t at = chain - w->r->chains;

	if (w->seen[at])
		return;
	w->seen[at] = true;
	for (size_t i = 0; i < chain->n_rules; i++) {
		if (exempts(w, &chain->rules[i]))
			return;
		rule_walk(w, chain, &chain->rules[i], match);
	}
}

static struct sums sums_of(const struct check *c, struct rules *r,
			   const struct chain *chain)
{
	struct walk w = {
		.c = c, .r = r,
		.outwards = chain->hook == NF_INET_LOCAL_OUT ||
			chain->hook == NF_INET_POST_ROUTING,
	};

	w.seen = calloc(r->n, sizeof(*w.seen));
	if (w.seen)
		chain_walk(&w, chain, false);
	free(w.seen);
	return w.sums;
}

/*
 * Do a relay's packets come by here, on their way in or out? All of them: in
 * ingress mode they do not come by prerouting, nor, without local-out, by
 * postrouting.
 */
static bool is_passed(const struct check *c, const struct chain *chain,
		      bool outwards)
{
	if (!chain->base || chain->nat)
		return false;
	if (outwards)
		return chain->hook == NF_INET_POST_ROUTING &&
		       chain->family != NFPROTO_NETDEV &&
		       (!c->attached || c->local_out);
	if (chain->family == NFPROTO_NETDEV)
		return chain->hook == NF_NETDEV_INGRESS &&
		       chain->priority < INGRESS_PRIORITY;
	return chain->hook == NF_INET_INGRESS ||
	       (!c->attached && chain->hook == NF_INET_PRE_ROUTING &&
		chain->priority < OWN_PRIORITY);
}

/* Is something of a relay's dropped where its packets do come by? */
static bool is_filtered(const struct check *c, struct rules *r, uint8_t family,
			bool outwards)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct chain *chain = &r->chains[i];
		struct sums s;

		if (!is_passed(c, chain, outwards) ||
		    (chain->family + family == NFPROTO_IPV4 + NFPROTO_IPV6 &&
		     chain->family != family))
			continue;
		s = sums_of(c, r, chain);
		if (s.drops || s.drops_all || s.maps || chain->policy_drop)
			return true;
	}
	return false;
}

/* ----------------------------------------------------------- chain by chain */

static const char *title(const struct chain *chain, char *buf, size_t size)
{
	const char *family = chain->family == NFPROTO_IPV4 ? "ip" :
			     chain->family == NFPROTO_IPV6 ? "ip6" : "inet";

	if (chain->legacy)
		snprintf(buf, size, "%stables-legacy -t %s, %s", family,
			 chain->table, chain->name);
	else
		snprintf(buf, size, "nft chain %s %s %s", family, chain->table,
			 chain->name);
	return buf;
}

static const char *plural(unsigned int n)
{
	return n == 1 ? "" : "s";
}

/* A chain of our own, before the module or after it. */
static void chain_do(struct check *c, const char *name, const char *hook,
		     int priority)
{
	check_do(c, "nft add table inet relay");
	check_do(c, "nft add chain inet relay %s '{ type filter hook %s priority %d; }'",
		 name, hook, priority);
}

/* The rules that block addresses, where relayed packets come by. */
static void move_do(struct check *c, const struct chain *chain)
{
	if (chain->legacy) {
		check_do(c, "ip%stables-legacy -t raw -A PREROUTING -p udp -s ADDRESS -j DROP",
			 chain->family == NFPROTO_IPV6 ? "6" : "");
		return;
	}
	chain_do(c, "in", "prerouting", BEFORE);
	check_do(c, "nft add rule inet relay in udp dport '{ 3478, %u-%u }' %s saddr ADDRESS drop",
		 c->port_min, c->port_max,
		 chain->family == NFPROTO_IPV6 ? "ip6" : "ip");
}

/* Of INPUT, and of what comes behind the module in PRE_ROUTING. */
static void in_look(struct check *c, struct rules *r,
		    const struct chain *chain, const struct sums *s)
{
	bool before = is_filtered(c, r, chain->family, false);
	bool input = chain->hook == NF_INET_LOCAL_IN;
	const char *name = input ? "firewall-input" : "firewall-prerouting";
	char about[400];

	title(chain, about, sizeof(about));
	if (s->drops || s->maps) {
		check_add(c, before ? CHECK_NOTE : CHECK_WARN, name, about);
		check_found(c, "%u rule%s that may drop a relay's packets%s",
			    s->drops + s->maps, plural(s->drops + s->maps),
			    before ? "; others stand before the module" : "");
		check_why(c, "What the module relays does not come by here: an address that is blocked here still reaches clients, and still sends through them. What blocks addresses has to stand before the module (priority %d in prerouting).",
			  OWN_PRIORITY);
		move_do(c, chain);
	} else if (chain->policy_drop || s->drops_all) {
		check_add(c, CHECK_NOTE, name, about);
		check_found(c, "drops what it does not accept");
		check_why(c, "What the module relays does not come by here, and needs no rule. What is left to kturnd does: see that both are accepted, UDP to the port that clients send to and to the relayed ports.");
		if (chain->legacy)
			check_do(c, "ip%stables-legacy -I %s -p udp -m multiport --dports 3478,%u:%u -j ACCEPT",
				 chain->family == NFPROTO_IPV6 ? "6" : "",
				 chain->name, c->port_min, c->port_max);
		else
			check_do(c, "nft insert rule %s %s %s udp dport '{ 3478, %u-%u }' accept",
				 chain->family == NFPROTO_IPV4 ? "ip" :
				 chain->family == NFPROTO_IPV6 ? "ip6" : "inet",
				 chain->table, chain->name, c->port_min,
				 c->port_max);
	} else {
		check_ok(c, name, about, "drops nothing of a relay's");
	}
}

static void output_look(struct check *c, struct rules *r,
			const struct chain *chain, const struct sums *s)
{
	bool after = is_filtered(c, r, chain->family, true);
	unsigned int n = s->drops + s->drops_all + s->maps;
	char about[400];

	title(chain, about, sizeof(about));
	if (!n && !chain->policy_drop) {
		check_ok(c, "firewall-output", about,
			 "drops nothing of a relay's");
		return;
	}
	if (c->local_out) {
		check_ok(c, "firewall-output", about,
			 "relayed packets come by here (local-out is 1)");
		return;
	}
	check_add(c, after ? CHECK_NOTE : CHECK_WARN, "firewall-output", about);
	if (n)
		check_found(c, "%u rule%s that may drop a relay's packets%s", n,
			    plural(n), after ? "; others are in postrouting" : "");
	else
		check_found(c, "drops what it does not accept%s",
			    after ? "; others are in postrouting" : "");
	check_why(c, "What the module relays does not come by here, so clients reach peers that this is to keep from them. Either send relayed packets through here, or have the rules in postrouting.");
	check_do(c, "kturn limits set local-out 1");
	if (chain->legacy)
		return;
	chain_do(c, "out", "postrouting", 0);
	check_do(c, "nft add rule inet relay out udp sport %u-%u %s daddr ADDRESS drop",
		 c->port_min, c->port_max,
		 chain->family == NFPROTO_IPV6 ? "ip6" : "ip");
}

static void postrouting_look(struct check *c, const struct chain *chain,
			     const struct sums *s)
{
	char about[400];

	title(chain, about, sizeof(about));
	if (s->snat) {
		check_add(c, CHECK_WARN, "snat", about);
		check_found(c, "%u rule%s that may change the source address of relayed packets",
			    s->snat, plural(s->snat));
		check_why(c, "What the module relays is untracked, and NAT leaves it alone: it goes out with the relayed address that it has. Have kturnd use a public address of this host, or tell it the one that a 1:1 NAT elsewhere gives it, and exempt the relay here.");
		check_do(c, "kturnd --external PUBLIC/PRIVATE");
		if (!chain->legacy)
			check_do(c, "nft insert rule %s %s %s udp sport %u-%u return",
				 chain->family == NFPROTO_IPV4 ? "ip" :
				 chain->family == NFPROTO_IPV6 ? "ip6" : "inet",
				 chain->table, chain->name, c->port_min,
				 c->port_max);
		else
			check_do(c, "ip%stables-legacy -t nat -I POSTROUTING -p udp --sport %u:%u -j RETURN",
				 chain->family == NFPROTO_IPV6 ? "6" : "",
				 c->port_min, c->port_max);
	}
	if (s->drops_ct) {
		check_add(c, CHECK_WARN, "firewall-postrouting", about);
		check_found(c, "%u rule%s that drop%s packets by their connection",
			    s->drops_ct, plural(s->drops_ct),
			    s->drops_ct == 1 ? "s" : "");
		check_why(c, "Relayed packets are untracked, and a rule that wants a connection may drop them all.");
		if (!chain->legacy)
			check_do(c, "nft insert rule %s %s %s ct state untracked accept",
				 chain->family == NFPROTO_IPV4 ? "ip" :
				 chain->family == NFPROTO_IPV6 ? "ip6" : "inet",
				 chain->table, chain->name);
		else
			check_do(c, "ip%stables-legacy -t %s -I %s -m conntrack --ctstate UNTRACKED -j ACCEPT",
				 chain->family == NFPROTO_IPV6 ? "6" : "",
				 chain->table, chain->name);
	}
	if (!s->snat && !s->drops_ct)
		check_ok(c, "firewall-postrouting", about,
			 "relayed packets come by here");
}

static void dnat_look(struct check *c, const struct chain *chain,
		      const struct sums *s)
{
	char about[400];

	if (!s->dnat)
		return;
	title(chain, about, sizeof(about));
	check_add(c, CHECK_NOTE, "dnat", about);
	check_found(c, "%u rule%s that may send a relay's packets elsewhere",
		    s->dnat, plural(s->dnat));
	check_why(c, "What the module relays is gone before NAT. What it leaves goes where these rules say, and not to kturnd; except UDP to the relay's ports from them.");
}

/* Of chains that packets come by, but not in ingress mode. */
static void attached_look(struct check *c, struct rules *r,
			  const struct chain *chain, const struct sums *s)
{
	bool outwards = chain->hook == NF_INET_POST_ROUTING;
	unsigned int n = s->drops + s->drops_all + s->maps;
	char about[400];

	if (!c->attached || (outwards && c->local_out) ||
	    (!n && !chain->policy_drop) ||
	    is_filtered(c, r, chain->family, outwards))
		return;
	title(chain, about, sizeof(about));
	check_add(c, CHECK_WARN, "firewall-attached", about);
	check_found(c, "may drop a relay's packets, but %u device%s attached",
		    c->attached, c->attached == 1 ? " is" : "s are");
	check_why(c, "What the module takes at the ingress of an attached device does not come by here. Have such rules in a chain of netdev's ingress, before priority %d, or leave the device to the IP stack.",
		  INGRESS_PRIORITY);
	if (outwards) {
		check_do(c, "kturn limits set local-out 1");
		return;
	}
	check_do(c, "kturn detach DEVICE");
	check_do(c, "nft add chain netdev relay in '{ type filter hook ingress device DEVICE priority 0; }'");
}

static void chain_look(struct check *c, struct rules *r,
		       const struct chain *chain)
{
	struct sums s;

	if (!chain->base || (chain->family != NFPROTO_IPV4 &&
			     chain->family != NFPROTO_IPV6 &&
			     chain->family != NFPROTO_INET))
		return;
	s = sums_of(c, r, chain);
	if (!chain->nat && (chain->hook == NF_INET_POST_ROUTING ||
			    (chain->hook == NF_INET_PRE_ROUTING &&
			     chain->priority < OWN_PRIORITY)))
		attached_look(c, r, chain, &s);
	if (chain->hook == NF_INET_PRE_ROUTING && chain->nat)
		dnat_look(c, chain, &s);
	else if (chain->hook == NF_INET_POST_ROUTING)
		postrouting_look(c, chain, &s);
	else if (chain->nat)
		return;
	else if (chain->hook == NF_INET_LOCAL_OUT)
		output_look(c, r, chain, &s);
	else if (chain->hook == NF_INET_LOCAL_IN ||
		 (chain->hook == NF_INET_PRE_ROUTING &&
		  chain->priority > OWN_PRIORITY))
		in_look(c, r, chain, &s);
}

void check_firewall(struct check *c)
{
	struct rules r = { 0 };
	size_t unseen = c->n_unseen;

	rules_nft_read(c, &r);
	rules_legacy_read(c, &r);
	for (size_t i = 0; i < r.n; i++)
		chain_look(c, &r, &r.chains[i]);
	if (!r.n && unseen == c->n_unseen)
		check_ok(c, "firewall", NULL, "there are no rules");
	check_conntrack(c, &r);
	rules_free(&r);
}
