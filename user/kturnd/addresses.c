// SPDX-License-Identifier: GPL-2.0-or-later
/* Which addresses are served; see addresses.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addresses.h"
#include "kturn.h"
#include "local.h"
#include "log.h"
#include "peer_acl.h"
#include "socket.h"

/* RFC 8656 section 4: the default with TLS. */
#define TURNS_PORT	5349

/* How long duplicate address detection is waited for, and how often. */
#define TENTATIVE_TRIES	30
#define TENTATIVE_US	100000

static const uint8_t families[] = { KTURN_FAMILY_V4, KTURN_FAMILY_V6 };

static bool has(const struct config_addrs *list, const struct kturn_addr *addr)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (addr_equal(&list->v[i], addr))
			return true;
	return false;
}

static int add(struct config_addrs *list, const struct kturn_addr *addr)
{
	struct kturn_addr *bigger;

	if (has(list, addr))
		return 0;
	bigger = reallocarray(list->v, list->n + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	list->v = bigger;
	bigger[list->n++] = *addr;
	return 0;
}

/* The host's own; waits for those that are about to be usable. */
static int find(uint8_t family, bool loopback, struct config_addrs *found)
{
	size_t tentative;
	int ret, tries = 0;

	for (;;) {
		tentative = 0;
		found->n = 0;
		ret = local_addresses(family, loopback, &found->v, &found->n,
				      &tentative);
		if (ret || !tentative || ++tries == TENTATIVE_TRIES)
			break;
		usleep(TENTATIVE_US);
	}
	if (tentative)
		log_event(LOG_WARNING, "addresses-tentative",
			  "count=%zu effect=%s", tentative,
			  "they are not used, as they can't be bound yet");
	return ret;
}

static int add_host(struct config_addrs *list, uint8_t family, bool loopback,
		    uint16_t port)
{
	struct config_addrs found = { 0 };
	struct kturn_addr addr;
	size_t i;
	int ret;

	ret = find(family, loopback, &found);
	for (i = 0; i < found.n && !ret; i++) {
		addr = addr_with_port(&found.v[i], port);
		ret = add(list, &addr);
	}
	free(found.v);
	return ret;
}

static int add_everything(struct config_addrs *list, bool loopback, bool tls)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < sizeof(families) && !ret; i++)
		ret = add_host(list, families[i], loopback, KTURN_STUN_PORT);
	for (i = 0; i < sizeof(families) && !ret && tls; i++)
		ret = add_host(list, families[i], loopback, TURNS_PORT);
	return ret;
}

/* Both addresses with both ports. */
static int add_discovery(struct config_addrs *list,
			 const struct turn_discovery *d)
{
	struct kturn_addr addr;
	int ret = 0, i;

	for (i = 0; i < 4 && !ret; i++) {
		addr = d->addr[i / 2];
		addr.port = d->addr[i % 2].port;
		ret = add(list, &addr);
	}
	return ret;
}

static int no_addresses(int error)
{
	log_event(LOG_ERR, "no-addresses", "error=%s hint=%s",
		  error ? strerror(-error) : "the host has none",
		  "name them with --listen");
	return error ? error : -EADDRNOTAVAIL;
}

int addresses_listen(const struct config *cfg, struct config_addrs *list)
{
	const struct kturn_addr *addr;
	size_t i;
	int ret = 0;

	memset(list, 0, sizeof(*list));
	for (i = 0; i < cfg->listen.n && !ret; i++) {
		addr = &cfg->listen.v[i];
		ret = addr_is_unspecified(addr) ?
			add_host(list, addr->family, false,
				 kturn_addr_port(addr)) :
			add(list, addr);
	}
	if (!cfg->listen.n) {
		ret = add_everything(list, false, cfg->n_tls_certs);
		if (!ret && !list->n)
			ret = add_everything(list, true, cfg->n_tls_certs);
	}
	for (i = 0; i < cfg->n_discovery && !ret; i++)
		ret = add_discovery(list, &cfg->discovery[i]);
	return ret || !list->n ? no_addresses(ret) : 0;
}

/* Of a family, the globally reachable ones, or all if there is none. */
static int choose(uint8_t family, const struct config_addrs *listen,
		  struct config_addrs *list)
{
	bool any_global = false;
	struct kturn_addr addr;
	size_t i;
	int ret = 0;

	for (i = 0; i < listen->n; i++)
		any_global |= listen->v[i].family == family &&
			      peer_acl_is_global(&listen->v[i]);
	for (i = 0; i < listen->n && !ret; i++) {
		addr = addr_with_port(&listen->v[i], 0);
		if (addr.family == family &&
		    (!any_global || peer_acl_is_global(&addr)))
			ret = add(list, &addr);
	}
	return ret;
}

/* Better to hear of it now than with the first allocation. */
static int check_bindable(const struct config_addrs *list)
{
	char text[KTURN_ADDR_TEXT_MAX];
	size_t i;
	int fd;

	for (i = 0; i < list->n; i++) {
		fd = socket_bound(&list->v[i], NULL);
		if (fd < 0) {
			log_event(LOG_ERR, "relay-failed",
				  "relay=%s error=%s hint=%s",
				  kturn_addr_text(&list->v[i], text),
				  strerror(-fd),
				  "it must be an address of this host");
			return fd;
		}
		close(fd);
	}
	return 0;
}

static int external_failed(const char *private, const char *why)
{
	log_event(LOG_ERR, "external-failed", "private=%s error=%s", private,
		  why);
	return -EADDRNOTAVAIL;
}

/* One without a private address is for the only one that it can be for. */
static int choose_private(struct kturn_addr *private,
			  const struct config_addrs *list)
{
	size_t i, n = 0;

	for (i = 0; i < list->n; i++) {
		if (list->v[i].family != KTURN_FAMILY_V4)
			continue;
		*private = list->v[i];
		n++;
	}
	if (n == 1)
		return 0;
	return external_failed("none", n ? "there are several IPv4 relay addresses: name one" :
					   "there is no IPv4 relay address");
}

static int check_external(struct config *cfg, const struct config_addrs *list)
{
	char text[KTURN_ADDR_TEXT_MAX];
	struct kturn_addr *private;
	size_t i, k;

	for (i = 0; i < cfg->n_external; i++) {
		private = &cfg->external[i].private;
		if (private->family == KTURN_FAMILY_NONE &&
		    choose_private(private, list))
			return -EADDRNOTAVAIL;
		kturn_addr_text(private, text);
		if (!has(list, private))
			return external_failed(text,
					       "it is not among the relay addresses");
		for (k = 0; k < i; k++)
			if (addr_equal(private, &cfg->external[k].private))
				return external_failed(text,
						       "it is there twice");
	}
	return 0;
}

int addresses_relay(struct config *cfg, const struct config_addrs *listen,
		    struct config_addrs *list)
{
	size_t i;
	int ret = 0;

	memset(list, 0, sizeof(*list));
	for (i = 0; i < cfg->relay.n && !ret; i++)
		ret = add(list, &cfg->relay.v[i]);
	for (i = 0; i < sizeof(families) && !cfg->relay.n && !ret; i++)
		ret = choose(families[i], listen, list);
	if (!ret)
		ret = check_bindable(list);
	return ret ? ret : check_external(cfg, list);
}
