// SPDX-License-Identifier: GPL-2.0-or-later
/* TLS and DTLS; see tls.h. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "dtls.h"
#include "kturn.h"
#include "kturnd/file.h"
#include "log.h"
#include "tls.h"

/**
 * struct tls_set - certificates that were read together
 * @users: connections and struct tls
 * @n: how many
 * @cert: one for each, the first for those who ask for no name, or another one
 */
struct tls_set {
	atomic_uint users;
	size_t n;
	struct tls_cert {
		SSL_CTX *stream;
		SSL_CTX *datagrams;
	} cert[];
};

static void set_put(struct tls_set *set)
{
	size_t i;

	if (!set || atomic_fetch_sub(&set->users, 1) != 1)
		return;
	for (i = 0; i < set->n; i++) {
		SSL_CTX_free(set->cert[i].stream);
		SSL_CTX_free(set->cert[i].datagrams);
	}
	free(set);
}

/* --------------------------------------------------- what clients may ask for */

/* RFC 6066 section 3, the name by which a client knows us. */
static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct tls_set *set = arg;
	const struct tls_cert *cert;
	size_t i;

	if (!name)
		return SSL_TLSEXT_ERR_NOACK;
	for (i = 0; i < set->n; i++) {
		cert = &set->cert[i];
		if (X509_check_host(SSL_CTX_get0_certificate(cert->stream),
				    name, 0, 0, NULL) != 1)
			continue;
		SSL_set_SSL_CTX(ssl, SSL_is_dtls(ssl) ? cert->datagrams :
							cert->stream);
		return SSL_TLSEXT_ERR_OK;
	}
	/* The client is the one to say whether it takes the first one. */
	return SSL_TLSEXT_ERR_NOACK;
}

/* RFC 7443; RFC 7301 section 3.2: a client that knows neither is refused. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		   const unsigned char *in, unsigned int in_len, void *arg)
{
	static const unsigned char ours[] =
		"\x09" "stun.turn" "\x12" "stun.nat-discovery";
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in,
				  in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* ------------------------------------------------------------------ reading */

/* OpenSSL's last error says most, but for one of the system's. */
static const char *why(void)
{
	unsigned long first = ERR_peek_error();
	const char *reason;

	if (ERR_SYSTEM_ERROR(first))
		return strerror(ERR_GET_REASON(first));
	reason = ERR_reason_error_string(ERR_peek_last_error());
	return reason ? reason : "unknown";
}

static bool complain(const char *option, const char *file)
{
	log_limited(LOG_ERR, "tls-failed", "option=%s file=%s error=%s", option,
		    file, why());
	return false;
}

static bool use_client_ca(SSL_CTX *ctx, const char *file)
{
	static const unsigned char id[] = "kturnd";
	STACK_OF(X509_NAME) *names;

	if (!file)
		return true;
	names = SSL_load_client_CA_file(file);
	if (!names)
		return complain("tls-client-ca", file);
	SSL_CTX_set_client_CA_list(ctx, names);
	if (!SSL_CTX_load_verify_locations(ctx, file, NULL))
		return complain("tls-client-ca", file);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
			   SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return true;
}

static bool use_files(SSL_CTX *ctx, const struct config *cfg, size_t i)
{
	const char *cert = cfg->tls_certs[i];
	const char *key = cfg->n_tls_keys ? cfg->tls_keys[i] : cert;

	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return complain("tls-cert", cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return complain(cfg->n_tls_keys ? "tls-key" : "tls-cert", key);
	return use_client_ca(ctx, cfg->tls_client_ca);
}

/* Or OpenSSL would ask at the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	return 0;
}

static SSL_CTX *make_ctx(const struct config *cfg, size_t i,
			 struct tls_set *set, const SSL_METHOD *method,
			 int version)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, version);
	/*
	 * RFC 8489 section 6.2.3: forward secrecy is what we prefer, as
	 * OpenSSL's order of ciphersuites does; no compression.
	 */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
			    SSL_OP_IGNORE_UNEXPECTED_EOF |
			    SSL_OP_CIPHER_SERVER_PREFERENCE |
			    SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_COMPRESSION);
	/* TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 must not be missing. */
	SSL_CTX_set_dh_auto(ctx, 1);
	/* Tickets do, and thousands of sessions would take memory. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
			 SSL_MODE_ENABLE_PARTIAL_WRITE |
			 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, set);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	if (use_files(ctx, cfg, i))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static bool make_cert(const struct config *cfg, size_t i, struct tls_set *set)
{
	struct tls_cert *cert = &set->cert[i];

	cert->stream = make_ctx(cfg, i, set, TLS_server_method(),
				TLS1_2_VERSION);
	if (cert->stream)
		cert->datagrams = make_ctx(cfg, i, set, DTLS_server_method(),
					   DTLS1_2_VERSION);
	if (!cert->datagrams)
		return false;
	SSL_CTX_set_cookie_generate_cb(cert->datagrams, dtls_cookie_make);
	SSL_CTX_set_cookie_verify_cb(cert->datagrams, dtls_cookie_check);
	return true;
}

static struct tls_set *read_set(const struct config *cfg)
{
	struct tls_set *set;
	size_t i;

	set = calloc(1, sizeof(*set) + cfg->n_tls_certs * sizeof(*set->cert));
	if (!set)
		return NULL;
	atomic_init(&set->users, 1);
	ERR_clear_error();
	for (i = 0; i < cfg->n_tls_certs; i++) {
		set->n++;
		if (!make_cert(cfg, i, set)) {
			set_put(set);
			return NULL;
		}
	}
	return set;
}

static void log_set(const struct tls_set *set, const struct config *cfg)
{
	const X509 *cert;
	const ASN1_TIME *end;
	char text[64];
	BIO *bio;
	size_t i;
	int n;

	for (i = 0; i < set->n; i++) {
		cert = SSL_CTX_get0_certificate(set->cert[i].stream);
		end = X509_get0_notAfter(cert);
		bio = BIO_new(BIO_s_mem());
		if (!bio)
			return;
		ASN1_TIME_print(bio, end);
		n = BIO_read(bio, text, sizeof(text) - 1);
		BIO_free(bio);
		text[n > 0 ? n : 0] = '\0';
		log_event(X509_cmp_current_time(end) > 0 ? LOG_NOTICE :
							   LOG_WARNING,
			  "certificate", "file=%s valid_until=%s",
			  cfg->tls_certs[i], text);
	}
}

/* ---------------------------------------------------------------- life cycle */

