// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients whose allocation is another worker's; see visitor.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon.h"
#include "log.h"
#include "random.h"
#include "turn/handover.h"
#include "visitor.h"

/* Data that waits for the allocation; what is beyond gets lost. */
#define DATA_MAX	64

/**
 * struct visit_msg - what workers tell each other about a visitor
 * @msg: message
 * @entry: of @data of a visitor, if that is what it is
 * @peer: who the answer goes to
 * @id: what tickets call the allocation
 * @tuple: the visitor's
 * @len: bytes of @data
 * @data: a message of STUN, or data
 */
struct visit_msg {
	struct worker_msg msg;
	STAILQ_ENTRY(visit_msg) entry;
	struct worker *peer;
	uint64_t id;
	struct turn_tuple tuple;
	size_t len;
	uint8_t data[];
};

STAILQ_HEAD(visit_queue, visit_msg);

/**
 * struct visitor - a client whose allocation is another worker's
 * @node: by @tuple
 * @entry: of all
 * @tuple: where it is
 * @id: what tickets call its allocation
 * @asked: that has been asked for
 * @data: waits for it
 * @n_data: how much
 */
struct visitor {
	struct turn_node node;
	LIST_ENTRY(visitor) entry;
	struct turn_tuple tuple;
	uint64_t id;
	bool asked;
	struct visit_queue data;
	unsigned int n_data;
};

static uint64_t hash(const struct visitors *all,
		     const struct turn_tuple *tuple)
{
	return turn_siphash(all->hash_key, tuple, sizeof(*tuple));
}

static struct visitor *find(const struct visitors *all,
			    const struct turn_tuple *tuple)
{
	struct turn_node *node;
	struct visitor *v;

	if (!all->by_tuple.n)
		return NULL;
	node = turn_table_first(&all->by_tuple, hash(all, tuple));
	for (; node; node = turn_table_next(node)) {
		/* Its first member. */
		v = (struct visitor *)node;
		if (!memcmp(&v->tuple, tuple, sizeof(*tuple)))
			return v;
	}
	return NULL;
}

static void drop(struct visitors *all, struct visitor *v)
{
	struct visit_msg *vm;

	while ((vm = STAILQ_FIRST(&v->data))) {
		STAILQ_REMOVE_HEAD(&v->data, entry);
		free(vm);
	}
	turn_table_del(&all->by_tuple, &v->node);
	LIST_REMOVE(v, entry);
	free(v);
}

int visitors_init(struct visitors *all)
{
	LIST_INIT(&all->list);
	random_bytes(all->hash_key, sizeof(all->hash_key));
	return turn_table_init(&all->by_tuple) ? 0 : -ENOMEM;
}

void visitors_free(struct visitors *all)
{
	if (!all->by_tuple.buckets)
		return;
	while (!LIST_EMPTY(&all->list))
		drop(all, LIST_FIRST(&all->list));
	turn_table_destroy(&all->by_tuple);
}

/* ---------------------------------------------------------------- messages */

/* NULL without memory: that is like a datagram that gets lost. */
static struct visit_msg *make(struct worker *peer, uint64_t id,
			      const struct turn_tuple *tuple,
			      const uint8_t *buf, size_t len)
{
	struct visit_msg *vm = malloc(sizeof(*vm) + len);

	if (!vm) {
		log_limited(LOG_ERR, "no-memory", "effect=%s",
			    "a client that has moved has to try again");
		return NULL;
	}
	vm->peer = peer;
	vm->id = id;
	vm->tuple = *tuple;
	vm->len = len;
	if (len)
		memcpy(vm->data, buf, len);
	return vm;
}

static void tell(struct worker *to, struct visit_msg *vm,
		 void (*run)(struct worker *w, struct worker_msg *msg))
{
	if (!vm)
		return;
	vm->msg.run = run;
	worker_post(to, &vm->msg);
}

/* ------------------------------------------------- at the visitor's worker */

/* A newer visit of another allocation's client is not meant. */
static void forget(struct worker *w, const struct visit_msg *vm)
{
	struct visitor *v = find(&w->visitors, &vm->tuple);

	if (v && v->id == vm->id)
		drop(&w->visitors, v);
}

