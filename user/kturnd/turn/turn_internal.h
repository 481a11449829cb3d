/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the TURN state machine share.
 *
 *	server.c		input, expiry, counters
 *	alloc.c half.c perm.c chan.c	the state (RFC 8656 sections 6, 9, 12)
 *	data.c limit.c pool.c	relaying, both directions
 *	connection.c	connections to peers (RFC 6062)
 *	request.c	takes a request apart, checks it in order, dispatches
 *	auth.c nonce.c integrity.c username.c rest.c	who sent it
 *	realm.c token.c grant.c	realms, access tokens
 *	allocate.c refresh.c create_permission.c channel_bind.c
 *	connect.c connection_bind.c	the methods
 *	mobile.c move.c ticket.c handover.c	clients that move (RFC 8016)
 *	discovery.c	Binding where NATs are examined (RFC 5780)
 *	reply.c		responses
 *	peer.c		which addresses may be peers
 *	pack.c		adoption
 *
 * Every request is decided completely before anything changes: checks, then
 * whatever may run out (memory, ports, quota), then the offload, then the
 * change, which can't fail, then the answer.
 */
#ifndef _KTURND_TURN_INTERNAL_H
#define _KTURND_TURN_INTERNAL_H

#include <sys/queue.h>
#include <syslog.h>

#include <array_size.h>
#include "crypto.h"
#include "pool.h"
#include "table.h"
#include "timer.h"
#include "turn.h"

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define TURN_TOKEN_LEN		8
#define TURN_MS			1000ull

/* Transaction ids of Data indications, drawn in one go. */
#define TURN_TIDS		32

struct turn_perm {
	struct turn_node node;		/* by allocation and address */
	struct turn_timer timer;
	LIST_ENTRY(turn_perm) entry;	/* of the allocation */
	struct turn_alloc *alloc;
	struct kturn_addr peer;		/* its port is 0 */
};

struct turn_chan {
	struct turn_node by_number;	/* and allocation */
	struct turn_node by_peer;	/* and allocation */
	struct turn_timer timer;
	LIST_ENTRY(turn_chan) entry;	/* of the allocation */
	struct turn_alloc *alloc;
	struct kturn_addr peer;
	uint16_t number;
};

struct turn_mobile;

/** enum turn_connection_state - how far a connection to a peer is */
enum turn_connection_state {
	TURN_CONNECTING,	/* a Connect request waits for it */
	TURN_PENDING,		/* for a ConnectionBind request */
	TURN_BOUND,		/* to a connection of the client's */
};

/**
 * struct turn_asked - of a request that is answered later
 * @tid: transaction id
 * @fingerprint: as in struct turn_request
 * @mac: the same, of kind @hmac
 * @hmac: the same
 */
struct turn_asked {
	uint8_t tid[KTURN_STUN_TID_LEN];
	bool fingerprint;
	enum turn_hmac hmac;
	struct turn_hmac_key mac;
};

/**
 * struct turn_connection - a peer data connection (RFC 6062 section 3)
 * @by_id: by @id, but for TURN_CONNECTING
 * @by_peer: by allocation and peer
 * @timer: when it has to be connected or bound, but for TURN_BOUND
 * @entry: of the allocation
 * @alloc: whose it is
 * @peer: transport address
 * @state: how far it is
 * @id: CONNECTION-ID
 * @handle: the transport's
 * @asked: the Connect request, of TURN_CONNECTING
 */
struct turn_connection {
	struct turn_node by_id;
	struct turn_node by_peer;
	struct turn_timer timer;
	LIST_ENTRY(turn_connection) entry;
	struct turn_alloc *alloc;
	struct kturn_addr peer;
	enum turn_connection_state state;
	uint32_t id;
	void *handle;
	struct turn_asked asked;
};

LIST_HEAD(turn_connections, turn_connection);
LIST_HEAD(turn_perms, turn_perm);
LIST_HEAD(turn_chans, turn_chan);
LIST_HEAD(turn_allocs, turn_alloc);

