// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients that come by DTLS; see dtls.h. */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dtls.h"
#include "kturn.h"
#include "kturnd/daemon.h"
#include "kturnd/random.h"
#include "log.h"

/* RFC 6347 sections 4.1 and 4.2.2: a record with a ClientHello, not encrypted. */
#define RECORD_HDR_LEN		13
#define RECORD_HANDSHAKE	22
#define CLIENT_HELLO		1

#define RECORD_APPLICATION_DATA	23

/* A cookie is good for a time, so that one that was seen is of no use later. */
#define COOKIE_LEN		16
#define COOKIE_MS		30000

/*
 * RFC 8200 section 5: each link takes as much. What is relayed may be longer,
 * the handshake is not.
 */
#define MTU			1280
#define OVERHEAD		48

/* What comes often, and what of it is once a second. */
#define TICK_US			250000
#define TICKS_PER_SECOND	4

/* As of streams, milliseconds. */
#define HANDSHAKE_MS		10000
#define IDLE_MS			60000

static uint64_t hash(const struct dtls *d, const struct turn_tuple *tuple)
{
	return turn_siphash(d->hash_key, tuple, sizeof(*tuple));
}

/* The association of a 5-tuple, or the handshake that is to lead to one. */
static struct dtls_conn *find(struct dtls *d, const struct turn_tuple *tuple,
			      bool open)
{
	struct turn_node *node;
	struct dtls_conn *c;

	node = turn_table_first(&d->by_tuple, hash(d, tuple));
	for (; node; node = turn_table_next(node)) {
		c = (struct dtls_conn *)((char *)node -
					 offsetof(struct dtls_conn, node));
		if (!c->dead && c->open == open &&
		    addr_equal(&c->tuple.client, &tuple->client) &&
		    addr_equal(&c->tuple.server, &tuple->server))
			return c;
	}
	return NULL;
}

/* ------------------------------------------------------- OpenSSL's datagrams */

static int bio_read(BIO *bio, char *buf, int size)
{
	struct dtls_conn *c = BIO_get_data(bio);
	struct dtls *d = c->d;
	size_t n = d->in_len;

	BIO_clear_retry_flags(bio);
	if (!d->in) {
		BIO_set_retry_read(bio);
		return -1;
	}
	/* As of a socket: what does not fit is lost. */
	if (n > (size_t)size)
		n = (size_t)size;
	memcpy(buf, d->in, n);
	if (!d->peek)
		d->in = NULL;
	return (int)n;
}

static int bio_write(BIO *bio, const char *buf, int len)
{
	struct dtls_conn *c = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	worker_send(c->d->w, &c->tuple, (const uint8_t *)buf, (size_t)len);
	return len;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	struct dtls_conn *c = BIO_get_data(bio);

	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_SET_PEEK_MODE:
		c->d->peek = num;
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
		return MTU - OVERHEAD;
	case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
		return OVERHEAD;
	default:
		return 0;
	}
}

static BIO_METHOD *method;

static void make_method(void)
{
	method = tls_method(bio_read, bio_write, bio_ctrl);
}

/* ------------------------------------------------------------------- cookies */

/* As of so many periods ago. */
static void make_cookie(SSL *ssl, unsigned int ago, uint8_t *cookie)
{
	const struct dtls_conn *c = BIO_get_data(SSL_get_rbio(ssl));
	struct {
		char what[4];
		uint32_t period;
		struct turn_tuple tuple;
	} key = { .what = "dtls", .tuple = c->tuple };

	key.period = (uint32_t)(c->d->w->now / COOKIE_MS) - ago;
	turn_siphash128(c->d->w->d->state.nonce_key, &key, sizeof(key), cookie);
}

int dtls_cookie_make(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
	make_cookie(ssl, 0, cookie);
	*len = COOKIE_LEN;
	return 1;
}

int dtls_cookie_check(SSL *ssl, const unsigned char *cookie, unsigned int len)
{
	uint8_t ours[COOKIE_LEN];
	unsigned int ago;

	for (ago = 0; ago < 2; ago++) {
		make_cookie(ssl, ago, ours);
		if (len == COOKIE_LEN &&
		    !CRYPTO_memcmp(cookie, ours, COOKIE_LEN))
			return 1;
	}
	return 0;
}

/* -------------------------------------------------------------- associations */

static void conn_free(struct dtls_conn *c)
{
	tls_end(&c->tls);
	free(c);
}

static void conn_close(struct dtls_conn *c, const char *reason)
{
	char client[KTURN_ADDR_TEXT_MAX];
	struct dtls *d = c->d;

	if (c->dead)
		return;
	if (reason) {
		d->counters.closed++;
		log_limited(LOG_INFO, "connection-closed",
			    "client=%s transport=dtls reason=%s",
			    kturn_addr_text(&c->tuple.client, client), reason);
	}
	c->dead = true;
	TAILQ_REMOVE(c->settled ? &d->settled : &d->fresh, c, entry);
	TAILQ_INSERT_TAIL(&d->dead, c, entry);
}

