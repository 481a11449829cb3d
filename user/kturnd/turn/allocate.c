// SPDX-License-Identifier: GPL-2.0-or-later
/* Allocate requests (RFC 8656 section 7.2). */
#include "mobile.h"
#include "request.h"

#define PROTOCOL_TCP	6
#define PROTOCOL_UDP	17
#define EVEN_PORT_R	0x80

/**
 * struct plan - what is asked for
 * @family: of the relayed address
 * @parity: of its port
 * @more: an IPv6 one too
 * @is_tcp: TCP is to be relayed
 */
struct plan {
	uint8_t family;
	enum turn_parity parity;
	bool more;
	bool is_tcp;
};

static bool available(const struct turn_server *s, uint8_t family)
{
	return (family == KTURN_FAMILY_V4 && s->cfg.family4) ||
	       (family == KTURN_FAMILY_V6 && s->cfg.family6);
}

/* RFC 6062 section 5.1: which protocol is to be relayed? 0 or the error. */
static int check_protocol(const struct turn_server *s,
			  const struct turn_request *rq, bool *is_tcp)
{
	uint8_t protocol;

	if (!turn_attr_len_is(rq, TURN_A_TRANSPORT, 4))
		return TURN_BAD_REQUEST;
	protocol = rq->attr[TURN_A_TRANSPORT].value[0];
	*is_tcp = protocol == PROTOCOL_TCP && s->cfg.tcp_relay;
	if (!*is_tcp)
		return protocol == PROTOCOL_UDP ? 0 : TURN_BAD_TRANSPORT;
	return !turn_is_stream(rq->tuple) ||
	       turn_has(rq, TURN_A_DONT_FRAGMENT) ||
	       turn_has(rq, TURN_A_EVEN_PORT) ||
	       turn_has(rq, TURN_A_TOKEN) ? TURN_BAD_REQUEST : 0;
}

/* Steps 3 to 9, as far as they don't take anything; 0 or the error. */
static int check(const struct turn_server *s, const struct turn_request *rq,
		 struct plan *plan)
{
	const struct kturn_attr *attr = rq->attr;
	bool even = turn_has(rq, TURN_A_EVEN_PORT);
	bool family = turn_has(rq, TURN_A_FAMILY);
	bool more = turn_has(rq, TURN_A_MORE_FAMILY);
	int ret = check_protocol(s, rq, &plan->is_tcp);

	if (ret)
		return ret;
	if (rq->malformed)
		return TURN_BAD_REQUEST;
	/* RFC 8016 section 3.1.2: an empty one asks for one. */
	if (turn_has(rq, TURN_A_TICKET) && attr[TURN_A_TICKET].len)
		return TURN_BAD_REQUEST;
	if (turn_has(rq, TURN_A_TICKET) && !s->cfg.mobility)
		return TURN_MOBILITY_FORBIDDEN;
	if (turn_has(rq, TURN_A_TOKEN) && (even || family || more))
		return TURN_BAD_REQUEST;
	if (family && more)
		return TURN_BAD_REQUEST;

	plan->family = family ? attr[TURN_A_FAMILY].value[0] : KTURN_FAMILY_V4;
	if (!turn_has(rq, TURN_A_TOKEN) && !available(s, plan->family))
		return TURN_FAMILY_UNSUPPORTED;

	plan->parity = TURN_PORT_ANY;
	if (even)
		plan->parity = attr[TURN_A_EVEN_PORT].value[0] & EVEN_PORT_R ?
			       TURN_PORT_EVEN_PAIR : TURN_PORT_EVEN;
	plan->more = more;
	if (more && (plan->parity == TURN_PORT_EVEN_PAIR ||
		     attr[TURN_A_MORE_FAMILY].value[0] != KTURN_FAMILY_V6))
		return TURN_BAD_REQUEST;
	return 0;
}

/* Section 18.12: like ERROR-CODE, with the family in its first byte. */
static void add_address_error(struct turn_reply *rp, uint8_t family,
			      enum turn_error code)
{
	const char *reason = turn_reason(code);
	size_t len = strlen(reason);
	uint8_t *p;

	p = kturn_build_attr(&rp->b, KTURN_ATTR_ADDRESS_ERROR_CODE, NULL,
			     4 + len);
	if (!p)
		return;
	p[0] = family;
	p[2] = code / 100;
	p[3] = code % 100;
	memcpy(p + 4, reason, len);
}

static void answer(struct turn_server *s, const struct turn_request *rq,
		   struct turn_alloc *a)
{
	uint64_t left_ms = turn_alloc_ends(a) - rq->now;
	struct turn_reply rp;
	size_t i;

