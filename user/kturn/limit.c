// SPDX-License-Identifier: GPL-2.0-or-later
/* An allocation's limits as text: 2Mbit/64kB,500pps/100. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <array_size.h>
#include "cli.h"

static const struct {
	const char *name;
	uint64_t factor;
} prefixes[] = {
	{ "T", 1000000000000 },
	{ "G", 1000000000 },
	{ "M", 1000000 },
	{ "k", 1000 },
	{ "", 1 },
};

enum part { PART_OK, PART_BAD, PART_RANGE };

/* Moves *@p behind @word if that is what stands there. */
static bool word_skip(const char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len))
		return false;
	*p += len;
	return true;
}

/* A number and the prefix of its unit, from 1 to @max. */
static enum part number_read(const char **p, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;
	size_t i = 0;

	if (**p < '0' || **p > '9')
		return PART_BAD;
	for (; **p >= '0' && **p <= '9'; ++*p)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, **p - '0', &n))
			return PART_RANGE;
	/* The last one is always there. */
	while (!word_skip(p, prefixes[i].name))
		i++;
	if (!n || __builtin_mul_overflow(n, prefixes[i].factor, &n) || n > max)
		return PART_RANGE;
	*value = n;
	return PART_OK;
}

/* One rate, with its burst if there is one. */
static enum part rate_read(const char **p, struct kturn_limit *l)
{
	uint64_t rate, burst = 0;
	enum part ret;
	bool bits;

	ret = number_read(p, UINT64_MAX, &rate);
	if (ret != PART_OK)
		return ret;
	bits = word_skip(p, "bit");
	if (!bits && !word_skip(p, "pps"))
		return PART_BAD;
	if (!bits && rate > UINT32_MAX)
		return PART_RANGE;
	if (bits ? l->bit_rate : l->packet_rate)
		return PART_BAD;
	if (word_skip(p, "/")) {
		ret = number_read(p, bits ? UINT64_MAX : UINT32_MAX, &burst);
		if (ret == PART_OK && bits && !word_skip(p, "B"))
			ret = PART_BAD;
	}
	if (bits) {
		l->bit_rate = rate;
		l->burst_bytes = burst;
	} else {
		l->packet_rate = rate;
		l->burst_packets = burst;
	}
	return ret;
}

bool cli_limit(const char *what, const char *text, struct kturn_limit *limit)
{
	enum part ret = PART_OK;
	const char *p = text;

	memset(limit, 0, sizeof(*limit));
	if (!strcmp(text, "none"))
		return true;
	do
		ret = rate_read(&p, limit);
	while (ret == PART_OK && word_skip(&p, ","));
	if (ret == PART_OK && !*p)
		return true;
	if (ret == PART_RANGE)
		cli_usage("%s: '%s' has a number that is out of range", what,
			  text);
	else
		cli_usage("%s: '%s' is not a limit, as in 2Mbit, 2Mbit/64kB, 500pps/50, 2Mbit,500pps or none",
			  what, text);
	return false;
}

/* With the largest prefix that loses nothing. */
static void number_add(char *buf, uint64_t value, const char *unit)
{
	char text[32];
	size_t i = 0;

	while (value % prefixes[i].factor)
		i++;
	snprintf(text, sizeof(text), "%" PRIu64 "%s%s",
		 value / prefixes[i].factor, prefixes[i].name, unit);
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
