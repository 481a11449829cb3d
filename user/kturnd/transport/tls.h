/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS and DTLS (RFC 8489 section 6.2.2, RFC 7350, RFC 7443): certificates, which of them a
 * client gets (SNI), and what it may say. The files are looked at again and
 * again, and read anew when they have changed; connections go on with what
 * they began with.
 */
#ifndef _KTURND_TLS_H
#define _KTURND_TLS_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include "kturnd/config.h"

struct tls_set;

/**
 * struct tls - where connections get their certificates
 * @cfg: names of the files, constant
 * @lock: protects @set
 * @set: what was read last
 * @stamp: what the files were like when they were read
 */
struct tls {
	const struct config *cfg;
	pthread_mutex_t lock;
	struct tls_set *set;
	uint64_t stamp;
};

/**
 * struct tls_session - TLS of a connection
 * @ssl: OpenSSL's
 * @set: its certificates, which live as long
 */
struct tls_session {
	SSL *ssl;
	struct tls_set *set;
};

/**
 * tls_open() - read the files
 * @t: result
 * @cfg: configuration, with a certificate
 *
 * What is wrong is logged. Return: 0 or -EINVAL.
 */
int tls_open(struct tls *t, const struct config *cfg);

/** tls_close() - free it; also of what could not be opened */
void tls_close(struct tls *t);

/** tls_follow() - read the files anew if they have changed; main thread. What
 * can't be used is logged, and changes nothing.
 */
void tls_follow(struct tls *t);

/** tls_accept() - the server's side of a connection; @bio is taken over in any
 * case; false without memory
 */
bool tls_accept(struct tls *t, BIO *bio, struct tls_session *session);

/** tls_accept_datagrams() - the same for DTLS */
bool tls_accept_datagrams(struct tls *t, BIO *bio,
			  struct tls_session *session);

/** tls_method() - how OpenSSL is to send and receive; once for each kind */
BIO_METHOD *tls_method(int (*read)(BIO *bio, char *buf, int size),
		       int (*write)(BIO *bio, const char *buf, int len),
		       long (*ctrl)(BIO *bio, int cmd, long num, void *ptr));

/** tls_is_current() - does it have what a new connection would get? */
bool tls_is_current(struct tls *t, const struct tls_session *session);

/** tls_end() - say that we have done, free it */
void tls_end(struct tls_session *session);

/**
 * tls_log_failure() - say which end gave up and why
 * @session: connection
 * @ret: of the call that failed
 * @client: who is at its other end
 */
void tls_log_failure(const struct tls_session *session, int ret,
		     const struct kturn_addr *client);

#endif /* _KTURND_TLS_H */
