/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A STUN request on its way through the server: taken apart, authenticated,
 * carried out, answered. RFC 8489 sections 6.3 and 9.2.4 say in which order.
 */
#ifndef _KTURND_TURN_REQUEST_H
#define _KTURND_TURN_REQUEST_H

#include "turn_internal.h"

/* RFC 8656 section 19, RFC 8489 section 14.8, RFC 6062 section 6.3 and RFC 8016
 * section 3.4.
 */
enum turn_error {
	TURN_TRY_ALTERNATE	= 300,
	TURN_BAD_REQUEST	= 400,
	TURN_UNAUTHENTICATED	= 401,
	TURN_FORBIDDEN		= 403,
	TURN_MOBILITY_FORBIDDEN	= 405,
	TURN_UNKNOWN_ATTRIBUTE	= 420,
	TURN_ALLOC_MISMATCH	= 437,
	TURN_STALE_NONCE	= 438,
	TURN_FAMILY_UNSUPPORTED	= 440,
	TURN_WRONG_CREDENTIALS	= 441,
	TURN_BAD_TRANSPORT	= 442,
	TURN_FAMILY_MISMATCH	= 443,
	TURN_CONNECTION_EXISTS	= 446,
	TURN_CONNECT_FAILED	= 447,
	TURN_QUOTA_REACHED	= 486,
	TURN_NO_CAPACITY	= 508,
};

/* ----------------------------------------------------------------- requests */

/** enum turn_attr - attributes that some request has a use for */
enum turn_attr {
	TURN_A_USERNAME,
	TURN_A_USERHASH,
	TURN_A_REALM,
	TURN_A_NONCE,
	TURN_A_INTEGRITY,
	TURN_A_INTEGRITY_SHA256,
	TURN_A_PASSWORD_ALGORITHM,
	TURN_A_PASSWORD_ALGORITHMS,
	TURN_A_LIFETIME,
	TURN_A_PEER,
	TURN_A_CHANNEL,
	TURN_A_FAMILY,
	TURN_A_MORE_FAMILY,
	TURN_A_COTURN_MORE_FAMILY,
	TURN_A_EVEN_PORT,
	TURN_A_TRANSPORT,
	TURN_A_DONT_FRAGMENT,
	TURN_A_TOKEN,
	TURN_A_DATA,
	TURN_A_TICKET,
	TURN_A_CHANGE_REQUEST,
	TURN_A_PADDING,
	TURN_A_RESPONSE_PORT,
	TURN_A_ACCESS_TOKEN,
	TURN_A_ORIGIN,
	TURN_A_CONNECTION_ID,
	TURN_A_MAX,
};

/* An unauthenticated reply is never larger than this. */
#define TURN_REPLY_UNAUTH	200
#define TURN_REPLY_MAX		1200

/* As many as fit into TURN_REPLY_UNAUTH bytes. */
#define TURN_UNKNOWN_MAX	64

/**
 * struct turn_ticket - what a ticket says
 * @valid: it is one of ours
 * @id: allocation
 * @seq: which of its tickets
 */
struct turn_ticket {
	bool valid;
	uint64_t id;
	uint32_t seq;
};

