// SPDX-License-Identifier: GPL-2.0-or-later
/* How much data several allocations relay together; see pool.h. */
#include "pool.h"

void turn_pool_init(struct turn_pool *pool, const struct turn_limit limit[2],
		    struct turn_pool *whole)
{
	size_t i;

	pool->limit = limit;
	pool->whole = whole;
	for (i = 0; i < 2; i++) {
		atomic_init(&pool->used[i].bytes, 0);
		atomic_init(&pool->used[i].packets, 0);
	}
}

static __u64 bytes_cost(const struct turn_limit *l, size_t len)
{
	return kturn_bucket_cost(&l->bytes, (unsigned int)len);
}

/* As the kernel's kturn_bucket_charge(): whoever is late looks again. */
static bool charge(const struct kturn_bucket *bucket, atomic_ullong *used,
		   __u64 ticks, __u64 cost)
{
	__u64 old = atomic_load_explicit(used, memory_order_relaxed), next;

	do {
		next = turn_limit_time(old, ticks);
		if (!kturn_bucket_take(bucket, ticks, cost, &next))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(used, &old, next,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

static void give_back(atomic_ullong *used, __u64 cost)
{
	atomic_fetch_sub_explicit(used, cost, memory_order_relaxed);
}

static bool take(struct turn_pool *pool, enum turn_direction dir, size_t len,
		 __u64 ticks)
{
	const struct turn_limit *l = &pool->limit[dir];
	struct turn_pool_used *used = &pool->used[dir];
	__u64 packet = 0;

	if (l->by_packets) {
		packet = kturn_bucket_cost(&l->packets, 1);
		if (!charge(&l->packets, &used->packets, ticks, packet))
			return false;
	}
	if (!l->by_bytes ||
	    charge(&l->bytes, &used->bytes, ticks, bytes_cost(l, len)))
		return true;
	if (l->by_packets)
		give_back(&used->packets, packet);
	return false;
}

static void undo(struct turn_pool *pool, enum turn_direction dir, size_t len)
{
	const struct turn_limit *l = &pool->limit[dir];
	struct turn_pool_used *used = &pool->used[dir];

	if (l->by_packets)
		give_back(&used->packets, kturn_bucket_cost(&l->packets, 1));
	if (l->by_bytes)
		give_back(&used->bytes, bytes_cost(l, len));
}

bool turn_pool_take(struct turn_pool *pool, enum turn_direction dir,
		    size_t len, uint64_t now)
{
	const __u64 ticks = turn_limit_ticks(now);
	struct turn_pool *p = pool, *full;

	while (p && take(p, dir, len, ticks))
		p = p->whole;
	if (!p)
		return true;
	full = p;
	for (p = pool; p != full; p = p->whole)
		undo(p, dir, len);
	return false;
}

bool turn_pool_has_bytes(const struct turn_pool *pool,
			 enum turn_direction dir, size_t len, uint64_t now)
{
	const __u64 ticks = turn_limit_ticks(now);
	const struct turn_limit *l;
	__u64 time;

	for (; pool; pool = pool->whole) {
		l = &pool->limit[dir];
		if (!l->by_bytes)
			continue;
		time = atomic_load_explicit(&pool->used[dir].bytes,
					    memory_order_relaxed);
		time = turn_limit_time(time, ticks);
		if (!kturn_bucket_take(&l->bytes, ticks, bytes_cost(l, len),
				       &time))
			return false;
	}
	return true;
}

/* A bucket that holds anything gives it whatever there is. */
static void spend(const struct turn_limit *l, atomic_ullong *used,
		  __u64 ticks, __u64 cost)
{
	struct kturn_bucket deep = l->bytes;

	deep.depth = INT64_MAX;
	charge(&deep, used, ticks, cost);
}

void turn_pool_passed(struct turn_pool *pool, enum turn_direction dir,
		      size_t len, uint64_t now)
{
	const __u64 ticks = turn_limit_ticks(now);
	const struct turn_limit *l;

	for (; pool; pool = pool->whole) {
		l = &pool->limit[dir];
		if (l->by_bytes)
			spend(l, &pool->used[dir].bytes, ticks,
			      bytes_cost(l, len));
	}
}

static bool is_worked_off(const atomic_ullong *used, __u64 ticks)
{
	__u64 time = atomic_load_explicit(used, memory_order_relaxed);

	return (__s64)(turn_limit_time(time, ticks) - ticks) <= 0;
}

bool turn_pool_is_full(const struct turn_pool *pool, uint64_t now)
{
	const __u64 ticks = turn_limit_ticks(now);
	size_t i;

	for (i = 0; i < 2; i++)
		if (!is_worked_off(&pool->used[i].bytes, ticks) ||
		    !is_worked_off(&pool->used[i].packets, ticks))
			return false;
	return true;
}
