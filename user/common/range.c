// SPDX-License-Identifier: GPL-2.0-or-later
/* Ranges of IP addresses; see range.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "address.h"
#include "kturn.h"
#include "range.h"

static int bits_of(uint8_t family)
{
	return (int)(8 * kturn_addr_len(family));
}

static bool bit(const uint8_t *ip, int i)
{
	return ip[i / 8] & 0x80 >> i % 8;
}

/* ------------------------------------------------------------------- reading */

/* An address alone, which ends at @end. */
static bool parse_address(const char *text, const char *end,
			  struct kturn_addr *addr)
{
	char ip[KTURN_ADDR_TEXT_MAX];
	size_t len = (size_t)(end - text);

	if (len >= sizeof(ip))
		return false;
	memcpy(ip, text, len);
	ip[len] = '\0';
	return !strpbrk(ip, "[]") && !kturn_addr_parse(ip, addr) && !addr->port;
}

static const char *parse_ends(const char *text, const char *dash,
			      struct range *range)
{
	struct kturn_addr first, last;

	if (!parse_address(text, dash, &first) ||
	    !parse_address(dash + 1, strchr(dash, '\0'), &last))
		return "is no range FIRST-LAST of IP addresses";
	if (first.family != last.family)
		return "begins and ends in different address families";
	if (memcmp(first.ip, last.ip, sizeof(first.ip)) > 0)
		return "ends before it begins";
	memcpy(range->first, first.ip, sizeof(range->first));
	memcpy(range->last, last.ip, sizeof(range->last));
	range->family = first.family;
	return NULL;
}

static const char *parse_prefix(const char *text, struct range *range)
{
	struct prefix prefix;
	int i, ret = prefix_parse(text, &prefix);

	if (ret)
		return ret == -ERANGE ? "has bits set after its length" :
		       "is no IP address, prefix, or range FIRST-LAST of them";
	memcpy(range->first, prefix.ip, sizeof(range->first));
	memcpy(range->last, prefix.ip, sizeof(range->last));
	range->family = prefix.family;
	for (i = prefix.len; i < bits_of(prefix.family); i++)
		range->last[i / 8] |= 0x80 >> i % 8;
	return NULL;
}

const char *range_parse(const char *text, struct range *range)
{
	const char *dash = strchr(text, '-');

	memset(range, 0, sizeof(*range));
	return dash ? parse_ends(text, dash, range) :
		      parse_prefix(text, range);
}

/* ------------------------------------------------------------------ matching */

/* How many bits two addresses of a family begin with that are the same. */
static int common_bits(const uint8_t *a, const uint8_t *b, int bits)
{
	int i = 0;

	while (i < bits && a[i / 8] == b[i / 8])
		i += 8;
	while (i < bits && bit(a, i) == bit(b, i))
		i++;
	return i;
}

/* How many bits are left of an address without those of @value at its end. */
static int without_end(const uint8_t *ip, int bits, bool value)
{
	while (bits && bit(ip, bits - 1) == value)
		bits--;
	return bits;
}

/*
 * The shortest prefix of an address in a range that does not reach over the end
 * @edge: that has only bits of @value after its length, or differs within it.
 */
static int shortest(const uint8_t *ip, const uint8_t *edge, int bits,
		    bool value)
{
	int same = common_bits(ip, edge, bits);
	int len = without_end(edge, bits, value);

	return len <= same ? len : same + 1;
}

int range_match(const struct range *range, const struct kturn_addr *addr)
{
	int bits = bits_of(range->family), low, high;

	if (range->family != addr->family ||
	    memcmp(addr->ip, range->first, sizeof(addr->ip)) < 0 ||
	    memcmp(addr->ip, range->last, sizeof(addr->ip)) > 0)
		return -1;
	low = shortest(addr->ip, range->first, bits, false);
	high = shortest(addr->ip, range->last, bits, true);
	return low > high ? low : high;
}

bool range_next(const struct range *range, struct kturn_addr *addr, int len)
{
	struct kturn_addr next = *addr;
	int i;

	/* One more in the prefix' last bit, carried as far as it goes. */
	for (i = len - 1; i >= 0; i--) {
		next.ip[i / 8] ^= 0x80 >> i % 8;
		if (bit(next.ip, i))
			break;
	}
	if (i < 0 || memcmp(next.ip, range->last, sizeof(next.ip)) > 0)
		return false;
	*addr = next;
	return true;
}