	turn_reply_begin(&rp, rq);
	for (i = 0; i < ARRAY_SIZE(a->half); i++)
		if (turn_half_there(&a->half[i]))
			kturn_build_xor_addr(&rp.b,
					     KTURN_ATTR_XOR_RELAYED_ADDRESS,
					     &a->half[i].relay.public);
	/* Rounded up: so a retransmission mostly gets the same. */
	kturn_build_u32(&rp.b, KTURN_ATTR_LIFETIME,
			(left_ms + TURN_MS - 1) / TURN_MS);
	kturn_build_xor_addr(&rp.b, KTURN_ATTR_XOR_MAPPED_ADDRESS,
			     &a->tuple.client);
	if (a->has_token)
		kturn_build_attr(&rp.b, KTURN_ATTR_RESERVATION_TOKEN, a->token,
				 sizeof(a->token));
	/* The request was met in part (step 9). */
	if (a->refused)
		add_address_error(&rp, turn_half_there(&a->half[0]) ?
				  KTURN_FAMILY_V6 : KTURN_FAMILY_V4,
				  a->refused);
	if (a->mobile)
		turn_ticket_add(s, &rp, a->mobile);
	turn_reply_send(s, rq, &rp);
}

/* What was reserved before; 0 or the error. */
static int claim(struct turn_server *s, const struct turn_request *rq,
		 struct turn_alloc *a)
{
	struct turn_relay relay;

	if (s->ops->claim(s->env, rq->attr[TURN_A_TOKEN].value, &relay))
		return TURN_NO_CAPACITY;
	turn_half_set(a, &relay);
	return 0;
}

/* A relayed address, and perhaps a reserved one; 0 or the error. */
static int open_half(struct turn_server *s, struct turn_alloc *a,
		     uint8_t family, enum turn_parity parity,
		     struct turn_relay *reserved)
{
	struct turn_relay relay;
	int ret = -EAFNOSUPPORT;

	if (available(s, family) && a->is_tcp)
		ret = s->ops->tcp_relay_open(s->env, family, &relay);
	else if (available(s, family))
		ret = s->ops->relay_open(s->env, family, parity, &relay,
					 reserved);
	if (ret)
		return ret == -EAFNOSUPPORT ? TURN_FAMILY_UNSUPPORTED :
					      TURN_NO_CAPACITY;
	turn_half_set(a, &relay);
	return 0;
}

/*
 * One of each family, or one of either (step 9); 0 or the error. But without
 * IPv4 at all there is nothing (step 7).
 */
static int open_both(struct turn_server *s, struct turn_alloc *a,
		     enum turn_parity parity)
{
	int no_v4, no_v6;

	no_v4 = open_half(s, a, KTURN_FAMILY_V4, parity, NULL);
	if (no_v4 == TURN_FAMILY_UNSUPPORTED)
		return no_v4;
	no_v6 = open_half(s, a, KTURN_FAMILY_V6, parity, NULL);
	if (no_v4 && no_v6)
		return TURN_NO_CAPACITY;
	a->refused = no_v4 ? no_v4 : no_v6;
	return 0;
}

/* The relayed addresses, and the reserved one; 0 or the error. */
static int open_relays(struct turn_server *s, const struct turn_request *rq,
		       const struct plan *plan, struct turn_alloc *a,
		       struct turn_relay *reserved)
{
	int ret;

	if (turn_has(rq, TURN_A_TOKEN))
		return claim(s, rq, a);
	if (plan->more)
		return open_both(s, a, plan->parity);

	ret = open_half(s, a, plan->family, plan->parity, reserved);
	if (!ret && plan->parity == TURN_PORT_EVEN_PAIR) {
		a->has_token = true;
		s->ops->random(s->env, a->token, sizeof(a->token));
	}
	return ret;
}

/* A claimed reservation is held again, for whoever tries once more. */
static void close_relays(struct turn_server *s, const struct turn_request *rq,
			 struct turn_alloc *a, struct turn_relay *reserved)
{
	uint64_t until = rq->now + TURN_RESERVATION_LIFETIME * TURN_MS;
	struct turn_half *h;

	if (a->has_token)
		s->ops->relay_close(s->env, reserved);
	for (h = a->half; h < a->half + ARRAY_SIZE(a->half); h++)
		if (turn_half_there(h) &&
		    (!turn_has(rq, TURN_A_TOKEN) ||
		     s->ops->reserve(s->env, rq->attr[TURN_A_TOKEN].value,
				     &h->relay, until)))
			s->ops->relay_close(s->env, &h->relay);
}

/* The offload may ask when it ends. */
static void set_end(struct turn_alloc *a, uint64_t at)
{
	a->half[0].timer.at = at;
	a->half[1].timer.at = at;
}

