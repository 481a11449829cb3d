/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lanes: counters that CPUs write without locked instructions, and that lose
 * nothing.
 *
 * One for each CPU would take kilobytes for each allocation of a big machine.
 * But the packets of an allocation come in on few CPUs: a device chooses its
 * queue by addresses and ports, so that is one for the client and one for each
 * peer. The first CPUs to relay for an allocation take a lane each, for good,
 * and nobody else writes it. The others share one, which they write with
 * locked instructions.
 */
#ifndef _KTURN_LANE_H
#define _KTURN_LANE_H

#include <linux/atomic.h>
#include <linux/preempt.h>
#include <linux/smp.h>

#define KTURN_LANES		4
/*
 * The second one, because a channel's lanes fill a cache line by twos, and
 * those of the first two owners, client and peer, should not be in the same.
 */
#define KTURN_LANE_SHARED	1

/** struct kturn_counter - one lane of a counter */
struct kturn_counter {
	atomic64_t packets;
	atomic64_t bytes;
};

/**
 * struct kturn_lanes - whose the lanes of an allocation are
 * @cpu: number of the CPU plus one, 0: nobody's yet, -1: of all that have none
 */
struct kturn_lanes {
	int cpu[KTURN_LANES];
};

/** kturn_lanes_init() - nobody's yet */
static inline void kturn_lanes_init(struct kturn_lanes *lanes)
{
	lanes->cpu[KTURN_LANE_SHARED] = -1;
}

/**
 * kturn_lane_get() - the lane that this CPU writes
 * @lanes: lanes
 *
 * Context: BH off; what is counted with the result is counted before
 * kturn_lane_put().
 */
static __always_inline unsigned int kturn_lane_get(struct kturn_lanes *lanes)
{
	unsigned int lane;
	int cpu, me;

	/* With PREEMPT_RT, that BH is off does not keep others away. */
	preempt_disable_nested();
	me = smp_processor_id() + 1;
	for (lane = 0; lane < KTURN_LANES; lane++) {
		cpu = READ_ONCE(lanes->cpu[lane]);
		if (likely(cpu == me))
			return lane;
		if (!cpu && !cmpxchg(&lanes->cpu[lane], 0, me))
			return lane;
	}
	return KTURN_LANE_SHARED;
}

/** kturn_lane_put() - all is counted */
static inline void kturn_lane_put(void)
{
	preempt_enable_nested();
}

/**
 * kturn_counter_add() - count a packet
 * @c: counter, one for each lane
 * @lane: as kturn_lane_get() says
 * @bytes: of application data
 */
static inline void kturn_counter_add(struct kturn_counter *c, unsigned int lane,
				     unsigned int bytes)
{
	if (unlikely(lane == KTURN_LANE_SHARED)) {
		atomic64_inc(&c->packets);
		atomic64_add(bytes, &c->bytes);
		return;
	}
	atomic64_set(&c->packets, atomic64_read(&c->packets) + 1);
	atomic64_set(&c->bytes, atomic64_read(&c->bytes) + bytes);
}

/** struct kturn_count - a counter's lanes together */
struct kturn_count {
	u64 packets;
	u64 bytes;
};

/** kturn_count_add() - add @n to @sum */
static inline void kturn_count_add(struct kturn_count *sum,
				   const struct kturn_count *n)
{
	sum->packets += n->packets;
	sum->bytes += n->bytes;
}

/**
 * kturn_counter_sum() - add up a counter's lanes
 * @c: that of the first lane
 * @stride: from one lane's to the next one's
 * @sum: what they are added to
 */
static inline void kturn_counter_sum(const struct kturn_counter *c,
				     unsigned int stride,
				     struct kturn_count *sum)
{
	unsigned int lane;

	for (lane = 0; lane < KTURN_LANES; lane++, c += stride) {
		sum->packets += atomic64_read(&c->packets);
		sum->bytes += atomic64_read(&c->bytes);
	}
}

#endif /* _KTURN_LANE_H */
