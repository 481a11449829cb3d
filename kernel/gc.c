// SPDX-License-Identifier: GPL-2.0
/*
 * Expiry. Whether an entry is alive is decided where it is used; this only
 * frees memory, tells who listens, ends grace periods, and takes the hooks
 * away when nothing needs them any more.
 */
#include "kturn.h"

/* Allocations looked at in one go, so that others get the lock meanwhile. */
#define KTURN_GC_BATCH		1024
#define KTURN_GC_INTERVAL	HZ

static void kturn_gc_alloc(struct kturn_net *kn, struct kturn_alloc *alloc,
			   u64 now)
{
	struct kturn_chan *chan, *next_chan;
	struct kturn_perm *perm, *next_perm;

	if (!kturn_alive(&alloc->expires, now)) {
		kturn_notify_alloc(kn, alloc, KTURN_GONE_REASON_EXPIRED);
		kturn_alloc_destroy(kn, alloc);
		return;
	}
	list_for_each_entry_safe(perm, next_perm, &alloc->perms, link) {
		/* 0: ended before, kept for its channels */
		if (!perm->expires || kturn_alive(&perm->expires, now))
			continue;
		kturn_notify_perm(kn, perm, KTURN_GONE_REASON_EXPIRED);
		kturn_perm_end(kn, perm);
	}
	list_for_each_entry_safe(chan, next_chan, &alloc->chans, link) {
		if (kturn_alive(&chan->expires, now))
			continue;
		kturn_notify_chan(kn, chan, KTURN_GONE_REASON_EXPIRED);
		kturn_chan_destroy(kn, chan);
	}
}

/* Return: whether there is more to look at now. */
static bool kturn_gc_batch(struct kturn_net *kn)
{
	struct kturn_alloc *alloc;
	u64 now = kturn_now();
	int n = 0;

	lockdep_assert_held(&kn->lock);
	xa_for_each_start(&kn->ids, kn->gc_next, alloc, kn->gc_next) {
		if (n++ >= KTURN_GC_BATCH)
			return true;
		kturn_gc_alloc(kn, alloc, now);
		cond_resched();
	}
	kn->gc_next = 0;
	return false;
}

/* When to look again; a grace period ends on time. */
static unsigned long kturn_gc_delay(struct kturn_net *kn)
{
	unsigned long delay = KTURN_GC_INTERVAL;
	struct kturn_owner *owner;
	u64 now = kturn_now();

	lockdep_assert_held(&kn->lock);
	list_for_each_entry(owner, &kn->owners, link) {
		if (owner->n_socks)
			continue;
		delay = min(delay,
			    msecs_to_jiffies(kturn_left_ms(owner->deadline,
							   now)) + 1);
	}
	return delay;
}

static void kturn_gc_work(struct work_struct *work)
{
	struct kturn_net *kn = container_of(to_delayed_work(work),
					    struct kturn_net, gc);
	bool more;

	do {
		mutex_lock(&kn->lock);
		kturn_owner_expire(kn, kturn_now());
		more = kturn_gc_batch(kn);
		if (!more) {
			if (kn->n_allocs || !list_empty(&kn->owners))
				queue_delayed_work(system_power_efficient_wq,
						   &kn->gc, kturn_gc_delay(kn));
			else
				kturn_hooks_release(kn);
		}
		mutex_unlock(&kn->lock);
		cond_resched();
	} while (more);
}

/** kturn_gc_init() - prepare; nothing runs until kturn_gc_kick() */
void kturn_gc_init(struct kturn_net *kn)
{
	INIT_DELAYED_WORK(&kn->gc, kturn_gc_work);
}

/**
 * kturn_gc_exit() - stop for good
 * @kn: namespace in which nothing can call kturn_gc_kick() any more
 *
 * Context: may sleep; not under kturn_net.lock.
 */
void kturn_gc_exit(struct kturn_net *kn)
{
	cancel_delayed_work_sync(&kn->gc);
}

/**
 * kturn_gc_kick() - something was made that will have to end
 * @kn: namespace
 *
 * Context: kturn_net.lock.
 */
void kturn_gc_kick(struct kturn_net *kn)
{
	lockdep_assert_held(&kn->lock);
	queue_delayed_work(system_power_efficient_wq, &kn->gc,
			   KTURN_GC_INTERVAL);
}

/**
 * kturn_gc_reschedule() - a grace period has begun
 * @kn: namespace
 *
 * Context: kturn_net.lock.
 */
void kturn_gc_reschedule(struct kturn_net *kn)
{
	unsigned long delay = kturn_gc_delay(kn);

	lockdep_assert_held(&kn->lock);
	/* Only ever sooner: owners that come and go must not put expiry off. */
	if (!delayed_work_pending(&kn->gc) ||
	    time_before(jiffies + delay, READ_ONCE(kn->gc.timer.expires)))
		mod_delayed_work(system_power_efficient_wq, &kn->gc, delay);
}