/**
 * struct turn_request - a STUN message on its way through the server
 * @tuple: where it came from and to
 * @now: milliseconds
 * @wall: seconds since 1970
 * @msg: header
 * @len: bytes of the datagram
 * @attr: first of each; its value is NULL where there is none. What comes
 *	after an integrity attribute is not here, as RFC 8489 section 9 says
 * @end: where that begins
 * @unknown: comprehension-required attributes that nobody knows, each once
 * @n_unknown: how many, at most TURN_UNKNOWN_MAX
 * @fingerprint: it has one, so the response gets one
 * @broken: the walk over the attributes failed
 * @malformed: it did, or an attribute that the method looks at has a length
 *	that it can't have
 * @third_party: access tokens are taken
 * @verified: it has the credentials of a user, even if its nonce is old
 * @stored: @key is what the user store says
 * @minted: its credentials are time-limited, of a shared secret
 * @authenticated: by turn_auth(); the response gets an integrity attribute
 * @realm: that it is in, set once there is an integrity attribute
 * @account: that of its user, or of its access token's key; set by turn_auth()
 * @grant: what its access token has brought; whoever keeps it sets this to NULL
 * @granted: it is keyed by this, which its allocation's access token has
 *	brought; only to be compared
 * @hmac: which
 * @key: the user's
 * @key_len: its length
 * @mac: that key, ready for the response
 * @tcp_relay: RFC 6062's attribute is known
 * @home: the server that its client comes to
 * @ticket: of a Refresh
 * @discovery: RFC 5780's attributes are known, and the addresses are these
 * @alloc: that it is about: its ticket's, if it has one, else its 5-tuple's;
 *	NULL: there is none here that lives
 * @alternate: other servers, for TURN_TRY_ALTERNATE
 * @user: name, whether it came as USERNAME or as USERHASH
 */
struct turn_request {
	const struct turn_tuple *tuple;
	uint64_t now;
	uint64_t wall;
	struct kturn_stun msg;
	size_t len;
	struct kturn_attr attr[TURN_A_MAX];
	const uint8_t *end;
	uint16_t unknown[TURN_UNKNOWN_MAX];
	size_t n_unknown;
	bool fingerprint;
	bool tcp_relay;
	bool broken;
	bool malformed;
	bool third_party;
	bool verified;
	bool stored;
	bool minted;
	bool authenticated;
	const struct turn_realm *realm;
	const struct turn_realm *account;
	struct turn_grant *grant;
	const struct turn_grant *granted;
	enum turn_hmac hmac;
	uint8_t key[TURN_DIGEST_MAX];
	size_t key_len;
	struct turn_hmac_key mac;
	uint32_t home;
	struct turn_ticket ticket;
	const struct turn_discovery *discovery;
	struct turn_alloc *alloc;
	struct turn_alternate alternate[2];
	char user[TURN_USERNAME_MAX + 1];
};

/** turn_has() - is the attribute there? */
static inline bool turn_has(const struct turn_request *rq, enum turn_attr attr)
{
	return rq->attr[attr].value;
}

/** turn_attr_len_is() - is the attribute there, with @len bytes? */
static inline bool turn_attr_len_is(const struct turn_request *rq,
				    enum turn_attr attr, size_t len)
{
	return turn_has(rq, attr) && rq->attr[attr].len == len;
}

/** turn_request_collect() - fill in @rq from the attributes of @rq->msg */
void turn_request_collect(struct turn_request *rq);

/**
 * turn_owns() - may the sender of an authenticated request use an allocation?
 * @rq: request
 * @a: @rq->alloc
 *
 * The same user in the same realm (RFC 8656 section 5), or one with an access
 * token for it.
 */
bool turn_owns(const struct turn_request *rq, const struct turn_alloc *a);

/**
 * turn_has_made() - the same, where the 5-tuple does not say whose it is
 * @rq: request
 * @a: allocation
 *
 * Access tokens for one realm need not be one user's, but those with one key.
 */
bool turn_has_made(const struct turn_request *rq, const struct turn_alloc *a);

/** turn_discovery_at() - is NAT behaviour discovery offered there? or NULL */
const struct turn_discovery *turn_discovery_at(const struct turn_server *s,
					       const struct turn_tuple *tuple);

/** turn_discover() - a Binding request where it is, and that is understood */
void turn_discover(struct turn_server *s, struct turn_request *rq);

/** turn_request_input() - a STUN message other than a Send indication */
void turn_request_input(struct turn_server *s, uint64_t now, uint64_t wall,
			const struct turn_tuple *tuple,
			const uint8_t *buf, size_t len);

