// SPDX-License-Identifier: GPL-2.0-or-later
/* Learning external addresses: threads and results; see nat.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../daemon.h"
#include "log.h"
#include "kturn.h"
#include "learn.h"

/* What a thread may take at the end: to withdraw mappings, or a library's wait. */
#define CLOSE_MAPS_S	7
#define CLOSE_S		1

static const struct nat_method *const methods[] = {
	[CONFIG_EXTERNAL_STUN] = &nat_stun,
	[CONFIG_EXTERNAL_NAT_PMP] = &nat_natpmp,
	[CONFIG_EXTERNAL_UPNP] = &nat_upnp,
	[CONFIG_EXTERNAL_PCP] = &nat_pcp,
};

/* ----------------------------------------------------------- what is learnt */

static void run_learnt(struct worker *w, struct worker_msg *msg)
{
	free(msg);
	if (!w)
		return;
	policy_forget(&w->policy);
	offload_public_changed(&w->offload);
}

/* Peers of that address were strangers until now. */
static void tell_workers(struct daemon *d)
{
	struct worker_msg *msg;
	unsigned int i;

	for (i = 0; i < d->n_workers; i++) {
		msg = malloc(sizeof(*msg));
		if (!msg)
			break;
		msg->run = run_learnt;
		worker_post(&d->workers[i], msg);
	}
}

/* Two relay addresses that are known as one could not be told apart. */
static bool is_others(const struct daemon *d, const struct relay_addr *ra,
		      const struct kturn_addr *public)
{
	const struct relay_addr *other = d->relays.v;

	for (; other < d->relays.v + d->relays.n; other++)
		if (other != ra && addr_ip_equal(relay_public(other), public))
			return true;
	return false;
}

/* Of two that learn the same at once, one has to see the other. */
static pthread_mutex_t publishing;

static void init_publishing(void)
{
	pthread_mutex_init(&publishing, NULL);
}

static int publish(struct nat *n, const struct kturn_addr *address)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int ret = 0;

	pthread_once(&once, init_publishing);
	pthread_mutex_lock(&publishing);
	pthread_mutex_lock(&n->lock);
	if (n->d && is_others(n->d, n->ra, address))
		ret = nat_failed(n, -EADDRINUSE,
				 "it is another relay address's, too");
	else if (n->d)
		ret = relay_set_public(n->ra, address);
	if (n->d && !ret)
		tell_workers(n->d);
	pthread_mutex_unlock(&n->lock);
	pthread_mutex_unlock(&publishing);
	return ret;
}

static int learn(struct nat *n, const struct kturn_addr *address)
{
	char private[KTURN_ADDR_TEXT_MAX], text[KTURN_ADDR_TEXT_MAX];
	char before[KTURN_ADDR_TEXT_MAX];
	bool first = n->address.family == KTURN_FAMILY_NONE;
	int ret;

	kturn_addr_text(address, text);
	if (addr_equal(&n->address, address))
		return 0;
	if (address->family != n->private.family)
		return nat_failed(n, -EADDRNOTAVAIL,
				  "%s is of another family", text);
	if (!peer_acl_is_global(address))
		return nat_failed(n, -EADDRNOTAVAIL,
				  "%s is not a public address: there may be another NAT",
				  text);
	ret = publish(n, address);
	if (ret)
		return ret;
	kturn_addr_text(&n->private, private);
	if (first) {
		log_event(LOG_NOTICE, "external-learnt",
			  "relay=%s public=%s method=%s", private, text,
			  n->method->name);
	} else {
		log_event(LOG_WARNING, "external-changed",
			  "relay=%s public=%s before=%s method=%s effect=%s",
			  private, text, kturn_addr_text(&n->address, before),
			  n->method->name,
			  "allocations of before can't be reached");
		atomic_fetch_add(&n->changes, 1);
	}
	n->address = *address;
	/* PCP's first mapping is of the new one already. */
	if (!first)
		nat_mappings_lost(n);
	return 0;
}

static void give_up(struct nat *n, int error)
{
	uint64_t wait_ms = n->check_ms;
	char text[KTURN_ADDR_TEXT_MAX];

	/* Only who has answered can say when to ask again. */
	if (error != -ETIMEDOUT && n->retry_s * 1000ull > wait_ms)
		wait_ms = n->retry_s * 1000ull;
	n->retry_s = 0;
	n->check_at_ms = worker_clock() + wait_ms;
	atomic_fetch_add(error == -ETIMEDOUT ? &n->unanswered : &n->refused, 1);
	log_event(n->failing ? LOG_INFO : LOG_WARNING, "external-failed",
		  "relay=%s method=%s error=%s effect=%s",
		  kturn_addr_text(&n->private, text), n->method->name, n->why,
		  n->address.family == KTURN_FAMILY_NONE ?
		  "no allocations at this relay address" :
		  "what is known and mapped stays in use");
	n->failing = true;
	/* The gateway, or the server's address, may be another next time. */
	n->method->close(n);
}

static void check(struct nat *n)
{
	struct kturn_addr address;
	int ret = 0;

	if (!n->state)
		ret = n->method->open(n);
	if (!ret)
		ret = n->method->ask(n, &address);
	if (!ret)
		ret = learn(n, &address);
	if (ret == -ECANCELED)
		return;
	if (ret) {
		give_up(n, ret);
		return;
	}
	n->failing = false;
	n->check_at_ms = worker_clock() + n->check_ms;
}

