// SPDX-License-Identifier: GPL-2.0-or-later
/* What the server has granted; see learn.h. */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "learn.h"
#include "log.h"

/* Authenticated clients have few at a time; strangers' end with an error. */
#define TRANSACTIONS_MAX	65536

/* Entries end before the server's, never after them. */
#define EARLIER_MS		1000

bool learn_init(struct learn *l, const struct learn_cfg *cfg,
		const struct learn_ops *ops, void *arg, const uint8_t *key)
{
	memset(l, 0, sizeof(*l));
	l->cfg = cfg;
	l->ops = ops;
	l->arg = arg;
	TAILQ_INIT(&l->sessions);
	return transactions_init(&l->transactions, key, TRANSACTIONS_MAX) &&
	       turn_table_init(&l->flows) && turn_table_init(&l->cookies);
}

/* ---------------------------------------------------------------- sessions */

static uint64_t flow_hash(const struct learn *l, const struct flow *flow)
{
	return turn_siphash(l->transactions.key, flow, sizeof(*flow));
}

static struct session *session_find(const struct learn *l,
				    const struct flow *flow)
{
	struct turn_node *node;
	struct session *s;

	for (node = turn_table_first(&l->flows, flow_hash(l, flow)); node;
	     node = turn_table_next(node)) {
		s = (struct session *)((char *)node -
				       offsetof(struct session, node));
		if (!memcmp(&s->flow, flow, sizeof(*flow)))
			return s;
	}
	return NULL;
}

/* Cookies are unique, so that they are hash and key. */
static struct session *session_of_socket(const struct learn *l, uint64_t cookie)
{
	struct turn_node *node = turn_table_first(&l->cookies, cookie);

	if (!node)
		return NULL;
	return ((struct relay *)((char *)node -
				 offsetof(struct relay, node)))->session;
}

static void session_add(struct learn *l, struct session *s)
{
	int i;

	turn_table_add(&l->flows, &s->node, flow_hash(l, &s->flow));
	TAILQ_INSERT_TAIL(&l->sessions, s, link);
	for (i = 0; i < 2; i++)
		if (s->relay[i].addr.family)
			turn_table_add(&l->cookies, &s->relay[i].node,
				       s->relay[i].cookie);
}

static void session_remove(struct learn *l, struct session *s)
{
	int i;

	turn_table_del(&l->flows, &s->node);
	TAILQ_REMOVE(&l->sessions, s, link);
	for (i = 0; i < 2; i++)
		if (s->relay[i].addr.family)
			turn_table_del(&l->cookies, &s->relay[i].node);
	free(s);
}

/* Out of the kernel; what the server relays meanwhile is all of it. */
static void session_withdraw(struct learn *l, struct session *s)
{
	if (s->id)
		l->ops->alloc_del(l->arg, s);
	s->id = 0;
}

static void session_end(struct learn *l, struct session *s, const char *why)
{
	char client[KTURN_ADDR_TEXT_MAX];

	log_limited(LOG_DEBUG, "session-end", "client=%s user=%s reason=%s",
		    kturn_addr_text(&s->flow.client, client), s->label, why);
	session_withdraw(l, s);
	session_remove(l, s);
}

void learn_destroy(struct learn *l)
{
	struct session *s;

	while ((s = TAILQ_FIRST(&l->sessions)))
		session_remove(l, s);
	transactions_destroy(&l->transactions);
	turn_table_destroy(&l->flows);
	turn_table_destroy(&l->cookies);
	free(l->known);
}

/*
 * Milliseconds that are left of what was granted at @sent_ms for @ms; 0: none,
 * or so few that it is not worth while.
 */
static uint32_t left(uint64_t sent_ms, uint64_t ms, uint64_t now_ms)
{
	uint64_t end = sent_ms + ms;

	if (end <= now_ms + EARLIER_MS)
		return 0;
	end -= now_ms + EARLIER_MS;
	return end < UINT32_MAX ? (uint32_t)end : UINT32_MAX;
}

