// SPDX-License-Identifier: GPL-2.0-or-later
/* Taking over what a predecessor left; see adopt.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adopt.h"
#include "daemon.h"
#include "log.h"

/**
 * struct adopted - an allocation that was taken over
 * @id: the kernel's
 * @worker: whose it is now
 * @a: its
 * @partly: without one of its relayed addresses
 */
struct adopted {
	uint32_t id;
	struct worker *worker;
	struct turn_alloc *a;
	bool partly;
};

/**
 * struct adoption - the work
 * @d: daemon
 * @now: clock
 * @keep: see adopt_all()
 * @v: taken over, by ascending id
 * @n: how many
 * @rejected: ids of those to be deleted
 * @n_rejected: how many
 * @perms: permissions taken over
 * @chans: channels taken over
 */
struct adoption {
	struct daemon *d;
	uint64_t now;
	bool keep;
	struct adopted *v;
	size_t n;
	uint32_t *rejected;
	size_t n_rejected;
	size_t perms;
	size_t chans;
};

static bool is_listening(const struct daemon *d, const struct kturn_addr *addr)
{
	size_t i;

	for (i = 0; i < d->listen.n; i++)
		if (addr_equal(&d->listen.v[i], addr))
			return true;
	return false;
}

/* NULL, or why it can't be. */
static const char *rebind(struct daemon *d, const struct kturn_addr *addr,
			  struct turn_relay *relay)
{
	int ret = relay_rebind(&d->relays, addr, relay);

	if (!ret)
		return NULL;
	memset(relay, 0, sizeof(*relay));
	return ret == -EADDRNOTAVAIL ?
	       "the relayed address is not one of ours" : strerror(-ret);
}

static void log_rejected(const struct kturn_alloc *ka,
			 const struct kturn_addr *relay, const char *why)
{
	char client[KTURN_ADDR_TEXT_MAX], text[KTURN_ADDR_TEXT_MAX];
	struct log_line line;

	log_begin(&line, LOG_WARNING, "not-adopted");
	log_add(&line, "id=%u client=%s user=%s", ka->id,
		kturn_addr_text(&ka->client, client), ka->label);
	if (relay)
		log_add(&line, "relay=%s", kturn_addr_text(relay, text));
	log_add(&line, "error=%s", why);
	log_end(&line);
}

/* All or one of two; NULL, or why none can be bound. */
static const char *rebind_all(struct adoption *ad, const struct kturn_alloc *ka,
			      struct turn_relay relays[2],
			      struct adopted *one)
{
	const char *why[2] = { NULL, NULL };
	bool bound = false;
	int i;

	for (i = 0; i < 2; i++) {
		if (ka->relay[i].family == KTURN_FAMILY_NONE)
			continue;
		why[i] = rebind(ad->d, &ka->relay[i], &relays[i]);
		bound |= !why[i];
	}
	if (!bound)
		return why[0] ? why[0] : why[1];
	for (i = 0; i < 2; i++) {
		if (!why[i])
			continue;
		one->partly = true;
		log_rejected(ka, &ka->relay[i], why[i]);
	}
	return NULL;
}

static void close_all(struct turn_relay relays[2])
{
	int i;

	for (i = 0; i < 2; i++)
		if (relays[i].handle)
			relay_close(&relays[i]);
}

/* NULL, or why it can't be taken over. */
static const char *take_over(struct adoption *ad, const struct kturn_alloc *ka,
			     struct adopted *one)
{
	struct turn_tuple tuple = { .client = ka->client,
				    .server = ka->server };
	struct turn_relay relays[2] = { 0 };
	const char *why;
	int i;

	if (!is_listening(ad->d, &ka->server))
		return "the server's address is not one that we listen on";
	why = rebind_all(ad, ka, relays, one);
	if (why)
		return why;
	one->worker = &ad->d->workers[steer_worker(&ad->d->steer,
						    &tuple.client)];
	one->worker->now = ad->now;
	one->a = turn_adopt_alloc(one->worker->turn, ad->now, &tuple, relays,
				  ka->lifetime_ms, ka->owner_data,
				  ka->owner_data_len);
	if (!one->a) {
		close_all(relays);
		return "its data can't be read";
	}
	for (i = 0; i < 2; i++)
		if (relays[i].handle)
			worker_watch_relay(one->worker, &relays[i], one->a);
	return NULL;
}

