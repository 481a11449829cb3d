// SPDX-License-Identifier: GPL-2.0-or-later
/* How many allocations each user has; see quota.h. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "quota.h"

struct count {
	uint32_t n;
	const char *name;	/* after the struct, or a look-up's */
};

static int compare(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void quota_init(struct quota *q, uint32_t max, uint32_t max_total)
{
	q->max = max;
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

static struct count *find(struct quota *q, const char *user)
{
	const struct count key = { .name = user };
	struct count **node = tfind(&key, &q->tree, compare);

	return node ? *node : NULL;
}

static struct count *add(struct quota *q, const char *user)
{
	size_t len = strlen(user) + 1;
	struct count *e = malloc(sizeof(*e) + len);

	if (!e)
		return NULL;
	e->n = 0;
	e->name = memcpy(e + 1, user, len);
	if (!tsearch(e, &q->tree, compare)) {
		free(e);
		return NULL;
	}
	return e;
}

static int take_of_user(struct quota *q, const char *user, bool granted)
{
	struct count *e;
	int ret = 0;

	if (!q->max)
		return 0;
	pthread_mutex_lock(&q->lock);
	e = find(q, user);
	if (!e)
		e = add(q, user);
	if (!e)
		ret = -ENOMEM;
	else if (e->n >= q->max && !granted)
		ret = -EDQUOT;
	else
		e->n++;
	pthread_mutex_unlock(&q->lock);
	return ret;
}

int quota_take(struct quota *q, const char *user, bool granted)
{
	unsigned int before = atomic_fetch_add(&q->total, 1);
	int ret = 0;

	if (q->max_total && before >= q->max_total && !granted)
		ret = -ENOSPC;
	if (!ret)
		ret = take_of_user(q, user, granted);
	/* Without memory its user has one more than is known. */
	if (granted)
		ret = 0;
	if (ret)
		atomic_fetch_sub(&q->total, 1);
	return ret;
}

void quota_give(struct quota *q, const char *user)
{
	struct count *e;

	atomic_fetch_sub(&q->total, 1);
	if (!q->max)
		return;
	pthread_mutex_lock(&q->lock);
	e = find(q, user);
	if (e && !--e->n) {
		tdelete(e, &q->tree, compare);
		free(e);
	}
	pthread_mutex_unlock(&q->lock);
}
