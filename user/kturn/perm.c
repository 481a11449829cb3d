// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn perm: add and delete permissions. */
#include "cli.h"

/* ALLOC-ID PEER-IP, the first two words. */
static bool key_read(int argc, char **argv, struct kturn_perm *p)
{
	return cli_key(argc, argv, "PEER-IP", &p->alloc_id) &&
	       cli_addr("peer", argv[1], false, &p->peer);
}

static int perm_new(struct kturn *kt, void *arg)
{
	const struct kturn_perm *p = arg;

	return kturn_perm_new(kt, p->alloc_id, &p->peer, p->lifetime_ms);
}

static int add_run(int argc, char **argv)
{
	struct kturn_perm p = { 0 };

	if (!key_read(argc, argv, &p) ||
	    !cli_lifetime(argc - 2, argv + 2, &p.lifetime_ms))
		return CLI_USAGE;
	return cli_request(perm_new, &p);
}

static int perm_del(struct kturn *kt, void *arg)
{
	const struct kturn_perm *p = arg;

	return kturn_perm_del(kt, p->alloc_id, &p->peer);
}

static int del_run(int argc, char **argv)
{
	struct kturn_perm p = { 0 };

	if (!key_read(argc, argv, &p))
		return CLI_USAGE;
	if (argc > 2)
		return cli_usage("too many words: '%s'", argv[2]);
	return cli_request(perm_del, &p);
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
