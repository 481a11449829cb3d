// SPDX-License-Identifier: LGPL-2.1-or-later
/* Transport addresses as people write them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "kturn.h"

/* 1 to 65535, decimal digits only; returns 0 for anything else. */
static unsigned int port_parse(const char *text)
{
	unsigned int port = 0;

	if (!*text || strlen(text) > 5)
		return 0;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		port = 10 * port + (*text - '0');
	}
	return port <= 65535 ? port : 0;
}

/* An IP address without a port; v4-mapped IPv6 becomes IPv4. */
static int ip_parse(const char *text, struct kturn_addr *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t ip[16];

	if (inet_pton(AF_INET, text, ip) == 1) {
		memcpy(addr->ip, ip, 4);
		addr->family = KTURN_FAMILY_V4;
		return 0;
	}
	if (inet_pton(AF_INET6, text, ip) != 1)
		return -EINVAL;
	if (!memcmp(ip, mapped, sizeof(mapped))) {
		memcpy(addr->ip, ip + 12, 4);
		addr->family = KTURN_FAMILY_V4;
	} else {
		memcpy(addr->ip, ip, 16);
		addr->family = KTURN_FAMILY_V6;
	}
	return 0;
}

int kturn_addr_parse(const char *text, struct kturn_addr *addr)
{
	const char *ip = text, *end, *port = NULL;
	char buf[KTURN_ADDR_TEXT_MAX];
	struct kturn_addr result;
	unsigned int number = 0;

	memset(&result, 0, sizeof(result));
	if (*text == '[') {
		ip = text + 1;
		end = strchr(ip, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		if (end[1])
			port = end + 2;
	} else {
		end = strchr(text, ':');
		/* Two colons: IPv6 without a port. */
		if (end && !strchr(end + 1, ':'))
			port = end + 1;
		else
			end = text + strlen(text);
	}
	if ((size_t)(end - ip) >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, ip, end - ip);
	buf[end - ip] = '\0';
	if (*text == '[' && !strchr(buf, ':'))
		return -EINVAL;
	if (port) {
		number = port_parse(port);
		if (!number)
			return -EINVAL;
	}
	if (ip_parse(buf, &result))
		return -EINVAL;
	kturn_addr_set_port(&result, number);
	*addr = result;
	return 0;
}

const char *kturn_addr_text(const struct kturn_addr *addr,
			    char buf[KTURN_ADDR_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN];
	int af = addr->family == KTURN_FAMILY_V4 ? AF_INET : AF_INET6;

	if (!kturn_addr_len(addr->family) ||
	    !inet_ntop(af, addr->ip, ip, sizeof(ip)))
		snprintf(buf, KTURN_ADDR_TEXT_MAX, "none");
	else if (!addr->port)
		snprintf(buf, KTURN_ADDR_TEXT_MAX, "%s", ip);
	else
		snprintf(buf, KTURN_ADDR_TEXT_MAX,
			 af == AF_INET ? "%s:%u" : "[%s]:%u", ip,
			 kturn_addr_port(addr));
	return buf;
}
