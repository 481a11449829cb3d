/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TURN state machine (RFC 8656 on RFC 8489): what the server decides.
 *
 * It knows nothing of sockets, netlink, files or clocks: datagrams and the
 * time come in as arguments, everything else goes out through struct
 * turn_ops. One struct turn_server per worker, used by that worker's thread
 * only; whatever workers share (users, quotas, reserved ports, the nonce key)
 * is behind the ops or constant.
 */
#ifndef _KTURND_TURN_H
#define _KTURND_TURN_H

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

/**
 * struct turn_ops - what the state machine needs of the world
 * @client_send: send a message to a client, from the tuple's server address
 * @peer_send: send from a relayed address to a peer (canonical address; a
 *	public address of our own is translated by the transport);
 *	dont_fragment as of RFC 8656 section 14
 * @relay_open: bind a random free port of the family; with
 *	TURN_PORT_EVEN_PAIR, reserved gets N + 1 (bound, not relaying). 0,
 *	-ENOSPC: there is no such port (508), -EAFNOSUPPORT (440)
 * @tcp_relay_open: the same for a TCP port, of any parity, that will be
 *	listened at
 * @relay_close: close it and let the port be used again
 * @relay_start: datagrams at the relay go to turn_peer_input() with the
 *	allocation from now; connections to turn_connection_attempt()
 * @connect: begin to connect from a relayed address to a peer: tell
 *	turn_connected() or turn_connect_failed() later, and the connection's
 *	handle now. 0; -ENOBUFS: no more connections are possible (508);
 *	another negative errno: not this one (447)
 * @connection_join: what comes by the connection goes to the client's, and
 *	the reverse, after what was sent to that client before; until one of
 *	them ends: turn_connection_gone()
 * @connection_close: close it, and the client's that was joined with it; the
 *	state machine forgets it now
 * @connection_id: a number that nobody can guess, and by which
 *	connection_pass() comes here
 * @connection_pass: if it is another server that gives connections such
 *	numbers, pass the client's connection to it, with the request that is
 *	being handled as the first that it reads; false: it is this one
 * @reserve: keep a reserved port for whoever brings the token, until a time
 *	in milliseconds of the caller's clock; takes over the handle. 0 or a
 *	negative errno (508)
 * @claim: claim it. 0, or -ENOENT (508)
 * @realm_find: the realm of that name, if clients may name it, or NULL
 * @realm_by_origin: the realm for that ORIGIN, as the client wrote it, or NULL
 * @realm_at: the realm for who says nothing; never NULL
 * @user_keys: keys of a stored user of the realm, by prepared name. 0, -ENOENT,
 *	or -EINPROGRESS when the store is to be asked; then keys are what it
 *	said last, if it is remembered
 * @user_by_hash: the realm's stored user with this USERHASH; writes the name, at
 *	most TURN_USERNAME_MAX bytes and a NUL. 0, -ENOENT or -EINPROGRESS
 * @user_refuse: may a request be refused by what user_keys said? 0, or
 *	-EINPROGRESS when that is too old and the store is to be asked
 * @ask: ask the store. A message comes again by turn_client_input() when the
 *	answer is there, or never; NULL when nobody waits. Both are copied
 * @features: TURN_FEATURE_… of the realm now
 * @token_key: the key of that name, for access tokens. 0 or -ENOENT
 * @quota_take: count one more allocation of the realm's user, or of its users
 *	with access tokens (NULL). 0; -EDQUOT: the user has enough (486);
 *	-ENOSPC: all have (508); always 0 if it was granted before
 * @quota_give: undo one that succeeded
 * @peer_check: may it be a peer? A refusal is logged by the transport
 * @offload_alloc: push an allocation; lifetime in seconds
 * @offload_refresh: an allocation, or one of its relayed addresses, has
 *	another end
 * @offload_peers: number 0: install or refresh permissions; else one peer's
 *	permission and channel
 * @offload_shrink: one of two relayed addresses has ended, with the
 *	permissions and channels of its family, and will be closed; never fails
 * @offload_move: the client of an allocation is at another 5-tuple, which
 *	turn_alloc_tuple() tells. 0 or -ENOENT: somebody had deleted it
 * @offload_remove: remove an allocation with its permissions and channels;
 *	never fails
 * @mobile_new: an allocation that tickets name by this id is here from now: 0,
 *	-EEXIST: one of all servers has it; or a negative errno (508)
 * @mobile_end: there is none any more
 * @visit_begin: such an allocation's client may be at another server from now
 *	(@home there), at this 5-tuple; once and again
 * @visit_end: it is not expected there any more; perhaps it never was
 * @visit_stay: it is there for good: turn_alloc_leave() is due, later
 * @home: which server a 5-tuple's client comes to
 * @place: where an authenticated client without an allocation is to have it;
 *	for TURN_GO another server of its address's family, and one of the
 *	other family, if there is one
 * @may_answer: may an answer go to who has not shown valid credentials? Asked
 *	before each, at a time in milliseconds of the caller's clock
 * @random: CSPRNG
 * @log: one event for the log; key=value pairs, escaped by the callee's
 *	formatter; never secrets; level is syslog's; tuple, user and fmt may
 *	be NULL
 *
 * Their first argument is the pointer given to turn_server_new(). None of
 * these may call back into the state machine.
 *
 * Those of the offload are called after all checks and before state changes
 * and the answer, but offload_refresh finds the new ends; when one fails, the
 * request is refused with 508 and nothing has changed. An offload that can go
 * on in userspace (no module, a client that is no UDP client, or the entry could
 * not be pushed) returns 0.
 */
