// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ConnectionBind requests (RFC 6062 section 5.4). They come by a connection of
 * their own, which another worker may have got than the one that has the
 * allocation: then it goes there, with the request.
 */
#include "connection.h"
#include "request.h"

static bool is_bind(const struct turn_request *rq)
{
	return rq->msg.method == KTURN_CONNECTION_BIND &&
	       turn_is_stream(rq->tuple) &&
	       turn_attr_len_is(rq, TURN_A_CONNECTION_ID, 4);
}

static uint32_t asked_id(const struct turn_request *rq)
{
	return kturn_get32(rq->attr[TURN_A_CONNECTION_ID].value);
}

/*
 * A client that uses the nonce of its control connection need not be told
 * another. Nothing can be replayed with it: a connection is bound once.
 */
const struct turn_tuple *
turn_connection_control(struct turn_server *s, const struct turn_request *rq)
{
	const struct turn_connection *c;
	struct kturn_addr ip, own;

	c = is_bind(rq) ? turn_connection_by_id(s, asked_id(rq)) : NULL;
	if (!c || c->state != TURN_PENDING)
		return NULL;
	ip = turn_addr_ip(&rq->tuple->client);
	own = turn_addr_ip(&c->alloc->tuple.client);
	return turn_addr_equal(&ip, &own) ? &c->alloc->tuple : NULL;
}

bool turn_connection_passed_on(struct turn_server *s,
			       const struct turn_request *rq)
{
	return is_bind(rq) && !rq->malformed &&
	       !turn_client_known(s, rq->tuple) &&
	       s->ops->connection_pass(s->env, rq->tuple, asked_id(rq));
}

/* Whose connection can be bound by @rq? NULL: none of this server's. */
static struct turn_connection *find(struct turn_server *s,
				    const struct turn_request *rq, uint32_t id)
{
	struct turn_connection *c = turn_connection_by_id(s, id);

	if (!c)
		return NULL;
	if (turn_has_made(rq, c->alloc))
		return c->state == TURN_PENDING ? c : NULL;
	/* Whether somebody else has it is not told. */
	s->ops->log(s->env, LOG_NOTICE, "wrong-user", rq->tuple, rq->user,
		    "method=0x%03x", rq->msg.method);
	return NULL;
}

static void join(struct turn_server *s, const struct turn_request *rq,
		 struct turn_connection *c)
{
	c->state = TURN_BOUND;
	turn_timer_del(&s->timers, &c->timer);
	turn_reply_result(s, rq, 0);
	/* What is relayed comes after the answer. */
	s->ops->connection_join(s->env, c->handle, rq->tuple);
}

void turn_connection_bind(struct turn_server *s, struct turn_request *rq)
{
	struct turn_connection *c;

	/* One with an allocation, now or soon, is a control connection. */
	if (!is_bind(rq) || rq->malformed || turn_client_known(s, rq->tuple)) {
		turn_reply_error(s, rq, TURN_BAD_REQUEST);
		return;
	}
	c = find(s, rq, asked_id(rq));
	if (c)
		join(s, rq, c);
	else if (!turn_connection_passed_on(s, rq))
		turn_reply_error(s, rq, TURN_BAD_REQUEST);
}
