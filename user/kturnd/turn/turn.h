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

#include "turn_ops.h"

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
	uint64_t over_limit;		/* data beyond a limit, own or shared */
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
 * Return: 0: none now, for a limit is reached, the allocation's own or one that it
 * shares with others.
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

/* Room for turn_alloc_account(). */
#define TURN_ACCOUNT_MAX		TURN_USERNAME_MAX

/**
 * turn_alloc_account() - whose share of the realm's quotas it has
 * @a: allocation
 * @buf: room for TURN_ACCOUNT_MAX + 1 bytes
 *
 * The name of its user; of a time-limited one, what stands behind the time, so
 * that a new credential is no new user. Who came with an access token has none of its own (see
 * grant.c): there it is the token that the allocation was made with, "\1token:"
 * and its SHA-256 in hexadecimal digits, for as long as the allocation lives,
 * in a successor too.
 *
 * Return: the name, in @buf or as long as @a.
 */
const char *turn_alloc_account(const struct turn_alloc *a,
			       char buf[TURN_ACCOUNT_MAX + 1]);

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
