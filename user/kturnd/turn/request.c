// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests: taken apart, checked, dispatched (RFC 8489 section 6.3). */
#include "handover.h"
#include "mobile.h"
#include "request.h"

/* The methods whose requests have a use for an attribute. */
#define BIT(method)	(1u << (method))
#define ALLOCATE	BIT(KTURN_ALLOCATE)
#define REFRESH		BIT(KTURN_REFRESH)
#define CHANNEL_BIND	BIT(KTURN_CHANNEL_BIND)
#define CONNECTION_BIND	BIT(KTURN_CONNECTION_BIND)
#define PEERS		(BIT(KTURN_CREATE_PERMISSION) | CHANNEL_BIND | \
			 BIT(KTURN_CONNECT))
#define BINDING		BIT(KTURN_BINDING)
#define TURN		(ALLOCATE | REFRESH | PEERS | CONNECTION_BIND)

#define ANY_LEN		UINT16_MAX
#define ADDR_LEN	(UINT16_MAX - 1)	/* an XOR-…-ADDRESS */

/**
 * struct spec - what an attribute looks like
 * @type: on the wire
 * @attr: here
 * @len: bytes of its value, or ANY_LEN or ADDR_LEN
 * @methods: whose requests are malformed when it looks different; in others
 *	it is "known but unexpected" and ignored (RFC 8489 section 6.3)
 */
struct spec {
	uint16_t type;
	enum turn_attr attr;
	uint16_t len;
	uint32_t methods;
};

static const struct spec specs[] = {
	{ KTURN_ATTR_USERNAME, TURN_A_USERNAME, ANY_LEN, TURN },
	{ KTURN_ATTR_USERHASH, TURN_A_USERHASH, TURN_SHA256_LEN, TURN },
	{ KTURN_ATTR_REALM, TURN_A_REALM, ANY_LEN, TURN },
	{ KTURN_ATTR_NONCE, TURN_A_NONCE, ANY_LEN, TURN },
	{ KTURN_ATTR_MESSAGE_INTEGRITY, TURN_A_INTEGRITY, TURN_SHA1_LEN,
	  TURN },
	/* TURN does not say that it may be truncated: section 14.6. */
	{ KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, TURN_A_INTEGRITY_SHA256,
	  TURN_SHA256_LEN, TURN },
	{ KTURN_ATTR_PASSWORD_ALGORITHM, TURN_A_PASSWORD_ALGORITHM, ANY_LEN,
	  TURN },
	{ KTURN_ATTR_PASSWORD_ALGORITHMS, TURN_A_PASSWORD_ALGORITHMS, ANY_LEN,
	  TURN },
	{ KTURN_ATTR_LIFETIME, TURN_A_LIFETIME, 4, ALLOCATE | REFRESH },
	{ KTURN_ATTR_XOR_PEER_ADDRESS, TURN_A_PEER, ADDR_LEN, PEERS },
	{ KTURN_ATTR_CHANNEL_NUMBER, TURN_A_CHANNEL, 4, CHANNEL_BIND },
	{ KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, TURN_A_FAMILY, 4,
	  ALLOCATE | REFRESH },
	{ KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY, TURN_A_MORE_FAMILY, 4,
	  ALLOCATE },
	{ KTURN_ATTR_COTURN_ADDITIONAL_FAMILY, TURN_A_COTURN_MORE_FAMILY,
	  ANY_LEN, 0 },
	{ KTURN_ATTR_EVEN_PORT, TURN_A_EVEN_PORT, 1, ALLOCATE },
	{ KTURN_ATTR_REQUESTED_TRANSPORT, TURN_A_TRANSPORT, 4, ALLOCATE },
	{ KTURN_ATTR_DONT_FRAGMENT, TURN_A_DONT_FRAGMENT, 0, ALLOCATE },
	{ KTURN_ATTR_RESERVATION_TOKEN, TURN_A_TOKEN, TURN_TOKEN_LEN,
	  ALLOCATE },
	{ KTURN_ATTR_DATA, TURN_A_DATA, ANY_LEN, 0 },
	{ KTURN_ATTR_MOBILITY_TICKET, TURN_A_TICKET, ANY_LEN,
	  ALLOCATE | REFRESH },
	{ KTURN_ATTR_CHANGE_REQUEST, TURN_A_CHANGE_REQUEST, 4, BINDING },
	{ KTURN_ATTR_PADDING, TURN_A_PADDING, ANY_LEN, BINDING },
	/* With the padding that section 7.5 shows, or without. */
	{ KTURN_ATTR_RESPONSE_PORT, TURN_A_RESPONSE_PORT, ANY_LEN, BINDING },
	{ KTURN_ATTR_ACCESS_TOKEN, TURN_A_ACCESS_TOKEN, ANY_LEN, TURN },
	{ KTURN_ATTR_ORIGIN, TURN_A_ORIGIN, ANY_LEN, 0 },
	{ KTURN_ATTR_CONNECTION_ID, TURN_A_CONNECTION_ID, 4, CONNECTION_BIND },
};

