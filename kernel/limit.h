/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_LIMIT_H
#define _KTURN_LIMIT_H

#include <kturn/bucket.h>

#include "relay.h"

/**
 * struct kturn_tokens - a bucket and its time
 * @bucket: constant
 * @time: as kturn_bucket_take() wants it
 */
struct kturn_tokens {
	struct kturn_bucket bucket;
	atomic64_t time;
};

/**
 * struct kturn_limit - what may pass, and how much of it has
 * @rate: constant; where it is 0, the bucket is not looked at
 * @bytes: of data
 * @packets: of any size
 * @rcu: for freeing
 *
 * Found through an RCU pointer, which is NULL where there is no limit, and
 * replaced to be changed.
 */
struct kturn_limit {
	struct kturn_rate rate;
	struct kturn_tokens bytes;
	struct kturn_tokens packets;
	struct rcu_head rcu;
};

/* limit.c */
void kturn_limit_init(void);
void kturn_rate_complete(struct kturn_rate *rate);
bool kturn_rate_bytes_fit(const struct kturn_rate *rate);
bool kturn_rate_packets_fit(const struct kturn_rate *rate);
int kturn_limit_make(const struct kturn_rate *rate,
		     struct kturn_limit **result);
void kturn_limit_install(struct kturn_limit __rcu **slot,
			 struct kturn_limit *limit);
void kturn_limit_flush(struct kturn_limit __rcu **slot);
void kturn_limit_alloc_set(struct kturn_alloc *alloc, enum kturn_dir dir,
			   struct kturn_limit *limit);
bool kturn_limit_take(struct kturn_limit *limit, unsigned int bytes);
bool kturn_limit_is_full(const struct kturn_limit *limit);
void kturn_limit_inherit(struct kturn_limit *limit,
			 const struct kturn_limit *old);
int kturn_limit_take_all(const struct kturn_alloc *alloc, enum kturn_dir dir,
			 unsigned int bytes);
void kturn_limit_give_all(const struct kturn_alloc *alloc, enum kturn_dir dir,
			  unsigned int bytes);
void kturn_limit_alloc_init(struct kturn_alloc *alloc);
bool kturn_limit_icmp_ind(const struct kturn_net *kn,
			  struct kturn_alloc *alloc);
int kturn_limit_punt(struct kturn_packet *pkt, struct kturn_alloc *alloc,
		     enum kturn_punt_reason reason);
void kturn_limit_net_init(struct kturn_net *kn);
int kturn_limit_net_start(struct kturn_net *kn);
void kturn_limit_net_exit(struct kturn_net *kn);

/**
 * kturn_limit_relay() - may an allocation relay one more packet?
 * @alloc: allocation; it and its quotas are charged if the answer is yes
 * @dir: direction
 * @bytes: application data
 *
 * Context: RCU.
 * Return: -1 if it may, or the enum kturn_drop_reason why not.
 */
static inline int kturn_limit_relay(const struct kturn_alloc *alloc,
				    enum kturn_dir dir, unsigned int bytes)
{
	if (likely(!READ_ONCE(alloc->limited)))
		return -1;
	return kturn_limit_take_all(alloc, dir, bytes);
}

/**
 * kturn_limit_plan() - may a packet be relayed as planned?
 * @plan: its plan; who relays it is charged
 * @over: set to the allocation for whom it is too much
 *
 * Context: RCU.
 * Return: -1 if it may, or the enum kturn_drop_reason why not.
 */
static __always_inline int kturn_limit_plan(const struct kturn_plan *plan,
					    struct kturn_alloc **over)
{
	const struct kturn_account *hop = &plan->hop, *next = &plan->next;
	int reason;

	*over = hop->alloc;
	reason = kturn_limit_relay(hop->alloc, hop->dir, plan->fwd.len);
	if (likely(!next->alloc) || reason >= 0)
		return reason;
	*over = next->alloc;
	reason = kturn_limit_relay(next->alloc, next->dir, plan->fwd.len);
	if (reason >= 0 && READ_ONCE(hop->alloc->limited))
		kturn_limit_give_all(hop->alloc, hop->dir, plan->fwd.len);
	return reason;
}

/**
 * kturn_limit_icmp() - may the namespace send one more ICMP error?
 * @kn: namespace; it is charged if the answer is yes
 *
 * Context: RCU.
 */
static inline bool kturn_limit_icmp(const struct kturn_net *kn)
{
	struct kturn_limit *limit = rcu_dereference(kn->limit[KTURN_RATE_ICMP]);

	return !limit || kturn_limit_take(limit, 0);
}

#endif /* _KTURN_LIMIT_H */
