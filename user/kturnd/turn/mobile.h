/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocations that follow their client to another 5-tuple (RFC 8016).
 *
 *	Allocate + empty ticket		ticket 0 of the allocation
 *	Refresh + ticket n, from T	ticket n + 1; T is where the client will be
 *					(its "next" 5-tuple), ticket n is for
 *					retransmissions from T only
 *	data from T			T is where it is: the old 5-tuple is
 *					nobody's
 *
 * Until that data comes, all data goes by the old 5-tuple, and requests may come
 * by either. When the old one is a connection that ends, the client is at the next one,
 * or, when there is none, away: known by its ticket alone.
 */
#ifndef _KTURND_TURN_MOBILE_H
#define _KTURND_TURN_MOBILE_H

#include "request.h"

#define TURN_TICKET_LEN		32

/* Which ticket of an allocation it is, and the last one that there can be. */
#define TURN_SEQ_BITS		20
#define TURN_SEQ_MAX		((1u << TURN_SEQ_BITS) - 1)

/**
 * struct turn_mobile - what an allocation has that follows its client
 * @by_id: of the server
 * @by_next: of the server, if there is a @next
 * @alloc: whose this is
 * @id: what tickets call it: 44 random bits
 * @moved_ms: when @seq was made
 * @seq: of the ticket that counts
 * @has_next: there is a @next
 * @away: the connection has ended, and the allocation's 5-tuple means nothing
 * @home: the server that @next belongs to
 * @next: where the client will be
 */
struct turn_mobile {
	struct turn_node by_id;
	struct turn_node by_next;
	struct turn_alloc *alloc;
	uint64_t id;
	uint64_t moved_ms;
	uint32_t seq;
	bool has_next;
	bool away;
	uint32_t home;
	struct turn_tuple next;
};

/** turn_is_away() - is it an allocation whose client is nowhere? */
static inline bool turn_is_away(const struct turn_alloc *a)
{
	return a->mobile && a->mobile->away;
}

/**
 * turn_mobile_new() - give an allocation what it needs to follow its client
 * @s: server
 * @a: allocation without
 *
 * Return: 0 or a negative errno.
 */
int turn_mobile_new(struct turn_server *s, struct turn_alloc *a);

/**
 * turn_mobile_restore() - the same, as a predecessor had it
 * @s: server
 * @a: allocation without
 * @as: @id, @seq and @moved_ms are looked at, and @next if it @has_next
 *
 * Return: 0 or a negative errno.
 */
int turn_mobile_restore(struct turn_server *s, struct turn_alloc *a,
			const struct turn_mobile *as);

/** turn_mobile_free() - take it away, if it is there */
void turn_mobile_free(struct turn_server *s, struct turn_alloc *a);

/** turn_mobile_find() - the live allocation that tickets call @id, or NULL */
struct turn_alloc *turn_mobile_find(struct turn_server *s, uint64_t id,
				    uint64_t now);

/** turn_mobile_next() - the live allocation whose client will be there, or NULL */
struct turn_alloc *turn_mobile_next(struct turn_server *s,
				    const struct turn_tuple *tuple,
				    uint64_t now);

/** turn_mobile_expect() - its client will be at @next of the server @home, and at
 * no other place
 */
void turn_mobile_expect(struct turn_server *s, struct turn_mobile *m,
			const struct turn_tuple *next, uint32_t home);

/** turn_mobile_expect_none() - its client will be where it is */
void turn_mobile_expect_none(struct turn_server *s, struct turn_mobile *m);

/**
 * turn_mobile_settle() - the client is at its next 5-tuple, of this server
 * @s: server
 * @a: allocation that has one
 *
 * Return: false if the allocation has ended: somebody had deleted it in the kernel.
 */
bool turn_mobile_settle(struct turn_server *s, struct turn_alloc *a);

/** turn_mobile_gone() - its client's connection has ended */
void turn_mobile_gone(struct turn_server *s, struct turn_alloc *a);

/** turn_mobile_next_gone() - a connection has ended that a client was to use */
void turn_mobile_next_gone(struct turn_server *s,
			   const struct turn_tuple *tuple);

/** turn_ticket_read() - what does the ticket of @rq say, if it is a Refresh? */
void turn_ticket_read(struct turn_server *s, struct turn_request *rq);

/** turn_ticket_add() - append the ticket that counts to a response */
void turn_ticket_add(struct turn_server *s, struct turn_reply *rp,
		     const struct turn_mobile *m);

/** turn_move() - a Refresh with a ticket (RFC 8016 section 3.2.2); answers */
void turn_move(struct turn_server *s, struct turn_request *rq);

#endif /* _KTURND_TURN_MOBILE_H */
