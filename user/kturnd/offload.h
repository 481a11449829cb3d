/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The offload: mirrors the state machine's decisions in the kernel module,
 * before a client is told. Where that fails, the daemon relays what the
 * kernel does not, and an allocation of which the kernel does not know all is
 * not exclusive there: nothing is dropped that the daemon would relay.
 */
#ifndef _KTURND_OFFLOAD_H
#define _KTURND_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "kturn.h"
#include "turn/turn.h"

struct worker;

/* Requests whose permissions and channels wait to be pushed. */
#define OFFLOAD_WAITING		32

/**
 * struct offload_waiting - permissions and perhaps a channel that wait
 * @a: allocation
 * @n: how many permissions
 * @number: of the channel, or 0
 * @peer: of the channel
 */
struct offload_waiting {
	struct turn_alloc *a;
	size_t n;
	uint16_t number;
	struct kturn_addr peer;
};

/**
 * struct offload - a worker's mirror
 * @w: worker
 * @kt: joined to our owner, or NULL without the module
 * @owner_id: short name of our owner
 * @strict: what the kernel does not take is refused
 * @entries: allocations that the kernel has
 * @waiting: what offload_flush() pushes
 * @n_waiting: how many
 * @batch: their requests, in that order, or NULL
 * @unsettled: the kernel has refused something, and drops it
 */
struct offload {
	struct worker *w;
	struct kturn *kt;
	uint32_t owner_id;
	bool strict;
	uint32_t entries;
	struct offload_waiting waiting[OFFLOAD_WAITING];
	unsigned int n_waiting;
	struct kturn_batch *batch;
	bool unsettled;
};

/* ---------------------------------------- of turn_ops; the worker's thread */

/** offload_alloc() - as turn_ops.offload_alloc; @lifetime in seconds */
int offload_alloc(struct offload *o, struct turn_alloc *a, uint32_t lifetime);

/** offload_refresh() - as turn_ops.offload_refresh */
int offload_refresh(struct offload *o, struct turn_alloc *a);

/**
 * offload_peers() - as turn_ops.offload_peers
 * @o: mirror
 * @a: allocation
 * @peers: see there
 * @n: see there
 * @number: see there
 *
 * Before a client is told that it worked, offload_settled() is to be asked.
 * Return: see there.
 */
int offload_peers(struct offload *o, struct turn_alloc *a,
		  const struct kturn_addr *peers, size_t n, uint16_t number);

/** offload_flush() - push what waits: before an allocation of it may go */
void offload_flush(struct offload *o);

/**
 * offload_settled() - push what waits, before clients are answered
 * @o: mirror
 *
 * Return: false if the kernel drops something that clients would be told to be
 * allowed: they must not be told, and ask again.
 */
bool offload_settled(struct offload *o);

/** offload_shrink() - as turn_ops.offload_shrink */
void offload_shrink(struct offload *o, struct turn_alloc *a);

/** offload_move() - as turn_ops.offload_move */
int offload_move(struct offload *o, struct turn_alloc *a);

/** offload_give() - an allocation goes to another worker; what the kernel has of
 * it stays there
 */
void offload_give(struct offload *o, struct turn_alloc *a);

/** offload_take() - one has come from another worker */
void offload_take(struct offload *o, struct turn_alloc *a);

/** offload_remove() - as turn_ops.offload_remove */
void offload_remove(struct offload *o, struct turn_alloc *a);

/* --------------------------------------------------------------- the module */

/**
 * offload_join() - open a handle that is joined to our owner
 * @w: worker; of the main thread: any
 * @kt: result; NULL after an error
 * @owner_id: result
 * @left: how many allocations a predecessor left
 *
 * Return: 0 or a negative errno; kturn_error(NULL) has the words.
 */
int offload_join(const struct worker *w, struct kturn **kt,
		 uint32_t *owner_id, uint32_t *left);

