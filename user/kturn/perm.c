// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn perm: add and delete permissions. */
#include <string.h>
#include "cli.h"

/* ALLOC-ID PEER-IP, the first two words. */
static bool key_read(int argc, char **argv, struct kturn_perm *p)
{
	if (argc < 2) {
		cli_usage("%s is missing", argc ? "PEER-IP" : "ALLOC-ID");
		return false;
	}
	if (!cli_number(argv[0], 1, UINT32_MAX, &p->alloc_id)) {
		cli_usage("'%s' is not an ID", argv[0]);
		return false;
	}
	return cli_addr("peer", argv[1], false, &p->peer);
}

static int add_run(int argc, char **argv)
{
	struct kturn_perm p = { 0 };
	int status = CLI_OK;
	struct kturn *kt;

	if (!key_read(argc, argv, &p))
		return CLI_USAGE;
	if (argc != 4 || strcmp(argv[2], "lifetime"))
		return cli_usage("expected: lifetime TIME");
	if (!cli_time("lifetime", argv[3], &p.lifetime_ms))
		return CLI_USAGE;
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	if (kturn_perm_new(kt, p.alloc_id, &p.peer, p.lifetime_ms))
		status = cli_error("%s", kturn_error(kt));
	kturn_close(kt);
	return status;
}

static int del_run(int argc, char **argv)
{
	struct kturn_perm p = { 0 };
	int status = CLI_OK;
	struct kturn *kt;

	if (!key_read(argc, argv, &p))
		return CLI_USAGE;
	if (argc > 2)
		return cli_usage("too many words: '%s'", argv[2]);
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	if (kturn_perm_del(kt, p.alloc_id, &p.peer))
		status = cli_error("%s", kturn_error(kt));
	kturn_close(kt);
	return status;
}

const struct cli_command perm_commands[] = {
	{
		.name = "add",
		.arguments = "ALLOC-ID PEER-IP lifetime TIME",
		.summary = "Install a permission, or refresh it.",
		.run = add_run,
	}, {
		.name = "del",
		.arguments = "ALLOC-ID PEER-IP",
		.summary = "End a permission.",
		.details =
"A channel to the peer then relays from the client only.",
		.run = del_run,
	},
	{ 0 }
};
