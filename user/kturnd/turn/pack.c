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
 *	realm		1 byte of length, then the name
 *
 * for one that was made with an access token:
 *
 *	key's name	1 byte of length, then the name
 *	token		2 bytes of length, then the token, still encrypted
 *
 * for one that has got another token since:
 *
 *	first		32 bytes, SHA-256 of the first one
 *
 * and, for an allocation that was to have a relayed address of each family:
 *
 *	refused		2 bytes, ADDRESS-ERROR-CODE of the answer, or 0
 *	family		1 byte: of the relayed address that ends first, or 0
 *	sooner		4 bytes: milliseconds before the other one
 *
 * and, for an allocation with a ticket:
 *
 *	id		8 bytes, what tickets call it
 *	seq		4 bytes, which ticket counts
 *	next		39 bytes, where its client said that it will be: 1, its address
 *			and the server's, or zeros. Nobody comes back to a connection.
 *
 * An address is its family, its port, and 16 bytes of IP address.
 */
#include <stdlib.h>

#include "mobile.h"

#define VERSION		1
#define FLAG_TOKEN	1
#define FLAG_FAMILIES	2
#define FLAG_REALM	4
#define FLAG_GRANT	8
#define FLAG_MOBILE	16
#define FLAG_FIRST	32
#define FLAG_MINTED	64
#define FLAGS		(FLAG_TOKEN | FLAG_FAMILIES | FLAG_REALM | \
			 FLAG_GRANT | FLAG_MOBILE | FLAG_FIRST | FLAG_MINTED)
#define USER_OFF	(2 + KTURN_STUN_TID_LEN + TURN_TOKEN_LEN)
#define FAMILIES_LEN	(2 + 1 + 4)
#define ADDR_LEN	(1 + 2 + 16)
#define MOBILE_LEN	(8 + 4 + 1 + 2 * ADDR_LEN)

_Static_assert(USER_OFF + 2 + TURN_USERNAME_MAX + 1 + TURN_OWN_REALM_MAX +
	       FAMILIES_LEN + MOBILE_LEN <= TURN_PACKED_MAX,
	       "the longest user name fits");
_Static_assert(USER_OFF + 2 + TURN_KID_MAX + 1 + TURN_OWN_REALM_MAX +
	       1 + TURN_KID_MAX + 2 + TURN_ACCESS_TOKEN_MAX + TURN_SHA256_LEN +
	       FAMILIES_LEN + MOBILE_LEN <= TURN_PACKED_MAX, "the longest access token fits");

/**
 * struct families - what sets the relayed addresses of an allocation apart
 * @refused: ADDRESS-ERROR-CODE, or 0
 * @first: family of the one that ends first; KTURN_FAMILY_NONE: of neither
 * @sooner: milliseconds before the other one
 */
struct families {
	uint16_t refused;
	uint8_t first;
	uint32_t sooner;
};

static bool is_dual(const struct turn_alloc *a)
{
	return turn_half_there(&a->half[0]) && turn_half_there(&a->half[1]);
}

/* Relative to each other: the kernel knows when the last one ends. */
static void pack_families(const struct turn_alloc *a, uint8_t *p)
{
	const struct turn_half *v4 = &a->half[0], *v6 = &a->half[1];
	struct families f = { .refused = a->refused };

	if (is_dual(a) && v4->timer.at < v6->timer.at) {
		f.first = KTURN_FAMILY_V4;
		f.sooner = v6->timer.at - v4->timer.at;
	} else if (is_dual(a) && v6->timer.at < v4->timer.at) {
		f.first = KTURN_FAMILY_V6;
		f.sooner = v4->timer.at - v6->timer.at;
	}
	kturn_put16(p, f.refused);
	p[2] = f.first;
	kturn_put32(p + 3, f.sooner);
}

static bool unpack_families(const uint8_t *p, struct families *f)
{
	f->refused = kturn_get16(p);
	f->first = p[2];
	f->sooner = kturn_get32(p + 3);
	return (!f->refused || f->refused == TURN_FAMILY_UNSUPPORTED ||
		f->refused == TURN_NO_CAPACITY) &&
	       f->first <= KTURN_FAMILY_V6;
}

static uint8_t *pack_addr(uint8_t *p, const struct kturn_addr *addr)
{
	p[0] = addr->family;
	kturn_put16(p + 1, kturn_addr_port(addr));
	memcpy(p + 3, addr->ip, 16);
	return p + ADDR_LEN;
}

static const uint8_t *unpack_addr(const uint8_t *p, struct kturn_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->family = p[0];
	kturn_addr_set_port(addr, kturn_get16(p + 1));
	memcpy(addr->ip, p + 3, 16);
	return p + ADDR_LEN;
}

static void pack_mobile(const struct turn_mobile *m, uint8_t *p)
{
	memset(p, 0, MOBILE_LEN);
	kturn_put32(p, m->id >> 32);
	kturn_put32(p + 4, (uint32_t)m->id);
	kturn_put32(p + 8, m->seq);
	if (!m->has_next || m->next.transport != TURN_UDP)
		return;
	p[12] = 1;
	pack_addr(pack_addr(p + 13, &m->next.client), &m->next.server);
}

