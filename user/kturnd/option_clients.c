// SPDX-License-Identifier: GPL-2.0-or-later
/* How the values of options are read that say where clients are served. */
#include <stdlib.h>
#include <string.h>

#include <array_size.h>
#include "kturn.h"
#include "option.h"
#include "option_read.h"
#include "option_set.h"

static const char *add_addr(struct config_addrs *list,
			    const struct kturn_addr *addr)
{
	struct kturn_addr *room;
	size_t i;

	if (option_multicast(addr))
		return "a multicast or reserved address can't be bound";
	for (i = 0; i < list->n; i++)
		if (addr_equal(&list->v[i], addr))
			return "it is there twice";
	room = option_append(&list->v, &list->n, sizeof(*list->v));
	if (!room)
		return OPTION_NO_MEMORY;
	*room = *addr;
	return NULL;
}

const char *option_set_listen(struct config *cfg, const char *value)
{
	struct kturn_addr addr;

	if (kturn_addr_parse(value, &addr))
		return OPTION_UNEXPECTED;
	if (!addr.port)
		kturn_addr_set_port(&addr, KTURN_STUN_PORT);
	return add_addr(&cfg->listen, &addr);
}

void option_clear_listen(struct config *cfg)
{
	free(cfg->listen.v);
	memset(&cfg->listen, 0, sizeof(cfg->listen));
}

const char *option_set_nat_discovery(struct config *cfg, const char *value)
{
	struct turn_discovery d, *room;

	if (!option_two_addrs(value, &d.addr[0], &d.addr[1]) || !d.addr[0].port ||
	    !d.addr[1].port)
		return OPTION_UNEXPECTED;
	if (addr_ip_equal(&d.addr[0], &d.addr[1]) ||
	    d.addr[0].port == d.addr[1].port)
		return "they have to differ in address and port";
	room = option_append(&cfg->discovery, &cfg->n_discovery, sizeof(*room));
	if (!room)
		return OPTION_NO_MEMORY;
	*room = d;
	return NULL;
}

void option_clear_nat_discovery(struct config *cfg)
{
	free(cfg->discovery);
	cfg->discovery = NULL;
	cfg->n_discovery = 0;
}

const char *option_set_transport(struct config *cfg, const char *value)
{
	static const char *const names[] = { "udp", "tcp", "tls", "dtls" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(value, names[i])) {
			cfg->transports |= 1u << i;
			return NULL;
		}
	}
	return OPTION_UNEXPECTED;
}

void option_clear_transport(struct config *cfg)
{
	cfg->transports = 0;
}

const char *option_set_tls_cert(struct config *cfg, const char *value)
{
	if (!*value)
		return OPTION_UNEXPECTED;
	return option_add_text(&cfg->tls_certs, &cfg->n_tls_certs, value);
}

void option_clear_tls_cert(struct config *cfg)
{
	option_clear_texts(&cfg->tls_certs, &cfg->n_tls_certs);
}

const char *option_set_tls_key(struct config *cfg, const char *value)
{
	if (!*value)
		return OPTION_UNEXPECTED;
	return option_add_text(&cfg->tls_keys, &cfg->n_tls_keys, value);
}

void option_clear_tls_key(struct config *cfg)
{
	option_clear_texts(&cfg->tls_keys, &cfg->n_tls_keys);
}

const char *option_set_tls_client_ca(struct config *cfg, const char *value)
{
	return option_text(&cfg->tls_client_ca, value);
}

const char *option_set_proxy_from(struct config *cfg, const char *value)
{
	return option_add_prefix(&cfg->proxies, &cfg->n_proxies, value);
}

void option_clear_proxy_from(struct config *cfg)
{
	free(cfg->proxies);
	cfg->proxies = NULL;
	cfg->n_proxies = 0;
}

const char *option_set_max_connections(struct config *cfg, const char *value)
{
	return option_u32(&cfg->max_connections, value, 1, 1000000);
}

const char *option_set_relay(struct config *cfg, const char *value)
{
	struct kturn_addr addr;

	if (kturn_addr_parse(value, &addr) || addr.port)
		return OPTION_UNEXPECTED;
	if (addr_is_unspecified(&addr))
		return "a relayed address must be a particular one";
	return add_addr(&cfg->relay, &addr);
}

void option_clear_relay(struct config *cfg)
{
	free(cfg->relay.v);
	memset(&cfg->relay, 0, sizeof(cfg->relay));
}

const char *option_set_redirect_above(struct config *cfg, const char *value)
{
	return option_u32(&cfg->redirect_above, value, 0, 10000000);
}

const char *option_set_alternate_server(struct config *cfg, const char *value)
{
	const char *slash = strchrnul(value, '/');
	char text[KTURN_ADDR_TEXT_MAX];
	struct config_alternate *room;
	struct kturn_addr addr;

	if ((size_t)(slash - value) >= sizeof(text))
		return OPTION_UNEXPECTED;
	memcpy(text, value, (size_t)(slash - value));
	text[slash - value] = '\0';
	/* RFC 8489 section 14.16: at most 255 bytes. */
	if (kturn_addr_parse(text, &addr) || addr_is_unspecified(&addr) ||
	    option_multicast(&addr) || (*slash && !slash[1]) || strlen(slash) > 255)
		return OPTION_UNEXPECTED;
	if (!addr.port)
		kturn_addr_set_port(&addr, KTURN_STUN_PORT);
	room = option_append(&cfg->alternates, &cfg->n_alternates, sizeof(*room));
	if (!room)
		return OPTION_NO_MEMORY;
	room->addr = addr;
	room->domain = *slash ? strdup(slash + 1) : NULL;
	return *slash && !room->domain ? OPTION_NO_MEMORY : NULL;
}

void option_clear_alternate_server(struct config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_alternates; i++)
		free(cfg->alternates[i].domain);
	free(cfg->alternates);
	cfg->alternates = NULL;
	cfg->n_alternates = 0;
}
