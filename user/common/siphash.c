// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"):
 * who does not know the key can't choose 5-tuples that collide.
 */
#include <endian.h>
#include <string.h>

#include "table.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

/* Of eight bytes. */
static uint64_t load(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return le64toh(x);
}

/* Of fewer. */
static uint64_t load_some(const uint8_t *p, size_t n)
{
	uint64_t x = 0;
	size_t i;

	for (i = 0; i < n; i++)
		x |= (uint64_t)p[i] << (8 * i);
	return x;
}

/* In registers: each packet has two hashes. */
static inline __attribute__((always_inline)) void round_one(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline __attribute__((always_inline)) void compress(struct state *s,
							   uint64_t m)
{
	s->v3 ^= m;
	round_one(s);
	round_one(s);
	s->v0 ^= m;
}

static inline __attribute__((always_inline)) uint64_t finish(struct state *s)
{
	round_one(s);
	round_one(s);
	round_one(s);
	round_one(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Of all of it. @tweak: what the longer output has at the beginning. */
static inline __attribute__((always_inline))
void absorb(struct state *s, const uint8_t *key, const void *data, size_t len,
	    uint64_t tweak)
{
	uint64_t k0 = load(key), k1 = load(key + 8);
	uint64_t last = (uint64_t)len << 56;
	const uint8_t *p = data;

	s->v0 = k0 ^ 0x736f6d6570736575;
	s->v1 = k1 ^ 0x646f72616e646f6d ^ tweak;
	s->v2 = k0 ^ 0x6c7967656e657261;
	s->v3 = k1 ^ 0x7465646279746573;
	for (; len >= 8; len -= 8, p += 8)
		compress(s, load(p));
	compress(s, last | load_some(p, len));
}

uint64_t turn_siphash(const uint8_t *key, const void *data, size_t len)
{
	struct state s;

	absorb(&s, key, data, len, 0);
	s.v2 ^= 0xff;
	return finish(&s);
}

void turn_siphash128(const uint8_t *key, const void *data, size_t len,
		     uint8_t *out)
{
	struct state s;
	uint64_t part[2];

	absorb(&s, key, data, len, 0xee);
	s.v2 ^= 0xee;
	part[0] = htole64(finish(&s));
	s.v1 ^= 0xdd;
	part[1] = htole64(finish(&s));
	memcpy(out, part, sizeof(part));
}
