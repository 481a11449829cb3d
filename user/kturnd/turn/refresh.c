// SPDX-License-Identifier: GPL-2.0-or-later
/* Refresh requests (RFC 8656 section 8.2). */
#include "request.h"

static void answer(struct turn_server *s, const struct turn_request *rq,
		   uint32_t lifetime)
{
	struct turn_reply rp;

	turn_reply_begin(&rp, rq);
	kturn_build_u32(&rp.b, KTURN_ATTR_LIFETIME, lifetime);
	turn_reply_send(s, rq, &rp);
}

static bool wants_end(const struct turn_request *rq)
{
	const struct kturn_attr *attr = &rq->attr[TURN_A_LIFETIME];

	return attr->value && !kturn_get32(attr->value);
}

/* Its end was answered already, and the answer got lost. */
static bool repeats_end(const struct turn_request *rq,
			const struct turn_alloc *a)
{
	return wants_end(rq) && a->half_ended &&
	       !memcmp(a->end_tid, rq->msg.tid, sizeof(a->end_tid));
}

/* All of it, or @h of a dual allocation. */
static void end(struct turn_server *s, const struct turn_request *rq,
		struct turn_alloc *a, struct turn_half *h)
{
	if (h) {
		a->half_ended = true;
		memcpy(a->end_tid, rq->msg.tid, sizeof(a->end_tid));
		turn_half_end(s, h, "client");
	} else {
		turn_alloc_remove(s, a, true, "client");
	}
}

static void move(struct turn_server *s, struct turn_alloc *a,
		 const uint64_t at[2])
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(a->half); i++)
		if (turn_half_there(&a->half[i]))
			turn_timer_move(&s->timers, &a->half[i].timer, at[i]);
}

static void swap_grants(struct turn_request *rq, struct turn_alloc *a)
{
	struct turn_grant *grant = a->grant;

	a->grant = rq->grant;
	rq->grant = grant;
}

/*
 * All of it, or @h of a dual allocation; 0 or the error. From then on the access
 * token that came counts in place of the one before (RFC 7635 section 9).
 */
static int extend(struct turn_server *s, struct turn_request *rq,
		  struct turn_alloc *a, const struct turn_half *h, uint64_t at)
{
	bool renews = rq->grant;
	uint64_t before[2], after[2];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(a->half); i++) {
		before[i] = a->half[i].timer.at;
		after[i] = !h || h == &a->half[i] ? at : before[i];
	}
	move(s, a, after);
	if (renews) {
		turn_grant_follow(rq->grant, a->grant);
		swap_grants(rq, a);
	}
	if (!s->ops->offload_refresh(s->env, a))
		return 0;
	move(s, a, before);
	if (renews)
		swap_grants(rq, a);
	return TURN_NO_CAPACITY;
}

int turn_refresh_do(struct turn_server *s, struct turn_request *rq,
		    struct turn_alloc *a, uint32_t *lifetime)
{
	const struct kturn_attr *family = &rq->attr[TURN_A_FAMILY];
	struct turn_half *h = NULL;

	*lifetime = 0;
	if (rq->malformed)
		return TURN_BAD_REQUEST;
	if (family->value) {
		h = turn_half_live(a, family->value[0], rq->now);
		if (!h)
			return repeats_end(rq, a) ? 0 : TURN_FAMILY_MISMATCH;
	}
	if (wants_end(rq)) {
		end(s, rq, a, h);
		return 0;
	}
	*lifetime = turn_grant_limit(rq->grant ? rq->grant : a->grant, rq->now,
				     turn_lifetime(s, rq));
	return extend(s, rq, a, h, rq->now + *lifetime * TURN_MS);
}

void turn_refresh(struct turn_server *s, struct turn_request *rq,
		  struct turn_alloc *a)
{
	uint32_t lifetime;
	int ret = turn_refresh_do(s, rq, a, &lifetime);

	if (ret)
		turn_reply_error(s, rq, ret);
	else
		answer(s, rq, lifetime);
}
