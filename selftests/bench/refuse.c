// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a request costs a server that refuses it.
 *
 *	refuse CLIENT SERVER COUNT WINDOW
 *
 * WINDOW clients send an Allocate without credentials at the same time, take the
 * challenges, and send another as if they had got none; COUNT requests in all.
 * Prints nanoseconds per request, without those of this process itself.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "meter.h"

#define SERVER_PORT	3478

static void round_run(struct client *c, unsigned int n)
{
	unsigned int i;
	int code;

	for (i = 0; i < n; i++)
		client_allocate(&c[i], KTURN_FAMILY_V4);
	for (i = 0; i < n; i++) {
		code = client_answer(&c[i]);
		if (code != 401)
			errx(1, "Allocate without credentials: %d, not 401",
			     code);
		/* What it was told is forgotten. */
		free(c[i].realm);
		client_init(&c[i], c[i].fd);
	}
}

int main(int argc, char **argv)
{
	struct kturn_addr client, server;
	unsigned int count, window, i;
	struct client *c;
	struct meter m;

	if (argc != 5) {
		fprintf(stderr, "usage: refuse CLIENT SERVER COUNT WINDOW\n");
		return 2;
	}
	client = make_addr(argv[1], 0);
	server = make_addr(argv[2], SERVER_PORT);
	count = strtoul(argv[3], NULL, 10);
	window = strtoul(argv[4], NULL, 10);
	if (!window || window > 512 || !count || count % window)
		errx(2, "COUNT is no multiple of WINDOW, or WINDOW too large");
	meter_take_turns();
	c = calloc(window, sizeof(*c));
	if (!c)
		err(1, "no room for %u clients", window);
	for (i = 0; i < window; i++) {
		client_init(&c[i], udp_socket(&client));
		udp_connect(c[i].fd, &server);
	}
	/* The first ones find the server's caches cold. */
	round_run(c, window);
	meter_begin(&m);
	for (i = 0; i < count; i += window)
		round_run(c, window);
	meter_end(&m);
	printf("%.1f\n", (m.total - m.own) / count);
	return 0;
}
