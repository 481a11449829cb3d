/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers that share their clients, as the workers of a daemon do: a client that
 * moves (RFC 8016) can come to another one than has its allocation. It is that one's
 * *visitor* then: its requests are carried out by the server that has the allocation,
 * until its first data comes, with which the allocation is handed over.
 */
#ifndef _KTURND_TURN_HANDOVER_H
#define _KTURND_TURN_HANDOVER_H

#include "turn.h"

/**
 * turn_ticket_id() - is it a Refresh with a ticket of ours?
 * @s: server
 * @buf: message, any
 * @len: its length
 * @id: result: the allocation, which may be another server's, or nobody's any more
 */
bool turn_ticket_id(struct turn_server *s, const uint8_t *buf, size_t len,
		    uint64_t *id);

/** turn_ticket_here() - is it an allocation of this server? */
bool turn_ticket_here(const struct turn_server *s, uint64_t id);

/**
 * turn_visitor_input() - a STUN message of another server's client
 * @s: server
 * @now: see turn_client_input()
 * @wall: see there
 * @tuple: see there
 * @home: the other server
 * @buf: see there
 * @len: see there
 *
 * Return: false if neither it nor that client is about an allocation of this server;
 * nothing was done then.
 */
bool turn_visitor_input(struct turn_server *s, uint64_t now, uint64_t wall,
			const struct turn_tuple *tuple, uint32_t home,
			const uint8_t *buf, size_t len);

/**
 * turn_alloc_leave() - give an allocation to the server where its client will be
 * @s: server
 * @id: what tickets call it
 * @tuple: where its client will be
 * @home: the server that this belongs to
 *
 * Its relayed addresses have to be started, and its offload to be moved, by the
 * caller, over there. Return: the allocation, which nobody has now, or NULL: it
 * is not here, or its client is not expected there any more.
 */
struct turn_alloc *turn_alloc_leave(struct turn_server *s, uint64_t id,
				    const struct turn_tuple *tuple,
				    uint32_t home);

/**
 * turn_alloc_arrive() - take an allocation over, with its client where it was
 * expected
 * @s: server, where it was expected
 * @a: from turn_alloc_leave()
 *
 * Return: false without memory; @a is still nobody's.
 */
bool turn_alloc_arrive(struct turn_server *s, struct turn_alloc *a);

/**
 * turn_alloc_drop() - end an allocation that is nobody's
 * @s: server that could not take it
 * @a: from turn_alloc_leave()
 */
void turn_alloc_drop(struct turn_server *s, struct turn_alloc *a);

#endif /* _KTURND_TURN_HANDOVER_H */