/* Its clock began anew: RFC 6886 section 3.7, RFC 6887 section 8.5. */
static void remake(struct nat *n)
{
	char text[KTURN_ADDR_TEXT_MAX];

	n->lost = false;
	log_event(LOG_NOTICE, "gateway-restarted",
		  "relay=%s method=%s effect=%s",
		  kturn_addr_text(&n->private, text), n->method->name,
		  "mapping all ports again");
	atomic_fetch_add(&n->restarts, 1);
	nat_mappings_lost(n);
}

/* Returns when there is more to do. */
static uint64_t work(struct nat *n)
{
	uint64_t next;
	int ret = 0;

	if (worker_clock() >= n->check_at_ms)
		check(n);
	if (n->lost)
		remake(n);
	if (!n->method->maps)
		return n->check_at_ms;
	if (!n->failing && n->address.family != KTURN_FAMILY_NONE)
		ret = nat_mappings_work(n);
	if (ret == -ETIMEDOUT)
		give_up(n, ret);
	if (n->lost)
		return 0;
	/* While nobody answers there is nothing that could be done. */
	next = n->failing ? n->check_at_ms : nat_mappings_next(n);
	return next < n->check_at_ms ? next : n->check_at_ms;
}

/* -------------------------------------------------------------- life cycle */

static void *thread_main(void *arg)
{
	struct nat *n = arg;

	if (n->method->maps)
		nat_mappings_adopt(n);
	while (nat_wait(n, -1, work(n)) >= 0)
		;
	n->stopping = true;
	if (n->method->maps && n->state)
		nat_mappings_withdraw(n);
	n->method->close(n);
	return NULL;
}

static void nat_free(struct nat *n)
{
	if (!n)
		return;
	if (n->stop_fd >= 0)
		close(n->stop_fd);
	pthread_mutex_destroy(&n->lock);
	explicit_bzero(n->key, sizeof(n->key));
	free(n->host);
	free(n->v);
	free(n);
}

static struct nat *nat_new(struct daemon *d, const struct config_external *ext)
{
	struct nat *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->method = methods[ext->method];
	n->host = ext->host ? strdup(ext->host) : NULL;
	n->host_port = ext->host_port;
	n->private = ext->private;
	memcpy(n->key, d->state.nonce_key, sizeof(n->key));
	n->check_ms = d->cfg->external_check * 1000;
	n->port_min = d->cfg->relay_port_min;
	n->port_max = d->cfg->relay_port_max;
	n->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&n->lock, NULL);
	n->d = d;
	n->ra = relay_find(&d->relays, &n->private);
	if ((ext->host && !n->host) || n->stop_fd < 0 ||
	    nat_mappings_init(n, d)) {
		nat_free(n);
		return NULL;
	}
	n->ra->mapped_only = n->method->maps;
	return n;
}

int nat_open(struct daemon *d)
{
	const struct config *cfg = d->cfg;
	size_t i;

	d->nats = calloc(cfg->n_external + 1, sizeof(*d->nats));
	if (!d->nats)
		return -ENOMEM;
	for (i = 0; i < cfg->n_external; i++) {
		if (cfg->external[i].method == CONFIG_EXTERNAL_STATIC)
			continue;
		d->nats[d->n_nats] = nat_new(d, &cfg->external[i]);
		if (!d->nats[d->n_nats])
			return -ENOMEM;
		d->n_nats++;
	}
	return 0;
}

static int start(struct nat *n)
{
	sigset_t all, old;
	char name[16];
	int ret;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&n->thread, NULL, thread_main, n);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	n->started = !ret;
	if (!ret) {
		snprintf(name, sizeof(name), "kturnd-%s", n->method->name);
		pthread_setname_np(n->thread, name);
	}
	return -ret;
}

int nat_start(struct daemon *d)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < d->n_nats && !ret; i++)
		ret = start(d->nats[i]);
	return ret;
}

static void stop(struct nat *n, bool keep)
{
	const uint64_t one = 1;

	atomic_store(&n->keep, keep);
	if (write(n->stop_fd, &one, sizeof(one)) < 0)
		log_event(LOG_ERR, "wakeup-failed", "error=%s",
			  strerror(errno));
}

/* One that is in a library's hands, or a resolver's, is left to itself. */
static void join(struct nat *n, const struct timespec *since)
{
	struct timespec until = *since;
	char text[KTURN_ADDR_TEXT_MAX];

	until.tv_sec += n->method->maps ? CLOSE_MAPS_S : CLOSE_S;
	if (!n->started ||
	    !pthread_clockjoin_np(n->thread, NULL, CLOCK_MONOTONIC, &until)) {
		nat_free(n);
		return;
	}
	log_event(LOG_WARNING, "external-stuck", "relay=%s method=%s effect=%s",
		  kturn_addr_text(&n->private, text), n->method->name,
		  "mappings stay until their lifetime ends");
	pthread_mutex_lock(&n->lock);
	n->d = NULL;
	n->ra = NULL;
	pthread_mutex_unlock(&n->lock);
	pthread_detach(n->thread);
}

void nat_close(struct daemon *d, bool keep)
{
	struct timespec now;
	size_t i;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (i = 0; i < d->n_nats; i++)
		stop(d->nats[i], keep);
	for (i = 0; i < d->n_nats; i++)
		join(d->nats[i], &now);
	free(d->nats);
	d->nats = NULL;
	d->n_nats = 0;
}

void nat_status(const struct nat *n, struct nat_status *status)
{
	status->method = n->method->name;
	status->private = n->private;
	status->mapped = atomic_load(&n->mapped);
	status->asked = atomic_load(&n->asked);
	status->unanswered = atomic_load(&n->unanswered);
	status->refused = atomic_load(&n->refused);
	status->restarts = atomic_load(&n->restarts);
	status->changes = atomic_load(&n->changes);
}
