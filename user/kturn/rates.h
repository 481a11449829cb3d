/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What allocations relay in a second: two samples and the time between. */
#ifndef _KTURN_RATES_H
#define _KTURN_RATES_H

#include <kturn.h>

/** struct rate - packets and bits of application data in a second */
struct rate {
	double packets;
	double bits;
};

/**
 * struct rates_row - an allocation, now and since the sample before
 * @id: allocation
 * @client: client
 * @relay: relayed addresses
 * @label: escaped for terminals by nobody yet; or NULL
 * @to_peer: counter
 * @to_client: counter
 * @dropped: counter
 * @punted: counter
 * @idle_ms: as of struct kturn_alloc
 * @peer_rate: towards the peers
 * @client_rate: towards the client
 * @drop_rate: packets in a second
 * @punt_rate: packets in a second
 */
struct rates_row {
	uint32_t id;
	struct kturn_addr client;
	struct kturn_addr relay[2];
	char *label;
	struct kturn_counter to_peer;
	struct kturn_counter to_client;
	uint64_t dropped;
	uint64_t punted;
	int64_t idle_ms;
	struct rate peer_rate;
	struct rate client_rate;
	double drop_rate;
	double punt_rate;
};

/**
 * struct rates - a sample
 * @rows: allocations
 * @n: how many
 * @room: how many fit
 * @ms: time since the sample before; 0: there was none
 * @at_ms: when it was taken, monotonic
 * @peer_rate: of all of them together
 * @client_rate: likewise
 * @drop_rate: likewise
 * @punt_rate: likewise
 */
struct rates {
	struct rates_row *rows;
	size_t n;
	size_t room;
	uint64_t ms;
	uint64_t at_ms;
	struct rate peer_rate;
	struct rate client_rate;
	double drop_rate;
	double punt_rate;
};

/** enum rates_key - what rows are sorted by; most comes first */
enum rates_key {
	RATES_BY_RATE,
	RATES_BY_PACKETS,
	RATES_BY_TO_PEER,
	RATES_BY_TO_CLIENT,
	RATES_BY_DROPPED,
	RATES_BY_PUNTED,
	RATES_BY_IDLE,
	RATES_BY_ID,
	RATES_KEYS
};

/**
 * rates_take() - take a sample
 * @r: result
 * @before: the sample before, in the order of ids, or NULL
 * @kt: handle
 *
 * Return: 0; -ENOMEM; another negative errno, with kturn_error() set. If it is
 * not 0, @r is empty.
 */
int rates_take(struct rates *r, const struct rates *before, struct kturn *kt);

/** rates_free() - forget a sample */
void rates_free(struct rates *r);

/**
 * rates_sort() - the order in which to show the rows
 * @r: sample, which stays in its own order
 * @key: what to sort by; rows that are equal in it go by id
 *
 * Return: array of the @r->n rows, to be freed; NULL without memory.
 */
const struct rates_row **rates_sort(const struct rates *r, enum rates_key key);

#endif /* _KTURN_RATES_H */
