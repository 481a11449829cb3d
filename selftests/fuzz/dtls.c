// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Datagrams of DTLS: those of a client of OpenSSL's, changed, lost and repeated
 * on their way, and any others. Who never sent a cookie back has no state and
 * gets no more bytes than it sent; what comes out is what a client has put in.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <syslog.h>
#include <unistd.h>

#include "fuzz.h"
#include "kturnd/daemon.h"
#include "kturnd/transport/dtls.h"
#include "log.h"

#define TEXT		"a client's "
#define TEXT_LEN	(sizeof(TEXT) - 1)
#define DATAGRAM_MAX	65536
#define CONNECTIONS	4

/**
 * struct input - what to do
 * @p: next byte
 * @left: how many
 */
struct input {
	const uint8_t *p;
	size_t left;
};

static struct daemon daemon_;
static struct worker worker;
static SSL_CTX *client_ctx;
/* The client, and what it sent last. */
static SSL *client;
static struct turn_tuple tuple;
static uint8_t last[DATAGRAM_MAX];
static size_t last_len;
static size_t n_received, n_sent;

/* ------------------------------------------------------- the worker's part */

void worker_send(struct worker *w, const struct turn_tuple *to,
		 const uint8_t *buf, size_t len)
{
	n_sent += len;
	if (to->client.port == tuple.client.port)
		BIO_write(SSL_get_rbio(client), buf, (int)len);
}

void worker_begin(struct worker *w)
{
}

void worker_expire(struct worker *w)
{
	dtls_flush(&w->dtls);
}

void visitor_client_input(struct worker *w, uint64_t wall,
			  const struct turn_tuple *from, const uint8_t *buf,
			  size_t len)
{
	FUZZ_ASSERT(len == TEXT_LEN && !memcmp(buf, TEXT, len));
	FUZZ_ASSERT(from->transport == TURN_DTLS);
	dtls_send(&w->dtls, from, buf, len);
}

void worker_client_gone(struct worker *w, const struct turn_tuple *from)
{
}

/* Every other client has an allocation. */
bool visitor_client_known(struct worker *w, const struct turn_tuple *from)
{
	return kturn_get16((const uint8_t *)&from->client.port) & 1;
}

/* ------------------------------------------------------------ certificates */

static void write_certificate(const char *path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *f = fopen(path, "we");

	FUZZ_ASSERT(key && cert && f);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 1 << 20);
	X509_set_pubkey(cert, key);
	FUZZ_ASSERT(X509_sign(cert, key, EVP_sha256()));
	FUZZ_ASSERT(PEM_write_X509(f, cert) &&
		    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
	fclose(f);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void init(void)
{
	static char *path;
	static struct config cfg = {
		.tls_certs = &path, .n_tls_certs = 1,
		.max_connections = CONNECTIONS,
	};
	int fd;

	path = strdup("/tmp/kturn-fuzz-dtls.XXXXXX");
	FUZZ_ASSERT(path);
	fd = mkstemp(path);
	FUZZ_ASSERT(fd >= 0);
	close(fd);
	write_certificate(path);
	FUZZ_ASSERT(!tls_open(&daemon_.tls, &cfg));
	unlink(path);
	daemon_.cfg = &cfg;
	worker.d = &daemon_;
	worker.base = event_base_new();
	client_ctx = SSL_CTX_new(DTLS_client_method());
	FUZZ_ASSERT(worker.base && client_ctx);
	log_set_level(LOG_EMERG);
}

/* -------------------------------------------------------------- the client */

static void client_new(uint8_t port)
{
	SSL_free(client);
	client = SSL_new(client_ctx);
	FUZZ_ASSERT(client);
	SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(client), -1);
	SSL_set_options(client, SSL_OP_NO_QUERY_MTU);
	DTLS_set_link_mtu(client, 1280);
	SSL_set_connect_state(client);
	kturn_put16((uint8_t *)&tuple.client.port, 1000 + port % 8);
}

/* What it has to say, for the server to hear. */
static void client_speaks(void)
{
	char buf[256];
	int n;

	if (SSL_do_handshake(client) == 1) {
		while (SSL_read(client, buf, sizeof(buf)) > 0)
			;
		SSL_write(client, TEXT, TEXT_LEN);
	}
	n = BIO_read(SSL_get_wbio(client), last, sizeof(last));
	last_len = n > 0 ? (size_t)n : 0;
}

static void arrives(const uint8_t *data, size_t len)
{
	uint8_t *copy = fuzz_copy(data, len);

	n_received += len;
	if (dtls_is(copy, len))
		dtls_input(&worker.dtls, &tuple, copy, len);
	free(copy);
}

/* ----------------------------------------------------------------- the steps */

static unsigned int take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static void any_datagram(struct input *in)
{
	size_t len = take(in);

	if (len > in->left)
		len = in->left;
	arrives(in->p, len);
	in->p += len;
	in->left -= len;
}

static void changed(struct input *in)
{
	size_t at = take(in) << 8 | take(in);

	client_speaks();
	if (last_len)
		last[at % last_len] ^= take(in);
	arrives(last, last_len);
}

static void time_passes(struct input *in)
{
	struct event *tick = &worker.dtls.tick;

	worker.now += take(in) << 8;
	event_get_callback(tick)(-1, 0, event_get_callback_arg(tick));
}

/* Return: whether a client that is one took part. */
static bool step(struct input *in)
{
	switch (take(in) % 8) {
	case 0:
	case 1:
		client_speaks();
		arrives(last, last_len);
		return true;
	case 2:
		changed(in);
		return true;
	case 3:
		arrives(last, last_len);
		return true;
	case 4:
		/* It is lost. */
		client_speaks();
		return true;
	case 5:
		time_passes(in);
		return false;
	case 6:
		client_new(take(in));
		return true;
	default:
		any_datagram(in);
		return false;
	}
}

int fuzz_one(const __u8 *data, size_t size)
{
	struct input in = { data, size };
	bool real = false;

	if (!client_ctx)
		init();
	FUZZ_ASSERT(!dtls_init(&worker.dtls, &worker));
	tuple = (struct turn_tuple){ .transport = TURN_DTLS };
	tuple.client.family = KTURN_FAMILY_V4;
	tuple.server.family = KTURN_FAMILY_V4;
	last_len = 0;
	n_sent = 0;
	n_received = 0;
	client_new(0);
	while (in.left) {
		real |= step(&in);
		dtls_flush(&worker.dtls);
		FUZZ_ASSERT(worker.dtls.counters.now <= CONNECTIONS);
		FUZZ_ASSERT(real || !worker.dtls.counters.accepted);
		FUZZ_ASSERT(worker.dtls.counters.accepted ||
			    n_sent <= n_received);
	}
	dtls_free(&worker.dtls);
	FUZZ_ASSERT(!daemon_.n_dtls);
	SSL_free(client);
	client = NULL;
	ERR_clear_error();
	return 0;
}