/**
 * struct turn_half - a relayed transport address of an allocation
 * @relay: address; of no family: this half is not there
 * @timer: when it ends, with the permissions and channels of its family
 * @alloc: whose it is
 */
struct turn_half {
	struct turn_relay relay;
	struct turn_timer timer;
	struct turn_alloc *alloc;
};

/**
 * struct turn_grant - what an access token has brought (RFC 7635)
 * @ends: when the token does, in the server's time
 * @mac_key: who has it may use the allocation
 * @mac_key_len: its length; 0: it is not known (any more)
 * @token: as it came
 * @token_len: its length
 * @kid: name of the key that it is encrypted with, the USERNAME
 * @is_first: its allocation was made with this token
 * @first: SHA-256 of the one that it was made with
 */
struct turn_grant {
	uint64_t ends;
	uint8_t mac_key[TURN_DIGEST_MAX];
	size_t mac_key_len;
	uint8_t token[TURN_ACCESS_TOKEN_MAX];
	size_t token_len;
	char kid[TURN_KID_MAX + 1];
	bool is_first;
	uint8_t first[TURN_SHA256_LEN];
};

/**
 * struct turn_alloc - an allocation, which lives as long as a half of it does
 * @node: by 5-tuple
 * @entry: of the server
 * @id: never used twice by a server; part of the keys of what belongs to it
 * @offload: the offload's own
 * @tuple: 5-tuple of its client
 * @half: relayed transport addresses: [0] IPv4, [1] IPv6; at least one
 * @perms: permissions
 * @chans: channels
 * @conns: connections to peers
 * @tid: of the Allocate that made it, to know it again
 * @end_tid: of the Refresh that ended a half, to know it again
 * @refused: ADDRESS-ERROR-CODE of the answer, for the half that is not there;
 *	0: there was none
 * @token: RESERVATION-TOKEN of the answer
 * @has_token: there was one
 * @half_ended: there was one with @end_tid
 * @minted: @user came with time-limited credentials
 * @has_quota: quota_give() is due
 * @n_perms: how many of @perms
 * @n_chans: how many of @chans
 * @n_conns: how many of @conns
 * @is_tcp: TCP is relayed (RFC 6062), not UDP
 * @limit: of its data, its realm's: [0] to peers, [1] to the client
 * @used: of its limits
 * @pool: what it shares with others; NULL: nothing, or it has no quota
 * @icmp_at: how far its token bucket of ICMP errors is used up, ms
 * @mobile: what it needs to follow its client; NULL: it has no ticket
 * @grant: what an access token has brought; NULL: it was made without
 * @realm: of @user
 * @key: its user's as the store said it, so that the store need not be there
 * @key_len: its length; 0: not known, or not out of the store
 * @user: who may use it; with a @grant, the first one's key
 */
struct turn_alloc {
	struct turn_node node;
	LIST_ENTRY(turn_alloc) entry;
	uint64_t id;
	uint64_t offload;
	struct turn_tuple tuple;
	struct turn_half half[2];
	struct turn_perms perms;
	struct turn_chans chans;
	struct turn_connections conns;
	uint32_t n_perms;
	uint32_t n_chans;
	uint32_t n_conns;
	bool is_tcp;
	struct turn_limit limit[2];
	struct turn_used used[2];
	struct turn_pool *pool;
	uint64_t icmp_at;
	struct turn_mobile *mobile;
	struct turn_grant *grant;
	const char *realm;
	uint8_t tid[KTURN_STUN_TID_LEN];
	uint8_t end_tid[KTURN_STUN_TID_LEN];
	uint8_t token[TURN_TOKEN_LEN];
	uint16_t refused;
	bool has_token;
	bool half_ended;
	bool minted;
	bool has_quota;
	uint8_t key[TURN_DIGEST_MAX];
	size_t key_len;
	char user[];
};

/* How many keys are kept ready: those of clients that set up at one time. */
#define TURN_READY_KEYS		64

/**
 * struct turn_ready_key - of a user who was here lately
 * @key: key
 * @len: its length; 0: none yet
 * @mac: made of it
 */
