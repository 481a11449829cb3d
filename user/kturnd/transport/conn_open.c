// SPDX-License-Identifier: GPL-2.0-or-later
/* What a connection begins with: PROXY, TLS, or STUN at once; see conn.h. */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>
#include <sys/socket.h>

#include "conn.h"
#include "kturnd/daemon.h"
#include "proxy.h"

/* The first byte of a TLS record with a ClientHello, RFC 8446 section 5.1. */
#define TLS_HANDSHAKE	22

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
	/* The last one may be of a connection that no worker has. */
	if (n > 0 && c->s)
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

/* ------------------------------------------------------------------- opening */

void conn_handshake(struct conn *c)
{
	int ret;

	ERR_clear_error();
	ret = SSL_do_handshake(c->tls.ssl);
	if (ret == 1) {
		event_del(&c->write);
		event_add(&c->read, NULL);
		c->state = CONN_OPEN;
		conn_read(c);
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
	worker_client_gone(old->s->w, &old->tuple);
	turn_table_del(&old->s->by_tuple, &old->node);
	old->known = false;
}

void conn_know(struct conn *c)
{
	struct conn *old = conn_find(c->s, &c->tuple);

	if (old)
		replace(old);
	turn_table_add(&c->s->by_tuple, &c->node, conn_hash(c->s, &c->tuple));
	c->known = true;
}

static void open_as(struct conn *c, enum turn_transport transport)
{
	struct daemon *d = c->s->w->d;
	BIO *bio;

	c->tuple.transport = transport;
	conn_know(c);
	if (transport == TURN_TCP) {
		c->state = CONN_OPEN;
		conn_read(c);
		return;
	}
	bio = make_bio(c);
	if (!bio || !tls_accept(&d->tls, bio, &c->tls)) {
		conn_close(c, "out of memory");
		return;
	}
	c->state = CONN_HANDSHAKE;
	conn_handshake(c);
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

void conn_sniff(struct conn *c)
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
