// SPDX-License-Identifier: GPL-2.0-or-later
/* Quotas by themselves, and what allocations share, from several threads. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "../ktap.h"
#include "kturnd/quota.h"

#define NOW	1000000ull
#define LEN	100
#define THREADS	4
#define ROUNDS	20000

/* Of the last allocation that was taken. */
static struct turn_pool *pool;

/* At most two of a user's, as many of a realm's as it says. */
static int take(struct quota *q, const char *realm, const char *user,
		uint32_t realm_max, bool granted)
{
	const struct quota_of of = {
		.realm = realm, .user = user, .user_max = 2,
		.realm_max = realm_max,
	};

	pool = NULL;
	return quota_take(q, &of, granted, &pool);
}

static void quotas(void)
{
	struct quota q;

	quota_init(&q, 0);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	KTAP_EQ(take(&q, "r", "a", 0, false), -EDQUOT);
	KTAP_EQ(take(&q, "r", "b", 0, false), 0);
	quota_give(&q, "r", "a", NOW);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	quota_give(&q, "r", "a", NOW);
	quota_give(&q, "r", "a", NOW);
	quota_give(&q, "r", "b", NOW);
	KTAP_EQ(q.n, q.n_idle);
	KTAP_EQ(take(&q, "r", "c", 0, false), 0);
	quota_free(&q);

	quota_init(&q, 3);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	/* What is refused for one reason is not counted for another. */
	KTAP_EQ(take(&q, "r", "a", 0, false), -EDQUOT);
	KTAP_EQ(take(&q, "r", "b", 0, false), 0);
	KTAP_EQ(take(&q, "r", "c", 0, false), -ENOSPC);
	KTAP_EQ(atomic_load(&q.total), 3);
	/* What was granted before counts whatever there is. */
	KTAP_EQ(take(&q, "r", "a", 0, true), 0);
	KTAP_EQ(atomic_load(&q.total), 4);
	quota_give(&q, "r", "a", NOW);
	quota_give(&q, "r", "a", NOW);
	KTAP_EQ(take(&q, "r", "c", 0, false), 0);
	quota_free(&q);
}

/* The same name in another realm is another user. */
static void realms(void)
{
	struct quota q;

	quota_init(&q, 0);
	KTAP_EQ(take(&q, "r", "a", 3, false), 0);
	KTAP_EQ(take(&q, "r", "a", 3, false), 0);
	KTAP_EQ(take(&q, "s", "a", 3, false), 0);
	KTAP_EQ(take(&q, "r", "a", 3, false), -EDQUOT);
	KTAP_EQ(take(&q, "r", "c", 3, false), 0);
	KTAP_EQ(take(&q, "r", "c", 3, false), -ENOSPC);
	KTAP_EQ(take(&q, "r", "b", 3, false), -ENOSPC);
	KTAP_EQ(take(&q, "s", "c", 3, false), 0);
	KTAP_EQ(atomic_load(&q.total), 5);
	/* A limit that is new knows of those before it. */
	KTAP_EQ(take(&q, "s", "b", 1, false), -ENOSPC);
	quota_give(&q, "r", "c", NOW);
	quota_give(&q, "r", "a", NOW);
	quota_give(&q, "r", "a", NOW);
	quota_give(&q, "s", "a", NOW);
	quota_give(&q, "s", "c", NOW);
	KTAP_EQ(q.n, q.n_idle);
	quota_free(&q);
}

/* ------------------------------------------------------------------- shared */

static const struct turn_limit none[2];

/* That are shared in the first direction, in packets at once. */
static void limit(struct turn_limit limits[2], uint32_t packets,
		  uint32_t of_len)
{
	KTAP_EQ(turn_limit_init(&limits[0], of_len ? 8 : 0, of_len * LEN,
				packets ? 1 : 0, packets), 0);
}

static bool passes(struct turn_pool *p)
{
	return turn_pool_take(p, TURN_TO_PEER, LEN, NOW);
}

