// SPDX-License-Identifier: GPL-2.0-or-later
/* How each option's value is read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <array_size.h>
#include "db/userdb.h"
#include "kturn.h"
#include "limit_text.h"
#include "log.h"
#include "option.h"
#include "option_set.h"
#include "turn/turn.h"

#define NO_MEMORY	"out of memory"
#define SECRET_MAX	1024

/* Makes room for one more; returns it, or NULL. */
static void *append(void *array, size_t *n, size_t size)
{
	void **v = array, *bigger;

	bigger = reallocarray(*v, *n + 1, size);
	if (!bigger)
		return NULL;
	*v = bigger;
	return memset((char *)bigger + (*n)++ * size, 0, size);
}

/* Digits only. */
static bool number(const char *text, unsigned long min, unsigned long max,
		   unsigned long *result)
{
	if (!*text || strspn(text, "0123456789") != strlen(text) ||
	    strlen(text) > 9)
		return false;
	*result = strtoul(text, NULL, 10);
	return *result >= min && *result <= max;
}

static const char *set_number(uint32_t *where, const char *value,
			      unsigned long min, unsigned long max)
{
	unsigned long n;

	if (!number(value, min, max, &n))
		return OPTION_UNEXPECTED;
	*where = (uint32_t)n;
	return NULL;
}

static const char *set_text(char **where, const char *value)
{
	char *copy;

	if (!*value)
		return OPTION_UNEXPECTED;
	copy = strdup(value);
	if (!copy)
		return NO_MEMORY;
	free(*where);
	*where = copy;
	return NULL;
}

/* One more text in a list. */
static const char *add_text(char ***list, size_t *n, const char *value)
{
	char **room = append(list, n, sizeof(*room));

	if (!room)
		return NO_MEMORY;
	*room = strdup(value);
	return *room ? NULL : NO_MEMORY;
}

