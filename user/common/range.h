/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of IP addresses, as coturn writes them. A range is the prefixes that it
 * consists of: as few as possible, so each as short as it fits in.
 */
#ifndef _COMMON_RANGE_H
#define _COMMON_RANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <kturn/wire.h>

/** struct range - IP addresses of a family; IPv4's have zeros behind them */
struct range {
	uint8_t first[16];
	uint8_t last[16];
	uint8_t family;
};

/**
 * range_parse() - "192.0.2.1", "192.0.2.1-192.0.2.9", or "192.0.2.0/24"
 * @text: what a person wrote; IPv6 alike
 * @range: result; of v4-mapped IPv6 the IPv4 form
 *
 * Return: NULL, or what is wrong, to be printed after the text.
 */
const char *range_parse(const char *text, struct range *range);

/**
 * range_match() - how specific is the range about an address?
 * @range: range
 * @addr: address; its port does not matter
 *
 * Return: the length of that of the range's prefixes in which @addr is, or -1: it
 * is not in the range.
 */
int range_match(const struct range *range, const struct kturn_addr *addr);

/**
 * range_next() - where the range's next prefix begins
 * @range: range
 * @addr: an address of it, where a prefix begins; becomes that of the next one
 * @len: that prefix' length, by range_match()
 *
 * Return: false: that was the last one; @addr is as it was.
 */
bool range_next(const struct range *range, struct kturn_addr *addr, int len);

#endif /* _COMMON_RANGE_H */
