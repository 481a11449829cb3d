// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket; see control.h. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "daemon.h"
#include "kturn.h"
#include "log.h"

/* Connections that may wait for the workers. */
#define PENDING_MAX	16

/**
 * struct query - the question that a connection is
 * @entry: of the list of those that are done
 * @control: control socket
 * @fd: connection
 * @lock: protects what follows
 * @missing: workers that have not answered
 * @turn: sum of the workers' counters
 * @io: sum of theirs
 * @stream: sum of theirs
 * @dtls: sum of theirs
 * @wait_dropped: sum of theirs
 * @kernel_allocs: allocations that the kernel has
 * @kernel: some worker uses the module
 */
struct query {
	STAILQ_ENTRY(query) entry;
	struct control *control;
	int fd;
	pthread_mutex_t lock;
	unsigned int missing;
	struct turn_counters turn;
	struct io_counters io;
	struct stream_counters stream;
	struct stream_counters dtls;
	uint64_t wait_dropped;
	uint64_t kernel_allocs;
	bool kernel;
};

struct query_msg {
	struct worker_msg msg;
	struct query *query;
};

static void query_free(struct query *q)
{
	close(q->fd);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

/* -------------------------------------------------- in a worker's thread */

static void add_stream(struct stream_counters *sum,
		       const struct stream_counters *c)
{
	sum->now += c->now;
	sum->accepted += c->accepted;
	sum->refused += c->refused;
	sum->closed += c->closed;
	sum->tls_failed += c->tls_failed;
	sum->dropped += c->dropped;
}

static void add_counters(struct query *q, struct worker *w)
{
	const struct turn_counters *c = turn_counters(w->turn);

	q->turn.allocs += c->allocs;
	q->turn.relays += c->relays;
	q->turn.perms += c->perms;
	q->turn.chans += c->chans;
	q->turn.conns += c->conns;
	q->turn.requests += c->requests;
	q->turn.errors += c->errors;
	q->turn.limited += c->limited;
	q->turn.waited += c->waited;
	q->wait_dropped += w->park.dropped;
	q->turn.malformed += c->malformed;
	q->turn.to_peer_packets += c->to_peer_packets;
	q->turn.to_peer_bytes += c->to_peer_bytes;
	q->turn.to_client_packets += c->to_client_packets;
	q->turn.to_client_bytes += c->to_client_bytes;
	q->turn.dropped += c->dropped;
	q->turn.over_limit += c->over_limit;
	q->turn.icmp += c->icmp;
	q->turn.connects += c->connects;
	q->turn.connects_failed += c->connects_failed;
	q->turn.attempts += c->attempts;
	q->turn.attempts_refused += c->attempts_refused;
	q->turn.moved += c->moved;
	q->io.send_errors += w->io.counters.send_errors;
	q->io.send_full += w->io.counters.send_full;
	add_stream(&q->stream, &w->stream.counters);
	add_stream(&q->dtls, &w->dtls.counters);
	q->kernel_allocs += w->offload.entries;
	if (w->offload.kt)
		q->kernel = true;
}

static void run_query(struct worker *w, struct worker_msg *msg)
{
	struct query *q = ((struct query_msg *)msg)->query;
	struct control *c = q->control;
	const uint64_t one = 1;
	bool last;

	free(msg);
	pthread_mutex_lock(&q->lock);
	if (w)
		add_counters(q, w);
	last = !--q->missing;
	pthread_mutex_unlock(&q->lock);
	if (!last)
		return;
	pthread_mutex_lock(&c->lock);
	STAILQ_INSERT_TAIL(&c->done, q, entry);
	pthread_mutex_unlock(&c->lock);
	if (write(c->done_fd, &one, sizeof(one)) < 0)
		log_event(LOG_ERR, "wakeup-failed", "error=%s",
			  strerror(errno));
}

/* ----------------------------------------------------- in the main thread */

static json_t *addr_json(const struct kturn_addr *addr)
{
	char text[KTURN_ADDR_TEXT_MAX];

	return json_string(kturn_addr_text(addr, text));
}

static json_t *addrs_json(const struct config_addrs *list)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->n; i++)
		json_array_append_new(array, addr_json(&list->v[i]));
	return array;
}

/* null as long as it is to be learnt. */
static json_t *public_json(const struct relay_addr *ra)
{
	const struct kturn_addr *public = relay_public(ra);

	return public->family == KTURN_FAMILY_NONE ? json_null() :
						     addr_json(public);
}

static json_t *relays_json(const struct relay_pool *pool)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < pool->n; i++)
		json_array_append_new(array, public_json(&pool->v[i]));
	return array;
}

