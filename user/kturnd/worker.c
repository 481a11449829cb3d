// SPDX-License-Identifier: GPL-2.0-or-later
/* Workers: loops, messages, datagrams; see worker.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "errors.h"
#include "log.h"
#include "socket.h"
#include "transport/peer.h"
#include "worker.h"

/* Misdirected datagrams that may wait; they are an exception. */
#define DATAGRAMS_MAX	1024

uint64_t worker_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* What waits, goes. */
static void flush(struct worker *w)
{
	io_flush(&w->io);
	stream_flush(&w->stream);
	dtls_flush(&w->dtls);
	/* Some say good-bye. */
	if (w->io.n_waiting)
		io_flush(&w->io);
}

void worker_expire(struct worker *w)
{
	uint64_t at = turn_expire(w->turn, w->now), ms;
	struct timeval tv;

	flush(w);
	if (at == w->timer_at)
		return;
	w->timer_at = at;
	if (at == UINT64_MAX) {
		evtimer_del(&w->timer);
		return;
	}
	ms = at > w->now ? at - w->now : 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	evtimer_add(&w->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	w->timer_at = UINT64_MAX;
	w->now = worker_clock();
	worker_expire(w);
}

/* --------------------------------------------------------------- datagrams */

void worker_begin(struct worker *w)
{
	w->now = worker_clock();
}

void worker_client_gone(struct worker *w, const struct turn_tuple *tuple)
{
	park_forget(&w->park, tuple);
	visitor_client_gone(w, tuple);
}

void worker_send(struct worker *w, const struct turn_tuple *to,
		 const uint8_t *buf, size_t len)
{
	size_t i;

	for (i = 0; i < w->d->listen.n; i++) {
		if (!addr_equal(&w->listeners[i].addr, &to->server))
			continue;
		io_send(&w->io, w->listeners[i].fd, &to->client, buf, len);
		return;
	}
}

/* A datagram of a client of this worker's. */
static void input(struct worker *w, struct turn_tuple *tuple, uint64_t wall,
		  const uint8_t *buf, size_t len)
{
	unsigned int transports = w->d->cfg->transports;

	if (dtls_is(buf, len) && transports & CONFIG_DTLS) {
		tuple->transport = TURN_DTLS;
		dtls_input(&w->dtls, tuple, buf, len);
	} else if (transports & CONFIG_UDP) {
		tuple->transport = TURN_UDP;
		visitor_client_input(w, wall, tuple, buf, len);
	}
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	struct worker *w = l->worker;
	struct daemon *d = w->d;
	struct turn_tuple tuple;
	unsigned int i, n, home;
	uint64_t wall;
	uint8_t *buf;
	size_t len;

	n = io_recv(&w->io, l->fd);
	w->now = worker_clock();
	wall = (uint64_t)time(NULL);
	tuple.server = l->addr;
	for (i = 0; i < n; i++) {
		buf = io_datagram(&w->io, i, &tuple.client, &len);
		home = steer_worker(&d->steer, &tuple.client);
		if (home == w->index)
			input(w, &tuple, wall, buf, len);
		else
			worker_post_datagram(&d->workers[home], &tuple, buf,
					     len);
	}
	worker_expire(w);
}

void worker_make_public(struct worker *w, struct kturn_addr *from)
{
	struct relay_addr *ra;

	ra = w->d->relays.nat ? relay_find(&w->d->relays, from) : NULL;
	if (ra)
		memcpy(from->ip, relay_public(ra)->ip, sizeof(from->ip));
}

/*
 * What the kernel's plane relays, it gets errors about as well, and tells the
 * client itself; the sockets have them all the same.
 */
static void read_errors(struct worker *w, struct relay_sock *rs)
{
	bool kernel = turn_alloc_offload(rs->alloc);
	struct icmp_error error;

	while (errors_next(rs->fd, &error)) {
		if (kernel)
			continue;
		worker_make_public(w, &error.to);
		turn_icmp_input(w->turn, w->now, rs->alloc, &error.to,
				error.type, error.code, error.data);
	}
}

static void on_peer(evutil_socket_t fd, short what, void *arg)
{
	struct relay_sock *rs = arg;
	struct worker *w = rs->worker;
	struct kturn_addr from;
	unsigned int i, n;
	uint8_t *buf;
	size_t len;

	n = io_recv(&w->io, rs->fd);
	if (!rs->grown) {
		socket_grow(rs->fd);
		rs->grown = true;
	}
	w->now = worker_clock();
	/* What woke us up, if it was no datagram. */
	if (!n)
		read_errors(w, rs);
	/* The allocation may end in between, and @rs with it. */
	w->reading = rs;
	for (i = 0; i < n && w->reading; i++) {
		buf = io_datagram(&w->io, i, &from, &len);
		worker_make_public(w, &from);
		turn_peer_input(w->turn, w->now, rs->alloc, &from, buf, len);
	}
	w->reading = NULL;
	flush(w);
}

static void on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	worker_begin(l->worker);
	stream_accept(&l->worker->stream, l->stream_fd, &l->addr);
}

