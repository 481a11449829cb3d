// SPDX-License-Identifier: GPL-2.0-or-later
/* One connection, from its first byte to its last; see conn.h. */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "kturnd/daemon.h"
#include "frame.h"
#include "kturn.h"
#include "log.h"
#include "proxy.h"

/* The first byte of a TLS record with a ClientHello, RFC 8446 section 5.1. */
#define TLS_HANDSHAKE	22

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
	bool settled = c->known && turn_alloc_find(s->w->turn, &c->tuple);

	if (settled == c->settled)
		return;
	TAILQ_REMOVE(c->settled ? &s->settled : &s->fresh, c, entry);
	TAILQ_INSERT_TAIL(settled ? &s->settled : &s->fresh, c, entry);
	c->settled = settled;
	/* It has its time to make another one. */
	c->seen_ms = s->w->now;
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

/* ----------------------------------------------------------- OpenSSL's socket */

/*
 * OpenSSL goes on reading for as long as there is something that is no data: a
 * client could keep it at that.
 */
static int bio_read(BIO *bio, char *buf, int size)
{
	struct conn *c = BIO_get_data(bio);
	ssize_t n = -1;

	BIO_clear_retry_flags(bio);
	if (c->budget)
		n = recv(c->fd, buf, (size_t)size < c->budget ? (size_t)size :
							       c->budget,
			 MSG_DONTWAIT);
	else
		errno = EAGAIN;
	/* The end is no error. */
	if (!n)
		errno = 0;
	if (n > 0)
		c->budget -= (size_t)n;
	else if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	return (int)n;
}

static int bio_write(BIO *bio, const char *buf, int len)
{
	struct conn *c = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	n = send(c->fd, buf, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		c->progress_ms = c->s->w->now;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)n;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void make_method(void)
{
	method = tls_method(bio_read, bio_write, bio_ctrl);
}

static BIO *make_bio(struct conn *c)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	BIO *bio;

	pthread_once(&once, make_method);
	bio = method ? BIO_new(method) : NULL;
	if (bio) {
		BIO_set_data(bio, c);
		BIO_set_init(bio, 1);
	}
	return bio;
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

static void read_again(struct conn *c);

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
		/* read_messages() comes back to it. */
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
		read_again(c);
		if (c->state == CONN_DEAD)
			return;
	}
	event_del(&c->write);
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
	return c->out.bytes > (c->settled ? QUEUE_DATA_MAX :
					    CONN_FRESH_WAITING);
}

/* Who does not take answers is not asked for more. */
static void pause_reading(struct conn *c)
{
	c->paused = true;
	event_del(&c->read);
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
			pause_reading(c);
			break;
		}
		n = frame_len(p, len);
		if (n < 0 || too_long(c, n)) {
			conn_close(c, n < 0 ? "what comes is not STUN" :
					      "a message too long");
			return;
		}
		if (!n || (size_t)n > len)
			break;
		turn_client_input(w->turn, w->now, wall, &c->tuple, p,
				  (size_t)n);
		if (!c->settled && c->state != CONN_DEAD)
			conn_sort(c);
		any = true;
		p += n;
		len -= (size_t)n;
		if (c->state == CONN_DEAD)
			return;
	}
	if (any || !c->partial_len)
		c->partial_ms = w->now;
	if (any) {
		c->ready = true;
		c->seen_ms = w->now;
	}
	keep(c, p, len);
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
static void read_again(struct conn *c)
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