/**
 * turn_classic_input() - a message without the magic cookie
 * @s: server
 * @now: milliseconds
 * @tuple: who sent it
 * @buf: what it is
 * @len: of @buf
 *
 * Over DTLS requests are answered.
 */
void turn_classic_input(struct turn_server *s, uint64_t now,
			const struct turn_tuple *tuple,
			const uint8_t *buf, size_t len);

/**
 * turn_lifetime() - the desired lifetime (RFC 8656 sections 7.2 and 8.2)
 * @s: server
 * @rq: request; its LIFETIME, if there is one, is well-formed
 *
 * Return: seconds; never 0, whatever LIFETIME says.
 */
uint32_t turn_lifetime(const struct turn_server *s,
		       const struct turn_request *rq);

/*
 * The methods. The request is authenticated and has no unknown attributes;
 * all but Allocate and ConnectionBind have the allocation of its 5-tuple and
 * user. Each answers, or will.
 */

/** turn_allocate() - Allocate (RFC 8656 section 7.2) */
void turn_allocate(struct turn_server *s, struct turn_request *rq);

/** turn_refresh() - Refresh (RFC 8656 section 8.2) */
void turn_refresh(struct turn_server *s, struct turn_request *rq,
		  struct turn_alloc *a);

/**
 * turn_refresh_do() - what a Refresh asks for, but for the answer
 * @s: server
 * @rq: request
 * @a: allocation, which may end
 * @lifetime: granted, seconds
 *
 * Return: 0 or the error: nothing has changed.
 */
int turn_refresh_do(struct turn_server *s, struct turn_request *rq,
		    struct turn_alloc *a, uint32_t *lifetime);

/** turn_create_permission() - CreatePermission (RFC 8656 section 10.2) */
void turn_create_permission(struct turn_server *s, struct turn_request *rq,
			    struct turn_alloc *a);

/** turn_channel_bind() - ChannelBind (RFC 8656 section 12.2) */
void turn_channel_bind(struct turn_server *s, struct turn_request *rq,
		       struct turn_alloc *a);

/** turn_connect() - Connect (RFC 6062 section 5.2) */
void turn_connect(struct turn_server *s, struct turn_request *rq,
		  struct turn_alloc *a);

/** turn_connection_bind() - ConnectionBind (RFC 6062 section 5.4) */
void turn_connection_bind(struct turn_server *s, struct turn_request *rq);

/** turn_connection_control() - the 5-tuple of the control connection that a
 * ConnectionBind request from the same address refers to, or NULL
 */
const struct turn_tuple *
turn_connection_control(struct turn_server *s, const struct turn_request *rq);

/** turn_connection_passed_on() - has a ConnectionBind request gone to the server
 * that it concerns?
 */
bool turn_connection_passed_on(struct turn_server *s,
			       const struct turn_request *rq);

/* ------------------------------------------------------------ authentication */

/* The cookie of RFC 8489 section 9.2, then our own bytes, all base64. */
#define TURN_NONCE_COOKIE	9
#define TURN_NONCE_LEN		(TURN_NONCE_COOKIE + 4 + 24)

/** enum turn_nonce_state - what a nonce is worth */
enum turn_nonce_state {
	TURN_NONCE_FOREIGN,	/* not ours, or not for this client */
	TURN_NONCE_OLD,		/* was ours for this client */
	TURN_NONCE_VALID,
};

/**
 * turn_nonce_make() - a nonce for the sender of a request
 * @s: server
 * @rq: request
 * @realm: that it is bound to
 * @features: TURN_FEATURE_… that are offered with it
 * @nonce: TURN_NONCE_LEN bytes, no NUL
 */
void turn_nonce_make(struct turn_server *s, const struct turn_request *rq,
		     const struct turn_realm *realm, unsigned int features, char *nonce);

/**
 * turn_nonce_check() - what is a request's NONCE worth?
 * @s: server
 * @rq: request with a NONCE, whose realm is known
 * @features: what was offered with it; set unless it is foreign
 */
