// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DTLS for tests' clients, whose language has none.
 *
 *	dtls_pipe UDP PIPE [NAME [CERTIFICATE]]
 *
 * UDP is a connected socket's descriptor, PIPE a Unix socket's that keeps
 * messages apart. After the handshake, in which the server is asked for NAME,
 * says "ready" there; from then on each message goes through. Ends when either
 * side does. CERTIFICATE is a file with our own certificate and key.
 */
#include <err.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX	65536

static __attribute__((noreturn)) void fail(const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	errx(1, "%s: %s", what, reason ? reason : "no error of OpenSSL's");
}

static SSL *connect_at(int fd, const char *name, const char *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	SSL *ssl;
	BIO *bio;

	if (!ctx || getpeername(fd, (struct sockaddr *)&peer, &len))
		err(1, "can't begin");
	if (cert && (SSL_CTX_use_certificate_file(ctx, cert,
						  SSL_FILETYPE_PEM) != 1 ||
		     SSL_CTX_use_PrivateKey_file(ctx, cert,
						 SSL_FILETYPE_PEM) != 1))
		fail(cert);
	ssl = SSL_new(ctx);
	bio = BIO_new_dgram(fd, BIO_NOCLOSE);
	if (!ssl || !bio)
		errx(1, "out of memory");
	BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
	SSL_set_bio(ssl, bio, bio);
	if (name)
		SSL_set_tlsext_host_name(ssl, name);
	if (SSL_connect(ssl) != 1)
		fail("the handshake");
	/* What comes need not be data. */
	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		err(1, "fcntl");
	return ssl;
}

/* False: the server has ended it. */
static bool to_test(SSL *ssl, int pipe, char *buf)
{
	int n = SSL_read(ssl, buf, MESSAGE_MAX);

	if (n > 0)
		return send(pipe, buf, (size_t)n, MSG_NOSIGNAL) == n;
	return SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ;
}

/* False: the test has ended it. */
static bool to_server(SSL *ssl, int pipe, char *buf)
{
	ssize_t n = recv(pipe, buf, MESSAGE_MAX, 0);

	if (n <= 0)
		return false;
	if (SSL_write(ssl, buf, (int)n) <= 0)
		fail("sending");
	return true;
}

int main(int argc, char **argv)
{
	char *buf = malloc(MESSAGE_MAX);
	struct pollfd p[2];
	bool open = true;
	SSL *ssl;

	if (argc < 3 || argc > 5 || !buf) {
		fprintf(stderr,
			"usage: dtls_pipe UDP PIPE [NAME [CERTIFICATE]]\n");
		return 2;
	}
	p[0] = (struct pollfd){ .fd = atoi(argv[1]), .events = POLLIN };
	p[1] = (struct pollfd){ .fd = atoi(argv[2]), .events = POLLIN };
	ssl = connect_at(p[0].fd, argc > 3 && *argv[3] ? argv[3] : NULL,
			 argc > 4 ? argv[4] : NULL);
	if (send(p[1].fd, "ready", 5, MSG_NOSIGNAL) != 5)
		err(1, "can't say that it is ready");
	while (open) {
		if (poll(p, 2, -1) < 0)
			err(1, "poll");
		if (p[0].revents)
			open = to_test(ssl, p[1].fd, buf);
		if (open && p[1].revents)
			open = to_server(ssl, p[1].fd, buf);
	}
	SSL_shutdown(ssl);
	SSL_free(ssl);
	return 0;
}
