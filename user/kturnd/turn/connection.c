// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections to peers (RFC 6062), which it calls peer data connections: made
 * for a Connect request or accepted from a peer, then bound to a connection
 * of the client's, or closed.
 */
#include <stdlib.h>

#include "connection.h"

static uint64_t id_hash(const struct turn_server *s, uint32_t id)
{
	return turn_siphash(s->hash_key, &id, sizeof(id));
}

struct turn_connection *
turn_connection_by_peer(struct turn_server *s, const struct turn_alloc *a,
			const struct kturn_addr *peer)
{
	struct turn_connection *c;
	struct turn_node *node;

	node = turn_table_first(&s->conn_by_peer, turn_peer_hash(s, a, peer));
	for (; node; node = turn_table_next(node)) {
		c = container_of(node, struct turn_connection, by_peer);
		if (c->alloc == a && turn_addr_equal(&c->peer, peer))
			return c;
	}
	return NULL;
}

struct turn_connection *turn_connection_by_id(struct turn_server *s,
					      uint32_t id)
{
	struct turn_connection *c;
	struct turn_node *node;

	node = turn_table_first(&s->conn_by_id, id_hash(s, id));
	for (; node; node = turn_table_next(node)) {
		c = container_of(node, struct turn_connection, by_id);
		if (c->id == id)
			return c;
	}
	return NULL;
}

/* ---------------------------------------------------------------- life cycle */

static void give_id(struct turn_server *s, struct turn_connection *c)
{
	do
		c->id = s->ops->connection_id(s->env);
	while (turn_connection_by_id(s, c->id));
	turn_table_add(&s->conn_by_id, &c->by_id, id_hash(s, c->id));
}

struct turn_connection *
turn_connection_new(struct turn_server *s, struct turn_alloc *a,
		    const struct kturn_addr *peer,
		    enum turn_connection_state state, uint64_t at)
{
	struct turn_connection *c;

	if (a->n_conns >= s->cfg.conns_max || !turn_heap_reserve(&s->timers, 1))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->alloc = a;
	c->peer = *peer;
	c->state = state;
	if (state == TURN_PENDING)
		give_id(s, c);
	turn_table_add(&s->conn_by_peer, &c->by_peer, turn_peer_hash(s, a, peer));
	turn_timer_add(&s->timers, &c->timer, TURN_TIMER_CONNECTION, at);
	LIST_INSERT_HEAD(&a->conns, c, entry);
	a->n_conns++;
	s->counters.conns++;
	return c;
}

void turn_connection_pend(struct turn_server *s, struct turn_connection *c,
			  uint64_t at)
{
	c->state = TURN_PENDING;
	explicit_bzero(&c->asked, sizeof(c->asked));
	give_id(s, c);
	turn_timer_move(&s->timers, &c->timer, at);
}

void turn_connection_free(struct turn_server *s, struct turn_connection *c)
{
	LIST_REMOVE(c, entry);
	turn_table_del(&s->conn_by_peer, &c->by_peer);
	if (c->state != TURN_CONNECTING)
		turn_table_del(&s->conn_by_id, &c->by_id);
	if (c->state != TURN_BOUND)
		turn_timer_del(&s->timers, &c->timer);
	c->alloc->n_conns--;
	s->counters.conns--;
	explicit_bzero(&c->asked, sizeof(c->asked));
	free(c);
}

void turn_connection_end(struct turn_server *s, struct turn_connection *c)
{
	s->ops->connection_close(s->env, c->handle);
	if (c->state == TURN_CONNECTING)
		turn_connect_refuse(s, c);
	turn_connection_free(s, c);
}

void turn_connection_expire(struct turn_server *s, struct turn_connection *c)
{
	char text[TURN_ADDR_TEXT];

	s->ops->log(s->env, LOG_DEBUG, "connection-end", &c->alloc->tuple,
		    c->alloc->user, "peer=%s reason=%s",
		    turn_addr_text(&c->peer, text),
		    c->state == TURN_PENDING ? "unbound" : "timeout");
	turn_connection_end(s, c);
}

void turn_connection_gone(struct turn_server *s, struct turn_connection *c)
{
	turn_connection_free(s, c);
}

/* ---------------------------------------------------- that a peer has opened */

/* RFC 6062 section 4.4. */
static void tell_client(struct turn_server *s, const struct turn_connection *c)
{
	uint8_t buf[64];
	struct kturn_builder b;

	kturn_build_begin(&b, buf, sizeof(buf),
			  kturn_type(KTURN_CONNECTION_ATTEMPT,
				     KTURN_INDICATION), turn_random_tid(s));
	kturn_build_u32(&b, KTURN_ATTR_CONNECTION_ID, c->id);
	kturn_build_xor_addr(&b, KTURN_ATTR_XOR_PEER_ADDRESS, &c->peer);
	s->ops->client_send(s->env, &c->alloc->tuple, b.buf, b.len);
}

static bool may_connect(struct turn_server *s, uint64_t now,
			struct turn_alloc *a, const struct kturn_addr *peer)
{
	struct kturn_addr ip = turn_addr_ip(peer);

	return turn_half_live(a, peer->family, now) &&
	       turn_perm_find(s, a, &ip, now) &&
	       !turn_connection_by_peer(s, a, peer);
}

struct turn_connection *turn_connection_attempt(struct turn_server *s,
						uint64_t now,
						struct turn_alloc *a,
						const struct kturn_addr *peer,
						void *handle)
{
	uint64_t at = now + TURN_CONNECTION_LIFETIME * TURN_MS;
	struct turn_connection *c = NULL;
	char text[TURN_ADDR_TEXT];

	if (may_connect(s, now, a, peer))
		c = turn_connection_new(s, a, peer, TURN_PENDING, at);
	if (!c) {
		s->counters.attempts_refused++;
		return NULL;
	}
	c->handle = handle;
	s->counters.attempts++;
	s->ops->log(s->env, LOG_DEBUG, "connection-attempt", &a->tuple, a->user,
		    "peer=%s", turn_addr_text(peer, text));
	tell_client(s, c);
	return c;
}

/* --------------------------------------------------------------------- bytes */

/* Limits of packets mean nothing to a stream. */
static bool has_room(const struct turn_alloc *a, enum turn_direction dir,
		     size_t want, uint64_t now)
{
	struct turn_limit l = a->limit[dir];
	struct turn_used used = a->used[dir];

	l.by_packets = false;
	return turn_limit_take(&l, &used, want, now) &&
	       (!a->pool || turn_pool_has_bytes(a->pool, dir, want, now));
}

size_t turn_connection_room(struct turn_server *s,
			    const struct turn_connection *c,
			    enum turn_direction dir, size_t want, uint64_t now)
{
	while (want && !has_room(c->alloc, dir, want, now))
		want /= 2;
	return want;
}

void turn_connection_passed(struct turn_server *s, struct turn_connection *c,
			    enum turn_direction dir, size_t len, uint64_t now)
{
	struct turn_limit l = c->alloc->limit[dir];

	l.by_packets = false;
	turn_limit_take(&l, &c->alloc->used[dir], len, now);
	if (c->alloc->pool)
		turn_pool_passed(c->alloc->pool, dir, len, now);
	if (dir == TURN_TO_PEER)
		s->counters.to_peer_bytes += len;
	else
		s->counters.to_client_bytes += len;
}
