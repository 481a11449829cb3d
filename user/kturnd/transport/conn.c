// SPDX-License-Identifier: GPL-2.0-or-later
/* One connection: what it reads and is sent; see conn.h. */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "kturnd/daemon.h"
#include "frame.h"
#include "kturn.h"
#include "log.h"
#include "peer.h"

uint64_t conn_hash(const struct stream *s, const struct turn_tuple *tuple)
{
	return turn_siphash(s->hash_key, tuple, sizeof(*tuple));
}

static bool same_tuple(const struct turn_tuple *a, const struct turn_tuple *b)
{
	return addr_equal(&a->client, &b->client) &&
	       addr_equal(&a->server, &b->server) &&
	       a->transport == b->transport;
}

struct conn *conn_find(struct stream *s, const struct turn_tuple *tuple)
{
	struct turn_node *node;
	struct conn *c;

	node = turn_table_first(&s->by_tuple, conn_hash(s, tuple));
	for (; node; node = turn_table_next(node)) {
		c = (struct conn *)((char *)node - offsetof(struct conn, node));
		if (same_tuple(&c->tuple, tuple))
			return c;
	}
	return NULL;
}

void conn_sort(struct conn *c)
{
	struct stream *s = c->s;
	bool settled = c->peer ||
		       (c->known && visitor_client_known(s->w, &c->tuple));

	if (settled == c->settled)
		return;
	TAILQ_REMOVE(c->settled ? &s->settled : &s->fresh, c, entry);
	TAILQ_INSERT_TAIL(settled ? &s->settled : &s->fresh, c, entry);
	c->settled = settled;
	/* It has its time to make another one. */
	c->seen_ms = s->w->now;
}

void conn_again(struct conn *c)
{
	uint8_t *rest = c->partial;
	size_t len = c->partial_len;

	conn_sort(c);
	if (!c->peer || !len)
		return;
	c->partial = NULL;
	c->partial_len = 0;
	peer_take(c->peer, rest, len);
	free(rest);
}

void conn_close(struct conn *c, const char *reason)
{
	char client[KTURN_ADDR_TEXT_MAX];
	struct stream *s = c->s;

	if (c->state == CONN_DEAD)
		return;
	if (reason) {
		s->counters.closed++;
		log_limited(LOG_INFO, "connection-closed",
			    "client=%s reason=%s",
			    kturn_addr_text(&c->tuple.client, client), reason);
	}
	c->state = CONN_DEAD;
	event_del(&c->read);
	event_del(&c->write);
	TAILQ_REMOVE(c->settled ? &s->settled : &s->fresh, c, entry);
	TAILQ_INSERT_TAIL(&s->dead, c, entry);
	/* The state machine may be at work, and is told later. */
	if (c->is_dirty)
		LIST_REMOVE(c, dirty);
	c->is_dirty = false;
	if (c->peer)
		peer_client_gone(c->peer);
}

void conn_free(struct conn *c)
{
	if (c->known)
		turn_table_del(&c->s->by_tuple, &c->node);
	tls_end(&c->tls);
	close(c->fd);
	queue_free(&c->out);
	free(c->partial);
	free(c);
}

/* ------------------------------------------------------------------- sending */

/*
 * As send(): -EAGAIN: once there is room, as they are; -EBUSY: once something
 * was read, the same; another negative errno: never.
 */
