// SPDX-License-Identifier: GPL-2.0-or-later
/* Permissions (RFC 8656 section 9): IP addresses, without ports. */
#include <stdlib.h>

#include "turn_internal.h"

/* Ended ones too. */
static struct turn_perm *perm_find(struct turn_server *s,
				   const struct turn_alloc *a,
				   const struct kturn_addr *ip)
{
	struct turn_node *node;
	struct turn_perm *p;

	node = turn_table_first(&s->by_perm, turn_peer_hash(s, a, ip));
	for (; node; node = turn_table_next(node)) {
		p = container_of(node, struct turn_perm, node);
		if (p->alloc == a && turn_addr_equal(&p->peer, ip))
			return p;
	}
	return NULL;
}

struct turn_perm *turn_perm_find(struct turn_server *s,
				 const struct turn_alloc *a,
				 const struct kturn_addr *ip, uint64_t now)
{
	struct turn_perm *p = perm_find(s, a, ip);

	return p && !turn_timer_over(&p->timer, now) ? p : NULL;
}

void turn_perm_add(struct turn_server *s, struct turn_alloc *a,
		   struct turn_perm *p, const struct kturn_addr *ip,
		   uint64_t at)
{
	p->alloc = a;
	p->peer = *ip;
	turn_table_add(&s->by_perm, &p->node, turn_peer_hash(s, a, ip));
	turn_timer_add(&s->timers, &p->timer, TURN_TIMER_PERM, at);
	LIST_INSERT_HEAD(&a->perms, p, entry);
	a->n_perms++;
	s->counters.perms++;
}

void turn_perm_remove(struct turn_server *s, struct turn_perm *p)
{
	LIST_REMOVE(p, entry);
	turn_timer_del(&s->timers, &p->timer);
	turn_table_del(&s->by_perm, &p->node);
	p->alloc->n_perms--;
	s->counters.perms--;
	free(p);
}

void turn_perm_end(struct turn_server *s, struct turn_alloc *a,
		   const struct kturn_addr *peer)
{
	struct kturn_addr ip = turn_addr_ip(peer);
	struct turn_perm *p = perm_find(s, a, &ip);

	if (p)
		turn_perm_remove(s, p);
}

int turn_adopt_perm(struct turn_server *s, struct turn_alloc *a, uint64_t now,
		    const struct kturn_addr *peer, uint32_t left_ms)
{
	struct kturn_addr ip = turn_addr_ip(peer);
	struct turn_perm *p = perm_find(s, a, &ip);

	if (!turn_alloc_half(a, ip.family))
		return -EINVAL;
	if (p) {
		turn_timer_move(&s->timers, &p->timer, now + left_ms);
		return 0;
	}
	if (a->n_perms >= TURN_PERMISSIONS_MAX)
		return -ENOSPC;

	p = malloc(sizeof(*p));
	if (!p || !turn_heap_reserve(&s->timers, 1)) {
		free(p);
		return -ENOMEM;
	}
	turn_perm_add(s, a, p, &ip, now + left_ms);
	return 0;
}

void turn_alloc_each_perm(const struct turn_alloc *a, uint64_t now,
			  void (*cb)(const struct kturn_addr *peer,
				     uint32_t left_ms, void *arg), void *arg)
{
	struct turn_perm *p;

	LIST_FOREACH(p, &a->perms, entry)
		if (!turn_timer_over(&p->timer, now))
			cb(&p->peer, turn_timer_left(&p->timer, now), arg);
}
