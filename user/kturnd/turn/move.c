// SPDX-License-Identifier: GPL-2.0-or-later
/* Refresh requests with a ticket (RFC 8016 section 3.2.2). */
#include "mobile.h"

/*
 * The old ticket is good for one thing: the answer was lost, and the request
 * comes once more from where it came from.
 */
static bool is_repeated(const struct turn_request *rq,
			const struct turn_alloc *a)
{
	const struct turn_mobile *m = a->mobile;
	const struct turn_tuple *at = m->has_next ? &m->next : &a->tuple;

	return rq->ticket.seq == m->seq - 1 &&
	       rq->now - m->moved_ms < TURN_TICKET_KEPT * TURN_MS &&
	       (m->has_next || !m->away) && turn_same_tuple(at, rq->tuple);
}

/* Is the client there, or has it said that it will be? */
static bool is_there(const struct turn_alloc *a,
		     const struct turn_tuple *tuple)
{
	const struct turn_mobile *m = a->mobile;

	return (!m->away && turn_same_tuple(&a->tuple, tuple)) ||
	       (m->has_next && turn_same_tuple(&m->next, tuple));
}

/* A 5-tuple is one allocation's (RFC 8656 section 6). */
static bool is_taken(struct turn_server *s, const struct turn_request *rq,
		     const struct turn_alloc *a)
{
	const struct turn_alloc *other = turn_alloc_live(s, rq->tuple, rq->now);

	if (!other)
		other = turn_mobile_next(s, rq->tuple, rq->now);
	return other && other != a;
}

/* 0, with the allocation, or the error. */
static int check(struct turn_server *s, const struct turn_request *rq,
		 struct turn_alloc **result)
{
	struct turn_alloc *a;

	if (!s->cfg.mobility)
		return TURN_MOBILITY_FORBIDDEN;
	if (!rq->ticket.valid)
		return TURN_BAD_REQUEST;
	a = rq->alloc;
	if (!a)
		return TURN_ALLOC_MISMATCH;
	if (!is_repeated(rq, a) && (rq->ticket.seq != a->mobile->seq ||
				    is_there(a, rq->tuple)))
		return TURN_BAD_REQUEST;
	if (!turn_has_made(rq, a)) {
		s->ops->log(s->env, LOG_NOTICE, "wrong-user", rq->tuple,
			    rq->user, "method=0x%03x", rq->msg.method);
		return TURN_WRONG_CREDENTIALS;
	}
	if (is_taken(s, rq, a))
		return TURN_ALLOC_MISMATCH;
	/* RFC 8656 section 21.4. */
	if (turn_addr_tunneled(&rq->tuple->client))
		return TURN_FORBIDDEN;
	*result = a;
	return 0;
}

/* Where a client was to be that says that it will be elsewhere. */
static void end_visit(struct turn_server *s, const struct turn_request *rq,
		      const struct turn_mobile *before)
{
	if (before->has_next && before->home != s->cfg.home &&
	    !turn_same_tuple(&before->next, rq->tuple))
		s->ops->visit_end(s->env, before->id, &before->next,
				  before->home);
}

/* A new ticket, and where the client will be; 0 or the error: nothing is new. */
static int renew(struct turn_server *s, struct turn_request *rq,
		 struct turn_alloc *a, uint32_t *lifetime)
{
	struct turn_mobile *m = a->mobile, before = *m;
	int ret;

	/* None is ever good again. */
	if (m->seq == TURN_SEQ_MAX)
		return TURN_NO_CAPACITY;
	m->seq++;
	m->moved_ms = rq->now;
	turn_mobile_expect(s, m, rq->tuple, rq->home);
	ret = turn_refresh_do(s, rq, a, lifetime);
	if (!ret) {
		end_visit(s, rq, &before);
		return 0;
	}
	m->seq = before.seq;
	m->moved_ms = before.moved_ms;
	turn_mobile_expect_none(s, m);
	if (before.has_next)
		turn_mobile_expect(s, m, &before.next, before.home);
	return ret;
}

static void answer(struct turn_server *s, const struct turn_request *rq,
		   const struct turn_alloc *a, uint32_t lifetime)
{
	struct turn_reply rp;

	turn_reply_begin(&rp, rq);
	kturn_build_u32(&rp.b, KTURN_ATTR_LIFETIME, lifetime);
	if (a)
		turn_ticket_add(s, &rp, a->mobile);
	turn_reply_send(s, rq, &rp);
}

/*
 * Who is away has nothing to lose by being there at once, and would not get any
 * data otherwise. NULL if it has ended.
 */
static struct turn_alloc *come_back(struct turn_server *s,
				    struct turn_alloc *a)
{
	return turn_mobile_settle(s, a) ? a : NULL;
}

void turn_move(struct turn_server *s, struct turn_request *rq)
{
	struct turn_alloc *a;
	uint32_t lifetime;
	bool elsewhere;
	int ret;

	ret = check(s, rq, &a);
	if (!ret)
		ret = is_repeated(rq, a) ?
		      turn_refresh_do(s, rq, a, &lifetime) :
		      renew(s, rq, a, &lifetime);
	if (ret) {
		turn_reply_error(s, rq, ret);
		return;
	}

	/* It may have asked for its end. */
	a = turn_mobile_find(s, rq->ticket.id, rq->now);
	elsewhere = a && a->mobile->has_next && rq->home != s->cfg.home;
	if (elsewhere)
		s->ops->visit_begin(s->env, a->mobile->id, rq->tuple, rq->home);
	else if (a && a->mobile->away)
		a = come_back(s, a);
	answer(s, rq, a, lifetime);
	if (elsewhere && a->mobile->away)
		s->ops->visit_stay(s->env, a->mobile->id, rq->tuple, rq->home);
}
