// SPDX-License-Identifier: GPL-2.0
/*
 * Rate limits: of an allocation, by direction; of several together (quotas); of
 * a namespace, for what is punted and for ICMP. Token buckets without a lock; see
 * kturn/bucket.h.
 */
#include <linux/slab.h>
#include <linux/udp.h>

#include "limit.h"
#include "quota.h"
#include "relay.h"
#include "route.h"

/* By default, what comes in a quarter of a second may come at once. */
#define KTURN_BURST_FRACTION	4
/* And at least the largest datagram, and a picture's worth of packets. */
#define KTURN_BURST_BYTES_MIN	65535
#define KTURN_BURST_PACKETS_MIN	16

/* Per second and namespace; the stack's own limits count as well. */
#define KTURN_ICMP_RATE		1000
#define KTURN_ICMP_IND_RATE	1000

/*
 * Whoever knows a relayed address and one of its peers can forge errors: what an
 * allocation is told of must not be all that its namespace has. Per second, and
 * at once.
 */
#define KTURN_ALLOC_ICMP_IND_RATE	10
#define KTURN_ALLOC_ICMP_IND_BURST	20

static struct kturn_bucket kturn_told_bucket __ro_after_init;

/* ------------------------------------------------------------------- rates */

/**
 * kturn_rate_complete() - replace a burst of 0 by the default
 * @rate: where there is no rate, there is no burst
 */
void kturn_rate_complete(struct kturn_rate *rate)
{
	if (!rate->bits)
		rate->burst_bytes = 0;
	else if (!rate->burst_bytes)
		rate->burst_bytes = max_t(u64, KTURN_BURST_BYTES_MIN,
					  rate->bits / BITS_PER_BYTE /
					  KTURN_BURST_FRACTION);
	if (!rate->packets)
		rate->burst_packets = 0;
	else if (!rate->burst_packets)
		rate->burst_packets = max_t(u32, KTURN_BURST_PACKETS_MIN,
					    rate->packets /
					    KTURN_BURST_FRACTION);
}

static int kturn_rate_bytes(const struct kturn_rate *rate,
			    struct kturn_bucket *bucket)
{
	return kturn_bucket_init(bucket, KTURN_TICKS_PER_SEC * BITS_PER_BYTE,
				 rate->bits, rate->burst_bytes);
}

static int kturn_rate_packets(const struct kturn_rate *rate,
			      struct kturn_bucket *bucket)
{
	return kturn_bucket_init(bucket, KTURN_TICKS_PER_SEC, rate->packets,
				 rate->burst_packets);
}

/** kturn_rate_bytes_fit() - can the burst of bytes be saved up in time? */
bool kturn_rate_bytes_fit(const struct kturn_rate *rate)
{
	struct kturn_bucket bucket;

	return !rate->bits || !kturn_rate_bytes(rate, &bucket);
}

/** kturn_rate_packets_fit() - the same of the burst of packets */
bool kturn_rate_packets_fit(const struct kturn_rate *rate)
{
	struct kturn_bucket bucket;

	return !rate->packets || !kturn_rate_packets(rate, &bucket);
}

/* ------------------------------------------------------------------ limits */

static u64 kturn_limit_now(void)
{
	return kturn_bucket_now(ktime_get_boottime_ns());
}

/**
 * kturn_limit_make() - a limit whose buckets are full
 * @rate: complete, and its bursts fit
 * @result: NULL if there is nothing to limit
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kturn_limit_make(const struct kturn_rate *rate,
		     struct kturn_limit **result)
{
	struct kturn_limit *limit;
	u64 now = kturn_limit_now();

	*result = NULL;
	if (!rate->bits && !rate->packets)
		return 0;
	limit = kzalloc(sizeof(*limit), GFP_KERNEL_ACCOUNT);
	if (!limit)
		return -ENOMEM;
	limit->rate = *rate;
	if (rate->bits)
		kturn_rate_bytes(rate, &limit->bytes.bucket);
	if (rate->packets)
		kturn_rate_packets(rate, &limit->packets.bucket);
	atomic64_set(&limit->bytes.time, now);
	atomic64_set(&limit->packets.time, now);
	*result = limit;
	return 0;
}

/**
 * kturn_limit_install() - put a limit in the place of another
 * @slot: place
 * @limit: taken over; NULL for none
 *
 * Context: kturn_net.lock.
 */