/* All that can fail, and is undone when something does; 0 or the error. */
static int acquire(struct turn_server *s, const struct turn_request *rq,
		   const struct plan *plan, struct turn_alloc *a,
		   uint32_t lifetime)
{
	uint64_t until = rq->now + TURN_RESERVATION_LIFETIME * TURN_MS;
	struct turn_relay reserved = { 0 };
	int ret;

	ret = turn_alloc_take_quota(s, a, false);
	if (ret)
		return ret == -EDQUOT ? TURN_QUOTA_REACHED : TURN_NO_CAPACITY;

	ret = open_relays(s, rq, plan, a, &reserved);
	if (ret)
		goto err_quota;

	set_end(a, rq->now + lifetime * TURN_MS);
	ret = TURN_NO_CAPACITY;
	if (!turn_heap_reserve(&s->timers, ARRAY_SIZE(a->half)) ||
	    s->ops->offload_alloc(s->env, a, lifetime))
		goto err_relay;
	if (a->has_token &&
	    s->ops->reserve(s->env, a->token, &reserved, until))
		goto err_offload;
	return 0;

err_offload:
	s->ops->offload_remove(s->env, a);
err_relay:
	close_relays(s, rq, a, &reserved);
err_quota:
	turn_alloc_give_quota(s, a);
	return ret;
}

static void log_new(struct turn_server *s, const struct turn_alloc *a,
		    uint32_t lifetime)
{
	const struct turn_half *v4 = &a->half[0], *v6 = &a->half[1];
	char text4[TURN_ADDR_TEXT], text6[TURN_ADDR_TEXT];

	turn_addr_text(&v4->relay.public, text4);
	turn_addr_text(&v6->relay.public, text6);
	if (turn_half_there(v4) && turn_half_there(v6))
		s->ops->log(s->env, LOG_INFO, "alloc-new", &a->tuple, a->user,
			    "relay=%s relay=%s lifetime=%u", text4, text6,
			    lifetime);
	else
		s->ops->log(s->env, LOG_INFO, "alloc-new", &a->tuple, a->user,
			    "relay=%s lifetime=%u",
			    turn_half_there(v4) ? text4 : text6, lifetime);
}

static void start_relays(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_half *h;

	for (h = a->half; h < a->half + ARRAY_SIZE(a->half); h++)
		if (turn_half_there(h))
			s->ops->relay_start(s->env, &h->relay, a);
}

/* Step 10: here, or elsewhere? A reserved port is here. */
static int place(struct turn_server *s, struct turn_request *rq)
{
	if (turn_has(rq, TURN_A_TOKEN))
		return 0;
	switch (s->ops->place(s->env, rq->tuple, rq->alternate)) {
	case TURN_GO:
		return TURN_TRY_ALTERNATE;
	case TURN_NOWHERE:
		return TURN_NO_CAPACITY;
	default:
		return 0;
	}
}

/*
 * RFC 8016 says nothing of RFC 6062, whose connections can't follow a client: it
 * is answered as if tickets were not known.
 */
static bool wants_ticket(const struct turn_request *rq,
			 const struct plan *plan)
{
	return turn_has(rq, TURN_A_TICKET) && !plan->is_tcp;
}

/* 0 or the error. */
static int create(struct turn_server *s, struct turn_request *rq)
{
	uint32_t lifetime = turn_grant_limit(rq->grant, rq->now,
					     turn_lifetime(s, rq));
	struct turn_alloc *a;
	struct plan plan;
	int ret;

	/* RFC 8656 section 21.4. */
	if (turn_addr_tunneled(&rq->tuple->client))
		return TURN_FORBIDDEN;
	ret = check(s, rq, &plan);
	if (!ret)
		ret = place(s, rq);
	if (ret)
		return ret;

	a = turn_alloc_new(s, rq->tuple, rq->account->name, rq->user);
	if (!a)
		return TURN_NO_CAPACITY;
	memcpy(a->limit, rq->account->limit, sizeof(a->limit));
	a->grant = rq->grant;
	rq->grant = NULL;
	memcpy(a->tid, rq->msg.tid, sizeof(a->tid));
	a->is_tcp = plan.is_tcp;
	a->minted = rq->minted;
	turn_auth_remember(rq, a);
	if (wants_ticket(rq, &plan) && turn_mobile_new(s, a))
		ret = TURN_NO_CAPACITY;
	if (!ret)
		ret = acquire(s, rq, &plan, a, lifetime);
	if (ret) {
		turn_mobile_free(s, a);
		turn_alloc_free(a);
		return ret;
	}

	turn_alloc_link(s, a);
	start_relays(s, a);
	log_new(s, a, lifetime);
	answer(s, rq, a);
	return 0;
}

void turn_allocate(struct turn_server *s, struct turn_request *rq)
{
	struct turn_alloc *a = rq->alloc;
	int ret;

	if (!a) {
		ret = create(s, rq);
		if (ret)
			turn_reply_error(s, rq, ret);
		return;
	}

	/* The note at the end of section 7.2: a retransmission. */
	if (!rq->malformed && turn_owns(rq, a) &&
	    !memcmp(a->tid, rq->msg.tid, sizeof(a->tid)))
		answer(s, rq, a);
	else
		turn_reply_error(s, rq, TURN_ALLOC_MISMATCH);
}
