/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Relayed transport addresses: which ports are taken, and their sockets. A port
 * is relayed for UDP or for TCP (RFC 6062), not both.
 *
 * Shared by all workers without a lock: which ports are taken and which are
 * live is in atomic bitmaps. A socket belongs to the worker whose allocation
 * it serves, or to nobody while its port is reserved.
 */
#ifndef _KTURND_RELAY_H
#define _KTURND_RELAY_H

#include <event2/event_struct.h>
#include <stdatomic.h>
#include "config.h"
#include "turn/turn.h"

struct worker;

#define RELAY_WORDS	(65536 / 64)

struct relay_public;

/** enum relay_transport - what is relayed */
enum relay_transport {
	RELAY_UDP,
	RELAY_TCP,
};

/**
 * struct relay_addr - an address that relayed addresses are made of
 * @addr: the host's own, port 0
 * @public: what the world knows it as, see relay_public()
 * @publics: all that it was ever known as, as a worker may look at one still
 * @mapped_only: behind a NAT that forwards those of @mapped alone
 * @used: ports that we have bound
 * @live: ports that belong to allocations, by transport
 * @mapped: ports that a NAT forwards to us, with @mapped_only
 */
struct relay_addr {
	struct kturn_addr addr;
	const struct kturn_addr *_Atomic public;
	struct relay_public *publics;
	bool mapped_only;
	_Atomic uint64_t used[RELAY_WORDS];
	_Atomic uint64_t live[2][RELAY_WORDS];
	_Atomic uint64_t mapped[RELAY_WORDS];
};

/**
 * struct relay_pool - all of them
 * @v: constant, but for the bitmaps and public addresses
 * @n: how many
 * @port_min: first port
 * @port_max: last port
 * @nat: some address differs from its public one, or may
 */
struct relay_pool {
	struct relay_addr *v;
	size_t n;
	uint16_t port_min;
	uint16_t port_max;
	bool nat;
};

/**
 * struct relay_sock - the socket of a relayed transport address
 * @transport: UDP, or TCP, which listens
 * @fd: bound, non-blocking
 * @from: its address
 * @port: its port, in host byte order
 * @dont_fragment: how the socket sends IPv4 now, -1 as long as it has sent none
 * @grown: its buffers are large
 * @worker: whose event loop watches it; NULL while reserved
 * @alloc: what its datagrams and connections are for
 * @event: of that loop; of TCP also when to listen again
 */
struct relay_sock {
	enum relay_transport transport;
	int fd;
	struct relay_addr *from;
	uint16_t port;
	int8_t dont_fragment;
	bool grown;
	struct worker *worker;
	struct turn_alloc *alloc;
	struct event event;
};

/**
 * relay_pool_init() - set up
 * @pool: result
 * @addrs: addresses
 * @cfg: ports and NATs
 *
 * Return: 0 or -ENOMEM.
 */
int relay_pool_init(struct relay_pool *pool, const struct config_addrs *addrs,
		    const struct config *cfg);

/** relay_pool_free() - free it; open relays are not closed */
void relay_pool_free(struct relay_pool *pool);

/** relay_pool_has() - is there an address of the family? */
bool relay_pool_has(const struct relay_pool *pool, uint8_t family);

/** relay_open() - as turn_ops.relay_open */
int relay_open(struct relay_pool *pool, uint8_t family,
	       enum turn_parity parity, struct turn_relay *relay,
	       struct turn_relay *reserved);

/** relay_open_tcp() - as turn_ops.tcp_relay_open */
int relay_open_tcp(struct relay_pool *pool, uint8_t family,
		   struct turn_relay *relay);

/**
 * relay_rebind() - bind a predecessor's relayed address
 * @pool: pool
 * @addr: address and port
 * @relay: result
 *
 * Return: 0; -EADDRNOTAVAIL: not an address of ours; errors of bind().
 */
int relay_rebind(struct relay_pool *pool, const struct kturn_addr *addr,
		 struct turn_relay *relay);

/** relay_close() - close it and free its port; its event must be gone */
void relay_close(struct turn_relay *relay);

/** relay_set_live() - an allocation has it now */
void relay_set_live(struct turn_relay *relay);

/** relay_find() - the entry for a host's address, or NULL */
struct relay_addr *relay_find(const struct relay_pool *pool,
			      const struct kturn_addr *addr);

/** relay_find_public() - the entry for a NAT's public address, or NULL */
struct relay_addr *relay_find_public(const struct relay_pool *pool,
				     const struct kturn_addr *addr);

/**
 * relay_public() - what the world knows an address as, port 0
 * @ra: address
 *
 * The address itself without a NAT; no address as long as it is to be learnt.
 * Any thread; the result stays valid, but may not stay true.
 */
static inline const struct kturn_addr *relay_public(const struct relay_addr *ra)
{
	return atomic_load_explicit(&ra->public, memory_order_acquire);
}

/**
 * relay_set_public() - the world knows it as another from now on
 * @ra: address; one thread at a time
 * @public: port 0
 *
 * Allocations keep what they have told their clients. Return: 0 or -ENOMEM.
 */
int relay_set_public(struct relay_addr *ra, const struct kturn_addr *public);

/** relay_set_mapped() - the NAT forwards a port, or not any more */
void relay_set_mapped(struct relay_addr *ra, uint16_t port, bool mapped);

/** relay_is_used() - is the port bound by us? */
bool relay_is_used(const struct relay_addr *ra, uint16_t port);

/** relay_count_spare() - ports that are mapped, and not used */
unsigned int relay_count_spare(const struct relay_addr *ra);

/** relay_is_live() - does the port of @addr belong to an allocation of that kind? */
bool relay_is_live(const struct relay_addr *ra, const struct kturn_addr *addr,
		   enum relay_transport transport);

#endif /* _KTURND_RELAY_H */
