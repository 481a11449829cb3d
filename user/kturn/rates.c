// SPDX-License-Identifier: GPL-2.0-or-later
/* What allocations relay in a second: two samples and the time between. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "rates.h"

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* ---------------------------------------------------------------- sampling */

static int row_add(const struct kturn_alloc *a, void *arg)
{
	struct rates *r = arg;
	struct rates_row *row;

	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 64;

		row = reallocarray(r->rows, room, sizeof(*row));
		if (!row)
			return -ENOMEM;
		r->rows = row;
		r->room = room;
	}
	row = &r->rows[r->n];
	*row = (struct rates_row) {
		.id = a->id,
		.client = a->client,
		.relay = { a->relay[0], a->relay[1] },
		.to_peer = a->to_peer,
		.to_client = a->to_client,
		.dropped = a->dropped,
		.punted = a->punted,
		.idle_ms = a->idle_ms,
	};
	if (*a->label) {
		row->label = strdup(a->label);
		if (!row->label)
			return -ENOMEM;
	}
	r->n++;
	return 0;
}

/* Counters never go back; if one does, another allocation has the id now. */
static double rate_of(uint64_t now, uint64_t before, uint64_t ms)
{
	return (now < before ? now : now - before) * 1000.0 / ms;
}

static struct rate counter_rate(const struct kturn_counter *now,
				const struct kturn_counter *before, uint64_t ms)
{
	return (struct rate) {
		.packets = rate_of(now->packets, before->packets, ms),
		.bits = 8 * rate_of(now->bytes, before->bytes, ms),
	};
}

static void rate_add(struct rate *sum, const struct rate *rate)
{
	sum->packets += rate->packets;
	sum->bits += rate->bits;
}

static void row_compare(struct rates *r, struct rates_row *row,
			const struct rates_row *before)
{
	row->peer_rate = counter_rate(&row->to_peer, &before->to_peer, r->ms);
	row->client_rate = counter_rate(&row->to_client, &before->to_client,
					r->ms);
	row->drop_rate = rate_of(row->dropped, before->dropped, r->ms);
	row->punt_rate = rate_of(row->punted, before->punted, r->ms);
	rate_add(&r->peer_rate, &row->peer_rate);
	rate_add(&r->client_rate, &row->client_rate);
	r->drop_rate += row->drop_rate;
	r->punt_rate += row->punt_rate;
}

/* Both are in the order of ids. What was not there before had counted nothing. */
static void rates_compare(struct rates *r, const struct rates *before)
{
	static const struct rates_row nothing;
	size_t b = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct rates_row *row = &r->rows[i];

		while (b < before->n && before->rows[b].id < row->id)
			b++;
		row_compare(r, row, b < before->n &&
			    before->rows[b].id == row->id ? &before->rows[b] :
			    &nothing);
	}
}

int rates_take(struct rates *r, const struct rates *before, struct kturn *kt)
{
	int err;

	memset(r, 0, sizeof(*r));
	r->at_ms = now_ms();
	err = kturn_alloc_sample(kt, row_add, r);
	if (err) {
		rates_free(r);
		return err;
	}
	if (before) {
		r->ms = r->at_ms - before->at_ms;
		if (!r->ms)
			r->ms = 1;
		rates_compare(r, before);
	}
	return 0;
}

void rates_free(struct rates *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->rows[i].label);
	free(r->rows);
	memset(r, 0, sizeof(*r));
}

/* ----------------------------------------------------------------- sorting */

static double key_value(const struct rates_row *row, enum rates_key key)
{
	switch (key) {
	case RATES_BY_RATE:
		return row->peer_rate.bits + row->client_rate.bits;
	case RATES_BY_PACKETS:
		return row->peer_rate.packets + row->client_rate.packets;
	case RATES_BY_TO_PEER:
		return row->peer_rate.bits;
	case RATES_BY_TO_CLIENT:
		return row->client_rate.bits;
	case RATES_BY_DROPPED:
		return row->drop_rate;
	case RATES_BY_PUNTED:
		return row->punt_rate;
	case RATES_BY_IDLE:
		return row->idle_ms < 0 ? INFINITY : row->idle_ms;
	default:
		return 0;
	}
}

static int row_order(const void *a, const void *b, void *arg)
{
	const struct rates_row *x = *(const struct rates_row *const *)a;
	const struct rates_row *y = *(const struct rates_row *const *)b;
	enum rates_key key = *(enum rates_key *)arg;
	double u = key_value(x, key), v = key_value(y, key);

	if (u != v)
		return u > v ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

const struct rates_row **rates_sort(const struct rates *r, enum rates_key key)
{
	const struct rates_row **order = calloc(r->n + 1, sizeof(*order));

	if (!order)
		return NULL;
	for (size_t i = 0; i < r->n; i++)
		order[i] = &r->rows[i];
	qsort_r(order, r->n, sizeof(*order), row_order, &key);
	return order;
}