static const struct spec *find_spec(uint16_t type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(specs); i++)
		if (specs[i].type == type)
			return &specs[i];
	return NULL;
}

static bool well_formed(const struct spec *spec, const struct kturn_attr *attr,
			const uint8_t *tid)
{
	struct kturn_addr addr;

	if (spec->len == ANY_LEN)
		return true;
	if (spec->len == ADDR_LEN)
		return !kturn_xor_addr_parse(attr->value, attr->len, tid,
					     &addr);
	return attr->len == spec->len;
}

static void add_unknown(struct turn_request *rq, uint16_t type)
{
	size_t i;

	for (i = 0; i < rq->n_unknown; i++)
		if (rq->unknown[i] == type)
			return;
	if (rq->n_unknown < TURN_UNKNOWN_MAX)
		rq->unknown[rq->n_unknown++] = type;
}

/*
 * RFC 5780 section 6: those of a server with one address are not known; RFC 7635
 * section 7: nor is ACCESS-TOKEN where nobody was told to get one. Nor is
 * RFC 6062's to a server that relays no TCP.
 */
static bool is_foreign(const struct turn_request *rq, const struct spec *spec)
{
	if (spec->attr == TURN_A_ACCESS_TOKEN)
		return !rq->third_party;
	if (spec->attr == TURN_A_CONNECTION_ID)
		return !rq->tcp_relay;
	return spec->methods == BINDING &&
	       (!rq->discovery || rq->msg.method != KTURN_BINDING);
}

static void collect(struct turn_request *rq, const struct kturn_attr *attr)
{
	const struct spec *spec = find_spec(attr->type);

	if (!spec || is_foreign(rq, spec)) {
		if (kturn_attr_required(attr->type) &&
		    !kturn_attr_known(attr->type))
			add_unknown(rq, attr->type);
		return;
	}

	/*
	 * Of what comes twice the first counts: RFC 8489 section 14. Only
	 * CreatePermission takes several peers.
	 */
	if (!turn_has(rq, spec->attr))
		rq->attr[spec->attr] = *attr;
	else if (spec->attr != TURN_A_PEER ||
		 rq->msg.method != KTURN_CREATE_PERMISSION)
		return;

	if (rq->msg.method < 32 && spec->methods & BIT(rq->msg.method) &&
	    !well_formed(spec, attr, rq->msg.tid))
		rq->malformed = true;
}

/*
 * Until 2025 coturn's clients asked for two families with a number that is
 * optional to understand and that IANA has given to nobody. Microsoft has given
 * it to a host name: what is not just what coturn's clients send is ignored, as
 * what is unknown is. It does not count beside the RFC's own number.
 */
static void take_coturn_family(struct turn_request *rq)
{
	static const uint8_t ipv6[] = { KTURN_FAMILY_V6, 0, 0, 0 };
	const uint8_t *value = rq->attr[TURN_A_COTURN_MORE_FAMILY].value;

	if (!turn_has(rq, TURN_A_MORE_FAMILY) &&
	    turn_attr_len_is(rq, TURN_A_COTURN_MORE_FAMILY, sizeof(ipv6)) &&
	    !memcmp(value, ipv6, sizeof(ipv6)))
		rq->attr[TURN_A_MORE_FAMILY] =
			rq->attr[TURN_A_COTURN_MORE_FAMILY];
}

