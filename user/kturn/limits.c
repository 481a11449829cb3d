// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn limits: show and set the network namespace's limits. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <array_size.h>
#include "cli.h"

static const struct {
	const char *name;
	const char *key;
	size_t offset;
} limits[] = {
	{ "max-allocs", "max_allocs",
	  offsetof(struct kturn_config, max_allocs) },
	{ "max-perms", "max_perms", offsetof(struct kturn_config, max_perms) },
	{ "max-chans", "max_chans", offsetof(struct kturn_config, max_chans) },
	{ "max-owners", "max_owners",
	  offsetof(struct kturn_config, max_owners) },
	{ "punt-rate", "punt_rate", offsetof(struct kturn_config, punt_rate) },
	{ "punt-burst", "punt_burst",
	  offsetof(struct kturn_config, punt_burst) },
	{ "icmp-rate", "icmp_rate", offsetof(struct kturn_config, icmp_rate) },
	{ "icmp-burst", "icmp_burst",
	  offsetof(struct kturn_config, icmp_burst) },
	{ "icmp-ind-rate", "icmp_ind_rate",
	  offsetof(struct kturn_config, icmp_ind_rate) },
	{ "icmp-ind-burst", "icmp_ind_burst",
	  offsetof(struct kturn_config, icmp_ind_burst) },
	{ "local-out", "local_out", offsetof(struct kturn_config, local_out) },
};

static uint32_t *limit_of(struct kturn_config *cfg, size_t i)
{
	return (uint32_t *)((char *)cfg + limits[i].offset);
}

static int limits_show(struct kturn *kt)
{
	struct kturn_config cfg;
	json_t *o;

	if (kturn_config_get(kt, &cfg))
		return cli_error("%s", kturn_error(kt));
	if (!cli_json()) {
		for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
			printf("%-16s%" PRIu32 "\n", limits[i].name,
			       *limit_of(&cfg, i));
		return CLI_OK;
	}
	o = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		cli_json_put(o, limits[i].key,
			     json_integer(*limit_of(&cfg, i)));
	return cli_json_print(o);
}

/* NAME NUMBER ... */
static bool limits_read(int argc, char **argv, struct kturn_config *cfg)
{
	size_t k;

	for (int i = 0; i < argc; i += 2) {
		for (k = 0; k < ARRAY_SIZE(limits); k++)
			if (!strcmp(argv[i], limits[k].name))
				break;
		if (k == ARRAY_SIZE(limits)) {
			cli_usage("unknown limit '%s'", argv[i]);
			return false;
		}
		if (i + 1 == argc) {
			cli_usage("nothing follows '%s'", argv[i]);
			return false;
		}
		/* The last number stands for "keep". */
		if (!cli_number(argv[i + 1], 0, UINT32_MAX - 1,
				limit_of(cfg, k))) {
			cli_usage("%s: '%s' is not a number up to 4294967294",
				  argv[i], argv[i + 1]);
			return false;
		}
	}
	return true;
}

int limits_run(int argc, char **argv)
{
	struct kturn_config cfg;
	int status = CLI_OK;
	struct kturn *kt;

	memset(&cfg, 0xff, sizeof(cfg));
	if (argc && strcmp(argv[0], "set"))
		return cli_usage("unknown word '%s'", argv[0]);
	if (argc == 1)
		return cli_usage("NAME is missing");
	if (argc && !limits_read(argc - 1, argv + 1, &cfg))
		return CLI_USAGE;
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	if (!argc)
		status = limits_show(kt);
	else if (kturn_config_set(kt, &cfg))
		status = cli_error("%s", kturn_error(kt));
	kturn_close(kt);
	return status;
}