struct turn_ops {
	void (*client_send)(void *env, const struct turn_tuple *to,
			    const uint8_t *buf, size_t len);
	void (*peer_send)(void *env, const struct turn_relay *from,
			  const struct kturn_addr *to,
			  const uint8_t *buf, size_t len, bool dont_fragment);
	int (*relay_open)(void *env, uint8_t family, enum turn_parity parity,
			  struct turn_relay *relay,
			  struct turn_relay *reserved);
	int (*tcp_relay_open)(void *env, uint8_t family,
			      struct turn_relay *relay);
	void (*relay_close)(void *env, struct turn_relay *relay);
	void (*relay_start)(void *env, struct turn_relay *relay,
			    struct turn_alloc *alloc);
	int (*connect)(void *env, const struct turn_relay *from,
		       const struct kturn_addr *to,
		       struct turn_connection *c, void **handle);
	void (*connection_join)(void *env, void *handle,
				const struct turn_tuple *client);
	void (*connection_close)(void *env, void *handle);
	uint32_t (*connection_id)(void *env);
	bool (*connection_pass)(void *env, const struct turn_tuple *client,
				uint32_t id);
	int (*reserve)(void *env, const uint8_t token[8],
		       struct turn_relay *relay, uint64_t expires_ms);
	int (*claim)(void *env, const uint8_t token[8],
		     struct turn_relay *relay);
	const struct turn_realm *(*realm_find)(void *env, const char *name,
					       size_t len);
	const struct turn_realm *(*realm_by_origin)(void *env,
						    const char *origin,
						    size_t len);
	const struct turn_realm *(*realm_at)(void *env,
					     const struct turn_tuple *tuple);
	int (*user_keys)(void *env, const char *realm, const char *name,
			 struct turn_keys *keys);
	int (*user_by_hash)(void *env, const char *realm,
			    const uint8_t hash[32], char *name);
	int (*user_refuse)(void *env, const char *realm, const char *name);
	void (*ask)(void *env, const struct turn_question *q,
		    const uint8_t *msg, size_t len);
	unsigned int (*features)(void *env, const struct turn_realm *realm);
	int (*token_key)(void *env, const char *kid,
			 struct turn_token_key *key);
	int (*quota_take)(void *env, const char *realm, const char *user,
			  bool granted);
	void (*quota_give)(void *env, const char *realm, const char *user);
	enum turn_verdict (*peer_check)(void *env, const struct kturn_addr *peer,
					const struct turn_alloc *alloc);
	int (*offload_alloc)(void *env, struct turn_alloc *alloc,
			     uint32_t lifetime);
	int (*offload_refresh)(void *env, struct turn_alloc *alloc);
	int (*offload_peers)(void *env, struct turn_alloc *alloc,
			     const struct kturn_addr *peers, size_t n,
			     uint16_t number);
	void (*offload_shrink)(void *env, struct turn_alloc *alloc);
	int (*offload_move)(void *env, struct turn_alloc *alloc);
	void (*offload_remove)(void *env, struct turn_alloc *alloc);
	int (*mobile_new)(void *env, uint64_t id);
	void (*mobile_end)(void *env, uint64_t id);
	void (*visit_begin)(void *env, uint64_t id,
			    const struct turn_tuple *tuple, uint32_t home);
	void (*visit_end)(void *env, uint64_t id,
			  const struct turn_tuple *tuple, uint32_t home);
	void (*visit_stay)(void *env, uint64_t id,
			   const struct turn_tuple *tuple, uint32_t home);
	uint32_t (*home)(void *env, const struct turn_tuple *tuple);
	enum turn_place (*place)(void *env, const struct turn_tuple *client,
				 struct turn_alternate alt[2]);
	bool (*may_answer)(void *env, const struct turn_tuple *to,
			   uint64_t now);
	void (*random)(void *env, void *buf, size_t len);
	void (*log)(void *env, int level, const char *event,
		    const struct turn_tuple *tuple, const char *user,
		    const char *fmt, ...)
		__attribute__((format(printf, 6, 7)));
};

