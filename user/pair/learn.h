/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the server has granted, learnt from what it tells its clients. Knows
 * nothing of sockets or netlink: struct learn_ops does, and time is an argument.
 *
 * Never more than was granted goes into the kernel. What is odd, or of which
 * something is missing, does not.
 */
#ifndef _PAIR_LEARN_H
#define _PAIR_LEARN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "address.h"
#include "capture.h"
#include "transaction.h"

/** struct external - an address that the server tells, and the one it has */
struct external {
	struct kturn_addr outside;
	struct kturn_addr inside;
};

/**
 * struct learn_cfg - what the operator said
 * @port_min: least port of relayed addresses
 * @port_max: greatest
 * @external: 1:1 NAT in front of the server
 * @n_external: how many
 * @deny: peers that are left to the server
 * @n_deny: how many
 * @perm_ms: lifetime of the server's permissions
 * @chan_ms: lifetime of its channels
 */
struct learn_cfg {
	uint16_t port_min;
	uint16_t port_max;
	struct external *external;
	size_t n_external;
	struct prefix *deny;
	size_t n_deny;
	uint64_t perm_ms;
	uint64_t chan_ms;
};

/**
 * struct relay - a relayed address
 * @node: in struct learn, by @cookie
 * @session: whose
 * @addr: as bound here; family KTURN_FAMILY_NONE: none
 * @cookie: of its socket
 */
struct relay {
	struct turn_node node;
	struct session *session;
	struct kturn_addr addr;
	uint64_t cookie;
};

/**
 * struct session - an allocation of the server's
 * @node: in struct learn, by 5-tuple
 * @link: all of them
 * @flow: 5-tuple
 * @relay: relayed addresses: [0] IPv4, [1] IPv6
 * @uid: of the server
 * @expires_ms: when the server ends it at the latest
 * @unsure: it may have been shortened, and we would not know
 * @id: the kernel's number, or 0: the server relays all
 * @label: USERNAME
 */
struct session {
	struct turn_node node;
	TAILQ_ENTRY(session) link;
	struct flow flow;
	struct relay relay[2];
	uint32_t uid;
	uint64_t expires_ms;
	bool unsure;
	uint32_t id;
	char label[KTURN_LABEL_MAX + 1];
};

TAILQ_HEAD(session_list, session);

/**
 * struct learn_ops - the world
 * @is_server: was an answer on @flow, by a socket of user @uid, the server's,
 *	and are the 5-tuple's addresses those on the wire?
 * @bound: is there a socket of user @uid that gets what comes to @relay from
 *	anywhere? Its cookie comes back
 * @alloc_new: into the kernel, for so many milliseconds; its id, or 0: not
 * @alloc_set: a new lifetime; false: it is not there
 * @alloc_del: out of the kernel
 * @perm_new: false: not
 * @chan_new: false: not
 */
struct learn_ops {
	bool (*is_server)(void *arg, const struct flow *flow, uint32_t uid);
	bool (*bound)(void *arg, uint32_t uid, const struct kturn_addr *relay,
		      uint64_t *cookie);
	uint32_t (*alloc_new)(void *arg, const struct session *s, uint32_t ms);
	bool (*alloc_set)(void *arg, uint32_t id, uint32_t ms);
	void (*alloc_del)(void *arg, const struct session *s);
	bool (*perm_new)(void *arg, uint32_t id, const struct kturn_addr *peer,
			 uint32_t ms);
	bool (*chan_new)(void *arg, uint32_t id, uint16_t number,
			 const struct kturn_addr *peer, uint32_t ms);
};

/**
 * struct learn_counts - what became of answers
 * @granted: something was learnt from them
 * @unmatched: no request is known, or more than one
 * @odd: they, or the request, say something that is not understood
 * @foreign: the relayed address is none of this host's, or not the
 *	server's, or has no socket of its own
 * @refused: the kernel did not take it
 * @gone: sessions that ended with their socket
 * @asleep: sessions that were taken from the kernel for missing packets
 */
struct learn_counts {
	uint64_t granted;
	uint64_t unmatched;
	uint64_t odd;
	uint64_t foreign;
	uint64_t refused;
	uint64_t gone;
	uint64_t asleep;
};

/**
 * struct learn - sessions and transactions
 * @cfg: the operator's
 * @ops: the world
 * @arg: for @ops
 * @transactions: requests
 * @flows: sessions by 5-tuple
 * @cookies: sessions by socket
 * @sessions: all of them
 * @known: cookies of all UDP sockets, sorted, at some moment
 * @n_known: how many
 * @known_ms: which moment
 * @counts: see there
 */
struct learn {
	const struct learn_cfg *cfg;
	const struct learn_ops *ops;
	void *arg;
	struct transactions transactions;
	struct turn_table flows;
	struct turn_table cookies;
	struct session_list sessions;
	uint64_t *known;
	size_t n_known;
	uint64_t known_ms;
	struct learn_counts counts;
};

/**
 * learn_init() - nothing is known
 * @l: result
 * @cfg: stays the caller's
 * @ops: the world
 * @arg: for @ops
 * @key: TURN_SIPHASH_KEY_LEN random bytes
 *
 * Return: false without memory.
 */
bool learn_init(struct learn *l, const struct learn_cfg *cfg,
		const struct learn_ops *ops, void *arg, const uint8_t *key);

/** learn_destroy() - forget all; the kernel is not told */
void learn_destroy(struct learn *l);

/**
 * learn_request() - a client has sent a request, or the server an error
 * @l: learner
 * @p: datagram, from the group of those that strangers can cause
 * @sent_ms: when the kernel saw it
 * @now_ms: CLOCK_BOOTTIME, as all times here
 *
 * Each is to be here before an answer that left after it.
 */
void learn_request(struct learn *l, const struct packet *p, uint64_t sent_ms,
		   uint64_t now_ms);

/** learn_answer() - the server has answered with success; as learn_request() */
void learn_answer(struct learn *l, const struct packet *p, uint64_t now_ms);

/** learn_requests_lost() - requests are missing, and the server may answer them
 * for @for_ms
 */
void learn_requests_lost(struct learn *l, uint64_t for_ms, uint64_t now_ms);

/** learn_unread() - something came from a client that may be a request, and can't
 * be read: another IP header than usual, a fragment, several datagrams in one
 */
void learn_unread(struct learn *l, const struct kturn_addr *client,
		  uint64_t now_ms);

/** learn_answers_lost() - of what the server granted, some is not known: its
 * sessions leave the kernel until they are refreshed
 */
void learn_answers_lost(struct learn *l);

/** learn_socket_gone() - a socket was closed */
void learn_socket_gone(struct learn *l, uint64_t cookie);

/**
 * learn_sockets() - which UDP sockets there are
 * @l: learner
 * @cookies: sorted; becomes the learner's
 * @n: how many
 * @now_ms: when it was asked for
 *
 * Sessions whose sockets are not among them end.
 */
void learn_sockets(struct learn *l, uint64_t *cookies, size_t n,
		   uint64_t now_ms);

/** learn_tick() - time goes by; call it every second or so */
void learn_tick(struct learn *l, uint64_t now_ms);

/** learn_left_kernel() - a session's entry is not in the kernel any more */
void learn_left_kernel(struct learn *l, const struct flow *flow, uint32_t id);

/** learn_kernel_gone() - the module was unloaded, or is not there yet */
void learn_kernel_gone(struct learn *l);

#endif /* _PAIR_LEARN_H */