/* A machine that has been up for five years: see kturn/bucket.h. */
static void old_machine(void)
{
	const uint64_t now = 5 * 365 * 86400000ull;
	struct turn_limit user[2] = { 0 };
	struct turn_used used = { 0 };
	struct quota q;
	int i;

	limit(user, 3, 3);
	quota_init(&q, 0);
	quota_limit(&q, user, none);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	KTAP_CHECK(turn_pool_is_full(pool, now));
	KTAP_CHECK(turn_pool_has_bytes(pool, TURN_TO_PEER, 1, now));
	for (i = 0; i < 4; i++) {
		KTAP_EQ(turn_pool_take(pool, TURN_TO_PEER, LEN, now), i < 3);
		KTAP_EQ(turn_limit_take(&user[0], &used, LEN, now), i < 3);
	}
	quota_free(&q);
}

/* What was used is not forgotten with the last allocation. */
static void remembered(void)
{
	struct turn_limit user[2] = { 0 };
	struct quota q;
	char name[16];
	int i;

	limit(user, 0, 1);
	quota_init(&q, 0);
	quota_limit(&q, user, none);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	KTAP_CHECK(passes(pool));
	quota_give(&q, "r", "a", NOW);
	KTAP_EQ(q.n_idle, 1);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	KTAP_EQ(q.n_idle, 0);
	KTAP_CHECK(!passes(pool));
	quota_give(&q, "r", "a", NOW);
	/* A byte a second: it is full again after more than a minute. */
	KTAP_EQ(take(&q, "r", "b", 0, false), 0);
	quota_give(&q, "r", "b", NOW + 59999);
	KTAP_EQ(q.n_idle, 1);
	KTAP_EQ(take(&q, "r", "b", 0, false), 0);
	quota_give(&q, "r", "b", NOW + 60000);
	KTAP_CHECK(!q.n_idle && !q.tree);
	/* There are only so many. */
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		KTAP_EQ(take(&q, "r", name, 0, false), 0);
		KTAP_CHECK(passes(pool));
		quota_give(&q, "r", name, NOW);
	}
	KTAP_EQ(q.n_idle, 4096);
	KTAP_EQ(take(&q, "r", "0", 0, false), 0);
	KTAP_CHECK(passes(pool));
	KTAP_EQ(take(&q, "r", "4999", 0, false), 0);
	KTAP_CHECK(!passes(pool));
	quota_free(&q);
}

static void pools(void)
{
	struct turn_limit user[2] = { 0 }, total[2] = { 0 };
	struct turn_pool *first;
	struct quota q;

	/* Nothing is shared. */
	quota_init(&q, 0);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	KTAP_CHECK(!pool);
	quota_give(&q, "r", "a", NOW);
	quota_free(&q);

	/* One user's, */
	limit(user, 3, 0);
	quota_init(&q, 0);
	quota_limit(&q, user, none);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	first = pool;
	KTAP_EQ(take(&q, "s", "a", 0, false), 0);
	KTAP_CHECK(pool && pool != first);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	KTAP_CHECK(pool == first);
	/* none for who is refused, */
	KTAP_EQ(take(&q, "r", "a", 0, false), -EDQUOT);
	KTAP_CHECK(!pool);
	KTAP_CHECK(passes(first) && passes(first) && passes(first));
	KTAP_CHECK(!passes(first));
	quota_give(&q, "r", "a", NOW);
	KTAP_CHECK(!passes(first));
	quota_give(&q, "r", "a", NOW);
	quota_give(&q, "s", "a", NOW);
	quota_free(&q);

	/* and that of all. */
	limit(total, 0, 2);
	quota_init(&q, 0);
	quota_limit(&q, none, total);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	first = pool;
	KTAP_EQ(take(&q, "s", "b", 0, false), 0);
	KTAP_CHECK(first && pool == first);
	KTAP_CHECK(passes(pool) && passes(pool) && !passes(pool));
	quota_free(&q);
}

/* As a predecessor has told the kernel. */
static void ids(void)
{
	static const char longest[TURN_USERNAME_MAX + 1] = {
		[0 ... TURN_USERNAME_MAX - 1] = 'u'
	};

	KTAP_EQ(quota_user_id("example.org", "alice"), 0x39c054d938b73173);
	KTAP_CHECK(quota_user_id("example.org", "bob") !=
		   quota_user_id("example.net", "bob"));
	KTAP_CHECK(quota_user_id("ab", "c") != quota_user_id("a", "bc"));
	KTAP_CHECK(quota_user_id("r", longest) !=
		   quota_user_id("r", longest + 1));
}

