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
#include "db_url.h"
#include "kturn.h"
#include "limit_text.h"
#include "log.h"
#include "option.h"
#include "option_read.h"
#include "option_set.h"
#include "turn/turn.h"

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

static const char *set_switch(bool *to, const char *value)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return OPTION_UNEXPECTED;
	*to = value[0] == 'y';
	return NULL;
}

const char *option_set_tcp_relay(struct config *cfg, const char *value)
{
	return set_switch(&cfg->tcp_relay, value);
}

const char *option_set_max_peer_connections(struct config *cfg,
					    const char *value)
{
	return option_u32(&cfg->max_peer_connections, value, 1,
			  TURN_CONNECTIONS_MAX);
}

const char *option_set_mobility(struct config *cfg, const char *value)
{
	return set_switch(&cfg->mobility, value);
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

const char *option_set_user_limit_to_peer(struct config *cfg,
					  const char *value)
{
	return set_limit(&cfg->user_limit[0], value);
}

const char *option_set_user_limit_to_client(struct config *cfg,
					    const char *value)
{
	return set_limit(&cfg->user_limit[1], value);
}

const char *option_set_total_limit_to_peer(struct config *cfg,
					   const char *value)
{
	return set_limit(&cfg->total_limit[0], value);
}

const char *option_set_total_limit_to_client(struct config *cfg,
					     const char *value)
{
	return set_limit(&cfg->total_limit[1], value);
}

const char *option_set_software(struct config *cfg, const char *value)
{
	size_t len = strlen(value);

	if (len > SOFTWARE_MAX || u8_check((const uint8_t *)value, len))
		return OPTION_UNEXPECTED;
	return option_text(&cfg->software, value);
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
	const char *rest;

	if (db_url_kind(value, &rest) == DB_UNKNOWN || !*rest)
		return OPTION_UNEXPECTED;
	cfg->db_required = true;
	option_wipe(cfg->db);
	cfg->db = NULL;
	return option_text(&cfg->db, value);
}

const char *option_set_db_file(struct config *cfg, const char *value)
{
	return option_text(&cfg->db_file, value);
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
