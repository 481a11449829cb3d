// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel tells the main thread; see watch.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adopt.h"
#include "daemon.h"
#include "ingress.h"
#include "log.h"
#include "watch.h"

/* ---------------------------------------------------- messages to workers */

/**
 * struct kernel_msg - something that happened in the kernel
 * @msg: message
 * @tuple: of the allocation
 * @id: its id
 * @expired: see offload_alloc_gone()
 */
struct kernel_msg {
	struct worker_msg msg;
	struct turn_tuple tuple;
	uint32_t id;
	bool expired;
};

static void run_here(struct worker *w, struct worker_msg *msg)
{
	free(msg);
	if (!w)
		return;
	offload_gone(&w->offload);
	if (!offload_open(&w->offload, w))
		offload_push_all(&w->offload);
}

static void run_gone(struct worker *w, struct worker_msg *msg)
{
	free(msg);
	if (w)
		offload_gone(&w->offload);
}

static void run_alloc_gone(struct worker *w, struct worker_msg *msg)
{
	struct kernel_msg *km = (struct kernel_msg *)msg;

	if (w)
		offload_alloc_gone(&w->offload, &km->tuple, km->id,
				   km->expired);
	free(km);
}

static void run_reconcile(struct worker *w, struct worker_msg *msg)
{
	struct kernel_msg *km = (struct kernel_msg *)msg;

	if (w)
		offload_reconcile(&w->offload, &km->tuple);
	free(km);
}

static void run_reconcile_all(struct worker *w, struct worker_msg *msg)
{
	free(msg);
	if (w)
		offload_reconcile(&w->offload, NULL);
}

static void no_memory(void)
{
	log_event(LOG_ERR, "no-memory", "effect=%s",
		  "what the kernel said is not acted upon");
}

static void post_to_all(struct daemon *d,
			void (*run)(struct worker *w, struct worker_msg *msg))
{
	struct worker_msg *msg;
	unsigned int i;

	for (i = 0; i < d->n_workers; i++) {
		msg = malloc(sizeof(*msg));
		if (!msg) {
			no_memory();
			return;
		}
		msg->run = run;
		worker_post(&d->workers[i], msg);
	}
}

static void post_about(struct daemon *d, const struct kturn_alloc *a,
		       void (*run)(struct worker *w, struct worker_msg *msg))
{
	struct kernel_msg *km = malloc(sizeof(*km));

	if (!km) {
		no_memory();
		return;
	}
	km->msg.run = run;
	km->tuple.client = a->client;
	km->tuple.server = a->server;
	km->tuple.transport = TURN_UDP;
	km->id = a->id;
	km->expired = a->gone == KTURN_GONE_REASON_EXPIRED;
	worker_post(&d->workers[steer_worker(&d->steer, &a->client)],
		    &km->msg);
}

/* ----------------------------------------------------------------- removals */

static int reconcile_one(const struct kturn_alloc *a, void *arg)
{
	struct watch *w = arg;

	if (a->owner_id == w->owner_id)
		post_about(w->d, a, run_reconcile);
	return 0;
}

/* Part of an allocation was removed; whose is it? */
static void on_part_gone(struct watch *w, uint32_t alloc_id, int gone)
{
	/* What expires does so here too. */
	if (gone == KTURN_GONE_REASON_EXPIRED || !w->kt)
		return;
	/* If the allocation is gone too, that is said by itself. */
	kturn_alloc_get(w->kt, alloc_id, 0, reconcile_one, w);
}

static void module_here(struct watch *w)
{
	uint32_t left;
	int ret;

	kturn_close(w->kt);
	ret = offload_join(&w->d->workers[0], &w->kt, &w->owner_id, &left);
	log_event(LOG_NOTICE, "module-loaded", "plane=%s",
		  ret ? "user" : "kernel");
	if (ret)
		return;
	ingress_attach(w->d->cfg, w->kt, false);
	post_to_all(w->d, run_here);
}

static void module_gone(struct watch *w)
{
	log_event(LOG_NOTICE, "module-unloaded", "plane=%s", "user");
	kturn_close(w->kt);
	w->kt = NULL;
	post_to_all(w->d, run_gone);
}

static int on_event(const struct kturn_event *ev, void *arg)
{
	struct watch *w = arg;

	switch (ev->type) {
	case KTURN_EVENT_ALLOC:
		if (w->kt && ev->alloc.owner_id == w->owner_id)
			post_about(w->d, &ev->alloc, run_alloc_gone);
		break;
	case KTURN_EVENT_PERM:
		on_part_gone(w, ev->perm.alloc_id, ev->perm.gone);
		break;
	case KTURN_EVENT_CHAN:
		on_part_gone(w, ev->chan.alloc_id, ev->chan.gone);
		break;
	case KTURN_EVENT_MODULE_GONE:
		module_gone(w);
		break;
	case KTURN_EVENT_MODULE_HERE:
		module_here(w);
		break;
	}
	return 0;
}

static void on_kernel(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	int ret = kturn_listener_read(w->listener, on_event, w);

	if (ret == -ENOBUFS) {
		log_event(LOG_NOTICE, "events-lost", "effect=%s",
			  "reading the kernel's entries anew");
		post_to_all(w->d, run_reconcile_all);
	} else if (ret) {
		log_event(LOG_ERR, "events-failed", "error=%s",
			  kturn_error(NULL));
	}
}