static void run_begin(struct worker *w, struct worker_msg *msg)
{
	struct visit_msg *vm = (struct visit_msg *)msg;
	struct visitor *v;

	if (!w)
		goto out;
	v = find(&w->visitors, &vm->tuple);
	/* Its Refresh was repeated; data may have come in between. */
	if (v && v->id == vm->id)
		goto out;
	if (v)
		drop(&w->visitors, v);
	v = calloc(1, sizeof(*v));
	if (!v)
		goto out;
	v->tuple = vm->tuple;
	v->id = vm->id;
	STAILQ_INIT(&v->data);
	turn_table_add(&w->visitors.by_tuple, &v->node,
		       hash(&w->visitors, &v->tuple));
	LIST_INSERT_HEAD(&w->visitors.list, v, entry);
out:
	free(vm);
}

static void run_end(struct worker *w, struct worker_msg *msg)
{
	struct visit_msg *vm = (struct visit_msg *)msg;

	if (w)
		forget(w, vm);
	free(vm);
}

static void run_answer(struct worker *w, struct worker_msg *msg)
{
	struct visit_msg *vm = (struct visit_msg *)msg;

	if (w)
		worker_ops.client_send(w, &vm->tuple, vm->data, vm->len);
	free(vm);
}

static bool is_connection_bind(const uint8_t *buf)
{
	return kturn_get16(buf) ==
	       kturn_type(KTURN_CONNECTION_BIND, KTURN_REQUEST);
}

/*
 * It was not about an allocation of the host. A ConnectionBind may have to go to
 * another worker with its connection, which is through with it.
 */
static void run_back(struct worker *w, struct worker_msg *msg)
{
	struct visit_msg *vm = (struct visit_msg *)msg;

	if (w)
		forget(w, vm);
	if (w && !is_connection_bind(vm->data))
		visitor_client_input(w, (uint64_t)time(NULL), &vm->tuple,
				     vm->data, vm->len);
	free(vm);
}

/* -------------------------------------------------------------- at the host */

static void run_request(struct worker *w, struct worker_msg *msg)
{
	struct visit_msg *vm = (struct visit_msg *)msg;
	struct worker *home = vm->peer;
	bool ours;

	if (!w) {
		free(vm);
		return;
	}
	/* What others are told does not depend on this one. */
	turn_expire(w->turn, w->now);
	io_flush(&w->io);
	w->answers = home;
	ours = turn_visitor_input(w->turn, w->now, (uint64_t)time(NULL),
				  &vm->tuple, home->index, vm->data, vm->len);
	w->answers = NULL;
	if (ours)
		free(vm);
	else
		tell(home, vm, run_back);
}

void visitor_answer(struct worker *w, const struct turn_tuple *to,
		    const uint8_t *buf, size_t len)
{
	/* The kernel comes first, then the client is told. */
	if (offload_settled(&w->offload))
		tell(w->answers, make(w, 0, to, buf, len), run_answer);
}

void visitor_begin(struct worker *w, uint64_t id,
		   const struct turn_tuple *tuple, uint32_t home)
{
	tell(&w->d->workers[home], make(w, id, tuple, NULL, 0), run_begin);
}

void visitor_end(struct worker *w, uint64_t id,
		 const struct turn_tuple *tuple, uint32_t home)
{
	tell(&w->d->workers[home], make(w, id, tuple, NULL, 0), run_end);
}

static void run_stay(struct worker *w, struct worker_msg *msg)
{
	struct visit_msg *vm = (struct visit_msg *)msg;

	/* It may be there already, where this says nothing new. */
	if (w && !handover_leave(w, vm->id, &vm->tuple, vm->peer))
		tell(vm->peer, vm, run_end);
	else
		free(vm);
}

void visitor_stay(struct worker *w, uint64_t id,
		  const struct turn_tuple *tuple, uint32_t home)
{
	tell(w, make(&w->d->workers[home], id, tuple, NULL, 0), run_stay);
}

static void run_gone(struct worker *w, struct worker_msg *msg)
{
	struct visit_msg *vm = (struct visit_msg *)msg;

	if (w)
		turn_client_gone(w->turn, &vm->tuple);
	free(vm);
}

/* ------------------------------------------------------------ from clients */

static bool is_data(const uint8_t *buf, size_t len)
{
	enum kturn_kind kind = kturn_wire_kind(buf, len);

	return kind == KTURN_KIND_CHANNEL ||
	       (kind == KTURN_KIND_STUN &&
		kturn_get16(buf) == KTURN_TYPE_SEND_IND);
}

