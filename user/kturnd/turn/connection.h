/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections to peers (RFC 6062); see connection.c. */
#ifndef _KTURND_TURN_CONNECTION_H
#define _KTURND_TURN_CONNECTION_H

#include "turn_internal.h"

/**
 * turn_connection_new() - a connection of an allocation
 * @s: server
 * @a: allocation
 * @peer: transport address; there is no connection with it
 * @state: TURN_CONNECTING or TURN_PENDING
 * @at: when it has to be further
 *
 * The rest is the caller's to fill. Return: NULL without room or memory.
 */
struct turn_connection *
turn_connection_new(struct turn_server *s, struct turn_alloc *a,
		    const struct kturn_addr *peer,
		    enum turn_connection_state state, uint64_t at);

/** turn_connection_free() - forget it; the transport is not told */
void turn_connection_free(struct turn_server *s, struct turn_connection *c);

/** turn_connection_end() - close and forget it; who waits for it is answered */
void turn_connection_end(struct turn_server *s, struct turn_connection *c);

/** turn_connection_expire() - its time is over */
void turn_connection_expire(struct turn_server *s, struct turn_connection *c);

/** turn_connection_pend() - give it a number, and until @at to be bound */
void turn_connection_pend(struct turn_server *s, struct turn_connection *c,
			  uint64_t at);

/** turn_connection_by_peer() - the one with a transport address, or NULL */
struct turn_connection *
turn_connection_by_peer(struct turn_server *s, const struct turn_alloc *a,
			const struct kturn_addr *peer);

/** turn_connection_by_id() - the one with this number, or NULL */
struct turn_connection *turn_connection_by_id(struct turn_server *s,
					      uint32_t id);

/** turn_connect_refuse() - answer the Connect request of a connection, 447 */
void turn_connect_refuse(struct turn_server *s, struct turn_connection *c);

#endif /* _KTURND_TURN_CONNECTION_H */
