// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn chan: add and delete channels. */
#include <stdlib.h>
#include <string.h>
#include "cli.h"

/* A channel number: hexadecimal with 0x, else decimal. */
static bool number_read(const char *text, uint16_t *number)
{
	uint32_t value = 0;
	char *end;

	if (!strncmp(text, "0x", 2) && strlen(text) <= 6) {
		value = strtoul(text + 2, &end, 16);
		if (*end || end == text + 2 || text[2] == '-' ||
		    text[2] == '+' || text[2] == ' ')
			value = UINT32_MAX;
	} else if (!cli_number(text, 0, UINT16_MAX, &value)) {
		value = UINT32_MAX;
	}
	if (value > UINT16_MAX) {
		cli_usage("'%s' is not a channel number, as in 0x4000", text);
		return false;
	}
	*number = value;
	return true;
}

/* ALLOC-ID NUMBER, the first two words. */
static bool key_read(int argc, char **argv, struct kturn_chan *c)
{
	if (argc < 2) {
		cli_usage("%s is missing", argc ? "NUMBER" : "ALLOC-ID");
		return false;
	}
	if (!cli_number(argv[0], 1, UINT32_MAX, &c->alloc_id)) {
		cli_usage("'%s' is not an ID", argv[0]);
		return false;
	}
	return number_read(argv[1], &c->number);
}

static int add_run(int argc, char **argv)
{
	struct kturn_chan c = { 0 };
	int status = CLI_OK;
	struct kturn *kt;

	if (!key_read(argc, argv, &c))
		return CLI_USAGE;
	if (argc < 3)
		return cli_usage("PEER:PORT is missing");
	if (!cli_addr("peer", argv[2], true, &c.peer))
		return CLI_USAGE;
	if (argc != 5 || strcmp(argv[3], "lifetime"))
		return cli_usage("expected: lifetime TIME");
	if (!cli_time("lifetime", argv[4], &c.lifetime_ms))
		return CLI_USAGE;
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	if (kturn_chan_new(kt, c.alloc_id, c.number, &c.peer, c.lifetime_ms))
		status = cli_error("%s", kturn_error(kt));
	kturn_close(kt);
	return status;
}

static int del_run(int argc, char **argv)
{
	struct kturn_chan c = { 0 };
	int status = CLI_OK;
	struct kturn *kt;

	if (!key_read(argc, argv, &c))
		return CLI_USAGE;
	if (argc > 2)
		return cli_usage("too many words: '%s'", argv[2]);
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	if (kturn_chan_del(kt, c.alloc_id, c.number))
		status = cli_error("%s", kturn_error(kt));
	kturn_close(kt);
	return status;
}

const struct cli_command chan_commands[] = {
	{
		.name = "add",
		.arguments = "ALLOC-ID NUMBER PEER:PORT lifetime TIME",
		.summary = "Bind a channel, or refresh it.",
		.details =
"NUMBER is 0x4000 to 0x7fff. The permission is a matter of its own: without\n"
"one, the channel relays from the client only.",
		.run = add_run,
	}, {
		.name = "del",
		.arguments = "ALLOC-ID NUMBER",
		.summary = "Unbind a channel.",
		.run = del_run,
	},
	{ 0 }
};
