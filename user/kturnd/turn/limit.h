/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much data of an allocation passes, in each direction: what the kernel does
 * for what it relays (kernel/limit.c), with the same buckets.
 */
#ifndef _KTURND_TURN_LIMIT_H
#define _KTURND_TURN_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kturn/bucket.h>

/**
 * struct turn_limit - of one direction
 * @bytes: bucket of bytes, if @by_bytes
 * @packets: bucket of packets, if @by_packets
 * @by_bytes: bytes are limited
 * @by_packets: packets are limited
 */
struct turn_limit {
	struct kturn_bucket bytes;
	struct kturn_bucket packets;
	bool by_bytes;
	bool by_packets;
};

/** struct turn_used - the times of an allocation's buckets; 0: full */
struct turn_used {
	__u64 bytes;
	__u64 packets;
};

/** turn_limit_ticks() - of buckets, at @now milliseconds */
static inline __u64 turn_limit_ticks(uint64_t now)
{
	return kturn_bucket_now(now * 1000000);
}

/** turn_limit_time() - a bucket's time: one of which nothing was used is full */
static inline __u64 turn_limit_time(__u64 used, __u64 ticks)
{
	/* Times wrap: in years of uptime a zero becomes the future. */
	return used ? used : ticks;
}

/**
 * turn_limit_init() - a limit
 * @l: result
 * @bit_rate: a second; 0: any number
 * @burst_bytes: at once; 0: a quarter of a second's, but at least 65535
 * @packet_rate: a second; 0: any number
 * @burst_packets: at once; 0: a quarter of a second's, but at least 16
 *
 * Return: 0, or -ERANGE if a burst would take longer than 417 days.
 */
int turn_limit_init(struct turn_limit *l, uint64_t bit_rate,
		    uint64_t burst_bytes, uint32_t packet_rate,
		    uint32_t burst_packets);

/**
 * turn_limit_charge() - may it pass, where there is a limit?
 * @l: limit
 * @used: the allocation's
 * @len: bytes of data
 * @now: milliseconds
 *
 * What does not pass takes nothing.
 */
bool turn_limit_charge(const struct turn_limit *l, struct turn_used *used,
		       size_t len, uint64_t now);

/** turn_limit_take() - may it pass? As turn_limit_charge(), for each packet */
static inline bool turn_limit_take(const struct turn_limit *l,
				   struct turn_used *used, size_t len,
				   uint64_t now)
{
	return (!l->by_bytes && !l->by_packets) ||
	       turn_limit_charge(l, used, len, now);
}

#endif /* _KTURND_TURN_LIMIT_H */
