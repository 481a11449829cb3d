// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn stats: the network namespace's counters. */
#include <inttypes.h>
#include <stdio.h>
#include "cli.h"

static bool all_reasons;
static bool explain;

const struct cli_option stats_options[] = {
	{ .name = "all", .flag = &all_reasons },
	{ .name = "reasons", .flag = &explain },
	{ 0 }
};

typedef const char *(*reason_name)(unsigned int reason);

/* A reason that is newer than this program goes by its number. */
static const char *name_of(reason_name name, unsigned int reason,
			   char buf[CLI_UNIT_MAX])
{
	if (name(reason))
		return name(reason);
	snprintf(buf, CLI_UNIT_MAX, "reason-%u", reason);
	return buf;
}

static json_t *reasons_json(const uint64_t *counts, reason_name name)
{
	json_t *o = json_object();
	char buf[CLI_UNIT_MAX];

	for (unsigned int i = 0; i < KTURN_REASONS_MAX; i++)
		if (counts[i] || name(i))
			cli_json_put(o, name_of(name, i, buf),
				     json_integer(counts[i]));
	return o;
}

static int stats_json(const struct kturn_stats *st)
{
	json_t *o = json_object();

	cli_json_put(o, "to_peer", cli_families_json(&st->to_peer,
						     st->to_peer_by, true,
						     true));
	cli_json_put(o, "to_client", cli_families_json(&st->to_client,
						       st->to_client_by, true,
						       true));
	cli_json_put(o, "drop", reasons_json(st->drop, kturn_drop_name));
	cli_json_put(o, "punt", reasons_json(st->punt, kturn_punt_name));
	cli_json_put(o, "allocs", json_integer(st->allocs));
	cli_json_put(o, "perms", json_integer(st->perms));
	cli_json_put(o, "chans", json_integer(st->chans));
	cli_json_put(o, "owners", json_integer(st->owners));
	cli_json_put(o, "hooks", json_boolean(st->hooks));
	cli_json_put(o, "icmp", json_integer(st->icmp));
	return cli_json_print(o);
}

static void reasons_print(const char *what, const uint64_t *counts,
			  reason_name name)
{
	char buf[CLI_UNIT_MAX];
	uint64_t total = 0;

	for (unsigned int i = 0; i < KTURN_REASONS_MAX; i++)
		total += counts[i];
	printf("%-16s%" PRIu64 " packets\n", what, total);
	for (unsigned int i = 0; i < KTURN_REASONS_MAX; i++)
		if (counts[i] || (all_reasons && name(i)))
			printf("  %-14s%" PRIu64 "\n", name_of(name, i, buf),
			       counts[i]);
}

static void counter_print(const char *what, const struct kturn_counter *c)
{
	char buf[CLI_UNIT_MAX];

	printf("%-16s%" PRIu64 " packets, %s%s\n", what, c->packets,
	       cli_bytes(c->bytes, buf), cli_human() ? "" : " bytes");
}

static void families_print(const struct kturn_counter by[2])
{
	counter_print("  IPv4", &by[0]);
	counter_print("  IPv6", &by[1]);
}

static void stats_print(const struct kturn_stats *st)
{
	counter_print("to peers", &st->to_peer);
	families_print(st->to_peer_by);
	counter_print("to clients", &st->to_client);
	families_print(st->to_client_by);
	printf("%-16s%" PRIu64 " told to clients\n", "ICMP errors", st->icmp);
	reasons_print("dropped", st->drop, kturn_drop_name);
	reasons_print("left to daemon", st->punt, kturn_punt_name);
	printf("%-16s%" PRIu32 "\n", "allocations", st->allocs);
	printf("%-16s%" PRIu32 "\n", "permissions", st->perms);
	printf("%-16s%" PRIu32 "\n", "channels", st->chans);
	printf("%-16s%" PRIu32 "\n", "owners", st->owners);
	printf("%-16s%s\n", "hooks", st->hooks ? "registered" : "not registered");
}

/* ----------------------------------------------- what the reasons mean */

static const char *const reason_columns[] = {
	"PACKETS", "REASON", ">COUNT", "MEANING", NULL
};

/* Those that did not occur, too: whoever asks wants to know them all. */
static void reasons_table(struct cli_table *t, const char *what,
			  const uint64_t *counts, reason_name name,
			  reason_name text)
{
	char buf[CLI_UNIT_MAX];

	for (unsigned int i = 0; i < KTURN_REASONS_MAX; i++) {
		if (!counts[i] && !name(i))
			continue;
		cli_table_cell(t, "%s", what);
		cli_table_cell(t, "%s", name_of(name, i, buf));
		cli_table_cell(t, "%" PRIu64, counts[i]);
		cli_table_cell(t, "%s", text(i) ? text(i) :
			       "newer than this program");
	}
}

static json_t *reasons_explained(const uint64_t *counts, reason_name name,
				 reason_name text)
{
	json_t *o = json_object(), *one;
	char buf[CLI_UNIT_MAX];

	for (unsigned int i = 0; i < KTURN_REASONS_MAX; i++) {
		if (!counts[i] && !name(i))
			continue;
		one = json_object();
		cli_json_put(one, "packets", json_integer(counts[i]));
		if (text(i))
			cli_json_put(one, "meaning", json_string(text(i)));
		cli_json_put(o, name_of(name, i, buf), one);
	}
	return o;
}

static int reasons_run(const struct kturn_stats *st)
{
	struct cli_table *t;
	json_t *o;

	if (cli_json()) {
		o = json_object();
		cli_json_put(o, "drop", reasons_explained(st->drop,
							  kturn_drop_name,
							  kturn_drop_text));
		cli_json_put(o, "punt", reasons_explained(st->punt,
							  kturn_punt_name,
							  kturn_punt_text));
		return cli_json_print(o);
	}
	t = cli_table_new(reason_columns);
	if (!t)
		return cli_error("out of memory");
	reasons_table(t, "dropped", st->drop, kturn_drop_name,
		      kturn_drop_text);
	reasons_table(t, "left to daemon", st->punt, kturn_punt_name,
		      kturn_punt_text);
	return cli_table_print(t) ? CLI_OK : cli_error("out of memory");
}

int stats_run(int argc, char **argv)
{
	struct kturn_stats st;
	struct kturn *kt;
	int status = CLI_OK;

	if (argc)
		return cli_usage("too many words: '%s'", argv[0]);
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	if (kturn_stats_get(kt, &st))
		status = cli_error("%s", kturn_error(kt));
	else if (explain)
		status = reasons_run(&st);
	else if (cli_json())
		status = stats_json(&st);
	else
		stats_print(&st);
	kturn_close(kt);
	return status;
}