/**
 * struct turn_discovery - addresses for NAT behaviour discovery (RFC 5780)
 * @addr: one that differs from the other in address and port; the server listens
 *	at both, and at the address of each with the port of the other
 */
struct turn_discovery {
	struct kturn_addr addr[2];
};

/**
 * struct turn_config - constants of a server; strings outlive it
 * @software: SOFTWARE attribute, or NULL
 * @server_name: that access tokens are made for (RFC 7635); NULL: none are
 *	taken
 * @nonce_key: the same for all workers
 * @chan_max: KTURN_CHAN_MAX or KTURN_CHAN_MAX_5766
 * @family4: IPv4 relayed addresses are available
 * @family6: IPv6 relayed addresses are available
 * @perms_max: permissions of an allocation, at most TURN_PERMISSIONS_MAX
 * @chans_max: channels of an allocation, at most TURN_CHANNELS_MAX
 * @tcp_relay: TCP is relayed (RFC 6062)
 * @conns_max: connections to peers of an allocation, at most
 *	TURN_CONNECTIONS_MAX
 * @discovery: where NAT behaviour discovery is offered
 * @n_discovery: how many
 * @lifetime_max: seconds, at least TURN_LIFETIME_DEFAULT
 * @mobility: clients get tickets that they ask for (RFC 8016)
 * @ticket_key: TURN_SEAL_KEY_LEN bytes, the same for all workers
 * @home: number of this server among those that share clients
 */
struct turn_config {
	const char *software;
	const char *server_name;
	uint8_t nonce_key[16];
	uint16_t chan_max;
	bool family4;
	bool family6;
	uint32_t perms_max;
	uint32_t chans_max;
	bool tcp_relay;
	uint32_t conns_max;
	const struct turn_discovery *discovery;
	size_t n_discovery;
	uint32_t lifetime_max;
	bool mobility;
	uint8_t ticket_key[32];
	uint32_t home;
};

