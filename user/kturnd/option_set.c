// SPDX-License-Identifier: GPL-2.0-or-later
/* How the other options' values are read; see option_clients.c as well. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistr.h>

#include <array_size.h>
#include "db/userdb.h"
#include "kturn.h"
#include "limit_text.h"
#include "log.h"
#include "option.h"
#include "option_read.h"
#include "option_set.h"
#include "turn/turn.h"

#define SECRET_MAX	1024
/* RFC 8489 section 14.14: fewer than 128 characters. */
#define SOFTWARE_MAX	127

const char *option_set_relay_ports(struct config *cfg, const char *value)
{
	const char *dash = strchr(value, '-');
	unsigned long min, max;
	char text[8];

	if (!dash || (size_t)(dash - value) >= sizeof(text))
		return OPTION_UNEXPECTED;
	memcpy(text, value, (size_t)(dash - value));
	text[dash - value] = '\0';
	if (!option_number(text, 1024, 65535, &min) ||
	    !option_number(dash + 1, 1024, 65535, &max))
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
	return option_u32(&cfg->user_quota, value, 0, 1000000);
}

const char *option_set_total_quota(struct config *cfg, const char *value)
{
	return option_u32(&cfg->total_quota, value, 0, 10000000);
}

const char *option_set_max_permissions(struct config *cfg, const char *value)
{
	return option_u32(&cfg->max_permissions, value, 1, TURN_PERMISSIONS_MAX);
}

const char *option_set_max_channels(struct config *cfg, const char *value)
{
	return option_u32(&cfg->max_channels, value, 1, TURN_CHANNELS_MAX);
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
	return option_text(&cfg->realm, realm);
}

const char *option_set_software(struct config *cfg, const char *value)
{
	size_t len = strlen(value);

	if (len > SOFTWARE_MAX || u8_check((const uint8_t *)value, len))
		return OPTION_UNEXPECTED;
	return option_text(&cfg->software, value);
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
		user = option_append(&cfg->users, &cfg->n_users, sizeof(*user));
		if (user) {
			user->name = strdup(name);
			user->password = strdup(password);
		}
		if (!user || !user->name || !user->password)
			why = OPTION_NO_MEMORY;
	}
	explicit_bzero(password, sizeof(password));
	return why;
}

void option_clear_user(struct config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_users; i++) {
		free(cfg->users[i].name);
		option_wipe(cfg->users[i].password);
	}
	free(cfg->users);
	cfg->users = NULL;
	cfg->n_users = 0;
}

const char *option_set_secret(struct config *cfg, const char *value)
{
	if (!*value || strlen(value) > SECRET_MAX)
		return OPTION_UNEXPECTED;
	return option_add_text(&cfg->secrets, &cfg->n_secrets, value);
}

void option_clear_secret(struct config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_secrets; i++)
		option_wipe(cfg->secrets[i]);
	free(cfg->secrets);
	cfg->secrets = NULL;
	cfg->n_secrets = 0;
}

const char *option_set_user_file(struct config *cfg, const char *value)
{
	return option_text(&cfg->user_file, value);
}

const char *option_set_secret_file(struct config *cfg, const char *value)
{
	return option_text(&cfg->secret_file, value);
}

const char *option_set_db(struct config *cfg, const char *value)
{
	cfg->db_required = true;
	return option_text(&cfg->db, value);
}

const char *option_set_allow_peer(struct config *cfg, const char *value)
{
	return option_add_prefix(&cfg->allow, &cfg->n_allow, value);
}

void option_clear_allow_peer(struct config *cfg)
{
	free(cfg->allow);
	cfg->allow = NULL;
	cfg->n_allow = 0;
}

const char *option_set_deny_peer(struct config *cfg, const char *value)
{
	return option_add_prefix(&cfg->deny, &cfg->n_deny, value);
}

void option_clear_deny_peer(struct config *cfg)
{
	free(cfg->deny);
	cfg->deny = NULL;
	cfg->n_deny = 0;
}

const char *option_set_source_rate(struct config *cfg, const char *value)
{
	return option_u32(&cfg->source_rate, value, 0, 1000000);
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
	return option_add_text(&cfg->ingress, &cfg->n_ingress, value);
}

void option_clear_ingress(struct config *cfg)
{
	option_clear_texts(&cfg->ingress, &cfg->n_ingress);
}

const char *option_set_workers(struct config *cfg, const char *value)
{
	return option_u32(&cfg->workers, value, 0, 256);
}

const char *option_set_state_dir(struct config *cfg, const char *value)
{
	if (*value != '/')
		return OPTION_UNEXPECTED;
	cfg->state_dir_required = true;
	return option_text(&cfg->state_dir, value);
}

const char *option_set_grace(struct config *cfg, const char *value)
{
	return option_u32(&cfg->grace, value, 0, 3600);
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
