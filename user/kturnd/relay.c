// SPDX-License-Identifier: GPL-2.0-or-later
/* Relayed transport addresses; see relay.h. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "errors.h"
#include "kturn.h"
#include "log.h"
#include "random.h"
#include "relay.h"
#include "socket.h"

/* Before looking at every port in turn. */
#define RANDOM_TRIES	16

/**
 * struct relay_public - what an address was known as at some time
 * @next: another
 * @addr: that
 */
struct relay_public {
	struct relay_public *next;
	struct kturn_addr addr;
};

/* One is as good as another of the same value, so that they stay few. */
int relay_set_public(struct relay_addr *ra, const struct kturn_addr *public)
{
	struct relay_public *rp = ra->publics;

	while (rp && !addr_equal(&rp->addr, public))
		rp = rp->next;
	if (!rp) {
		rp = malloc(sizeof(*rp));
		if (!rp)
			return -ENOMEM;
		rp->addr = *public;
		rp->next = ra->publics;
		ra->publics = rp;
	}
	atomic_store_explicit(&ra->public, &rp->addr, memory_order_release);
	return 0;
}

static const struct kturn_addr *find_public(const struct relay_addr *ra,
					    const struct config *cfg)
{
	size_t k;

	for (k = 0; k < cfg->n_external; k++)
		if (addr_equal(&cfg->external[k].private, &ra->addr))
			return &cfg->external[k].public;
	return &ra->addr;
}

int relay_pool_init(struct relay_pool *pool, const struct config_addrs *addrs,
		    const struct config *cfg)
{
	struct relay_addr *ra;
	size_t i;

	memset(pool, 0, sizeof(*pool));
	pool->v = calloc(addrs->n, sizeof(*pool->v));
	if (!pool->v)
		return -ENOMEM;
	pool->n = addrs->n;
	pool->port_min = cfg->relay_port_min;
	pool->port_max = cfg->relay_port_max;
	for (i = 0; i < addrs->n; i++) {
		ra = &pool->v[i];
		ra->addr = addr_with_port(&addrs->v[i], 0);
		if (relay_set_public(ra, find_public(ra, cfg))) {
			relay_pool_free(pool);
			return -ENOMEM;
		}
		pool->nat |= !addr_equal(relay_public(ra), &ra->addr);
	}
	return 0;
}

void relay_pool_free(struct relay_pool *pool)
{
	struct relay_public *rp;
	size_t i;

	for (i = 0; i < pool->n; i++) {
		while ((rp = pool->v[i].publics)) {
			pool->v[i].publics = rp->next;
			free(rp);
		}
	}
	free(pool->v);
	memset(pool, 0, sizeof(*pool));
}

bool relay_pool_has(const struct relay_pool *pool, uint8_t family)
{
	size_t i;

	for (i = 0; i < pool->n; i++)
		if (pool->v[i].addr.family == family)
			return true;
	return false;
}

/* ----------------------------------------------------------------- bitmaps */

static bool test_bit(const _Atomic uint64_t *map, unsigned int bit)
{
	return atomic_load_explicit(&map[bit / 64], memory_order_relaxed) >>
		bit % 64 & 1;
}

/* Returns what it was. */
static bool set_bit(_Atomic uint64_t *map, unsigned int bit)
{
	return atomic_fetch_or(&map[bit / 64], 1ull << bit % 64) >> bit % 64 &
		1;
}

static void clear_bit(_Atomic uint64_t *map, unsigned int bit)
{
	atomic_fetch_and(&map[bit / 64], ~(1ull << bit % 64));
}

void relay_set_mapped(struct relay_addr *ra, uint16_t port, bool mapped)
{
	if (mapped)
		set_bit(ra->mapped, port);
	else
		clear_bit(ra->mapped, port);
}

bool relay_is_used(const struct relay_addr *ra, uint16_t port)
{
	return test_bit(ra->used, port);
}

unsigned int relay_count_spare(const struct relay_addr *ra)
{
	unsigned int i, n = 0;

	for (i = 0; i < RELAY_WORDS; i++)
		n += (unsigned int)__builtin_popcountll(ra->mapped[i] &
							~ra->used[i]);
	return n;
}