static uint64_t stamp(const struct config *cfg)
{
	uint64_t s = file_stamp(0, cfg->tls_client_ca);
	size_t i;

	for (i = 0; i < cfg->n_tls_certs; i++)
		s = file_stamp(s, cfg->tls_certs[i]);
	for (i = 0; i < cfg->n_tls_keys; i++)
		s = file_stamp(s, cfg->tls_keys[i]);
	return s;
}

int tls_open(struct tls *t, const struct config *cfg)
{
	memset(t, 0, sizeof(*t));
	t->cfg = cfg;
	pthread_mutex_init(&t->lock, NULL);
	t->stamp = stamp(cfg);
	t->set = read_set(cfg);
	if (!t->set)
		return -EINVAL;
	log_set(t->set, cfg);
	return 0;
}

void tls_close(struct tls *t)
{
	if (!t->cfg)
		return;
	set_put(t->set);
	pthread_mutex_destroy(&t->lock);
	memset(t, 0, sizeof(*t));
}

void tls_follow(struct tls *t)
{
	uint64_t now = stamp(t->cfg);
	struct tls_set *set, *old;

	if (now == t->stamp)
		return;
	/* What fails is tried again: it may have been for want of memory. */
	set = read_set(t->cfg);
	if (!set) {
		log_limited(LOG_WARNING, "tls-reload-failed", "effect=%s",
			    "the certificates read before stay in use");
		return;
	}
	t->stamp = now;
	pthread_mutex_lock(&t->lock);
	old = t->set;
	t->set = set;
	pthread_mutex_unlock(&t->lock);
	set_put(old);
	log_set(set, t->cfg);
}

/* What is in use now, until set_put(). */
static struct tls_set *set_get(struct tls *t)
{
	struct tls_set *set;

	pthread_mutex_lock(&t->lock);
	set = t->set;
	atomic_fetch_add(&set->users, 1);
	pthread_mutex_unlock(&t->lock);
	return set;
}

static bool begin(struct tls *t, bool datagrams, BIO *bio,
		  struct tls_session *session)
{
	const struct tls_cert *cert;

	session->set = set_get(t);
	cert = &session->set->cert[0];
	session->ssl = SSL_new(datagrams ? cert->datagrams : cert->stream);
	if (!session->ssl) {
		BIO_free(bio);
		tls_end(session);
		return false;
	}
	SSL_set_bio(session->ssl, bio, bio);
	SSL_set_accept_state(session->ssl);
	return true;
}

bool tls_accept(struct tls *t, BIO *bio, struct tls_session *session)
{
	return begin(t, false, bio, session);
}

bool tls_accept_datagrams(struct tls *t, BIO *bio, struct tls_session *session)
{
	return begin(t, true, bio, session);
}

BIO_METHOD *tls_method(int (*read)(BIO *bio, char *buf, int size),
		       int (*write)(BIO *bio, const char *buf, int len),
		       long (*ctrl)(BIO *bio, int cmd, long num, void *ptr))
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
				     "kturnd");

	if (!m)
		return NULL;
	BIO_meth_set_read(m, read);
	BIO_meth_set_write(m, write);
	BIO_meth_set_ctrl(m, ctrl);
	return m;
}

bool tls_is_current(struct tls *t, const struct tls_session *session)
{
	bool current;

	pthread_mutex_lock(&t->lock);
	current = t->set == session->set;
	pthread_mutex_unlock(&t->lock);
	return current;
}

void tls_end(struct tls_session *session)
{
	if (session->ssl) {
		ERR_clear_error();
		if (SSL_is_init_finished(session->ssl))
			SSL_shutdown(session->ssl);
		SSL_free(session->ssl);
	}
	set_put(session->set);
	memset(session, 0, sizeof(*session));
	ERR_clear_error();
}

void tls_log_failure(const struct tls_session *session, int ret,
		     const struct kturn_addr *client)
{
	int error = SSL_get_error(session->ssl, ret);
	const char *end = "client", *text = "closed the connection";
	char addr[KTURN_ADDR_TEXT_MAX];

	if (error == SSL_ERROR_SSL) {
		/* What is told in an alert is the other end's reason. */
		if (ERR_GET_REASON(ERR_peek_last_error()) <
		    SSL_AD_REASON_OFFSET)
			end = "server";
		text = why();
	} else if (error == SSL_ERROR_SYSCALL && errno) {
		text = strerror(errno);
	}
	log_limited(LOG_INFO, "tls-failed", "client=%s end=%s error=%s",
		    kturn_addr_text(client, addr), end, text);
	ERR_clear_error();
}
