// SPDX-License-Identifier: GPL-2.0-or-later
/* An allocation's limits as text; see limit_text.h. */
#include <errno.h>
#include <string.h>

#include "limit_text.h"

const struct limit_prefix limit_prefixes[LIMIT_PREFIXES] = {
	{ "T", 1000000000000 },
	{ "G", 1000000000 },
	{ "M", 1000000 },
	{ "k", 1000 },
	{ "", 1 },
};

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
static int number_read(const char **p, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;
	size_t i = 0;

	if (**p < '0' || **p > '9')
		return -EINVAL;
	for (; **p >= '0' && **p <= '9'; ++*p)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, **p - '0', &n))
			return -ERANGE;
	/* The last one is always there. */
	while (!word_skip(p, limit_prefixes[i].name))
		i++;
	if (!n || __builtin_mul_overflow(n, limit_prefixes[i].factor, &n) || n > max)
		return -ERANGE;
	*value = n;
	return 0;
}

/* One rate, with its burst if there is one. */
static int rate_read(const char **p, struct kturn_limit *l)
{
	uint64_t rate, burst = 0;
	int ret;
	bool bits;

	ret = number_read(p, UINT64_MAX, &rate);
	if (ret)
		return ret;
	bits = word_skip(p, "bit");
	if (!bits && !word_skip(p, "pps"))
		return -EINVAL;
	if (!bits && rate > UINT32_MAX)
		return -ERANGE;
	if (bits ? l->bit_rate : l->packet_rate)
		return -EINVAL;
	if (word_skip(p, "/")) {
		ret = number_read(p, bits ? UINT64_MAX : UINT32_MAX, &burst);
		if (!ret && bits && !word_skip(p, "B"))
			ret = -EINVAL;
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

int limit_parse(const char *text, struct kturn_limit *limit)
{
	const char *p = text;
	int ret;

	memset(limit, 0, sizeof(*limit));
	if (!strcmp(text, "none"))
		return 0;
	do
		ret = rate_read(&p, limit);
	while (!ret && word_skip(&p, ","));
	return !ret && *p ? -EINVAL : ret;
}
