// SPDX-License-Identifier: GPL-2.0-or-later
/* TURN clients that measure a server; see client.h. */
#include <arpa/inet.h>
#include <err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "client.h"

/*
 * What takes longer was lost. A VM that waits for its host, to read a file for
 * the server, say, has a clock that runs from timer to timer meanwhile.
 */
#define SECONDS		300
#define BUFFER		(8 << 20)

#define MESSAGE_MAX	1024
#define UDP_PROTO	17

union socket_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t to_socket(const struct kturn_addr *a, union socket_addr *s)
{
	memset(s, 0, sizeof(*s));
	if (a->family == KTURN_FAMILY_V4) {
		s->in.sin_family = AF_INET;
		s->in.sin_port = a->port;
		memcpy(&s->in.sin_addr, a->ip, 4);
		return sizeof(s->in);
	}
	s->in6.sin6_family = AF_INET6;
	s->in6.sin6_port = a->port;
	memcpy(&s->in6.sin6_addr, a->ip, 16);
	return sizeof(s->in6);
}

struct kturn_addr make_addr(const char *ip, unsigned int port)
{
	struct kturn_addr a = { .port = htons(port) };

	if (inet_pton(AF_INET, ip, a.ip) == 1)
		a.family = KTURN_FAMILY_V4;
	else if (inet_pton(AF_INET6, ip, a.ip) == 1)
		a.family = KTURN_FAMILY_V6;
	else
		errx(2, "%s is no IP address", ip);
	return a;
}

int udp_socket(const struct kturn_addr *from)
{
	struct timeval timeout = { .tv_sec = SECONDS };
	int buffer = BUFFER, fd;
	union socket_addr s;
	socklen_t len = to_socket(from, &s);

	fd = socket(s.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, &s.sa, len) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer,
		       sizeof(buffer)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		err(1, "can't open a socket");
	return fd;
}

void udp_connect(int fd, const struct kturn_addr *to)
{
	union socket_addr s;
	socklen_t len = to_socket(to, &s);

	if (connect(fd, &s.sa, len))
		err(1, "can't connect a socket");
}

struct kturn_addr udp_address(int fd)
{
	struct kturn_addr a = { .family = KTURN_FAMILY_V4 };
	union socket_addr s;
	socklen_t len = sizeof(s);

	if (getsockname(fd, &s.sa, &len))
		err(1, "can't tell a socket's address");
	a.port = s.in.sin_port;
	if (s.sa.sa_family == AF_INET) {
		memcpy(a.ip, &s.in.sin_addr, 4);
	} else {
		a.family = KTURN_FAMILY_V6;
		memcpy(a.ip, &s.in6.sin6_addr, 16);
	}
	return a;
}

void client_init(struct client *c, int fd)
{
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	/* Random once, and counted from there. */
	if (getrandom(c->tid, sizeof(c->tid), 0) < 0)
		err(1, "getrandom");
}

/* ----------------------------------------------------------------- requests */

struct request {
	struct kturn_builder b;
	__u8 buf[MESSAGE_MAX];
};

static void request_begin(struct request *r, struct client *c,
			  enum kturn_method method)
{
	kturn_put32(c->tid, kturn_get32(c->tid) + 1);
	kturn_build_begin(&r->b, r->buf, sizeof(r->buf),
			  kturn_type(method, KTURN_REQUEST), c->tid);
}

static void add_text(struct request *r, __u16 type, const char *text)
{
	kturn_build_attr(&r->b, type, text, strlen(text));
}

/* RFC 8489 section 14.5. */
static void add_integrity(struct request *r, const struct client *c)
{
	__u8 mac[20];

	kturn_stun_set_length(r->buf, r->b.len - KTURN_STUN_HDR_LEN +
			      KTURN_ATTR_HDR_LEN + sizeof(mac));
	if (!HMAC(EVP_sha1(), c->key, sizeof(c->key), r->buf, r->b.len, mac,
		  NULL))
		errx(1, "can't make an HMAC");
	kturn_build_attr(&r->b, KTURN_ATTR_MESSAGE_INTEGRITY, mac,
			 sizeof(mac));
}

static void request_send(struct request *r, const struct client *c)
{
	if (c->realm) {
		add_text(r, KTURN_ATTR_USERNAME, CLIENT_USER);
		add_text(r, KTURN_ATTR_REALM, c->realm);
		kturn_build_attr(&r->b, KTURN_ATTR_NONCE, c->nonce,
				 c->nonce_len);
		add_integrity(r, c);
	}
	if (r->b.overflow)
		errx(1, "a request has no room for what the server wants");
	if (send(c->fd, r->buf, r->b.len, 0) < 0)
		err(1, "can't send a request");
}

