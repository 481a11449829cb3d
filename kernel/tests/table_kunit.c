// SPDX-License-Identifier: GPL-2.0
/* The hash tables, by themselves: no namespace, no packets. */
#include <kunit/test.h>

#include "../table.h"

/* As large as real ones, and aligned as they are. */
static struct kturn_alloc allocs[2];
static struct kturn_chan chans[2];
static struct kturn_perm perms[2];

static const struct kturn_addr addr4 = {
	.ip = { 192, 0, 2, 1 },
	.port = cpu_to_be16(1000),
	.family = KTURN_FAMILY_V4,
};

static const struct kturn_addr peer4 = {
	.ip = { 203, 0, 113, 2 },
	.port = cpu_to_be16(2000),
	.family = KTURN_FAMILY_V4,
};

static int kturn_table_test_init(struct kunit *test)
{
	struct kturn_net *kn = kunit_kzalloc(test, sizeof(*kn), GFP_KERNEL);

	if (!kn)
		return -ENOMEM;
	mutex_init(&kn->lock);
	memset(allocs, 0, sizeof(allocs));
	memset(chans, 0, sizeof(chans));
	memset(perms, 0, sizeof(perms));
	test->priv = kn;
	return kturn_tables_init(kn);
}

static void kturn_table_test_exit(struct kunit *test)
{
	kturn_tables_exit(test->priv);
}

/*
 * @a and @b, whose keys differ, are both found; neither takes the other with it,
 * and no key is there twice. Expectations only: an assertion would end the test
 * with the lock held.
 */
