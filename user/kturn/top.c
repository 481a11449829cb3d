// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn top: what each allocation relays, again and again. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <array_size.h>
#include "cli.h"
#include "rates.h"
#include "screen.h"

#define INTERVAL_MS	2000
#define INTERVAL_MS_MIN	10

static const char *sort_text, *interval_text, *count_text;

const struct cli_option top_options[] = {
	{ .name = "sort", .value = &sort_text },
	{ .name = "interval", .value = &interval_text },
	{ .name = "count", .value = &count_text },
	{ 0 }
};

static const struct {
	const char *name;
	char letter;
} keys[RATES_KEYS] = {
	[RATES_BY_RATE] = { "rate", 'r' },
	[RATES_BY_PACKETS] = { "packets", 'p' },
	[RATES_BY_TO_PEER] = { "to-peer", 'e' },
	[RATES_BY_TO_CLIENT] = { "to-client", 'c' },
	[RATES_BY_DROPPED] = { "dropped", 'd' },
	[RATES_BY_PUNTED] = { "punted", 'u' },
	[RATES_BY_IDLE] = { "idle", 'i' },
	[RATES_BY_ID] = { "id", 'a' },
};

/**
 * struct top - what is to be shown, and what was seen
 * @kt: handle
 * @key: order
 * @interval_ms: time between two samples
 * @count: so many times; 0: without end
 * @rates: last sample
 */
struct top {
	struct kturn *kt;
	enum rates_key key;
	uint32_t interval_ms;
	uint32_t count;
	struct rates rates;
};

/* ------------------------------------------------------------------ output */

static const char *const columns[] = {
	">ID", "CLIENT", "RELAY", ">TO PEER/s", ">bit/s", ">TO CLIENT/s",
	">bit/s", ">DROPPED/s", ">PUNTED/s", ">IDLE", "LABEL", NULL
};

static void rate_cells(struct cli_table *t, const struct rate *rate)
{
	char buf[CLI_UNIT_MAX];

	cli_table_cell(t, "%s", cli_rate(rate->packets, buf));
	cli_table_cell(t, "%s", cli_rate(rate->bits, buf));
}

static void row_cells(struct cli_table *t, const struct rates_row *row)
{
	const struct kturn_alloc a = {
		.relay = { row->relay[0], row->relay[1] },
	};
	char text[CLI_RELAYS_MAX], unit[CLI_UNIT_MAX];
	char *label = cli_escape(row->label ? row->label : "");

	cli_table_cell(t, "%" PRIu32, row->id);
	cli_table_cell(t, "%s", kturn_addr_text(&row->client, text));
	cli_table_cell(t, "%s", cli_relays(&a, text));
	rate_cells(t, &row->peer_rate);
	rate_cells(t, &row->client_rate);
	cli_table_cell(t, "%s", cli_rate(row->drop_rate, unit));
	cli_table_cell(t, "%s", cli_rate(row->punt_rate, unit));
	cli_table_cell(t, "%s", row->idle_ms < 0 ? "-" :
		       cli_span(row->idle_ms, unit));
	cli_table_cell(t, "%s", label ? label : "?");
	free(label);
}

static void summary_write(const struct rates *r, FILE *f)
{
	char now[CLI_UNIT_MAX], a[CLI_UNIT_MAX], b[CLI_UNIT_MAX];

	fprintf(f, "%s  %zu allocations", cli_clock(now), r->n);
	if (!r->ms) {
		fputc('\n', f);
		return;
	}
	fprintf(f, "  to peers %s packets/s %sbit/s",
		cli_rate(r->peer_rate.packets, a),
		cli_rate(r->peer_rate.bits, b));
	fprintf(f, "  to clients %s packets/s %sbit/s",
		cli_rate(r->client_rate.packets, a),
		cli_rate(r->client_rate.bits, b));
	fprintf(f, "  dropped %s/s  left to daemon %s/s\n",
		cli_rate(r->drop_rate, a), cli_rate(r->punt_rate, b));
}

