// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NAT behaviour discovery (RFC 5780): a server with two addresses and two ports
 * answers from the one that the client asks for, so that the client sees
 * what its NAT makes of it.
 */
#include "request.h"

/* Section 7.2. */
#define CHANGE_IP	4
#define CHANGE_PORT	2

/* What an answer may be padded with: more than the MTU of most paths. */
#define PADDING_MAX	1500

/* The same with the address of one and the port of the other. */
static struct kturn_addr cross(const struct kturn_addr *ip,
			       const struct kturn_addr *port)
{
	struct kturn_addr addr = *ip;

	addr.port = port->port;
	return addr;
}

static bool has_ip(const struct kturn_addr *a, const struct kturn_addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

/* Which of the two has its address, and which its port? */
static bool find(const struct turn_discovery *d, const struct kturn_addr *addr,
		 unsigned int *ip, unsigned int *port)
{
	for (*ip = 0; *ip < 2; ++*ip)
		if (has_ip(&d->addr[*ip], addr))
			break;
	for (*port = 0; *port < 2; ++*port)
		if (d->addr[*port].port == addr->port)
			break;
	return *ip < 2 && *port < 2;
}

const struct turn_discovery *turn_discovery_at(const struct turn_server *s,
					       const struct turn_tuple *tuple)
{
	unsigned int ip, port;
	size_t i;

	/* A connection can't be answered from elsewhere. */
	if (tuple->transport != TURN_UDP)
		return NULL;
	for (i = 0; i < s->cfg.n_discovery; i++)
		if (find(&s->cfg.discovery[i], &tuple->server, &ip, &port))
			return &s->cfg.discovery[i];
	return NULL;
}

/* What the request says; false: it can't. */
static bool read_request(const struct turn_request *rq, uint32_t *change,
			 uint16_t *response_port)
{
	const struct kturn_attr *port = &rq->attr[TURN_A_RESPONSE_PORT];

	if (rq->malformed)
		return false;
	*change = 0;
	if (turn_has(rq, TURN_A_CHANGE_REQUEST))
		*change = kturn_get32(rq->attr[TURN_A_CHANGE_REQUEST].value);
	*response_port = kturn_addr_port(&rq->tuple->client);
	if (!port->value)
		return true;
	/* Section 6.1: not both. */
	if (turn_has(rq, TURN_A_PADDING) || (port->len != 2 && port->len != 4))
		return false;
	*response_port = kturn_get16(port->value);
	return *response_port;
}

/*
 * Section 6.1 would have the MTU; but not more comes back than was sent, or
 * others would be flooded with it.
 */
static void add_padding(const struct turn_request *rq, struct turn_reply *rp)
{
	const struct kturn_attr *attr = &rq->attr[TURN_A_PADDING];
	size_t len = attr->len < PADDING_MAX ? attr->len : PADDING_MAX;
	uint8_t *p;

	if (!attr->value)
		return;
	p = kturn_build_attr(&rp->b, KTURN_ATTR_PADDING, NULL, len);
	if (p)
		memset(p, 0, len);
}

void turn_discover(struct turn_server *s, struct turn_request *rq)
{
	const struct turn_discovery *d = rq->discovery;
	uint8_t buf[TURN_REPLY_UNAUTH + PADDING_MAX];
	struct turn_tuple out = *rq->tuple;
	struct kturn_addr other;
	unsigned int ip, port;
	uint16_t response_port;
	struct turn_reply rp;
	uint32_t change;

	if (!find(d, &rq->tuple->server, &ip, &port))
		return;
	if (!read_request(rq, &change, &response_port)) {
		turn_reply_error(s, rq, TURN_BAD_REQUEST);
		return;
	}
	other = cross(&d->addr[!ip], &d->addr[!port]);
	out.server = cross(&d->addr[change & CHANGE_IP ? !ip : ip],
			   &d->addr[change & CHANGE_PORT ? !port : port]);
	kturn_addr_set_port(&out.client, response_port);

	turn_reply_begin_at(&rp, rq, buf, sizeof(buf));
	kturn_build_xor_addr(&rp.b, KTURN_ATTR_XOR_MAPPED_ADDRESS,
			     &rq->tuple->client);
	turn_reply_addr(&rp, KTURN_ATTR_MAPPED_ADDRESS, &rq->tuple->client);
	turn_reply_addr(&rp, KTURN_ATTR_RESPONSE_ORIGIN, &out.server);
	turn_reply_addr(&rp, KTURN_ATTR_OTHER_ADDRESS, &other);
	add_padding(rq, &rp);
	rq->tuple = &out;
	turn_reply_send(s, rq, &rp);
}