/** struct turn_counters - of one server; only its thread writes */
struct turn_counters {
	uint64_t allocs;		/* now */
	uint64_t relays;		/* now: relayed transport addresses */
	uint64_t perms;			/* now */
	uint64_t chans;			/* now */
	uint64_t conns;			/* now: connections to peers */
	uint64_t requests;
	uint64_t errors;		/* error responses sent */
	uint64_t limited;		/* not answered: may_answer() */
	uint64_t waited;		/* put off until the store answers */
	uint64_t malformed;		/* datagrams dropped unread */
	uint64_t to_peer_packets;	/* relayed here, not by the kernel */
	uint64_t to_peer_bytes;
	uint64_t to_client_packets;
	uint64_t to_client_bytes;
	uint64_t dropped;		/* data that nothing allowed */
	uint64_t over_limit;		/* data beyond the allocation's limit */
	uint64_t icmp;			/* ICMP errors told to clients */
	uint64_t connects;		/* connections to peers that came about */
	uint64_t connects_failed;	/* 447 */
	uint64_t attempts;		/* peers' that clients were told of */
	uint64_t attempts_refused;	/* peers' that were closed at once */
	uint64_t moved;			/* clients that came to another 5-tuple */
};

/**
 * turn_server_new() - a state machine without allocations
 * @cfg: copied; what it points to is not
 * @ops: not copied
 * @env: for the ops
 *
 * Return: NULL with errno ENOMEM, or ENOTSUP: libcrypto does not have what
 * @cfg->mobility needs.
 */
struct turn_server *turn_server_new(const struct turn_config *cfg,
				    const struct turn_ops *ops, void *env);

/**
 * turn_server_free() - forget everything
 * @s: server
 * @keep: do not call offload_remove, so that a successor can adopt
 */
void turn_server_free(struct turn_server *s, bool keep);

/**
 * turn_client_input() - a message at a listening address
 * @s: server
 * @now: milliseconds of a clock that never goes back and goes on in suspend
 * @wall: seconds since 1970, for time-limited credentials
 * @tuple: where it came from and to; canonical addresses
 * @buf: datagram, or a message of a stream with what it is padded with
 * @len: its length
 */
void turn_client_input(struct turn_server *s, uint64_t now, uint64_t wall,
		       const struct turn_tuple *tuple,
		       const uint8_t *buf, size_t len);

/**
 * turn_peer_input() - a datagram at a relayed address
 * @s: server
 * @now: as above
 * @alloc: from relay_start()
 * @peer: canonical source
 * @buf: datagram, with TURN_HEADROOM writable bytes before and
 *	TURN_TAILROOM after it
 * @len: its length
 */
void turn_peer_input(struct turn_server *s, uint64_t now,
		     struct turn_alloc *alloc, const struct kturn_addr *peer,
		     uint8_t *buf, size_t len);

/**
 * turn_icmp_input() - an ICMP error came back for what a relayed address sent
 * @s: server
 * @now: as above
 * @alloc: from relay_start()
 * @peer: where the datagram was to go
 * @type: ICMP or ICMPv6 type, by the family of @peer
 * @code: its code
 * @data: the MTU, where the error tells one
 *
 * RFC 8656 section 11.5: the client is told, if it has a permission for
 * @peer; at most 1000 times a second.
 */
void turn_icmp_input(struct turn_server *s, uint64_t now,
		     struct turn_alloc *alloc, const struct kturn_addr *peer,
		     uint8_t type, uint8_t code, uint32_t data);

/* ----------------------------------------- connections to peers (RFC 6062) */

/** turn_connected() - a connection of turn_ops.connect is there at @now */
void turn_connected(struct turn_server *s, uint64_t now,
		    struct turn_connection *c);

/** turn_connect_failed() - it could not be made, for a positive errno; forgotten
 * from now on
 */
void turn_connect_failed(struct turn_server *s, struct turn_connection *c,
			 int error);

