// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn check-host: chains and rules, wherever they come from. */
#include <stdlib.h>
#include <string.h>
#include "check_rules.h"

/* RFC 8656 section 5: where clients send to. */
#define TURN_PORT	3478

struct chain *rules_chain_add(struct rules *r)
{
	r->chains = check_grow(r->chains, r->n, sizeof(*r->chains));
	r->chains[r->n] = (struct chain){ 0 };
	return &r->chains[r->n++];
}

struct rule *rules_rule_add(struct chain *chain)
{
	chain->rules = check_grow(chain->rules, chain->n_rules,
				  sizeof(*chain->rules));
	chain->rules[chain->n_rules] = (struct rule){
		.port_max = 65535,
		.sport_max = 65535,
	};
	return &chain->rules[chain->n_rules++];
}

struct chain *rules_chain_find(struct rules *r, bool legacy, uint8_t family,
			       const char *table, const char *name)
{
	for (size_t i = 0; i < r->n; i++) {
		struct chain *chain = &r->chains[i];

		if (chain->legacy == legacy && chain->family == family &&
		    !strcmp(chain->table, table) && !strcmp(chain->name, name))
			return chain;
	}
	return NULL;
}

void rules_free(struct rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->chains[i].rules);
	free(r->chains);
}

bool rules_is_relay(const struct check *c, const struct rule *rule)
{
	if (rule->proto && rule->proto != IPPROTO_UDP)
		return false;
	return (rule->port_min <= c->port_max &&
		rule->port_max >= c->port_min) ||
	       (rule->port_min <= TURN_PORT && rule->port_max >= TURN_PORT);
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes))
		return false;
	return !rest || !((a[bytes] ^ b[bytes]) >> (8 - rest));
}

bool rules_has_addr(const struct check *c, int family, const uint8_t *bytes,
		    unsigned int bits)
{
	bool known = false;

	for (size_t i = 0; i < c->n_addrs; i++) {
		if (c->addrs[i].family != family)
			continue;
		known = true;
		if (same_bits(c->addrs[i].bytes, bytes, bits))
			return true;
	}
	return !known;
}
