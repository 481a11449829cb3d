// SPDX-License-Identifier: GPL-2.0-or-later
/* Which addresses may be peers, and how addresses are written. */
#include <arpa/inet.h>
#include <stdio.h>

#include "turn_internal.h"

static const uint8_t zeros[16];

/*
 * Not the address of any one host, or another address in disguise. The
 * transport's rules say more; an option can open those, but not this.
 */
static bool never_a_peer(const struct kturn_addr *peer)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };
	const uint8_t *ip = peer->ip;

	if (!memcmp(ip, zeros, sizeof(zeros)))
		return true;
	if (peer->family == KTURN_FAMILY_V4)
		return (ip[0] & 0xf0) == 0xe0 ||
		       !memcmp(ip, broadcast, sizeof(broadcast));
	return ip[0] == 0xff || !memcmp(ip, mapped, sizeof(mapped));
}

bool turn_addr_tunneled(const struct kturn_addr *addr)
{
	const uint8_t *ip = addr->ip;

	if (addr->family != KTURN_FAMILY_V6 || ip[0] != 0x20)
		return false;
	return ip[1] == 0x02 ||				/* 2002::/16 */
	       (ip[1] == 0x01 && !ip[2] && !ip[3]);	/* 2001::/32 */
}

enum turn_verdict turn_peer_verdict(struct turn_server *s,
				    const struct turn_alloc *a,
				    const struct kturn_addr *peer)
{
	enum turn_verdict verdict = s->ops->peer_check(s->env, peer, a);
	char text[TURN_ADDR_TEXT];

	if (verdict == TURN_PEER_FORBIDDEN)
		return verdict;
	if (never_a_peer(peer) || turn_addr_tunneled(peer)) {
		s->ops->log(s->env, LOG_INFO, "peer-refused", &a->tuple,
			    a->user, "peer=%s rule=never option=none",
			    turn_addr_text(peer, text));
		return TURN_PEER_FORBIDDEN;
	}
	return verdict;
}

static char *put_number(char *p, unsigned int n, char after)
{
	char digits[5];
	size_t i = 0;

	do
		digits[i++] = '0' + n % 10;
	while (n /= 10);
	while (i)
		*p++ = digits[--i];
	*p++ = after;
	return p;
}

const char *turn_addr_text(const struct kturn_addr *addr,
			   char buf[TURN_ADDR_TEXT])
{
	const uint8_t *ip = addr->ip;
	char text[INET6_ADDRSTRLEN];
	char *p = buf;

	/* printf() would be a tenth of what a request costs. */
	if (addr->family != KTURN_FAMILY_V6) {
		p = put_number(p, ip[0], '.');
		p = put_number(p, ip[1], '.');
		p = put_number(p, ip[2], '.');
		p = put_number(p, ip[3], ':');
		put_number(p, kturn_addr_port(addr), 0);
		return buf;
	}
	if (!inet_ntop(AF_INET6, ip, text, sizeof(text)))
		text[0] = 0;
	snprintf(buf, TURN_ADDR_TEXT, "[%s]:%u", text, kturn_addr_port(addr));
	return buf;
}