static json_t *nat_json(const struct daemon *d, const struct nat *n)
{
	struct nat_status s;

	nat_status(n, &s);
	return json_pack("{s:s,s:o,s:o,s:I,s:I,s:I,s:I,s:I,s:I}",
		"method", s.method,
		"relay", addr_json(&s.private),
		"public", public_json(relay_find(&d->relays, &s.private)),
		"mapped", (json_int_t)s.mapped,
		"asked", (json_int_t)s.asked,
		"unanswered", (json_int_t)s.unanswered,
		"refused", (json_int_t)s.refused,
		"restarts", (json_int_t)s.restarts,
		"changes", (json_int_t)s.changes);
}

static json_t *nats_json(const struct daemon *d)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < d->n_nats; i++)
		json_array_append_new(array, nat_json(d, d->nats[i]));
	return array;
}

static json_t *connections_json(const struct stream_counters *s)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}",
		"now", (json_int_t)s->now,
		"accepted", (json_int_t)s->accepted,
		"refused", (json_int_t)s->refused,
		"closed", (json_int_t)s->closed,
		"tls_failed", (json_int_t)s->tls_failed,
		"dropped", (json_int_t)s->dropped);
}

static json_t *peers_json(const struct turn_counters *t)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I}",
		"now", (json_int_t)t->conns,
		"connected", (json_int_t)t->connects,
		"failed", (json_int_t)t->connects_failed,
		"accepted", (json_int_t)t->attempts,
		"refused", (json_int_t)t->attempts_refused);
}

static json_t *counters_json(const struct query *q)
{
	const struct turn_counters *t = &q->turn;

	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:{s:I,s:I},s:{s:I,s:I},s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o}",
		"allocs", (json_int_t)t->allocs,
		"relays", (json_int_t)t->relays,
		"perms", (json_int_t)t->perms,
		"chans", (json_int_t)t->chans,
		"kernel_allocs", (json_int_t)q->kernel_allocs,
		"requests", (json_int_t)t->requests,
		"errors", (json_int_t)t->errors,
		"limited", (json_int_t)t->limited,
		"waited", (json_int_t)t->waited,
		"wait_dropped", (json_int_t)q->wait_dropped,
		"malformed", (json_int_t)t->malformed,
		"to_peer",
			"packets", (json_int_t)t->to_peer_packets,
			"bytes", (json_int_t)t->to_peer_bytes,
		"to_client",
			"packets", (json_int_t)t->to_client_packets,
			"bytes", (json_int_t)t->to_client_bytes,
		"dropped", (json_int_t)t->dropped,
		"over_limit", (json_int_t)t->over_limit,
		"icmp", (json_int_t)t->icmp,
		"moved", (json_int_t)t->moved,
		"send_errors", (json_int_t)q->io.send_errors,
		"send_full", (json_int_t)q->io.send_full,
		"connections", connections_json(&q->stream),
		"dtls", connections_json(&q->dtls),
		"peer_connections", peers_json(t));
}

/* null without a store. */
static json_t *store_json(struct store *store)
{
	struct store_counters c;

	if (!store)
		return json_null();
	store_count(store, &c);
	return json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:I}",
			 "up", c.up,
			 "lost", (json_int_t)c.lost,
			 "asked", (json_int_t)c.asked,
			 "answered", (json_int_t)c.answered,
			 "failed", (json_int_t)c.failed,
			 "refused", (json_int_t)c.refused,
			 "cached", (json_int_t)c.cached);
}

static json_t *make_json(const struct query *q)
{
	const struct daemon *d = q->control->d;
	uint64_t uptime = (worker_clock() - d->started_ms) / 1000;

	return json_pack("{s:s,s:I,s:I,s:s,s:I,s:s,s:o,s:o,s:o,s:o,s:o}",
			 "version", KTURN_VERSION,
			 "pid", (json_int_t)getpid(),
			 "uptime_s", (json_int_t)uptime,
			 "plane", q->kernel ? "kernel" : "user",
			 "workers", (json_int_t)d->n_workers,
			 "realm", d->cfg->realm,
			 "listen", addrs_json(&d->listen),
			 "relay", relays_json(&d->relays),
			 "external", nats_json(d),
			 "store", store_json(d->users.store),
			 "counters", counters_json(q));
}

/* It is far smaller than a socket's buffer. */
static void answer(struct query *q)
{
	json_t *json = make_json(q);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	size_t len;

	if (text) {
		len = strlen(text);
		text[len] = '\n';
		if (send(q->fd, text, len + 1, MSG_DONTWAIT | MSG_NOSIGNAL) !=
		    (ssize_t)len + 1)
			log_event(LOG_DEBUG, "control-failed", "error=%s",
				  strerror(errno));
	}
	free(text);
	json_decref(json);
}