static struct dtls_conn *conn_new(struct dtls *d)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct dtls_conn *c = calloc(1, sizeof(*c));
	BIO *bio = NULL;

	pthread_once(&once, make_method);
	if (c && method)
		bio = BIO_new(method);
	if (!bio) {
		free(c);
		return NULL;
	}
	c->d = d;
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	if (tls_accept_datagrams(&d->w->d->tls, bio, &c->tls))
		return c;
	free(c);
	return NULL;
}

static void set_tick(struct dtls *d)
{
	static const struct timeval soon = { .tv_usec = TICK_US };

	if (!evtimer_pending(&d->tick, NULL))
		evtimer_add(&d->tick, &soon);
}

/* Is it where its allocation, if it has one, says? */
static void sort(struct dtls *d, struct dtls_conn *c)
{
	bool settled = c->open && visitor_client_known(d->w, &c->tuple);

	if (settled == c->settled)
		return;
	TAILQ_REMOVE(c->settled ? &d->settled : &d->fresh, c, entry);
	TAILQ_INSERT_TAIL(settled ? &d->settled : &d->fresh, c, entry);
	c->settled = settled;
	c->seen_ms = d->w->now;
}

/* Of those without an allocation the oldest gives way; are there any? */
static bool make_room(struct dtls *d)
{
	struct dtls_conn *c, *next;

	for (c = TAILQ_FIRST(&d->fresh); c; c = next) {
		next = TAILQ_NEXT(c, entry);
		sort(d, c);
		if (c->settled)
			continue;
		d->counters.refused++;
		conn_close(c, "others need its place");
		return true;
	}
	return false;
}

/* -------------------------------------------------------------------- reading */

static void read_messages(struct dtls_conn *c)
{
	struct dtls *d = c->d;
	uint64_t wall = (uint64_t)time(NULL);
	int n;

	for (;;) {
		ERR_clear_error();
		n = SSL_read(c->tls.ssl, d->plain, SSL3_RT_MAX_PLAIN_LENGTH);
		if (n <= 0)
			break;
		c->seen_ms = d->w->now;
		visitor_client_input(d->w, wall, &c->tuple, d->plain,
				     (size_t)n);
	}
	switch (SSL_get_error(c->tls.ssl, n)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;
	case SSL_ERROR_ZERO_RETURN:
		conn_close(c, NULL);
		break;
	default:
		tls_log_failure(&c->tls, n, &c->tuple.client);
		conn_close(c, NULL);
	}
}

/* The client was restarted, say. What it had goes with it. */
static void replace(struct dtls_conn *old)
{
	conn_close(old, "the client has begun anew");
	worker_client_gone(old->d->w, &old->tuple);
	turn_table_del(&old->d->by_tuple, &old->node);
	old->known = false;
}

static void handshake(struct dtls_conn *c)
{
	struct dtls_conn *old;
	int ret;

	ERR_clear_error();
	ret = SSL_do_handshake(c->tls.ssl);
	if (ret == 1) {
		/* RFC 6347 section 4.2.8: now it is certain that it is the client. */
		old = find(c->d, &c->tuple, true);
		if (old)
			replace(old);
		c->open = true;
		read_messages(c);
		return;
	}
	switch (SSL_get_error(c->tls.ssl, ret)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;
	default:
		c->d->counters.tls_failed++;
		tls_log_failure(&c->tls, ret, &c->tuple.client);
		conn_close(c, NULL);
	}
}

/* The client has sent our cookie back: it is where it says. */
static void begin(struct dtls *d, struct dtls_conn *c)
{
	struct daemon *daemon = d->w->d;

	d->next = NULL;
	if (atomic_fetch_add(&daemon->n_dtls, 1) >=
	    daemon->cfg->max_connections && !make_room(d)) {
		atomic_fetch_sub(&daemon->n_dtls, 1);
		d->counters.refused++;
		log_limited(LOG_WARNING, "connection-refused", "reason=%s",
			    "there are max-connections, all with allocations");
		conn_free(c);
		return;
	}
	c->seen_ms = d->w->now;
	turn_table_add(&d->by_tuple, &c->node, hash(d, &c->tuple));
	c->known = true;
	TAILQ_INSERT_TAIL(&d->fresh, c, entry);
	d->counters.now++;
	d->counters.accepted++;
	set_tick(d);
	handshake(c);
}

