// SPDX-License-Identifier: GPL-2.0-or-later
/* How much data of an allocation passes; see limit.h. */
#include "limit.h"

#define BITS_PER_BYTE	8

/* As the kernel's defaults. */
#define BURST_FRACTION		4
#define BURST_BYTES_MIN		65535
#define BURST_PACKETS_MIN	16

static uint64_t burst(uint64_t asked, uint64_t rate, uint64_t min)
{
	uint64_t part = rate / BURST_FRACTION;

	if (asked)
		return asked;
	return part > min ? part : min;
}

int turn_limit_init(struct turn_limit *l, uint64_t bit_rate,
		    uint64_t burst_bytes, uint32_t packet_rate,
		    uint32_t burst_packets)
{
	int ret = 0;

	*l = (struct turn_limit){ .by_bytes = bit_rate,
				  .by_packets = packet_rate };
	if (bit_rate)
		ret = kturn_bucket_init(&l->bytes,
					KTURN_TICKS_PER_SEC * BITS_PER_BYTE,
					bit_rate,
					burst(burst_bytes,
					      bit_rate / BITS_PER_BYTE,
					      BURST_BYTES_MIN));
	if (!ret && packet_rate)
		ret = kturn_bucket_init(&l->packets, KTURN_TICKS_PER_SEC,
					packet_rate,
					burst(burst_packets, packet_rate,
					      BURST_PACKETS_MIN));
	return ret;
}

bool turn_limit_charge(const struct turn_limit *l, struct turn_used *used,
		       size_t len, uint64_t now)
{
	const uint64_t ticks = turn_limit_ticks(now);
	struct turn_used next = {
		.bytes = turn_limit_time(used->bytes, ticks),
		.packets = turn_limit_time(used->packets, ticks),
	};

	if (l->by_packets &&
	    !kturn_bucket_take(&l->packets, ticks,
			       kturn_bucket_cost(&l->packets, 1),
			       &next.packets))
		return false;
	if (l->by_bytes &&
	    !kturn_bucket_take(&l->bytes, ticks,
			       kturn_bucket_cost(&l->bytes, (unsigned int)len),
			       &next.bytes))
		return false;
	*used = next;
	return true;
}
