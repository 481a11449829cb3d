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

int relay_pool_init(struct relay_pool *pool, const struct config_addrs *addrs,
		    const struct config *cfg)
{
	struct relay_addr *ra;
	size_t i, k;

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
		ra->public = ra->addr;
		for (k = 0; k < cfg->n_external; k++) {
			if (!addr_equal(&cfg->external[k].private, &ra->addr))
				continue;
			ra->public = cfg->external[k].public;
			pool->nat = true;
		}
	}
	return 0;
}

void relay_pool_free(struct relay_pool *pool)
{
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

/* ----------------------------------------------------------------- sockets */

static int bind_port(struct relay_addr *ra, uint16_t port,
		     struct turn_relay *relay)
{
	struct relay_sock *rs;
	int ret;

	if (set_bit(ra->used, port))
		return -EADDRINUSE;
	rs = calloc(1, sizeof(*rs));
	if (!rs) {
		ret = -ENOMEM;
		goto free_port;
	}
	rs->from = ra;
	rs->port = port;
	rs->dont_fragment = -1;
	relay->addr = addr_with_port(&ra->addr, port);
	relay->public = addr_with_port(&ra->public, port);
	rs->fd = socket_bound(&relay->addr, NULL);
	if (rs->fd < 0) {
		ret = rs->fd;
		goto free_sock;
	}
	errors_enable(rs->fd, relay->addr.family);
	relay->handle = rs;
	return 0;
free_sock:
	free(rs);
free_port:
	clear_bit(ra->used, port);
	return ret;
}

/* Both ports of a pair, or none; @reserved is NULL for a single one. */
static int bind_ports(struct relay_addr *ra, uint16_t port,
		      struct turn_relay *relay, struct turn_relay *reserved)
{
	int ret = bind_port(ra, port, relay);

	if (ret || !reserved)
		return ret;
	ret = bind_port(ra, port + 1, reserved);
	if (ret)
		relay_close(relay);
	return ret;
}

/*
 * Ports that can be a relay's are first, first + step, …: all of them, or
 * the even ones, or the even ones that are not the last.
 */
static int bind_any(const struct relay_pool *pool, struct relay_addr *ra,
		    enum turn_parity parity, struct turn_relay *relay,
		    struct turn_relay *reserved)
{
	unsigned int step = parity == TURN_PORT_ANY ? 1 : 2;
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
				 relay, reserved);
	pick = random_below(n);
	for (i = 0; i < n && ret == -EADDRINUSE; i++)
		ret = bind_ports(ra, (uint16_t)(first + (pick + i) % n * step),
				 relay, reserved);
	return ret;
}

int relay_open(struct relay_pool *pool, uint8_t family,
	       enum turn_parity parity, struct turn_relay *relay,
	       struct turn_relay *reserved)
{
	char text[KTURN_ADDR_TEXT_MAX];
	int ret = -EAFNOSUPPORT;
	struct relay_addr *ra;
	size_t i, pick;

	if (parity != TURN_PORT_EVEN_PAIR)
		reserved = NULL;
	pick = random_below((uint32_t)pool->n);
	for (i = 0; i < pool->n; i++) {
		ra = &pool->v[(pick + i) % pool->n];
		if (ra->addr.family != family)
			continue;
		ret = bind_any(pool, ra, parity, relay, reserved);
		if (!ret)
			return 0;
		log_limited(LOG_WARNING, "no-relay-port",
			    "relay=%s error=%s",
			    kturn_addr_text(&ra->addr, text),
			    strerror(-ret));
	}
	return ret == -EAFNOSUPPORT ? ret : -ENOSPC;
}

int relay_rebind(struct relay_pool *pool, const struct kturn_addr *addr,
		 struct turn_relay *relay)
{
	struct relay_addr *ra = relay_find(pool, addr);

	if (!ra || !addr->port)
		return -EADDRNOTAVAIL;
	return bind_port(ra, kturn_addr_port(addr), relay);
}

void relay_close(struct turn_relay *relay)
{
	struct relay_sock *rs = relay->handle;

	clear_bit(rs->from->live, rs->port);
	close(rs->fd);
	/* Last: from here on another worker may bind it. */
	clear_bit(rs->from->used, rs->port);
	free(rs);
	relay->handle = NULL;
}

void relay_set_live(struct turn_relay *relay)
{
	struct relay_sock *rs = relay->handle;

	set_bit(rs->from->live, rs->port);
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
		if (addr_ip_equal(&pool->v[i].public, addr) &&
		    !addr_ip_equal(&pool->v[i].addr, addr))
			return &pool->v[i];
	return NULL;
}

bool relay_is_live(const struct relay_addr *ra, const struct kturn_addr *addr)
{
	return test_bit(ra->live, kturn_addr_port(addr));
}
