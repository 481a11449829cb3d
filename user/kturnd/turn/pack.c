// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a successor needs to go on with an allocation: bytes that the kernel
 * keeps with it, in network byte order.
 *
 *	version		1 byte
 *	flags		1 byte
 *	transaction id	12 bytes, to know a repeated Allocate
 *	token		8 bytes, zeros without one
 *	user name	2 bytes of length, then the name
 */
#include <stdlib.h>

#include "request.h"

#define VERSION		1
#define FLAG_TOKEN	1
#define USER_OFF	(2 + KTURN_STUN_TID_LEN + TURN_TOKEN_LEN)

_Static_assert(USER_OFF + 2 + TURN_USERNAME_MAX <= TURN_PACKED_MAX,
	       "the longest user name fits");

size_t turn_alloc_pack(const struct turn_alloc *a, uint8_t *buf)
{
	size_t user_len = strlen(a->user);
	uint8_t *p = buf;

	*p++ = VERSION;
	*p++ = a->has_token ? FLAG_TOKEN : 0;
	memcpy(p, a->tid, sizeof(a->tid));
	p += sizeof(a->tid);
	memcpy(p, a->token, sizeof(a->token));
	p += sizeof(a->token);
	kturn_put16(p, user_len);
	memcpy(p + 2, a->user, user_len);
	return p + 2 + user_len - buf;
}

static struct turn_alloc *unpack(struct turn_server *s,
				 const struct turn_tuple *tuple,
				 const uint8_t *p, size_t len)
{
	char user[TURN_USERNAME_MAX + 1];
	struct turn_alloc *a;
	size_t user_len;

	if (len < USER_OFF + 2 || p[0] != VERSION || p[1] & ~FLAG_TOKEN)
		return NULL;
	user_len = kturn_get16(p + USER_OFF);
	if (len != USER_OFF + 2 + user_len ||
	    !turn_username_prepare(p + USER_OFF + 2, user_len, user))
		return NULL;

	a = turn_alloc_new(s, tuple, user);
	if (!a)
		return NULL;
	a->has_token = p[1] & FLAG_TOKEN;
	memcpy(a->tid, p + 2, sizeof(a->tid));
	memcpy(a->token, p + 2 + sizeof(a->tid), sizeof(a->token));
	return a;
}

struct turn_alloc *turn_adopt_alloc(struct turn_server *s, uint64_t now,
				    const struct turn_tuple *tuple,
				    const struct turn_relay *relay,
				    uint32_t left_ms,
				    const void *packed, size_t len)
{
	struct turn_alloc *a;

	if (turn_alloc_find(s, tuple) || !turn_heap_reserve(&s->timers, 1))
		return NULL;
	a = unpack(s, tuple, packed, len);
	if (!a)
		return NULL;

	a->relay = *relay;
	/* Over the quota too: it was granted once. */
	a->has_quota = !s->ops->quota_take(s->env, a->user);
	turn_alloc_link(s, a, now + left_ms);
	s->ops->log(s->env, LOG_INFO, "alloc-adopted", tuple, a->user,
		    "left_ms=%u", left_ms);
	return a;
}
