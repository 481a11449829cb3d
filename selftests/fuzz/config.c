// SPDX-License-Identifier: GPL-2.0-or-later
/* kturnd's configuration file: whatever is in it, values or an error. */
#include "fuzz.h"
#include "kturnd/config.h"

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
		FUZZ_ASSERT(cfg.external[i].public.family ==
			    cfg.external[i].private.family);
	for (i = 0; i < cfg.n_users; i++)
		FUZZ_ASSERT(*cfg.users[i].name && *cfg.users[i].password);
	config_free(&cfg);
	return 0;
}