static int reject(struct adoption *ad, const struct kturn_alloc *ka,
		  const char *why)
{
	uint32_t *bigger;

	log_rejected(ka, NULL, why);
	bigger = reallocarray(ad->rejected, ad->n_rejected + 1,
			      sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	ad->rejected = bigger;
	bigger[ad->n_rejected++] = ka->id;
	return 0;
}

static int adopt_alloc(const struct kturn_alloc *ka, void *arg)
{
	struct adoption *ad = arg;
	struct adopted *bigger, one = { .id = ka->id };
	const char *why;

	bigger = reallocarray(ad->v, ad->n + 1, sizeof(*ad->v));
	if (!bigger)
		return -ENOMEM;
	ad->v = bigger;
	why = take_over(ad, ka, &one);
	if (why)
		return reject(ad, ka, why);
	if (ad->keep)
		offload_adopted(&one.worker->offload, one.a, ka->id,
				ka->flags & KTURN_ALLOC_FLAGS_EXCLUSIVE);
	ad->v[ad->n++] = one;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct adopted *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* NULL if it is not ours, or was not taken over. */
static const struct adopted *find(const struct adoption *ad, uint32_t id)
{
	const struct adopted key = { .id = id };

	if (!ad->n)
		return NULL;
	return bsearch(&key, ad->v, ad->n, sizeof(key), compare);
}

/* It stays in the kernel until its time is over. */
static void part_failed(uint32_t id, const struct kturn_addr *peer)
{
	char text[KTURN_ADDR_TEXT_MAX];

	log_event(LOG_WARNING, "not-adopted", "id=%u peer=%s", id,
		  kturn_addr_text(peer, text));
}

static int adopt_perm(const struct kturn_perm *p, void *arg)
{
	struct adoption *ad = arg;
	const struct adopted *one = find(ad, p->alloc_id);

	if (!one)
		return 0;
	if (turn_adopt_perm(one->worker->turn, one->a, ad->now, &p->peer,
			    p->lifetime_ms))
		part_failed(p->alloc_id, &p->peer);
	else
		ad->perms++;
	return 0;
}

static int adopt_chan(const struct kturn_chan *c, void *arg)
{
	struct adoption *ad = arg;
	const struct adopted *one = find(ad, c->alloc_id);

	if (!one)
		return 0;
	if (turn_adopt_chan(one->worker->turn, one->a, ad->now, c->number,
			    &c->peer, c->lifetime_ms))
		part_failed(c->alloc_id, &c->peer);
	else
		ad->chans++;
	return 0;
}

static void delete_rejected(struct adoption *ad, struct kturn *kt)
{
	struct kturn_batch *b = kturn_batch_new(kt);
	size_t i;

	if (!b)
		return;
	for (i = 0; i < ad->n_rejected; i++)
		kturn_batch_alloc_del(b, ad->rejected[i]);
	if (kturn_batch_run(b))
		log_event(LOG_WARNING, "delete-failed", "error=%s",
			  kturn_error(kt));
	kturn_batch_free(b);
}

/* What they lack now, they must lack in the kernel too. */
static void shrink(struct adoption *ad)
{
	size_t i;

	for (i = 0; i < ad->n; i++)
		if (ad->v[i].partly)
			offload_shrink(&ad->v[i].worker->offload, ad->v[i].a);
}

int adopt_all(struct daemon *d, struct kturn *kt, uint32_t owner_id,
	      bool keep)
{
	struct adoption ad = { .d = d, .keep = keep };
	int ret;

	ad.now = worker_clock();
	ret = kturn_alloc_get(kt, 0, owner_id, adopt_alloc, &ad);
	if (ad.n)
		qsort(ad.v, ad.n, sizeof(*ad.v), compare);
	if (!ret)
		ret = kturn_perm_get(kt, 0, adopt_perm, &ad);
	if (!ret)
		ret = kturn_chan_get(kt, 0, adopt_chan, &ad);
	if (!ret && !keep)
		ret = kturn_flush(kt, owner_id);
	else if (ad.n_rejected)
		delete_rejected(&ad, kt);
	if (!ret && keep)
		shrink(&ad);
	log_event(LOG_NOTICE, "adopted",
		  "allocs=%zu perms=%zu chans=%zu rejected=%zu", ad.n,
		  ad.perms, ad.chans, ad.n_rejected);
	free(ad.v);
	free(ad.rejected);
	return ret;
}
