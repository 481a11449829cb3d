// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings by UPnP's Internet Gateway Device, which libminiupnpc speaks. It waits by
 * itself, a few seconds at most for each request, and does not hear of our end.
 */
#include <errno.h>
#include <inttypes.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kturn.h"
#include "learn.h"

/* How long answers to a search are waited for, and how far it goes. */
#define DISCOVER_MS	1000
#define DISCOVER_TTL	2

/* Nothing says how long an error lasts. */
#define ERROR_S		60

/* Errors, UPnP WANIPConnection:1 section 2.4.16 and :2 section 2.5.16. */
#define NOT_AUTHORIZED		606
#define NO_SUCH_ENTRY		714
#define CONFLICT		718
#define ONLY_PERMANENT		725
#define NO_PORTS		728
#define CONFLICT_OTHER		729

/* A decimal number of 32 bits, or one of its errors in words. */
#define NUMBER_LEN	11

/**
 * struct upnp - an Internet Gateway Device
 * @urls: where it takes requests
 * @data: which
 * @permanent: it does not forget mappings by itself
 */
struct upnp {
	struct UPNPUrls urls;
	struct IGDdatas data;
	bool permanent;
};

static void upnp_close(struct nat *n)
{
	struct upnp *u = n->state;

	if (!u)
		return;
	FreeUPNPUrls(&u->urls);
	free(u);
	n->state = NULL;
}

/* Anybody on the network may say that they are the gateway. */
static bool is_gateways(const char *url, const struct kturn_addr *gateway)
{
	char prefix[KTURN_ADDR_TEXT_MAX + 8], text[KTURN_ADDR_TEXT_MAX];
	size_t len;

	len = (size_t)snprintf(prefix, sizeof(prefix), "http://%s",
			       kturn_addr_text(gateway, text));
	return url && !strncmp(url, prefix, len) &&
	       (url[len] == ':' || url[len] == '/');
}

static bool can_map(const struct upnp *u, const struct kturn_addr *gateway)
{
	const char *type = u->data.first.servicetype;

	return is_gateways(u->urls.controlURL, gateway) &&
	       (strstr(type, ":WANIPConnection:") ||
		strstr(type, ":WANPPPConnection:"));
}

/* The first device of the gateway's that maps ports. */
static bool choose(struct upnp *u, const struct UPNPDev *dev,
		   const struct kturn_addr *gateway)
{
	char own[64];

	for (; dev; dev = dev->pNext) {
		if (!is_gateways(dev->descURL, gateway) ||
		    UPNP_GetIGDFromUrl(dev->descURL, &u->urls, &u->data, own,
				       sizeof(own)) != 1)
			continue;
		if (can_map(u, gateway))
			return true;
		FreeUPNPUrls(&u->urls);
		memset(&u->urls, 0, sizeof(u->urls));
	}
	return false;
}

static int upnp_open(struct nat *n)
{
	char own[KTURN_ADDR_TEXT_MAX], text[KTURN_ADDR_TEXT_MAX];
	struct kturn_addr gateway;
	struct UPNPDev *devices;
	struct upnp *u;
	int ret;

	ret = nat_gateway(n, &gateway);
	if (ret)
		return ret;
	u = calloc(1, sizeof(*u));
	if (!u)
		return nat_failed(n, -ENOMEM, "out of memory");
	atomic_fetch_add(&n->asked, 1);
	devices = upnpDiscover(DISCOVER_MS, kturn_addr_text(&n->private, own),
			       NULL, UPNP_LOCAL_PORT_ANY, 0, DISCOVER_TTL,
			       &ret);
	if (choose(u, devices, &gateway)) {
		n->state = u;
		ret = 0;
	} else {
		free(u);
		ret = nat_failed(n, -ETIMEDOUT,
				 "no Internet Gateway Device at %s answers",
				 kturn_addr_text(&gateway, text));
	}
	freeUPNPDevlist(devices);
	return ret;
}

