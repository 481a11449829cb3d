// SPDX-License-Identifier: GPL-2.0-or-later
/* Transport addresses; see address.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "address.h"
#include "kturn.h"

static const uint8_t zeros[16];

/*
 * A socket address's port is of a type that says nothing of its byte order,
 * which is the network's; copied as bytes, it needs no cast.
 */
void addr_from_sockaddr(const void *sa, struct kturn_addr *addr)
{
	const struct sockaddr_in6 *in6 = sa;
	const struct sockaddr_in *in = sa;
	sa_family_t family;

	memset(addr, 0, sizeof(*addr));
	memcpy(&family, sa, sizeof(family));
	if (family == AF_INET) {
		addr->family = KTURN_FAMILY_V4;
		memcpy(&addr->port, &in->sin_port, sizeof(addr->port));
		memcpy(addr->ip, &in->sin_addr, 4);
	} else if (family == AF_INET6) {
		addr->family = KTURN_FAMILY_V6;
		memcpy(&addr->port, &in6->sin6_port, sizeof(addr->port));
		memcpy(addr->ip, &in6->sin6_addr, 16);
	}
}

socklen_t addr_to_sockaddr(const struct kturn_addr *addr,
			   struct sockaddr_storage *sa)
{
	struct sockaddr_in6 *in6 = (void *)sa;
	struct sockaddr_in *in = (void *)sa;

	if (addr->family == KTURN_FAMILY_V4) {
		memset(in, 0, sizeof(*in));
		in->sin_family = AF_INET;
		memcpy(&in->sin_port, &addr->port, 2);
		memcpy(&in->sin_addr, addr->ip, 4);
		return sizeof(*in);
	}
	if (addr->family == KTURN_FAMILY_V6) {
		memset(in6, 0, sizeof(*in6));
		in6->sin6_family = AF_INET6;
		memcpy(&in6->sin6_port, &addr->port, 2);
		memcpy(&in6->sin6_addr, addr->ip, 16);
		return sizeof(*in6);
	}
	return 0;
}

int addr_af(const struct kturn_addr *addr)
{
	return addr->family == KTURN_FAMILY_V4 ? AF_INET :
	       addr->family == KTURN_FAMILY_V6 ? AF_INET6 : AF_UNSPEC;
}

struct kturn_addr addr_with_port(const struct kturn_addr *addr, uint16_t port)
{
	struct kturn_addr result = *addr;

	kturn_addr_set_port(&result, port);
	return result;
}

bool addr_is_unspecified(const struct kturn_addr *addr)
{
	return !memcmp(addr->ip, zeros, sizeof(zeros));
}

/* Bits of @ip after the first @len are zero? */
static bool rest_is_zero(const uint8_t *ip, unsigned int len)
{
	unsigned int i;

	for (i = len; i < 128; i++)
		if (ip[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

int prefix_parse(const char *text, struct prefix *prefix)
{
	const char *slash = strchr(text, '/');
	char ip[KTURN_ADDR_TEXT_MAX], *end;
	unsigned long len, max;
	struct kturn_addr addr;
	size_t n;

	n = slash ? (size_t)(slash - text) : strlen(text);
	if (n >= sizeof(ip))
		return -EINVAL;
	memcpy(ip, text, n);
	ip[n] = '\0';
	if (strpbrk(ip, "[]") || kturn_addr_parse(ip, &addr) || addr.port)
		return -EINVAL;
	max = 8 * kturn_addr_len(addr.family);
	len = max;
	if (slash) {
		if (slash[1] < '0' || slash[1] > '9' || strlen(slash + 1) > 3)
			return -EINVAL;
		len = strtoul(slash + 1, &end, 10);
		if (*end)
			return -EINVAL;
		/* The length counts the bits of the form that was written. */
		if (addr.family == KTURN_FAMILY_V4 && strchr(ip, ':')) {
			if (len < 96)
				return -EINVAL;
			len -= 96;
		}
		if (len > max)
			return -EINVAL;
	}
	if (!rest_is_zero(addr.ip, (unsigned int)len))
		return -ERANGE;
	memcpy(prefix->ip, addr.ip, sizeof(prefix->ip));
	prefix->family = addr.family;
	prefix->len = (uint8_t)len;
	return 0;
}

bool prefix_match(const struct prefix *prefix, const struct kturn_addr *addr)
{
	unsigned int bytes = prefix->len / 8, bits = prefix->len % 8;

	if (prefix->family != addr->family ||
	    memcmp(prefix->ip, addr->ip, bytes))
		return false;
	return !bits ||
	       !((prefix->ip[bytes] ^ addr->ip[bytes]) & 0xff00 >> bits & 0xff);
}

bool addr_embedded(const struct kturn_addr *addr, struct kturn_addr *v4)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *ip = addr->ip, *from;

	if (addr->family != KTURN_FAMILY_V6)
		return false;
	if (ip[0] == 0x20 && ip[1] == 0x02)
		from = ip + 2;
	else if (!memcmp(ip, nat64, 12) || !memcmp(ip, mapped, 12))
		from = ip + 12;
	else if (!memcmp(ip, zeros, 12) &&
		 (memcmp(ip + 12, zeros, 3) || ip[15] > 1))
		from = ip + 12;
	else
		return false;
	memset(v4, 0, sizeof(*v4));
	memcpy(v4->ip, from, 4);
	v4->family = KTURN_FAMILY_V4;
	v4->port = addr->port;
	return true;
}