/* At most so many rows of the table; false without memory. */
static bool table_write(const struct top *top, size_t rows, FILE *f)
{
	const struct rates_row **order = rates_sort(&top->rates, top->key);
	struct cli_table *t = order ? cli_table_new(columns) : NULL;

	for (size_t i = 0; t && i < rows && i < top->rates.n; i++)
		row_cells(t, order[i]);
	free(order);
	return t && cli_table_write(t, f);
}

static json_t *rate_json(const struct rate *rate)
{
	return json_pack("{s:f, s:f}", "packets_per_s", rate->packets,
			 "bits_per_s", rate->bits);
}

static void rates_json(json_t *o, const struct rate *to_peer,
		       const struct rate *to_client, double dropped,
		       double punted)
{
	cli_json_put(o, "to_peer", rate_json(to_peer));
	cli_json_put(o, "to_client", rate_json(to_client));
	cli_json_put(o, "dropped_per_s", json_real(dropped));
	cli_json_put(o, "punted_per_s", json_real(punted));
}

static json_t *row_json(const struct rates_row *row)
{
	json_t *o = json_object(), *relays = json_array();
	char text[KTURN_ADDR_TEXT_MAX];

	cli_json_put(o, "id", json_integer(row->id));
	cli_json_put(o, "client",
		     json_string(kturn_addr_text(&row->client, text)));
	for (size_t i = 0; i < ARRAY_SIZE(row->relay); i++) {
		if (row->relay[i].family == KTURN_FAMILY_NONE)
			continue;
		kturn_addr_text(&row->relay[i], text);
		cli_json_append(relays, json_string(text));
	}
	cli_json_put(o, "relays", relays);
	cli_json_put(o, "label", cli_json_string(row->label ? row->label : ""));
	if (row->idle_ms >= 0)
		cli_json_put(o, "idle_ms", json_integer(row->idle_ms));
	rates_json(o, &row->peer_rate, &row->client_rate, row->drop_rate,
		   row->punt_rate);
	return o;
}

static bool json_write(const struct top *top)
{
	const struct rates_row **order = rates_sort(&top->rates, top->key);
	json_t *o = json_object(), *rows = json_array();
	const struct rates *r = &top->rates;
	char now[CLI_UNIT_MAX];

	if (!order) {
		json_decref(o);
		json_decref(rows);
		return false;
	}
	cli_json_put(o, "time", json_string(cli_clock(now)));
	cli_json_put(o, "interval_ms", json_integer(r->ms));
	rates_json(o, &r->peer_rate, &r->client_rate, r->drop_rate,
		   r->punt_rate);
	for (size_t i = 0; i < r->n; i++)
		cli_json_append(rows, row_json(order[i]));
	free(order);
	cli_json_put(o, "allocs", rows);
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
	return true;
}

/* -------------------------------------------------------------------- loop */

static int sample(struct top *top)
{
	const struct rates *before = top->rates.at_ms ? &top->rates : NULL;
	struct rates next;
	int err;

	err = rates_take(&next, before, top->kt);
	if (err)
		return err;
	rates_free(&top->rates);
	top->rates = next;
	return 0;
}

static int sample_failed(const struct top *top, int err)
{
	return cli_error("%s", err == -ENOMEM ? "out of memory" :
			 kturn_error(top->kt));
}

/* When @start was @ms ago: how many milliseconds are left. */
static uint64_t left_ms(const struct timespec *start, uint32_t ms)
{
	struct timespec now;
	int64_t gone;

	clock_gettime(CLOCK_MONOTONIC, &now);
	gone = (now.tv_sec - start->tv_sec) * 1000 +
	       (now.tv_nsec - start->tv_nsec) / 1000000;
	return gone < ms ? ms - gone : 0;
}

static void pause_ms(uint32_t ms)
{
	const struct timespec span = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&span, NULL);
}

static int print_loop(struct top *top)
{
	int err;

	err = sample(top);
	if (err)
		return sample_failed(top, err);
	for (uint32_t n = 0; !top->count || n < top->count; n++) {
		pause_ms(top->interval_ms);
		err = sample(top);
		if (err)
			return sample_failed(top, err);
		if (cli_json()) {
			if (!json_write(top))
				return cli_error("out of memory");
		} else {
			if (n)
				putchar('\n');
			summary_write(&top->rates, stdout);
			if (!table_write(top, SIZE_MAX, stdout))
				return cli_error("out of memory");
		}
		/* Nobody reads any more: end, and let main() say so. */
		if (fflush(stdout))
			return CLI_FAILED;
	}
	return CLI_OK;
}

