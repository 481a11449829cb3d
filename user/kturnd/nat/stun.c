// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The external address as a STUN server sees it (RFC 8489): nothing is mapped, so the
 * NAT has to be a 1:1 NAT, or to forward the ports.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "../random.h"
#include "kturn.h"
#include "learn.h"

/* RFC 8489 section 6.2.1: RTO, Rc, and Rm times RTO. */
static const struct nat_retry stun_retry = {
	.first_ms = 500, .count = 7, .last_ms = 16 * 500,
};

/**
 * struct stun - a STUN server
 * @fd: connected to it
 * @port_told: that the NAT changes ports was logged
 */
struct stun {
	int fd;
	bool port_told;
};

static int resolve(struct nat *n, struct kturn_addr *server)
{
	struct addrinfo hints = {
		.ai_family = addr_af(&n->private),
		.ai_socktype = SOCK_DGRAM,
	};
	struct addrinfo *list, *ai;
	unsigned int count = 0;
	int ret;

	ret = getaddrinfo(n->host, NULL, &hints, &list);
	if (ret)
		return nat_failed(n, -EHOSTUNREACH, "%s", gai_strerror(ret));
	for (ai = list; ai; ai = ai->ai_next)
		count++;
	/* The next question may go to another. */
	count = random_below(count);
	for (ai = list; count; count--)
		ai = ai->ai_next;
	addr_from_sockaddr(ai->ai_addr, server);
	kturn_addr_set_port(server, n->host_port);
	freeaddrinfo(list);
	return 0;
}

static int stun_open(struct nat *n)
{
	struct kturn_addr server;
	struct stun *s;
	int ret, fd;

	ret = resolve(n, &server);
	if (ret)
		return ret;
	fd = nat_connect(n, &server);
	if (fd < 0)
		return fd;
	s = calloc(1, sizeof(*s));
	if (!s) {
		close(fd);
		return nat_failed(n, -ENOMEM, "out of memory");
	}
	s->fd = fd;
	n->state = s;
	return 0;
}

static void stun_close(struct nat *n)
{
	struct stun *s = n->state;

	if (!s)
		return;
	close(s->fd);
	free(s);
	n->state = NULL;
}

/**
 * struct question - a Binding request
 * @tid: its transaction id
 * @mapped: the answer's XOR-MAPPED-ADDRESS
 */
struct question {
	uint8_t tid[KTURN_STUN_TID_LEN];
	struct kturn_addr mapped;
};

/* RFC 8489 section 6.3: anything else is not the answer. */
static bool take(const uint8_t *buf, size_t len, void *arg)
{
	struct question *q = arg;
	struct kturn_attr_iter it;
	struct kturn_stun msg;
	struct kturn_attr attr;

	if (kturn_stun_parse(buf, len, &msg) || msg.method != KTURN_BINDING ||
	    msg.cls != KTURN_SUCCESS || memcmp(msg.tid, q->tid, sizeof(q->tid)))
		return false;
	memset(&q->mapped, 0, sizeof(q->mapped));
	kturn_attr_begin(&it, &msg);
	while (kturn_attr_next(&it, &attr)) {
		/* Section 6.3.3: what we don't know might say otherwise. */
		if (kturn_attr_required(attr.type) &&
		    !kturn_attr_known(attr.type))
			return false;
		if (attr.type == KTURN_ATTR_XOR_MAPPED_ADDRESS &&
		    q->mapped.family == KTURN_FAMILY_NONE &&
		    kturn_xor_addr_parse(attr.value, attr.len, msg.tid,
					 &q->mapped))
			return false;
	}
	return !it.error && q->mapped.family != KTURN_FAMILY_NONE;
}

/* Then relayed datagrams reach peers from other ports than were told. */
static void check_port(struct stun *s, const struct kturn_addr *mapped)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct kturn_addr own;

	if (s->port_told || getsockname(s->fd, (struct sockaddr *)&sa, &len))
		return;
	addr_from_sockaddr(&sa, &own);
	if (own.port == mapped->port)
		return;
	s->port_told = true;
	log_event(LOG_WARNING, "external-port", "private=%u public=%u hint=%s",
		  kturn_addr_port(&own), kturn_addr_port(mapped),
		  "the NAT changes ports: it is no 1:1 NAT, and has to forward listening and relay ports");
}

static int stun_ask(struct nat *n, struct kturn_addr *address)
{
	uint8_t request[KTURN_STUN_HDR_LEN] = { 0 };
	struct stun *s = n->state;
	struct question q;
	int ret;

	random_bytes(q.tid, sizeof(q.tid));
	kturn_put16(request, KTURN_BINDING);
	kturn_put32(request + 4, KTURN_STUN_MAGIC);
	memcpy(request + 8, q.tid, sizeof(q.tid));
	ret = nat_exchange(n, s->fd, request, sizeof(request), &stun_retry,
			   take, &q);
	if (ret)
		return ret;
	if (q.mapped.family != n->private.family)
		return nat_failed(n, -EPROTO,
				  "the answer is of another address family");
	check_port(s, &q.mapped);
	*address = addr_with_port(&q.mapped, 0);
	return 0;
}

const struct nat_method nat_stun = {
	.name = "stun",
	.open = stun_open,
	.ask = stun_ask,
	.close = stun_close,
};