static ssize_t tls_write(struct conn *c, size_t n)
{
	int ret;

	ERR_clear_error();
	ret = SSL_write(c->tls.ssl, c->s->out, (int)n);
	if (ret > 0)
		return ret;
	switch (SSL_get_error(c->tls.ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		queue_begin(&c->out, n);
		return -EBUSY;
	case SSL_ERROR_WANT_WRITE:
		queue_begin(&c->out, n);
		return -EAGAIN;
	default:
		ERR_clear_error();
		return -EPIPE;
	}
}

static ssize_t write_some(struct conn *c)
{
	ssize_t ret;
	size_t n;

	if (c->tls.ssl) {
		/* Some clients take a record for a message. */
		n = queue_gather(&c->out, c->s->out, STREAM_TLS_WRITE, true);
		return tls_write(c, n);
	}
	n = queue_gather(&c->out, c->s->out, STREAM_WRITE, false);
	ret = send(c->fd, c->s->out, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return ret < 0 ? -errno : ret;
}

void conn_write(struct conn *c)
{
	ssize_t n;

	while (!queue_empty(&c->out)) {
		n = write_some(c);
		if (n == -EAGAIN || n == -EWOULDBLOCK) {
			event_add(&c->write, NULL);
			return;
		}
		if (n == -EINTR)
			continue;
		/* conn_read() comes back to it. */
		c->wants_read = n == -EBUSY;
		if (c->wants_read)
			break;
		if (n < 0) {
			conn_close(c, NULL);
			return;
		}
		queue_begin(&c->out, 0);
		queue_sent(&c->out, (size_t)n);
		c->progress_ms = c->s->w->now;
		conn_read_again(c);
		if (c->state != CONN_OPEN)
			return;
	}
	event_del(&c->write);
	if (c->peer && queue_empty(&c->out))
		peer_client_drained(c->peer);
}

bool conn_shutdown(struct conn *c)
{
	int ret;

	if (c->tls.ssl) {
		ERR_clear_error();
		ret = SSL_shutdown(c->tls.ssl);
		if (ret < 0 && SSL_get_error(c->tls.ssl, ret) ==
			       SSL_ERROR_WANT_WRITE) {
			event_add(&c->write, NULL);
			return false;
		}
		ERR_clear_error();
	}
	shutdown(c->fd, SHUT_WR);
	return true;
}

/* ------------------------------------------------------------------- reading */

/* Keep what is left of @len bytes at @buf; false: the connection is dead. */
static bool keep(struct conn *c, const uint8_t *buf, size_t len)
{
	uint8_t *room;

	if (!len) {
		free(c->partial);
		c->partial = NULL;
		c->partial_len = 0;
		return true;
	}
	room = realloc(c->partial, len);
	if (!room) {
		conn_close(c, "out of memory");
		return false;
	}
	memcpy(room, buf, len);
	c->partial = room;
	c->partial_len = len;
	return true;
}

static bool too_long(const struct conn *c, ssize_t len)
{
	return len > CONN_FRESH_MAX && !c->settled;
}

/* Do as many answers wait that nothing more is to be asked? */
static bool is_full(const struct conn *c)
{
	if (c->peer)
		return peer_is_full(c->peer);
	return c->out.bytes > (c->settled ? QUEUE_DATA_MAX :
					    CONN_FRESH_WAITING);
}

/* Who does not take answers is not asked for more. */
void conn_pause(struct conn *c)
{
	c->paused = true;
	event_del(&c->read);
}

/*
 * What is left of @len bytes at @p, after messages or none: the beginning of
 * one, or the beginning of what is to be relayed.
 */
static void after_messages(struct conn *c, const uint8_t *p, size_t len,
			   bool any)
{
	if (any || !c->partial_len)
		c->partial_ms = c->s->w->now;
	if (any) {
		c->ready = true;
		c->seen_ms = c->s->w->now;
	}
	if (!c->peer) {
		if (keep(c, p, len) && c->next)
			conn_leave(c);
		return;
	}
	keep(c, NULL, 0);
	if (len)
		peer_take(c->peer, p, len);
}

/* The messages among @len bytes at the start of @c->s->in. */
static void take_messages(struct conn *c, size_t len)
{
	struct worker *w = c->s->w;
	uint64_t wall = (uint64_t)time(NULL);
	const uint8_t *p = c->s->in;
	bool any = false;
	ssize_t n;

	for (;;) {
		if (is_full(c)) {
			conn_pause(c);
			break;
		}
		n = frame_len(p, len);
		/* Another worker may have said so in between. */
		if (!c->settled)
			conn_sort(c);
		if (n < 0 || too_long(c, n)) {
			conn_close(c, n < 0 ? "what comes is not STUN" :
					      "a message too long");
			return;
		}
		if (!n || (size_t)n > len)
			break;
		visitor_client_input(w, wall, &c->tuple, p, (size_t)n);
		if (!c->settled && c->state != CONN_DEAD)
			conn_sort(c);
		if (c->state == CONN_DEAD)
			return;
		/* It is read once more there. */
		if (c->next)
			break;
		any = true;
		p += n;
		len -= (size_t)n;
		if (c->peer)
			break;
	}
	after_messages(c, p, len, any);
}

/*
 * TLS has something to say before it goes on, and there is no room: what is read
 * meanwhile would come again and again.
 */
static void block_reading(struct conn *c)
{
	if (!c->blocked && queue_empty(&c->out))
		c->progress_ms = c->s->w->now;
	c->blocked = true;
	event_del(&c->read);
	event_add(&c->write, NULL);
}

static ssize_t read_some(struct conn *c, uint8_t *buf)
{
	size_t size = c->settled ? STREAM_READ : CONN_FRESH_MAX;
	ssize_t n;
	int ret;

	if (c->peer)
		size = peer_room(c->peer);
	if (!size) {
		conn_pause(c);
		return -EAGAIN;
	}
	if (!c->tls.ssl) {
		n = recv(c->fd, buf, size, MSG_DONTWAIT);
		return n < 0 ? -errno : n;
	}
	ERR_clear_error();
	ret = SSL_read(c->tls.ssl, buf, (int)size);
	if (ret > 0)
		return ret;
	switch (SSL_get_error(c->tls.ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		block_reading(c);
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return -ECONNRESET;
	default:
		tls_log_failure(&c->tls, ret, &c->tuple.client);
		return -ECONNRESET;
	}
}

/* Is there more that no event would tell of? A record may be read in part. */
static bool has_more(const struct conn *c)
{
	return c->tls.ssl && c->state == CONN_OPEN && !c->paused &&
	       SSL_pending(c->tls.ssl);
}

/* What waits to be sent has become less. */
void conn_read_again(struct conn *c)
{
	if (!c->paused || is_full(c))
		return;
	c->paused = false;
	c->partial_ms = c->s->w->now;
	if (c->partial_len) {
		memcpy(c->s->in, c->partial, c->partial_len);
		take_messages(c, c->partial_len);
	}
	if (c->state != CONN_OPEN || c->paused || c->blocked)
		return;
	event_add(&c->read, NULL);
	if (has_more(c))
		event_active(&c->read, EV_READ, 0);
}

void conn_read(struct conn *c)
{
	uint8_t *in = c->s->in;
	size_t before;
	ssize_t n;

	/* OpenSSL has a record half sent, and can't take another to send. */
	if (c->tls.ssl && c->out.begun && !c->wants_read && !c->peer) {
		block_reading(c);
		return;
	}
	do {
		before = c->partial_len;
		n = read_some(c, in + before);
		if (n == -EAGAIN || n == -EWOULDBLOCK || n == -EINTR)
			break;
		if (!n && c->peer) {
			peer_client_ended(c->peer);
			return;
		}
		if (n <= 0) {
			conn_close(c, NULL);
			return;
		}
		if (c->peer) {
			peer_take(c->peer, in, (size_t)n);
			continue;
		}
		if (before)
			memcpy(in, c->partial, before);
		take_messages(c, before + (size_t)n);
	} while (has_more(c) && !c->blocked);
	/* What TLS could not send may have waited for something to read. */
	if (c->state == CONN_OPEN && c->out.begun)
		conn_write(c);
}

/* There is room. */
static void unblock_reading(struct conn *c)
{
	if (c->state != CONN_OPEN || !c->blocked || (c->out.begun &&
						     !c->wants_read))
		return;
	c->blocked = false;
	if (c->paused)
		return;
	event_add(&c->read, NULL);
	conn_read(c);
}

/* --------------------------------------------------------------------- events */

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct worker *w = c->s->w;

	worker_begin(w);
	c->budget = STREAM_TLS_READ;
	switch (c->state) {
	case CONN_SNIFF:
		conn_sniff(c);
		break;
	case CONN_HANDSHAKE:
		conn_handshake(c);
		break;
	case CONN_OPEN:
		conn_read(c);
		break;
	case CONN_LEAVING:
	case CONN_DEAD:
		break;
	}
	worker_expire(w);
}

static void on_write(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct worker *w = c->s->w;

	worker_begin(w);
	c->budget = STREAM_TLS_READ;
	if (c->state == CONN_HANDSHAKE) {
		conn_handshake(c);
	} else if (c->state == CONN_OPEN) {
		conn_write(c);
		unblock_reading(c);
	}
	worker_expire(w);
}

void conn_watch(struct conn *c)
{
	struct worker *w = c->s->w;

	event_assign(&c->read, w->base, c->fd, EV_READ | EV_PERSIST, on_read,
		     c);
	event_assign(&c->write, w->base, c->fd, EV_WRITE | EV_PERSIST,
		     on_write, c);
	event_add(&c->read, NULL);
}

void conn_start(struct conn *c)
{
	queue_init(&c->out);
	c->seen_ms = c->s->w->now;
	conn_watch(c);
}
