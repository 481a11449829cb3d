// SPDX-License-Identifier: GPL-2.0-or-later
/* The user store: opening, questions, what is known; see store.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "kturnd/config.h"
#include "internal.h"
#include "log.h"
#include "kturnd/random.h"
#include "kturnd/worker.h"

/* How long threads may take to end. */
#define STOP_SECONDS	2

/* There is no store, and none is needed. */
#define DO_WITHOUT	1

static const struct backend_ops *const backends[] = {
	[DB_SQLITE] = &backend_sqlite,
#ifdef KTURN_LIBPQ
	[DB_POSTGRESQL] = &backend_postgres,
#endif
#ifdef KTURN_HIREDIS
	[DB_REDIS] = &backend_redis,
#endif
	[DB_UNKNOWN] = NULL,
};

/* ---------------------------------------------------------------- questions */

void question_free(struct question *q)
{
	free(q->realm);
	free(q->user);
	free(q);
}

/* Nobody outside can choose two texts of one id. */
void store_id(const struct store *s, const char *realm, const char *user,
	      const uint8_t *hash, uint8_t *id)
{
	char text[1 + TURN_REALM_MAX + 1 + TURN_USERNAME_MAX];
	size_t realm_len = strnlen(realm, TURN_REALM_MAX), len = 0;
	const void *what = user ? (const void *)user : hash;
	size_t what_len = user ? strnlen(user, TURN_USERNAME_MAX) : 32;

	text[len++] = user ? 'u' : 'h';
	memcpy(text + len, realm, realm_len);
	len += realm_len;
	text[len++] = '\0';
	memcpy(text + len, what, what_len);
	len += what_len;
	turn_siphash128(s->id_key, text, len, id);
}

static bool get(struct store *s, const uint8_t *id, struct cache_answer *a,
		char *name)
{
	bool there;

	pthread_mutex_lock(&s->lock);
	there = cache_get(&s->cache, id, a, name);
	pthread_mutex_unlock(&s->lock);
	return there && worker_clock() - a->at < STORE_OLD_MS;
}

bool store_keys(struct store *s, const char *realm, const char *user,
		struct cache_answer *answer)
{
	uint8_t id[CACHE_ID_LEN];

	store_id(s, realm, user, NULL, id);
	return get(s, id, answer, NULL);
}

bool store_name(struct store *s, const char *realm, const uint8_t hash[32],
		struct cache_answer *answer, char *name)
{
	uint8_t id[CACHE_ID_LEN];

	store_id(s, realm, NULL, hash, id);
	return get(s, id, answer, name);
}

bool store_is_local(const struct store *s)
{
	return s->kind == DB_SQLITE;
}

bool store_is_down(const struct store *s)
{
	return s->down;
}

static struct question *find_pending(struct store *s, const uint8_t *id)
{
	struct turn_node *node;
	struct question *q;
	uint64_t hash;

	memcpy(&hash, id, sizeof(hash));
	node = turn_table_first(&s->pending, hash);
	for (; node; node = turn_table_next(node)) {
		/* The node is its first member. */
		q = (struct question *)node;
		if (!memcmp(q->id, id, CACHE_ID_LEN))
			return q;
	}
	return NULL;
}

static bool has_room(const struct store *s, bool known, unsigned int source)
{
	if (known)
		return s->n_queued[0] < STORE_KNOWN_WAITING;
	return s->n_queued[1] < STORE_UNKNOWN_WAITING &&
	       s->sources[source] < STORE_SOURCE_WAITING;
}

static struct question *enqueue(struct store *s, const uint8_t *id,
				const struct store_question *ask)
{
	bool known = cache_is_known(&s->cache, id);
	unsigned int source = ask->source % STORE_SOURCES;
	struct question *q;
	uint64_t hash;

	if (!has_room(s, known, source))
		return NULL;
	q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	q->realm = strdup(ask->realm);
	q->user = ask->user ? strdup(ask->user) : NULL;
	if (!q->realm || (ask->user && !q->user)) {
		question_free(q);
		return NULL;
	}
	if (!ask->user)
		memcpy(q->hash, ask->hash, sizeof(q->hash));
	memcpy(q->id, id, CACHE_ID_LEN);
	memcpy(&hash, id, sizeof(hash));
	q->number = ++s->last_number;
	q->asked_at = worker_clock();
	q->source = source;
	q->known = known;
	if (!known)
		s->sources[source]++;
	turn_table_add(&s->pending, &q->node, hash);
	TAILQ_INSERT_TAIL(&s->queue[!known], q, entry);
	s->n_queued[!known]++;
	pthread_cond_signal(&s->work);
	return q;
}

