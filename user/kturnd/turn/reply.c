// SPDX-License-Identifier: GPL-2.0-or-later
/* Responses (RFC 8489 section 6.3.1.1). */
#include "request.h"

#define FINGERPRINT_SIZE	(KTURN_ATTR_HDR_LEN + 4)

/* What else a response may leave out for want of room. */
enum brevity {
	WITH_REASON,
	WITHOUT_REASON,
};

static uint16_t integrity_attr(const struct turn_request *rq)
{
	return rq->hmac == TURN_HMAC_SHA1 ?
	       KTURN_ATTR_MESSAGE_INTEGRITY :
	       KTURN_ATTR_MESSAGE_INTEGRITY_SHA256;
}

/* Bytes that a response to @rq needs at its end. */
static size_t tail_size(const struct turn_request *rq)
{
	size_t size = 0;

	if (rq->authenticated)
		size += KTURN_ATTR_HDR_LEN + turn_hmac_len(rq->hmac);
	if (rq->fingerprint)
		size += FINGERPRINT_SIZE;
	return size;
}

/* Leaves room for the tail; with less room than that nothing fits. */
static void begin(struct turn_reply *rp, const struct turn_request *rq,
		  enum kturn_class cls, uint8_t *buf, size_t limit)
{
	size_t tail = tail_size(rq);

	kturn_build_begin(&rp->b, buf, limit > tail ? limit - tail : 0,
			  kturn_type(rq->msg.method, cls), rq->msg.tid);
}

void turn_reply_begin_at(struct turn_reply *rp, const struct turn_request *rq,
			 uint8_t *buf, size_t size)
{
	begin(rp, rq, KTURN_SUCCESS, buf, size);
}

void turn_reply_begin(struct turn_reply *rp, const struct turn_request *rq)
{
	turn_reply_begin_at(rp, rq, rp->buf, rq->authenticated ?
			    TURN_REPLY_MAX : TURN_REPLY_UNAUTH);
}

static void add_software(struct turn_server *s, struct turn_reply *rp)
{
	struct kturn_builder b = rp->b;

	if (!s->cfg.software)
		return;
	kturn_build_attr(&b, KTURN_ATTR_SOFTWARE, s->cfg.software,
			 strlen(s->cfg.software));
	/* On overflow nothing was written, and it is done without. */
	if (!b.overflow)
		rp->b = b;
}

static bool add_integrity(const struct turn_request *rq, struct turn_reply *rp)
{
	uint8_t value[TURN_DIGEST_MAX];

	if (!turn_integrity(&rq->mac, rp->b.buf, rp->b.len, value))
		return false;
	kturn_build_attr(&rp->b, integrity_attr(rq), value,
			 turn_hmac_len(rq->hmac));
	return true;
}

void turn_reply_send(struct turn_server *s, const struct turn_request *rq,
		     struct turn_reply *rp)
{
	if (rp->b.overflow)
		return;
	if (!rq->verified &&
	    !s->ops->may_answer(s->env, rq->tuple, rq->now)) {
		s->counters.limited++;
		return;
	}
	add_software(s, rp);
	rp->b.size += tail_size(rq);
	if (rq->authenticated && !add_integrity(rq, rp))
		return;
	if (rq->fingerprint)
		kturn_build_fingerprint(&rp->b);
	s->ops->client_send(s->env, rq->tuple, rp->b.buf, rp->b.len);
}

const char *turn_reason(enum turn_error code)
{
	switch (code) {
	case TURN_TRY_ALTERNATE:
		return "Try Alternate";
	case TURN_BAD_REQUEST:
		return "Bad Request";
	case TURN_UNAUTHENTICATED:
		return "Unauthenticated";
	case TURN_FORBIDDEN:
		return "Forbidden";
	case TURN_MOBILITY_FORBIDDEN:
		return "Mobility Forbidden";
	case TURN_UNKNOWN_ATTRIBUTE:
		return "Unknown Attribute";
	case TURN_ALLOC_MISMATCH:
		return "Allocation Mismatch";
	case TURN_STALE_NONCE:
		return "Stale Nonce";
	case TURN_FAMILY_UNSUPPORTED:
		return "Address Family not Supported";
	case TURN_WRONG_CREDENTIALS:
		return "Wrong Credentials";
	case TURN_BAD_TRANSPORT:
		return "Unsupported Transport Protocol";
	case TURN_FAMILY_MISMATCH:
		return "Peer Address Family Mismatch";
	case TURN_CONNECTION_EXISTS:
		return "Connection Already Exists";
	case TURN_CONNECT_FAILED:
		return "Connection Timeout or Failure";
	case TURN_QUOTA_REACHED:
		return "Allocation Quota Reached";
	case TURN_NO_CAPACITY:
		return "Insufficient Capacity";
	}
	return "";
}

size_t turn_algorithms(unsigned int features, uint8_t *value)
{
	uint8_t *p = value;

	/* In the order of our preference; both have no parameters. */
	if (features & TURN_FEATURE_SHA256) {
		kturn_put32(p, TURN_ALG_SHA256 << 16);
		p += 4;
	}
	kturn_put32(p, TURN_ALG_MD5 << 16);
	return p + 4 - value;
}

