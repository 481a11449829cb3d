// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The TURN state machine, in the world of selftests/turn. The input is a list
 * of events, each a byte of what happens, a byte of length, and bytes:
 *
 *	0	a datagram, as it is
 *	1	a datagram whose STUN header is made right
 *	2	attributes of an authenticated request; the first byte says of
 *		which method and how authenticated
 *	3	a request that is fine, in small numbers
 *	4	a datagram from a peer, or what becomes of a connection with one
 *	5	time passes
 *	6	something will fail from now, or not any more
 *	7	an administrator ends something
 *
 * The upper bits of the first byte say which client. What nobody authenticated
 * must change nothing, and in the end all must have been given back.
 */
#include <errno.h>

#include "fuzz.h"
#include "../turn/client.h"

#define CLIENTS	6

/* Of those who come by a stream, and may have TCP relayed. */
#define STREAMS	4

static struct client clients[CLIENTS];
static const char *const peers[] = {
	"192.0.2.10:7000", "192.0.2.10:7001", "192.0.2.20:7000",
	"[2001:db8:1::10]:7000", "224.0.0.1:7000", "203.0.113.1:3478",
	"192.0.2.30:0", "203.0.113.1:50001",
};

/* The checks of the world and its clients, which must not fail here. */
bool ktap_check(bool ok, const char *file, int line, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
		abort();
	}
	return true;
}

bool ktap_check_eq(long long got, long long want, const char *file, int line,
		   const char *what)
{
	return ktap_check(got == want, file, line, what);
}

bool ktap_check_mem(const void *got, const void *want, size_t len,
		    const char *file, int line, const char *what)
{
	return ktap_check(!memcmp(got, want, len), file, line, what);
}

static void datagram(struct client *c, const uint8_t *p, size_t len, bool fix)
{
	uint8_t *copy = fuzz_copy(p, len);
	uint64_t before = world_state();

	if (fix)
		len = fuzz_fix_header(copy, len);
	client_send_raw(c, copy, len);
	FUZZ_ASSERT(world_state() == before);
	free(copy);
}

static void authenticated(struct client *c, const uint8_t *p, size_t len)
{
	static const enum kturn_method methods[] = {
		KTURN_ALLOCATE, KTURN_REFRESH, KTURN_CREATE_PERMISSION,
		KTURN_CHANNEL_BIND,
	};
	uint64_t before = world_state();
	struct request r;
	int code;

	if (!len)
		return;
	req_begin(&r, c, methods[p[0] % 4]);
	c->mechanism = p[0] / 4 % 3;
	c->userhash = p[0] & 0x10;
	c->fingerprint = p[0] & 0x20;
	len = 1 + (len - 1) / 4 * 4;
	memcpy(r.buf + r.b.len, p + 1, len - 1);
	r.b.len += len - 1;
	kturn_stun_set_length(r.buf, r.b.len - KTURN_STUN_HDR_LEN);
	req_auth(&r, c);
	code = req_send(&r, c);
	if (code)
		FUZZ_ASSERT(world_state() == before);
	else
		resp_addr(KTURN_ATTR_XOR_RELAYED_ADDRESS, &c->relay);
	/* A malformed FINGERPRINT of the input's own is not answered. */
	FUZZ_ASSERT(code == SUCCESS || code == NO_REPLY || code >= 400);
}

/* How many connections more there may be in the world. */
static size_t room(void)
{
	return LINKS - world_open_links();
}

/* A peer connects, or one of the connections becomes more or less. */
static void connection(const struct kturn_addr *relay, const char *peer,
		       const uint8_t *p, size_t len)
{
	struct link *link = &world.links[len > 1 ? p[1] % LINKS : 0];

	if (p[0] & 0x80) {
		if (room() > 1)
			peer_connect_in(relay, peer);
	} else if (link->open && !link->connecting) {
		link->open = false;
		turn_connection_gone(world.s, link->c);
	} else if (link->open && p[0] & 0x40) {
		link->connecting = false;
		turn_connected(world.s, world.now, link->c);
	} else if (link->open) {
		link->open = false;
		turn_connect_failed(world.s, link->c, ECONNREFUSED);
	}
}

static void fine_request(struct client *c, const uint8_t *p, size_t len)
{
	const char *peer = peers[len > 1 ? p[1] % KTAP_COUNT(peers) : 0];
	bool stream = turn_is_stream(&c->tuple);
	struct request r;
	int code;

	if (!len)
		return;
	c->fingerprint = false;
	switch (p[0] % (stream ? 8 : 4)) {
	case 0:
		code = len > 1 && p[1] & 1 ? do_allocate_both(c) :
					     do_allocate(c);
		break;
	case 1:
		code = len > 3 ? do_refresh_family(c, p[3] % 4,
						   kturn_get16(p + 1)) :
				 do_refresh(c, len > 2 ? kturn_get16(p + 1) : 0);
		break;
	case 2:
		code = do_permit(c, peer);
		break;
	case 4:
	case 5:
		req_begin(&r, c, KTURN_ALLOCATE);
		req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 6u << 24);
		code = req_call(&r, c);
		break;
	case 6:
		if (room() < 2)
			return;
		req_begin(&r, c, KTURN_CONNECT);
		req_peer(&r, peer);
		req_call(&r, c);
		return;
	case 7:
		req_begin(&r, c, KTURN_CONNECTION_BIND);
		req_u32(&r, KTURN_ATTR_CONNECTION_ID,
			0x5eed0000 + (len > 1 ? p[1] : 0));
		code = req_call(&r, c);
		break;
	default:
		code = do_bind(c, 0x4000 + (len > 2 ? p[2] % 4 : 0), peer);
	}
	/* All of them have a nonce that is renewed in time. */
	FUZZ_ASSERT(code != NO_REPLY && code != 401 && code != 420);
}