void kturn_limit_install(struct kturn_limit __rcu **slot,
			 struct kturn_limit *limit)
{
	struct kturn_limit *old = rcu_replace_pointer(*slot, limit, true);

	if (old)
		kfree_rcu(old, rcu);
}

/**
 * kturn_limit_flush() - forget a limit
 * @slot: that no reader can find any more
 */
void kturn_limit_flush(struct kturn_limit __rcu **slot)
{
	kfree(rcu_dereference_protected(*slot, true));
	RCU_INIT_POINTER(*slot, NULL);
}

/**
 * kturn_limit_alloc_set() - replace an allocation's own limit
 * @alloc: whose quotas do not change any more
 * @dir: direction
 * @limit: taken over; NULL for none
 *
 * Context: kturn_net.lock, or nobody else knows @alloc yet.
 */
void kturn_limit_alloc_set(struct kturn_alloc *alloc, enum kturn_dir dir,
			   struct kturn_limit *limit)
{
	kturn_limit_install(&alloc->limit[dir], limit);
	WRITE_ONCE(alloc->limited,
		   rcu_access_pointer(alloc->limit[KTURN_TO_PEER]) ||
		   rcu_access_pointer(alloc->limit[KTURN_TO_CLIENT]) ||
		   alloc->quota[0]);
}

/** kturn_limit_init() - for all namespaces. Context: module init. */
void __init kturn_limit_init(void)
{
	kturn_bucket_init(&kturn_told_bucket, KTURN_TICKS_PER_SEC,
			  KTURN_ALLOC_ICMP_IND_RATE, KTURN_ALLOC_ICMP_IND_BURST);
}

/** kturn_limit_alloc_init() - an allocation's bucket of errors is full */
void kturn_limit_alloc_init(struct kturn_alloc *alloc)
{
	atomic64_set(&alloc->told, kturn_limit_now());
}

/* What is still to be worked off, in ticks. */
static u64 kturn_tokens_debt(const struct kturn_tokens *tokens, u64 now)
{
	s64 debt = atomic64_read(&tokens->time) - now;

	return max_t(s64, debt, 0);
}

/** kturn_limit_is_full() - does it let through as much as a new one? */
bool kturn_limit_is_full(const struct kturn_limit *limit)
{
	u64 now = kturn_limit_now();

	return !kturn_tokens_debt(&limit->bytes, now) &&
	       !kturn_tokens_debt(&limit->packets, now);
}

static void kturn_tokens_inherit(struct kturn_tokens *tokens,
				 const struct kturn_tokens *old, u64 now)
{
	atomic64_set(&tokens->time,
		     now + min(kturn_tokens_debt(old, now),
			       tokens->bucket.depth));
}

/**
 * kturn_limit_inherit() - another one takes a limit's place, as full as that is
 * @limit: that nobody else knows yet
 * @old: what it is to replace
 */
void kturn_limit_inherit(struct kturn_limit *limit,
			 const struct kturn_limit *old)
{
	u64 now = kturn_limit_now();

	kturn_tokens_inherit(&limit->bytes, &old->bytes, now);
	kturn_tokens_inherit(&limit->packets, &old->packets, now);
}

static bool kturn_bucket_charge(const struct kturn_bucket *bucket,
				atomic64_t *bucket_time, u64 now, u64 cost)
{
	s64 old = atomic64_read(bucket_time);
	u64 time;

	do {
		time = old;
		if (!kturn_bucket_take(bucket, now, cost, &time))
			return false;
	} while (!atomic64_try_cmpxchg_relaxed(bucket_time, &old, time));
	return true;
}

static bool kturn_tokens_take(struct kturn_tokens *tokens, u64 now, u64 cost)
{
	return kturn_bucket_charge(&tokens->bucket, &tokens->time, now, cost);
}

static bool kturn_limit_take_at(struct kturn_limit *limit, u64 now,
				unsigned int bytes)
{
	u64 cost = 0;

	if (limit->rate.packets) {
		cost = kturn_bucket_cost(&limit->packets.bucket, 1);
		if (!kturn_tokens_take(&limit->packets, now, cost))
			return false;
	}
	if (limit->rate.bits &&
	    !kturn_tokens_take(&limit->bytes, now,
			       kturn_bucket_cost(&limit->bytes.bucket,
						 bytes))) {
		/* Without packets' rate this takes nothing off. */
		atomic64_sub(cost, &limit->packets.time);
		return false;
	}
	return true;
}