struct turn_ready_key {
	uint8_t key[TURN_DIGEST_MAX];
	size_t len;
	struct turn_hmac_key mac;
};

/**
 * struct turn_server - a state machine
 * @cfg: constants
 * @ops: what it needs of the world
 * @env: for @ops
 * @counters: what happened
 * @crypto: OpenSSL's objects, made once
 * @hash_key: for turn_siphash()
 * @dummy_key: stands in for the key of a user who does not exist
 * @ready: keys that fitted, each in the place that it says itself
 * @by_tuple: allocations
 * @by_id: allocations with a ticket, by its id
 * @by_next: those whose client has said that it will be at a 5-tuple, by that
 * @by_perm: permissions, by allocation and address
 * @by_number: channels, by allocation and number
 * @by_peer: channels, by allocation and peer
 * @conn_by_id: connections, by CONNECTION-ID
 * @conn_by_peer: connections, by allocation and peer
 * @timers: what ends next
 * @allocs: all of them
 * @last_id: of an allocation
 * @tids: random transaction ids, drawn in advance
 * @n_tids: how many of them are left
 * @icmp_at: how far the token bucket of ICMP errors is used up, ms
 */
struct turn_server {
	struct turn_config cfg;
	const struct turn_ops *ops;
	void *env;
	struct turn_counters counters;
	struct turn_crypto crypto;
	uint8_t hash_key[TURN_SIPHASH_KEY_LEN];
	uint8_t dummy_key[TURN_DIGEST_MAX];
	struct turn_ready_key ready[TURN_READY_KEYS];
	struct turn_table by_tuple;
	struct turn_table by_id;
	struct turn_table by_next;
	struct turn_table by_perm;
	struct turn_table by_number;
	struct turn_table by_peer;
	struct turn_table conn_by_id;
	struct turn_table conn_by_peer;
	struct turn_heap timers;
	struct turn_allocs allocs;
	uint64_t last_id;
	uint8_t tids[TURN_TIDS][KTURN_STUN_TID_LEN];
	size_t n_tids;
	uint64_t icmp_at;
};

/** turn_random_tid() - a transaction id for an indication */
const uint8_t *turn_random_tid(struct turn_server *s);

