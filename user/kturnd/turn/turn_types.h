/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the state machine and those who have one speak of; see turn.h. */
#ifndef _KTURND_TURN_TYPES_H
#define _KTURND_TURN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kturn/wire.h>
#include "limit.h"

/* RFC 8656 sections 3.2, 7.2, 9 and 12: seconds. */
#define TURN_LIFETIME_DEFAULT		600
#define TURN_LIFETIME_MAX		3600
#define TURN_PERMISSION_LIFETIME	300
#define TURN_CHANNEL_LIFETIME		600
#define TURN_RESERVATION_LIFETIME	30
/* RFC 6062 sections 5.2 and 5.3: to connect, and to be bound then; seconds. */
#define TURN_CONNECT_TIMEOUT		30
#define TURN_CONNECTION_LIFETIME	30
#define TURN_NONCE_LIFETIME		3600

/*
 * RFC 8016 section 3.2.2: an old ticket is known again for at least 30 seconds.
 * A client that gets no answer goes on for 39.5 (RFC 8489 section 6.2.1).
 */
#define TURN_TICKET_KEPT		40

/* RFC 8489 section 14.3: what a parser must take. */
#define TURN_USERNAME_MAX		763
#define TURN_REALM_MAX			763

/*
 * The server's own realms, bytes: with a longer one a challenge would not fit
 * into the 200 bytes that an unauthenticated reply may have. Where access
 * tokens are taken, the server's name has to find room there too.
 */
#define TURN_OWN_REALM_MAX		104

/* Of access tokens: the key's name, and the token (RFC 7635 section 6.2). */
#define TURN_KID_MAX			255
#define TURN_ACCESS_TOKEN_MAX		256

/* Of one allocation; what is beyond gets 508. */
#define TURN_PERMISSIONS_MAX		256
#define TURN_CHANNELS_MAX		4096
#define TURN_CONNECTIONS_MAX		1024

/* Room for turn_alloc_pack(): KTURN_OWNER_DATA_MAX of the netlink family. */
#define TURN_PACKED_MAX			1024

/* Room that turn_peer_input() may use around the data. */
#define TURN_HEADROOM			KTURN_DATA_IND_MAX
#define TURN_TAILROOM			3

struct turn_server;
struct turn_alloc;
struct turn_connection;
struct turn_pool;

/** enum turn_transport - how a client talks to us (RFC 8656 section 3.1) */
enum turn_transport {
	TURN_UDP,
	TURN_TCP,
	TURN_TLS,
	TURN_DTLS,
};

/** struct turn_tuple - the 5-tuple of a client (RFC 8656 section 2); without
 * padding, as it is a key
 */
struct turn_tuple {
	struct kturn_addr client;
	struct kturn_addr server;
	uint32_t transport;		/* enum turn_transport */
};

_Static_assert(sizeof(struct turn_tuple) ==
	       2 * sizeof(struct kturn_addr) + sizeof(uint32_t),
	       "a tuple has padding");

/** turn_is_stream() - is it a stream, in which messages follow one another? */
static inline bool turn_is_stream(const struct turn_tuple *tuple)
{
	return tuple->transport == TURN_TCP || tuple->transport == TURN_TLS;
}

/**
 * struct turn_keys - the long-term keys of a user (RFC 8489 section 18.5.1)
 * @has_md5: @md5 is there
 * @has_sha256: @sha256 is there
 * @heard: the user store has spoken of this user, perhaps some time ago
 * @md5: MD5(user ":" realm ":" password)
 * @sha256: SHA-256 of the same
 */
struct turn_keys {
	bool has_md5;
	bool has_sha256;
	bool heard;
	uint8_t md5[16];
	uint8_t sha256[32];
};

/**
 * struct turn_realm - a realm
 * @name: OpaqueString; never empty, at most TURN_OWN_REALM_MAX bytes
 * @secrets: shared secrets of the TURN REST scheme, may be none; none empty
 * @n_secrets: how many
 * @limit: of an allocation's data: [0] to peers, [1] to the client
 *
 * Lasts, with what it points to, as long as the call into the state machine
 * that the op was called in.
 */
struct turn_realm {
	const char *name;
	const char *const *secrets;
	size_t n_secrets;
	struct turn_limit limit[2];
};

/** enum turn_aead - what access tokens are encrypted with (RFC 5116) */
enum turn_aead {
	TURN_AEAD_A128GCM,
	TURN_AEAD_A256GCM,
};

#define TURN_AEAD_KEY_MAX		32

/**
 * struct turn_token_key - a key shared with an authorization server
 * @aead: its algorithm
 * @key: as many bytes as @aead needs
 * @until: seconds since 1970, until when it may be used; 0: always
 * @realm: that its tokens are for; NULL: that of the request
 */
struct turn_token_key {
	enum turn_aead aead;
	uint8_t key[TURN_AEAD_KEY_MAX];
	uint64_t until;
	const struct turn_realm *realm;
};

/**
 * struct turn_question - what the user store is to be asked
 * @tuple: for whom
 * @realm: realm
 * @user: for the keys of this user; NULL: for the name that @hash is of
 * @hash: USERHASH
 */
struct turn_question {
	const struct turn_tuple *tuple;
	const char *realm;
	const char *user;
	const uint8_t *hash;
};

/**
 * struct turn_relay - a relayed transport address with what serves it
 * @addr: where its socket is bound: what the kernel matches
 * @public: what clients and peers are told; differs behind a 1:1 NAT
 * @handle: the transport's own
 */
struct turn_relay {
	struct kturn_addr addr;
	struct kturn_addr public;
	void *handle;
};

/** enum turn_parity - which port an Allocate asks for */
enum turn_parity {
	TURN_PORT_ANY,
	TURN_PORT_EVEN,
	TURN_PORT_EVEN_PAIR,	/* N even, and N + 1 for the reservation */
};

/**
 * enum turn_verdict - may this transport address be a peer?
 * @TURN_PEER_OK: yes
 * @TURN_PEER_FORBIDDEN: an address rule says no (403; a Send is dropped)
 * @TURN_PEER_PORT_FORBIDDEN: the server's own address, but the port is not a
 *	live relayed one: a permission is fine, a channel and a Send are not
 */
enum turn_verdict {
	TURN_PEER_OK,
	TURN_PEER_FORBIDDEN,
	TURN_PEER_PORT_FORBIDDEN,
};

/** enum turn_direction - of data; indices of limits */
enum turn_direction {
	TURN_TO_PEER,
	TURN_TO_CLIENT,
};

/** enum turn_place - where a new client is to be served */
enum turn_place {
	TURN_STAY,	/* here */
	TURN_GO,	/* elsewhere: 300 */
	TURN_NOWHERE,	/* 508 */
};

/**
 * struct turn_alternate - another server
 * @addr: address and port, or none
 * @domain: name in its certificate, or NULL; lasts as long as the server
 */
struct turn_alternate {
	struct kturn_addr addr;
	const char *domain;
};

/* What the realm's users allow to be offered. */
#define TURN_FEATURE_SHA256	1	/* PASSWORD-ALGORITHMS with SHA-256 */
#define TURN_FEATURE_ANONYMITY	2	/* every user is stored: USERHASH */

#endif /* _KTURND_TURN_TYPES_H */