uint64_t store_ask(struct store *s, const struct store_question *ask)
{
	unsigned int worker = ask->worker % STORE_WORKERS_MAX;
	uint8_t id[CACHE_ID_LEN];
	struct question *q;
	uint64_t number = 0;

	store_id(s, ask->realm, ask->user, ask->hash, id);
	pthread_mutex_lock(&s->lock);
	q = find_pending(s, id);
	if (!q)
		q = enqueue(s, id, ask);
	if (q) {
		if (ask->waits)
			q->workers[worker / 64] |= 1ull << worker % 64;
		number = q->number;
	} else {
		s->counters.refused++;
	}
	pthread_mutex_unlock(&s->lock);
	return number;
}

/* ------------------------------------------------------------------- realms */

static struct known_realm *find_realm(struct store *s, const char *name)
{
	struct known_realm *r;

	STAILQ_FOREACH(r, &s->realms, entry)
		if (!strcmp(r->realm, name))
			return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->realm = strdup(name);
	if (!r->realm) {
		free(r);
		return NULL;
	}
	STAILQ_INSERT_TAIL(&s->realms, r, entry);
	return r;
}

struct store_realm store_realm(struct store *s, const char *name)
{
	uint64_t max = store_is_local(s) ? STORE_LOCAL_MS : STORE_REALM_MS;
	struct store_realm result = { 0 };
	struct known_realm *r;