/*
 * Who has shown credentials of a realm stays there: a client that gets 438 goes
 * on with the realm that it has (RFC 8489 section 9.2.5).
 */
static void add_challenge(struct turn_server *s, const struct turn_request *rq,
			  struct turn_reply *rp)
{
	const struct turn_realm *realm = rq->verified ? rq->realm :
					 turn_realm_choose(s, rq);
	unsigned int features = s->ops->features(s->env, realm);
	char nonce[TURN_NONCE_LEN];
	uint8_t algorithms[8];

	turn_nonce_make(s, rq, realm, features, nonce);
	kturn_build_attr(&rp->b, KTURN_ATTR_REALM, realm->name,
			 strlen(realm->name));
	kturn_build_attr(&rp->b, KTURN_ATTR_NONCE, nonce, sizeof(nonce));
	kturn_build_attr(&rp->b, KTURN_ATTR_PASSWORD_ALGORITHMS, algorithms,
			 turn_algorithms(features, algorithms));
	if (rq->third_party)
		kturn_build_attr(&rp->b, KTURN_ATTR_THIRD_PARTY_AUTHORIZATION,
				 s->cfg.server_name,
				 strlen(s->cfg.server_name));
}

static void add_unknown(const struct turn_request *rq, struct turn_reply *rp)
{
	uint8_t *p;
	size_t i;

	p = kturn_build_attr(&rp->b, KTURN_ATTR_UNKNOWN_ATTRIBUTES, NULL,
			     2 * rq->n_unknown);
	for (i = 0; p && i < rq->n_unknown; i++)
		kturn_put16(p + 2 * i, rq->unknown[i]);
}

void turn_reply_addr(struct turn_reply *rp, uint16_t type,
		     const struct kturn_addr *addr)
{
	size_t ip_len = kturn_addr_len(addr->family);
	uint8_t *p = kturn_build_attr(&rp->b, type, NULL, 4 + ip_len);

	if (!p)
		return;
	p[0] = 0;
	p[1] = addr->family;
	kturn_put16(p + 2, kturn_addr_port(addr));
	memcpy(p + 4, addr->ip, ip_len);
}

/* RFC 8489 sections 10 and 14.16. */
static void add_alternates(const struct turn_request *rq,
			   struct turn_reply *rp)
{
	const struct turn_alternate *alt = rq->alternate;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rq->alternate) && alt[i].addr.family; i++)
		turn_reply_addr(rp, KTURN_ATTR_ALTERNATE_SERVER, &alt[i].addr);
	if (alt[0].domain && rq->hmac == TURN_HMAC_SHA256 &&
	    (rq->tuple->transport == TURN_TLS ||
	     rq->tuple->transport == TURN_DTLS))
		kturn_build_attr(&rp->b, KTURN_ATTR_ALTERNATE_DOMAIN,
				 alt[0].domain, strlen(alt[0].domain));
}

/* Too large shows as an overflow. */
static void build_error(struct turn_server *s, const struct turn_request *rq,
			struct turn_reply *rp, enum turn_error code,
			enum brevity brevity, size_t limit)
{
	begin(rp, rq, KTURN_ERROR, rp->buf, limit);
	kturn_build_error(&rp->b, code,
			  brevity == WITH_REASON ? turn_reason(code) : "");
	if (code == TURN_UNAUTHENTICATED || code == TURN_STALE_NONCE)
		add_challenge(s, rq, rp);
	else if (code == TURN_UNKNOWN_ATTRIBUTE)
		add_unknown(rq, rp);
	else if (code == TURN_TRY_ALTERNATE)
		add_alternates(rq, rp);
}

static size_t error_limit(const struct turn_request *rq, enum turn_error code)
{
	size_t limit = rq->authenticated ? TURN_REPLY_MAX : TURN_REPLY_UNAUTH;

	if ((rq->malformed || code == TURN_BAD_REQUEST) && limit > rq->len)
		limit = rq->len;
	return limit;
}

void turn_reply_error(struct turn_server *s, const struct turn_request *rq,
		      enum turn_error code)
{
	struct turn_reply rp;
	size_t limit;

	if (rq->malformed && (code == TURN_UNAUTHENTICATED ||
			      code == TURN_STALE_NONCE))
		code = TURN_BAD_REQUEST;

	limit = error_limit(rq, code);
	build_error(s, rq, &rp, code, WITH_REASON, limit);
	if (rp.b.overflow)
		build_error(s, rq, &rp, code, WITHOUT_REASON, limit);
	if (rp.b.overflow)
		return;
	s->counters.errors++;
	turn_reply_send(s, rq, &rp);
}

void turn_reply_result(struct turn_server *s, const struct turn_request *rq,
		       int ret)
{
	struct turn_reply rp;

	if (ret) {
		turn_reply_error(s, rq, ret);
		return;
	}
	turn_reply_begin(&rp, rq);
	turn_reply_send(s, rq, &rp);
}
