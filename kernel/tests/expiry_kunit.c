// SPDX-License-Identifier: GPL-2.0
/*
 * Lifetimes and accounting of real entries, in the initial namespace. No time
 * passes: deadlines are moved into the past. Expectations only while the lock
 * is held: an assertion would end the test with it.
 */
#include <kunit/test.h>
#include <net/net_namespace.h>

#include "../alloc.h"

#define LIFETIME_MS	600000

static struct kturn_net *kturn_expiry_net(void)
{
	return kturn_pernet(&init_net);
}

static struct kturn_addr address(u8 last, u16 port)
{
	struct kturn_addr addr = {
		.ip = { 192, 0, 2, last },
		.port = cpu_to_be16(port),
		.family = KTURN_FAMILY_V4,
	};

	return addr;
}

static int make(struct kturn_net *kn, u16 port, u32 *id)
{
	struct kturn_alloc_request req = {
		.tuple.remote = address(1, port),
		.tuple.local = address(2, 3478),
		.relay = { address(2, port) },
		.lifetime_ms = LIFETIME_MS,
	};

	return kturn_alloc_create(kn, &req, NULL, id);
}

/* NULL is a failed test; the caller returns then. */
static struct kturn_alloc *alloc_make(struct kunit *test, struct kturn_net *kn,
				      u16 port)
{
	struct kturn_alloc *alloc = NULL;
	u32 id = 0;

	KUNIT_EXPECT_EQ(test, make(kn, port, &id), 0);
	alloc = kturn_alloc_by_id(kn, id);
	KUNIT_EXPECT_NOT_NULL(test, alloc);
	return alloc;
}

/* Let an entry of @alloc, or itself, be over. */
static void end(struct kturn_net *kn, struct kturn_alloc *alloc, u64 *expires)
{
	WRITE_ONCE(*expires, kturn_now());
	kturn_gc_watch(kn, alloc, *expires);
}

/* What expiry does, now. */
static void expire(struct kturn_net *kn)
{
	mutex_unlock(&kn->lock);
	flush_delayed_work(&kn->gc);
	mutex_lock(&kn->lock);
}

static int perm_add(struct kturn_net *kn, struct kturn_alloc *alloc, u8 peer)
{
	struct kturn_addr addr = address(peer, 0);

	return kturn_perm_install(kn, alloc, &addr, LIFETIME_MS, NULL);
}

static struct kturn_perm *perm_of(struct kturn_net *kn,
				  struct kturn_alloc *alloc, u8 peer)
{
	struct kturn_addr addr = address(peer, 0);

	return kturn_perm_find(kn, alloc, &addr);
}

static int chan_add(struct kturn_net *kn, struct kturn_alloc *alloc, u16 number,
		    u8 peer)
{
	struct kturn_addr addr = address(peer, 2000);

	return kturn_chan_bind(kn, alloc, number, &addr, LIFETIME_MS, NULL);
}

static void expect_counts(struct kunit *test, struct kturn_net *kn,
			  u32 n_allocs, u32 n_perms, u32 n_chans)
{
	KUNIT_EXPECT_EQ(test, kn->n_allocs, n_allocs);
	KUNIT_EXPECT_EQ(test, kn->n_perms, n_perms);
	KUNIT_EXPECT_EQ(test, kn->n_chans, n_chans);
}

static void alloc_takes_all_along(struct kunit *test, struct kturn_net *kn)
{
	struct kturn_alloc *dies = alloc_make(test, kn, 1000);
	struct kturn_alloc *stays = alloc_make(test, kn, 1001);

	if (!dies || !stays)
		return;
	KUNIT_EXPECT_EQ(test, perm_add(kn, dies, 9), 0);
	KUNIT_EXPECT_EQ(test, chan_add(kn, dies, 0x4000, 9), 0);
	KUNIT_EXPECT_EQ(test, chan_add(kn, dies, 0x4001, 10), 0);
	KUNIT_EXPECT_EQ(test, perm_add(kn, stays, 9), 0);
	KUNIT_EXPECT_EQ(test, chan_add(kn, stays, 0x4000, 9), 0);
	/* One of them has no permission, only the object. */
	expect_counts(test, kn, 2, 3, 3);

	expire(kn);
	expect_counts(test, kn, 2, 3, 3);
	end(kn, dies, &dies->expires);
	expire(kn);
	expect_counts(test, kn, 1, 1, 1);
	KUNIT_EXPECT_PTR_EQ(test, kturn_alloc_by_id(kn, stays->id), stays);
	KUNIT_EXPECT_NOT_NULL(test, perm_of(kn, stays, 9));
	KUNIT_EXPECT_NOT_NULL(test, kturn_chan_find(kn, stays, 0x4000));
}

