// SPDX-License-Identifier: GPL-2.0-or-later
/* The world around the state machine; see world.h. */
#include <arpa/inet.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "accounts.h"
#include "links.h"
#include "visits.h"
#include "world.h"

struct world world;

void world_trace(const char *op)
{
	strncat(world.trace, op, sizeof(world.trace) - strlen(world.trace) - 1);
	strncat(world.trace, " ",
		sizeof(world.trace) - strlen(world.trace) - 1);
}

struct kturn_addr addr(const char *text)
{
	struct kturn_addr a = { 0 };
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t len;

	a.family = text[0] == '[' ? KTURN_FAMILY_V6 : KTURN_FAMILY_V4;
	text += text[0] == '[';
	len = colon - text - (a.family == KTURN_FAMILY_V6);
	snprintf(host, sizeof(host), "%.*s", (int)len, text);
	if (inet_pton(a.family == KTURN_FAMILY_V6 ? AF_INET6 : AF_INET, host,
		      a.ip) != 1)
		errx(1, "'%s' is no address in a test", text);
	a.port = htons(atoi(colon + 1));
	return a;
}

/* ---------------------------------------------------------------- datagrams */

static struct sent *record(const uint8_t *buf, size_t len)
{
	struct sent *sent;

	if (world.n_sent == SENT_MAX)
		errx(1, "a test lets more than %d datagrams out", SENT_MAX);
	sent = &world.sent[world.n_sent++];
	*sent = (struct sent){ .p = malloc(len + 1), .len = len };
	if (!sent->p)
		err(1, "recording a datagram");
	memcpy(sent->p, buf, len);
	return sent;
}

static void client_send(void *env, const struct turn_tuple *to,
			const uint8_t *buf, size_t len)
{
	world_trace("client_send");
	record(buf, len)->tuple = *to;
}

static void peer_send(void *env, const struct turn_relay *from,
		      const struct kturn_addr *to, const uint8_t *buf,
		      size_t len, bool dont_fragment)
{
	struct sent *sent = record(buf, len);

	sent->to_peer = true;
	sent->from = *from;
	sent->to = *to;
	sent->dont_fragment = dont_fragment;
}

/* -------------------------------------------------------------------- ports */

static void fill_relay(struct turn_relay *relay, struct port *port)
{
	bool v6 = port->family == KTURN_FAMILY_V6;

	memset(relay, 0, sizeof(*relay));
	relay->addr = addr(v6 ? "[2001:db8:ff::1]:0" : "10.0.0.1:0");
	relay->public = addr(v6 ? "[2001:db8:ff::1]:0" : "203.0.113.1:0");
	relay->addr.port = htons(PORT_MIN + (port - world.ports));
	relay->public.port = relay->addr.port;
	relay->handle = port;
}

static int relay_open(void *env, uint8_t family, enum turn_parity parity,
		      struct turn_relay *relay, struct turn_relay *reserved)
{
	struct port *p = world.ports;
	size_t i, step = parity == TURN_PORT_ANY ? 1 : 2;
	bool pair = parity == TURN_PORT_EVEN_PAIR;

	world_trace("relay_open");
	/* What is there after an error is not to be looked at. */
	memset(relay, 0xee, sizeof(*relay));
	if (world.relay_error && (!world.relay_error_family ||
				  world.relay_error_family == family))
		return world.relay_error;
	/* Odd ports first, so that an even one is never had by chance. */
	for (i = parity == TURN_PORT_ANY; i < PORTS; i += step)
		if (!p[i].open && !(pair && p[i + 1].open))
			break;
	if (i >= PORTS)
		return -ENOSPC;
	p[i] = (struct port){ .open = true, .family = family };
	fill_relay(relay, &p[i]);
	if (pair) {
		p[i + 1] = (struct port){ .open = true, .family = family };
		fill_relay(reserved, &p[i + 1]);
	}
	return 0;
}

static int tcp_relay_open(void *env, uint8_t family, struct turn_relay *relay)
{
	int ret = relay_open(env, family, TURN_PORT_ANY, relay, NULL);

	world_trace("tcp");
	if (!ret)
		((struct port *)relay->handle)->is_tcp = true;
	return ret;
}