enum turn_nonce_state turn_nonce_check(struct turn_server *s,
				       const struct turn_request *rq,
				       unsigned int *features);

/**
 * turn_integrity() - a message integrity value (RFC 8489 14.5 and 14.6)
 * @mac: key
 * @msg: message
 * @before: bytes before the attribute
 * @out: turn_hmac_len() bytes
 *
 * The length in @msg's header is not looked at.
 * Return: false on failure.
 */
bool turn_integrity(const struct turn_hmac_key *mac, const uint8_t *msg,
		    size_t before, uint8_t *out);

/**
 * turn_integrity_ok() - does a request's integrity attribute fit the key?
 * @s: server, which remembers keys that did
 * @rq: request; MESSAGE-INTEGRITY-SHA256 is looked at when it is there, else
 *	MESSAGE-INTEGRITY; it has the right length
 * @key: key, a digest
 * @key_len: its length
 * @mac: the key for more of that kind, unless there was a failure
 *
 * In constant time, for each key that does not fit.
 */
bool turn_integrity_ok(struct turn_server *s, const struct turn_request *rq,
		       const uint8_t *key, size_t key_len,
		       struct turn_hmac_key *mac);

/**
 * turn_username() - a USERNAME attribute's value as a user name
 * @attr: attribute
 * @name: TURN_USERNAME_MAX + 1 bytes
 *
 * Quotes around it and NULs after it are left out (RFC 8489 section 9.2.2).
 * The client must have applied OpaqueString to it (section 14.3). Who compares
 * must do so as well (RFC 8265 section 4.2.3), so what a client left undone is
 * done here: a user has one name, whatever the client's keyboard makes of it.
 * The key is made of that name (RFC 8489 section 9.2.2).
 *
 * Return: whether it is valid, see turn_username_prepare().
 */
bool turn_username(const struct kturn_attr *attr, char *name);

/**
 * turn_username_prepare() - apply OpaqueString (RFC 8265) to a user name
 * @p: @len bytes, any
 * @len: how many
 * @name: TURN_USERNAME_MAX + 1 bytes; undefined when the name is not valid
 *
 * Return: false for what is empty, longer than TURN_USERNAME_MAX bytes before
 * or after, not UTF-8, or has code points that OpaqueString does not allow.
 */
bool turn_username_prepare(const uint8_t *p, size_t len, char *name);

/** turn_username_trim() - cut a USERNAME or REALM as section 9.2.2 says */
void turn_username_trim(const uint8_t **p, size_t *len);

/**
 * turn_realm_choose() - the realm for a challenge
 * @s: server
 * @rq: request
 */
const struct turn_realm *turn_realm_choose(struct turn_server *s,
					   const struct turn_request *rq);

/** turn_realm_named() - the realm that a request with a REALM names, or NULL */
const struct turn_realm *turn_realm_named(struct turn_server *s,
					  const struct turn_request *rq);

/**
 * turn_grant_by_token() - check a request with an access token
 * @s: server
 * @rq: request; @user is its USERNAME, or empty
 *
 * On success @rq has the grant, key and account.
 * Return: NULL, or what is wrong, for the log.
 */
const char *turn_grant_by_token(struct turn_server *s,
				struct turn_request *rq);

/** turn_grant_of() - that of the allocation of a request without access token, if
 * it is keyed by it, or NULL
 */
struct turn_grant *turn_grant_of(struct turn_server *s,
				 const struct turn_request *rq);

/** turn_grant_by_key() - check a request with it; as turn_grant_by_token() */
const char *turn_grant_by_key(struct turn_server *s, struct turn_request *rq,
			      const struct turn_grant *grant);

/**
 * turn_rest_expiry() - the time in a time-limited user name
 * @user: "TIME" or "TIME:ID", TIME in seconds since 1970
 * @expires: result
 *
 * Return: false if it is no such name.
 */
