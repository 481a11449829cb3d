// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that reads the store's tables of realms, secrets, keys and peers again
 * and again, over a connection of its own: however long that takes, no user waits for
 * it. Where nothing else is said the store's lock is held.
 */
#include <errno.h>

#include "internal.h"
#include "log.h"
#include "kturnd/worker.h"

/* Without the lock. @took: milliseconds, but not to connect, which is done once. */
static int read_once(struct backend *b, struct tables *t, uint64_t *took)
{
	uint64_t begin;
	int ret = 0;

	*took = 0;
	if (!b->conn)
		ret = b->ops->connect(b);
	if (!ret) {
		begin = worker_clock();
		ret = b->ops->tables(b, t);
		*took = worker_clock() - begin;
	}
	if (ret)
		b->ops->close(b);
	return ret;
}

/* Without the lock; NULL: they could not be read. */
static struct tables *read_tables(struct backend *b, int *ret, uint64_t *took)
{
	struct tables *t = tables_new();
	bool old = b->conn;

	*took = 0;
	*ret = t ? read_once(b, t, took) : -ENOMEM;
	/* It may have been closed for a long silence. */
	if (*ret == -ENOTCONN && old) {
		tables_put(t);
		t = tables_new();
		*ret = t ? read_once(b, t, took) : -ENOMEM;
	}
	if (!*ret) {
		tables_finish(t);
		return t;
	}
	tables_put(t);
	return NULL;
}

/* They stay as they were. That the store is gone, those say who ask it. */
static void tell_failure(struct store *s, const char *error, int ret)
{
	if (ret == -ENOTCONN || ret == -ETIMEDOUT || ret == -ECANCELED)
		return;
	log_limited(LOG_ERR, "user-store-failed", "store=%s error=%s effect=%s",
		    db_kind_name(s->kind),
		    ret == -ENOMEM ? "out of memory" : error,
		    "realms, secrets, keys and peers stay as they were");
}

static void publish(struct store *s, struct tables *t)
{
	if (s->tables && tables_same(s->tables, t)) {
		tables_put(t);
		return;
	}
	tables_put(s->tables);
	s->tables = t;
	if (!s->stopping)
		s->listener.tables(s->listener.arg);
}

/* A store for which it is much work is spared. */
static uint64_t pause_ms(const struct store *s, uint64_t took_ms)
{
	uint64_t least = store_is_local(s) ? STORE_FOLLOW_LOCAL_MS :
					     STORE_FOLLOW_MS;
	uint64_t pause = took_ms * STORE_FOLLOW_PAUSE;

	if (pause > STORE_FOLLOW_MAX_MS)
		pause = STORE_FOLLOW_MAX_MS;
	return pause > least ? pause : least;
}

void *follow_thread_main(void *arg)
{
	struct pool_thread *th = arg;
	struct store *s = th->s;
	struct tables *t;
	uint64_t took;
	int ret;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		pthread_mutex_unlock(&s->lock);
		t = read_tables(&th->b, &ret, &took);
		pthread_mutex_lock(&s->lock);
		if (t)
			publish(s, t);
		else
			tell_failure(s, th->b.error, ret);
		s->followed = true;
		pthread_cond_broadcast(&s->news);
		if (!s->stopping)
			pool_wait(s, &s->again, pause_ms(s, took));
	}
	pthread_mutex_unlock(&s->lock);
	th->b.ops->close(&th->b);
	return NULL;
}
