// SPDX-License-Identifier: GPL-2.0-or-later
/* How many allocations each user has, and what they share; see quota.h. */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "quota.h"

/* How long a user without allocations is remembered, in ms, and how many are. */
#define IDLE_MS		60000
#define IDLE_MAX	4096

/**
 * struct count - of a user, or of a realm
 * @idle: of struct quota, where @n is 0
 * @n: how many
 * @realm: realm
 * @user: user; "" for the realm
 * @pool: what the user's allocations share
 * @idle_until: when it is forgotten, in milliseconds
 */
struct count {
	TAILQ_ENTRY(count) idle;
	uint32_t n;
	const char *realm;	/* after the struct, or a look-up's */
	const char *user;	/* the same */
	struct turn_pool pool;
	uint64_t idle_until;
};

static int compare(const void *a, const void *b)
{
	const struct count *x = a, *y = b;
	int order = strcmp(x->realm, y->realm);

	return order ? order : strcmp(x->user, y->user);
}

void quota_init(struct quota *q, uint32_t max_total)
{
	q->max_total = max_total;
	atomic_init(&q->total, 0);
	q->tree = NULL;
	q->n = 0;
	TAILQ_INIT(&q->idle);
	q->n_idle = 0;
	pthread_mutex_init(&q->lock, NULL);
	memset(q->user_limit, 0, sizeof(q->user_limit));
	memset(q->total_limit, 0, sizeof(q->total_limit));
	turn_pool_init(&q->pool, q->total_limit, NULL);
}

void quota_limit(struct quota *q, const struct turn_limit user[2],
		 const struct turn_limit total[2])
{
	memcpy(q->user_limit, user, sizeof(q->user_limit));
	memcpy(q->total_limit, total, sizeof(q->total_limit));
}

void quota_free(struct quota *q)
{
	tdestroy(q->tree, free);
	q->tree = NULL;
	pthread_mutex_destroy(&q->lock);
}

static struct count *find(struct quota *q, const char *realm,
			  const char *user)
{
	const struct count key = { .realm = realm, .user = user };
	struct count **node = tfind(&key, &q->tree, compare);

	return node ? *node : NULL;
}

static bool is_limited(const struct turn_limit limit[2])
{
	return limit[0].by_bytes || limit[0].by_packets ||
	       limit[1].by_bytes || limit[1].by_packets;
}

/* NULL: they share nothing. */
static struct turn_pool *total_pool(struct quota *q)
{
	return is_limited(q->total_limit) ? &q->pool : NULL;
}

static struct count *add(struct quota *q, const char *realm, const char *user)
{
	size_t realm_size = strlen(realm) + 1, user_size = strlen(user) + 1;
	struct count *e = malloc(sizeof(*e) + realm_size + user_size);

	if (!e)
		return NULL;
	e->n = 0;
	e->realm = memcpy(e + 1, realm, realm_size);
	e->user = memcpy((char *)(e + 1) + realm_size, user, user_size);
	turn_pool_init(&e->pool, q->user_limit, total_pool(q));
	if (!tsearch(e, &q->tree, compare)) {
		free(e);
		return NULL;
	}
	q->n++;
	return e;
}

/* The counted one is in @result. */
static int take(struct quota *q, const char *realm, const char *user,
		uint32_t max, bool granted, struct count **result)
{
	struct count *e = find(q, realm, user);

	if (e && !e->n) {
		TAILQ_REMOVE(&q->idle, e, idle);
		q->n_idle--;
	}
	if (!e)
		e = add(q, realm, user);
	if (!e)
		return -ENOMEM;
	if (max && e->n >= max && !granted)
		return -EDQUOT;
	e->n++;
	*result = e;
	return 0;
}

static void forget(struct quota *q, struct count *e)
{
	tdelete(e, &q->tree, compare);
	q->n--;
	free(e);
}

static void forget_idle(struct quota *q)
{
	struct count *e = TAILQ_FIRST(&q->idle);

	TAILQ_REMOVE(&q->idle, e, idle);
	q->n_idle--;
	forget(q, e);
}

/* A younger one that is full waits its turn. */
static void expire_idle(struct quota *q, uint64_t now)
{
	const struct count *e;

	while ((e = TAILQ_FIRST(&q->idle)) &&
	       (e->idle_until <= now || turn_pool_is_full(&e->pool, now)))
		forget_idle(q);
}

static void give(struct quota *q, const char *realm, const char *user,
		 uint64_t now)
{
	struct count *e = find(q, realm, user);

	if (!e || --e->n)
		return;
	if (turn_pool_is_full(&e->pool, now)) {
		forget(q, e);
		return;
	}
	e->idle_until = now + IDLE_MS;
	TAILQ_INSERT_TAIL(&q->idle, e, idle);
	if (++q->n_idle > IDLE_MAX)
		forget_idle(q);
}

/* Counted without a limit too: it may come later. */
static int take_both(struct quota *q, const struct quota_of *of, bool granted,
		     struct turn_pool **pool)
{
	struct count *e;
	int ret;

	pthread_mutex_lock(&q->lock);
	ret = take(q, of->realm, "", of->realm_max, granted, &e);
	if (ret == -EDQUOT)
		ret = -ENOSPC;
	if (!ret) {
		ret = take(q, of->realm, of->user, of->user_max, granted, &e);
		/* Its pool is nobody's: nothing was used of it. */
		if (ret)
			give(q, of->realm, "", 0);
	}
	if (!ret)
		*pool = is_limited(q->user_limit) ? &e->pool : total_pool(q);
	pthread_mutex_unlock(&q->lock);
	return ret;
}

int quota_take(struct quota *q, const struct quota_of *of, bool granted,
	       struct turn_pool **pool)
{
	unsigned int before = atomic_fetch_add(&q->total, 1);
	int ret = 0;

	if (q->max_total && before >= q->max_total && !granted)
		ret = -ENOSPC;
	if (!ret)
		ret = take_both(q, of, granted, pool);
	if (ret)
		atomic_fetch_sub(&q->total, 1);
	return ret;
}

uint64_t quota_user_id(const char *realm, const char *user)
{
	char text[sizeof("user") + TURN_REALM_MAX + 1 + TURN_USERNAME_MAX + 1];
	uint8_t digest[SHA256_DIGEST_LENGTH];
	uint64_t id;
	int len;

	len = snprintf(text, sizeof(text), "user%c%.*s%c%.*s", 0,
		       TURN_REALM_MAX, realm, 0, TURN_USERNAME_MAX, user);
	SHA256((uint8_t *)text, (size_t)len, digest);
	id = (uint64_t)kturn_get32(digest) << 32 | kturn_get32(digest + 4);
	return id != QUOTA_TOTAL_ID ? id : 1;
}

void quota_give(struct quota *q, const char *realm, const char *user,
		uint64_t now)
{
	atomic_fetch_sub(&q->total, 1);
	pthread_mutex_lock(&q->lock);
	expire_idle(q, now);
	give(q, realm, user, now);
	give(q, realm, "", now);
	pthread_mutex_unlock(&q->lock);
}
