// SPDX-License-Identifier: GPL-2.0-or-later
/* The connections of a worker; see stream.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "kturnd/daemon.h"
#include "frame.h"
#include "log.h"
#include "peer.h"
#include "kturnd/random.h"
#include "kturnd/socket.h"

/* Accepted before others have their turn. */
#define ACCEPT_MAX	32

/*
 * Milliseconds: until the first message, after all handshakes; for a message to
 * end; without an allocation from message to message; without taking any of
 * what waits.
 */
#define FIRST_MS	10000
#define PARTIAL_MS	10000
#define IDLE_MS		60000
#define STALL_MS	30000

/* What the kernel may hold unsent: the rest waits here, where it can be dropped. */
#define NOTSENT_BYTES	32768

/* ----------------------------------------------------------------- too slow */

static const char *overdue(const struct conn *c, uint64_t now)
{
	if (c->peer)
		return peer_overdue(c->peer, now);
	if (!c->ready && now - c->seen_ms >= FIRST_MS)
		return "no message came";
	if (c->partial_len && !c->paused && now - c->partial_ms >= PARTIAL_MS)
		return "a message did not end";
	if ((c->blocked || !queue_empty(&c->out)) &&
	    now - c->progress_ms >= STALL_MS)
		return "it does not read";
	if (!c->settled && now - c->seen_ms >= IDLE_MS)
		return "it has no allocation and asks for nothing";
	return NULL;
}

static void look_after(struct stream *s, struct conn_tailq *list)
{
	struct conn *c, *next;
	const char *reason;

	for (c = TAILQ_FIRST(list); c; c = next) {
		next = TAILQ_NEXT(c, entry);
		conn_sort(c);
		reason = overdue(c, s->w->now);
		if (reason)
			conn_close(c, reason);
	}
}

void stream_set_tick(struct stream *s)
{
	static const struct timeval second = { .tv_sec = 1 };

	if (!evtimer_pending(&s->tick, NULL))
		evtimer_add(&s->tick, &second);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	worker_begin(s->w);
	look_after(s, &s->fresh);
	look_after(s, &s->settled);
	if (s->resting)
		worker_listen(s->w, true);
	s->resting = false;
	worker_expire(s->w);
	if (s->counters.now)
		stream_set_tick(s);
}

/* ----------------------------------------------------------------- accepting */

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* What fails here makes it slower, no more. */
static void set_options(int fd)
{
	socket_keep_alive(fd);
	set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_BYTES);
	set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, STALL_MS);
}

/* Of those without an allocation the oldest gives way; are there any? */
static bool make_room(struct stream *s)
{
	struct conn *c, *next;

	for (c = TAILQ_FIRST(&s->fresh); c; c = next) {
		next = TAILQ_NEXT(c, entry);
		conn_sort(c);
		if (c->settled)
			continue;
		s->counters.refused++;
		conn_close(c, "others need its place");
		return true;
	}
	return false;
}

static bool is_proxy(const struct config *cfg, const struct kturn_addr *from)
{
	size_t i;

	for (i = 0; i < cfg->n_proxies; i++)
		if (prefix_match(&cfg->proxies[i], from))
			return true;
	return false;
}

static void add(struct stream *s, int fd, const struct kturn_addr *from,
		const struct kturn_addr *listen)
{
	struct daemon *d = s->w->d;
	struct conn *c = NULL;

	if (atomic_fetch_add(&d->n_streams, 1) < d->cfg->max_connections ||
	    make_room(s))
		c = calloc(1, sizeof(*c));
	if (!c) {
		atomic_fetch_sub(&d->n_streams, 1);
		s->counters.refused++;
		log_limited(LOG_WARNING, "connection-refused", "reason=%s",
			    "there are max-connections, all with allocations");
		close(fd);
		return;
	}
	set_options(fd);
	c->s = s;
	c->fd = fd;
	c->tuple.client = *from;
	c->tuple.server = *listen;
	c->proxied = is_proxy(s->w->d->cfg, from);
	TAILQ_INSERT_TAIL(&s->fresh, c, entry);
	s->counters.now++;
	s->counters.accepted++;
	conn_start(c);
	stream_set_tick(s);
}