/**
 * kturn_limit_take() - may this packet pass?
 * @limit: charged if it may, and left alone if not
 * @bytes: that count
 *
 * Context: RCU.
 */
bool kturn_limit_take(struct kturn_limit *limit, unsigned int bytes)
{
	return kturn_limit_take_at(limit, kturn_limit_now(), bytes);
}

/*
 * Undo a take of so many bytes. If all of that has been worked off meanwhile, the
 * bucket gets more than it gave, as much as one packet; its time never goes back
 * behind a full one's.
 */
static void kturn_limit_give(struct kturn_limit *limit, unsigned int bytes)
{
	if (limit->rate.packets)
		atomic64_sub(kturn_bucket_cost(&limit->packets.bucket, 1),
			     &limit->packets.time);
	if (limit->rate.bits)
		atomic64_sub(kturn_bucket_cost(&limit->bytes.bucket, bytes),
			     &limit->bytes.time);
}

/* What an allocation has in a direction: its own, and its quotas'. */
#define KTURN_LIMITS_MAX	(1 + KTURN_QUOTAS_MAX)

static int kturn_limits_of(const struct kturn_alloc *alloc, enum kturn_dir dir,
			   struct kturn_limit *limit[KTURN_LIMITS_MAX])
{
	int i;

	limit[0] = rcu_dereference(alloc->limit[dir]);
	for (i = 0; i < KTURN_QUOTAS_MAX && alloc->quota[i]; i++)
		limit[1 + i] = rcu_dereference(alloc->quota[i]->limit[dir]);
	return 1 + i;
}

static void kturn_limits_give(struct kturn_limit *limit[], int n,
			      unsigned int bytes)
{
	int i;

	for (i = 0; i < n; i++)
		if (limit[i])
			kturn_limit_give(limit[i], bytes);
}

/**
 * kturn_limit_take_all() - may this packet pass all limits of an allocation?
 * @alloc: its own and its quotas are charged if it may, and left alone if not
 * @dir: direction
 * @bytes: that count
 *
 * For a moment, others may find too little in those that come first.
 *
 * Context: RCU.
 * Return: -1 if it may, or the enum kturn_drop_reason why not.
 */
int kturn_limit_take_all(const struct kturn_alloc *alloc, enum kturn_dir dir,
			 unsigned int bytes)
{
	struct kturn_limit *limit[KTURN_LIMITS_MAX];
	int i, n = kturn_limits_of(alloc, dir, limit);
	u64 now = kturn_limit_now();

	for (i = 0; i < n; i++)
		if (limit[i] && !kturn_limit_take_at(limit[i], now, bytes))
			break;
	if (i == n)
		return -1;
	kturn_limits_give(limit, i, bytes);
	return i ? KTURN_DROP_REASON_QUOTA : KTURN_DROP_REASON_LIMIT;
}

/**
 * kturn_limit_give_all() - a packet that was let through is not relayed
 * @alloc: its own limit and its quotas get back what they gave
 * @dir: direction
 * @bytes: that counted
 *
 * Context: RCU.
 */
void kturn_limit_give_all(const struct kturn_alloc *alloc, enum kturn_dir dir,
			  unsigned int bytes)
{
	struct kturn_limit *limit[KTURN_LIMITS_MAX];

	kturn_limits_give(limit, kturn_limits_of(alloc, dir, limit), bytes);
}

/**
 * kturn_limit_icmp_ind() - may one more Data indication with an ICMP attribute
 * be sent (RFC 8656 section 11.5)?
 * @kn: namespace
 * @alloc: whose client it is for
 *
 * All are charged if the answer is yes: the errors that an allocation is told of,
 * its packets to the client and its quotas', and the namespace.
 *
 * Context: RCU.
 */
bool kturn_limit_icmp_ind(const struct kturn_net *kn,
			  struct kturn_alloc *alloc)
{
	struct kturn_limit *limit;

	if (!kturn_bucket_charge(&kturn_told_bucket, &alloc->told,
				 kturn_limit_now(),
				 kturn_bucket_cost(&kturn_told_bucket, 1)))
		return false;
	if (kturn_limit_relay(alloc, KTURN_TO_CLIENT, 0) >= 0)
		return false;
	limit = rcu_dereference(kn->limit[KTURN_RATE_ICMP_IND]);
	if (!limit || kturn_limit_take(limit, 0))
		return true;
	if (READ_ONCE(alloc->limited))
		kturn_limit_give_all(alloc, KTURN_TO_CLIENT, 0);
	return false;
}

