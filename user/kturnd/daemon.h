/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all threads of the daemon share. */
#ifndef _KTURND_DAEMON_H
#define _KTURND_DAEMON_H

#include "config.h"
#include "mobility.h"
#include "nat/nat.h"
#include "peer_acl.h"
#include "quota.h"
#include "redirect.h"
#include "relay.h"
#include "reserve.h"
#include "state.h"
#include "steer.h"
#include "transport/tls.h"
#include "users.h"
#include "worker.h"

struct answers;

/**
 * struct daemon - the daemon
 * @cfg: configuration, constant but for its secrets, which are the main thread's
 * @state: state directory, constant
 * @tls: certificates, if there are any
 * @listen: listening addresses, constant
 * @relays: relayed addresses
 * @reserve: reserved ports
 * @quota: allocations of each user
 * @mobility: which worker has which allocation that may move
 * @redirect: where clients are sent
 * @n_streams: connections of TCP and TLS
 * @n_dtls: those of DTLS
 * @n_peer_conns: connections to peers
 * @users: users out of the configuration, and the user store; constant
 * @answers: main thread's part of the store
 * @acl: which addresses may be peers, constant
 * @steer: which worker serves a client, constant
 * @connection_key: which worker gives connections to peers a number, constant
 * @workers: all of them
 * @n_workers: how many, constant
 * @base: the main thread's loop
 * @started_ms: when the daemon started, worker_clock()'s
 * @secrets_seen: of the file of secrets when it was looked at last
 * @realms: those that the workers were given last; main thread
 * @local: follows the host's addresses; main thread
 * @nats: those whose external address is learnt, constant
 * @n_nats: how many
 */
struct daemon {
	struct config *cfg;
	struct state state;
	struct tls tls;
	struct config_addrs listen;
	struct relay_pool relays;
	struct reserve reserve;
	struct quota quota;
	struct mobility mobility;
	struct redirect redirect;
	atomic_uint n_streams;
	atomic_uint n_dtls;
	atomic_uint n_peer_conns;
	struct users users;
	struct answers *answers;
	struct peer_acl acl;
	struct steer steer;
	uint8_t connection_key[TURN_SIPHASH_KEY_LEN];
	struct worker *workers;
	unsigned int n_workers;
	struct event_base *base;
	uint64_t started_ms;
	uint64_t secrets_seen;
	struct realms *realms;
	struct local *local;
	struct nat **nats;
	size_t n_nats;
};

#endif /* _KTURND_DAEMON_H */