static void keys_write(const struct top *top, FILE *f)
{
	fputs("sort by:", f);
	for (int i = 0; i < RATES_KEYS; i++)
		fprintf(f, i == (int)top->key ? " [%c %s]" : " %c %s",
			keys[i].letter, keys[i].name);
	fputs("; q ends\n\n", f);
}

static bool draw(const struct top *top)
{
	unsigned int rows, unused;
	char *text = NULL;
	size_t size;
	bool ok;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return false;
	screen_size(&rows, &unused);
	summary_write(&top->rates, f);
	keys_write(top, f);
	ok = table_write(top, rows, f);
	ok = !fclose(f) && ok && screen_draw(text);
	free(text);
	return ok;
}

static bool key_choose(struct top *top, char letter)
{
	for (int i = 0; i < RATES_KEYS; i++)
		if (keys[i].letter == letter) {
			top->key = i;
			return true;
		}
	return false;
}

/* Return: false: it is over. */
static bool wait_for_next(struct top *top)
{
	struct timespec start;
	char key = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		switch (screen_wait(left_ms(&start, top->interval_ms), &key)) {
		case SCREEN_TIME:
			return true;
		case SCREEN_KEY:
			if (key == 'q' || key == 'Q')
				return false;
			if (key == ' ')
				return true;
			if (key_choose(top, key) && !draw(top))
				return false;
			break;
		case SCREEN_SIZE:
			if (!draw(top))
				return false;
			break;
		case SCREEN_END:
			return false;
		}
	}
}

static int screen_loop(struct top *top)
{
	int err;

	if (!screen_open())
		return cli_error("can't take the terminal over: %m");
	for (uint32_t n = 0; ; n++) {
		err = sample(top);
		/* The first one has no rates yet. */
		if (err || !draw(top) || (top->count && n >= top->count) ||
		    !wait_for_next(top))
			break;
	}
	screen_close();
	return err ? sample_failed(top, err) : CLI_OK;
}

/* --------------------------------------------------------------- arguments */

static bool sort_read(struct top *top)
{
	if (!sort_text)
		return true;
	for (int i = 0; i < RATES_KEYS; i++)
		if (!strcmp(sort_text, keys[i].name)) {
			top->key = i;
			return true;
		}
	cli_usage("sort: expected rate, packets, to-peer, to-client, dropped, punted, idle or id, not '%s'",
		  sort_text);
	return false;
}

/* A span, or a plain number of seconds. */
static bool interval_read(struct top *top)
{
	uint32_t seconds;

	if (!interval_text)
		return true;
	if (cli_number(interval_text, 1, UINT32_MAX / 1000, &seconds))
		top->interval_ms = 1000 * seconds;
	else if (!cli_time("interval", interval_text, &top->interval_ms))
		return false;
	if (top->interval_ms >= INTERVAL_MS_MIN)
		return true;
	cli_usage("interval: shorter than %d ms", INTERVAL_MS_MIN);
	return false;
}

static bool count_read(struct top *top)
{
	if (!count_text || cli_number(count_text, 1, UINT32_MAX, &top->count))
		return true;
	cli_usage("count: '%s' is not a number from 1 on", count_text);
	return false;
}

int top_run(int argc, char **argv)
{
	struct top top = { .interval_ms = INTERVAL_MS };
	int status;

	if (argc)
		return cli_usage("too many words: '%s'", argv[0]);
	if (!sort_read(&top) || !interval_read(&top) || !count_read(&top))
		return CLI_USAGE;
	top.kt = cli_open();
	if (!top.kt)
		return CLI_FAILED;
	status = screen_possible() && !cli_json() ? screen_loop(&top) :
						    print_loop(&top);
	rates_free(&top.rates);
	kturn_close(top.kt);
	return status;
}