void worker_listen(struct worker *w, bool on)
{
	struct listener *l = w->listeners;

	for (; l < w->listeners + w->d->listen.n; l++) {
		if (l->stream_fd < 0)
			continue;
		if (on)
			event_add(&l->stream_event, NULL);
		else
			event_del(&l->stream_event);
	}
}

void worker_watch_relay(struct worker *w, struct turn_relay *relay,
			struct turn_alloc *alloc)
{
	struct relay_sock *rs = relay->handle;

	rs->worker = w;
	rs->alloc = alloc;
	relay_set_live(relay);
	if (rs->transport == RELAY_TCP) {
		peer_listen(rs);
		return;
	}
	event_assign(&rs->event, w->base, rs->fd, EV_READ | EV_PERSIST,
		     on_peer, rs);
	event_add(&rs->event, NULL);
}

/* ---------------------------------------------------------------- messages */

struct datagram_msg {
	struct worker_msg msg;
	struct turn_tuple tuple;
	size_t len;
	uint8_t data[];
};

static void run_datagram(struct worker *w, struct worker_msg *msg)
{
	struct datagram_msg *dm = (struct datagram_msg *)msg;

	if (w)
		input(w, &dm->tuple, (uint64_t)time(NULL), dm->data, dm->len);
	free(dm);
}

void worker_come_again(struct worker *w, uint64_t number, bool known)
{
	uint64_t wall = (uint64_t)time(NULL);
	struct parked_list list;
	struct parked *r;

	park_take(&w->park, number, &list);
	while ((r = TAILQ_FIRST(&list))) {
		TAILQ_REMOVE(&list, r, entry);
		w->since = r->since;
		if (known)
			turn_client_input(w->turn, w->now, wall, &r->tuple,
					  r->msg, r->len);
		else
			w->park.dropped++;
		w->since = 0;
		if (turn_is_stream(&r->tuple))
			stream_again(&w->stream, &r->tuple);
		free(r);
	}
}

static void post(struct worker *w, struct worker_msg *msg, unsigned int max)
{
	const uint64_t one = 1;
	bool taken;

	pthread_mutex_lock(&w->lock);
	taken = !w->closed && w->n_queued < max;
	if (taken) {
		STAILQ_INSERT_TAIL(&w->queue, msg, entry);
		w->n_queued++;
	}
	pthread_mutex_unlock(&w->lock);
	if (!taken)
		msg->run(NULL, msg);
	else if (write(w->wake_fd, &one, sizeof(one)) < 0)
		/* The counter is at its end: it is readable for sure. */
		return;
}

void worker_post(struct worker *w, struct worker_msg *msg)
{
	post(w, msg, UINT32_MAX);
}

void worker_post_some(struct worker *w, struct worker_msg *msg)
{
	post(w, msg, DATAGRAMS_MAX);
}

