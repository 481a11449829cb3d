// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The threads that ask the user store; see store.h. Where nothing else is said
 * the store's lock is held.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"
#include "log.h"
#include "kturnd/worker.h"

#define RETRY_MIN_MS	100

void pool_wait(struct store *s, pthread_cond_t *cond, uint64_t ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += (time_t)(ms / 1000);
	ts.tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	pthread_cond_timedwait(cond, &s->lock, &ts);
}

/* -------------------------------------------------------------- questions */

/* It has left the queues: who waits hears of it. */
static void finish(struct store *s, struct question *q)
{
	static const uint64_t nobody[STORE_WORKERS_MAX / 64];
	char name[USERDB_NAME_MAX + 1];
	struct cache_answer a;
	bool known;

	if (!q->known)
		s->sources[q->source]--;
	known = cache_get(&s->cache, q->id, &a, name) &&
		worker_clock() - a.at < STORE_OLD_MS;
	explicit_bzero(&a, sizeof(a));
	if (!s->stopping && memcmp(q->workers, nobody, sizeof(nobody)))
		s->listener.answered(s->listener.arg, q->workers, q->number,
				     known);
	turn_table_del(&s->pending, &q->node);
	question_free(q);
}

static struct question *dequeue(struct store *s, int which)
{
	struct question *q = TAILQ_FIRST(&s->queue[which]);

	if (q) {
		TAILQ_REMOVE(&s->queue[which], q, entry);
		s->n_queued[which]--;
	}
	return q;
}

/* Those whose clients have given up. */
static void drop_old(struct store *s)
{
	uint64_t now = worker_clock();
	struct question *q;
	int i;

	for (i = 0; i < 2; i++) {
		while ((q = TAILQ_FIRST(&s->queue[i])) &&
		       now - q->asked_at >= STORE_QUESTION_MS) {
			s->counters.failed++;
			finish(s, dequeue(s, i));
		}
	}
}

/* One thread is always there for users that are known. */
static struct question *next_question(struct store *s)
{
	struct question *q = dequeue(s, 0);

	if (!q && s->n_running + 1 < s->n_threads)
		q = dequeue(s, 1);
	if (!q)
		return NULL;
	q->running = true;
	s->n_running += !q->known;
	return q;
}

/* --------------------------------------------------------- up, and down */

static void spoken(struct store *s)
{
	s->spoken = true;
	pthread_cond_broadcast(&s->news);
}

/* Known users go on with what is known of them. */
static void go_down(struct store *s, const char *error)
{
	uint64_t now = worker_clock();
	struct question *q;

	if (!s->down) {
		s->down = true;
		s->lost_at = now;
		/* One that comes and goes is not asked all the time. */
		if (!s->backoff_ms || now - s->back_at >= s->backoff_ms)
			s->backoff_ms = RETRY_MIN_MS;
		s->counters.lost++;
		log_limited(LOG_ERR, "user-store-lost",
			    "store=%s error=%s effect=%s",
			    db_kind_name(s->kind), error,
			    "what it said lately goes on counting, others wait");
		while ((q = dequeue(s, 0))) {
			s->counters.failed++;
			finish(s, q);
		}
	} else if (s->backoff_ms < STORE_RETRY_MAX_MS) {
		s->backoff_ms *= 2;
		if (s->backoff_ms > STORE_RETRY_MAX_MS)
			s->backoff_ms = STORE_RETRY_MAX_MS;
	}
	s->retry_at = now + s->backoff_ms;
	spoken(s);
}

static void go_up(struct store *s)
{
	uint64_t now = worker_clock();

	if (s->down) {
		pthread_cond_broadcast(&s->again);
		s->back_at = now;
		log_limited(LOG_NOTICE, "user-store-back",
			    "store=%s seconds=%u", db_kind_name(s->kind),
			    (unsigned int)((now - s->lost_at) / 1000));
	}
	s->down = false;
	spoken(s);
	pthread_cond_broadcast(&s->work);
}

/* ------------------------------------------------- asking, without the lock */

/**
 * struct job - a thing to ask
 * @q: question, or NULL
 * @realm: of a realm, if there is no question
 * @keys: answer to a question for keys
 * @name: answer to one for a name
 * @said: answer about a realm
 */
struct job {
	const struct question *q;
	const char *realm;
	struct userdb_keys keys;
	char name[USERDB_NAME_MAX + 1];
	struct backend_realm said;
};

static int ask_once(struct backend *b, struct job *j)
{
	const struct question *q = j->q;
	int ret;

	if (!q) {
		/* Nobody's name, but whether users can be read is told. */
		ret = b->ops->keys(b, j->realm, "", &j->keys);
		return ret < 0 && ret != -ENOENT ? ret :
		       b->ops->realm(b, j->realm, &j->said);
	}
	if (!q->user)
		return b->ops->by_hash(b, q->realm, q->hash, j->name);
	ret = b->ops->keys(b, q->realm, q->user, &j->keys);
	return ret < 0 ? ret : 0;
}

