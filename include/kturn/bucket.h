/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Token buckets by virtual scheduling (the GCRA of ITU-T I.371): all that
 * changes is one time, that at which everything let through so far has been
 * worked off at the bucket's rate. A bucket whose time has passed is full.
 *
 * Pure arithmetic on 64 bit machines, for the module and for its tests; where
 * the time is kept and how it is changed is the caller's business. Times and
 * costs are in ticks, of which a nanosecond has 64: at 400 Gbit/s a byte takes
 * 1.28. Times wrap, after 9 years; a bucket must not rest for half of that.
 */
#ifndef _KTURN_BUCKET_H
#define _KTURN_BUCKET_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#endif

#define KTURN_TICKS_PER_NS	64
#define KTURN_TICKS_PER_SEC	(KTURN_TICKS_PER_NS * 1000000000ULL)
/* The longest time that a bucket may take to fill: some 417 days. */
#define KTURN_BUCKET_DEPTH_MAX	0x2000000000000000ULL
/* Most tokens at once; the data of 256 of the largest datagrams. */
#define KTURN_BUCKET_TAKE_MAX	((1U << 24) - 1)

/**
 * struct kturn_bucket - how fast a bucket fills, and how much it holds
 * @mult: ticks that a token takes, times 2^@shift; less than 2^40
 * @shift: 0 to 63
 * @depth: ticks that the whole burst takes
 *
 * With KTURN_BUCKET_TAKE_MAX, the product is less than 2^64.
 */
struct kturn_bucket {
	__u64 mult;
	__u64 depth;
	unsigned int shift;
};

/**
 * kturn_bucket_init() - set a bucket up
 * @b: result
 * @ticks: in which it gets @rate tokens, at most 2^39
 * @rate: at least 1
 * @burst: tokens that it holds, at least 1
 *
 * Return: 0; -ERANGE if it would take longer to fill than
 * KTURN_BUCKET_DEPTH_MAX.
 */
static inline int kturn_bucket_init(struct kturn_bucket *b, __u64 ticks,
				    __u64 rate, __u64 burst)
{
	__u64 mult = ticks / rate, rest = ticks % rate;
	unsigned __int128 depth;
	unsigned int shift;
	bool bit;

	/* Go on dividing, bit by bit, while the result has room. */
	for (shift = 0; mult < 1ULL << 39 && shift < 63; shift++) {
		bit = rest >= rate - rest;
		rest = bit ? rest - (rate - rest) : rest + rest;
		mult = mult << 1 | bit;
	}
	depth = (unsigned __int128)mult * burst >> shift;
	if (depth > KTURN_BUCKET_DEPTH_MAX)
		return -ERANGE;
	b->mult = mult;
	b->shift = shift;
	b->depth = depth;
	return 0;
}

/** kturn_bucket_now() - the time @ns nanoseconds after some beginning */
static inline __u64 kturn_bucket_now(__u64 ns)
{
	return ns * KTURN_TICKS_PER_NS;
}

/** kturn_bucket_cost() - what to give kturn_bucket_take() for so many tokens */
static inline __u64 kturn_bucket_cost(const struct kturn_bucket *b,
				      unsigned int tokens)
{
	if (tokens > KTURN_BUCKET_TAKE_MAX)
		tokens = KTURN_BUCKET_TAKE_MAX;
	return tokens * b->mult >> b->shift;
}

/**
 * kturn_bucket_take() - are there so many tokens in a bucket?
 * @b: bucket
 * @now: time
 * @cost: by kturn_bucket_cost()
 * @time: the bucket's time; changed if there are
 *
 * A full bucket gives exactly its burst.
 */
static inline bool kturn_bucket_take(const struct kturn_bucket *b, __u64 now,
				     __u64 cost, __u64 *time)
{
	/* What was there beyond a full bucket is lost. */
	__u64 from = (__s64)(*time - now) < 0 ? now : *time;

	if (from - now + cost > b->depth)
		return false;
	*time = from + cost;
	return true;
}

#endif /* _KTURN_BUCKET_H */
