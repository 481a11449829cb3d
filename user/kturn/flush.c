// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn flush: delete all allocations, or an owner's. */
#include <string.h>
#include "cli.h"

int flush_run(int argc, char **argv)
{
	uint32_t owner = 0;
	int status = CLI_OK;
	struct kturn *kt;

	if (argc && strcmp(argv[0], "owner"))
		return cli_usage("unknown word '%s'", argv[0]);
	if (argc == 1)
		return cli_usage("ID is missing");
	if (argc > 2)
		return cli_usage("too many words: '%s'", argv[2]);
	if (argc && !cli_number(argv[1], 1, UINT32_MAX, &owner))
		return cli_usage("'%s' is not an ID", argv[1]);
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	if (kturn_flush(kt, owner))
		status = cli_error("%s", kturn_error(kt));
	kturn_close(kt);
	return status;
}
