// SPDX-License-Identifier: GPL-2.0-or-later
/* The mirror when an address becomes our own outside a NAT; see offload.h. */
#include <stdlib.h>

#include "daemon.h"
#include "kturn.h"
#include "offload.h"

/**
 * struct search - allocations that the kernel relays past us
 * @o: mirror
 * @v: allocations
 * @n: how many
 * @found: the one at hand has a peer that is our own
 */
struct search {
	const struct offload *o;
	struct turn_alloc **v;
	size_t n;
	bool found;
};

static void match(const struct kturn_addr *peer, uint32_t left_ms, void *arg)
{
	struct search *s = arg;

	s->found |= offload_is_nat_peer(s->o, peer);
}

static void collect(struct turn_alloc *a, void *arg)
{
	struct turn_alloc **bigger;
	struct search *s = arg;

	if (!offload_id(a))
		return;
	s->found = false;
	turn_alloc_each_perm(a, s->o->w->now, match, s);
	if (!s->found)
		return;
	bigger = reallocarray(s->v, s->n + 1, sizeof(*bigger));
	/* Such a peer is not reached then, which its client sees. */
	if (!bigger)
		return;
	s->v = bigger;
	bigger[s->n++] = a;
}

void offload_public_changed(struct offload *o)
{
	struct search s = { .o = o };
	size_t i;

	offload_flush(o);
	if (!o->kt)
		return;
	turn_server_each(o->w->turn, collect, &s);
	for (i = 0; i < s.n; i++)
		if (offload_withdraw(o, s.v[i]))
			offload_log_failed(s.v[i], "removal",
					   kturn_error(o->kt),
					   "the kernel relays until the lifetime ends");
	free(s.v);
}
