// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connection that another worker is to have: it is taken from everything that
 * is this worker's, and goes there when the round is over, with what it has
 * sent that was not handled; see conn.h.
 */
#include <stdlib.h>

#include "conn.h"
#include "kturnd/daemon.h"

struct conn_msg {
	struct worker_msg msg;
	struct conn *c;
};

void conn_pass(struct stream *s, const struct turn_tuple *tuple,
	       struct worker *to)
{
	struct conn *c = conn_find(s, tuple);

	if (c)
		c->next = to;
}

void conn_leave(struct conn *c)
{
	struct stream *s = c->s;

	c->state = CONN_LEAVING;
	event_del(&c->read);
	event_del(&c->write);
	TAILQ_REMOVE(c->settled ? &s->settled : &s->fresh, c, entry);
	TAILQ_INSERT_TAIL(&s->leaving, c, entry);
	turn_table_del(&s->by_tuple, &c->node);
	park_forget(&s->w->park, &c->tuple);
	c->known = false;
	if (c->is_dirty)
		LIST_REMOVE(c, dirty);
	c->is_dirty = false;
	s->counters.now--;
}

static void arrive(struct stream *s, struct conn *c)
{
	c->s = s;
	c->next = NULL;
	c->settled = false;
	/* What waited for the socket waits no more. */
	c->blocked = false;
	c->state = CONN_OPEN;
	c->progress_ms = s->w->now;
	TAILQ_INSERT_TAIL(&s->fresh, c, entry);
	s->counters.now++;
	stream_set_tick(s);
	conn_know(c);
	conn_watch(c);
	conn_pause(c);
	if (!queue_empty(&c->out))
		conn_write(c);
	if (c->state == CONN_OPEN)
		conn_read_again(c);
}

static void run_arrive(struct worker *w, struct worker_msg *msg)
{
	struct conn *c = ((struct conn_msg *)msg)->c;

	free(msg);
	if (w)
		arrive(&w->stream, c);
	else
		conn_free(c);
}

void conn_pass_all(struct stream *s)
{
	struct conn_msg *msg;
	struct conn *c;

	while ((c = TAILQ_FIRST(&s->leaving))) {
		TAILQ_REMOVE(&s->leaving, c, entry);
		msg = malloc(sizeof(*msg));
		if (!msg) {
			atomic_fetch_sub(&s->w->d->n_streams, 1);
			conn_free(c);
			continue;
		}
		msg->msg.run = run_arrive;
		msg->c = c;
		/* If it has ended there, its thread frees it. */
		c->s = NULL;
		worker_post(c->next, &msg->msg);
	}
}