/* --------------------------------------------------------- what is punted */

/*
 * What the stack is going to refuse, or to send somewhere else, is nobody's:
 * else whoever forges addresses could use up what is an allocation's.
 */
static bool kturn_limit_counts(struct kturn_packet *pkt,
			       struct kturn_alloc *alloc, enum kturn_dir dir)
{
	/* That of a peer is in its permission, which need not be there. */
	struct kturn_source unknown = {};

	return kturn_source_check(pkt->kn, pkt->skb,
				  dir == KTURN_TO_PEER ? &alloc->source :
				  &unknown, pkt->family, pkt->tos);
}

/*
 * Whoever knows a relayed address can send to it what is punted, without any
 * permission: that must not use up what others share.
 */
static int kturn_limit_punted(const struct kturn_alloc *alloc,
			      enum kturn_dir dir, unsigned int bytes)
{
	struct kturn_limit *own;

	if (dir == KTURN_TO_PEER)
		return kturn_limit_relay(alloc, dir, bytes);
	own = rcu_dereference(alloc->limit[dir]);
	return !own || kturn_limit_take(own, bytes) ?
		-1 : KTURN_DROP_REASON_LIMIT;
}

/**
 * kturn_limit_punt() - is a packet that is to be punted within the limits?
 * @pkt: packet, with its contents unchanged
 * @alloc: whose it is; charged if the packet is within its limits
 * @reason: why it is to be punted
 *
 * Control messages are charged, but never refused: by them a client keeps its
 * allocation, even when its own data are too much. What must not be dropped
 * is not refused either.
 *
 * Context: RCU.
 * Return: -1, or the enum kturn_drop_reason why not.
 */
int kturn_limit_punt(struct kturn_packet *pkt, struct kturn_alloc *alloc,
		     enum kturn_punt_reason reason)
{
	enum kturn_dir dir = kturn_account_dir(pkt, alloc);
	struct kturn_limit *net;
	unsigned int bytes;
	int odd, over;

	net = rcu_dereference(pkt->kn->limit[KTURN_RATE_PUNT]);
	if (likely(!READ_ONCE(alloc->limited) && !net))
		return -1;
	odd = kturn_droppable(pkt);
	if (odd >= 0 && odd != KTURN_PUNT_REASON_GSO)
		return -1;
	if (!kturn_limit_counts(pkt, alloc, dir))
		return -1;
	/* With a header that lies about it, @pkt->len is not all. */
	bytes = pkt->skb->len - pkt->thoff - sizeof(struct udphdr);
	over = kturn_limit_punted(alloc, dir, bytes);
	if (odd >= 0 || reason == KTURN_PUNT_REASON_CONTROL)
		return -1;
	if (over >= 0)
		return over;
	if (net && !kturn_limit_take(net, 0))
		return KTURN_DROP_REASON_PUNT_LIMIT;
	return -1;
}

/* --------------------------------------------------------------- namespaces */

/** kturn_limit_net_init() - a namespace's rates, as documented */
void kturn_limit_net_init(struct kturn_net *kn)
{
	kn->rate[KTURN_RATE_ICMP].packets = KTURN_ICMP_RATE;
	kturn_rate_complete(&kn->rate[KTURN_RATE_ICMP]);
	kn->rate[KTURN_RATE_ICMP_IND].packets = KTURN_ICMP_IND_RATE;
	kturn_rate_complete(&kn->rate[KTURN_RATE_ICMP_IND]);
}

/**
 * kturn_limit_net_start() - make the limits of a namespace's rates
 * @kn: namespace
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0 or -ENOMEM.
 */
int kturn_limit_net_start(struct kturn_net *kn)
{
	struct kturn_limit *limit;
	int i, err;

	lockdep_assert_held(&kn->lock);
	for (i = 0; i < KTURN_NET_RATES; i++) {
		err = kturn_limit_make(&kn->rate[i], &limit);
		if (err) {
			kturn_limit_net_exit(kn);
			return err;
		}
		kturn_limit_install(&kn->limit[i], limit);
	}
	return 0;
}

/** kturn_limit_net_exit() - forget them; no hook runs any more, or none yet */
void kturn_limit_net_exit(struct kturn_net *kn)
{
	int i;

	for (i = 0; i < KTURN_NET_RATES; i++)
		kturn_limit_flush(&kn->limit[i]);
}