/* ----------------------------------------------------------------- sockets */

/* A descriptor or a negative errno. */
static int open_socket(const struct kturn_addr *addr,
		       enum relay_transport transport)
{
	int fd;

	if (transport == RELAY_TCP)
		return socket_relay_listening(addr);
	fd = socket_bound(addr, NULL);
	if (fd >= 0)
		errors_enable(fd, addr->family);
	return fd;
}

static int bind_port(struct relay_addr *ra, uint16_t port,
		     enum relay_transport transport, struct turn_relay *relay)
{
	const struct kturn_addr *public = relay_public(ra);
	struct relay_sock *rs;
	int ret;

	if (set_bit(ra->used, port))
		return -EADDRINUSE;
	rs = calloc(1, sizeof(*rs));
	if (!rs) {
		ret = -ENOMEM;
		goto free_port;
	}
	rs->transport = transport;
	rs->from = ra;
	rs->port = port;
	rs->dont_fragment = -1;
	relay->addr = addr_with_port(&ra->addr, port);
	/* A predecessor's: its client has been told the public address. */
	if (public->family == KTURN_FAMILY_NONE)
		public = &ra->addr;
	relay->public = addr_with_port(public, port);
	rs->fd = open_socket(&relay->addr, transport);
	if (rs->fd < 0) {
		ret = rs->fd;
		goto free_sock;
	}
	relay->handle = rs;
	return 0;
free_sock:
	free(rs);
free_port:
	clear_bit(ra->used, port);
	return ret;
}

/**
 * struct wish - which ports will do
 * @family: of the address
 * @transport: UDP or TCP
 * @parity: of the port
 */
struct wish {
	uint8_t family;
	enum relay_transport transport;
	enum turn_parity parity;
};

/* As far as that is needed; @pair: with the one after it. */
static bool is_mapped(const struct relay_addr *ra, unsigned int port, bool pair)
{
	return !ra->mapped_only || (test_bit(ra->mapped, port) &&
				    (!pair || test_bit(ra->mapped, port + 1)));
}

/* Both ports of a pair, or none; @reserved is NULL for a single one. */
static int bind_ports(struct relay_addr *ra, uint16_t port,
		      const struct wish *wish, struct turn_relay *relay,
		      struct turn_relay *reserved)
{
	int ret;

	if (!is_mapped(ra, port, reserved))
		return -EADDRINUSE;
	ret = bind_port(ra, port, wish->transport, relay);
	if (ret)
		return ret;
	if (reserved) {
		ret = bind_port(ra, port + 1, wish->transport, reserved);
		if (ret)
			goto close_relay;
	}
	/* Once it is in use it is not given back, but may have been before. */
	if (is_mapped(ra, port, reserved))
		return 0;
	ret = -EADDRINUSE;
	if (reserved)
		relay_close(reserved);
close_relay:
	relay_close(relay);
	return ret;
}

/*
 * Ports that can be a relay's are first, first + step, …: all of them, or
 * the even ones, or the even ones that are not the last.
 */
static int bind_any(const struct relay_pool *pool, struct relay_addr *ra,
		    const struct wish *wish, struct turn_relay *relay,
		    struct turn_relay *reserved)
{
	unsigned int step = wish->parity == TURN_PORT_ANY ? 1 : 2;
	unsigned int first = pool->port_min, last = pool->port_max;
	unsigned int n, i, pick;
	int ret = -EADDRINUSE;

	if (step == 2 && first % 2)
		first++;
	if (reserved)
		last--;
	if (first > last)
		return -EADDRINUSE;
	n = (last - first) / step + 1;
	for (i = 0; i < RANDOM_TRIES && ret == -EADDRINUSE; i++)
		ret = bind_ports(ra, (uint16_t)(first + random_below(n) * step),
				 wish, relay, reserved);
	pick = random_below(n);
	for (i = 0; i < n && ret == -EADDRINUSE; i++)
		ret = bind_ports(ra, (uint16_t)(first + (pick + i) % n * step),
				 wish, relay, reserved);
	return ret;
}