/* 0, -ENOENT, or there is no connection any more. */
static int ask(struct backend *b, struct job *j)
{
	bool old = b->conn;
	int ret = 0;

	if (!old)
		ret = b->ops->connect(b);
	if (!ret)
		ret = ask_once(b, j);
	/* It may have been closed for a long silence. */
	if (ret == -ENOTCONN && old) {
		b->ops->close(b);
		ret = b->ops->connect(b);
		if (!ret)
			ret = ask_once(b, j);
	}
	if (ret && ret != -ENOENT)
		b->ops->close(b);
	return ret;
}

/* ------------------------------------------------------------------ answers */

/* Who comes by name now may come by USERHASH when the store is gone. */
static void keep_hash(struct store *s, const struct question *q)
{
	const struct cache_answer a = { .at = worker_clock(), .found = true };
	uint8_t hash[32], id[CACHE_ID_LEN];

	if (strlen(q->user) > USERDB_NAME_MAX)
		return;
	userdb_userhash(q->user, q->realm, hash);
	store_id(s, q->realm, NULL, hash, id);
	cache_put(&s->cache, id, &a, q->user);
}

static void keep_answer(struct store *s, const struct question *q,
			const struct job *j, bool found)
{
	struct cache_answer a = { .at = worker_clock(), .found = found };

	if (found)
		a.keys = j->keys;
	cache_put(&s->cache, q->id, &a, found && !q->user ? j->name : NULL);
	explicit_bzero(&a, sizeof(a));
	if (found && q->user)
		keep_hash(s, q);
}

static void ask_question(struct pool_thread *t, struct question *q)
{
	struct store *s = t->s;
	struct job j = { .q = q };
	int ret;

	s->counters.asked++;
	pthread_mutex_unlock(&s->lock);
	ret = ask(&t->b, &j);
	pthread_mutex_lock(&s->lock);
	s->n_running -= !q->known;
	if (!ret || ret == -ENOENT) {
		keep_answer(s, q, &j, !ret);
		s->counters.answered++;
		go_up(s);
	} else {
		s->counters.failed++;
		if (ret != -ECANCELED)
			go_down(s, t->b.error);
	}
	explicit_bzero(&j, sizeof(j));
	finish(s, q);
}

static void ask_realm(struct pool_thread *t, struct known_realm *r)
{
	struct store *s = t->s;
	struct job j = { .realm = r->realm };
	int ret;

	r->wanted = false;
	r->running = true;
	pthread_mutex_unlock(&s->lock);
	ret = ask(&t->b, &j);
	pthread_mutex_lock(&s->lock);
	r->running = false;
	r->asked_at = worker_clock();
	if (!ret) {
		r->said = j.said;
		go_up(s);
	} else if (ret != -ECANCELED) {
		go_down(s, t->b.error);
	}
}

/* The one that has to be asked for, and in how many ms the next will have to. */
static struct known_realm *due_realm(struct store *s, uint64_t *ms)
{
	uint64_t now = worker_clock(), age;
	struct known_realm *r;

	*ms = STORE_REALM_MS;
	STAILQ_FOREACH(r, &s->realms, entry) {
		if (r->running)
			continue;
		age = now - r->asked_at;
		if (r->wanted || !r->asked_at || age >= STORE_REALM_MS)
			return r;
		if (STORE_REALM_MS - age < *ms)
			*ms = STORE_REALM_MS - age;
	}
	return NULL;
}

/* ------------------------------------------------------------------ threads */

static void while_down(struct pool_thread *t)
{
	struct store *s = t->s;
	uint64_t now = worker_clock();

	if (s->probing || now < s->retry_at) {
		pool_wait(s, &s->work, s->probing ? BACKEND_MS :
						    s->retry_at - now);
		return;
	}
	s->probing = true;
	ask_realm(t, STAILQ_FIRST(&s->realms));
	s->probing = false;
}

static void while_up(struct pool_thread *t)
{
	struct store *s = t->s;
	struct question *q;
	struct known_realm *r;
	uint64_t ms;

	q = next_question(s);
	if (q) {
		ask_question(t, q);
		return;
	}
	r = due_realm(s, &ms);
	if (r)
		ask_realm(t, r);
	else
		pool_wait(s, &s->work, ms);
}

void *pool_thread_main(void *arg)
{
	struct pool_thread *t = arg;
	struct store *s = t->s;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		drop_old(s);
		if (s->down)
			while_down(t);
		else
			while_up(t);
	}
	pthread_mutex_unlock(&s->lock);
	t->b.ops->close(&t->b);
	return NULL;
}