static void relay_close(void *env, struct turn_relay *relay)
{
	struct port *p = relay->handle;

	world_trace("relay_close");
	KTAP_CHECK(p && p->open && !p->reserved);
	if (p)
		*p = (struct port){ 0 };
}

static void relay_start(void *env, struct turn_relay *relay,
			struct turn_alloc *alloc)
{
	struct port *p = relay->handle;

	world_trace("relay_start");
	KTAP_CHECK(p && p->open && !p->reserved && !p->alloc);
	p->alloc = alloc;
}

static int reserve(void *env, const uint8_t token[8], struct turn_relay *relay,
		   uint64_t expires_ms)
{
	struct port *p = relay->handle;

	world_trace("reserve");
	if (world.reserve_fails)
		return -ENOMEM;
	KTAP_CHECK(p && p->open && !p->reserved && !p->alloc);
	p->reserved = true;
	memcpy(p->token, token, sizeof(p->token));
	p->expires = expires_ms;
	return 0;
}

static int claim(void *env, const uint8_t token[8], struct turn_relay *relay)
{
	struct port *p;

	world_trace("claim");
	for (p = world.ports; p < world.ports + PORTS; p++) {
		if (!p->reserved || world.now >= p->expires ||
		    memcmp(p->token, token, sizeof(p->token)))
			continue;
		p->reserved = false;
		fill_relay(relay, p);
		return 0;
	}
	return -ENOENT;
}

struct port *world_port(const struct kturn_addr *relay)
{
	size_t i = ntohs(relay->port) - PORT_MIN;

	if (i >= PORTS || !world.ports[i].open)
		return NULL;
	return &world.ports[i];
}

size_t world_open_ports(void)
{
	size_t i, n = 0;

	for (i = 0; i < PORTS; i++)
		n += world.ports[i].open;
	return n;
}

/* ------------------------------------------------------------ peers, offload */

static enum turn_verdict peer_check(void *env, const struct kturn_addr *peer,
				    const struct turn_alloc *alloc)
{
	const struct rule *r = world.rules;

	world_trace("peer_check");
	for (; r < world.rules + world.n_rules; r++)
		if (!memcmp(r->peer.ip, peer->ip, sizeof(peer->ip)) &&
		    (!r->peer.port || r->peer.port == peer->port))
			return r->verdict;
	return TURN_PEER_OK;
}

static int offload(const char *op, struct turn_alloc *a)
{
	world_trace(op);
	if (world.offload_fails)
		return -ENOMEM;
	world.packed_len = turn_alloc_pack(a, world.packed);
	return 0;
}

static int offload_alloc(void *env, struct turn_alloc *a, uint32_t lifetime)
{
	int ret = offload("offload_alloc", a);

	KTAP_EQ(turn_alloc_offload(a), 0);
	KTAP_EQ(turn_alloc_left_ms(a, world.now), lifetime * 1000ull);
	if (ret)
		return ret;
	turn_alloc_set_offload(a, ++world.pushed);
	world.off_lifetime = lifetime;
	return 0;
}

static int offload_refresh(void *env, struct turn_alloc *a)
{
	world.off_lifetime = turn_alloc_left_ms(a, world.now) / 1000;
	return offload("offload_refresh", a);
}

/* The port is still held, and what is left is there already. */
static void offload_shrink(void *env, struct turn_alloc *a)
{
	size_t i, n = 0;

	world_trace("offload_shrink");
	KTAP_CHECK(turn_alloc_offload(a));
	KTAP_CHECK(!turn_alloc_relay(a, KTURN_FAMILY_V4) !=
		   !turn_alloc_relay(a, KTURN_FAMILY_V6));
	for (i = 0; i < PORTS; i++)
		n += world.ports[i].alloc == a;
	KTAP_EQ(n, 2);
	world.packed_len = turn_alloc_pack(a, world.packed);
}

static int offload_peers(void *env, struct turn_alloc *a,
			 const struct kturn_addr *peers, size_t n,
			 uint16_t number)
{
	KTAP_CHECK(n >= 1 && n <= TURN_PERMISSIONS_MAX);
	KTAP_CHECK(!number || n == 1);
	memcpy(world.off_peers, peers, n * sizeof(*peers));
	world.off_n = n;
	world.off_number = number;
	return offload("offload_peers", a);
}