static int open_at(const struct relay_pool *pool, struct relay_addr *ra,
		   const struct wish *wish, struct turn_relay *relay,
		   struct turn_relay *reserved)
{
	char text[KTURN_ADDR_TEXT_MAX];
	const char *why = NULL;
	int ret = -EADDRNOTAVAIL;

	if (relay_public(ra)->family == KTURN_FAMILY_NONE)
		why = "its external address is not known yet";
	else if (ra->mapped_only && wish->transport == RELAY_TCP)
		why = "the gateway maps ports of UDP alone";
	else
		ret = bind_any(pool, ra, wish, relay, reserved);
	if (!ret)
		return 0;
	if (!why)
		why = ra->mapped_only && ret == -EADDRINUSE ?
		      "the gateway maps no port that is free" : strerror(-ret);
	log_limited(LOG_WARNING, "no-relay-port", "relay=%s error=%s",
		    kturn_addr_text(&ra->addr, text), why);
	return ret;
}

static int open_any(struct relay_pool *pool, const struct wish *wish,
		    struct turn_relay *relay, struct turn_relay *reserved)
{
	int ret = -EAFNOSUPPORT;
	struct relay_addr *ra;
	size_t i, pick;

	pick = random_below((uint32_t)pool->n);
	for (i = 0; i < pool->n; i++) {
		ra = &pool->v[(pick + i) % pool->n];
		if (ra->addr.family != wish->family)
			continue;
		ret = open_at(pool, ra, wish, relay, reserved);
		if (!ret)
			return 0;
	}
	return ret == -EAFNOSUPPORT ? ret : -ENOSPC;
}

int relay_open(struct relay_pool *pool, uint8_t family,
	       enum turn_parity parity, struct turn_relay *relay,
	       struct turn_relay *reserved)
{
	const struct wish wish = { .family = family, .transport = RELAY_UDP,
				   .parity = parity };

	return open_any(pool, &wish, relay,
			parity == TURN_PORT_EVEN_PAIR ? reserved : NULL);
}

int relay_open_tcp(struct relay_pool *pool, uint8_t family,
		   struct turn_relay *relay)
{
	const struct wish wish = { .family = family, .transport = RELAY_TCP,
				   .parity = TURN_PORT_ANY };

	return open_any(pool, &wish, relay, NULL);
}

int relay_rebind(struct relay_pool *pool, const struct kturn_addr *addr,
		 struct turn_relay *relay)
{
	struct relay_addr *ra = relay_find(pool, addr);

	if (!ra || !addr->port)
		return -EADDRNOTAVAIL;
	return bind_port(ra, kturn_addr_port(addr), RELAY_UDP, relay);
}

void relay_close(struct turn_relay *relay)
{
	struct relay_sock *rs = relay->handle;

	clear_bit(rs->from->live[rs->transport], rs->port);
	close(rs->fd);
	/* Last: from here on another worker may bind it. */
	clear_bit(rs->from->used, rs->port);
	free(rs);
	relay->handle = NULL;
}

void relay_set_live(struct turn_relay *relay)
{
	struct relay_sock *rs = relay->handle;

	set_bit(rs->from->live[rs->transport], rs->port);
}

struct relay_addr *relay_find(const struct relay_pool *pool,
			      const struct kturn_addr *addr)
{
	size_t i;

	for (i = 0; i < pool->n; i++)
		if (addr_ip_equal(&pool->v[i].addr, addr))
			return &pool->v[i];
	return NULL;
}

struct relay_addr *relay_find_public(const struct relay_pool *pool,
				     const struct kturn_addr *addr)
{
	size_t i;

	if (!pool->nat)
		return NULL;
	for (i = 0; i < pool->n; i++)
		if (addr_ip_equal(relay_public(&pool->v[i]), addr) &&
		    !addr_ip_equal(&pool->v[i].addr, addr))
			return &pool->v[i];
	return NULL;
}

bool relay_is_live(const struct relay_addr *ra, const struct kturn_addr *addr,
		   enum relay_transport transport)
{
	return test_bit(ra->live[transport], kturn_addr_port(addr));
}
