/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients that come by DTLS (RFC 7350): a worker's associations, at the sockets
 * that plain UDP comes to as well (RFC 7983). A client gets a cookie, and only
 * one that sends it back gets state.
 */
#ifndef _KTURND_DTLS_H
#define _KTURND_DTLS_H

#include "stream.h"

struct dtls;

/**
 * struct dtls_conn - an association
 * @d: its worker's
 * @entry: of @d->fresh, @d->settled or @d->dead
 * @node: by 5-tuple
 * @tls: OpenSSL's
 * @tuple: 5-tuple
 * @seen_ms: when something came last that was the client's; before the end of
 *	the handshake, when that began
 * @open: the handshake is over
 * @settled: it had an allocation when that was looked at last
 * @known: @node is in the table
 * @dead: to be freed
 */
struct dtls_conn {
	struct dtls *d;
	TAILQ_ENTRY(dtls_conn) entry;
	struct turn_node node;
	struct tls_session tls;
	struct turn_tuple tuple;
	uint64_t seen_ms;
	bool open;
	bool settled;
	bool known;
	bool dead;
};

TAILQ_HEAD(dtls_tailq, dtls_conn);

/**
 * struct dtls - the associations of a worker
 * @w: worker
 * @hash_key: of @by_tuple
 * @by_tuple: all of them
 * @fresh: without an allocation, those that came first at the start
 * @settled: with one
 * @dead: to be freed
 * @next: does not know its client yet; NULL: to be made
 * @tick: looks after what takes too long, while there are any
 * @ticks: how many there were
 * @in: the datagram that is being read, NULL once it is
 * @in_len: its length
 * @peek: it is looked at only
 * @plain: what was in it
 * @counters: what happened
 */
struct dtls {
	struct worker *w;
	uint8_t hash_key[TURN_SIPHASH_KEY_LEN];
	struct turn_table by_tuple;
	struct dtls_tailq fresh;
	struct dtls_tailq settled;
	struct dtls_tailq dead;
	struct dtls_conn *next;
	struct event tick;
	unsigned int ticks;
	const uint8_t *in;
	size_t in_len;
	bool peek;
	uint8_t *plain;
	struct stream_counters counters;
};

/** dtls_init() - no associations; 0 or -ENOMEM */
int dtls_init(struct dtls *d, struct worker *w);

/** dtls_free() - end all of them; also of what could not be made */
void dtls_free(struct dtls *d);

/** dtls_is() - is a datagram one of DTLS? RFC 7983 section 7 */
static inline bool dtls_is(const uint8_t *buf, size_t len)
{
	return len && buf[0] >= 20 && buf[0] <= 63;
}

/**
 * dtls_input() - a datagram of DTLS
 * @d: associations
 * @tuple: its 5-tuple, with TURN_DTLS
 * @buf: datagram
 * @len: its length
 */
void dtls_input(struct dtls *d, const struct turn_tuple *tuple,
		const uint8_t *buf, size_t len);

/** dtls_send() - send a message; if there is no such association any more, or it
 * does not fit into a record, it is forgotten
 */
void dtls_send(struct dtls *d, const struct turn_tuple *to,
	       const uint8_t *buf, size_t len);

/** dtls_flush() - the end of a round: forget who has gone */
void dtls_flush(struct dtls *d);

/** dtls_cookie_make() - OpenSSL's callback */
int dtls_cookie_make(SSL *ssl, unsigned char *cookie, unsigned int *len);

/** dtls_cookie_check() - OpenSSL's callback */
int dtls_cookie_check(SSL *ssl, const unsigned char *cookie, unsigned int len);

#endif /* _KTURND_DTLS_H */