static void perm_and_chan_alone(struct kunit *test, struct kturn_net *kn)
{
	struct kturn_alloc *alloc = alloc_make(test, kn, 1000);
	struct kturn_perm *perm;
	struct kturn_chan *chan;

	if (!alloc)
		return;
	KUNIT_EXPECT_EQ(test, perm_add(kn, alloc, 9), 0);
	KUNIT_EXPECT_EQ(test, perm_add(kn, alloc, 10), 0);
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4000, 10), 0);
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4001, 11), 0);
	expect_counts(test, kn, 1, 3, 2);

	perm = perm_of(kn, alloc, 9);
	chan = kturn_chan_find(kn, alloc, 0x4000);
	KUNIT_EXPECT_NOT_NULL(test, perm);
	KUNIT_EXPECT_NOT_NULL(test, chan);
	if (!perm || !chan)
		return;
	end(kn, alloc, &perm->expires);
	end(kn, alloc, &chan->expires);
	expire(kn);
	expect_counts(test, kn, 1, 2, 1);
	KUNIT_EXPECT_NULL(test, perm_of(kn, alloc, 9));
	KUNIT_EXPECT_NOT_NULL(test, perm_of(kn, alloc, 10));
	KUNIT_EXPECT_NULL(test, kturn_chan_find(kn, alloc, 0x4000));
	KUNIT_EXPECT_NOT_NULL(test, kturn_chan_find(kn, alloc, 0x4001));
}

static void chan_keeps_perm(struct kunit *test, struct kturn_net *kn)
{
	struct kturn_alloc *alloc = alloc_make(test, kn, 1000);
	struct kturn_chan *chan;

	if (!alloc)
		return;
	KUNIT_EXPECT_EQ(test, perm_add(kn, alloc, 9), 0);
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4000, 9), 0);
	chan = kturn_chan_find(kn, alloc, 0x4000);
	KUNIT_EXPECT_NOT_NULL(test, chan);
	if (!chan)
		return;

	/* Ended, but there for the channel, and the same when it is back. */
	end(kn, alloc, &chan->perm->expires);
	expire(kn);
	KUNIT_EXPECT_NULL(test, perm_of(kn, alloc, 9));
	expect_counts(test, kn, 1, 1, 1);
	KUNIT_EXPECT_EQ(test, perm_add(kn, alloc, 9), 0);
	KUNIT_EXPECT_PTR_EQ(test, perm_of(kn, alloc, 9), chan->perm);
	expect_counts(test, kn, 1, 1, 1);

	/* The last channel takes an ended one with it. */
	end(kn, alloc, &chan->perm->expires);
	end(kn, alloc, &chan->expires);
	expire(kn);
	expect_counts(test, kn, 1, 0, 0);
}

/* What has expired, but is not freed, neither is found nor in the way. */
static void expired_makes_way(struct kunit *test, struct kturn_net *kn)
{
	struct kturn_alloc *alloc = alloc_make(test, kn, 1000);
	struct kturn_chan *chan;
	u32 id;

	if (!alloc)
		return;
	KUNIT_EXPECT_EQ(test, make(kn, 1000, &id), -EEXIST);
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4000, 9), 0);
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4000, 10), -EEXIST);
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4001, 9), -EEXIST);
	chan = kturn_chan_find(kn, alloc, 0x4000);
	KUNIT_EXPECT_NOT_NULL(test, chan);
	if (!chan)
		return;
	end(kn, alloc, &chan->expires);
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4000, 10), 0);
	expect_counts(test, kn, 1, 1, 1);

	id = alloc->id;
	end(kn, alloc, &alloc->expires);
	KUNIT_EXPECT_NULL(test, kturn_alloc_by_id(kn, id));
	KUNIT_EXPECT_NOT_NULL(test, alloc_make(test, kn, 1000));
	expect_counts(test, kn, 1, 0, 0);
}

