// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A TLS client that says much without saying anything.
 *
 *	tls_flood ADDRESS PORT NUMBER
 *
 * After the handshake it makes so many KeyUpdates (RFC 8446 section 4.6.3), says
 * "sending", and sends them as fast as the server takes them.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const char *ip, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, ip, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "%s port %s", ip, port);
	return fd;
}

/* All of them, one after the other, as they go over the wire. */
static BIO *make_updates(SSL *ssl, int number)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (!bio)
		errx(1, "out of memory");
	SSL_set0_wbio(ssl, bio);
	BIO_up_ref(bio);
	while (number--)
		if (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 ||
		    SSL_do_handshake(ssl) != 1)
			errx(1, "no KeyUpdate can be made");
	return bio;
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = ctx ? SSL_new(ctx) : NULL;
	char *bytes;
	ssize_t n;
	long left;
	BIO *bio;
	int fd;

	if (argc != 4 || !ssl) {
		fprintf(stderr, "usage: tls_flood ADDRESS PORT NUMBER\n");
		return 2;
	}
	fd = connect_to(argv[1], argv[2]);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1)
		errx(1, "the handshake failed");
	bio = make_updates(ssl, atoi(argv[3]));
	left = BIO_get_mem_data(bio, &bytes);
	puts("sending");
	fflush(stdout);
	for (; left > 0; left -= n, bytes += n) {
		n = send(fd, bytes, (size_t)left, MSG_NOSIGNAL);
		/* The server may have had enough of it. */
		if (n < 0)
			break;
	}
	close(fd);
	return 0;
}
