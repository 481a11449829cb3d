// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connect requests (RFC 6062 section 5.2). What comes of one is known later,
 * so what its answer needs is kept with the connection.
 */
#include "connection.h"
#include "request.h"

/* 0 or the error. */
static int check(struct turn_server *s, const struct turn_request *rq,
		 struct turn_alloc *a, struct kturn_addr *peer)
{
	const struct kturn_attr *attr = &rq->attr[TURN_A_PEER];
	const struct turn_half *h;

	/* Of what a Connect request can be for. */
	if (!a->is_tcp)
		return TURN_ALLOC_MISMATCH;
	if (rq->malformed || !attr->value ||
	    kturn_xor_addr_parse(attr->value, attr->len, rq->msg.tid, peer))
		return TURN_BAD_REQUEST;
	h = turn_half_live(a, peer->family, rq->now);
	if (!h)
		return TURN_FAMILY_MISMATCH;
	/* No permission is needed, but everything that one would need. */
	if (!peer->port || turn_addr_equal(peer, &h->relay.public) ||
	    turn_peer_verdict(s, a, peer) != TURN_PEER_OK)
		return TURN_FORBIDDEN;
	return turn_connection_by_peer(s, a, peer) ? TURN_CONNECTION_EXISTS : 0;
}

static void keep_asked(struct turn_asked *asked, const struct turn_request *rq)
{
	memcpy(asked->tid, rq->msg.tid, sizeof(asked->tid));
	asked->fingerprint = rq->fingerprint;
	asked->hmac = rq->hmac;
	asked->mac = rq->mac;
}

/* As much of the request as an answer takes. */
static void recall(const struct turn_connection *c, struct turn_request *rq)
{
	memset(rq, 0, sizeof(*rq));
	rq->tuple = &c->alloc->tuple;
	rq->msg.method = KTURN_CONNECT;
	rq->msg.tid = c->asked.tid;
	rq->fingerprint = c->asked.fingerprint;
	rq->verified = true;
	rq->authenticated = true;
	rq->hmac = c->asked.hmac;
	rq->mac = c->asked.mac;
}

static void log_failed(struct turn_server *s, const struct turn_alloc *a,
		       const struct kturn_addr *peer, int error)
{
	char text[TURN_ADDR_TEXT];

	s->ops->log(s->env, LOG_INFO, "connect-failed", &a->tuple, a->user,
		    "peer=%s error=%s", turn_addr_text(peer, text),
		    strerror(error));
}

/* 0 or the error. */
static int begin(struct turn_server *s, const struct turn_request *rq,
		 struct turn_alloc *a)
{
	uint64_t at = rq->now + TURN_CONNECT_TIMEOUT * TURN_MS;
	struct turn_connection *c;
	struct kturn_addr peer;
	int ret = check(s, rq, a, &peer);

	if (ret)
		return ret;
	c = turn_connection_new(s, a, &peer, TURN_CONNECTING, at);
	if (!c)
		return TURN_NO_CAPACITY;
	ret = s->ops->connect(s->env, &turn_alloc_half(a, peer.family)->relay,
			      &peer, c, &c->handle);
	if (!ret) {
		keep_asked(&c->asked, rq);
		return 0;
	}
	turn_connection_free(s, c);
	if (ret == -ENOBUFS)
		return TURN_NO_CAPACITY;
	s->counters.connects_failed++;
	log_failed(s, a, &peer, -ret);
	return TURN_CONNECT_FAILED;
}

void turn_connect(struct turn_server *s, struct turn_request *rq,
		  struct turn_alloc *a)
{
	int ret = begin(s, rq, a);

	if (ret)
		turn_reply_error(s, rq, ret);
}

void turn_connected(struct turn_server *s, uint64_t now,
		    struct turn_connection *c)
{
	struct turn_alloc *a = c->alloc;
	char text[TURN_ADDR_TEXT];
	struct turn_request rq;
	struct turn_reply rp;

	recall(c, &rq);
	/* A response refers to the request's transaction, which is forgotten. */
	turn_reply_begin(&rp, &rq);
	turn_connection_pend(s, c, now + TURN_CONNECTION_LIFETIME * TURN_MS);
	kturn_build_u32(&rp.b, KTURN_ATTR_CONNECTION_ID, c->id);
	s->counters.connects++;
	s->ops->log(s->env, LOG_DEBUG, "connected", &a->tuple, a->user,
		    "peer=%s", turn_addr_text(&c->peer, text));
	turn_reply_send(s, &rq, &rp);
	explicit_bzero(&rq.mac, sizeof(rq.mac));
}

void turn_connect_refuse(struct turn_server *s, struct turn_connection *c)
{
	struct turn_request rq;

	recall(c, &rq);
	s->counters.connects_failed++;
	turn_reply_error(s, &rq, TURN_CONNECT_FAILED);
	explicit_bzero(&rq.mac, sizeof(rq.mac));
}

void turn_connect_failed(struct turn_server *s, struct turn_connection *c,
			 int error)
{
	log_failed(s, c->alloc, &c->peer, error);
	turn_connect_refuse(s, c);
	turn_connection_free(s, c);
}
