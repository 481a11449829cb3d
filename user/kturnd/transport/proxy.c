// SPDX-License-Identifier: GPL-2.0-or-later
/* The PROXY protocol; see proxy.h. Sections are those of its specification. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "address.h"
#include "proxy.h"

static const uint8_t signature[12] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
};

/* Section 2.2: version and command, family and protocol. */
#define VERSION(byte)	((byte) >> 4)
#define COMMAND(byte)	((byte) & 0xf)
#define COMMAND_LOCAL	0
#define COMMAND_PROXY	1
#define TCP_OVER_IPV4	0x11
#define TCP_OVER_IPV6	0x21

/* Two addresses and two ports. */
#define IPV4_LEN	12
#define IPV6_LEN	36

static void read4(const uint8_t *ip, const uint8_t *port,
		  struct kturn_addr *addr)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	memcpy(&in.sin_addr, ip, 4);
	memcpy(&in.sin_port, port, 2);
	addr_from_sockaddr(&in, addr);
}

static void read6(const uint8_t *ip, const uint8_t *port,
		  struct kturn_addr *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (!memcmp(ip, mapped, sizeof(mapped))) {
		read4(ip + sizeof(mapped), port, addr);
		return;
	}
	memcpy(&in6.sin6_addr, ip, 16);
	memcpy(&in6.sin6_port, port, 2);
	addr_from_sockaddr(&in6, addr);
}

static int addresses_read(uint8_t kind, const uint8_t *p, size_t len,
			  struct proxy_header *h)
{
	if (kind == TCP_OVER_IPV4 && len >= IPV4_LEN) {
		read4(p, p + 8, &h->client);
		read4(p + 4, p + 10, &h->server);
		return 0;
	}
	if (kind == TCP_OVER_IPV6 && len >= IPV6_LEN) {
		read6(p, p + 32, &h->client);
		read6(p + 16, p + 34, &h->server);
		return 0;
	}
	return kind == TCP_OVER_IPV4 || kind == TCP_OVER_IPV6 ?
	       -EBADMSG : -EPROTONOSUPPORT;
}

ssize_t proxy_parse(const uint8_t *buf, size_t len, struct proxy_header *h,
		    size_t *missing)
{
	size_t seen = len < sizeof(signature) ? len : sizeof(signature);
	size_t total;
	int ret = 0;

	if (memcmp(buf, signature, seen))
		return -EBADMSG;
	*missing = PROXY_FIXED_LEN;
	if (len < PROXY_FIXED_LEN)
		return 0;
	if (VERSION(buf[12]) != 2 || COMMAND(buf[12]) > COMMAND_PROXY)
		return -EBADMSG;
	total = PROXY_FIXED_LEN + kturn_get16(buf + 14);
	if (total > PROXY_MAX)
		return -EMSGSIZE;
	*missing = total;
	if (len < total)
		return 0;
	memset(h, 0, sizeof(*h));
	h->local = COMMAND(buf[12]) == COMMAND_LOCAL;
	if (!h->local)
		ret = addresses_read(buf[13], buf + PROXY_FIXED_LEN,
				     total - PROXY_FIXED_LEN, h);
	return ret ? ret : (ssize_t)total;
}
