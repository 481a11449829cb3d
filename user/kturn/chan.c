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
	return cli_key(argc, argv, "NUMBER", &c->alloc_id) &&
	       number_read(argv[1], &c->number);
}

static int chan_new(struct kturn *kt, void *arg)
{
	const struct kturn_chan *c = arg;

	return kturn_chan_new(kt, c->alloc_id, c->number, &c->peer,
			      c->lifetime_ms);
}

static int add_run(int argc, char **argv)
{
	struct kturn_chan c = { 0 };

	if (!key_read(argc, argv, &c))
		return CLI_USAGE;
	if (argc < 3)
		return cli_usage("PEER:PORT is missing");
	if (!cli_addr("peer", argv[2], true, &c.peer) ||
	    !cli_lifetime(argc - 3, argv + 3, &c.lifetime_ms))
		return CLI_USAGE;
	return cli_request(chan_new, &c);
}

static int chan_del(struct kturn *kt, void *arg)
{
	const struct kturn_chan *c = arg;

	return kturn_chan_del(kt, c->alloc_id, c->number);
}

static int del_run(int argc, char **argv)
{
	struct kturn_chan c = { 0 };

	if (!key_read(argc, argv, &c))
		return CLI_USAGE;
	if (argc > 2)
		return cli_usage("too many words: '%s'", argv[2]);
	return cli_request(chan_del, &c);
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