/* From somebody who is nobody yet. */
static void listen_to(struct dtls *d, const struct turn_tuple *tuple)
{
	BIO_ADDR *unused;
	int ret;

	if (d->next && !tls_is_current(&d->w->d->tls, &d->next->tls)) {
		conn_free(d->next);
		d->next = NULL;
	}
	if (!d->next)
		d->next = conn_new(d);
	unused = BIO_ADDR_new();
	if (!d->next || !unused) {
		BIO_ADDR_free(unused);
		return;
	}
	d->next->tuple = *tuple;
	ERR_clear_error();
	ret = DTLSv1_listen(d->next->tls.ssl, unused);
	BIO_ADDR_free(unused);
	d->peek = false;
	if (ret > 0) {
		begin(d, d->next);
	} else if (ret < 0) {
		conn_free(d->next);
		d->next = NULL;
	}
	ERR_clear_error();
}

static bool is_hello(const uint8_t *buf, size_t len)
{
	return len > RECORD_HDR_LEN && buf[0] == RECORD_HANDSHAKE &&
	       !buf[3] && !buf[4] && buf[RECORD_HDR_LEN] == CLIENT_HELLO;
}

void dtls_input(struct dtls *d, const struct turn_tuple *tuple,
		const uint8_t *buf, size_t len)
{
	struct dtls_conn *open = find(d, tuple, true);
	struct dtls_conn *begun = find(d, tuple, false);

	d->in = buf;
	d->in_len = len;
	/* While there are both, data is of the one that is open. */
	if (begun && (!open || buf[0] != RECORD_APPLICATION_DATA))
		handshake(begun);
	else if (is_hello(buf, len))
		listen_to(d, tuple);
	else if (open)
		read_messages(open);
	d->in = NULL;
}

/* ------------------------------------------------------------------- sending */

void dtls_send(struct dtls *d, const struct turn_tuple *to,
	       const uint8_t *buf, size_t len)
{
	struct dtls_conn *c = find(d, to, true);

	if (!c)
		return;
	ERR_clear_error();
	if (len > SSL3_RT_MAX_PLAIN_LENGTH ||
	    SSL_write(c->tls.ssl, buf, (int)len) <= 0)
		d->counters.dropped++;
	ERR_clear_error();
}

void dtls_flush(struct dtls *d)
{
	struct dtls_conn *c;

	while ((c = TAILQ_FIRST(&d->dead))) {
		TAILQ_REMOVE(&d->dead, c, entry);
		if (c->known)
			turn_table_del(&d->by_tuple, &c->node);
		/* What never was open has no allocation, but another may. */
		if (c->known && c->open)
			worker_client_gone(d->w, &c->tuple);
		d->counters.now--;
		atomic_fetch_sub(&d->w->d->n_dtls, 1);
		conn_free(c);
	}
}

/* ---------------------------------------------------------------- life cycle */

static const char *overdue(struct dtls_conn *c, uint64_t now)
{
	if (!c->open && now - c->seen_ms >= HANDSHAKE_MS)
		return "the handshake did not end";
	if (!c->open && DTLSv1_handle_timeout(c->tls.ssl) < 0)
		return "no answer";
	if (!c->settled && now - c->seen_ms >= IDLE_MS)
		return "it has no allocation and asks for nothing";
	return NULL;
}

static void look_after(struct dtls *d, struct dtls_tailq *list)
{
	struct dtls_conn *c, *next;
	const char *reason;

	for (c = TAILQ_FIRST(list); c; c = next) {
		next = TAILQ_NEXT(c, entry);
		sort(d, c);
		reason = overdue(c, d->w->now);
		if (reason)
			conn_close(c, reason);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct dtls *d = arg;

	worker_begin(d->w);
	look_after(d, &d->fresh);
	if (!(++d->ticks % TICKS_PER_SECOND))
		look_after(d, &d->settled);
	worker_expire(d->w);
	if (d->counters.now)
		set_tick(d);
}

int dtls_init(struct dtls *d, struct worker *w)
{
	memset(d, 0, sizeof(*d));
	d->w = w;
	TAILQ_INIT(&d->fresh);
	TAILQ_INIT(&d->settled);
	TAILQ_INIT(&d->dead);
	random_bytes(d->hash_key, sizeof(d->hash_key));
	evtimer_assign(&d->tick, w->base, on_tick, d);
	d->plain = malloc(SSL3_RT_MAX_PLAIN_LENGTH);
	if (!d->plain || !turn_table_init(&d->by_tuple))
		return -ENOMEM;
	return 0;
}

void dtls_free(struct dtls *d)
{
	struct dtls_conn *c;

	if (!d->w)
		return;
	while ((c = TAILQ_FIRST(&d->fresh)) || (c = TAILQ_FIRST(&d->settled)))
		conn_close(c, NULL);
	dtls_flush(d);
	if (d->next)
		conn_free(d->next);
	if (event_initialized(&d->tick))
		evtimer_del(&d->tick);
	turn_table_destroy(&d->by_tuple);
	free(d->plain);
	d->w = NULL;
}