static void peer_datagram(struct client *c, const uint8_t *p, size_t len)
{
	struct turn_alloc *a = turn_alloc_find(world.s, &c->tuple);
	const struct turn_relay *relay;
	uint64_t before = world_state();
	struct kturn_addr to;
	const char *peer;

	if (!a || !len)
		return;
	/* What comes of the other family than the address is can't matter. */
	peer = peers[p[0] % KTAP_COUNT(peers)];
	relay = turn_alloc_relay(a, addr(peer).family);
	if (!relay)
		relay = turn_alloc_relay(a, addr(peer).family ^ 3);
	to = relay->public;
	if (turn_alloc_is_tcp(a)) {
		connection(&to, peer, p, len);
		return;
	}
	peer_send_in(&to, peer, p + 1, len - 1);
	FUZZ_ASSERT(world_state() == before);
}

static void fail(unsigned int what)
{
	world.offload_fails = what & 1;
	world.reserve_fails = what & 2;
	world.relay_error = what & 4 ? -ENOSPC : 0;
	world.relay_error_family = what >> 4 & 3;
	world.quota_left = what & 8 ? world.quota_used : 1000;
}

static void administrator(struct client *c, const uint8_t *p, size_t len)
{
	struct turn_alloc *a = turn_alloc_find(world.s, &c->tuple);
	struct kturn_addr peer;

	if (!a || len < 2)
		return;
	peer = addr(peers[p[1] % KTAP_COUNT(peers)]);
	switch (p[0] % 3) {
	case 0:
		turn_perm_end(world.s, a, &peer);
		break;
	case 1:
		turn_chan_end(world.s, a, 0x4000 + p[1] % 4);
		break;
	default:
		turn_alloc_end(world.s, a);
		world.pushed--;
	}
}

static void pass(const uint8_t *p, size_t len)
{
	size_t i;

	world_pass(len > 1 ? kturn_get16(p) * 100ull : 1);
	turn_expire(world.s, world.now);
	for (i = 0; i < CLIENTS; i++)
		client_challenge(&clients[i]);
}

static void event(unsigned int what, const uint8_t *p, size_t len)
{
	struct client *c = &clients[what / 8 % CLIENTS];

	world_clear();
	switch (what % 8) {
	case 0:
	case 1:
		datagram(c, p, len, what % 8);
		break;
	case 2:
		authenticated(c, p, len);
		break;
	case 3:
		fine_request(c, p, len);
		break;
	case 4:
		peer_datagram(c, p, len);
		break;
	case 5:
		pass(p, len);
		break;
	case 6:
		fail(len ? p[0] : 0);
		break;
	case 7:
		administrator(c, p, len);
		break;
	}
}

/* What is counted is what is held, reserved ports aside. */
static void check_world(void)
{
	const struct turn_counters *n = turn_counters(world.s);
	size_t i, relaying = 0;

	for (i = 0; i < PORTS; i++)
		relaying += world.ports[i].open && world.ports[i].alloc;
	FUZZ_ASSERT(n->relays == relaying);
	FUZZ_ASSERT(n->allocs <= relaying && relaying <= 2 * n->allocs);
	FUZZ_ASSERT((int)n->allocs == world.quota_used);
	FUZZ_ASSERT((int)n->allocs == world.pushed);
	FUZZ_ASSERT(n->conns == world_open_links());
}

int fuzz_one(const uint8_t *data, size_t size)
{
	size_t i, len;

	world_init();
	world.cfg.tcp_relay = true;
	world.cfg.mobility = true;
	world_start();
	for (i = 0; i < CLIENTS; i++) {
		client_init(&clients[i], 40000 + i);
		if (i >= STREAMS)
			clients[i].tuple.transport = TURN_TCP;
		if (i == 1)
			clients[i].tuple.client.port =
				clients[0].tuple.client.port;
		if (i == 1 || i == 2) {
			clients[i].user = "bob";
			clients[i].password = "builder";
		}
		client_challenge(&clients[i]);
	}

	while (size >= 2) {
		len = data[1] < size - 2 ? data[1] : size - 2;
		event(data[0], data + 2, len);
		check_world();
		data += 2 + len;
		size -= 2 + len;
	}
	world_stop();
	return 0;
}