	pthread_mutex_lock(&s->lock);
	r = find_realm(s, name);
	if (r) {
		result.all_sha256 = r->said.all_sha256;
		result.all_hashed = r->said.all_hashed;
		if (!r->wanted && !r->running && !s->down &&
		    worker_clock() - r->asked_at >= max) {
			r->wanted = true;
			pthread_cond_signal(&s->work);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return result;
}

struct tables *store_tables(struct store *s)
{
	struct tables *t;

	pthread_mutex_lock(&s->lock);
	t = s->tables ? tables_get(s->tables) : NULL;
	pthread_mutex_unlock(&s->lock);
	return t;
}

void store_count(struct store *s, struct store_counters *c)
{
	pthread_mutex_lock(&s->lock);
	*c = s->counters;
	c->cached = s->cache.n_known + s->cache.n_unknown;
	c->up = !s->down;
	pthread_mutex_unlock(&s->lock);
}

/* --------------------------------------------------------------- life cycle */

/* A file that was named must be there; afterwards it may come and go. 0, a negative
 * errno, or DO_WITHOUT.
 */
static int check(struct store *s, const struct config *cfg)
{
	const struct backend_ops *ops = backends[s->kind];
	const char *why = NULL;
	struct userdb *db;
	int ret = -EINVAL;

	if (!ops)
		why = "this kturnd was built without support for it";
	else if (ops->check)
		why = ops->check(s->where);
	if (why) {
		log_event(LOG_ERR, "user-store-failed", "store=%s error=%s",
			  db_kind_name(s->kind), why);
		return ret;
	}
	if (s->kind != DB_SQLITE)
		return 0;
	ret = userdb_open(&db, s->where,
			  cfg->db_required ? USERDB_READ : USERDB_FOLLOW);
	userdb_close(db);
	if (!ret)
		return 0;
	log_event(cfg->db_required ? LOG_ERR : LOG_WARNING,
		  "user-store-failed", "file=%s error=%s", s->where,
		  userdb_error(NULL));
	return cfg->db_required ? ret : DO_WITHOUT;
}

static struct store *new_store(const struct config *cfg,
			       const struct store_listener *listener)
{
	struct store *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	const char *where;

	if (!s)
		return NULL;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &attr);
	pthread_cond_init(&s->again, &attr);
	pthread_cond_init(&s->news, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&s->lock, NULL);
	names_init(&s->names);
	TAILQ_INIT(&s->queue[0]);
	TAILQ_INIT(&s->queue[1]);
	STAILQ_INIT(&s->realms);
	s->listener = *listener;
	s->kind = db_url_kind(cfg->db, &where);
	s->where = strdup(where);
	s->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	random_bytes(s->id_key, sizeof(s->id_key));
	if (!s->where || s->stop_fd < 0 || !cache_init(&s->cache) ||
	    !turn_table_init(&s->pending) || !find_realm(s, cfg->realm)) {
		store_close(s);
		return NULL;
	}
	return s;
}

static int start_thread(struct store *s, struct pool_thread *t,
			void *(*run)(void *arg), const struct config *cfg)
{
	int ret;

	t->s = s;
	t->b.ops = backends[s->kind];
	t->b.where = s->where;
	t->b.stop_fd = s->stop_fd;
	t->b.names = &s->names;
	t->b.seen = &s->seen;
	t->b.token_keys = cfg->token_server_name;
	ret = pthread_create(&t->thread, NULL, run, t);
	t->started = !ret;
	if (!ret)
		pthread_setname_np(t->thread, "kturnd-store");
	return -ret;
}

static int start_threads(struct store *s, const struct config *cfg)
{
	sigset_t all, old;
	unsigned int i;
	int ret;

	s->n_threads = store_is_local(s) ? STORE_THREADS_LOCAL : STORE_THREADS;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = start_thread(s, &s->follower, follow_thread_main, cfg);
	for (i = 0; i < s->n_threads && !ret; i++)
		ret = start_thread(s, &s->threads[i], pool_thread_main, cfg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

/* Or there will be no answer soon. */
static bool has_spoken(const struct store *s)
{
	const struct known_realm *r;

	if (!s->spoken || !s->followed)
		return false;
	if (s->down)
		return true;
	STAILQ_FOREACH(r, &s->realms, entry)
		if (!r->asked_at)
			return false;
	return true;
}

void store_settle(struct store *s)
{
	uint64_t end = worker_clock() + BACKEND_MS, now;

	pthread_mutex_lock(&s->lock);
	while (!has_spoken(s) && (now = worker_clock()) < end)
		pool_wait(s, &s->news, end - now);
	pthread_mutex_unlock(&s->lock);
}

int store_open(struct store **store, const struct config *cfg,
	       const struct store_listener *listener)
{
	struct store *s = new_store(cfg, listener);
	int ret;

	*store = NULL;
	if (!s)
		return -ENOMEM;
	ret = check(s, cfg);
	if (!ret)
		ret = start_threads(s, cfg);
	if (ret) {
		store_close(s);
		return ret == DO_WITHOUT ? 0 : ret;
	}
	store_settle(s);
	*store = s;
	return 0;
}

static bool stop_thread(struct pool_thread *t, const struct timespec *end)
{
	return !t->started || !pthread_timedjoin_np(t->thread, NULL, end);
}

/* False: one is stuck where nothing can be done about it, in a look-up say. */
static bool stop_threads(struct store *s)
{
	const uint64_t one = 1;
	struct timespec end;
	unsigned int i;
	bool all;

	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->work);
	pthread_cond_broadcast(&s->again);
	pthread_mutex_unlock(&s->lock);
	if (s->stop_fd >= 0 && write(s->stop_fd, &one, sizeof(one)) < 0)
		return false;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += STOP_SECONDS;
	all = stop_thread(&s->follower, &end);
	for (i = 0; i < STORE_THREADS; i++)
		all &= stop_thread(&s->threads[i], &end);
	return all;
}

static void drop_questions(struct store *s)
{
	struct question *q;
	int i;

	for (i = 0; i < 2; i++) {
		while ((q = TAILQ_FIRST(&s->queue[i]))) {
			TAILQ_REMOVE(&s->queue[i], q, entry);
			turn_table_del(&s->pending, &q->node);
			question_free(q);
		}
	}
}

static void drop_realms(struct store *s)
{
	struct known_realm *r;

	while ((r = STAILQ_FIRST(&s->realms))) {
		STAILQ_REMOVE_HEAD(&s->realms, entry);
		free(r->realm);
		free(r);
	}
}

void store_close(struct store *s)
{
	if (!s)
		return;
	/* It may use all of this until the process ends. */
	if (!stop_threads(s)) {
		log_event(LOG_WARNING, "user-store-stuck", "store=%s",
			  db_kind_name(s->kind));
		return;
	}
	drop_questions(s);
	drop_realms(s);
	tables_put(s->tables);
	cache_free(&s->cache);
	turn_table_destroy(&s->pending);
	names_free(&s->names);
	if (s->stop_fd >= 0)
		close(s->stop_fd);
	if (s->where)
		explicit_bzero(s->where, strlen(s->where));
	free(s->where);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->again);
	pthread_cond_destroy(&s->news);
	pthread_mutex_destroy(&s->lock);
	explicit_bzero(s, sizeof(*s));
	free(s);
}