void worker_post_datagram(struct worker *w, const struct turn_tuple *tuple,
			  const uint8_t *buf, size_t len)
{
	struct datagram_msg *dm = malloc(sizeof(*dm) + len);

	/* It is a datagram: it may get lost. */
	if (!dm)
		return;
	dm->msg.run = run_datagram;
	dm->tuple = *tuple;
	dm->len = len;
	memcpy(dm->data, buf, len);
	worker_post_some(w, &dm->msg);
}

static void take_all(struct worker *w, struct worker_queue *queue, bool close)
{
	STAILQ_INIT(queue);
	pthread_mutex_lock(&w->lock);
	STAILQ_CONCAT(queue, &w->queue);
	w->n_queued = 0;
	w->closed = close;
	pthread_mutex_unlock(&w->lock);
}

static void run_all(struct worker *w, struct worker_queue *queue)
{
	struct worker_msg *msg;

	while ((msg = STAILQ_FIRST(queue))) {
		STAILQ_REMOVE_HEAD(queue, entry);
		msg->run(w, msg);
	}
}

static void on_wakeup(evutil_socket_t fd, short what, void *arg)
{
	struct worker_queue queue;
	struct worker *w = arg;
	uint64_t count;

	if (read(w->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_limited(LOG_ERR, "wakeup-failed", "error=%s",
			    strerror(errno));
	w->now = worker_clock();
	take_all(w, &queue, false);
	run_all(w, &queue);
	worker_expire(w);
}

/* -------------------------------------------------------------- life cycle */

static void run_stop(struct worker *w, struct worker_msg *msg)
{
	if (w)
		event_base_loopbreak(w->base);
}

static int init_loop(struct worker *w)
{
	w->base = event_base_new();
	w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!w->base || w->wake_fd < 0)
		return -ENOMEM;
	event_assign(&w->wakeup, w->base, w->wake_fd, EV_READ | EV_PERSIST,
		     on_wakeup, w);
	event_add(&w->wakeup, NULL);
	evtimer_assign(&w->timer, w->base, on_timer, w);
	return 0;
}

static int init_listeners(struct worker *w)
{
	struct daemon *d = w->d;
	size_t i;

	w->listeners = calloc(d->listen.n, sizeof(*w->listeners));
	if (!w->listeners)
		return -ENOMEM;
	for (i = 0; i < d->listen.n; i++) {
		w->listeners[i].worker = w;
		w->listeners[i].fd = -1;
		w->listeners[i].stream_fd = -1;
		w->listeners[i].addr = d->listen.v[i];
	}
	return 0;
}

void worker_set_realms(struct worker *w, struct realms *set)
{
	realms_put(w->realms);
	w->realms = set;
	policy_forget(&w->policy);
}

/* The SOFTWARE attribute's value, or NULL for none; no version unasked. */
static const char *software(const struct config *cfg)
{
	if (!cfg->software)
		return "kturn";
	return strcmp(cfg->software, "none") ? cfg->software : NULL;
}

static int init_turn(struct worker *w)
{
	struct daemon *d = w->d;
	struct turn_config cfg = {
		.software = software(d->cfg),
		.server_name = d->cfg->token_server_name,
		.chan_max = d->cfg->chan_max,
		.family4 = relay_pool_has(&d->relays, KTURN_FAMILY_V4),
		.family6 = relay_pool_has(&d->relays, KTURN_FAMILY_V6),
		.perms_max = d->cfg->max_permissions,
		.chans_max = d->cfg->max_channels,
		.tcp_relay = d->cfg->tcp_relay,
		.conns_max = d->cfg->max_peer_connections,
		.discovery = d->cfg->discovery,
		.n_discovery = d->cfg->n_discovery,
		.lifetime_max = TURN_LIFETIME_MAX,
		.mobility = d->cfg->mobility,
		.home = w->index,
	};

	memcpy(cfg.nonce_key, d->state.nonce_key, sizeof(cfg.nonce_key));
	worker_set_realms(w, realms_get(d->realms));
	if (!mobility_key(d->state.nonce_key, cfg.ticket_key))
		return -EIO;
	w->turn = turn_server_new(&cfg, &worker_ops, w);
	explicit_bzero(&cfg, sizeof(cfg));
	return w->turn ? 0 : -errno;
}

/* The kernel comes first, then the client is told. */
static bool push_first(void *arg)
{
	struct worker *w = arg;

	return offload_settled(&w->offload);
}

int worker_init(struct worker *w, struct daemon *d, unsigned int index)
{
	int ret;

	memset(w, 0, sizeof(*w));
	w->d = d;
	w->index = index;
	w->wake_fd = -1;
	w->timer_at = UINT64_MAX;
	w->now = worker_clock();
	w->stop.run = run_stop;
	pthread_mutex_init(&w->lock, NULL);
	STAILQ_INIT(&w->queue);
	park_init(&w->park);
	STAILQ_INIT(&w->stranded);

	ret = init_loop(w);
	if (!ret)
		ret = visitors_init(&w->visitors);
	if (!ret)
		ret = init_listeners(w);
	if (!ret)
		ret = io_init(&w->io);
	if (!ret)
		ret = source_limit_init(&w->sources, d->cfg->source_rate);
	if (!ret)
		ret = stream_init(&w->stream, w);
	if (!ret)
		ret = dtls_init(&w->dtls, w);
	w->io.before = push_first;
	w->io.before_arg = w;
	if (!ret)
		ret = init_turn(w);
	if (ret)
		log_event(LOG_ERR, "worker-failed", "worker=%u error=%s",
			  index, strerror(-ret));
	return ret;
}

static void *thread_main(void *arg)
{
	struct worker *w = arg;
	struct worker_queue queue;
	struct listener *l = w->listeners;

	for (; l < w->listeners + w->d->listen.n; l++) {
		event_assign(&l->event, w->base, l->fd, EV_READ | EV_PERSIST,
			     on_client, l);
		event_assign(&l->stream_event, w->base, l->stream_fd,
			     EV_READ | EV_PERSIST, on_connection, l);
		if (l->fd >= 0)
			event_add(&l->event, NULL);
	}
	worker_listen(w, true);
	/* Adopted allocations have their ends. */
	w->now = worker_clock();
	worker_expire(w);
	event_base_dispatch(w->base);

	take_all(w, &queue, true);
	run_all(NULL, &queue);
	return NULL;
}

int worker_start(struct worker *w)
{
	sigset_t all, old;
	char name[16];
	int ret;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&w->thread, NULL, thread_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	w->started = !ret;
	if (!ret) {
		snprintf(name, sizeof(name), "kturnd-%u", w->index);
		pthread_setname_np(w->thread, name);
	}
	return -ret;
}

void worker_stop(struct worker *w)
{
	if (!w->started)
		return;
	worker_post(w, &w->stop);
	pthread_join(w->thread, NULL);
	w->started = false;
}

static void close_listeners(struct worker *w)
{
	struct listener *l = w->listeners;

	if (!l)
		return;
	for (; l < w->listeners + w->d->listen.n; l++) {
		if (event_initialized(&l->event)) {
			event_del(&l->event);
			event_del(&l->stream_event);
		}
		if (l->fd >= 0)
			close(l->fd);
		if (l->stream_fd >= 0)
			close(l->stream_fd);
	}
	free(w->listeners);
}

static void close_loop(struct worker *w)
{
	if (event_initialized(&w->wakeup))
		event_del(&w->wakeup);
	if (event_initialized(&w->timer))
		evtimer_del(&w->timer);
	if (w->base)
		event_base_free(w->base);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
}

void worker_free(struct worker *w, bool keep)
{
	if (!w->d)
		return;
	w->now = worker_clock();
	offload_flush(&w->offload);
	stream_free(&w->stream);
	dtls_free(&w->dtls);
	turn_server_free(w->turn, keep);
	visitors_free(&w->visitors);
	io_flush(&w->io);
	offload_close(&w->offload);
	close_listeners(w);
	realms_put(w->realms);
	source_limit_free(&w->sources);
	park_free(&w->park);
	local_put(w->local);
	close_loop(w);
	io_free(&w->io);
	pthread_mutex_destroy(&w->lock);
}
