/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transport addresses: to and from sockets, prefixes, forms within forms. */
#ifndef _COMMON_ADDRESS_H
#define _COMMON_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <kturn/wire.h>

/** struct prefix - an IP prefix; the bits after @len are zero */
struct prefix {
	uint8_t ip[16];
	uint8_t family;
	uint8_t len;
};

/** addr_from_sockaddr() - no address (family NONE) for other families */
void addr_from_sockaddr(const void *sa, struct kturn_addr *addr);

/** addr_to_sockaddr() - returns the length; 0 for no address */
socklen_t addr_to_sockaddr(const struct kturn_addr *addr,
			   struct sockaddr_storage *sa);

/** addr_af() - AF_INET, AF_INET6, or AF_UNSPEC for no address */
int addr_af(const struct kturn_addr *addr);

/** addr_equal() - same address and port? */
static inline bool addr_equal(const struct kturn_addr *a,
			      const struct kturn_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/** addr_ip_equal() - same address, whatever the ports? */
static inline bool addr_ip_equal(const struct kturn_addr *a,
				 const struct kturn_addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

/** addr_with_port() - @addr with another port, in host byte order */
struct kturn_addr addr_with_port(const struct kturn_addr *addr, uint16_t port);

/** addr_is_unspecified() - 0.0.0.0 or ::? */
bool addr_is_unspecified(const struct kturn_addr *addr);

/**
 * prefix_parse() - "192.0.2.0/24", "2001:db8::/32", or one address
 * @text: what a person wrote
 * @prefix: result; of v4-mapped IPv6 the IPv4 form
 *
 * Return: 0; -EINVAL: not a prefix; -ERANGE: bits are set after its length.
 */
int prefix_parse(const char *text, struct prefix *prefix);

/** prefix_match() - is @addr in @prefix? */
bool prefix_match(const struct prefix *prefix, const struct kturn_addr *addr);

/**
 * addr_embedded() - the IPv4 address in an IPv6 address that stands for it
 * @addr: ::ffff:0:0/96, ::/96 (but for :: and ::1), 64:ff9b::/96, 2002::/16
 * @v4: result; has @addr's port
 *
 * Return: false if @addr is of no such form.
 */
bool addr_embedded(const struct kturn_addr *addr, struct kturn_addr *v4);

#endif /* _COMMON_ADDRESS_H */