void stream_accept(struct stream *s, int fd, const struct kturn_addr *listen)
{
	struct sockaddr_storage sa;
	struct kturn_addr from;
	socklen_t len;
	unsigned int i;
	int new;

	for (i = 0; i < ACCEPT_MAX; i++) {
		len = sizeof(sa);
		new = accept4(fd, (struct sockaddr *)&sa, &len,
			      SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (new >= 0) {
			addr_from_sockaddr(&sa, &from);
			add(s, new, &from, listen);
			continue;
		}
		if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS &&
		    errno != ENOMEM)
			break;
		/* It stays readable, and nothing can be done at once. */
		log_limited(LOG_WARNING, "accept-failed", "error=%s effect=%s",
			    strerror(errno), "no new connections for a second");
		s->resting = true;
		worker_listen(s->w, false);
		stream_set_tick(s);
		break;
	}
	stream_flush(s);
}

/* ------------------------------------------------------------------- sending */

/* ChannelData or a Data indication, and no answer. */
static bool is_data(const uint8_t *buf, size_t len)
{
	return kturn_wire_kind(buf, len) == KTURN_KIND_CHANNEL ||
	       kturn_get16(buf) == KTURN_TYPE_DATA_IND;
}

void stream_send(struct stream *s, const struct turn_tuple *to,
		 const uint8_t *buf, size_t len)
{
	struct conn *c = conn_find(s, to);
	uint64_t dropped;

	if (!c || c->state != CONN_OPEN)
		return;
	if (queue_empty(&c->out))
		c->progress_ms = s->w->now;
	dropped = c->out.dropped;
	if (!queue_add(&c->out, buf, len, is_data(buf, len)))
		conn_close(c, "it does not read");
	s->counters.dropped += c->out.dropped - dropped;
	if (c->is_dirty || c->state == CONN_DEAD)
		return;
	LIST_INSERT_HEAD(&s->dirty, c, dirty);
	c->is_dirty = true;
}

void stream_again(struct stream *s, const struct turn_tuple *tuple)
{
	struct conn *c = conn_find(s, tuple);

	if (c && c->state != CONN_DEAD)
		conn_again(c);
}

static void free_dead(struct stream *s)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&s->dead))) {
		TAILQ_REMOVE(&s->dead, c, entry);
		if (c->known)
			worker_client_gone(s->w, &c->tuple);
		s->counters.now--;
		atomic_fetch_sub(&s->w->d->n_streams, 1);
		conn_free(c);
	}
}

void stream_flush(struct stream *s)
{
	struct conn *c;

	while ((c = LIST_FIRST(&s->dirty))) {
		LIST_REMOVE(c, dirty);
		c->is_dirty = false;
		/* If the socket had no room, its event comes. */
		if (!event_pending(&c->write, EV_WRITE, NULL))
			conn_write(c);
	}
	conn_pass_all(s);
	/* With a client go its allocation's connections to peers. */
	free_dead(s);
	peer_free_dead(s);
}

/* ---------------------------------------------------------------- life cycle */

int stream_init(struct stream *s, struct worker *w)
{
	memset(s, 0, sizeof(*s));
	s->w = w;
	TAILQ_INIT(&s->fresh);
	TAILQ_INIT(&s->settled);
	TAILQ_INIT(&s->dead);
	TAILQ_INIT(&s->leaving);
	LIST_INIT(&s->dirty);
	LIST_INIT(&s->dead_peers);
	random_bytes(s->hash_key, sizeof(s->hash_key));
	evtimer_assign(&s->tick, w->base, on_tick, s);
	s->in = malloc(FRAME_MAX + STREAM_READ);
	s->out = malloc(STREAM_WRITE);
	if (!s->in || !s->out || !turn_table_init(&s->by_tuple))
		return -ENOMEM;
	return 0;
}

void stream_free(struct stream *s)
{
	struct conn *c;

	if (!s->w)
		return;
	while ((c = TAILQ_FIRST(&s->fresh)) || (c = TAILQ_FIRST(&s->settled)))
		conn_close(c, NULL);
	stream_flush(s);
	if (event_initialized(&s->tick))
		evtimer_del(&s->tick);
	turn_table_destroy(&s->by_tuple);
	free(s->in);
	free(s->out);
	s->w = NULL;
}