static void clear_texts(char ***list, size_t *n)
{
	size_t i;

	for (i = 0; i < *n; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*n = 0;
}

static const char *add_prefix(struct prefix **list, size_t *n,
			      const char *value)
{
	struct prefix prefix, *room;

	if (prefix_parse(value, &prefix))
		return OPTION_UNEXPECTED;
	room = append(list, n, sizeof(*room));
	if (!room)
		return NO_MEMORY;
	*room = prefix;
	return NULL;
}

static void wipe(char *text)
{
	if (!text)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}

static bool multicast(const struct kturn_addr *addr)
{
	return addr->family == KTURN_FAMILY_V4 ? addr->ip[0] >= 224 :
						 addr->ip[0] == 0xff;
}

/* Two particular addresses of one family with a slash between them. */
static bool two_addrs(const char *value, struct kturn_addr *a,
		      struct kturn_addr *b)
{
	const char *slash = strchr(value, '/');
	char text[KTURN_ADDR_TEXT_MAX];

	if (!slash || (size_t)(slash - value) >= sizeof(text))
		return false;
	memcpy(text, value, (size_t)(slash - value));
	text[slash - value] = '\0';
	return !kturn_addr_parse(text, a) && !kturn_addr_parse(slash + 1, b) &&
	       a->family == b->family && !addr_is_unspecified(a) &&
	       !addr_is_unspecified(b) && !multicast(a) && !multicast(b);
}

static const char *add_addr(struct config_addrs *list,
			    const struct kturn_addr *addr)
{
	struct kturn_addr *room;
	size_t i;

	if (multicast(addr))
		return "a multicast or reserved address can't be bound";
	for (i = 0; i < list->n; i++)
		if (addr_equal(&list->v[i], addr))
			return "it is there twice";
	room = append(&list->v, &list->n, sizeof(*list->v));
	if (!room)
		return NO_MEMORY;
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

	if (!two_addrs(value, &d.addr[0], &d.addr[1]) || !d.addr[0].port ||
	    !d.addr[1].port)
		return OPTION_UNEXPECTED;
	if (addr_ip_equal(&d.addr[0], &d.addr[1]) ||
	    d.addr[0].port == d.addr[1].port)
		return "they have to differ in address and port";
	room = append(&cfg->discovery, &cfg->n_discovery, sizeof(*room));
	if (!room)
		return NO_MEMORY;
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
	return add_text(&cfg->tls_certs, &cfg->n_tls_certs, value);
}

void option_clear_tls_cert(struct config *cfg)
{
	clear_texts(&cfg->tls_certs, &cfg->n_tls_certs);
}

const char *option_set_tls_key(struct config *cfg, const char *value)
{
	if (!*value)
		return OPTION_UNEXPECTED;
	return add_text(&cfg->tls_keys, &cfg->n_tls_keys, value);
}

void option_clear_tls_key(struct config *cfg)
{
	clear_texts(&cfg->tls_keys, &cfg->n_tls_keys);
}

const char *option_set_tls_client_ca(struct config *cfg, const char *value)
{
	return set_text(&cfg->tls_client_ca, value);
}

const char *option_set_proxy_from(struct config *cfg, const char *value)
{
	return add_prefix(&cfg->proxies, &cfg->n_proxies, value);
}

void option_clear_proxy_from(struct config *cfg)
{
	free(cfg->proxies);
	cfg->proxies = NULL;
	cfg->n_proxies = 0;
}

const char *option_set_max_connections(struct config *cfg, const char *value)
{
	return set_number(&cfg->max_connections, value, 1, 1000000);
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

const char *option_set_external(struct config *cfg, const char *value)
{
	struct config_external ext, *room;
	size_t i;

	if (!two_addrs(value, &ext.public, &ext.private) || ext.public.port ||
	    ext.private.port)
		return OPTION_UNEXPECTED;
	if (addr_equal(&ext.public, &ext.private))
		return "both sides are the same";
	for (i = 0; i < cfg->n_external; i++) {
		if (addr_equal(&cfg->external[i].public, &ext.public))
			return "the public address is there twice";
		if (addr_equal(&cfg->external[i].private, &ext.private))
			return "the private address is there twice";
	}
	room = append(&cfg->external, &cfg->n_external, sizeof(*room));
	if (!room)
		return NO_MEMORY;
	*room = ext;
	return NULL;
}

void option_clear_external(struct config *cfg)
{
	free(cfg->external);
	cfg->external = NULL;
	cfg->n_external = 0;
}

const char *option_set_relay_ports(struct config *cfg, const char *value)
{
	const char *dash = strchr(value, '-');
	unsigned long min, max;
	char text[8];

	if (!dash || (size_t)(dash - value) >= sizeof(text))
		return OPTION_UNEXPECTED;
	memcpy(text, value, (size_t)(dash - value));
	text[dash - value] = '\0';
	if (!number(text, 1024, 65535, &min) ||
	    !number(dash + 1, 1024, 65535, &max))
		return OPTION_UNEXPECTED;
	if (min > max)
		return "the first port is above the last";
	cfg->relay_port_min = (uint16_t)min;
	cfg->relay_port_max = (uint16_t)max;
	return NULL;
}

const char *option_set_channel_range(struct config *cfg, const char *value)
{
	if (!strcmp(value, "8656"))
		cfg->chan_max = KTURN_CHAN_MAX;
	else if (!strcmp(value, "5766"))
		cfg->chan_max = KTURN_CHAN_MAX_5766;
	else
		return OPTION_UNEXPECTED;
	return NULL;
}

const char *option_set_user_quota(struct config *cfg, const char *value)
{
	return set_number(&cfg->user_quota, value, 0, 1000000);
}

const char *option_set_total_quota(struct config *cfg, const char *value)
{
	return set_number(&cfg->total_quota, value, 0, 10000000);
}

const char *option_set_max_permissions(struct config *cfg, const char *value)
{
	return set_number(&cfg->max_permissions, value, 1, TURN_PERMISSIONS_MAX);
}

const char *option_set_max_channels(struct config *cfg, const char *value)
{
	return set_number(&cfg->max_channels, value, 1, TURN_CHANNELS_MAX);
}

static const char *set_limit(struct kturn_limit *limit, const char *value)
{
	struct turn_limit unused;
	int ret = limit_parse(value, limit);

	if (ret == -EINVAL)
		return OPTION_UNEXPECTED;
	if (!ret)
		ret = turn_limit_init(&unused, limit->bit_rate,
				      limit->burst_bytes, limit->packet_rate,
				      limit->burst_packets);
	return ret ? "a number is out of range" : NULL;
}

const char *option_set_limit_to_peer(struct config *cfg, const char *value)
{
	return set_limit(&cfg->limit[0], value);
}

const char *option_set_limit_to_client(struct config *cfg, const char *value)
{
	return set_limit(&cfg->limit[1], value);
}

const char *option_set_redirect_above(struct config *cfg, const char *value)
{
	return set_number(&cfg->redirect_above, value, 0, 10000000);
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
	    multicast(&addr) || (*slash && !slash[1]) || strlen(slash) > 255)
		return OPTION_UNEXPECTED;
	if (!addr.port)
		kturn_addr_set_port(&addr, KTURN_STUN_PORT);
	room = append(&cfg->alternates, &cfg->n_alternates, sizeof(*room));
	if (!room)
		return NO_MEMORY;
	room->addr = addr;
	room->domain = *slash ? strdup(slash + 1) : NULL;
	return *slash && !room->domain ? NO_MEMORY : NULL;
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

/*
 * Prepare a text; what is wrong comes back with the name of the thing before
 * it, in words that last until the next call: options are read by one thread.
 */
static const char *prepare(enum userdb_text what, const char *thing,
			   const char *text, size_t len, char *out,
			   size_t size)
{
	const char *why = userdb_prepare(what, text, len, out, size);
	static char words[128];

	if (!why)
		return NULL;
	snprintf(words, sizeof(words), "%s %s", thing, why);
	return words;
}

const char *option_set_realm(struct config *cfg, const char *value)
{
	char realm[USERDB_REALM_BYTES_MAX + 1];
	const char *why = prepare(USERDB_TEXT_REALM, "it", value,
				  strlen(value), realm, sizeof(realm));

	if (why)
		return why;
	if (strlen(realm) > TURN_OWN_REALM_MAX)
		return OPTION_UNEXPECTED;
	return set_text(&cfg->realm, realm);
}

const char *option_set_user(struct config *cfg, const char *value)
{
	char name[USERDB_NAME_MAX + 1], password[USERDB_PASSWORD_MAX + 1];
	const char *colon = strchr(value, ':'), *why;
	struct config_user *user;
	size_t i;

	if (!colon)
		return OPTION_UNEXPECTED;
	why = prepare(USERDB_TEXT_NAME, "the name", value,
		      (size_t)(colon - value), name, sizeof(name));
	if (!why)
		why = prepare(USERDB_TEXT_PASSWORD, "the password", colon + 1,
			      strlen(colon + 1), password, sizeof(password));
	for (i = 0; i < cfg->n_users && !why; i++)
		if (!strcmp(cfg->users[i].name, name))
			why = "there is another user of that name";
	if (!why) {
		user = append(&cfg->users, &cfg->n_users, sizeof(*user));
		if (user) {
			user->name = strdup(name);
			user->password = strdup(password);
		}
		if (!user || !user->name || !user->password)
			why = NO_MEMORY;
	}
	explicit_bzero(password, sizeof(password));
	return why;
}

void option_clear_user(struct config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_users; i++) {
		free(cfg->users[i].name);
		wipe(cfg->users[i].password);
	}
	free(cfg->users);
	cfg->users = NULL;
	cfg->n_users = 0;
}

const char *option_set_secret(struct config *cfg, const char *value)
{
	if (!*value || strlen(value) > SECRET_MAX)
		return OPTION_UNEXPECTED;
	return add_text(&cfg->secrets, &cfg->n_secrets, value);
}

void option_clear_secret(struct config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_secrets; i++)
		wipe(cfg->secrets[i]);
	free(cfg->secrets);
	cfg->secrets = NULL;
	cfg->n_secrets = 0;
}

