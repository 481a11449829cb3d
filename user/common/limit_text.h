/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An allocation's limits as people write them: 2Mbit/64kB,500pps/100. */
#ifndef _COMMON_LIMIT_TEXT_H
#define _COMMON_LIMIT_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include "kturn.h"

/* Decimal prefixes of units, the largest first; the last is "" and 1. */
#define LIMIT_PREFIXES	5

/** struct limit_prefix - a prefix and what it stands for */
struct limit_prefix {
	const char *name;
	uint64_t factor;
};

extern const struct limit_prefix limit_prefixes[LIMIT_PREFIXES];

/**
 * limit_parse() - read a limit
 * @text: "none", or one or both of a bit rate and a packet rate, each with what
 *	may pass at once behind a slash
 * @limit: result; bursts that are not there are 0
 *
 * Return: 0; -EINVAL: it is no limit; -ERANGE: a number can't be.
 */
int limit_parse(const char *text, struct kturn_limit *limit);

#endif /* _COMMON_LIMIT_TEXT_H */
