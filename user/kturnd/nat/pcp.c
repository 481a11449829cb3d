// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings by PCP (RFC 6887). */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../worker.h"
#include "kturn.h"
#include "learn.h"
#include "pcp_wire.h"

/*
 * RFC 6887 section 8.1.1. It would have us go on for ever, at last every 17 minutes;
 * rather ask anew a while later, so that a gateway that is back is seen.
 */
static const struct nat_retry pcp_retry = {
	.first_ms = 3000, .count = 4, .jitter = true,
};

/* What an error may last at most; servers are to say 30 minutes. */
#define ERROR_MAX_S	1800

/**
 * struct pcp - a PCP server
 * @fd: connected to it
 * @gateway: its address
 */
struct pcp {
	int fd;
	struct kturn_addr gateway;
};

static int pcp_open(struct nat *n)
{
	struct kturn_addr server;
	struct pcp *p;
	int ret;

	p = calloc(1, sizeof(*p));
	if (!p)
		return nat_failed(n, -ENOMEM, "out of memory");
	ret = nat_gateway(n, &p->gateway);
	if (!ret) {
		server = addr_with_port(&p->gateway, PCP_PORT);
		p->fd = nat_connect(n, &server);
		ret = p->fd < 0 ? p->fd : 0;
	}
	if (ret) {
		free(p);
		return ret;
	}
	n->state = p;
	return 0;
}

static void pcp_close(struct nat *n)
{
	struct pcp *p = n->state;

	if (!p)
		return;
	close(p->fd);
	free(p);
	n->state = NULL;
}

/*
 * RFC 6887 section 11.2: not to be guessed, and another for each server. After a
 * restart it is the same, or the server would refuse to renew what is mapped still
 * (section 11.3).
 */
static int make_nonce(struct nat *n, struct pcp_map *map)
{
	const struct pcp *p = n->state;
	struct {
		char purpose[4];
		struct kturn_addr from;
		struct kturn_addr to;
		uint8_t protocol;
		uint8_t pad;
		uint16_t port;
	} input = {
		.purpose = "pcp", .from = n->private, .to = p->gateway,
		.protocol = map->protocol, .port = map->port,
	};
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (!HMAC(EVP_sha256(), n->key, sizeof(n->key), (uint8_t *)&input,
		  sizeof(input), mac, &len))
		return nat_failed(n, -ENOMEM, "OpenSSL makes no nonce");
	memcpy(map->nonce, mac, PCP_NONCE_LEN);
	return 0;
}

/**
 * struct question - a request
 * @asked: its mapping
 * @answer: the response
 */
struct question {
	struct pcp_map asked;
	struct pcp_response answer;
};

static bool take(const uint8_t *buf, size_t len, void *arg)
{
	struct question *q = arg;

	if (pcp_map_parse(buf, len, &q->answer))
		return false;
	return q->answer.result == PCP_UNSUPP_VERSION ||
	       pcp_map_answers(&q->asked, &q->answer);
}

static int refused(struct nat *n, const struct pcp_response *r)
{
	n->retry_s = r->lifetime_s < ERROR_MAX_S ? r->lifetime_s : ERROR_MAX_S;
	switch (r->result) {
	case PCP_UNSUPP_VERSION:
		return nat_failed(n, -EPROTONOSUPPORT,
				  "UNSUPP_VERSION: the gateway has version %u, 0 being nat-pmp",
				  r->version);
	case PCP_CANNOT_PROVIDE_EXTERNAL:
		return nat_failed(n, -EADDRINUSE, "%s",
				  pcp_result_name(r->result));
	default:
		return nat_failed(n, -EACCES, "%s (%u)",
				  pcp_result_name(r->result), r->result);
	}
}

static int pcp_request(struct nat *n, const struct nat_mapping *m,
		       uint32_t lifetime_s, struct nat_grant *grant)
{
	struct question q = {
		.asked = { .protocol = m->protocol, .port = m->port },
	};
	const struct pcp_response *r = &q.answer;
	uint8_t request[PCP_MAP_LEN];
	struct pcp *p = n->state;
	int ret;

	/* Section 11.2.1: what it was, if the server has forgotten. */
	q.asked.external = addr_with_port(&n->address, m->port);
	ret = make_nonce(n, &q.asked);
	if (ret)
		return ret;
	pcp_map_build(request, &n->private, &q.asked, lifetime_s);
	ret = nat_exchange(n, p->fd, request, sizeof(request), &pcp_retry,
			   take, &q);
	if (ret)
		return ret;
	if (r->result != PCP_UNSUPP_VERSION &&
	    !epoch_pcp(&n->epoch, worker_clock(), r->epoch_s))
		n->lost = true;
	if (r->result != PCP_SUCCESS)
		return refused(n, r);
	grant->address = addr_with_port(&r->map.external, 0);
	grant->port = kturn_addr_port(&r->map.external);
	grant->lifetime_s = r->lifetime_s;
	return 0;
}

/* The protocol has no question for the address alone: a mapping tells it. */
static int pcp_ask(struct nat *n, struct kturn_addr *address)
{
	struct nat_mapping *first = nat_mappings_first(n);
	struct nat_grant grant;
	int ret;

	if (!first)
		return nat_failed(n, -ENOMEM, "out of memory");
	ret = pcp_request(n, first, NAT_LIFETIME_S, &grant);
	if (ret)
		return ret;
	*address = grant.address;
	/* With the wrong port it tells the address all the same. */
	nat_mappings_granted(n, first, &grant);
	return 0;
}

const struct nat_method nat_pcp = {
	.name = "pcp",
	.maps = true,
	.open = pcp_open,
	.ask = pcp_ask,
	.map = pcp_request,
	.close = pcp_close,
};