void turn_request_collect(struct turn_request *rq)
{
	bool sha1 = false, sha256 = false;
	struct kturn_attr_iter it;
	struct kturn_attr attr;

	rq->end = rq->msg.msg + KTURN_STUN_HDR_LEN + rq->msg.length;
	kturn_attr_begin(&it, &rq->msg);
	while (kturn_attr_next(&it, &attr)) {
		if (attr.type == KTURN_ATTR_FINGERPRINT) {
			rq->fingerprint = true;
			continue;
		}

		/* What follows an integrity attribute: RFC 8489 section 9. */
		if (sha256 ||
		    (sha1 && attr.type != KTURN_ATTR_MESSAGE_INTEGRITY_SHA256))
			continue;
		collect(rq, &attr);

		sha1 |= attr.type == KTURN_ATTR_MESSAGE_INTEGRITY;
		sha256 |= attr.type == KTURN_ATTR_MESSAGE_INTEGRITY_SHA256;
		if ((sha1 || sha256) && rq->end > attr.value)
			rq->end = attr.value - KTURN_ATTR_HDR_LEN;
	}
	take_coturn_family(rq);
	if (it.error) {
		rq->malformed = true;
		rq->broken = true;
	}
}

/* Is it a message that a client may send here, other than Send? */
static bool class_ok(const struct turn_server *s, const struct kturn_stun *msg)
{
	switch (msg->method) {
	case KTURN_BINDING:
		return msg->cls == KTURN_REQUEST ||
		       msg->cls == KTURN_INDICATION;
	case KTURN_ALLOCATE:
	case KTURN_REFRESH:
	case KTURN_CREATE_PERMISSION:
	case KTURN_CHANNEL_BIND:
		return msg->cls == KTURN_REQUEST;
	case KTURN_CONNECT:
	case KTURN_CONNECTION_BIND:
		return msg->cls == KTURN_REQUEST && s->cfg.tcp_relay;
	default:
		return false;
	}
}

/* Answers what can't be read to its end, or not be understood. */
static bool all_known(struct turn_server *s, const struct turn_request *rq)
{
	if (rq->broken)
		turn_reply_error(s, rq, TURN_BAD_REQUEST);
	else if (rq->n_unknown)
		turn_reply_error(s, rq, TURN_UNKNOWN_ATTRIBUTE);
	return !rq->broken && !rq->n_unknown;
}

static void binding(struct turn_server *s, struct turn_request *rq)
{
	struct turn_reply rp;

	if (rq->msg.cls == KTURN_INDICATION || !all_known(s, rq))
		return;
	if (rq->discovery) {
		turn_discover(s, rq);
		return;
	}
	turn_reply_begin(&rp, rq);
	kturn_build_xor_addr(&rp.b, KTURN_ATTR_XOR_MAPPED_ADDRESS,
			     &rq->tuple->client);
	turn_reply_send(s, rq, &rp);
}

bool turn_owns(const struct turn_request *rq, const struct turn_alloc *a)
{
	if (rq->granted)
		return rq->granted == a->grant;
	if (strcmp(a->realm, rq->account->name))
		return false;
	if (a->grant || rq->grant)
		return a->grant && rq->grant;
	return !strcmp(a->user, rq->user);
}

bool turn_has_made(const struct turn_request *rq, const struct turn_alloc *a)
{
	const struct turn_grant *g = rq->granted ? rq->granted : rq->grant;

	if (!turn_owns(rq, a))
		return false;
	return !a->grant || (g && g->mac_key_len == a->grant->mac_key_len &&
			     !CRYPTO_memcmp(g->mac_key, a->grant->mac_key,
					    g->mac_key_len));
}

/* The allocation that a request is about. */
static struct turn_alloc *find_alloc(struct turn_server *s,
				     const struct turn_request *rq)
{
	struct turn_alloc *a;

	if (rq->ticket.valid)
		return turn_mobile_find(s, rq->ticket.id, rq->now);
	a = turn_alloc_live(s, rq->tuple, rq->now);
	return a ? a : turn_mobile_next(s, rq->tuple, rq->now);
}

