// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The BPF program that steers clients to workers and steer_worker() say the
 * same: sockets with the program attached, datagrams from many addresses and
 * ports of the loopback device, and a look at which socket got each.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../ktap.h"
#include "address.h"
#include "kturnd/steer.h"

#define WORKERS		5
#define PORTS		60
#define ADDRESSES	6

struct group {
	uint8_t family;
	struct kturn_addr addr;
	int fd[WORKERS];
};

static const struct steer steer = { .seed = 0x12345678, .workers = WORKERS };

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static bool group_open(struct group *g, uint8_t family)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int i;

	memset(g, 0, sizeof(*g));
	g->family = family;
	g->addr.family = family;
	if (family == KTURN_FAMILY_V4)
		memcpy(g->addr.ip, "\x7f\0\0\x01", 4);
	else
		g->addr.ip[15] = 1;
	for (i = 0; i < WORKERS; i++) {
		g->fd[i] = socket(addr_af(&g->addr), SOCK_DGRAM, 0);
		if (g->fd[i] < 0)
			return false;
		KTAP_EQ(set(g->fd[i], SOL_SOCKET, SO_REUSEPORT, 1), 0);
		if (!i)
			KTAP_EQ(steer_attach(&steer, family, g->fd[i]), 0);
		len = addr_to_sockaddr(&g->addr, &sa);
		KTAP_EQ(bind(g->fd[i], (void *)&sa, len), 0);
		/* All others get the first one's port. */
		KTAP_EQ(getsockname(g->fd[i], (void *)&sa, &len), 0);
		addr_from_sockaddr(&sa, &g->addr);
	}
	return true;
}

static void group_close(struct group *g)
{
	int i;

	for (i = 0; i < WORKERS; i++)
		close(g->fd[i]);
}

/* Which socket has a datagram? It is taken out. */
static int who_got_it(struct group *g)
{
	struct pollfd pfd[WORKERS];
	char buf[16];
	int i;

	for (i = 0; i < WORKERS; i++) {
		pfd[i].fd = g->fd[i];
		pfd[i].events = POLLIN;
	}
	if (poll(pfd, WORKERS, 5000) != 1)
		return -1;
	for (i = 0; i < WORKERS; i++)
		if (pfd[i].revents)
			return recv(g->fd[i], buf, sizeof(buf), 0) == 4 ? i :
									  -1;
	return -1;
}

/* A socket on any local address; of IPv6 there is one only, so pretend. */
static int sender(struct group *g, unsigned int n, struct kturn_addr *from)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd;

	*from = addr_with_port(&g->addr, 0);
	if (g->family == KTURN_FAMILY_V4) {
		from->ip[2] = (uint8_t)n;
		from->ip[3] = (uint8_t)(n * 37 + 1);
	} else if (n) {
		memcpy(from->ip, "\x20\x01\x0d\xb8", 4);
		from->ip[7] = (uint8_t)(n * 3);
		from->ip[10] = (uint8_t)(n * 7);
	}
	fd = socket(addr_af(from), SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	if (g->family == KTURN_FAMILY_V6)
		set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	len = addr_to_sockaddr(from, &sa);
	if (bind(fd, (void *)&sa, len) ||
	    getsockname(fd, (void *)&sa, &len)) {
		close(fd);
		return -1;
	}
	addr_from_sockaddr(&sa, from);
	return fd;
}

static void check_family(uint8_t family, bool options)
{
	static const uint8_t nops[8] = { 1, 1, 1, 1, 1, 1, 1, 0 };
	unsigned int n, port, seen[WORKERS] = { 0 };
	struct sockaddr_storage sa;
	struct kturn_addr from;
	struct group g;
	socklen_t len;
	int fd, got;

	if (!KTAP_CHECK(group_open(&g, family)))
		return;
	len = addr_to_sockaddr(&g.addr, &sa);
	for (n = 0; n < ADDRESSES; n++) {
		for (port = 0; port < PORTS; port++) {
			fd = sender(&g, n, &from);
			if (!KTAP_CHECK(fd >= 0))
				goto close;
			if (options)
				KTAP_EQ(setsockopt(fd, IPPROTO_IP, IP_OPTIONS,
						   nops, sizeof(nops)), 0);
			KTAP_EQ(sendto(fd, "turn", 4, 0, (void *)&sa, len), 4);
			got = who_got_it(&g);
			KTAP_EQ(got, steer_worker(&steer, &from));
			if (got >= 0)
				seen[got]++;
			close(fd);
		}
	}
	/* Evenly: a fifth each, give or take far more than chance does. */
	for (n = 0; n < WORKERS; n++)
		KTAP_CHECK(seen[n] > ADDRESSES * PORTS / WORKERS / 2);
close:
	group_close(&g);
}

static void agree_v4(void)
{
	check_family(KTURN_FAMILY_V4, false);
}

static void agree_v4_options(void)
{
	check_family(KTURN_FAMILY_V4, true);
}

static void agree_v6(void)
{
	check_family(KTURN_FAMILY_V6, false);
}

/* One that the program can't read is not lost. */
static void v6_extension_header(void)
{
	/* Destination options: PadN of four. */
	static const uint8_t pad[8] = { 0, 0, 1, 4 };
	struct sockaddr_storage sa;
	struct kturn_addr from;
	struct group g;
	socklen_t len;
	int fd;

	if (!KTAP_CHECK(group_open(&g, KTURN_FAMILY_V6)))
		return;
	len = addr_to_sockaddr(&g.addr, &sa);
	fd = sender(&g, 0, &from);
	if (KTAP_CHECK(fd >= 0)) {
		KTAP_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, pad,
				   sizeof(pad)), 0);
		KTAP_EQ(sendto(fd, "turn", 4, 0, (void *)&sa, len), 4);
		KTAP_EQ(who_got_it(&g), 0);
		close(fd);
	}
	group_close(&g);
}

static void one_worker(void)
{
	const struct steer one = { .seed = 7, .workers = 1 };
	struct kturn_addr client = { .family = KTURN_FAMILY_V4 };
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		client.port = htons(i);
		KTAP_EQ(steer_worker(&one, &client), 0);
	}
}

static const struct ktap_case cases[] = {
	{ "steer: BPF and C agree, IPv4", agree_v4 },
	{ "steer: BPF and C agree, IPv4 with options", agree_v4_options },
	{ "steer: BPF and C agree, IPv6", agree_v6 },
	{ "steer: IPv6 extension header goes to worker 0",
	  v6_extension_header },
	{ "steer: one worker serves all", one_worker },
};

int main(void)
{
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	return ktap_end();
}