/** offload_open() - begin to use the module; 0 or a negative errno */
int offload_open(struct offload *o, struct worker *w);

/** offload_close() - close the handle; entries stay in the kernel */
void offload_close(struct offload *o);

/** offload_gone() - the module was unloaded: nothing is in the kernel */
void offload_gone(struct offload *o);

/** offload_push_all() - the module is new: push all that there is */
void offload_push_all(struct offload *o);

/** offload_adopted() - the kernel has this allocation as @id */
void offload_adopted(struct offload *o, struct turn_alloc *a, uint32_t id,
		     bool exclusive);

/* ----------------------------------------------------------------- removals */

/**
 * offload_alloc_gone() - the kernel has removed an allocation
 * @o: mirror
 * @tuple: its 5-tuple
 * @id: its id
 * @expired: its time was over, else somebody deleted it
 */
void offload_alloc_gone(struct offload *o, const struct turn_tuple *tuple,
			uint32_t id, bool expired);

/**
 * offload_reconcile() - end what is not in the kernel any more
 * @o: mirror
 * @tuple: of an allocation of which something was removed; NULL: all, because
 *	messages were lost
 */
void offload_reconcile(struct offload *o, const struct turn_tuple *tuple);

/* -------------------------------------------------- between offload's files */

/* The offload's number of an allocation: kernel id, and this bit. */
#define OFFLOAD_PARTIAL	0x100000000ull

/** offload_id() - the kernel's id of an allocation; 0: it has none there */
static inline uint32_t offload_id(const struct turn_alloc *a)
{
	return (uint32_t)turn_alloc_offload(a);
}

/** offload_is_partial() - may the kernel lack some of its permissions? */
static inline bool offload_is_partial(const struct turn_alloc *a)
{
	return turn_alloc_offload(a) & OFFLOAD_PARTIAL;
}

/**
 * offload_fill() - an allocation as the kernel is told of it
 * @o: mirror
 * @a: allocation
 * @lifetime_ms: what is left of it
 * @flags: KTURN_ALLOC_FLAGS_…
 * @packed: room for KTURN_OWNER_DATA_MAX bytes, to be kept with @ka
 * @ka: result
 */
void offload_fill(const struct offload *o, const struct turn_alloc *a,
		  uint32_t lifetime_ms, uint32_t flags, uint8_t *packed,
		  struct kturn_alloc *ka);

/**
 * offload_lost_module() - an entry was not there: for want of the module?
 * @o: mirror
 *
 * Return: true if so; the handle is closed then.
 */
bool offload_lost_module(struct offload *o);

/**
 * offload_withdraw() - take an allocation out of the kernel
 * @o: mirror
 * @a: allocation that is there; all of it comes to us then
 *
 * Return: 0, or an error: the entry is still there.
 */
int offload_withdraw(struct offload *o, struct turn_alloc *a);

/**
 * offload_make_partial() - the kernel leaves to us what it does not know
 * @o: mirror
 * @a: allocation that is there
 *
 * Return: 0, also if it had to be withdrawn, or an error: nothing has changed.
 */
int offload_make_partial(struct offload *o, struct turn_alloc *a);

/**
 * offload_public_changed() - what peers are our own has changed
 * @o: mirror
 *
 * Allocations that have such a peer are relayed by the daemon from now on.
 */
void offload_public_changed(struct offload *o);

/** offload_go_on() - the daemon can go on alone, unless told not to: 0 or @error */
static inline int offload_go_on(const struct offload *o, int error)
{
	return o->strict ? error : 0;
}

/** offload_log_failed() - the kernel refused something; with what effect */
void offload_log_failed(const struct turn_alloc *a, const char *what,
			const char *error, const char *effect);

/** offload_is_nat_peer() - does only the daemon know how to reach it? */
bool offload_is_nat_peer(const struct offload *o,
			 const struct kturn_addr *peer);

#endif /* _KTURND_OFFLOAD_H */
