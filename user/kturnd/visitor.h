/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients that have moved (RFC 8016) come to the worker that their new 5-tuple is
 * given to, which may not have their allocation. Until their first data they are
 * its *visitors*, and the other worker is their *host*:
 *
 *	visitor's worker				host
 *	Refresh with a ticket	-- request -->		carries it out
 *				<-- begin, answer --
 *	other requests		-- request -->		carries them out
 *				<-- answer --
 *	data (waits)		-- stay -->
 *				<-- allocation --	has it no more
 *	the data, and all that follows, as of any client
 *
 * All of it goes by messages; each worker's state is its own. What is not about an
 * allocation of the host (any more) comes back, and is looked at once more: meanwhile
 * it may be here.
 */
#ifndef _KTURND_VISITOR_H
#define _KTURND_VISITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "table.h"
#include "turn/turn.h"

struct worker;
struct visitor;

LIST_HEAD(visitor_list, visitor);

/**
 * struct visitors - of a worker
 * @hash_key: of @by_tuple
 * @by_tuple: all of them
 * @list: all of them
 */
struct visitors {
	uint8_t hash_key[TURN_SIPHASH_KEY_LEN];
	struct turn_table by_tuple;
	struct visitor_list list;
};

/** visitors_init() - none yet; 0 or -ENOMEM */
int visitors_init(struct visitors *v);

/** visitors_free() - forget all */
void visitors_free(struct visitors *v);

/**
 * visitor_client_input() - a message of a client, visitor or not
 * @w: worker that it came to
 * @wall: see turn_client_input()
 * @tuple: see there
 * @buf: see there
 * @len: see there
 */
void visitor_client_input(struct worker *w, uint64_t wall,
			  const struct turn_tuple *tuple, const uint8_t *buf,
			  size_t len);

/** visitor_client_gone() - a connection to a client has ended, visitor or not */
void visitor_client_gone(struct worker *w, const struct turn_tuple *tuple);

/** visitor_client_known() - is there an allocation for it, here or at a host? */
bool visitor_client_known(struct worker *w, const struct turn_tuple *tuple);

/**
 * visitor_answer() - send what a request has led to, while it is carried out
 * @w: host
 * @to: visitor's 5-tuple
 * @buf: message
 * @len: its length
 */
void visitor_answer(struct worker *w, const struct turn_tuple *to,
		    const uint8_t *buf, size_t len);

/** visitor_begin() - as turn_ops.visit_begin; @w is the host */
void visitor_begin(struct worker *w, uint64_t id,
		   const struct turn_tuple *tuple, uint32_t home);

/** visitor_end() - as turn_ops.visit_end; @w is the host */
void visitor_end(struct worker *w, uint64_t id,
		 const struct turn_tuple *tuple, uint32_t home);

/** visitor_stay() - as turn_ops.visit_stay; @w is the host */
void visitor_stay(struct worker *w, uint64_t id,
		  const struct turn_tuple *tuple, uint32_t home);

/* ------------------------------------------------------------- handing over */

/**
 * handover_leave() - an allocation goes to the worker where its client is
 * @w: host
 * @id: what tickets call it
 * @tuple: visitor's 5-tuple
 * @to: visitor's worker
 *
 * Return: false if it is not here, or the client is not expected there (any more).
 */
bool handover_leave(struct worker *w, uint64_t id,
		    const struct turn_tuple *tuple, struct worker *to);

/** handover_finish() - no thread runs any more: what was on its way arrives */
void handover_finish(struct worker *w);

/** visitor_arrived() - the allocation of a visitor is here: so it is none any more
 *
 * Return: false if there was no such visitor.
 */
bool visitor_arrived(struct worker *w, const struct turn_tuple *tuple);

#endif /* _KTURND_VISITOR_H */