static int offload_move(void *env, struct turn_alloc *a)
{
	world_trace("offload_move");
	world.packed_len = turn_alloc_pack(a, world.packed);
	return world.deleted ? -ENOENT : 0;
}

static void offload_remove(void *env, struct turn_alloc *a)
{
	world_trace("offload_remove");
	KTAP_CHECK(turn_alloc_offload(a));
	world.pushed--;
}

/* --------------------------------------------------------------------- rest */

static enum turn_place place(void *env, const struct turn_tuple *client,
			     struct turn_alternate alt[2])
{
	memcpy(alt, world.alternate, sizeof(world.alternate));
	return world.place;
}

static bool may_answer(void *env, const struct turn_tuple *to, uint64_t now)
{
	KTAP_EQ(now, world.now);
	return !world.silent;
}

static void fake_random(void *env, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len--) {
		world.seed = world.seed * 6364136223846793005ull +
			     1442695040888963407ull;
		*p++ = world.seed >> 56;
	}
}

static void fake_log(void *env, int level, const char *event,
		     const struct turn_tuple *tuple, const char *user,
		     const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(world.log, sizeof(world.log), "%s user=%s ", event,
		     user ? user : "-");
	va_start(ap, fmt);
	vsnprintf(world.log + n, sizeof(world.log) - n, fmt, ap);
	va_end(ap);
}

const struct turn_ops world_ops = {
	.client_send = client_send,
	.peer_send = peer_send,
	.relay_open = relay_open,
	.tcp_relay_open = tcp_relay_open,
	.relay_close = relay_close,
	.connect = link_connect,
	.connection_join = link_join,
	.connection_close = link_close,
	.connection_id = link_id,
	.connection_pass = link_pass,
	.relay_start = relay_start,
	.reserve = reserve,
	.claim = claim,
	.realm_find = account_realm_find,
	.realm_by_origin = account_realm_by_origin,
	.realm_at = account_realm_at,
	.token_key = account_token_key,
	.user_keys = account_user_keys,
	.user_by_hash = account_user_by_hash,
	.user_refuse = account_user_refuse,
	.ask = account_ask,
	.features = account_features,
	.quota_take = account_quota_take,
	.place = place,
	.may_answer = may_answer,
	.quota_give = account_quota_give,
	.peer_check = peer_check,
	.offload_alloc = offload_alloc,
	.offload_refresh = offload_refresh,
	.offload_peers = offload_peers,
	.offload_shrink = offload_shrink,
	.offload_move = offload_move,
	.offload_remove = offload_remove,
	.mobile_new = mobile_new,
	.mobile_end = mobile_end,
	.visit_begin = visit_begin,
	.visit_end = visit_end,
	.visit_stay = visit_stay,
	.home = visit_home,
	.random = fake_random,
	.log = fake_log,
};

void world_init(void)
{
	memset(&world, 0, sizeof(world));
	world.now = T0;
	world.wall = WALL0;
	accounts_init();
	world.cfg = (struct turn_config){
		.software = SOFTWARE,
		.nonce_key = { 1, 2, 3 },
		.chan_max = KTURN_CHAN_MAX,
		.family4 = true,
		.family6 = true,
		.lifetime_max = TURN_LIFETIME_MAX,
		.perms_max = TURN_PERMISSIONS_MAX,
		.chans_max = TURN_CHANNELS_MAX,
		.conns_max = TURN_CONNECTIONS_MAX,
	};
}

void world_start(void)
{
	world.s = turn_server_new(&world.cfg, &world_ops, &world);
	if (!world.s)
		err(1, "making a server");
}

void world_begin(void)
{
	world_init();
	world_start();
}

void world_stop(void)
{
	size_t i;

	turn_server_free(world.s, false);
	world_clear();
	for (i = 0; i < PORTS; i++)
		if (world.ports[i].reserved)
			world.ports[i].open = false;
	KTAP_EQ(world_open_ports(), 0);
	KTAP_EQ(world_open_links(), 0);
	KTAP_EQ(world.quota_used, 0);
	KTAP_EQ(world.quota.n, world.quota.n_idle);
	quota_free(&world.quota);
	KTAP_EQ(world.pushed, 0);
	KTAP_EQ(world.mobile, 0);
}