static void read_messages(struct conn *c)
{
	uint8_t *in = c->s->in;
	size_t before;
	ssize_t n;

	/* OpenSSL has a record half sent, and can't take another to send. */
	if (c->tls.ssl && c->out.begun && !c->wants_read) {
		block_reading(c);
		return;
	}
	do {
		before = c->partial_len;
		n = read_some(c, in + before);
		if (n == -EAGAIN || n == -EWOULDBLOCK || n == -EINTR)
			break;
		if (n <= 0) {
			conn_close(c, NULL);
			return;
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
	read_messages(c);
}

/* -------------------------------------------------------------------- opening */

static void handshake(struct conn *c)
{
	int ret;

	ERR_clear_error();
	ret = SSL_do_handshake(c->tls.ssl);
	if (ret == 1) {
		event_del(&c->write);
		event_add(&c->read, NULL);
		c->state = CONN_OPEN;
		read_messages(c);
		return;
	}
	switch (SSL_get_error(c->tls.ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		event_del(&c->write);
		event_add(&c->read, NULL);
		break;
	case SSL_ERROR_WANT_WRITE:
		event_del(&c->read);
		event_add(&c->write, NULL);
		break;
	default:
		c->s->counters.tls_failed++;
		tls_log_failure(&c->tls, ret, &c->tuple.client);
		conn_close(c, NULL);
	}
}

/* Wake up when so much is there. */
static void wait_for(struct conn *c, size_t bytes)
{
	int n = (int)bytes;

	setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &n, sizeof(n));
}

/* Behind a balancer an old connection may be there after its client has gone. */
static void replace(struct conn *old)
{
	conn_close(old, "there is a new one with the same addresses");
	turn_client_gone(old->s->w->turn, &old->tuple);
	turn_table_del(&old->s->by_tuple, &old->node);
	old->known = false;
}

static void open_as(struct conn *c, enum turn_transport transport)
{
	struct daemon *d = c->s->w->d;
	struct conn *old;
	BIO *bio;

	c->tuple.transport = transport;
	old = conn_find(c->s, &c->tuple);
	if (old)
		replace(old);
	turn_table_add(&c->s->by_tuple, &c->node, conn_hash(c->s, &c->tuple));
	c->known = true;
	if (transport == TURN_TCP) {
		c->state = CONN_OPEN;
		read_messages(c);
		return;
	}
	bio = make_bio(c);
	if (!bio || !tls_accept(&d->tls, bio, &c->tls)) {
		conn_close(c, "out of memory");
		return;
	}
	c->state = CONN_HANDSHAKE;
	handshake(c);
}

static void choose_transport(struct conn *c, uint8_t first)
{
	unsigned int transports = c->s->w->d->cfg->transports;

	if (first == TLS_HANDSHAKE) {
		if (transports & CONFIG_TLS)
			open_as(c, TURN_TLS);
		else
			conn_close(c, "it speaks TLS, which is not served");
	} else if (transports & CONFIG_TCP) {
		open_as(c, TURN_TCP);
	} else {
		conn_close(c, "it does not speak TLS");
	}
}

static const char *proxy_error(ssize_t error)
{
	switch (error) {
	case -EPROTONOSUPPORT:
		return "its PROXY header is not about TCP over IP";
	case -EMSGSIZE:
		return "its PROXY header is too long";
	default:
		return "it has no PROXY header of version 2";
	}
}

/* True: there is no header any more. */
static bool take_proxy_header(struct conn *c, size_t seen)
{
	struct proxy_header h;
	size_t missing;
	ssize_t n;

	n = proxy_parse(c->s->in, seen, &h, &missing);
	if (n < 0) {
		conn_close(c, proxy_error(n));
		return false;
	}
	if (!n) {
		/* Woken up for nothing: it has ended. */
		if (seen == c->peeked)
			conn_close(c, NULL);
		c->peeked = seen;
		if (c->state == CONN_SNIFF)
			wait_for(c, missing);
		return false;
	}
	/* It is there: it was looked at. */
	if (recv(c->fd, c->s->in, (size_t)n, MSG_DONTWAIT) != n) {
		conn_close(c, NULL);
		return false;
	}
	wait_for(c, 1);
	c->proxied = false;
	if (!h.local) {
		c->tuple.client = h.client;
		c->tuple.server = h.server;
	}
	return true;
}

static void sniff(struct conn *c)
{
	ssize_t n;

	do {
		n = recv(c->fd, c->s->in, PROXY_MAX, MSG_PEEK | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			conn_close(c, NULL);
			return;
		}
	} while (c->proxied && take_proxy_header(c, (size_t)n));
	if (c->state == CONN_SNIFF && !c->proxied)
		choose_transport(c, c->s->in[0]);
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
		sniff(c);
		break;
	case CONN_HANDSHAKE:
		handshake(c);
		break;
	case CONN_OPEN:
		read_messages(c);
		break;
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
		handshake(c);
	} else if (c->state == CONN_OPEN) {
		conn_write(c);
		unblock_reading(c);
	}
	worker_expire(w);
}

void conn_start(struct conn *c)
{
	struct worker *w = c->s->w;

	queue_init(&c->out);
	c->seen_ms = w->now;
	event_assign(&c->read, w->base, c->fd, EV_READ | EV_PERSIST, on_read,
		     c);
	event_assign(&c->write, w->base, c->fd, EV_WRITE | EV_PERSIST,
		     on_write, c);
	event_add(&c->read, NULL);
}
