// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings by NAT-PMP (RFC 6886), which libnatpmp speaks. */
#include <errno.h>
#include <natpmp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../worker.h"
#include "kturn.h"
#include "learn.h"

/* RFC 6886 does not say how long an error lasts. */
#define ERROR_S	60

static void natpmp_close(struct nat *n)
{
	if (!n->state)
		return;
	closenatpmp(n->state);
	free(n->state);
	n->state = NULL;
}

static int natpmp_open(struct nat *n)
{
	struct kturn_addr gateway;
	in_addr_t ip;
	natpmp_t *p;
	int ret, fd;

	ret = nat_gateway(n, &gateway);
	if (ret)
		return ret;
	kturn_addr_set_port(&gateway, NATPMP_PORT);
	memcpy(&ip, gateway.ip, sizeof(ip));
	p = calloc(1, sizeof(*p));
	if (!p || initnatpmp(p, 1, ip)) {
		free(p);
		return nat_failed(n, -ENOMEM, "libnatpmp has no socket");
	}
	n->state = p;
	/* Its socket could be any address's; the mapping is for that address. */
	fd = nat_connect(n, &gateway);
	if (fd < 0) {
		natpmp_close(n);
		return fd;
	}
	close(p->s);
	p->s = fd;
	return 0;
}

static int failed(struct nat *n, int error)
{
	n->retry_s = ERROR_S;
	switch (error) {
	case NATPMP_ERR_NOGATEWAYSUPPORT:
		return nat_failed(n, -ETIMEDOUT, "no answer");
	case NATPMP_ERR_UNSUPPORTEDVERSION:
		return nat_failed(n, -EPROTONOSUPPORT,
				  "unsupported version: the gateway may have pcp");
	case NATPMP_ERR_NOTAUTHORIZED:
		return nat_failed(n, -EACCES, "not authorized or refused");
	case NATPMP_ERR_NETWORKFAILURE:
		return nat_failed(n, -ENETDOWN,
				  "network failure: the gateway has no external address");
	case NATPMP_ERR_OUTOFRESOURCES:
		return nat_failed(n, -ENOSPC, "out of resources");
	default:
		return nat_failed(n, -EPROTO, "libnatpmp's error %d", error);
	}
}

static uint64_t retry_at(natpmp_t *p)
{
	struct timeval left;

	if (getnatpmprequesttimeout(p, &left) || left.tv_sec < 0)
		return worker_clock();
	return worker_clock() + (uint64_t)left.tv_sec * 1000 +
	       (uint64_t)left.tv_usec / 1000 + 1;
}

/* The library does not compare what was asked for with what came. */
static bool is_answer(const natpmpresp_t *r, uint16_t type, uint16_t port)
{
	return r->type == type &&
	       (type == NATPMP_RESPTYPE_PUBLICADDRESS ||
		r->pnu.newportmapping.privateport == port);
}

/* After a request was sent, whose response is of @type and for @port. */
static int await(struct nat *n, uint16_t type, uint16_t port, natpmpresp_t *r)
{
	natpmp_t *p = n->state;
	int ret;

	atomic_fetch_add(&n->asked, 1);
	for (;;) {
		ret = nat_wait(n, p->s, retry_at(p));
		if (ret < 0)
			return ret;
		ret = readnatpmpresponseorretry(p, r);
		if (ret == NATPMP_TRYAGAIN || ret == NATPMP_ERR_WRONGPACKETSOURCE)
			continue;
		if (ret)
			return failed(n, ret);
		if (is_answer(r, type, port))
			break;
		/* It was to another: this one is asked for still. */
		p->has_pending_request = 1;
	}
	if (!epoch_natpmp(&n->epoch, worker_clock(), r->epoch))
		n->lost = true;
	return 0;
}

static int natpmp_ask(struct nat *n, struct kturn_addr *address)
{
	natpmpresp_t r;
	int ret;

	if (sendpublicaddressrequest(n->state) < 0)
		return nat_failed(n, -ETIMEDOUT, "%s", strerror(errno));
	ret = await(n, NATPMP_RESPTYPE_PUBLICADDRESS, 0, &r);
	if (ret)
		return ret;
	memset(address, 0, sizeof(*address));
	address->family = KTURN_FAMILY_V4;
	memcpy(address->ip, &r.pnu.publicaddress.addr, 4);
	return 0;
}

static int natpmp_map(struct nat *n, const struct nat_mapping *m,
		      uint32_t lifetime_s, struct nat_grant *grant)
{
	bool udp = m->protocol == IPPROTO_UDP;
	natpmpresp_t r;
	int ret;

	/* RFC 6886 section 3.4: for a deletion the external port is 0. */
	if (sendnewportmappingrequest(n->state, udp ? NATPMP_PROTOCOL_UDP :
						      NATPMP_PROTOCOL_TCP,
				      m->port, lifetime_s ? m->port : 0,
				      lifetime_s) < 0)
		return nat_failed(n, -ETIMEDOUT, "%s", strerror(errno));
	ret = await(n, udp ? NATPMP_RESPTYPE_UDPPORTMAPPING :
			     NATPMP_RESPTYPE_TCPPORTMAPPING, m->port, &r);
	if (ret)
		return ret;
	memset(grant, 0, sizeof(*grant));
	grant->port = r.pnu.newportmapping.mappedpublicport;
	grant->lifetime_s = r.pnu.newportmapping.lifetime;
	return 0;
}

const struct nat_method nat_natpmp = {
	.name = "nat-pmp",
	.maps = true,
	.open = natpmp_open,
	.ask = natpmp_ask,
	.map = natpmp_map,
	.close = natpmp_close,
};