bool turn_rest_expiry(const char *user, uint64_t *expires);

/**
 * turn_rest_account() - whose a time-limited user name is
 * @user: name that came with such credentials
 *
 * Return: what stands behind the time, as coturn counts them; the whole name if
 * there is no time or nothing behind it.
 */
const char *turn_rest_account(const char *user);

/**
 * turn_rest_auth() - check a request against every shared secret
 * @s: server
 * @rq: request
 * @alg: which key is asked for
 *
 * The secrets are those of its realm. On a match the key is left in @rq. The
 * same work whether and wherever one matches. Return: whether one did.
 */
bool turn_rest_auth(struct turn_server *s, struct turn_request *rq,
		    enum turn_alg alg);

/**
 * turn_auth() - authenticate a request (RFC 8489 section 9.2.4)
 * @s: server
 * @rq: request
 *
 * Return: true, with @rq's user and key filled in; false when it was
 * answered with an error, or has to wait for the user store.
 */
bool turn_auth(struct turn_server *s, struct turn_request *rq);

/**
 * turn_auth_remember() - keep the key of a user's request with the allocation
 * @rq: authenticated
 * @a: the user's allocation
 *
 * Its next requests don't wait for the user store.
 */
void turn_auth_remember(const struct turn_request *rq, struct turn_alloc *a);

/* ------------------------------------------------------------------ replies */

/**
 * struct turn_reply - a response under construction
 * @b: for kturn_build_…()
 * @buf: where it is built
 */
struct turn_reply {
	struct kturn_builder b;
	uint8_t buf[TURN_REPLY_MAX];
};

/** turn_reply_begin() - begin a success response to @rq */
void turn_reply_begin(struct turn_reply *rp, const struct turn_request *rq);

/** turn_reply_begin_at() - the same in a buffer of the caller's, of @size bytes */
void turn_reply_begin_at(struct turn_reply *rp, const struct turn_request *rq,
			 uint8_t *buf, size_t size);

/** turn_reply_addr() - append an address as it is, not XORed: MAPPED-ADDRESS and
 * those like it (RFC 8489 section 14.1)
 */
void turn_reply_addr(struct turn_reply *rp, uint16_t type,
		     const struct kturn_addr *addr);

/**
 * turn_reply_send() - end a response and send it
 * @s: server
 * @rq: request
 * @rp: what it says
 *
 * Adds SOFTWARE if there is room, integrity and FINGERPRINT as due.
 */
void turn_reply_send(struct turn_server *s, const struct turn_request *rq,
		     struct turn_reply *rp);

/**
 * turn_reply_result() - answer with what came of the request
 * @s: server
 * @rq: request
 * @ret: 0 for a success response without attributes of its own, or an error
 *	code as for turn_reply_error()
 */
void turn_reply_result(struct turn_server *s, const struct turn_request *rq,
		       int ret);

/**
 * turn_reply_error() - send an error response
 * @s: server
 * @rq: request
 * @code: which; 401 and 438 bring REALM, NONCE, PASSWORD-ALGORITHMS and, where
 *	access tokens are taken, THIRD-PARTY-AUTHORIZATION; 420 brings
 *	UNKNOWN-ATTRIBUTES
 *
 * A malformed request's is never larger than the request: what it can do
 * without is left out, or it is not sent. One that would be challenged (401
 * or 438, large by nature) gets 400 instead.
 */
void turn_reply_error(struct turn_server *s, const struct turn_request *rq,
		      enum turn_error code);

/** turn_reason() - the reason phrase that the RFCs recommend */
const char *turn_reason(enum turn_error code);

/**
 * turn_algorithms() - value of PASSWORD-ALGORITHMS
 * @features: TURN_FEATURE_…
 * @value: 8 bytes
 *
 * Return: bytes.
 */
size_t turn_algorithms(unsigned int features, uint8_t *value);

#endif /* _KTURND_TURN_REQUEST_H */