/* Authenticated, and nothing in it is unknown. */
static void dispatch(struct turn_server *s, struct turn_request *rq)
{
	struct turn_alloc *a;

	if (rq->msg.method == KTURN_ALLOCATE) {
		turn_allocate(s, rq);
		return;
	}
	if (rq->msg.method == KTURN_CONNECTION_BIND) {
		turn_connection_bind(s, rq);
		return;
	}
	if (rq->msg.method == KTURN_REFRESH && turn_has(rq, TURN_A_TICKET)) {
		turn_move(s, rq);
		return;
	}

	/* RFC 8656 section 5. */
	a = rq->alloc;
	if (!a) {
		turn_reply_error(s, rq, TURN_ALLOC_MISMATCH);
		return;
	}
	if (!turn_owns(rq, a)) {
		s->ops->log(s->env, LOG_NOTICE, "wrong-user", rq->tuple,
			    rq->user, "method=0x%03x", rq->msg.method);
		turn_reply_error(s, rq, TURN_WRONG_CREDENTIALS);
		return;
	}
	turn_auth_remember(rq, a);

	switch (rq->msg.method) {
	case KTURN_REFRESH:
		turn_refresh(s, rq, a);
		break;
	case KTURN_CREATE_PERMISSION:
		turn_create_permission(s, rq, a);
		break;
	case KTURN_CONNECT:
		turn_connect(s, rq, a);
		break;
	default:
		turn_channel_bind(s, rq, a);
	}
}

static void process(struct turn_server *s, struct turn_request *rq)
{
	if (rq->msg.method == KTURN_BINDING)
		binding(s, rq);
	else if (turn_auth(s, rq) && all_known(s, rq))
		dispatch(s, rq);
}

/* Takes it apart; false if it can't be. */
static bool read_request(struct turn_server *s, struct turn_request *rq,
			 const uint8_t *buf)
{
	if (kturn_stun_parse(buf, rq->len, &rq->msg) || !class_ok(s, &rq->msg) ||
	    !kturn_fingerprint_ok(&rq->msg)) {
		s->counters.malformed++;
		return false;
	}
	turn_expire(s, rq->now);
	rq->discovery = turn_discovery_at(s, rq->tuple);
	rq->third_party = s->cfg.server_name;
	rq->tcp_relay = s->cfg.tcp_relay;
	turn_request_collect(rq);
	turn_ticket_read(s, rq);
	rq->alloc = find_alloc(s, rq);
	return true;
}

static void carry_out(struct turn_server *s, struct turn_request *rq)
{
	s->counters.requests++;
	process(s, rq);
	explicit_bzero(rq->key, sizeof(rq->key));
	explicit_bzero(&rq->mac, sizeof(rq->mac));
	turn_grant_free(rq->grant);
}

void turn_request_input(struct turn_server *s, uint64_t now, uint64_t wall,
			const struct turn_tuple *tuple,
			const uint8_t *buf, size_t len)
{
	struct turn_request rq = {
		.tuple = tuple, .now = now, .wall = wall, .len = len,
		.home = s->cfg.home,
	};

	if (read_request(s, &rq, buf))
		carry_out(s, &rq);
}

bool turn_visitor_input(struct turn_server *s, uint64_t now, uint64_t wall,
			const struct turn_tuple *tuple, uint32_t home,
			const uint8_t *buf, size_t len)
{
	struct turn_request rq = {
		.tuple = tuple, .now = now, .wall = wall, .len = len,
		.home = home,
	};

	if (!read_request(s, &rq, buf))
		return true;
	/* Who is expected for one allocation can't ask for another. */
	if (!rq.alloc && !turn_mobile_next(s, tuple, now))
		return false;
	carry_out(s, &rq);
	return true;
}

uint32_t turn_lifetime(const struct turn_server *s,
		       const struct turn_request *rq)
{
	const struct kturn_attr *attr = &rq->attr[TURN_A_LIFETIME];
	uint32_t lifetime = TURN_LIFETIME_DEFAULT;

	if (attr->value)
		lifetime = kturn_get32(attr->value);
	if (lifetime > s->cfg.lifetime_max)
		lifetime = s->cfg.lifetime_max;
	return lifetime > TURN_LIFETIME_DEFAULT ? lifetime :
						  TURN_LIFETIME_DEFAULT;
}