#define CHECK_TABLE(test, noun, a, b, key)				       \
do {									       \
	struct kturn_net *kn = (test)->priv;				       \
									       \
	mutex_lock(&kn->lock);						       \
	rcu_read_lock();						       \
	KUNIT_EXPECT_NULL(test, kturn_##noun##_lookup(kn, &(a)->key));	       \
	rcu_read_unlock();						       \
	KUNIT_EXPECT_EQ(test, kturn_##noun##_insert(kn, a), 0);		       \
	KUNIT_EXPECT_EQ(test, kturn_##noun##_insert(kn, b), 0);		       \
	rcu_read_lock();						       \
	KUNIT_EXPECT_PTR_EQ(test, kturn_##noun##_lookup(kn, &(a)->key),	       \
			    a);						       \
	KUNIT_EXPECT_PTR_EQ(test, kturn_##noun##_lookup(kn, &(b)->key),	       \
			    b);						       \
	rcu_read_unlock();						       \
	kturn_##noun##_remove(kn, a);					       \
	rcu_read_lock();						       \
	KUNIT_EXPECT_NULL(test, kturn_##noun##_lookup(kn, &(a)->key));	       \
	KUNIT_EXPECT_PTR_EQ(test, kturn_##noun##_lookup(kn, &(b)->key),	       \
			    b);						       \
	rcu_read_unlock();						       \
	(a)->key = (b)->key;						       \
	KUNIT_EXPECT_EQ(test, kturn_##noun##_insert(kn, a), -EEXIST);	       \
	kturn_##noun##_remove(kn, b);					       \
	KUNIT_EXPECT_EQ(test, kturn_##noun##_insert(kn, a), 0);		       \
	kturn_##noun##_remove(kn, a);					       \
	mutex_unlock(&kn->lock);					       \
} while (0)

static void tuples_by_port(struct kunit *test)
{
	allocs[0].tuple.remote = addr4;
	allocs[1].tuple.remote = addr4;
	allocs[1].tuple.remote.port = cpu_to_be16(1001);
	CHECK_TABLE(test, tuple, &allocs[0], &allocs[1], tuple);
}

static void tuples_by_l3mdev(struct kunit *test)
{
	allocs[0].tuple.remote = addr4;
	allocs[1].tuple.remote = addr4;
	allocs[1].tuple.l3mdev = 7;
	CHECK_TABLE(test, tuple, &allocs[0], &allocs[1], tuple);
}

static void relays_by_family(struct kunit *test)
{
	struct kturn_relay *a = &allocs[0].relay[0], *b = &allocs[0].relay[1];

	a->key.relay = addr4;
	b->key.relay = addr4;
	b->key.relay.family = KTURN_FAMILY_V6;
	CHECK_TABLE(test, relay, a, b, key);
}

static void relays_by_l3mdev(struct kunit *test)
{
	struct kturn_relay *a = &allocs[0].relay[0], *b = &allocs[1].relay[0];

	a->key.relay = addr4;
	b->key.relay = addr4;
	b->key.l3mdev = 7;
	CHECK_TABLE(test, relay, a, b, key);
}

static void numbers_by_number(struct kunit *test)
{
	chans[0].number_key.number = 0x4000;
	chans[1].number_key.number = 0x4001;
	CHECK_TABLE(test, number, &chans[0], &chans[1], number_key);
}

static void numbers_by_l3mdev(struct kunit *test)
{
	chans[0].number_key.number = 0x4000;
	chans[1].number_key.number = 0x4000;
	chans[1].number_key.tuple.l3mdev = 7;
	CHECK_TABLE(test, number, &chans[0], &chans[1], number_key);
}

static void peers_by_port(struct kunit *test)
{
	chans[0].peer_key.remote = peer4;
	chans[1].peer_key.remote = peer4;
	chans[1].peer_key.remote.port = cpu_to_be16(2001);
	CHECK_TABLE(test, peer, &chans[0], &chans[1], peer_key);
}

static void peers_by_l3mdev(struct kunit *test)
{
	chans[0].peer_key.remote = peer4;
	chans[1].peer_key.remote = peer4;
	chans[1].peer_key.l3mdev = 7;
	CHECK_TABLE(test, peer, &chans[0], &chans[1], peer_key);
}

static void perms_by_allocation(struct kunit *test)
{
	perms[0].key.peer = peer4;
	perms[1].key.peer = peer4;
	perms[1].key.alloc_id = 7;
	CHECK_TABLE(test, perm, &perms[0], &perms[1], key);
}

/* Random numbers for words, and ports that follow one another. */
#define SPREAD_ROUNDS	5000
#define SPREAD_PORTS	48
#define SPREAD_BUCKETS	64

/* Of as many keys as a new table takes before it grows, how many share a bucket? */
static unsigned int fullest_bucket(u64 number)
{
	u8 load[SPREAD_BUCKETS] = {};
	unsigned int i, most = 0;

	for (i = 0; i < SPREAD_PORTS; i++) {
		u32 port = (__force u32)cpu_to_be16(2000 + i);
		u32 bucket = kturn_hash_fold(number * (port << 16)) %
			     SPREAD_BUCKETS;

		most = max_t(unsigned int, most, ++load[bucket]);
	}
	return most;
}

/*
 * rhashtable refuses what would make a chain longer than RHT_ELASTICITY, if it
 * is being resized already. The numbers are the same each time.
 */
static void ports_are_spread(struct kunit *test)
{
	unsigned int most = 0;
	u64 number = 1;
	int i;

	for (i = 0; i < SPREAD_ROUNDS; i++) {
		/* Knuth's, of MMIX. */
		number = number * 6364136223846793005ULL +
			 1442695040888963407ULL;
		most = max(most, fullest_bucket(number));
	}
	KUNIT_EXPECT_LT(test, most, RHT_ELASTICITY);
}

static struct kunit_case kturn_table_cases[] = {
	KUNIT_CASE(tuples_by_port),
	KUNIT_CASE(tuples_by_l3mdev),
	KUNIT_CASE(relays_by_family),
	KUNIT_CASE(relays_by_l3mdev),
	KUNIT_CASE(numbers_by_number),
	KUNIT_CASE(numbers_by_l3mdev),
	KUNIT_CASE(peers_by_port),
	KUNIT_CASE(peers_by_l3mdev),
	KUNIT_CASE(perms_by_allocation),
	KUNIT_CASE(ports_are_spread),
	{}
};

static struct kunit_suite kturn_table_suite = {
	.name = "kturn-table",
	.init = kturn_table_test_init,
	.exit = kturn_table_test_exit,
	.test_cases = kturn_table_cases,
};

kunit_test_suites(&kturn_table_suite);
