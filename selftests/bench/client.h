/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TURN clients that measure a server: requests are sent and answers taken by
 * separate calls, so that many clients can wait at once. Whatever goes wrong
 * ends the program, with a message.
 */
#ifndef KTURN_BENCH_CLIENT_H
#define KTURN_BENCH_CLIENT_H

#include <kturn/wire.h>

#define CLIENT_USER	"alice"
#define CLIENT_PASSWORD	"secret"

/**
 * struct client - one of them
 * @fd: connected to the server
 * @tid: of the last request
 * @realm: as the server's challenge says; NULL before
 * @nonce: the same
 * @nonce_len: bytes of that
 * @key: of user, realm and password
 * @relay: relayed address, once it has one
 */
struct client {
	int fd;
	__u8 tid[KTURN_STUN_TID_LEN];
	char *realm;
	__u8 nonce[128];
	size_t nonce_len;
	__u8 key[16];
	struct kturn_addr relay;
};

/** make_addr() - of a text and a port in host byte order */
struct kturn_addr make_addr(const char *ip, unsigned int port);

/**
 * udp_socket() - a socket that waits for so long, and then fails
 * @from: bound to this; port 0 takes any
 */
int udp_socket(const struct kturn_addr *from);

/** udp_connect() - from now on to @to only, and from there */
void udp_connect(int fd, const struct kturn_addr *to);

/** udp_address() - where it is bound */
struct kturn_addr udp_address(int fd);

/** client_init() - a client at @fd; it has seen no challenge */
void client_init(struct client *c, int fd);

/* Each has an answer, which client_answer() takes. */

/** client_allocate() - ask for a relayed address of that family */
void client_allocate(struct client *c, unsigned int family);

/** client_permit() - CreatePermission for the peer's address */
void client_permit(struct client *c, const struct kturn_addr *peer);

/** client_bind() - ChannelBind */
void client_bind(struct client *c, unsigned int number,
		 const struct kturn_addr *peer);

/** client_refresh() - Refresh, for the server's default lifetime */
void client_refresh(struct client *c);

/**
 * client_answer() - wait for it
 *
 * A challenge is taken up: what is sent next has credentials (RFC 8489 section
 * 9.2, with MESSAGE-INTEGRITY and a key by MD5, which all servers know).
 *
 * Return: 0, or the error code.
 */
int client_answer(struct client *c);

/** client_expect() - the same; anything but success ends the program */
void client_expect(struct client *c, const char *what);

#endif /* KTURN_BENCH_CLIENT_H */
