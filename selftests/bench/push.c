// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What it costs to put entries into the kernel, by libkturn.
 *
 *	push COUNT BATCH
 *
 * COUNT allocations, each with a permission and a channel, in batches of so
 * many requests. Prints nanoseconds per entry; three of them are an allocation.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>

#include "kturn.h"
#include "meter.h"

#define LIFETIME_MS	600000
#define CHANNEL		0x4000
#define FIRST_PORT	1024
#define PORTS		60000

static struct kturn *kt;

static struct kturn_addr addr(const char *text, unsigned int port)
{
	struct kturn_addr a;

	if (kturn_addr_parse(text, &a))
		errx(1, "%s is no address", text);
	a.port = htons(port);
	return a;
}

static struct kturn_batch *batch_new(void)
{
	struct kturn_batch *b = kturn_batch_new(kt);

	if (!b)
		err(1, "no memory");
	return b;
}

static void batch_run(struct kturn_batch *b)
{
	if (kturn_batch_run(b))
		errx(1, "can't push: %s", kturn_error(kt));
}

static void push(unsigned int first, unsigned int n)
{
	struct kturn_addr peer = addr("203.0.113.2", 0);
	struct kturn_addr bound = addr("203.0.113.2", 9);
	struct kturn_batch *allocs = batch_new(), *rest = batch_new();
	struct kturn_alloc a = { 0 };
	unsigned int i, port;
	uint32_t id;

	a.server = addr("198.51.100.1", 3478);
	a.lifetime_ms = LIFETIME_MS;
	a.flags = KTURN_ALLOC_FLAGS_EXCLUSIVE;
	for (i = 0; i < n; i++) {
		port = FIRST_PORT + first + i;
		a.client = addr("198.51.100.2", port);
		a.relay[0] = addr("203.0.113.1", port);
		kturn_batch_alloc_new(allocs, &a);
	}
	batch_run(allocs);
	for (i = 0; i < n; i++) {
		id = kturn_batch_id(allocs, (int)i);
		kturn_batch_perm_new(rest, id, &peer, LIFETIME_MS);
		kturn_batch_chan_new(rest, id, CHANNEL, &bound, LIFETIME_MS);
	}
	batch_run(rest);
	kturn_batch_free(allocs);
	kturn_batch_free(rest);
}

int main(int argc, char **argv)
{
	unsigned int count, batch, i;
	struct meter m;

	if (argc != 3) {
		fprintf(stderr, "usage: push COUNT BATCH\n");
		return 2;
	}
	count = strtoul(argv[1], NULL, 10);
	batch = strtoul(argv[2], NULL, 10);
	if (!batch || !count || count > PORTS || count % batch)
		errx(2, "COUNT is no multiple of BATCH, or too large");
	if (kturn_open(&kt))
		errx(1, "can't talk to the module: %s", kturn_error(NULL));
	meter_begin(&m);
	for (i = 0; i < count; i += batch)
		push(i, batch);
	meter_end(&m);
	if (kturn_flush(kt, 0))
		errx(1, "can't flush: %s", kturn_error(kt));
	printf("%.1f\n", m.total / (3.0 * count));
	kturn_close(kt);
	return 0;
}