static void limits_hold(struct kunit *test, struct kturn_net *kn)
{
	typeof(kn->limits) before = kn->limits;
	struct kturn_alloc *alloc;
	u32 id;

	kn->limits.allocs = 1;
	kn->limits.perms = 2;
	kn->limits.chans = 1;
	alloc = alloc_make(test, kn, 1000);
	if (!alloc)
		goto out;
	KUNIT_EXPECT_EQ(test, make(kn, 1001, &id), -ENOSPC);
	KUNIT_EXPECT_EQ(test, perm_add(kn, alloc, 9), 0);
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4000, 9), 0);
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4001, 10), -ENOSPC);
	KUNIT_EXPECT_EQ(test, perm_add(kn, alloc, 10), 0);
	KUNIT_EXPECT_EQ(test, perm_add(kn, alloc, 11), -ENOSPC);
	/* Refreshing takes nothing. */
	KUNIT_EXPECT_EQ(test, perm_add(kn, alloc, 10), 0);
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4000, 9), 0);
	/* A channel that finds no room for its permission takes none either. */
	kn->limits.chans = 2;
	KUNIT_EXPECT_EQ(test, chan_add(kn, alloc, 0x4001, 11), -ENOSPC);
	expect_counts(test, kn, 1, 2, 1);
out:
	kn->limits = before;
}

static void ids_come_again(struct kunit *test, struct kturn_net *kn)
{
	struct kturn_alloc *alloc = alloc_make(test, kn, 1000);
	u32 id, next;

	if (!alloc)
		return;
	id = alloc->id;
	KUNIT_EXPECT_EQ(test, perm_add(kn, alloc, 9), 0);
	kturn_alloc_destroy(kn, alloc);
	KUNIT_EXPECT_NULL(test, kturn_alloc_by_id(kn, id));

	/* Not at once, */
	KUNIT_EXPECT_EQ(test, make(kn, 1001, &next), 0);
	KUNIT_EXPECT_NE(test, next, id);
	/* but after 2^32 others; nothing of the old one is there. */
	kn->next_id = id;
	alloc = alloc_make(test, kn, 1000);
	if (!alloc)
		return;
	KUNIT_EXPECT_EQ(test, alloc->id, id);
	KUNIT_EXPECT_NULL(test, perm_of(kn, alloc, 9));
	KUNIT_EXPECT_EQ(test, perm_add(kn, alloc, 9), 0);
	/* Nor is one in use given away. */
	kn->next_id = id;
	KUNIT_EXPECT_EQ(test, make(kn, 1002, &next), 0);
	KUNIT_EXPECT_NE(test, next, id);
}

/* Nothing is left of any test, and then nothing needs the hooks. */
static void run(struct kunit *test,
		void (*body)(struct kunit *test, struct kturn_net *kn))
{
	struct kturn_net *kn = kturn_expiry_net();
	struct kturn_alloc *alloc;
	unsigned long id;

	mutex_lock(&kn->lock);
	expect_counts(test, kn, 0, 0, 0);
	body(test, kn);
	KUNIT_EXPECT_TRUE(test, kn->hooks);
	xa_for_each(&kn->ids, id, alloc)
		end(kn, alloc, &alloc->expires);
	expire(kn);
	expect_counts(test, kn, 0, 0, 0);
	KUNIT_EXPECT_TRUE(test, xa_empty(&kn->ids));
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->tuples.nelems), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->relays.nelems), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->numbers.nelems), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->peers.nelems), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->perms.nelems), 0);
	KUNIT_EXPECT_FALSE(test, kn->hooks);
	mutex_unlock(&kn->lock);
}

static void allocation_takes_all_along(struct kunit *test)
{
	run(test, alloc_takes_all_along);
}

static void permission_and_channel_alone(struct kunit *test)
{
	run(test, perm_and_chan_alone);
}

static void channel_keeps_permission(struct kunit *test)
{
	run(test, chan_keeps_perm);
}

static void expired_is_not_in_the_way(struct kunit *test)
{
	run(test, expired_makes_way);
}

static void limits_of_entries(struct kunit *test)
{
	run(test, limits_hold);
}

static void ids_are_used_again(struct kunit *test)
{
	run(test, ids_come_again);
}

static struct kunit_case kturn_expiry_cases[] = {
	KUNIT_CASE(allocation_takes_all_along),
	KUNIT_CASE(permission_and_channel_alone),
	KUNIT_CASE(channel_keeps_permission),
	KUNIT_CASE(expired_is_not_in_the_way),
	KUNIT_CASE(limits_of_entries),
	KUNIT_CASE(ids_are_used_again),
	{}
};

static struct kunit_suite kturn_expiry_suite = {
	.name = "kturn-expiry",
	.test_cases = kturn_expiry_cases,
};

kunit_test_suites(&kturn_expiry_suite);