void world_clear(void)
{
	while (world.n_sent)
		free(world.sent[--world.n_sent].p);
	world.trace[0] = 0;
	world.log[0] = 0;
}

void world_pass(uint64_t ms)
{
	world.now += ms;
}

void peer_send_in(const struct kturn_addr *relay, const char *peer,
		  const void *data, size_t len)
{
	struct port *p = world_port(relay);
	struct kturn_addr from = addr(peer);
	uint8_t *buf;

	if (!p || !p->alloc) {
		KTAP_CHECK(!"a relayed address that is served");
		return;
	}
	/* Exactly the room that the contract promises. */
	buf = malloc(TURN_HEADROOM + len + TURN_TAILROOM);
	if (!buf)
		err(1, "making a datagram");
	memset(buf, 0xee, TURN_HEADROOM + len + TURN_TAILROOM);
	if (len)
		memcpy(buf + TURN_HEADROOM, data, len);
	turn_peer_input(world.s, world.now, p->alloc, &from,
			buf + TURN_HEADROOM, len);
	free(buf);
}

void check_to_peer(const struct kturn_addr *relay, const char *peer,
		   const void *data, size_t len, bool dont_fragment)
{
	struct kturn_addr to = addr(peer);
	const struct sent *sent = &world.sent[0];

	if (!KTAP_EQ(world.n_sent, 1) || !KTAP_CHECK(sent->to_peer))
		return;
	KTAP_MEM_EQ(&sent->to, &to, sizeof(to));
	KTAP_MEM_EQ(&sent->from.public, relay, sizeof(*relay));
	KTAP_EQ(sent->dont_fragment, dont_fragment);
	if (KTAP_EQ(sent->len, len) && len)
		KTAP_MEM_EQ(sent->p, data, len);
}

/* -------------------------------------------------------------------- state */

static void mix(uint64_t *sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = 0xcbf29ce484222325;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3;
	/* Added: the order in which things are listed does not count. */
	*sum += h;
}

static void mix_perm(const struct kturn_addr *peer, uint32_t left_ms, void *arg)
{
	mix(arg, peer, sizeof(*peer));
	*(uint64_t *)arg += left_ms;
}

static void mix_chan(uint16_t number, const struct kturn_addr *peer,
		     uint32_t left_ms, void *arg)
{
	mix(arg, &number, sizeof(number));
	mix_perm(peer, left_ms, arg);
}

static void mix_relay(const struct turn_relay *relay, void *arg)
{
	if (relay)
		mix(arg, relay, sizeof(*relay));
}

static void mix_alloc(struct turn_alloc *a, void *arg)
{
	uint8_t packed[TURN_PACKED_MAX];

	mix(arg, turn_alloc_tuple(a), sizeof(struct turn_tuple));
	mix_relay(turn_alloc_relay(a, KTURN_FAMILY_V4), arg);
	mix_relay(turn_alloc_relay(a, KTURN_FAMILY_V6), arg);
	mix(arg, packed, turn_alloc_pack(a, packed));
	*(uint64_t *)arg += turn_alloc_left_ms(a, world.now);
	turn_alloc_each_perm(a, world.now, mix_perm, arg);
	turn_alloc_each_chan(a, world.now, mix_chan, arg);
}

uint64_t world_state(void)
{
	const struct turn_counters *c = turn_counters(world.s);
	uint64_t sum = 0;

	turn_server_each(world.s, mix_alloc, &sum);
	mix(&sum, world.ports, sizeof(world.ports));
	mix(&sum, &world.quota_used, sizeof(world.quota_used));
	mix(&sum, &world.pushed, sizeof(world.pushed));
	mix(&sum, &c->allocs, sizeof(c->allocs));
	mix(&sum, &c->relays, sizeof(c->relays));
	mix(&sum, &c->perms, sizeof(c->perms));
	mix(&sum, &c->chans, sizeof(c->chans));
	mix(&sum, &c->conns, sizeof(c->conns));
	return sum;
}
