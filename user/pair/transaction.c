// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests until they are answered; see transaction.h. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "transaction.h"

_Static_assert(sizeof(((struct transaction *)0)->digest) ==
	       SHA256_DIGEST_LENGTH, "a digest has to fit");

struct key {
	struct flow flow;
	uint8_t tid[KTURN_STUN_TID_LEN];
};

static uint64_t key_hash(const struct transactions *t, const struct flow *flow,
			 const uint8_t *tid)
{
	struct key key = { .flow = *flow };

	memcpy(key.tid, tid, sizeof(key.tid));
	return turn_siphash(t->key, &key, sizeof(key));
}

static struct transaction *from_node(struct turn_node *node)
{
	return (struct transaction *)((char *)node -
				      offsetof(struct transaction, node));
}

static struct transaction *find(const struct transactions *t,
				const struct flow *flow, const uint8_t *tid)
{
	struct turn_node *node;
	struct transaction *tr;

	for (node = turn_table_first(&t->table, key_hash(t, flow, tid)); node;
	     node = turn_table_next(node)) {
		tr = from_node(node);
		if (!memcmp(&tr->flow, flow, sizeof(*flow)) &&
		    !memcmp(tr->tid, tid, sizeof(tr->tid)))
			return tr;
	}
	return NULL;
}

bool transactions_init(struct transactions *t, const uint8_t *key, size_t most)
{
	memset(t, 0, sizeof(*t));
	memcpy(t->key, key, sizeof(t->key));
	TAILQ_INIT(&t->list);
	t->most = most;
	return turn_table_init(&t->table);
}

static void forget(struct transactions *t, struct transaction *tr)
{
	turn_table_del(&t->table, &tr->node);
	TAILQ_REMOVE(&t->list, tr, link);
	free(tr->request);
	free(tr);
}

void transactions_destroy(struct transactions *t)
{
	while (!TAILQ_EMPTY(&t->list))
		forget(t, TAILQ_FIRST(&t->list));
	turn_table_destroy(&t->table);
}

static void make_invalid(struct transaction *tr)
{
	transaction_done(tr);
	tr->state = TRANSACTION_INVALID;
}

static uint64_t *doubt_of(struct transactions *t,
			  const struct kturn_addr *client)
{
	struct kturn_addr ip = *client;

	kturn_addr_set_port(&ip, 0);
	return &t->doubts[turn_siphash(t->key, &ip, sizeof(ip)) % DOUBTS];
}

static bool in_doubt(struct transactions *t, const struct kturn_addr *client,
		     uint64_t now_ms)
{
	return now_ms < t->doubt_ms || now_ms < *doubt_of(t, client);
}

/* Another copy: the server may answer it, too, and from memory after that. */
static void add_copy(struct transactions *t, struct transaction *tr,
		     uint64_t now_ms)
{
	tr->copies++;
	tr->made_ms = now_ms;
	TAILQ_REMOVE(&t->list, tr, link);
	TAILQ_INSERT_TAIL(&t->list, tr, link);
}

static void add(struct transactions *t, const struct flow *flow,
		const struct kturn_stun *msg, const uint8_t *digest,
		uint64_t sent_ms, uint64_t now_ms)
{
	struct transaction *tr = NULL;

	if (t->table.n < t->most)
		tr = calloc(1, sizeof(*tr));
	if (tr)
		tr->request = request_parse(msg);
	if (!tr || !tr->request) {
		free(tr);
		t->dropped++;
		t->overflowed = true;
		return;
	}
	tr->flow = *flow;
	memcpy(tr->tid, msg->tid, sizeof(tr->tid));
	memcpy(tr->digest, digest, sizeof(tr->digest));
	tr->copies = 1;
	tr->made_ms = now_ms;
	tr->sent_ms = sent_ms;
	if (in_doubt(t, &flow->client, now_ms))
		make_invalid(tr);
	turn_table_add(&t->table, &tr->node, key_hash(t, flow, tr->tid));
	TAILQ_INSERT_TAIL(&t->list, tr, link);
}

void transaction_begin(struct transactions *t, const struct flow *flow,
		       const struct kturn_stun *msg, size_t len,
		       uint64_t sent_ms, uint64_t now_ms)
{
	struct transaction *tr = find(t, flow, msg->tid);
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256(msg->msg, len, digest);
	if (!tr)
		add(t, flow, msg, digest, sent_ms, now_ms);
	else if (memcmp(tr->digest, digest, sizeof(digest)))
		make_invalid(tr);
	else
		add_copy(t, tr, now_ms);
}

struct transaction *transaction_end(struct transactions *t,
				    const struct flow *flow,
				    const struct kturn_stun *msg, bool *again)
{
	struct transaction *tr = find(t, flow, msg->tid);

	*again = tr && tr->state == TRANSACTION_ANSWERED;
	if (!tr || tr->state != TRANSACTION_WAITS ||
	    tr->request->method != msg->method)
		return NULL;
	tr->state = TRANSACTION_ANSWERED;
	return tr;
}

void transaction_done(struct transaction *tr)
{
	free(tr->request);
	tr->request = NULL;
}

void transaction_refused(struct transactions *t, const struct flow *flow,
			 const struct kturn_stun *msg)
{
	struct transaction *tr = find(t, flow, msg->tid);

	/*
	 * While a copy is not answered, another request with this number would
	 * be taken for what the answer is to.
	 */
	if (tr && tr->state == TRANSACTION_WAITS &&
	    tr->request->method == msg->method && !--tr->copies)
		forget(t, tr);
}

void transactions_doubt(struct transactions *t, uint64_t for_ms,
			uint64_t now_ms)
{
	struct transaction *tr;

	t->doubt_ms = now_ms + for_ms;
	TAILQ_FOREACH(tr, &t->list, link)
		if (tr->state == TRANSACTION_WAITS)
			make_invalid(tr);
}

void transactions_doubt_client(struct transactions *t,
			       const struct kturn_addr *client,
			       uint64_t now_ms)
{
	uint64_t *doubt = doubt_of(t, client);
	bool already = now_ms < *doubt;
	struct transaction *tr;

	t->unread++;
	*doubt = now_ms + TRANSACTION_MS;
	if (already)
		return;
	TAILQ_FOREACH(tr, &t->list, link)
		if (tr->state == TRANSACTION_WAITS &&
		    addr_ip_equal(&tr->flow.client, client))
			make_invalid(tr);
}

void transactions_expire(struct transactions *t, uint64_t now_ms)
{
	struct transaction *tr;

	while ((tr = TAILQ_FIRST(&t->list)) && now_ms - tr->made_ms >= TRANSACTION_MS)
		forget(t, tr);
}
