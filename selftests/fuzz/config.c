// SPDX-License-Identifier: GPL-2.0-or-later
/* kturnd's configuration file: whatever is in it, values or an error. */
#include "fuzz.h"
#include "kturnd/config.h"

static void check_external(const struct config_external *ext)
{
	if (ext->method == CONFIG_EXTERNAL_STATIC) {
		FUZZ_ASSERT(ext->public.family == ext->private.family);
		return;
	}
	FUZZ_ASSERT(ext->public.family == KTURN_FAMILY_NONE);
	FUZZ_ASSERT(!ext->private.port);
	FUZZ_ASSERT(!!ext->host == (ext->method == CONFIG_EXTERNAL_STUN));
	FUZZ_ASSERT(!ext->host || (*ext->host && ext->host_port));
}

int fuzz_one(const __u8 *data, size_t size)
{
	__u8 *copy = fuzz_copy(data, size);
	struct config cfg;
	size_t i;

	config_init(&cfg, NULL);
	config_yaml(&cfg, "fuzz", copy, size);
	free(copy);

	/* What the rest of the daemon relies on, error or not. */
	FUZZ_ASSERT(cfg.relay_port_min >= 1024);
	FUZZ_ASSERT(cfg.relay_port_min <= cfg.relay_port_max);
	FUZZ_ASSERT(cfg.chan_max == KTURN_CHAN_MAX ||
		    cfg.chan_max == KTURN_CHAN_MAX_5766);
	FUZZ_ASSERT(cfg.workers <= 256);
	FUZZ_ASSERT(cfg.grace <= 3600);
	FUZZ_ASSERT(cfg.realm && *cfg.realm && strlen(cfg.realm) <= 104);
	FUZZ_ASSERT(cfg.state_dir && *cfg.state_dir == '/');
	for (i = 0; i < cfg.listen.n; i++)
		FUZZ_ASSERT(cfg.listen.v[i].family && cfg.listen.v[i].port);
	for (i = 0; i < cfg.relay.n; i++)
		FUZZ_ASSERT(cfg.relay.v[i].family && !cfg.relay.v[i].port);
	for (i = 0; i < cfg.n_external; i++)
		check_external(&cfg.external[i]);
	for (i = 0; i < cfg.n_users; i++)
		FUZZ_ASSERT(*cfg.users[i].name && *cfg.users[i].password);
	config_free(&cfg);
	return 0;
}