/* One of TURN: a Binding is not about an allocation. */
static bool is_request(const uint8_t *buf, size_t len)
{
	return kturn_wire_kind(buf, len) == KTURN_KIND_STUN &&
	       kturn_get16(buf) != kturn_type(KTURN_BINDING, KTURN_REQUEST) &&
	       kturn_get16(buf) != kturn_type(KTURN_BINDING,
					      KTURN_INDICATION);
}

/* Data of a visitor: the allocation is to come here. */
static void keep_data(struct worker *w, struct visitor *v,
		      struct worker *host, const uint8_t *buf, size_t len)
{
	struct visit_msg *vm;

	if (v->n_data < DATA_MAX) {
		vm = make(NULL, v->id, &v->tuple, buf, len);
		if (!vm)
			return;
		STAILQ_INSERT_TAIL(&v->data, vm, entry);
		v->n_data++;
	}
	if (v->asked)
		return;
	vm = make(w, v->id, &v->tuple, NULL, 0);
	v->asked = vm;
	tell(host, vm, run_stay);
}

/* The host carries it out; a visitor's may be on its way here. */
static void pass_on(struct worker *w, struct worker *host, uint64_t id,
		    const struct turn_tuple *tuple, const uint8_t *buf,
		    size_t len)
{
	struct visit_msg *vm = make(w, id, tuple, buf, len);

	if (!vm)
		return;
	vm->msg.run = run_request;
	worker_post_some(host, &vm->msg);
}

/* False: it is this worker's own business. */
static bool input_visitor(struct worker *w, struct visitor *v,
			  const uint8_t *buf, size_t len)
{
	struct worker *host = mobility_find(&w->d->mobility, v->id);

	if (!host) {
		drop(&w->visitors, v);
		return false;
	}
	if (is_data(buf, len))
		keep_data(w, v, host, buf, len);
	else if (is_request(buf, len))
		pass_on(w, host, v->id, &v->tuple, buf, len);
	else
		return false;
	return true;
}

/* The same of any other client, which may want to become one. */
static bool input_ticket(struct worker *w, const struct turn_tuple *tuple,
			 const uint8_t *buf, size_t len)
{
	struct worker *host;
	uint64_t id;

	/* One that has an allocation here is answered so here. */
	if (!turn_ticket_id(w->turn, buf, len, &id) ||
	    turn_ticket_here(w->turn, id) || turn_client_known(w->turn, tuple))
		return false;
	host = mobility_find(&w->d->mobility, id);
	if (host)
		pass_on(w, host, id, tuple, buf, len);
	return host;
}

void visitor_client_input(struct worker *w, uint64_t wall,
			  const struct turn_tuple *tuple, const uint8_t *buf,
			  size_t len)
{
	struct visitor *v;
	bool theirs;

	if (w->d->n_workers > 1) {
		v = find(&w->visitors, tuple);
		theirs = v ? input_visitor(w, v, buf, len) :
			     input_ticket(w, tuple, buf, len);
		if (theirs)
			return;
	}
	turn_client_input(w->turn, w->now, wall, tuple, buf, len);
}

void visitor_client_gone(struct worker *w, const struct turn_tuple *tuple)
{
	struct visitor *v = find(&w->visitors, tuple);
	struct worker *host;

	if (!v) {
		turn_client_gone(w->turn, tuple);
		return;
	}
	host = mobility_find(&w->d->mobility, v->id);
	if (host)
		tell(host, make(w, v->id, tuple, NULL, 0), run_gone);
	drop(&w->visitors, v);
}

bool visitor_client_known(struct worker *w, const struct turn_tuple *tuple)
{
	return turn_client_known(w->turn, tuple) || find(&w->visitors, tuple);
}

bool visitor_arrived(struct worker *w, const struct turn_tuple *tuple)
{
	struct visitor *v = find(&w->visitors, tuple);
	uint64_t wall = (uint64_t)time(NULL);
	struct visit_queue data;
	struct visit_msg *vm;

	if (!v)
		return false;
	STAILQ_INIT(&data);
	STAILQ_CONCAT(&data, &v->data);
	drop(&w->visitors, v);
	while ((vm = STAILQ_FIRST(&data))) {
		STAILQ_REMOVE_HEAD(&data, entry);
		turn_client_input(w->turn, w->now, wall, tuple, vm->data,
				  vm->len);
		free(vm);
	}
	return true;
}
