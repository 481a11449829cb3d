// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Halves of allocations: a single allocation has one, a dual allocation one of
 * each family, which end on their own (RFC 8656 sections 6 and 8.1).
 */
#include "connection.h"

struct turn_half *turn_alloc_half(struct turn_alloc *a, uint8_t family)
{
	struct turn_half *h = &a->half[family == KTURN_FAMILY_V6];

	return turn_half_there(h) && h->relay.addr.family == family ? h : NULL;
}

struct turn_half *turn_half_live(struct turn_alloc *a, uint8_t family,
				 uint64_t now)
{
	struct turn_half *h = turn_alloc_half(a, family);

	return h && !turn_timer_over(&h->timer, now) ? h : NULL;
}

void turn_half_set(struct turn_alloc *a, const struct turn_relay *relay)
{
	struct turn_half *h = &a->half[relay->addr.family == KTURN_FAMILY_V6];

	h->relay = *relay;
	h->alloc = a;
}

struct turn_half *turn_half_other(struct turn_half *h)
{
	struct turn_half *first = h->alloc->half;
	struct turn_half *other = h == first ? first + 1 : first;

	return turn_half_there(other) ? other : NULL;
}

/* Section 8.1: those of the other family are not affected. */
static void end_peers(struct turn_server *s, struct turn_alloc *a,
		      uint8_t family)
{
	struct turn_connection *conn, *next_conn;
	struct turn_chan *c, *next_chan;
	struct turn_perm *p, *next_perm;

	for (c = LIST_FIRST(&a->chans); c; c = next_chan) {
		next_chan = LIST_NEXT(c, entry);
		if (c->peer.family == family)
			turn_chan_remove(s, c);
	}
	for (conn = LIST_FIRST(&a->conns); conn; conn = next_conn) {
		next_conn = LIST_NEXT(conn, entry);
		if (conn->peer.family == family)
			turn_connection_end(s, conn);
	}
	for (p = LIST_FIRST(&a->perms); p; p = next_perm) {
		next_perm = LIST_NEXT(p, entry);
		if (p->peer.family == family)
			turn_perm_remove(s, p);
	}
}

void turn_half_end(struct turn_server *s, struct turn_half *h,
		   const char *reason)
{
	struct turn_relay relay = h->relay;
	struct turn_alloc *a = h->alloc;
	char text[TURN_ADDR_TEXT];

	if (!turn_half_other(h)) {
		turn_alloc_remove(s, a, true, reason);
		return;
	}
	s->ops->log(s->env, LOG_INFO, "relay-end", &a->tuple, a->user,
		    "relay=%s reason=%s", turn_addr_text(&relay.public, text),
		    reason);
	end_peers(s, a, relay.addr.family);
	turn_timer_del(&s->timers, &h->timer);
	*h = (struct turn_half){ 0 };
	s->counters.relays--;
	/* Before anybody else can have the port. */
	s->ops->offload_shrink(s->env, a);
	s->ops->relay_close(s->env, &relay);
}

void turn_half_expire(struct turn_server *s, struct turn_half *h, uint64_t now)
{
	struct turn_half *other = turn_half_other(h);

	if (other && turn_timer_over(&other->timer, now))
		turn_alloc_remove(s, h->alloc, true, "expired");
	else
		turn_half_end(s, h, "expired");
}
