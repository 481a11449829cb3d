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

void turn_refresh(struct turn_server *s, struct turn_request *rq,
		  struct turn_alloc *a)
{
	const struct kturn_attr *family = &rq->attr[TURN_A_FAMILY];
	uint32_t lifetime = turn_lifetime(s, rq);

	if (rq->malformed) {
		turn_reply_error(s, rq, TURN_BAD_REQUEST);
		return;
	}
	if (family->value && family->value[0] != a->relay.public.family) {
		turn_reply_error(s, rq, TURN_FAMILY_MISMATCH);
		return;
	}

	if (wants_end(rq)) {
		turn_alloc_remove(s, a, true, "client");
		answer(s, rq, 0);
		return;
	}

	if (s->ops->offload_refresh(s->env, a, lifetime)) {
		turn_reply_error(s, rq, TURN_NO_CAPACITY);
		return;
	}
	turn_timer_move(&s->timers, &a->timer, rq->now + lifetime * TURN_MS);
	answer(s, rq, lifetime);
}
