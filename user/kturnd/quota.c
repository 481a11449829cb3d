// SPDX-License-Identifier: GPL-2.0-or-later
/* How many allocations each user has; see quota.h. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "quota.h"

/**
 * struct count - of a user, or of a realm
 * @n: how many
 * @realm: realm
 * @user: user; "" for the realm
 */
struct count {
	uint32_t n;
	const char *realm;	/* after the struct, or a look-up's */
	const char *user;	/* the same */
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
	pthread_mutex_init(&q->lock, NULL);
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

static struct count *add(struct quota *q, const char *realm, const char *user)
{
	size_t realm_size = strlen(realm) + 1, user_size = strlen(user) + 1;
	struct count *e = malloc(sizeof(*e) + realm_size + user_size);

	if (!e)
		return NULL;
	e->n = 0;
	e->realm = memcpy(e + 1, realm, realm_size);
	e->user = memcpy((char *)(e + 1) + realm_size, user, user_size);
	if (!tsearch(e, &q->tree, compare)) {
		free(e);
		return NULL;
	}
	return e;
}

static int take(struct quota *q, const char *realm, const char *user,
		uint32_t max, bool granted)
{
	struct count *e = find(q, realm, user);

	if (!e)
		e = add(q, realm, user);
	if (!e)
		return -ENOMEM;
	if (max && e->n >= max && !granted)
		return -EDQUOT;
	e->n++;
	return 0;
}

static void give(struct quota *q, const char *realm, const char *user)
{
	struct count *e = find(q, realm, user);

	if (e && !--e->n) {
		tdelete(e, &q->tree, compare);
		free(e);
	}
}

/* Counted without a limit too: it may come later. */
static int take_both(struct quota *q, const struct quota_of *of, bool granted)
{
	int ret;

	pthread_mutex_lock(&q->lock);
	ret = take(q, of->realm, "", of->realm_max, granted);
	if (ret == -EDQUOT)
		ret = -ENOSPC;
	if (!ret) {
		ret = take(q, of->realm, of->user, of->user_max, granted);
		if (ret)
			give(q, of->realm, "");
	}
	pthread_mutex_unlock(&q->lock);
	return ret;
}

int quota_take(struct quota *q, const struct quota_of *of, bool granted)
{
	unsigned int before = atomic_fetch_add(&q->total, 1);
	int ret = 0;

	if (q->max_total && before >= q->max_total && !granted)
		ret = -ENOSPC;
	if (!ret)
		ret = take_both(q, of, granted);
	if (ret)
		atomic_fetch_sub(&q->total, 1);
	return ret;
}

void quota_give(struct quota *q, const char *realm, const char *user)
{
	atomic_fetch_sub(&q->total, 1);
	pthread_mutex_lock(&q->lock);
	give(q, realm, user);
	give(q, realm, "");
	pthread_mutex_unlock(&q->lock);
}
