// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random datagrams, and requests that were right until a bit was turned over
 * or the end was cut off: 100,000 of them, and nothing changes.
 */
#include <stdlib.h>

#include "turn_test.h"

#define ROUNDS	25000

static struct client c;

/* One request of each kind, all of which would change something. */
static size_t make(struct request *r, unsigned int kind)
{
	static const enum kturn_method methods[] = {
		KTURN_REFRESH, KTURN_CREATE_PERMISSION, KTURN_CHANNEL_BIND,
		KTURN_ALLOCATE,
	};

	req_begin(r, &c, methods[kind % 4]);
	switch (kind % 4) {
	case 0:
		req_u32(r, KTURN_ATTR_LIFETIME, 0);
		break;
	case 1:
		req_peer(r, PEER_B);
		break;
	case 2:
		req_u32(r, KTURN_ATTR_CHANNEL_NUMBER, 0x40010000);
		req_peer(r, PEER_B);
		break;
	default:
		req_u32(r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	}
	c.mechanism = kind / 4 % 3;
	c.userhash = kind / 12 % 2;
	req_auth(r, &c);
	if (kind / 24 % 2)
		kturn_build_fingerprint(&r->b);
	return r->b.len;
}

static void start(void)
{
	world_begin();
	client_allocated(&c, 40000);
	KTAP_EQ(do_bind(&c, 0x4000, PEER_A), SUCCESS);
	world_pass(1000);
	srand(2);
}

/* A reply, if any, is an error, and small if unauthenticated. */
static void feed(struct client *from, const uint8_t *p, size_t len,
		 uint64_t before)
{
	int code = client_send_raw(from, p, len);

	KTAP_CHECK(code == NO_REPLY || code >= 400 ||
		   resp.msg.method == KTURN_BINDING);
	KTAP_CHECK(world_state() == before);
}

static void random_bytes(void)
{
	uint8_t buf[256];
	uint64_t before;
	size_t i, j, len;

	start();
	before = world_state();
	for (i = 0; i < ROUNDS; i++) {
		len = rand() % sizeof(buf);
		for (j = 0; j < len; j++)
			buf[j] = rand() >> 8;
		/* Most of them with a header that is right. */
		if (len >= 20 && i % 4) {
			buf[0] &= 0x01;
			kturn_put16(buf + 2, (len - 20) & ~3);
			kturn_put32(buf + 4, KTURN_STUN_MAGIC);
			len &= ~3;
		}
		feed(&c, buf, len, before);
	}
	world_stop();
}

static void turned_bits(void)
{
	struct client other;
	struct request r;
	uint64_t before;
	size_t i, len, bit;

	start();
	other = c;
	other.tuple.client.port ^= 1;
	before = world_state();
	for (i = 0; i < ROUNDS; i++) {
		len = make(&r, i);
		/* Not of a FINGERPRINT: its type may change, like its absence. */
		bit = rand() % ((len - 8) * 8);
		r.buf[bit / 8] ^= 1 << bit % 8;
		/* From elsewhere all of them are wrong, unturned too. */
		feed(i % 8 ? &c : &other, r.buf, len, before);
	}
	world_stop();
}

static void cut_off(void)
{
	struct request r;
	uint64_t before;
	size_t i, len;

	start();
	before = world_state();
	for (i = 0; i < ROUNDS; i++) {
		len = make(&r, i);
		/* Not the FINGERPRINT alone: without it the request is right. */
		len = rand() % (len - 8);
		if (len >= 20 && i % 3) {
			len &= ~3;
			kturn_put16(r.buf + 2, len - 20);
		}
		feed(&c, r.buf, len, before);
	}
	world_stop();
}

/* Bytes put in or taken out, with the header's length made right again. */
static void shifted(void)
{
	struct request r;
	uint64_t before;
	size_t i, len, at, n;

	start();
	before = world_state();
	for (i = 0; i < ROUNDS; i++) {
		len = make(&r, i);
		/* Before the integrity: what follows that may be anything. */
		at = 20 + rand() % (len - 20 - 36 - 8 - 8) / 4 * 4;
		n = 4 * (1 + rand() % 4);
		if (i % 2) {
			memmove(r.buf + at + n, r.buf + at, len - at);
			len += n;
		} else if (at + n < len - 8 - 36) {
			memmove(r.buf + at, r.buf + at + n, len - at - n);
			len -= n;
		} else {
			continue;
		}
		kturn_put16(r.buf + 2, len - 20);
		feed(&c, r.buf, len, before);
	}
	world_stop();
}

const struct ktap_case garbage_cases[] = {
	{ "garbage: 25000 random datagrams", random_bytes },
	{ "garbage: 25000 requests with a bit turned over", turned_bits },
	{ "garbage: 25000 requests cut off", cut_off },
	{ "garbage: 25000 requests with bytes more or fewer", shifted },
};

const size_t garbage_count = KTAP_COUNT(garbage_cases);