/**
 * turn_connection_attempt() - a peer has connected to a relayed address
 * @s: server
 * @now: as above
 * @alloc: from relay_start()
 * @peer: canonical source
 * @handle: the transport's, for turn_ops
 *
 * Return: NULL if it has to be closed at once.
 */
struct turn_connection *turn_connection_attempt(struct turn_server *s,
						uint64_t now,
						struct turn_alloc *alloc,
						const struct kturn_addr *peer,
						void *handle);

/** turn_connection_gone() - a connection that turn_connected() or
 * turn_connection_attempt() was told of has ended; forgotten from now on
 */
void turn_connection_gone(struct turn_server *s, struct turn_connection *c);

/**
 * turn_connection_room() - how many bytes may be relayed
 * @s: server
 * @c: connection, bound
 * @dir: which way
 * @want: at most so many
 * @now: as above
 *
 * Return: 0: none now, for the allocation's limit is reached.
 */
size_t turn_connection_room(struct turn_server *s,
			    const struct turn_connection *c,
			    enum turn_direction dir, size_t want, uint64_t now);

/** turn_connection_passed() - so many bytes are relayed at @now */
void turn_connection_passed(struct turn_server *s, struct turn_connection *c,
			    enum turn_direction dir, size_t len, uint64_t now);

/**
 * turn_client_gone() - a connection to a client has ended
 * @s: server
 * @tuple: its 5-tuple
 *
 * Its allocation, if it had one, ends; one that has a ticket waits for its client
 * instead, until its lifetime is over.
 */
void turn_client_gone(struct turn_server *s, const struct turn_tuple *tuple);

/** turn_expire() - end what is over at @now; returns when to call again, in
 * milliseconds of the same clock, UINT64_MAX for never.
 */
uint64_t turn_expire(struct turn_server *s, uint64_t now);

/** turn_counters() - of @s; they change with each call that takes it */
const struct turn_counters *turn_counters(const struct turn_server *s);

/* ------------------------------------------------------------- allocations */

/** turn_alloc_tuple() - its client's 5-tuple, while it lives */
const struct turn_tuple *turn_alloc_tuple(const struct turn_alloc *a);

/**
 * turn_alloc_relay() - a relayed transport address, while that lives
 * @a: allocation
 * @family: KTURN_FAMILY_V4 or KTURN_FAMILY_V6
 *
 * Return: NULL if it has none of the family; it has one at least.
 */
const struct turn_relay *turn_alloc_relay(const struct turn_alloc *a,
					  uint8_t family);

/** turn_alloc_is_tcp() - does it relay TCP (RFC 6062), not UDP? */
bool turn_alloc_is_tcp(const struct turn_alloc *a);

/** turn_alloc_user() - its user's prepared name, while it lives; of who came with
 * an access token, the name of that one's key
 */
const char *turn_alloc_user(const struct turn_alloc *a);

/** turn_alloc_realm() - the realm that it was made in, while it lives */
const char *turn_alloc_realm(const struct turn_alloc *a);

/** turn_alloc_set_offload() - a number of the offload's own, its id say */
void turn_alloc_set_offload(struct turn_alloc *a, uint64_t id);

/** turn_alloc_offload() - that number; 0 in a new allocation */
uint64_t turn_alloc_offload(const struct turn_alloc *a);

/** turn_alloc_left_ms() - what is left of it at @now, in milliseconds: of
 * that relayed address which lasts longer
 */
uint32_t turn_alloc_left_ms(const struct turn_alloc *a, uint64_t now);

/** turn_server_each() - call @cb, which must not change @s, for each
 * allocation
 */
void turn_server_each(struct turn_server *s,
		      void (*cb)(struct turn_alloc *a, void *arg), void *arg);

/** turn_alloc_each_perm() - call @cb, which must not change the server, for
 * each permission with what is left of it at @now
 */