void client_allocate(struct client *c, unsigned int family)
{
	struct request r;

	request_begin(&r, c, KTURN_ALLOCATE);
	kturn_build_u32(&r.b, KTURN_ATTR_REQUESTED_TRANSPORT, UDP_PROTO << 24);
	if (family != KTURN_FAMILY_V4)
		kturn_build_u32(&r.b, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY,
				family << 24);
	request_send(&r, c);
}

void client_permit(struct client *c, const struct kturn_addr *peer)
{
	struct request r;

	request_begin(&r, c, KTURN_CREATE_PERMISSION);
	kturn_build_xor_addr(&r.b, KTURN_ATTR_XOR_PEER_ADDRESS, peer);
	request_send(&r, c);
}

void client_bind(struct client *c, unsigned int number,
		 const struct kturn_addr *peer)
{
	struct request r;

	request_begin(&r, c, KTURN_CHANNEL_BIND);
	kturn_build_u32(&r.b, KTURN_ATTR_CHANNEL_NUMBER, number << 16);
	kturn_build_xor_addr(&r.b, KTURN_ATTR_XOR_PEER_ADDRESS, peer);
	request_send(&r, c);
}

void client_refresh(struct client *c)
{
	struct request r;

	request_begin(&r, c, KTURN_REFRESH);
	request_send(&r, c);
}

/* ------------------------------------------------------------------ answers */

static bool find(const struct kturn_stun *msg, __u16 type,
		 struct kturn_attr *attr)
{
	struct kturn_attr_iter it;

	kturn_attr_begin(&it, msg);
	while (kturn_attr_next(&it, attr))
		if (attr->type == type)
			return true;
	return false;
}

/* RFC 8489 section 9.2.2. */
static void make_key(struct client *c)
{
	char text[512];
	int len = snprintf(text, sizeof(text), "%s:%s:%s", CLIENT_USER,
			   c->realm, CLIENT_PASSWORD);

	if (len >= (int)sizeof(text) ||
	    !EVP_Digest(text, len, c->key, NULL, EVP_md5(), NULL))
		errx(1, "can't make a key");
}

static void take_challenge(struct client *c, const struct kturn_stun *msg)
{
	struct kturn_attr realm, nonce;

	if (!find(msg, KTURN_ATTR_REALM, &realm) ||
	    !find(msg, KTURN_ATTR_NONCE, &nonce) ||
	    nonce.len > sizeof(c->nonce))
		errx(1, "the server's challenge has no realm or no nonce");
	free(c->realm);
	c->realm = strndup((const char *)realm.value, realm.len);
	if (!c->realm)
		err(1, "no memory");
	memcpy(c->nonce, nonce.value, nonce.len);
	c->nonce_len = nonce.len;
	make_key(c);
}

static int error_code(const struct kturn_stun *msg)
{
	struct kturn_attr attr;

	if (!find(msg, KTURN_ATTR_ERROR_CODE, &attr) || attr.len < 4)
		errx(1, "the server refused without saying why");
	return (attr.value[2] & 7) * 100 + attr.value[3];
}

int client_answer(struct client *c)
{
	struct kturn_stun msg;
	struct kturn_attr attr;
	__u8 buf[MESSAGE_MAX];
	ssize_t n;
	int code;

	n = recv(c->fd, buf, sizeof(buf), 0);
	if (n < 0)
		err(1, "no answer from the server");
	if (kturn_stun_parse(buf, n, &msg) ||
	    memcmp(msg.tid, c->tid, sizeof(c->tid)))
		errx(1, "that is no answer to what the server was asked");
	if (msg.cls == KTURN_ERROR) {
		code = error_code(&msg);
		if (code == 401 || code == 438)
			take_challenge(c, &msg);
		return code;
	}
	if (msg.method == KTURN_ALLOCATE &&
	    (!find(&msg, KTURN_ATTR_XOR_RELAYED_ADDRESS, &attr) ||
	     kturn_xor_addr_parse(attr.value, attr.len, msg.tid, &c->relay)))
		errx(1, "the server's answer has no relayed address");
	return 0;
}

void client_expect(struct client *c, const char *what)
{
	int code = client_answer(c);

	if (code)
		errx(1, "%s: error %d from the server", what, code);
}
