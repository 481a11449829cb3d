// SPDX-License-Identifier: GPL-2.0
/*
 * Expiry. Whether an entry is alive is decided where it is used; this only
 * frees memory, tells who listens, ends grace periods, and takes the hooks
 * away when nothing needs them any more.
 */
#include <linux/slab.h>

#include "kturn.h"
#include "quota.h"

#define KTURN_GC_INTERVAL	HZ

/*
 * A wheel, so that only what may have expired is looked at: an allocation is in
 * the slot of the moment when the first of its entries ends, as far as is
 * known. A lifetime that grows leaves it there; then it is looked at in vain,
 * once. So it is with what ends beyond the wheel's last slot.
 */
#define KTURN_GC_SLOTS		256
#define KTURN_GC_SLOT_SHIFT	30	/* a slot is a second or so, in ns */

/**
 * kturn_gc_start() - make the wheel
 * @kn: namespace
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0 or -ENOMEM.
 */
int kturn_gc_start(struct kturn_net *kn)
{
	int i;

	kn->gc_slots = kmalloc_array(KTURN_GC_SLOTS, sizeof(*kn->gc_slots),
				     GFP_KERNEL_ACCOUNT);
	if (!kn->gc_slots)
		return -ENOMEM;
	for (i = 0; i < KTURN_GC_SLOTS; i++)
		INIT_LIST_HEAD(&kn->gc_slots[i]);
	kn->gc_slot = kturn_now() >> KTURN_GC_SLOT_SHIFT;
	return 0;
}

/** kturn_gc_stop() - free the wheel; nothing is in it any more */
void kturn_gc_stop(struct kturn_net *kn)
{
	kfree(kn->gc_slots);
}

static void kturn_gc_file(struct kturn_net *kn, struct kturn_alloc *alloc,
			  u32 slot)
{
	lockdep_assert_held(&kn->lock);
	slot = clamp(slot, kn->gc_slot, kn->gc_slot + KTURN_GC_SLOTS - 1);
	alloc->gc_slot = slot;
	list_move_tail(&alloc->gc_link,
		       &kn->gc_slots[slot % KTURN_GC_SLOTS]);
}

/**
 * kturn_gc_watch() - an entry has a new end
 * @kn: namespace
 * @alloc: allocation that it is, or belongs to
 * @expires: when it ends, boot time in ns
 *
 * Context: kturn_net.lock.
 */
void kturn_gc_watch(struct kturn_net *kn, struct kturn_alloc *alloc,
		    u64 expires)
{
	u32 slot = expires >> KTURN_GC_SLOT_SHIFT;

	lockdep_assert_held(&kn->lock);
	if (list_empty(&alloc->gc_link) || slot < alloc->gc_slot)
		kturn_gc_file(kn, alloc, slot);
}

static void kturn_gc_alloc(struct kturn_net *kn, struct kturn_alloc *alloc,
			   u64 now)
{
	struct kturn_chan *chan, *next_chan;
	struct kturn_perm *perm, *next_perm;
	u64 first = alloc->expires;

	if (!kturn_alive(&alloc->expires, now)) {
		kturn_notify_alloc(kn, alloc, KTURN_GONE_REASON_EXPIRED);
		kturn_alloc_destroy(kn, alloc);
		return;
	}
	list_for_each_entry_safe(perm, next_perm, &alloc->perms, link) {
		/* 0: ended before, kept for its channels */
		if (!perm->expires)
			continue;
		if (kturn_alive(&perm->expires, now)) {
			first = min(first, perm->expires);
			continue;
		}
		kturn_notify_perm(kn, perm, KTURN_GONE_REASON_EXPIRED);
		kturn_perm_end(kn, perm);
	}
	list_for_each_entry_safe(chan, next_chan, &alloc->chans, link) {
		if (kturn_alive(&chan->expires, now)) {
			first = min(first, chan->expires);
			continue;
		}
		kturn_notify_chan(kn, chan, KTURN_GONE_REASON_EXPIRED);
		kturn_chan_destroy(kn, chan);
	}
	kturn_gc_file(kn, alloc, first >> KTURN_GC_SLOT_SHIFT);
}

/* All that is in slots up to now, the present one included, is to be seen. */
static void kturn_gc_collect(struct kturn_net *kn, u64 now)
{
	u32 last = now >> KTURN_GC_SLOT_SHIFT, slot;
	struct list_head *list;
	int i;

	lockdep_assert_held(&kn->lock);
	if (!kn->started)
		return;
	for (i = 0; i < KTURN_GC_SLOTS; i++) {
		slot = kn->gc_slot + i;
		if (slot > last)
			break;
		list = &kn->gc_slots[slot % KTURN_GC_SLOTS];
		list_splice_tail_init(list, &kn->gc_todo);
	}
	kn->gc_slot = last;
}

/* Return: whether there is more to look at now. */
static bool kturn_gc_batch(struct kturn_net *kn)
{
	struct kturn_alloc *alloc;
	u64 now = kturn_now();
	int left = KTURN_BATCH;

	lockdep_assert_held(&kn->lock);
	if (kturn_owner_expire(kn, now, &left))
		return true;
	while (left > 0) {
		alloc = list_first_entry_or_null(&kn->gc_todo,
						 struct kturn_alloc, gc_link);
		if (!alloc)
			return false;
		left -= kturn_alloc_entries(alloc);
		kturn_gc_alloc(kn, alloc, now);
	}
	return true;
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

	mutex_lock(&kn->lock);
	kturn_gc_collect(kn, kturn_now());
	while (kturn_gc_batch(kn))
		kturn_net_pause(kn);
	kturn_quota_expire(kn);
	if (!kn->n_allocs && list_empty(&kn->owners))
		kturn_hooks_release(kn);
	if (kn->n_allocs || !list_empty(&kn->owners) || kn->n_idle_quotas)
		queue_delayed_work(system_power_efficient_wq, &kn->gc,
				   kturn_gc_delay(kn));
	mutex_unlock(&kn->lock);
}

/** kturn_gc_init() - prepare; nothing runs until kturn_gc_kick() */
void kturn_gc_init(struct kturn_net *kn)
{
	INIT_LIST_HEAD(&kn->gc_todo);
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
