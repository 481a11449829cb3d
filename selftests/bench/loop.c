// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a relay in userspace costs: a closed loop.
 *
 *	loop turn|plain in|out woken|batch SERVER CLIENT PEER SIZE FLOWS COUNT
 *
 * This process has the sockets of the clients and of their peers, in the
 * network namespaces that $client and $peer name. It sends WINDOW packets,
 * receives all of them at the other side, and sends the next ones: nothing is
 * lost, as a flood would lose most, and the CPU is never idle. "turn" has
 * allocations at SERVER, a channel in each, and sends ChannelData of SIZE bytes
 * ("in"), or receives it ("out"); "plain" sends packets as long to the other
 * side, straight. With "batch" it goes on only when the relay has nothing more to
 * do (see meter.h), else as soon as a packet wakes it up. FLOWS pairs take
 * turns. COUNT packets count, after a quarter of that which don't. Prints
 * nanoseconds per packet.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "meter.h"

#define WINDOW		16
#define FLOWS_MAX	64
#define PACKET_MAX	1500
#define CHANNEL		0x4000
#define SERVER_PORT	3478

/**
 * struct loop - what is measured
 * @turn: by a relay, else straight
 * @out: to the client
 * @server: relay's address
 * @client: addresses of both ends, without ports
 * @peer: the same
 * @sender: a socket of each flow
 * @receiver: the other one
 * @flows: how many
 * @size: bytes in a packet, without ChannelData's header
 * @sent: packets so far
 * @received: the same
 */
struct loop {
	bool turn;
	bool out;
	struct kturn_addr server;
	struct kturn_addr client;
	struct kturn_addr peer;
	int sender[FLOWS_MAX];
	int receiver[FLOWS_MAX];
	unsigned int flows;
	size_t size;
	__u32 sent;
	__u32 received;
};

static void enter(const char *variable)
{
	const char *name = getenv(variable);
	char path[256];
	int fd;

	if (!name)
		errx(2, "$%s does not name a network namespace", variable);
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", path);
	close(fd);
}

static int open_in(const char *where, const struct kturn_addr *from)
{
	enter(where);
	return udp_socket(from);
}

static struct kturn_addr allocate(const struct loop *l, int fd,
				  const struct kturn_addr *peer)
{
	struct client c;

	client_init(&c, fd);
	client_allocate(&c, l->peer.family);
	if (client_answer(&c)) {
		client_allocate(&c, l->peer.family);
		client_expect(&c, "Allocate");
	}
	client_permit(&c, peer);
	client_expect(&c, "CreatePermission");
	client_bind(&c, CHANNEL, peer);
	client_expect(&c, "ChannelBind");
	/* A kturn-pair beside the server tells the kernel only now. */
	usleep(100000);
	free(c.realm);
	return c.relay;
}

static void flow_open(struct loop *l, unsigned int n)
{
	int client = open_in("client", &l->client);
	int peer = open_in("peer", &l->peer);
	struct kturn_addr to_client = udp_address(client);
	struct kturn_addr to_peer = udp_address(peer);

	if (l->turn) {
		udp_connect(client, &l->server);
		to_client = allocate(l, client, &to_peer);
	} else {
		udp_connect(client, &to_peer);
	}
	udp_connect(peer, &to_client);
	l->sender[n] = l->out ? peer : client;
	l->receiver[n] = l->out ? client : peer;
}

/* ------------------------------------------------------------------ packets */

/* With its number, which tells whether one before it was lost. */
static void send_one(struct loop *l)
{
	size_t header = l->turn && !l->out ? KTURN_CHAN_HDR_LEN : 0;
	size_t len = l->turn ? l->size : l->size + KTURN_CHAN_HDR_LEN;
	__u8 buf[PACKET_MAX];

	memset(buf, 0, len + header);
	if (header)
		kturn_channel_data_build(buf, CHANNEL, l->size);
	kturn_put32(buf + header, l->sent);
	if (send(l->sender[l->sent % l->flows], buf, len + header, 0) < 0)
		err(1, "can't send packet %u", l->sent);
	l->sent++;
}

static void receive_one(struct loop *l)
{
	size_t header = l->turn && l->out ? KTURN_CHAN_HDR_LEN : 0;
	size_t len = l->turn && !l->out ? l->size :
					  l->size + KTURN_CHAN_HDR_LEN;
	__u8 buf[PACKET_MAX];
	ssize_t n;

	n = recv(l->receiver[l->received % l->flows], buf, sizeof(buf), 0);
	if (n < 0 && errno != EAGAIN)
		err(1, "can't receive packet %u", l->received);
	if (n < 0)
		errx(1, "packet %u was lost", l->received);
	if ((size_t)n != len)
		errx(1, "packet %u came with %zd bytes, not %zu", l->received,
		     n, len);
	if (kturn_get32(buf + header) != l->received)
		errx(1, "packet %u came in place of %u",
		     kturn_get32(buf + header), l->received);
	l->received++;
}

static void run(struct loop *l, __u32 count)
{
	__u32 end = l->sent + count;
	unsigned int i;

	while (l->sent < end) {
		for (i = 0; i < WINDOW; i++)
			send_one(l);
		for (i = 0; i < WINDOW; i++)
			receive_one(l);
	}
}

static unsigned long number(const char *text, unsigned long min,
			    unsigned long max)
{
	unsigned long n = strtoul(text, NULL, 10);

	if (n < min || n > max)
		errx(2, "%s is not from %lu to %lu", text, min, max);
	return n;
}

int main(int argc, char **argv)
{
	struct loop l = { 0 };
	struct meter m;
	__u32 count;
	unsigned int i;

	if (argc != 10) {
		fprintf(stderr,
			"usage: loop turn|plain in|out woken|batch SERVER CLIENT PEER SIZE FLOWS COUNT\n");
		return 2;
	}
	l.turn = !strcmp(argv[1], "turn");
	l.out = !strcmp(argv[2], "out");
	l.server = make_addr(argv[4], SERVER_PORT);
	l.client = make_addr(argv[5], 0);
	l.peer = make_addr(argv[6], 0);
	l.size = number(argv[7], sizeof(__u32), 1400);
	l.flows = number(argv[8], 1, FLOWS_MAX);
	/* Whole windows. */
	count = number(argv[9], WINDOW, 100000000) / WINDOW * WINDOW;

	if (!strcmp(argv[3], "batch"))
		meter_take_turns();
	for (i = 0; i < l.flows; i++)
		flow_open(&l, i);
	run(&l, count / 4 / WINDOW * WINDOW + WINDOW);
	meter_begin(&m);
	run(&l, count);
	meter_end(&m);
	meter_expect_busy(&m);
	printf("%.1f\n", m.total / count);
	return 0;
}