static int failed(struct nat *n, int error)
{
	n->retry_s = ERROR_S;
	/* Its own, not the gateway's: there was no answer that it could read. */
	if (error < 0)
		return nat_failed(n, -ETIMEDOUT, "no answer (%s)",
				  strupnperror(error));
	switch (error) {
	case CONFLICT:
	case CONFLICT_OTHER:
		return nat_failed(n, -EADDRINUSE, "%s (%d)",
				  strupnperror(error), error);
	case NO_PORTS:
		return nat_failed(n, -ENOSPC, "%s (%d)", strupnperror(error),
				  error);
	case NOT_AUTHORIZED:
	default:
		return nat_failed(n, -EACCES, "%s (%d)", strupnperror(error),
				  error);
	}
}

static const char *protocol_name(const struct nat_mapping *m)
{
	return m->protocol == IPPROTO_UDP ? "UDP" : "TCP";
}

/* The protocol has no epoch: look whether a mapping that should be there is. */
static void check_mappings(struct nat *n)
{
	char client[40] = "", port[6] = "", number[NUMBER_LEN];
	char own[KTURN_ADDR_TEXT_MAX];
	struct upnp *u = n->state;
	size_t i;
	int ret;

	for (i = 0; i < n->n && !n->v[i].granted; i++)
		;
	if (i == n->n)
		return;
	snprintf(number, sizeof(number), "%u", n->v[i].port);
	atomic_fetch_add(&n->asked, 1);
	ret = UPNP_GetSpecificPortMappingEntry(u->urls.controlURL,
					       u->data.first.servicetype,
					       number,
					       protocol_name(&n->v[i]), NULL,
					       client, port, NULL, NULL, NULL);
	if (ret == NO_SUCH_ENTRY ||
	    (!ret && strcmp(client, kturn_addr_text(&n->private, own))))
		n->lost = true;
}

static int upnp_ask(struct nat *n, struct kturn_addr *address)
{
	struct upnp *u = n->state;
	char text[40] = "";
	int ret;

	atomic_fetch_add(&n->asked, 1);
	ret = UPNP_GetExternalIPAddress(u->urls.controlURL,
					u->data.first.servicetype, text);
	if (ret)
		return failed(n, ret);
	if (kturn_addr_parse(text, address) || address->port ||
	    address->family != KTURN_FAMILY_V4) {
		n->retry_s = ERROR_S;
		return nat_failed(n, -ENETDOWN,
				  "the gateway has no external address");
	}
	check_mappings(n);
	return 0;
}

static int add(struct nat *n, const struct nat_mapping *m, const char *port,
	       uint32_t lifetime_s)
{
	char lease[NUMBER_LEN], own[KTURN_ADDR_TEXT_MAX];
	struct upnp *u = n->state;

	snprintf(lease, sizeof(lease), "%" PRIu32, lifetime_s);
	atomic_fetch_add(&n->asked, 1);
	return UPNP_AddPortMapping(u->urls.controlURL,
				   u->data.first.servicetype, port, port,
				   kturn_addr_text(&n->private, own), "kturnd",
				   protocol_name(m), NULL, lease);
}

static int upnp_map(struct nat *n, const struct nat_mapping *m,
		    uint32_t lifetime_s, struct nat_grant *grant)
{
	struct upnp *u = n->state;
	char port[NUMBER_LEN];
	int ret;

	memset(grant, 0, sizeof(*grant));
	snprintf(port, sizeof(port), "%u", m->port);
	if (!lifetime_s) {
		atomic_fetch_add(&n->asked, 1);
		ret = UPNP_DeletePortMapping(u->urls.controlURL,
					     u->data.first.servicetype, port,
					     protocol_name(m), NULL);
		return ret && ret != NO_SUCH_ENTRY ? failed(n, ret) : 0;
	}
	ret = add(n, m, port, u->permanent ? 0 : lifetime_s);
	if (ret == ONLY_PERMANENT && !u->permanent) {
		u->permanent = true;
		ret = add(n, m, port, 0);
	}
	if (ret)
		return failed(n, ret);
	grant->port = m->port;
	grant->lifetime_s = lifetime_s;
	return 0;
}

const struct nat_method nat_upnp = {
	.name = "upnp",
	.maps = true,
	.open = upnp_open,
	.ask = upnp_ask,
	.map = upnp_map,
	.close = upnp_close,
};