static struct query *take_done(struct control *c)
{
	struct query *q;

	pthread_mutex_lock(&c->lock);
	q = STAILQ_FIRST(&c->done);
	if (q)
		STAILQ_REMOVE_HEAD(&c->done, entry);
	pthread_mutex_unlock(&c->lock);
	return q;
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	struct query *q;
	uint64_t count;

	if (read(c->done_fd, &count, sizeof(count)) < 0)
		return;
	while ((q = take_done(c))) {
		answer(q);
		query_free(q);
		c->pending--;
	}
}

static bool ask(struct control *c, int fd)
{
	struct daemon *d = c->d;
	struct query_msg **msgs;
	struct query *q;
	unsigned int i;

	msgs = calloc(d->n_workers, sizeof(*msgs));
	q = calloc(1, sizeof(*q));
	if (!msgs || !q)
		goto free;
	for (i = 0; i < d->n_workers; i++) {
		msgs[i] = malloc(sizeof(*msgs[i]));
		if (!msgs[i])
			goto free_msgs;
		msgs[i]->msg.run = run_query;
		msgs[i]->query = q;
	}
	q->control = c;
	q->fd = fd;
	q->missing = d->n_workers;
	pthread_mutex_init(&q->lock, NULL);
	for (i = 0; i < d->n_workers; i++)
		worker_post(&d->workers[i], &msgs[i]->msg);
	free(msgs);
	return true;
free_msgs:
	while (i--)
		free(msgs[i]);
free:
	free(msgs);
	free(q);
	return false;
}

/* Out of descriptors: or the loop would see the connection for ever. */
static void refuse_one(struct control *c)
{
	int fd;

	close(c->spare_fd);
	fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	c->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	log_limited(LOG_WARNING, "control-refused", "error=%s",
		    "out of descriptors");
}

static void on_connect(evutil_socket_t listener, short what, void *arg)
{
	struct control *c = arg;
	int fd;

	fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			refuse_one(c);
		return;
	}
	if (c->pending < PENDING_MAX && ask(c, fd))
		c->pending++;
	else
		close(fd);
}

/* -------------------------------------------------------------- life cycle */

/* The directory is locked, so what is there is a dead daemon's. */
static int listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, ret = 0;

	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)))
		ret = -errno;
	umask(mask);
	if (!ret && listen(fd, PENDING_MAX))
		ret = -errno;
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

static int open_socket(struct control *c)
{
	char path[PATH_MAX];

	if (!state_path(&c->d->state, "control", path) ||
	    strlen(path) >= sizeof(c->path))
		return -ENAMETOOLONG;
	memcpy(c->path, path, strlen(path) + 1);
	c->fd = listen_at(c->path);
	return c->fd < 0 ? c->fd : 0;
}

int control_open(struct control *c, struct daemon *d)
{
	int ret;

	memset(c, 0, sizeof(*c));
	c->d = d;
	c->fd = -1;
	c->done_fd = -1;
	c->spare_fd = -1;
	STAILQ_INIT(&c->done);
	pthread_mutex_init(&c->lock, NULL);
	if (!d->state.usable)
		return 0;
	ret = open_socket(c);
	if (!ret) {
		c->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		c->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		ret = c->done_fd < 0 ? -errno : 0;
	}
	if (ret) {
		log_event(LOG_ERR, "control-failed", "dir=%s error=%s",
			  d->state.dir, strerror(-ret));
		return ret;
	}
	event_assign(&c->event, d->base, c->fd, EV_READ | EV_PERSIST,
		     on_connect, c);
	event_add(&c->event, NULL);
	event_assign(&c->done_event, d->base, c->done_fd,
		     EV_READ | EV_PERSIST, on_done, c);
	event_add(&c->done_event, NULL);
	return 0;
}

void control_close(struct control *c)
{
	struct query *q;

	if (!c->d)
		return;
	while ((q = take_done(c)))
		query_free(q);
	if (event_initialized(&c->event))
		event_del(&c->event);
	if (event_initialized(&c->done_event))
		event_del(&c->done_event);
	if (c->fd >= 0) {
		close(c->fd);
		unlink(c->path);
	}
	if (c->done_fd >= 0)
		close(c->done_fd);
	if (c->spare_fd >= 0)
		close(c->spare_fd);
	pthread_mutex_destroy(&c->lock);
}