static bool unpack_mobile(const uint8_t *p, struct turn_mobile *m)
{
	m->id = (uint64_t)kturn_get32(p) << 32 | kturn_get32(p + 4);
	m->seq = kturn_get32(p + 8);
	m->has_next = p[12];
	if (m->id >> (64 - TURN_SEQ_BITS) || m->seq > TURN_SEQ_MAX)
		return false;
	if (!m->has_next)
		return true;
	m->next.transport = TURN_UDP;
	unpack_addr(unpack_addr(p + 13, &m->next.client), &m->next.server);
	return (m->next.client.family == KTURN_FAMILY_V4 ||
		m->next.client.family == KTURN_FAMILY_V6) &&
	       m->next.server.family == m->next.client.family;
}

/* @bytes of length; returns what follows. */
static uint8_t *pack_bytes(uint8_t *p, size_t bytes, const void *v, size_t len)
{
	if (bytes == 2)
		*p++ = len >> 8;
	*p++ = len & 0xff;
	memcpy(p, v, len);
	return p + len;
}

static uint8_t *pack_text(uint8_t *p, size_t bytes, const char *text)
{
	return pack_bytes(p, bytes, text, strlen(text));
}

/**
 * struct reader - what is not read yet
 * @p: bytes
 * @len: how many
 */
struct reader {
	const uint8_t *p;
	size_t len;
};

/* The reverse: NULL if that is not there, or longer than @max. */
static const uint8_t *unpack_bytes(struct reader *r, size_t bytes, size_t max,
				   size_t *len)
{
	const uint8_t *p = r->p;

	if (r->len < bytes)
		return NULL;
	*len = bytes == 2 ? kturn_get16(p) : *p;
	if (*len > max || r->len - bytes < *len)
		return NULL;
	r->p += bytes + *len;
	r->len -= bytes + *len;
	return p + bytes;
}

/* A name; @text has room for @max bytes and a NUL. */
static bool unpack_name(struct reader *r, size_t bytes, size_t max, char *text)
{
	char name[TURN_USERNAME_MAX + 1];
	const uint8_t *p;
	size_t len;

	p = unpack_bytes(r, bytes, max, &len);
	if (!p || !turn_username_prepare(p, len, name) || strlen(name) > max)
		return false;
	memcpy(text, name, strlen(name) + 1);
	return true;
}

/* Without it a predecessor of ours can read what there is. */
static bool has_first(const struct turn_alloc *a)
{
	return a->grant && !a->grant->is_first;
}

size_t turn_alloc_pack(const struct turn_alloc *a, uint8_t *buf)
{
	bool families = a->refused || is_dual(a);
	uint8_t *p = buf;

	*p++ = VERSION;
	*p++ = (a->has_token ? FLAG_TOKEN : 0) |
	       (families ? FLAG_FAMILIES : 0) |
	       FLAG_REALM | (a->grant ? FLAG_GRANT : 0) |
	       (has_first(a) ? FLAG_FIRST : 0) |
	       (a->minted ? FLAG_MINTED : 0) |
	       (a->mobile ? FLAG_MOBILE : 0);
	memcpy(p, a->tid, sizeof(a->tid));
	p += sizeof(a->tid);
	memcpy(p, a->token, sizeof(a->token));
	p += sizeof(a->token);
	p = pack_text(p, 2, a->user);
	p = pack_text(p, 1, a->realm);
	if (a->grant) {
		p = pack_text(p, 1, a->grant->kid);
		p = pack_bytes(p, 2, a->grant->token, a->grant->token_len);
	}
	if (has_first(a)) {
		memcpy(p, a->grant->first, sizeof(a->grant->first));
		p += sizeof(a->grant->first);
	}
	if (families) {
		pack_families(a, p);
		p += FAMILIES_LEN;
	}
	if (a->mobile) {
		pack_mobile(a->mobile, p);
		p += MOBILE_LEN;
	}
	return p - buf;
}

/* One without a realm was made when there was but one. */
static bool unpack_realm(struct turn_server *s, const struct turn_tuple *tuple,
			 unsigned int flags, struct reader *r, char *realm)
{
	const char *name;

	if (flags & FLAG_REALM)
		return unpack_name(r, 1, TURN_OWN_REALM_MAX, realm);
	name = s->ops->realm_at(s->env, tuple)->name;
	memcpy(realm, name, strlen(name) + 1);
	return true;
}

/* It ends with the allocation, which had as long a life as the token allowed. */
static bool unpack_grant(struct turn_server *s, struct reader *r,
			 uint64_t ends, struct turn_alloc *a)
{
	const struct turn_realm *realm = NULL;
	char kid[TURN_KID_MAX + 1];
	const uint8_t *token;
	size_t len;

	if (!unpack_name(r, 1, TURN_KID_MAX, kid))
		return false;
	token = unpack_bytes(r, 2, TURN_ACCESS_TOKEN_MAX, &len);
	if (token)
		a->grant = turn_grant_again(s, kid, token, len, ends, &realm);
	/* One that only keys have. */
	if (realm && !strcmp(realm->name, a->realm))
		memcpy(a->limit, realm->limit, sizeof(a->limit));
	return a->grant;
}