/* ------------------------------------------------------------------ threads */

struct job {
	struct quota *q;
	struct turn_pool *pool;
	const char *user;
	unsigned int passed;
};

static void in_threads(void *(*run)(void *arg), struct job job[THREADS])
{
	pthread_t id[THREADS];
	size_t i;

	for (i = 0; i < THREADS; i++)
		if (pthread_create(&id[i], NULL, run, &job[i]))
			abort();
	for (i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
}

static void *send(void *arg)
{
	struct job *job = arg;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		job->passed += passes(job->pool);
	return NULL;
}

/* Exactly what passed is used. */
static void check_used(struct turn_pool *p, unsigned int n)
{
	const struct turn_limit *l = &p->limit[0];
	uint64_t now = turn_limit_ticks(NOW);

	KTAP_EQ(atomic_load(&p->used[0].packets),
		now + n * kturn_bucket_cost(&l->packets, 1));
	KTAP_EQ(atomic_load(&p->used[0].bytes),
		now + n * kturn_bucket_cost(&l->bytes, LEN));
}

/*
 * Two users with two threads each. While a thread finds out that it has to give
 * back, another may be refused; in the end all that is there is had by somebody.
 */
static void threads(void)
{
	struct turn_limit user[2] = { 0 }, total[2] = { 0 };
	struct job job[THREADS] = { 0 };
	struct turn_pool *of[2];
	struct quota q;
	size_t i;

	limit(user, 4000, 3500);
	limit(total, 6000, 9000);
	quota_init(&q, 0);
	quota_limit(&q, user, total);
	KTAP_EQ(take(&q, "r", "a", 0, false), 0);
	of[0] = pool;
	KTAP_EQ(take(&q, "r", "b", 0, false), 0);
	of[1] = pool;
	for (i = 0; i < THREADS; i++)
		job[i].pool = of[i % 2];
	in_threads(send, job);
	while (passes(of[0]))
		job[0].passed++;
	while (passes(of[1]))
		job[1].passed++;
	KTAP_CHECK(job[0].passed + job[2].passed <= 3500);
	KTAP_CHECK(job[1].passed + job[3].passed <= 3500);
	KTAP_EQ(job[0].passed + job[1].passed + job[2].passed +
		job[3].passed, 6000);
	check_used(of[0], job[0].passed + job[2].passed);
	check_used(of[1], job[1].passed + job[3].passed);
	check_used(&q.pool, 6000);
	quota_free(&q);
}

static void *come_and_go(void *arg)
{
	struct job *job = arg;
	const struct quota_of of = { .realm = "r", .user = job->user };
	struct turn_pool *p;
	unsigned int i;

	for (i = 0; i < ROUNDS / 4; i++) {
		if (quota_take(job->q, &of, false, &p))
			continue;
		job->passed += passes(p);
		turn_pool_passed(p, TURN_TO_PEER, 1, NOW);
		quota_give(job->q, "r", job->user, NOW);
	}
	return NULL;
}

/* Allocations end while the user's others relay. */
static void lives(void)
{
	struct turn_limit user[2] = { 0 };
	struct job job[THREADS] = { 0 };
	struct quota q;
	size_t i;

	limit(user, 0, 100000);
	quota_init(&q, 0);
	quota_limit(&q, user, none);
	for (i = 0; i < THREADS; i++) {
		job[i].q = &q;
		job[i].user = i ? "a" : "b";
	}
	in_threads(come_and_go, job);
	for (i = 0; i < THREADS; i++)
		KTAP_EQ(job[i].passed, ROUNDS / 4);
	KTAP_EQ(q.n, q.n_idle);
	KTAP_EQ(atomic_load(&q.total), 0);
	quota_free(&q);
}

static const struct ktap_case cases[] = {
	{ "quota: of a user, and of all", quotas },
	{ "quota: of realms", realms },
	{ "quota: what is shared", pools },
	{ "quota: what was used is remembered", remembered },
	{ "quota: after years", old_machine },
	{ "quota: numbers for the kernel", ids },
	{ "quota: shared by threads", threads },
	{ "quota: shared by threads that come and go", lives },
};

int main(void)
{
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	return ktap_end();
}
