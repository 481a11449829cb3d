// SPDX-License-Identifier: GPL-2.0-or-later
/* ICMP errors about what was relayed (RFC 8656 section 11.5). */
#include "turn_internal.h"

/*
 * As many in a second, and as many at once after silence, as in the kernel: of all
 * allocations, and of each.
 */
#define ICMP_MS			1	/* each error */
#define ICMP_BURST_MS		250
#define ICMP_ALLOC_MS		100
#define ICMP_ALLOC_BURST_MS	2000

/* IPv4's and IPv6's */
#define UNREACHABLE4	3
#define FRAG_NEEDED4	4
#define TIME_EXCEEDED4	11
#define UNREACHABLE6	1
#define TOO_BIG6	2
#define TIME_EXCEEDED6	3

static bool type_known(uint8_t family, uint8_t type)
{
	if (family == KTURN_FAMILY_V4)
		return type == UNREACHABLE4 || type == TIME_EXCEEDED4;
	return type == UNREACHABLE6 || type == TOO_BIG6 ||
		type == TIME_EXCEEDED6;
}

/* Only these two say something in the four bytes. */
static bool tells_mtu(uint8_t family, uint8_t type, uint8_t code)
{
	if (family == KTURN_FAMILY_V4)
		return type == UNREACHABLE4 && code == FRAG_NEEDED4;
	return type == TOO_BIG6;
}

/* A bucket: @at is the time that was not used yet. */
static bool take_token(uint64_t *at, uint64_t now, uint64_t cost,
		       uint64_t burst)
{
	if (*at + burst < now)
		*at = now - burst;
	if (*at + cost > now)
		return false;
	*at += cost;
	return true;
}

void turn_icmp_input(struct turn_server *s, uint64_t now,
		     struct turn_alloc *a, const struct kturn_addr *peer,
		     uint8_t type, uint8_t code, uint32_t data)
{
	struct kturn_addr ip = turn_addr_ip(peer);
	uint8_t buf[KTURN_ICMP_IND_MAX];
	size_t len;

	/* The permission is that of whom the packet was for; no port counts. */
	if (!type_known(peer->family, type) ||
	    !turn_half_live(a, peer->family, now) ||
	    !turn_perm_find(s, a, &ip, now))
		return;
	if (!take_token(&a->icmp_at, now, ICMP_ALLOC_MS, ICMP_ALLOC_BURST_MS) ||
	    !take_token(&s->icmp_at, now, ICMP_MS, ICMP_BURST_MS))
		return;
	if (!tells_mtu(peer->family, type, code))
		data = 0;
	len = kturn_icmp_ind_build(buf, turn_random_tid(s), peer, type, code,
				   data);
	s->counters.icmp++;
	s->ops->client_send(s->env, &a->tuple, buf, len);
}
