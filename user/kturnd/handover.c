// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An allocation goes to another worker, with its sockets and what the kernel has of
 * it; see visitor.h. What peers send meanwhile waits in the sockets, or is relayed by the
 * kernel to where the client was.
 */
#include <stdlib.h>

#include <array_size.h>
#include "daemon.h"
#include "turn/handover.h"
#include "visitor.h"

/**
 * struct moving - an allocation on its way
 * @msg: message
 * @to: where it goes
 * @a: allocation, nobody's
 */
struct moving {
	struct worker_msg msg;
	struct worker *to;
	struct turn_alloc *a;
};

static const uint8_t families[] = { KTURN_FAMILY_V4, KTURN_FAMILY_V6 };

static void stop_relays(struct worker *w, const struct turn_alloc *a)
{
	const struct turn_relay *relay;
	struct relay_sock *rs;
	size_t i;

	io_flush(&w->io);
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		relay = turn_alloc_relay(a, families[i]);
		if (!relay)
			continue;
		rs = relay->handle;
		event_del(&rs->event);
		rs->worker = NULL;
	}
}

static void start_relays(struct worker *w, struct turn_alloc *a)
{
	const struct turn_relay *relay;
	struct turn_relay copy;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		relay = turn_alloc_relay(a, families[i]);
		if (!relay)
			continue;
		copy = *relay;
		worker_watch_relay(w, &copy, a);
	}
}

static void arrive(struct moving *m)
{
	struct worker *w = m->to;
	struct turn_alloc *a = m->a;
	struct turn_tuple tuple;

	offload_take(&w->offload, a);
	if (!turn_alloc_arrive(w->turn, a)) {
		turn_alloc_drop(w->turn, a);
		return;
	}
	tuple = *turn_alloc_tuple(a);
	start_relays(w, a);
	if (offload_move(&w->offload, a))
		turn_alloc_end(w->turn, a);
	/* A connection may have ended before what was to be its came. */
	if (!visitor_arrived(w, &tuple) && tuple.transport != TURN_UDP)
		turn_client_gone(w->turn, &tuple);
}

static void run_arrive(struct worker *w, struct worker_msg *msg)
{
	struct moving *m = (struct moving *)msg;
	struct worker *to = m->to;

	if (w) {
		arrive(m);
		free(m);
		return;
	}
	/* That worker has ended; a successor has to find it nevertheless. */
	pthread_mutex_lock(&to->lock);
	STAILQ_INSERT_TAIL(&to->stranded, msg, entry);
	pthread_mutex_unlock(&to->lock);
}

void handover_finish(struct worker *w)
{
	struct worker_msg *msg;

	while ((msg = STAILQ_FIRST(&w->stranded))) {
		STAILQ_REMOVE_HEAD(&w->stranded, entry);
		w->now = worker_clock();
		arrive((struct moving *)msg);
		free(msg);
	}
}

bool handover_leave(struct worker *w, uint64_t id,
		    const struct turn_tuple *tuple, struct worker *to)
{
	struct moving *m = malloc(sizeof(*m));

	if (!m)
		return false;
	/* What waits to be pushed names allocations. */
	offload_flush(&w->offload);
	m->a = turn_alloc_leave(w->turn, id, tuple, to->index);
	if (!m->a) {
		free(m);
		return false;
	}
	m->msg.run = run_arrive;
	m->to = to;
	stop_relays(w, m->a);
	offload_give(&w->offload, m->a);
	mobility_hand_over(&w->d->mobility, id, to, &m->msg);
	return true;
}
