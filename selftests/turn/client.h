/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TURN client for the tests: builds requests, checks responses. Its HMACs
 * and keys are made here anew, not with the code under test.
 */
#ifndef KTURN_SELFTESTS_CLIENT_H
#define KTURN_SELFTESTS_CLIENT_H

#include "world.h"

#define NO_REPLY	-1
#define SUCCESS		0
#define NONCE_MAX	128

/* How a client says who it is. */
enum mechanism {
	LEGACY,		/* RFC 5389: MD5, MESSAGE-INTEGRITY */
	ALG_MD5,	/* PASSWORD-ALGORITHM MD5, MESSAGE-INTEGRITY-SHA256 */
	ALG_SHA256,	/* PASSWORD-ALGORITHM SHA-256, the same */
};

struct client {
	struct turn_tuple tuple;
	const char *user;
	const char *sent_user;	/* USERNAME, when it is not @user */
	const char *password;
	const char *realm;
	enum mechanism mechanism;
	bool userhash;
	const char *origin;
	/* An access token, and what keys the messages in place of a password. */
	const uint8_t *access;
	size_t access_len;
	const uint8_t *mac_key;
	size_t mac_key_len;
	bool fingerprint;
	/* As the last challenge said. */
	uint8_t nonce[NONCE_MAX];
	size_t nonce_len;
	uint8_t algorithms[64];
	size_t algorithms_len;
	uint8_t tid[KTURN_STUN_TID_LEN];
	/* From the last Allocate that succeeded. */
	struct kturn_addr relay;
	struct kturn_addr relay6;	/* the second one, of a dual allocation */
	struct kturn_addr mapped;
	uint32_t lifetime;
	uint8_t token[8];
	bool has_token;
};

struct request {
	struct kturn_builder b;
	uint8_t buf[8192];
};

/* The last response, in world.sent[0]. */
struct response {
	struct kturn_stun msg;
	int code;
	const uint8_t *p;
	size_t len;
};

extern struct response resp;

/* alice at 198.51.100.1:@port, talking to 203.0.113.1:3478, legacy. */
void client_init(struct client *c, uint16_t port);
/* With a nonce and algorithms from a challenge, which is checked too. */
void client_challenge(struct client *c);
/* Challenged, with an allocation. */
void client_allocated(struct client *c, uint16_t port);
void client_allocated_v6(struct client *c, uint16_t port);
/* Is the request refused with @code, and everything as it was? */
void check_refused(struct client *c, struct request *r, int code);
/* The same, at port 40000, in a new world. */
void world_allocated(struct client *c);

/* A request with the next transaction id; req_again() keeps the last. */
void req_begin(struct request *r, struct client *c, enum kturn_method method);
void req_again(struct request *r, struct client *c, enum kturn_method method);
void req_attr(struct request *r, uint16_t type, const void *value, size_t len);
void req_u32(struct request *r, uint16_t type, uint32_t value);
void req_peer(struct request *r, const char *peer);
/* Credentials and integrity. */
void req_auth(struct request *r, const struct client *c);
/* The parts of that. */
void req_names(struct request *r, const struct client *c);
void req_integrity(struct request *r, uint16_t type, const struct client *c);

/*
 * Clears what was sent, lets the server have it from a buffer of its length,
 * and returns the code of the response in @resp: SUCCESS, an error code or
 * NO_REPLY. Checks what holds for all responses.
 */
int req_send(struct request *r, struct client *c);
/* The answer to @r, which came after something else than that. */
int resp_later(struct client *c, const struct request *r);
/* Any datagram; the same checks for a response. */
int client_send_raw(struct client *c, const void *p, size_t len);
/* Authenticated; the response must be too, as the mechanism says. */
int req_call(struct request *r, struct client *c);
/*
 * That gets @code; nothing changed, and unless it is the offload's fault, 508,
 * nothing was pushed.
 */
void req_refused(struct request *r, struct client *c, int code);

/* The first attribute of that type in the response. */
bool resp_attr(uint16_t type, struct kturn_attr *attr);
size_t resp_count(uint16_t type);
/* Does @type hold what the client's key makes of the response? */
bool resp_integrity(uint16_t type, const struct client *c);
bool resp_addr(uint16_t type, struct kturn_addr *addr);
/* The XOR-RELAYED-ADDRESS attributes, one or two. */
bool resp_relays(struct client *c);
uint32_t resp_u32(uint16_t type);

/* Whole requests; each returns what req_call() does. */
int do_allocate(struct client *c);
/* With ADDITIONAL-ADDRESS-FAMILY. */
int do_allocate_both(struct client *c);
int do_refresh(struct client *c, uint32_t lifetime);
/* Of one half only. */
int do_refresh_family(struct client *c, uint8_t family, uint32_t lifetime);
int do_permit(struct client *c, const char *peer);
int do_bind(struct client *c, uint16_t number, const char *peer);

/* To the server, no response is looked for. */
void send_indication(struct client *c, const char *peer, const void *data,
		     size_t len, bool dont_fragment);
void send_channel(struct client *c, uint16_t number, const void *data,
		  size_t len);

/*
 * Is data relayed now? Both directions, each way in and out, at the relayed
 * address of the peer's family where there are two.
 */
bool sends_by_indication(struct client *c, const char *peer);
bool sends_by_channel(struct client *c, uint16_t number, const char *peer);
/* KTURN_KIND_STUN or _CHANNEL, _OTHER when the client gets nothing. */
enum kturn_kind receives(struct client *c, const char *peer);

#endif /* KTURN_SELFTESTS_CLIENT_H */
