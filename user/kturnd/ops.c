// SPDX-License-Identifier: GPL-2.0-or-later
/* What the state machine needs of the world: turn_ops for a worker. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "daemon.h"
#include "kturn.h"
#include "log.h"
#include "policy.h"
#include "random.h"
#include "socket.h"
#include "table.h"
#include "transport/conn.h"
#include "transport/peer.h"

/* ---------------------------------------------------------------- datagrams */

static void client_send(void *env, const struct turn_tuple *to,
			const uint8_t *buf, size_t len)
{
	struct worker *w = env;

	if (w->answers) {
		visitor_answer(w, to, buf, len);
		return;
	}
	switch (to->transport) {
	case TURN_UDP:
		worker_send(w, to, buf, len);
		break;
	case TURN_DTLS:
		dtls_send(&w->dtls, to, buf, len);
		break;
	default:
		stream_send(&w->stream, to, buf, len);
	}
}

/*
 * Not through the NAT, which may not send it back. Return: false if it is nobody's
 * relayed address: that it may be a peer was found out some time ago, and what
 * else the host has at that port is not for clients.
 */
static bool make_private(struct worker *w, const struct kturn_addr *to,
			 enum relay_transport transport,
			 struct kturn_addr *private)
{
	struct relay_addr *ra = relay_find_public(&w->d->relays, to);

	*private = *to;
	if (!ra)
		return true;
	memcpy(private->ip, ra->addr.ip, sizeof(private->ip));
	return relay_is_live(ra, private, transport);
}

static void peer_send(void *env, const struct turn_relay *from,
		      const struct kturn_addr *to, const uint8_t *buf,
		      size_t len, bool dont_fragment)
{
	struct relay_sock *rs = from->handle;
	struct worker *w = env;
	struct kturn_addr private;

	if (!make_private(w, to, RELAY_UDP, &private))
		return;
	/*
	 * RFC 8656 section 14, the alternate behaviour. IPv4 has no way to say
	 * it with a datagram.
	 */
	if (from->addr.family == KTURN_FAMILY_V4 &&
	    dont_fragment != rs->dont_fragment) {
		io_flush(&w->io);
		socket_set_dont_fragment(rs->fd, dont_fragment);
		rs->dont_fragment = dont_fragment;
	}
	io_send(&w->io, rs->fd, &private, buf, len);
}

/* ------------------------------------------------------------------- relays */

static int open_relay(void *env, uint8_t family, enum turn_parity parity,
		      struct turn_relay *relay, struct turn_relay *reserved)
{
	struct worker *w = env;

	reserve_expire(&w->d->reserve, w->now);
	return relay_open(&w->d->relays, family, parity, relay, reserved);
}

static int open_tcp_relay(void *env, uint8_t family, struct turn_relay *relay)
{
	struct worker *w = env;

	reserve_expire(&w->d->reserve, w->now);
	return relay_open_tcp(&w->d->relays, family, relay);
}

static void close_relay(void *env, struct turn_relay *relay)
{
	struct relay_sock *rs = relay->handle;
	struct worker *w = env;

	if (!rs)
		return;
	io_flush(&w->io);
	if (w->reading == rs)
		w->reading = NULL;
	if (rs->worker)
		event_del(&rs->event);
	relay_close(relay);
}

static void start_relay(void *env, struct turn_relay *relay,
			struct turn_alloc *alloc)
{
	worker_watch_relay(env, relay, alloc);
}

static int reserve(void *env, const uint8_t token[8],
		   struct turn_relay *relay, uint64_t expires_ms)
{
	struct worker *w = env;

	return reserve_put(&w->d->reserve, token, relay, expires_ms);
}

static int claim(void *env, const uint8_t token[8], struct turn_relay *relay)
{
	struct worker *w = env;

	return reserve_claim(&w->d->reserve, token, relay, w->now);
}

/* ----------------------------------------------------- connections to peers */

static int connect_peer(void *env, const struct turn_relay *from,
			const struct kturn_addr *to,
			struct turn_connection *c, void **handle)
{
	struct worker *w = env;
	struct kturn_addr private;

	/* A socket can connect to itself, which would be no peer. */
	if (!make_private(w, to, RELAY_TCP, &private) ||
	    addr_equal(&private, &from->addr))
		return -EADDRNOTAVAIL;
	return peer_connect(&w->stream, &from->addr, &private, c, handle);
}

static void join_connection(void *env, void *handle,
			    const struct turn_tuple *client)
{
	peer_join(handle, client);
}

static void close_connection(void *env, void *handle)
{
	peer_close(handle);
}

/* Which worker gives connections this number. */
static struct worker *home_of(struct daemon *d, uint32_t id)
{
	uint64_t hash = turn_siphash(d->connection_key, &id, sizeof(id));

	return &d->workers[hash % d->n_workers];
}