static bool unpack_first(struct reader *r, struct turn_alloc *a)
{
	if (!a->grant || r->len < sizeof(a->grant->first))
		return false;
	a->grant->is_first = false;
	memcpy(a->grant->first, r->p, sizeof(a->grant->first));
	r->p += sizeof(a->grant->first);
	r->len -= sizeof(a->grant->first);
	return true;
}

static struct turn_alloc *unpack_names(struct turn_server *s,
				       const struct turn_tuple *tuple,
				       unsigned int flags, struct reader *r)
{
	char user[TURN_USERNAME_MAX + 1], realm[TURN_OWN_REALM_MAX + 1];
	const struct turn_realm *known;
	struct turn_alloc *a;

	if (!unpack_name(r, 2, TURN_USERNAME_MAX, user) ||
	    !unpack_realm(s, tuple, flags, r, realm))
		return NULL;
	a = turn_alloc_new(s, tuple, realm, user);
	if (!a)
		return NULL;
	known = s->ops->realm_find(s->env, realm, strlen(realm));
	if (!known)
		known = s->ops->realm_at(s->env, tuple);
	memcpy(a->limit, known->limit, sizeof(a->limit));
	return a;
}

static struct turn_alloc *unpack(struct turn_server *s, uint64_t ends,
				 const struct turn_tuple *tuple,
				 const uint8_t *p, size_t len,
				 struct families *f, struct turn_mobile *m)
{
	struct turn_alloc *a;
	struct reader r;

	if (len < USER_OFF || p[0] != VERSION || p[1] & ~FLAGS)
		return NULL;
	if (p[1] & FLAG_MOBILE) {
		if (len < USER_OFF + MOBILE_LEN ||
		    !unpack_mobile(p + len - MOBILE_LEN, m))
			return NULL;
		len -= MOBILE_LEN;
	}
	r = (struct reader){ .p = p + USER_OFF, .len = len - USER_OFF };
	*f = (struct families){ 0 };
	if (p[1] & FLAG_FAMILIES) {
		if (r.len < FAMILIES_LEN ||
		    !unpack_families(p + len - FAMILIES_LEN, f))
			return NULL;
		r.len -= FAMILIES_LEN;
	}
	a = unpack_names(s, tuple, p[1], &r);
	if (!a)
		return NULL;
	if ((p[1] & FLAG_GRANT && !unpack_grant(s, &r, ends, a)) ||
	    (p[1] & FLAG_FIRST && !unpack_first(&r, a)) || r.len) {
		turn_alloc_free(a);
		return NULL;
	}
	a->refused = f->refused;
	a->has_token = p[1] & FLAG_TOKEN;
	a->minted = p[1] & FLAG_MINTED;
	if (p[1] & FLAG_MOBILE && turn_mobile_restore(s, a, m)) {
		turn_alloc_free(a);
		return NULL;
	}
	memcpy(a->tid, p + 2, sizeof(a->tid));
	memcpy(a->token, p + 2 + sizeof(a->tid), sizeof(a->token));
	return a;
}

/* What has ended meanwhile ends with the next round. */
static void set_half(struct turn_alloc *a, const struct turn_relay *relay,
		     uint64_t now, uint32_t left_ms, const struct families *f)
{
	struct turn_half *h;

	if (relay->addr.family == KTURN_FAMILY_NONE)
		return;
	if (relay->addr.family == f->first)
		left_ms -= f->sooner < left_ms ? f->sooner : left_ms;
	turn_half_set(a, relay);
	h = turn_alloc_half(a, relay->addr.family);
	h->timer.at = now + left_ms;
}

struct turn_alloc *turn_adopt_alloc(struct turn_server *s, uint64_t now,
				    const struct turn_tuple *tuple,
				    const struct turn_relay relays[2],
				    uint32_t left_ms,
				    const void *packed, size_t len)
{
	struct turn_mobile m = { .moved_ms = now };
	struct turn_alloc *a;
	struct families f;

	if ((!relays[0].addr.family && !relays[1].addr.family) ||
	    turn_client_known(s, tuple) ||
	    !turn_heap_reserve(&s->timers, ARRAY_SIZE(a->half)))
		return NULL;
	a = unpack(s, now + left_ms, tuple, packed, len, &f, &m);
	if (!a)
		return NULL;

	set_half(a, &relays[0], now, left_ms, &f);
	set_half(a, &relays[1], now, left_ms, &f);
	/* Over the quota too: it was granted once. */
	turn_alloc_take_quota(s, a, true);
	turn_alloc_link(s, a);
	s->ops->log(s->env, LOG_INFO, "alloc-adopted", tuple, a->user,
		    "left_ms=%u", left_ms);
	return a;
}
