// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an allocation costs a server.
 *
 *	setup CLIENT SERVER PEER COUNT WINDOW
 *
 * A client sends an Allocate, which the server answers with a challenge, the
 * same with credentials, CreatePermission, and ChannelBind; WINDOW clients do so
 * at the same time. Of COUNT clients the sockets are opened; a window of others
 * has begun, so that the server has done all of it before. Says "open" and waits
 * for a line on standard input. Then the COUNT clients begin. Prints nanoseconds
 * per client, and how many of them this process itself spent. With each line more,
 * all of them send Refresh, CreatePermission and ChannelBind, as clients do every
 * few minutes, and it prints the same. Sockets and allocations stay until standard
 * input ends.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "client.h"
#include "meter.h"

#define CHANNEL		0x4000
#define SERVER_PORT	3478
#define PEER_PORT	9

static struct kturn_addr peer;

static void challenged(struct client *c)
{
	int code = client_answer(c);

	if (code != 401)
		errx(1, "Allocate without credentials: %d, not 401", code);
}

static void window_permit(struct client *c, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		client_permit(&c[i], &peer);
	for (i = 0; i < n; i++)
		client_expect(&c[i], "CreatePermission");
	for (i = 0; i < n; i++)
		client_bind(&c[i], CHANNEL, &peer);
	for (i = 0; i < n; i++)
		client_expect(&c[i], "ChannelBind");
}

static void window_begin(struct client *c, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		client_allocate(&c[i], peer.family);
	for (i = 0; i < n; i++)
		challenged(&c[i]);
	for (i = 0; i < n; i++)
		client_allocate(&c[i], peer.family);
	for (i = 0; i < n; i++)
		client_expect(&c[i], "Allocate");
	window_permit(c, n);
}

static void window_refresh(struct client *c, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		client_refresh(&c[i]);
	for (i = 0; i < n; i++)
		client_expect(&c[i], "Refresh");
	window_permit(c, n);
}

/* All of the clients, so many at a time; says what one of them costs. */
static void run(struct client *c, unsigned int count, unsigned int window,
		void (*step)(struct client *c, unsigned int n))
{
	unsigned int i;
	struct meter m;

	meter_begin(&m);
	for (i = 0; i < count; i += window)
		step(c + i, window);
	meter_end(&m);
	printf("%.1f %.1f\n", m.total / count, m.own / count);
	fflush(stdout);
}

/* Until a line has been read. Return: false when there is none. */
static bool told(void)
{
	int c;

	do {
		c = getchar();
	} while (c != '\n' && c != EOF);
	return c == '\n';
}

static struct client *open_all(const struct kturn_addr *from,
			       const struct kturn_addr *server,
			       unsigned int count)
{
	struct rlimit limit = { count + 64, count + 64 };
	struct client *c = calloc(count, sizeof(*c));
	unsigned int i;

	if (!c || setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "no room for %u clients", count);
	for (i = 0; i < count; i++) {
		client_init(&c[i], udp_socket(from));
		udp_connect(c[i].fd, server);
	}
	return c;
}

int main(int argc, char **argv)
{
	struct kturn_addr client, server;
	unsigned int count, window;
	struct client *c;

	if (argc != 6) {
		fprintf(stderr, "usage: setup CLIENT SERVER PEER COUNT WINDOW\n");
		return 2;
	}
	client = make_addr(argv[1], 0);
	server = make_addr(argv[2], SERVER_PORT);
	peer = make_addr(argv[3], PEER_PORT);
	count = strtoul(argv[4], NULL, 10);
	window = strtoul(argv[5], NULL, 10);
	if (!window || !count || count > 50000 || count % window)
		errx(2, "COUNT is no multiple of WINDOW, or too large");
	meter_take_turns();
	c = open_all(&client, &server, window + count);

	window_begin(c, window);
	puts("open");
	fflush(stdout);
	if (!told())
		return 1;
	run(c + window, count, window, window_begin);
	while (told())
		run(c + window, count, window, window_refresh);
	return 0;
}
