// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's entries; see kernel.h. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "kernel.h"
#include "log.h"

#define OWNER_LABEL	"kturn-pair"

static void log_refusal(const struct kernel *k, const char *what)
{
	log_limited(LOG_WARNING, "kernel-refused",
		    "what=%s error=%s effect=%s", what, kturn_error(k->kt),
		    "the server relays");
}

uint32_t kernel_alloc_new(void *arg, const struct session *s, uint32_t ms)
{
	struct kernel *k = arg;
	struct kturn_alloc a = {
		.client = s->flow.client,
		.server = s->flow.server,
		.relay = { s->relay[0].addr, s->relay[1].addr },
		.lifetime_ms = ms,
		.flags = KTURN_ALLOC_FLAGS_ALTERNATE,
	};
	uint32_t id;

	if (!k->kt)
		return 0;
	memcpy(a.label, s->label, sizeof(a.label));
	if (!kturn_alloc_new(k->kt, &a, &id))
		return id;
	log_refusal(k, "allocation");
	return 0;
}

bool kernel_alloc_set(void *arg, uint32_t id, uint32_t ms)
{
	struct kernel *k = arg;
	struct kturn_batch *b = k->kt ? kturn_batch_new(k->kt) : NULL;
	bool ok;

	if (!b)
		return false;
	kturn_batch_alloc_set(b, id, ms, NULL, 0);
	ok = !kturn_batch_run(b);
	kturn_batch_free(b);
	return ok;
}

bool kernel_perm_new(void *arg, uint32_t id, const struct kturn_addr *peer,
		     uint32_t ms)
{
	struct kernel *k = arg;

	if (k->kt && !kturn_perm_new(k->kt, id, peer, ms))
		return true;
	if (k->kt)
		log_refusal(k, "permission");
	return false;
}

bool kernel_chan_new(void *arg, uint32_t id, uint16_t number,
		     const struct kturn_addr *peer, uint32_t ms)
{
	struct kernel *k = arg;

	if (k->kt && !kturn_chan_new(k->kt, id, number, peer, ms))
		return true;
	if (k->kt)
		log_refusal(k, "channel");
	return false;
}

/* ------------------------------------------------------------------ module */

static void forget(struct kernel *k)
{
	if (k->kt)
		kturn_close(k->kt);
	k->kt = NULL;
}

static void connect_module(struct kernel *k)
{
	struct kturn_owner owner;
	int ret;

	forget(k);
	ret = kturn_open(&k->kt);
	if (ret) {
		k->kt = NULL;
		log_event(LOG_NOTICE, "kernel-unusable", "error=%s effect=%s",
			  kturn_error(NULL), "the server relays");
		return;
	}
	ret = kturn_join(k->kt, k->cookie, 0, OWNER_LABEL, &owner);
	if (ret) {
		log_event(LOG_ERR, "kernel-unusable", "error=%s effect=%s",
			  kturn_error(k->kt), "the server relays");
		forget(k);
		return;
	}
	k->owner_id = owner.id;
	log_event(LOG_NOTICE, "kernel", "owner=%u", owner.id);
}

static void add(struct kturn_counter *sum, const struct kturn_counter *c)
{
	sum->packets += c->packets;
	sum->bytes += c->bytes;
}

/* What can't be ended one by one ends with its owner. */
void kernel_alloc_del(void *arg, const struct session *s)
{
	struct kernel *k = arg;
	int ret = k->kt ? kturn_alloc_del(k->kt, s->id) : 0;

	if (!ret || ret == -ENOENT)
		return;
	log_event(LOG_ERR, "kernel-failed", "what=%s error=%s effect=%s",
		  "end of an allocation", kturn_error(k->kt),
		  "all are learnt again");
	learn_kernel_gone(k->learn);
	connect_module(k);
}

static int on_event(const struct kturn_event *ev, void *arg)
{
	struct kernel *k = arg;
	struct flow flow;

	switch (ev->type) {
	case KTURN_EVENT_ALLOC:
		if (!k->kt || ev->alloc.owner_id != k->owner_id)
			break;
		add(&k->ended[0], &ev->alloc.to_peer);
		add(&k->ended[1], &ev->alloc.to_client);
		k->n_ended++;
		flow.client = ev->alloc.client;
		flow.server = ev->alloc.server;
		learn_left_kernel(k->learn, &flow, ev->alloc.id);
		break;
	case KTURN_EVENT_MODULE_GONE:
		log_event(LOG_WARNING, "module-unloaded", "effect=%s",
			  "the server relays");
		forget(k);
		learn_kernel_gone(k->learn);
		break;
	case KTURN_EVENT_MODULE_HERE:
		log_event(LOG_NOTICE, "module-loaded", NULL);
		connect_module(k);
		break;
	default:
		break;
	}
	return 0;
}

int kernel_open(struct kernel *k, struct learn *learn)
{
	int ret;

	memset(k, 0, sizeof(*k));
	k->learn = learn;
	while (!k->cookie)
		if (getrandom(&k->cookie, sizeof(k->cookie), 0) < 0)
			return -errno;
	/* Before the module is looked for, or its coming could be missed. */
	ret = kturn_listen(&k->listener);
	if (ret) {
		log_event(LOG_ERR, "kernel-failed", "error=%s",
			  kturn_error(NULL));
		return ret;
	}
	connect_module(k);
	return 0;
}

void kernel_close(struct kernel *k)
{
	forget(k);
	if (k->listener)
		kturn_listener_close(k->listener);
	k->listener = NULL;
}

int kernel_fd(const struct kernel *k)
{
	return kturn_listener_fd(k->listener);
}

int kernel_read(struct kernel *k)
{
	int ret = kturn_listener_read(k->listener, on_event, k);

	if (ret == -ENOBUFS) {
		/* Which of them ended is not known: begin anew with all. */
		log_event(LOG_WARNING, "events-lost", "effect=%s",
			  "sessions are learnt again");
		learn_answers_lost(k->learn);
		return 0;
	}
	if (ret)
		log_event(LOG_ERR, "kernel-failed", "error=%s",
			  kturn_error(NULL));
	return ret;
}