const char *option_set_user_file(struct config *cfg, const char *value)
{
	return set_text(&cfg->user_file, value);
}

const char *option_set_secret_file(struct config *cfg, const char *value)
{
	return set_text(&cfg->secret_file, value);
}

const char *option_set_db(struct config *cfg, const char *value)
{
	cfg->db_required = true;
	return set_text(&cfg->db, value);
}

const char *option_set_allow_peer(struct config *cfg, const char *value)
{
	return add_prefix(&cfg->allow, &cfg->n_allow, value);
}

void option_clear_allow_peer(struct config *cfg)
{
	free(cfg->allow);
	cfg->allow = NULL;
	cfg->n_allow = 0;
}

const char *option_set_deny_peer(struct config *cfg, const char *value)
{
	return add_prefix(&cfg->deny, &cfg->n_deny, value);
}

void option_clear_deny_peer(struct config *cfg)
{
	free(cfg->deny);
	cfg->deny = NULL;
	cfg->n_deny = 0;
}

const char *option_set_source_rate(struct config *cfg, const char *value)
{
	return set_number(&cfg->source_rate, value, 0, 1000000);
}

const char *option_set_plane(struct config *cfg, const char *value)
{
	if (!strcmp(value, "auto"))
		cfg->plane = CONFIG_PLANE_AUTO;
	else if (!strcmp(value, "kernel"))
		cfg->plane = CONFIG_PLANE_KERNEL;
	else if (!strcmp(value, "user"))
		cfg->plane = CONFIG_PLANE_USER;
	else
		return OPTION_UNEXPECTED;
	return NULL;
}

const char *option_set_ingress(struct config *cfg, const char *value)
{
	size_t i;

	/* As the kernel's dev_valid_name(). */
	if (!*value || strlen(value) > KTURN_IFNAME_MAX ||
	    strpbrk(value, "/: \t\n\v\f\r") || !strcmp(value, ".") ||
	    !strcmp(value, ".."))
		return OPTION_UNEXPECTED;
	for (i = 0; i < cfg->n_ingress; i++)
		if (!strcmp(cfg->ingress[i], value))
			return "it is there twice";
	return add_text(&cfg->ingress, &cfg->n_ingress, value);
}

void option_clear_ingress(struct config *cfg)
{
	clear_texts(&cfg->ingress, &cfg->n_ingress);
}

const char *option_set_workers(struct config *cfg, const char *value)
{
	return set_number(&cfg->workers, value, 0, 256);
}

const char *option_set_state_dir(struct config *cfg, const char *value)
{
	if (*value != '/')
		return OPTION_UNEXPECTED;
	cfg->state_dir_required = true;
	return set_text(&cfg->state_dir, value);
}

const char *option_set_grace(struct config *cfg, const char *value)
{
	return set_number(&cfg->grace, value, 0, 3600);
}

const char *option_set_log_level(struct config *cfg, const char *value)
{
	static const int levels[] = { LOG_ERR, LOG_WARNING, LOG_NOTICE,
				      LOG_INFO, LOG_DEBUG };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		if (!strcmp(value, log_level_name(levels[i]))) {
			cfg->log_level = levels[i];
			return NULL;
		}
	}
	return OPTION_UNEXPECTED;
}
