// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn flush: delete all allocations, or an owner's. */
#include <string.h>
#include "cli.h"

static int flush(struct kturn *kt, void *arg)
{
	const uint32_t *owner = arg;

	return kturn_flush(kt, *owner);
}

int flush_run(int argc, char **argv)
{
	uint32_t owner = 0;

	if (argc && strcmp(argv[0], "owner"))
		return cli_usage("unknown word '%s'", argv[0]);
	if (argc == 1)
		return cli_usage("ID is missing");
	if (argc > 2)
		return cli_usage("too many words: '%s'", argv[2]);
	if (argc && !cli_id(argv[1], &owner))
		return CLI_USAGE;
	return cli_request(flush, &owner);
}
