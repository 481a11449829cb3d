// SPDX-License-Identifier: GPL-2.0
/* The counters of a namespace: one set for each CPU, summed when asked. */
#include <linux/random.h>

#include "kturn.h"

/**
 * kturn_stats_init() - make the counters
 * @kn: namespace
 *
 * Return: 0 or -ENOMEM.
 */
int kturn_stats_init(struct kturn_net *kn)
{
	int cpu;

	kn->stats = alloc_percpu(struct kturn_pcpu_stats);
	if (!kn->stats)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		u64_stats_init(&per_cpu_ptr(kn->stats, cpu)->syncp);
		/* Other than in other namespaces. */
		per_cpu_ptr(kn->stats, cpu)->tids = get_random_u32();
	}
	return 0;
}

/** kturn_stats_exit() - free the counters; no hook runs any more */
void kturn_stats_exit(struct kturn_net *kn)
{
	free_percpu(kn->stats);
}

/** kturn_stats_drop() - count a dropped packet. Context: RCU, BH off. */
void kturn_stats_drop(struct kturn_net *kn, enum kturn_drop_reason reason)
{
	struct kturn_pcpu_stats *s = this_cpu_ptr(kn->stats);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->drop[reason]);
	u64_stats_update_end(&s->syncp);
}

/** kturn_stats_punt() - count a punted packet. Context: RCU, BH off. */
void kturn_stats_punt(struct kturn_net *kn, enum kturn_punt_reason reason)
{
	struct kturn_pcpu_stats *s = this_cpu_ptr(kn->stats);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->punt[reason]);
	u64_stats_update_end(&s->syncp);
}

/** kturn_stats_icmp() - count an ICMP error a client is told; as above */
void kturn_stats_icmp(struct kturn_net *kn)
{
	struct kturn_pcpu_stats *s = this_cpu_ptr(kn->stats);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->icmp);
	u64_stats_update_end(&s->syncp);
}

static void kturn_stats_read(const struct kturn_pcpu_stats *s,
			     struct kturn_stats_sum *out)
{
	unsigned int start;
	int i, f;

	do {
		start = u64_stats_fetch_begin(&s->syncp);
		for (i = 0; i < KTURN_DIRS; i++)
			for (f = 0; f < KTURN_FAMILIES; f++)
				out->relayed[i][f] = (struct kturn_count) {
					u64_stats_read(&s->packets[i][f]),
					u64_stats_read(&s->bytes[i][f]),
				};
		for (i = 0; i < KTURN_DROP_REASONS; i++)
			out->drop[i] = u64_stats_read(&s->drop[i]);
		for (i = 0; i < KTURN_PUNT_REASONS; i++)
			out->punt[i] = u64_stats_read(&s->punt[i]);
		out->icmp = u64_stats_read(&s->icmp);
	} while (u64_stats_fetch_retry(&s->syncp, start));
}

/**
 * kturn_stats_sum() - the counters of all CPUs together
 * @kn: namespace
 * @sum: result; zero in a namespace that was never used
 *
 * Context: kturn_net.lock.
 */
void kturn_stats_sum(const struct kturn_net *kn, struct kturn_stats_sum *sum)
{
	struct kturn_stats_sum one;
	int cpu, i, f;

	memset(sum, 0, sizeof(*sum));
	if (!kn->started)
		return;
	for_each_possible_cpu(cpu) {
		kturn_stats_read(per_cpu_ptr(kn->stats, cpu), &one);
		for (i = 0; i < KTURN_DIRS; i++)
			for (f = 0; f < KTURN_FAMILIES; f++)
				kturn_count_add(&sum->relayed[i][f],
						&one.relayed[i][f]);
		for (i = 0; i < KTURN_DROP_REASONS; i++)
			sum->drop[i] += one.drop[i];
		for (i = 0; i < KTURN_PUNT_REASONS; i++)
			sum->punt[i] += one.punt[i];
		sum->icmp += one.icmp;
	}
}
