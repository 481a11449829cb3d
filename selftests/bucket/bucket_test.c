// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests of include/kturn/bucket.h. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <kturn/bucket.h>

#include "../ktap.h"

#define BYTES	(8 * KTURN_TICKS_PER_SEC)	/* in which a bit/s is a byte */
#define PACKETS	KTURN_TICKS_PER_SEC
#define GBIT	1000000000ULL

/* Takes @tokens until there are none left; how many times that worked. */
static __u64 drain(const struct kturn_bucket *b, __u64 now,
		   unsigned int tokens, __u64 *time)
{
	__u64 cost = kturn_bucket_cost(b, tokens), n = 0;

	while (n < 1000000 && kturn_bucket_take(b, now, cost, time))
		n++;
	return n;
}

/* A full bucket has its burst, neither more nor less, at any rate. */
static void burst_exact(void)
{
	static const __u64 rates[] = {
		1, 2, 3, 7, 8, 9, 1000, 64000, 999999, 1000000, 2000003,
		GBIT, 10 * GBIT, 400 * GBIT,
	};
	struct kturn_bucket b;
	__u64 time;

	for (size_t i = 0; i < KTAP_COUNT(rates); i++) {
		KTAP_EQ(kturn_bucket_init(&b, BYTES, rates[i], 65535), 0);
		time = 5;
		KTAP_EQ(drain(&b, 5, 65535, &time), 1);
		time = 5;
		KTAP_EQ(drain(&b, 5, 1000, &time), 65);
		KTAP_EQ(drain(&b, 5, 535, &time), 1);
		KTAP_EQ(drain(&b, 5, 100, &time), 0);
		KTAP_EQ(kturn_bucket_init(&b, PACKETS, rates[i], 17), 0);
		time = 5;
		if (rates[i] <= GBIT)
			KTAP_EQ(drain(&b, 5, 1, &time), 17);
	}
}

/* What is bigger than the burst never passes, and changes nothing. */
static void bigger_than_burst(void)
{
	struct kturn_bucket b;
	__u64 time = 77;

	KTAP_EQ(kturn_bucket_init(&b, BYTES, 8, 100), 0);
	KTAP_EQ(drain(&b, 1ULL << 50, 101, &time), 0);
	KTAP_EQ(time, 77);
	KTAP_EQ(drain(&b, 1ULL << 50, 100, &time), 1);
}

/* Nothing costs nothing, even when the bucket is empty. */
static void empty_packets(void)
{
	struct kturn_bucket b;
	__u64 time = 0;

	KTAP_EQ(kturn_bucket_init(&b, BYTES, 8, 100), 0);
	KTAP_EQ(drain(&b, 0, 100, &time), 1);
	KTAP_EQ(drain(&b, 0, 0, &time), 1000000);
	KTAP_EQ(drain(&b, 0, 1, &time), 0);
}

/* Tokens come back one by one, exactly when they are due. */
static void refill(void)
{
	struct kturn_bucket b;
	__u64 now = 0, time = 0;

	KTAP_EQ(kturn_bucket_init(&b, PACKETS, 4, 3), 0);
	KTAP_EQ(drain(&b, now, 1, &time), 3);
	now = KTURN_TICKS_PER_SEC / 4 - 1;
	KTAP_EQ(drain(&b, now, 1, &time), 0);
	KTAP_EQ(drain(&b, now + 1, 1, &time), 1);
	now = KTURN_TICKS_PER_SEC;
	KTAP_EQ(drain(&b, now, 1, &time), 3);
	/* Never more than the burst, however long it rests. */
	now += 1000 * KTURN_TICKS_PER_SEC;
	KTAP_EQ(drain(&b, now, 1, &time), 3);
}

/* In the long run, the rate is what passes. */
static void long_run(void)
{
	static const struct {
		__u64 rate;
		unsigned int bytes;
	} cases[] = {
		{ 64000, 160 }, { 1000003, 1200 }, { 3, 1 }, { GBIT, 1500 },
		{ 400 * GBIT, 1500 }, { 400 * GBIT, 64 },
	};
	struct kturn_bucket b;

	for (size_t i = 0; i < KTAP_COUNT(cases); i++) {
		__u64 now = 1000, time = 1000, passed = 0, cost, step, wanted;

		KTAP_EQ(kturn_bucket_init(&b, BYTES, cases[i].rate, 65535), 0);
		cost = kturn_bucket_cost(&b, cases[i].bytes);
		/* Ten times what may pass is offered. */
		step = cost / 10 + 1;
		drain(&b, now, cases[i].bytes, &time);
		drain(&b, now, 1, &time);
		for (int n = 0; n < 1000000; n++) {
			now += step;
			if (kturn_bucket_take(&b, now, cost, &time))
				passed += cases[i].bytes;
		}
		wanted = (double)(now - 1000) * cases[i].rate / BYTES;
		/* To two per cent and two packets. */
		KTAP_CHECK(passed <= wanted + wanted / 50 +
			   2 * cases[i].bytes);
		KTAP_CHECK(passed + 2 * cases[i].bytes + wanted / 50 >=
			   wanted);
	}
}