static uint32_t connection_id(void *env)
{
	struct worker *w = env;
	uint32_t id;

	do
		random_bytes(&id, sizeof(id));
	while (home_of(w->d, id) != w);
	return id;
}

static bool pass_connection(void *env, const struct turn_tuple *client,
			    uint32_t id)
{
	struct worker *w = env, *home = home_of(w->d, id);

	if (home == w)
		return false;
	conn_pass(&w->stream, client, home);
	return true;
}

/* -------------------------------------------------------------------- users */

static const struct turn_realm *find_realm(void *env, const char *name,
					   size_t len)
{
	struct worker *w = env;
	const struct realm *realm = realms_find(w->realms, name, len);

	return realm && realm->named ? &realm->turn : NULL;
}

static const struct turn_realm *realm_by_origin(void *env, const char *origin,
						size_t len)
{
	struct worker *w = env;
	const struct realm *realm = realms_by_origin(w->realms, origin, len);

	return realm ? &realm->turn : NULL;
}

static const struct turn_realm *realm_at(void *env,
					 const struct turn_tuple *tuple)
{
	struct worker *w = env;

	return &realms_at(w->realms, &tuple->server)->turn;
}

/* When the request came: what the store has said since is its answer. */
static uint64_t since(const struct worker *w)
{
	return w->since ? w->since : w->now;
}

static int user_keys(void *env, const char *realm, const char *name,
		     struct turn_keys *keys)
{
	struct worker *w = env;

	return users_keys(&w->d->users, since(w), realm, name, keys);
}

static int user_by_hash(void *env, const char *realm, const uint8_t hash[32],
			char *name)
{
	struct worker *w = env;

	return users_by_hash(&w->d->users, since(w), realm, hash, name);
}

static int user_refuse(void *env, const char *realm, const char *name)
{
	struct worker *w = env;

	return users_refuse(&w->d->users, since(w), realm, name);
}

static void ask(void *env, const struct turn_question *q, const uint8_t *msg,
		size_t len)
{
	const struct kturn_addr *client = &q->tuple->client;
	struct worker *w = env;
	struct store_question ask = {
		.realm = q->realm,
		.user = q->user,
		.hash = q->hash,
		.worker = w->index,
		.waits = msg,
	};
	uint64_t number;

	/* The clients' half of the key is the nonces'. */
	ask.source = turn_siphash(w->d->state.nonce_key + TURN_SIPHASH_KEY_LEN,
				  client->ip,
				  client->family == KTURN_FAMILY_V4 ? 4 : 8);
	number = store_ask(w->d->users.store, &ask);
	if (number && msg)
		park_add(&w->park, number, w->now, q->tuple, msg, len);
}

static int token_key(void *env, const char *kid, struct turn_token_key *key)
{
	struct worker *w = env;

	return realms_token_key(w->realms, kid, key);
}

static unsigned int features(void *env, const struct turn_realm *realm)
{
	struct store_realm known = { true, true };
	struct worker *w = env;

	/* Users out of the configuration have all keys. */
	if (w->d->users.store)
		known = store_realm(w->d->users.store, realm->name);
	/*
	 * A USERHASH can't be turned back into a time-limited name, and an
	 * access token comes with a USERNAME.
	 */
	if (realm->n_secrets || w->d->cfg->token_server_name)
		known.all_hashed = false;
	return (known.all_sha256 ? TURN_FEATURE_SHA256 : 0) |
	       (known.all_hashed ? TURN_FEATURE_ANONYMITY : 0);
}

static int take_quota(void *env, const char *realm, const char *user,
		      bool granted, struct turn_pool **pool)
{
	struct worker *w = env;
	const struct realm *r = realms_find(w->realms, realm, strlen(realm));
	const struct quota_of of = {
		.realm = realm,
		.user = user,
		.user_max = r ? r->user_quota : w->d->cfg->user_quota,
		.realm_max = r ? r->total_quota : 0,
	};

	return quota_take(&w->d->quota, &of, granted, pool);
}

static void give_quota(void *env, const char *realm, const char *user)
{
	struct worker *w = env;

	quota_give(&w->d->quota, realm, user, w->now);
}

static enum turn_verdict peer_check(void *env, const struct kturn_addr *peer,
				    const struct turn_alloc *alloc)
{
	return policy_check(env, peer, alloc);
}

/* ------------------------------------------------------------------ offload */

static int push_alloc(void *env, struct turn_alloc *alloc, uint32_t lifetime)
{
	struct worker *w = env;

	return offload_alloc(&w->offload, alloc, lifetime);
}

static int push_refresh(void *env, struct turn_alloc *alloc)
{
	struct worker *w = env;

	return offload_refresh(&w->offload, alloc);
}

