/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's own addresses, as its routing tables say: whatever has a route
 * of type local (or anycast) is delivered here, which is also what the kernel
 * module goes by. Followed through rtnetlink.
 */
#ifndef _KTURND_LOCAL_H
#define _KTURND_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include "address.h"

/**
 * struct local_set - a snapshot; never changes, shared by reference
 * @refs: references, atomic
 * @n: prefixes that are local
 * @n_broadcast: broadcast addresses
 * @v: the local ones, then the broadcast ones
 */
struct local_set {
	unsigned int refs;
	size_t n;
	size_t n_broadcast;
	struct prefix v[];
};

struct local;

/** local_open() - start to follow; 0 or a negative errno */
int local_open(struct local **l);

/** local_close() - stop to follow; NULL is fine */
void local_close(struct local *l);

/** local_fd() - readable when local_changed() has something to say */
int local_fd(const struct local *l);

/** local_changed() - read what came; true if a new snapshot is due */
bool local_changed(struct local *l);

/** local_snapshot() - what is local now; NULL with errno set */
struct local_set *local_snapshot(struct local *l);

/** local_get() - one more user of a snapshot; any thread */
struct local_set *local_get(struct local_set *set);

/** local_put() - one less; the last frees it. NULL is fine */
void local_put(struct local_set *set);

/** local_has() - is it delivered to this host? */
bool local_has(const struct local_set *set, const struct kturn_addr *addr);

/** local_is_broadcast() - is it a directed broadcast address here? */
bool local_is_broadcast(const struct local_set *set,
			const struct kturn_addr *addr);

/**
 * local_addresses() - addresses to serve on
 * @family: enum kturn_family
 * @loopback: those of the loopback device, else the global ones of others:
 *	neither temporary nor deprecated
 * @list: they are appended here, their port 0
 * @n: how many there are
 * @tentative: how many were left out because duplicate address detection
 *	goes on
 *
 * Return: 0 or a negative errno.
 */
int local_addresses(uint8_t family, bool loopback, struct kturn_addr **list,
		    size_t *n, size_t *tentative);

#endif /* _KTURND_LOCAL_H */
