// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts that the state machine is built on, against slow ones. */
#include <stdlib.h>
#include <string.h>

#include <kturnd/turn/crypto.h>
#include <table.h>
#include <kturnd/turn/timer.h>

#include <openssl/hmac.h>

#include "turn_test.h"

#define N	3000

/* The example of the paper's appendix A, and shorter ones made like it. */
static void siphash(void)
{
	static const uint8_t long0[] = {
		0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
		0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93,
	};
	static const uint8_t long15[] = {
		0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11,
		0x7e, 0x08, 0xec, 0x0f, 0x97, 0xcf, 0xc3, 0xd9,
	};
	uint8_t key[16], data[64], out[16];
	size_t i, j;

	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	for (i = 0; i < sizeof(data); i++)
		data[i] = i;
	KTAP_CHECK(turn_siphash(key, data, 15) == 0xa129ca6149be45e5);
	KTAP_CHECK(turn_siphash(key, data, 0) == 0x726fdb47dd0e0e31);
	/* openssl mac -macopt hexkey:… -macopt size:16 SIPHASH */
	turn_siphash128(key, data, 15, out);
	KTAP_CHECK(!memcmp(out, long15, sizeof(out)));
	turn_siphash128(key, data, 0, out);
	KTAP_CHECK(!memcmp(out, long0, sizeof(out)));

	/* Every byte of key and data counts, and the length. */
	for (i = 0; i < sizeof(data); i++)
		for (j = 0; j < i; j++) {
			uint64_t before = turn_siphash(key, data, i);

			data[j] ^= 0x10;
			KTAP_CHECK(turn_siphash(key, data, i) != before);
			data[j] ^= 0x10;
		}
	for (i = 0; i < sizeof(key); i++) {
		uint64_t before = turn_siphash(key, data, 9);

		key[i] ^= 1;
		KTAP_CHECK(turn_siphash(key, data, 9) != before);
		key[i] ^= 1;
	}
	KTAP_CHECK(turn_siphash(key, "\0", 1) != turn_siphash(key, "\0\0", 2));
}

/* As OpenSSL makes it, with keys up to more than two blocks. */
static void hmac(void)
{
	static const enum turn_hmac kinds[] = { TURN_HMAC_SHA1,
						TURN_HMAC_SHA256 };
	uint8_t key[150], data[200], got[TURN_DIGEST_MAX];
	uint8_t want[TURN_DIGEST_MAX];
	struct turn_hmac_key k;
	const struct turn_bytes v[] = {
		{ data, 7 }, { data + 7, sizeof(data) - 7 },
	};
	size_t i, len;

	memset(data, 0x5a, sizeof(data));
	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	for (i = 0; i < KTAP_COUNT(kinds); i++) {
		const EVP_MD *md = i ? EVP_sha256() : EVP_sha1();

		for (len = 1; len <= sizeof(key); len++) {
			KTAP_CHECK(turn_hmac_key(&k, kinds[i], key, len));
			KTAP_CHECK(turn_hmac(&k, v, 2, got));
			HMAC(md, key, len, data, sizeof(data), want, NULL);
			KTAP_CHECK(!memcmp(got, want, turn_hmac_len(kinds[i])));
		}
	}
}

struct item {
	struct turn_node node;
	struct turn_timer timer;
	bool in;
};

static size_t count_hash(const struct turn_table *t, uint64_t hash,
			 const struct item *want, bool *found)
{
	struct turn_node *node = turn_table_first(t, hash);
	size_t n = 0;

	*found = false;
	for (; node; node = turn_table_next(node), n++) {
		KTAP_CHECK(node->hash == hash);
		*found |= node == &want->node;
	}
	return n;
}

/* Three nodes to each hash, and hashes that share their lower bits. */
static uint64_t hash_of(size_t i)
{
	return (uint64_t)(i / 3) << (i / 3 % 2 ? 40 : 0);
}

static void table(void)
{
	static struct item items[N];
	struct turn_table t;
	size_t i, n;
	bool found;

	KTAP_CHECK(turn_table_init(&t));
	memset(items, 0, sizeof(items));
	for (i = 0; i < N; i++)
		turn_table_add(&t, &items[i].node, hash_of(i));
	KTAP_EQ(t.n, N);
	for (i = 0; i < N; i++) {
		n = count_hash(&t, hash_of(i), &items[i], &found);
		KTAP_EQ(n, 3);
		KTAP_CHECK(found);
	}
	for (i = 0; i < N; i += 3)
		turn_table_del(&t, &items[i + 1].node);
	for (i = 0; i < N; i++) {
		n = count_hash(&t, hash_of(i), &items[i], &found);
		KTAP_EQ(n, 2);
		KTAP_EQ(found, i % 3 != 1);
	}
	KTAP_EQ(t.n, N * 2 / 3);
	KTAP_CHECK(!turn_table_first(&t, 1));
	turn_table_destroy(&t);
}

static uint64_t soonest(const struct item *items)
{
	uint64_t at = UINT64_MAX;
	size_t i;

	for (i = 0; i < N; i++)
		if (items[i].in && items[i].timer.at < at)
			at = items[i].timer.at;
	return at;
}

/* Adds, moves and stops at random; the top is always the soonest. */
static void heap(void)
{
	static struct item items[N];
	struct turn_heap h = { 0 };
	struct turn_timer *top;
	size_t i, step;

	srand(1);
	memset(items, 0, sizeof(items));
	KTAP_CHECK(!turn_heap_top(&h));
	for (step = 0; step < 10 * N; step++) {
		i = rand() % N;
		if (!items[i].in) {
			KTAP_CHECK(turn_heap_reserve(&h, 1));
			turn_timer_add(&h, &items[i].timer, TURN_TIMER_PERM,
				       rand() % 1000);
			items[i].in = true;
		} else if (rand() % 2) {
			turn_timer_move(&h, &items[i].timer, rand() % 1000);
		} else {
			turn_timer_del(&h, &items[i].timer);
			items[i].in = false;
		}
		if (step % 16)
			continue;
		top = turn_heap_top(&h);
		KTAP_CHECK((top ? top->at : UINT64_MAX) == soonest(items));
	}

	/* In order to the last. */
	while ((top = turn_heap_top(&h))) {
		KTAP_CHECK(top->at == soonest(items));
		((struct item *)((char *)top -
				 offsetof(struct item, timer)))->in = false;
		turn_timer_del(&h, top);
	}
	KTAP_CHECK(soonest(items) == UINT64_MAX);
	turn_heap_destroy(&h);
}

const struct ktap_case parts_cases[] = {
	{ "parts: SipHash-2-4", siphash },
	{ "parts: HMAC", hmac },
	{ "parts: hash table", table },
	{ "parts: heap of timers", heap },
};

const size_t parts_count = KTAP_COUNT(parts_cases);
