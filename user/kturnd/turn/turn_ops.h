/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the state machine needs of the world; see turn.h. */
#ifndef _KTURND_TURN_OPS_H
#define _KTURND_TURN_OPS_H

#include "turn_types.h"

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
 * @quota_take: count one more allocation of the realm's user, who may be an
 *	access token (turn_alloc_account()); tells what it shares with others
 *	until it is given back, or NULL. 0; -EDQUOT: the user has enough (486);
 *	-ENOSPC: all have, or memory is short (508); if it was granted before,
 *	0, or -ENOMEM: it is not counted
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
			  bool granted, struct turn_pool **pool);
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

#endif /* _KTURND_TURN_OPS_H */