static int push_peers(void *env, struct turn_alloc *alloc,
		      const struct kturn_addr *peers, size_t n,
		      uint16_t number)
{
	struct worker *w = env;

	return offload_peers(&w->offload, alloc, peers, n, number);
}

static void push_shrink(void *env, struct turn_alloc *alloc)
{
	struct worker *w = env;

	offload_shrink(&w->offload, alloc);
}

static int push_move(void *env, struct turn_alloc *alloc)
{
	struct worker *w = env;

	return offload_move(&w->offload, alloc);
}

static void push_remove(void *env, struct turn_alloc *alloc)
{
	struct worker *w = env;

	offload_remove(&w->offload, alloc);
}

/* ----------------------------------------------------------------- mobility */

static int mobile_new(void *env, uint64_t id)
{
	struct worker *w = env;

	return mobility_add(&w->d->mobility, id, w);
}

static void mobile_end(void *env, uint64_t id)
{
	struct worker *w = env;

	mobility_remove(&w->d->mobility, id);
}

static void visit_begin(void *env, uint64_t id,
			const struct turn_tuple *tuple, uint32_t home)
{
	visitor_begin(env, id, tuple, home);
}

static void visit_end(void *env, uint64_t id, const struct turn_tuple *tuple,
		      uint32_t home)
{
	visitor_end(env, id, tuple, home);
}

static void visit_stay(void *env, uint64_t id, const struct turn_tuple *tuple,
		       uint32_t home)
{
	visitor_stay(env, id, tuple, home);
}

static uint32_t client_home(void *env, const struct turn_tuple *tuple)
{
	struct worker *w = env;

	return steer_worker(&w->d->steer, &tuple->client);
}

/* --------------------------------------------------------------------- rest */

static enum turn_place place(void *env, const struct turn_tuple *client,
			     struct turn_alternate alt[2])
{
	struct worker *w = env;

	return redirect_choose(&w->d->redirect,
			       atomic_load(&w->d->quota.total),
			       client->client.family, alt);
}

static bool may_answer(void *env, const struct turn_tuple *to, uint64_t now)
{
	struct worker *w = env;

	/* Who is connected is where they say: nobody else gets the answers. */
	return to->transport != TURN_UDP ||
	       source_limit_take(&w->sources, &to->client, now);
}

static void fill_random(void *env, void *buf, size_t len)
{
	random_bytes(buf, len);
}

static void write_log(void *env, int level, const char *event,
		      const struct turn_tuple *tuple, const char *user,
		      const char *fmt, ...)
{
	static const char *const names[] = {
		[TURN_UDP] = "udp", [TURN_TCP] = "tcp", [TURN_TLS] = "tls",
		[TURN_DTLS] = "dtls",
	};
	char client[KTURN_ADDR_TEXT_MAX];
	unsigned int suppressed;
	struct log_line line;
	va_list ap;

	/* All of it is caused by clients. */
	if (!log_enabled(level) || !log_allowed(event, &suppressed))
		return;
	log_begin(&line, level, event);
	if (tuple)
		log_add(&line, "client=%s",
			kturn_addr_text(&tuple->client, client));
	if (tuple && tuple->transport != TURN_UDP)
		log_add(&line, "transport=%s", names[tuple->transport]);
	if (user)
		log_add(&line, "user=%s", user);
	va_start(ap, fmt);
	log_vadd(&line, fmt, ap);
	va_end(ap);
	if (suppressed)
		log_add(&line, "suppressed=%u", suppressed);
	log_end(&line);
}

const struct turn_ops worker_ops = {
	.client_send = client_send,
	.peer_send = peer_send,
	.relay_open = open_relay,
	.tcp_relay_open = open_tcp_relay,
	.relay_close = close_relay,
	.relay_start = start_relay,
	.connect = connect_peer,
	.connection_join = join_connection,
	.connection_close = close_connection,
	.connection_id = connection_id,
	.connection_pass = pass_connection,
	.reserve = reserve,
	.claim = claim,
	.realm_find = find_realm,
	.realm_by_origin = realm_by_origin,
	.realm_at = realm_at,
	.user_keys = user_keys,
	.user_by_hash = user_by_hash,
	.token_key = token_key,
	.user_refuse = user_refuse,
	.ask = ask,
	.features = features,
	.quota_take = take_quota,
	.quota_give = give_quota,
	.peer_check = peer_check,
	.offload_alloc = push_alloc,
	.offload_refresh = push_refresh,
	.offload_peers = push_peers,
	.offload_shrink = push_shrink,
	.offload_move = push_move,
	.offload_remove = push_remove,
	.mobile_new = mobile_new,
	.mobile_end = mobile_end,
	.visit_begin = visit_begin,
	.visit_end = visit_end,
	.visit_stay = visit_stay,
	.home = client_home,
	.place = place,
	.may_answer = may_answer,
	.random = fill_random,
	.log = write_log,
};