/* Every rate and burst that there can be is used without overflow. */
static void extremes(void)
{
	static const __u64 rates[] = {
		1, 2, UINT32_MAX, 1ULL << 32, 1ULL << 39, 1ULL << 40,
		INT64_MAX, 1ULL << 63, UINT64_MAX - 1, UINT64_MAX,
	};
	static const __u64 bursts[] = {
		1, 65535, UINT32_MAX, 1ULL << 40, INT64_MAX, UINT64_MAX,
	};
	struct kturn_bucket b;

	for (size_t i = 0; i < KTAP_COUNT(rates); i++) {
		for (size_t j = 0; j < KTAP_COUNT(bursts); j++) {
			__u64 now = UINT64_MAX - 5, time = now, cost;
			/* Ticks until it is full. */
			double depth = (double)BYTES / rates[i] * bursts[j];
			int err = kturn_bucket_init(&b, BYTES, rates[i],
						    bursts[j]);

			if (depth > 1.001 * KTURN_BUCKET_DEPTH_MAX)
				KTAP_EQ(err, -ERANGE);
			if (depth < 0.999 * KTURN_BUCKET_DEPTH_MAX)
				KTAP_EQ(err, 0);
			if (err)
				continue;
			KTAP_CHECK(b.mult < 1ULL << 40);
			KTAP_CHECK(b.depth <= KTURN_BUCKET_DEPTH_MAX);
			cost = kturn_bucket_cost(&b, UINT32_MAX);
			KTAP_EQ(kturn_bucket_cost(&b, KTURN_BUCKET_TAKE_MAX),
				cost);
			KTAP_CHECK(cost <= 1ULL << 63);
			KTAP_EQ(kturn_bucket_take(&b, now, cost, &time),
				cost <= b.depth);
			KTAP_CHECK(time - now <= b.depth);
		}
	}
	/* A bucket of a year works as one of a second. */
	KTAP_EQ(kturn_bucket_init(&b, BYTES, 8, 365 * 86400), 0);
	KTAP_EQ(kturn_bucket_init(&b, BYTES, 8, 418 * 86400), -ERANGE);
}

/* The time of a bucket may be on either side of where times wrap. */
static void wrap(void)
{
	static const __u64 starts[] = {
		0, 1, INT64_MAX, 1ULL << 63, UINT64_MAX - 100, UINT64_MAX,
	};
	struct kturn_bucket b;

	KTAP_EQ(kturn_bucket_init(&b, PACKETS, 1, 2), 0);
	for (size_t i = 0; i < KTAP_COUNT(starts); i++) {
		__u64 now = starts[i], time = now;

		KTAP_EQ(drain(&b, now, 1, &time), 2);
		KTAP_EQ(drain(&b, now + KTURN_TICKS_PER_SEC - 1, 1, &time), 0);
		KTAP_EQ(drain(&b, now + KTURN_TICKS_PER_SEC, 1, &time), 1);
		/* Four years of silence. */
		now += 4ULL * 365 * 86400 * KTURN_TICKS_PER_SEC;
		KTAP_EQ(drain(&b, now, 1, &time), 2);
	}
}

/* Two CPUs may see times that are not quite in order. */
static void clock_behind(void)
{
	struct kturn_bucket b;
	__u64 time = 1000000;

	KTAP_EQ(kturn_bucket_init(&b, PACKETS, 1, 2), 0);
	KTAP_EQ(drain(&b, 1000000, 1, &time), 2);
	KTAP_EQ(drain(&b, 999900, 1, &time), 0);
	KTAP_EQ(time, 1000000 + 2 * KTURN_TICKS_PER_SEC);
}

static const struct ktap_case cases[] = {
	{ "bucket: a burst is exact", burst_exact },
	{ "bucket: what is bigger than the burst", bigger_than_burst },
	{ "bucket: packets without data", empty_packets },
	{ "bucket: tokens come back", refill },
	{ "bucket: the rate in the long run", long_run },
	{ "bucket: extreme values", extremes },
	{ "bucket: times that wrap", wrap },
	{ "bucket: a clock that is behind", clock_behind },
};

int main(void)
{
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	return ktap_end();
}
