// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A toy TURN server (RFC 8656): what it takes to have the kernel relay. It
 * authenticates nobody and relays nothing itself, so it is for namespaces that
 * nobody else gets into. It serves clients at the first address and relays from
 * the second, at ports from 50000 on:
 *
 *	toy-server 198.51.100.1:3478 203.0.113.1
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <kturn.h>

#define ALLOC_S		600	/* what an allocation and a channel last */
#define PERM_S		300
#define ALLOCS		64

static struct {
	struct kturn_addr client;
	uint32_t id;	/* the kernel's */
	int socket;	/* nobody else gets the port while it is open */
} allocs[ALLOCS];
static struct kturn_addr server, relay;
static struct kturn *kt;

static int udp_open(const struct kturn_addr *a)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	memcpy(&sa.sin_port, &a->port, 2);
	memcpy(&sa.sin_addr, a->ip, 4);
	if (!bind(fd, (void *)&sa, sizeof(sa)))
		return fd;
	close(fd);
	return -1;
}

/* The slot of a client, or of no client: one that is free; -1 without. */
static int find(const struct kturn_addr *client)
{
	for (int i = 0; i < ALLOCS; i++)
		if (!memcmp(&allocs[i].client, client, sizeof(*client)))
			return i;
	return -1;
}

/* This and those below return an error code, or 0. */
static int allocate(const struct kturn_addr *client)
{
	struct kturn_alloc a = { .client = *client, .server = server,
				 .lifetime_ms = ALLOC_S * 1000, .label = "toy",
				 .flags = KTURN_ALLOC_FLAGS_EXCLUSIVE };
	int i = find(&(struct kturn_addr){ 0 });

	if (find(client) >= 0 || i < 0)
		return i < 0 ? 508 : 437;
	kturn_addr_set_port(&relay, 50000 + i);
	a.relay[0] = relay;
	allocs[i].socket = udp_open(&relay);
	/* The kernel comes first, then the client is told. */
	if (allocs[i].socket < 0 || kturn_alloc_new(kt, &a, &allocs[i].id)) {
		fprintf(stderr, "no allocation: %s\n", kturn_error(kt));
		close(allocs[i].socket);
		return 508;
	}
	allocs[i].client = *client;
	return 0;
}

static int refresh(int i, uint32_t lifetime)
{
	struct kturn_batch *b = kturn_batch_new(kt);

	if (lifetime)
		kturn_batch_alloc_set(b, allocs[i].id, lifetime * 1000, NULL, 0);
	else
		kturn_batch_alloc_del(b, allocs[i].id);
	kturn_batch_run(b);
	kturn_batch_free(b);
	if (!lifetime) {
		close(allocs[i].socket);
		memset(&allocs[i], 0, sizeof(allocs[i]));
	}
	return 0;
}

static int change(int i, const struct kturn_stun *msg, uint32_t *lifetime)
{
	struct kturn_addr peer = { 0 };
	struct kturn_attr_iter it;
	struct kturn_attr at;
	uint16_t number = 0;

	for (kturn_attr_begin(&it, msg); kturn_attr_next(&it, &at);)
		if (at.type == KTURN_ATTR_XOR_PEER_ADDRESS)
			kturn_xor_addr_parse(at.value, at.len, msg->tid, &peer);
		else if (at.type == KTURN_ATTR_CHANNEL_NUMBER && at.len == 4)
			number = kturn_get16(at.value);
		else if (at.type == KTURN_ATTR_LIFETIME && at.len == 4)
			*lifetime = kturn_get32(at.value) ? ALLOC_S : 0;
	if (msg->method == KTURN_REFRESH)
		return refresh(i, *lifetime);
	if (kturn_perm_new(kt, allocs[i].id, &peer, PERM_S * 1000) ||
	    (number && kturn_chan_new(kt, allocs[i].id, number, &peer,
				      ALLOC_S * 1000)))
		return 400;
	return 0;
}

int main(int argc, char **argv)
{
	struct kturn_addr client = { .family = KTURN_FAMILY_V4 };
	struct sockaddr_in sa;
	struct kturn_builder b;
	struct kturn_stun msg;
	uint8_t buf[1500], out[1500];

	if (argc != 3 || kturn_addr_parse(argv[1], &server) ||
	    kturn_addr_parse(argv[2], &relay) || kturn_open(&kt) ||
	    kturn_join(kt, getpid(), 0, "toy", NULL))
		return fprintf(stderr, "toy-server: %s\n", kturn_error(kt));
	for (int fd = udp_open(&server), i, error; fd >= 0;) {
		socklen_t len = sizeof(sa);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (void *)&sa, &len);
		uint32_t lifetime = ALLOC_S;

		if (n < 0 || kturn_stun_parse(buf, n, &msg) || msg.cls)
			continue;
		memcpy(client.ip, &sa.sin_addr, 4);
		memcpy(&client.port, &sa.sin_port, 2);
		i = find(&client);
		error = msg.method == KTURN_ALLOCATE ? allocate(&client) :
			i < 0 ? 437 : change(i, &msg, &lifetime);
		kturn_build_begin(&b, out, sizeof(out),
				  kturn_type(msg.method, error ? KTURN_ERROR :
					     KTURN_SUCCESS), msg.tid);
		if (error)
			kturn_build_error(&b, error, "no");
		else if (msg.method == KTURN_ALLOCATE)
			kturn_build_xor_addr(&b, KTURN_ATTR_XOR_RELAYED_ADDRESS, &relay);
		kturn_build_u32(&b, KTURN_ATTR_LIFETIME, lifetime);
		sendto(fd, out, b.len, 0, (void *)&sa, len);
	}
	return 1;
}