void turn_alloc_each_perm(const struct turn_alloc *a, uint64_t now,
			  void (*cb)(const struct kturn_addr *peer,
				     uint32_t left_ms, void *arg), void *arg);

/** turn_alloc_each_chan() - the same for each channel */
void turn_alloc_each_chan(const struct turn_alloc *a, uint64_t now,
			  void (*cb)(uint16_t number,
				     const struct kturn_addr *peer,
				     uint32_t left_ms, void *arg), void *arg);

/** turn_alloc_find() - by 5-tuple, or NULL */
struct turn_alloc *turn_alloc_find(struct turn_server *s,
				   const struct turn_tuple *tuple);

/** turn_client_known() - is there an allocation for the 5-tuple, or one whose
 * client has said that it will be there?
 */
bool turn_client_known(struct turn_server *s, const struct turn_tuple *tuple);

/** turn_alloc_end() - an administrator deleted it; no offload_remove */
void turn_alloc_end(struct turn_server *s, struct turn_alloc *a);
/** turn_perm_end() - an administrator ended a permission */
void turn_perm_end(struct turn_server *s, struct turn_alloc *a,
		   const struct kturn_addr *peer);
/** turn_chan_end() - an administrator unbound a channel */
void turn_chan_end(struct turn_server *s, struct turn_alloc *a,
		   uint16_t number);

/* ---------------------------------------------------------------- adoption */

/**
 * turn_alloc_pack() - what a successor needs beyond what the kernel holds
 * @a: allocation
 * @buf: room for TURN_PACKED_MAX bytes
 *
 * User name, realm, transaction id, reservation, access token (encrypted as it
 * came), what two relayed addresses differ in, what its ticket says; versioned,
 * independent of byte order. The state is complete before the client is
 * answered.
 * Return: bytes.
 */
size_t turn_alloc_pack(const struct turn_alloc *a, uint8_t *buf);

/**
 * turn_adopt_alloc() - take over an allocation of a predecessor
 * @s: server
 * @now: clock
 * @tuple: 5-tuple
 * @relays: one or two, bound again by the caller; taken over on success (the
 *	caller calls relay_start itself); [0] IPv4, [1] IPv6, of family
 *	KTURN_FAMILY_NONE what is not there
 * @left_ms: what was left of it, with all the relayed addresses that it had
 * @packed: from turn_alloc_pack()
 * @len: its length
 *
 * Return: NULL if @packed can't be read or memory lacks.
 */
struct turn_alloc *turn_adopt_alloc(struct turn_server *s, uint64_t now,
				    const struct turn_tuple *tuple,
				    const struct turn_relay relays[2],
				    uint32_t left_ms,
				    const void *packed, size_t len);

/**
 * turn_adopt_perm() - take over a permission
 * @s: server
 * @a: from turn_adopt_alloc()
 * @now: clock
 * @peer: its port does not matter
 * @left_ms: what is left of it
 *
 * Return: 0; -EINVAL: of the wrong family; -ENOSPC: there are
 * TURN_PERMISSIONS_MAX; -ENOMEM.
 */
int turn_adopt_perm(struct turn_server *s, struct turn_alloc *a, uint64_t now,
		    const struct kturn_addr *peer, uint32_t left_ms);

/**
 * turn_adopt_chan() - take over a channel
 * @s: server
 * @a: from turn_adopt_alloc()
 * @now: clock
 * @number: channel number
 * @peer: transport address
 * @left_ms: what is left of it
 *
 * Return: 0; -EINVAL: of the wrong family, without port, or not a channel
 * number; -EEXIST: number or peer are bound to another; -ENOSPC: there are
 * TURN_CHANNELS_MAX; -ENOMEM.
 */
int turn_adopt_chan(struct turn_server *s, struct turn_alloc *a, uint64_t now,
		    uint16_t number, const struct kturn_addr *peer,
		    uint32_t left_ms);

#endif /* _KTURND_TURN_H */
