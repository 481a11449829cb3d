// SPDX-License-Identifier: GPL-2.0-or-later
/* An allocation's limits: what is asked for, and what is shown. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "limit_text.h"

bool cli_limit(const char *what, const char *text, struct kturn_limit *limit)
{
	int ret = limit_parse(text, limit);

	if (ret == -ERANGE)
		cli_usage("%s: '%s' has a number that is out of range", what,
			  text);
	else if (ret)
		cli_usage("%s: '%s' is not a limit, as in 2Mbit, 2Mbit/64kB, 500pps/50, 2Mbit,500pps or none",
			  what, text);
	return !ret;
}

/* With the largest prefix that loses nothing. */
static void number_add(char *buf, uint64_t value, const char *unit)
{
	char text[32];
	size_t i = 0;

	while (value % limit_prefixes[i].factor)
		i++;
	snprintf(text, sizeof(text), "%" PRIu64 "%s%s",
		 value / limit_prefixes[i].factor, limit_prefixes[i].name, unit);
	strcat(buf, text);
}

const char *cli_limit_text(const struct kturn_limit *limit,
			   char buf[CLI_LIMIT_MAX])
{
	*buf = '\0';
	if (limit->bit_rate) {
		number_add(buf, limit->bit_rate, "bit/");
		number_add(buf, limit->burst_bytes, "B");
	}
	if (limit->bit_rate && limit->packet_rate)
		strcat(buf, ",");
	if (limit->packet_rate) {
		number_add(buf, limit->packet_rate, "pps/");
		number_add(buf, limit->burst_packets, "");
	}
	return *buf ? buf : "-";
}

json_t *cli_limit_json(const struct kturn_limit *limit)
{
	json_t *o = json_object();

	if (limit->bit_rate) {
		cli_json_put(o, "bit_rate", json_integer(limit->bit_rate));
		cli_json_put(o, "burst_bytes",
			     json_integer(limit->burst_bytes));
	}
	if (limit->packet_rate) {
		cli_json_put(o, "packet_rate",
			     json_integer(limit->packet_rate));
		cli_json_put(o, "burst_packets",
			     json_integer(limit->burst_packets));
	}
	return o;
}