/* Into the kernel, unless it is there. */
static bool session_install(struct learn *l, struct session *s, uint64_t now_ms)
{
	uint32_t ms = left(s->expires_ms, 0, now_ms);

	if (s->id)
		return true;
	if (s->unsure)
		return false;
	if (ms)
		s->id = l->ops->alloc_new(l->arg, s, ms);
	if (!s->id)
		l->counts.refused++;
	return s->id;
}

/* ---------------------------------------------------------------- Allocate */

/* The relayed address as it is bound here. */
static struct kturn_addr inside(const struct learn_cfg *cfg,
				const struct kturn_addr *relay)
{
	struct kturn_addr addr = *relay;
	size_t i;

	for (i = 0; i < cfg->n_external; i++) {
		if (!addr_ip_equal(&cfg->external[i].outside, relay))
			continue;
		memcpy(addr.ip, cfg->external[i].inside.ip, sizeof(addr.ip));
		addr.family = cfg->external[i].inside.family;
		break;
	}
	return addr;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Was it there before the client asked? */
static bool is_older(const struct learn *l, uint64_t cookie, uint64_t sent_ms)
{
	return l->known && l->known_ms < sent_ms &&
	       bsearch(&cookie, l->known, l->n_known, sizeof(cookie), compare);
}

/*
 * A server that uses one socket for several sessions ends one without closing
 * it, which nobody would see. So the socket has to be new, unless it was
 * reserved (EVEN-PORT), and no other session's.
 */
static bool relay_read(struct learn *l, const struct transaction *tr,
		       uint32_t uid, const struct kturn_addr *told,
		       struct relay *relay)
{
	struct session *other;

	relay->addr = inside(l->cfg, told);
	if (kturn_addr_port(&relay->addr) < l->cfg->port_min ||
	    kturn_addr_port(&relay->addr) > l->cfg->port_max ||
	    !l->ops->bound(l->arg, uid, &relay->addr, &relay->cookie))
		return false;
	other = session_of_socket(l, relay->cookie);
	if (other) {
		session_end(l, other, "its socket is another session's, too");
		return false;
	}
	return tr->request->reserved ||
	       !is_older(l, relay->cookie, tr->sent_ms);
}

static struct session *session_read(struct learn *l,
				    const struct transaction *tr, uint32_t uid,
				    const struct answer *a)
{
	struct session *s = calloc(1, sizeof(*s));
	int i;

	if (!s)
		return NULL;
	for (i = 0; i < 2; i++) {
		if (!a->relay[i].family)
			continue;
		s->relay[i].session = s;
		if (!relay_read(l, tr, uid, &a->relay[i], &s->relay[i])) {
			l->counts.foreign++;
			free(s);
			return NULL;
		}
	}
	s->flow = tr->flow;
	s->uid = uid;
	s->expires_ms = tr->sent_ms + a->lifetime * 1000ull;
	memcpy(s->label, tr->request->label, sizeof(s->label));
	return s;
}

static void on_allocate(struct learn *l, const struct transaction *tr,
			uint32_t uid, const struct answer *a, uint64_t now_ms)
{
	char client[KTURN_ADDR_TEXT_MAX], relay[KTURN_ADDR_TEXT_MAX];
	struct session *s;

	if (tr->request->odd || a->odd || !a->has_lifetime || !a->lifetime ||
	    !(a->relay[0].family || a->relay[1].family)) {
		l->counts.odd++;
		return;
	}
	if (!l->ops->is_server(l->arg, &tr->flow, uid)) {
		l->counts.foreign++;
		return;
	}
	s = session_read(l, tr, uid, a);
	if (!s)
		return;
	session_add(l, s);
	l->counts.granted++;
	if (!session_install(l, s, now_ms))
		return;
	log_limited(LOG_DEBUG, "session", "client=%s relay=%s user=%s",
		    kturn_addr_text(&s->flow.client, client),
		    kturn_addr_text(&s->relay[!s->relay[0].addr.family].addr,
				    relay), s->label);
}

/* ------------------------------------------------------------ other answers */

static void on_refresh(struct learn *l, struct session *s,
		       const struct transaction *tr, const struct answer *a,
		       uint64_t now_ms)
{
	uint32_t ms;

	/* Of two relayed addresses it may be about one. */
	if (tr->request->odd || a->odd || !a->has_lifetime ||
	    (tr->request->family && s->relay[0].addr.family &&
	     s->relay[1].addr.family)) {
		l->counts.odd++;
		session_end(l, s, "a refresh that is not understood");
		return;
	}
	s->expires_ms = tr->sent_ms + a->lifetime * 1000ull;
	s->unsure = false;
	ms = left(s->expires_ms, 0, now_ms);
	if (!ms) {
		session_end(l, s, "the client has ended it");
		return;
	}
	l->counts.granted++;
	if (s->id && l->ops->alloc_set(l->arg, s->id, ms))
		return;
	session_withdraw(l, s);
	session_install(l, s, now_ms);
}

static bool is_denied(const struct learn_cfg *cfg, const struct kturn_addr *peer)
{
	size_t i;

	for (i = 0; i < cfg->n_deny; i++)
		if (prefix_match(&cfg->deny[i], peer))
			return true;
	return false;
}

static void grant_peer(struct learn *l, struct session *s,
		       const struct transaction *tr,
		       const struct kturn_addr *peer, uint64_t now_ms)
{
	uint32_t perm_ms = left(tr->sent_ms, l->cfg->perm_ms, now_ms);
	uint32_t chan_ms = left(tr->sent_ms, l->cfg->chan_ms, now_ms);
	bool ok = true;

	if (is_denied(l->cfg, peer) || !perm_ms || !chan_ms)
		return;
	/*
	 * The channel first: without a permission what peers send is left to
	 * the server, while a permission without the channel would have it
	 * become Data indications, where the server sends ChannelData.
	 */
	if (tr->request->method == KTURN_CHANNEL_BIND)
		ok = l->ops->chan_new(l->arg, s->id, tr->request->number, peer,
				      chan_ms);
	if (ok)
		ok = l->ops->perm_new(l->arg, s->id, peer, perm_ms);
	if (!ok)
		l->counts.refused++;
}

static void on_peers(struct learn *l, struct session *s,
		     const struct transaction *tr, uint64_t now_ms)
{
	unsigned int i;

	if (!session_install(l, s, now_ms))
		return;
	l->counts.granted++;
	for (i = 0; i < tr->request->n; i++)
		grant_peer(l, s, tr, &tr->request->peer[i], now_ms);
}

static void on_answer(struct learn *l, const struct transaction *tr,
		      uint32_t uid, const struct answer *a, uint64_t now_ms)
{
	struct session *s = session_find(l, &tr->flow);

	if (tr->request->method == KTURN_ALLOCATE) {
		/* Whatever it was, the server knows nothing of it any more. */
		if (s)
			session_end(l, s, "the client has another");
		on_allocate(l, tr, uid, a, now_ms);
		return;
	}
	/* One from before our time, or that we have reasons not to touch. */
	if (!s)
		return;
	if (uid != s->uid) {
		l->counts.foreign++;
		return;
	}
	if (tr->request->method == KTURN_REFRESH)
		on_refresh(l, s, tr, a, now_ms);
	else if (tr->request->odd)
		l->counts.odd++;
	else
		on_peers(l, s, tr, now_ms);
}

/* ----------------------------------------------------------------- packets */

static bool is_method(uint16_t method)
{
	return method == KTURN_ALLOCATE || method == KTURN_REFRESH ||
	       method == KTURN_CREATE_PERMISSION ||
	       method == KTURN_CHANNEL_BIND;
}

static bool stun_read(const struct packet *p, struct kturn_stun *msg)
{
	return !kturn_stun_parse(p->payload, p->len, msg) &&
	       is_method(msg->method);
}

void learn_request(struct learn *l, const struct packet *p, uint64_t sent_ms,
		   uint64_t now_ms)
{
	struct flow asked = { .client = p->src, .server = p->dst };
	struct flow answered = { .client = p->dst, .server = p->src };
	struct kturn_stun msg;

	if (!stun_read(p, &msg)) {
		learn_unread(l, &p->src, now_ms);
		return;
	}
	if (msg.cls == KTURN_REQUEST)
		transaction_begin(&l->transactions, &asked, &msg, p->len,
				  sent_ms, now_ms);
	else if (msg.cls == KTURN_ERROR)
		transaction_refused(&l->transactions, &answered, &msg);
}

/* To nothing that is known, or known for certain: it can only take away. */
static void on_unmatched(struct learn *l, const struct flow *flow,
			 const struct kturn_stun *msg, const struct answer *a)
{
	struct session *s = session_find(l, flow);

	l->counts.unmatched++;
	if (!s)
		return;
	if (msg->method == KTURN_ALLOCATE) {
		session_end(l, s, "the client has another");
	} else if (msg->method == KTURN_REFRESH && a->has_lifetime &&
		   !a->lifetime) {
		session_end(l, s, "the client has ended it");
	} else if (msg->method == KTURN_REFRESH) {
		/* It may be shorter than it was. */
		s->unsure = true;
		session_withdraw(l, s);
	}
}

void learn_answer(struct learn *l, const struct packet *p, uint64_t now_ms)
{
	struct flow flow = { .client = p->dst, .server = p->src };
	struct transaction *tr;
	struct kturn_stun msg;
	struct answer a;
	bool again;

	if (!stun_read(p, &msg) || msg.cls != KTURN_SUCCESS || !p->has_uid)
		return;
	answer_parse(&msg, &a);
	tr = transaction_end(&l->transactions, &flow, &msg, &again);
	if (!tr) {
		if (!again)
			on_unmatched(l, &flow, &msg, &a);
		return;
	}
	on_answer(l, tr, p->uid, &a, now_ms);
	transaction_done(tr);
}

void learn_requests_lost(struct learn *l, uint64_t for_ms, uint64_t now_ms)
{
	transactions_doubt(&l->transactions, for_ms, now_ms);
}

void learn_unread(struct learn *l, const struct kturn_addr *client,
		  uint64_t now_ms)
{
	transactions_doubt_client(&l->transactions, client, now_ms);
}

void learn_answers_lost(struct learn *l)
{
	struct session *s;

	TAILQ_FOREACH(s, &l->sessions, link) {
		s->unsure = true;
		l->counts.asleep += s->id > 0;
		session_withdraw(l, s);
	}
}

/* ----------------------------------------------------------------- sockets */

void learn_socket_gone(struct learn *l, uint64_t cookie)
{
	struct session *s = session_of_socket(l, cookie);

	if (!s)
		return;
	l->counts.gone++;
	session_end(l, s, "the server has closed its socket");
}

static bool has_socket(const struct learn *l, const struct session *s,
		       const struct relay *relay)
{
	uint64_t cookie;

	if (!relay->addr.family ||
	    bsearch(&relay->cookie, l->known, l->n_known, sizeof(*l->known),
		    compare))
		return true;
	/* One that stays may be missing from a list made while others went. */
	return l->ops->bound(l->arg, s->uid, &relay->addr, &cookie) &&
	       cookie == relay->cookie;
}

void learn_sockets(struct learn *l, uint64_t *cookies, size_t n,
		   uint64_t now_ms)
{
	struct session *s, *next;

	free(l->known);
	l->known = cookies;
	l->n_known = n;
	l->known_ms = now_ms;
	for (s = TAILQ_FIRST(&l->sessions); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (has_socket(l, s, &s->relay[0]) &&
		    has_socket(l, s, &s->relay[1]))
			continue;
		l->counts.gone++;
		session_end(l, s, "its socket is not there any more");
	}
}

/* -------------------------------------------------------------------- time */

void learn_tick(struct learn *l, uint64_t now_ms)
{
	struct session *s, *next;

	transactions_expire(&l->transactions, now_ms);
	for (s = TAILQ_FIRST(&l->sessions); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (s->expires_ms <= now_ms)
			session_end(l, s, "expired");
	}
}

/* ------------------------------------------------------------------ kernel */

void learn_left_kernel(struct learn *l, const struct flow *flow, uint32_t id)
{
	struct session *s = session_find(l, flow);

	if (s && s->id == id)
		s->id = 0;
}

void learn_kernel_gone(struct learn *l)
{
	struct session *s;

	TAILQ_FOREACH(s, &l->sessions, link)
		s->id = 0;
}
