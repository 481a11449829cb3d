// SPDX-License-Identifier: GPL-2.0-or-later
/* How is read what an address is known as outside a NAT. */
#include <stdlib.h>
#include <string.h>

#include <array_size.h>
#include "kturn.h"
#include "option.h"
#include "option_read.h"
#include "option_set.h"

/* RFC 1035 section 2.3.4, and the brackets of an IPv6 address. */
#define HOST_MAX	255

static bool is_port(const char *text, uint16_t *port)
{
	unsigned long number;

	if (!option_number(text, 1, 65535, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* HOST[:PORT], where an IPv6 address is in brackets. */
static bool read_host(char *text, struct config_external *ext)
{
	size_t len = *text == '[' ? strcspn(text, "]") + 1 :
				    strcspn(text, ":");
	char *host = text, *port = text + len;

	if (len > strlen(text) || len > HOST_MAX)
		return false;
	ext->host_port = KTURN_STUN_PORT;
	if (*port && (*port != ':' || !is_port(port + 1, &ext->host_port)))
		return false;
	if (*host == '[') {
		host++;
		port--;
	}
	*port = '\0';
	if (!*host || strpbrk(host, " \t/"))
		return false;
	ext->host = strdup(host);
	return ext->host;
}

static bool read_method(char *text, struct config_external *ext)
{
	static const char *const names[] = {
		[CONFIG_EXTERNAL_NAT_PMP] = "nat-pmp",
		[CONFIG_EXTERNAL_UPNP] = "upnp",
		[CONFIG_EXTERNAL_PCP] = "pcp",
	};
	size_t i;

	if (!strncmp(text, "stun:", 5)) {
		ext->method = CONFIG_EXTERNAL_STUN;
		return read_host(text + 5, ext);
	}
	for (i = CONFIG_EXTERNAL_NAT_PMP; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]))
			continue;
		ext->method = (enum config_external_method)i;
		return true;
	}
	return false;
}

/* METHOD[/PRIVATE] */
static bool read_learnt(const char *value, struct config_external *ext)
{
	char text[HOST_MAX + 32 + KTURN_ADDR_TEXT_MAX], *slash;

	if (strlen(value) >= sizeof(text))
		return false;
	memcpy(text, value, strlen(value) + 1);
	slash = strchr(text, '/');
	if (slash) {
		*slash++ = '\0';
		if (kturn_addr_parse(slash, &ext->private) ||
		    ext->private.port || addr_is_unspecified(&ext->private) ||
		    option_multicast(&ext->private))
			return false;
	}
	return read_method(text, ext);
}

static const char *read_external(const char *value,
				 struct config_external *ext)
{
	if (read_learnt(value, ext)) {
		if (ext->private.family != KTURN_FAMILY_V6 ||
		    ext->method == CONFIG_EXTERNAL_STUN)
			return NULL;
		return "gateways map ports of IPv4 addresses";
	}
	if (!option_two_addrs(value, &ext->public, &ext->private) ||
	    ext->public.port || ext->private.port)
		return OPTION_UNEXPECTED;
	return addr_equal(&ext->public, &ext->private) ?
	       "both sides are the same" : NULL;
}

static const char *find_twin(const struct config *cfg,
			     const struct config_external *ext)
{
	const struct config_external *e;
	size_t i;

	for (i = 0; i < cfg->n_external; i++) {
		e = &cfg->external[i];
		if (ext->public.family && addr_equal(&e->public, &ext->public))
			return "the public address is there twice";
		if (addr_equal(&e->private, &ext->private))
			return "the private address is there twice";
	}
	return NULL;
}

const char *option_set_external(struct config *cfg, const char *value)
{
	struct config_external ext = { 0 }, *room;
	const char *why = read_external(value, &ext);

	if (!why)
		why = find_twin(cfg, &ext);
	if (why) {
		free(ext.host);
		return why;
	}
	room = option_append(&cfg->external, &cfg->n_external, sizeof(*room));
	if (!room) {
		free(ext.host);
		return OPTION_NO_MEMORY;
	}
	*room = ext;
	return NULL;
}

void option_clear_external(struct config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_external; i++)
		free(cfg->external[i].host);
	free(cfg->external);
	cfg->external = NULL;
	cfg->n_external = 0;
}

const char *option_set_external_check(struct config *cfg, const char *value)
{
	return option_u32(&cfg->external_check, value, 1, 3600);
}