/* ---------------------------------------------------------------- addresses */

struct local_msg {
	struct worker_msg msg;
	struct local_set *set;
};

static void run_local(struct worker *w, struct worker_msg *msg)
{
	struct local_msg *lm = (struct local_msg *)msg;

	if (w) {
		local_put(w->local);
		w->local = lm->set;
		policy_forget(&w->policy);
	} else {
		local_put(lm->set);
	}
	free(lm);
}

static void on_addresses(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	struct local_set *set;
	struct local_msg *lm;
	unsigned int i;

	if (!local_changed(w->d->local))
		return;
	/* Perhaps with a device that was not there. */
	ingress_attach(w->d->cfg, w->kt, true);
	set = local_snapshot(w->d->local);
	if (!set) {
		log_event(LOG_ERR, "addresses-unknown", "error=%s",
			  strerror(errno));
		return;
	}
	for (i = 0; i < w->d->n_workers; i++) {
		lm = malloc(sizeof(*lm));
		if (!lm) {
			no_memory();
			break;
		}
		lm->msg.run = run_local;
		lm->set = local_get(set);
		worker_post(&w->d->workers[i], &lm->msg);
	}
	local_put(set);
	log_event(LOG_DEBUG, "addresses-changed", NULL);
}

/* -------------------------------------------------------------- life cycle */

static const char *reason(int error)
{
	return error == -EPERM ? "needs CAP_NET_ADMIN" : kturn_error(NULL);
}

/* Entries of a predecessor who used the kernel would be in our way. */
static void take_back(struct watch *w)
{
	uint32_t left;

	if (!w->listener || !kturn_listener_here(w->listener))
		return;
	if (!offload_join(&w->d->workers[0], &w->kt, &w->owner_id, &left) &&
	    left)
		adopt_all(w->d, w->kt, w->owner_id, false);
	kturn_close(w->kt);
	w->kt = NULL;
}

/* A worker without a handle leaves everything to the daemon. */
static void open_mirrors(struct watch *w)
{
	unsigned int i;
	int ret;

	for (i = 0; i < w->d->n_workers; i++) {
		ret = offload_open(&w->d->workers[i].offload,
				   &w->d->workers[i]);
		if (ret)
			log_event(LOG_WARNING, "kernel-unusable",
				  "worker=%u error=%s", i, reason(ret));
	}
}

int watch_open(struct watch *w, struct daemon *d)
{
	bool strict = d->cfg->plane == CONFIG_PLANE_KERNEL;
	unsigned int i;
	uint32_t left;
	int ret;

	memset(w, 0, sizeof(*w));
	w->d = d;
	for (i = 0; i < d->n_workers; i++) {
		d->workers[i].offload.w = &d->workers[i];
		d->workers[i].offload.strict = strict;
	}
	/* First, so that nothing that happens from now on is missed. */
	ret = kturn_listen(&w->listener);
	if (ret && d->cfg->plane != CONFIG_PLANE_USER)
		log_event(strict ? LOG_ERR : LOG_INFO, "kernel-unusable",
			  "error=%s", reason(ret));
	if (d->cfg->plane == CONFIG_PLANE_USER) {
		take_back(w);
		return 0;
	}
	if (ret)
		return strict ? ret : 0;
	ret = offload_join(&d->workers[0], &w->kt, &w->owner_id, &left);
	if (ret) {
		log_event(strict ? LOG_ERR : LOG_INFO, "kernel-unusable",
			  "error=%s effect=%s", reason(ret),
			  strict ? "plane kernel can't be had" :
			  "the daemon relays until the module is there");
		return strict ? ret : 0;
	}
	ingress_attach(d->cfg, w->kt, false);
	open_mirrors(w);
	if (left && adopt_all(d, w->kt, w->owner_id, true))
		log_event(LOG_ERR, "adoption-failed", "error=%s",
			  kturn_error(w->kt));
	return 0;
}

void watch_start(struct watch *w)
{
	event_assign(&w->addresses, w->d->base, local_fd(w->d->local),
		     EV_READ | EV_PERSIST, on_addresses, w);
	event_add(&w->addresses, NULL);
	if (!w->listener || w->d->cfg->plane == CONFIG_PLANE_USER)
		return;
	event_assign(&w->kernel, w->d->base, kturn_listener_fd(w->listener),
		     EV_READ | EV_PERSIST, on_kernel, w);
	event_add(&w->kernel, NULL);
}

static int count(const struct kturn_owner *owner, void *arg)
{
	struct kturn_owner *ours = arg;

	if (owner->id == ours->id)
		ours->allocs = owner->allocs;
	return 0;
}

uint32_t watch_entries(struct watch *w)
{
	struct kturn_owner ours = { .id = w->owner_id };

	if (w->kt)
		kturn_owner_get(w->kt, count, &ours);
	return ours.allocs;
}

void watch_close(struct watch *w)
{
	if (event_initialized(&w->addresses))
		event_del(&w->addresses);
	if (event_initialized(&w->kernel))
		event_del(&w->kernel);
	kturn_close(w->kt);
	kturn_listener_close(w->listener);
	memset(w, 0, sizeof(*w));
}
