// SPDX-License-Identifier: GPL-2.0-or-later
/* Where new clients are sent; see redirect.h. */
#include <string.h>

#include "redirect.h"
#include "relay.h"

/* The list may be the same for all servers. RFC 8489 section 10: no loops. */
static bool is_own(const struct redirect *r, const struct kturn_addr *addr)
{
	size_t i;

	for (i = 0; i < r->listen->n; i++)
		if (addr_equal(&r->listen->v[i], addr))
			return true;
	return relay_find_public(r->relays, addr);
}

/* The next one of a family from @start on. */
static bool next_of(const struct redirect *r, unsigned int start,
		    uint8_t family, struct turn_alternate *alt)
{
	const struct config *cfg = r->cfg;
	const struct config_alternate *a;
	size_t i;

	for (i = 0; i < cfg->n_alternates; i++) {
		a = &cfg->alternates[(start + i) % cfg->n_alternates];
		if (a->addr.family != family || is_own(r, &a->addr))
			continue;
		alt->addr = a->addr;
		alt->domain = a->domain;
		return true;
	}
	return false;
}

enum turn_place redirect_choose(struct redirect *r, unsigned int allocs,
				uint8_t family, struct turn_alternate alt[2])
{
	const struct config *cfg = r->cfg;
	bool draining = atomic_load(&r->draining);
	unsigned int start;

	if (!draining && (!cfg->redirect_above || allocs < cfg->redirect_above))
		return TURN_STAY;
	memset(alt, 0, 2 * sizeof(*alt));
	start = atomic_fetch_add(&r->turn, 1);
	if (next_of(r, start, family, &alt[0])) {
		next_of(r, start, family == KTURN_FAMILY_V4 ?
			KTURN_FAMILY_V6 : KTURN_FAMILY_V4, &alt[1]);
		return TURN_GO;
	}
	/* Better served here than nowhere. */
	return draining ? TURN_NOWHERE : TURN_STAY;
}