/** turn_addr_equal() - the same transport address? */
static inline bool turn_addr_equal(const struct kturn_addr *a,
				   const struct kturn_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/** turn_addr_ip() - the address without its port: what a permission is for */
static inline struct kturn_addr turn_addr_ip(const struct kturn_addr *addr)
{
	struct kturn_addr ip = *addr;

	ip.port = 0;
	return ip;
}

/* "[", IPv6 address, "]:", port, NUL */
#define TURN_ADDR_TEXT	64

/** turn_addr_text() - write @addr as ADDRESS:PORT; returns @buf */
const char *turn_addr_text(const struct kturn_addr *addr,
			   char buf[TURN_ADDR_TEXT]);

/** turn_same_tuple() - the same 5-tuple? */
static inline bool turn_same_tuple(const struct turn_tuple *a,
				   const struct turn_tuple *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/** turn_tuple_hash() - of a 5-tuple, for the server's tables */
static inline uint64_t turn_tuple_hash(const struct turn_server *s,
				       const struct turn_tuple *tuple)
{
	return turn_siphash(s->hash_key, tuple, sizeof(*tuple));
}

/** turn_peer_hash() - of an allocation's peer, with its port or without */
static inline uint64_t turn_peer_hash(const struct turn_server *s,
				      const struct turn_alloc *a,
				      const struct kturn_addr *peer)
{
	uint8_t key[sizeof(a->id) + sizeof(*peer)];

	memcpy(key, &a->id, sizeof(a->id));
	memcpy(key + sizeof(a->id), peer, sizeof(*peer));
	return turn_siphash(s->hash_key, key, sizeof(key));
}

/* ------------------------------------------------------------- allocations */

/**
 * turn_alloc_new() - an allocation that nothing knows of yet
 * @s: server
 * @tuple: 5-tuple
 * @realm: realm
 * @user: user name
 *
 * The rest is zero. Return: NULL without memory.
 */
struct turn_alloc *turn_alloc_new(struct turn_server *s,
				  const struct turn_tuple *tuple,
				  const char *realm, const char *user);

/** turn_alloc_free() - free one that was not linked */
void turn_alloc_free(struct turn_alloc *a);

/** turn_alloc_take_quota() - count it; as turn_ops.quota_take */
int turn_alloc_take_quota(struct turn_server *s, struct turn_alloc *a,
			  bool granted);

/** turn_alloc_give_quota() - don't, any more */
void turn_alloc_give_quota(struct turn_server *s, struct turn_alloc *a);

/**
 * turn_alloc_link() - make it an allocation of the server
 * @s: server; room for two timers was reserved
 * @a: from turn_alloc_new(); its halves, whose timers say when they end, are
 *	the server's from now
 */
void turn_alloc_link(struct turn_server *s, struct turn_alloc *a);

/** turn_alloc_unlink() - the reverse: its halves keep what their timers say */
void turn_alloc_unlink(struct turn_server *s, struct turn_alloc *a);

/** turn_alloc_free() - free one that is not linked; its key is overwritten */
void turn_alloc_free(struct turn_alloc *a);

/** turn_alloc_ends() - when the last of its halves does */
uint64_t turn_alloc_ends(const struct turn_alloc *a);

/** turn_alloc_live() - the allocation of the 5-tuple at @now, or NULL */
struct turn_alloc *turn_alloc_live(struct turn_server *s,
				   const struct turn_tuple *tuple,
				   uint64_t now);

/**
 * turn_alloc_remove() - end an allocation and all that belongs to it
 * @s: server
 * @a: allocation; freed
 * @offload: tell the offload
 * @reason: for the log
 */
void turn_alloc_remove(struct turn_server *s, struct turn_alloc *a,
		       bool offload, const char *reason);

/* ------------------------------------------------------------ access tokens */

/** turn_grant_free() - overwrite and free it; NULL is fine */
void turn_grant_free(struct turn_grant *grant);

/**
 * turn_grant_follow() - the allocation stays whose it was
 * @next: that takes the place of
 * @before: the one before
 */
void turn_grant_follow(struct turn_grant *next,
		       const struct turn_grant *before);

/**
 * turn_grant_limit() - what is left of a lifetime (RFC 7635 section 9)
 * @grant: what its token brought; NULL: it was none
 * @now: clock
 * @lifetime: seconds, not 0
 *
 * Return: seconds, not 0.
 */
uint32_t turn_grant_limit(const struct turn_grant *grant, uint64_t now,
			  uint32_t lifetime);

/**
 * turn_grant_again() - a predecessor's
 * @s: server
 * @kid: name of the token's key
 * @p: token
 * @len: its length, at most TURN_ACCESS_TOKEN_MAX
 * @ends: when it ends
 * @realm: result: the realm of the key, or NULL
 *
 * Without the key it is one that nothing but another token can use.
 * Return: NULL without memory.
 */
struct turn_grant *turn_grant_again(struct turn_server *s, const char *kid,
				    const uint8_t *p, size_t len,
				    uint64_t ends,
				    const struct turn_realm **realm);

/* ------------------------------------------------------------------- halves */

/** turn_half_there() - is there this half of its allocation? */
static inline bool turn_half_there(const struct turn_half *h)
{
	return h->relay.addr.family != KTURN_FAMILY_NONE;
}

/** turn_alloc_half() - the half of a family, ended or not, or NULL */
struct turn_half *turn_alloc_half(struct turn_alloc *a, uint8_t family);

/** turn_half_live() - the half of a family, or NULL if it has ended at @now */
struct turn_half *turn_half_live(struct turn_alloc *a, uint8_t family,
				 uint64_t now);

/** turn_half_other() - the other half of the allocation, or NULL */
struct turn_half *turn_half_other(struct turn_half *h);

/** turn_half_set() - make @relay a half of an allocation that isn't linked */
void turn_half_set(struct turn_alloc *a, const struct turn_relay *relay);

/**
 * turn_half_end() - end a relayed address with its permissions and channels
 * @s: server
 * @h: half; of the only one the allocation ends too
 * @reason: for the log
 */
void turn_half_end(struct turn_server *s, struct turn_half *h,
		   const char *reason);

/** turn_half_expire() - its time is over at @now */
void turn_half_expire(struct turn_server *s, struct turn_half *h, uint64_t now);

/* ------------------------------------------------- permissions and channels */

/**
 * turn_perm_find() - a permission
 * @s: server
 * @a: allocation
 * @ip: peer, port 0
 * @now: clock
 *
 * Return: NULL if there is none or it has ended.
 */
struct turn_perm *turn_perm_find(struct turn_server *s,
				 const struct turn_alloc *a,
				 const struct kturn_addr *ip, uint64_t now);

/**
 * turn_perm_add() - install a permission
 * @s: server; room for a timer was reserved
 * @a: allocation
 * @p: from malloc(); the server's from now
 * @ip: peer, port 0; there is no permission for it, ended ones included
 * @at: when it ends
 */
void turn_perm_add(struct turn_server *s, struct turn_alloc *a,
		   struct turn_perm *p, const struct kturn_addr *ip,
		   uint64_t at);

/** turn_perm_remove() - end and free a permission */
void turn_perm_remove(struct turn_server *s, struct turn_perm *p);

/** turn_chan_by_number() - like turn_perm_find() */
struct turn_chan *turn_chan_by_number(struct turn_server *s,
				      const struct turn_alloc *a,
				      uint16_t number, uint64_t now);

/** turn_chan_by_peer() - like turn_perm_find(), by transport address */
struct turn_chan *turn_chan_by_peer(struct turn_server *s,
				    const struct turn_alloc *a,
				    const struct kturn_addr *peer,
				    uint64_t now);

/** turn_chan_add() - like turn_perm_add(); neither end is bound */
void turn_chan_add(struct turn_server *s, struct turn_alloc *a,
		   struct turn_chan *c, uint16_t number,
		   const struct kturn_addr *peer, uint64_t at);

/** turn_chan_remove() - unbind and free a channel */
void turn_chan_remove(struct turn_server *s, struct turn_chan *c);

/* --------------------------------------------------------------------- data */

/**
 * turn_alloc_passes() - may data pass, by its allocation's limit and what it
 * shares with others?
 * @a: allocation
 * @dir: direction
 * @len: bytes
 * @now: clock
 *
 * What does not pass takes nothing from any of them.
 */
static inline bool turn_alloc_passes(struct turn_alloc *a,
				     enum turn_direction dir, size_t len,
				     uint64_t now)
{
	const struct turn_used before = a->used[dir];

	if (!turn_limit_take(&a->limit[dir], &a->used[dir], len, now))
		return false;
	if (!a->pool || turn_pool_take(a->pool, dir, len, now))
		return true;
	a->used[dir] = before;
	return false;
}

/** turn_channel_data_input() - a ChannelData message from a client */
void turn_channel_data_input(struct turn_server *s, uint64_t now,
			     const struct turn_tuple *tuple,
			     const uint8_t *buf, size_t len);

/** turn_send_input() - a Send indication, going by its type */
void turn_send_input(struct turn_server *s, uint64_t now,
		     const struct turn_tuple *tuple,
		     const uint8_t *buf, size_t len);

/* -------------------------------------------------------------------- peers */

/**
 * turn_peer_verdict() - may this be a peer of the allocation?
 * @s: server
 * @a: allocation
 * @peer: address of the relay's family
 *
 * The transport's rules, and what no rule can allow.
 */
enum turn_verdict turn_peer_verdict(struct turn_server *s,
				    const struct turn_alloc *a,
				    const struct kturn_addr *peer);

/** turn_addr_tunneled() - Teredo or 6to4? (RFC 8656 section 21.4) */
bool turn_addr_tunneled(const struct kturn_addr *addr);

#endif /* _KTURND_TURN_INTERNAL_H */
