// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which ports the gateway maps; see learn.h.
 *
 * Listening ports are mapped always. Of the ports of relayed addresses there may be
 * thousands, each of which would be a mapping of its own: those in use are
 * mapped, and some more, so that the next allocation finds one that is. The
 * thread keeps their number up; workers never wait for the gateway.
 *
 * A relayed address has the same port on both sides, which hairpin and the kernel
 * rely on: a gateway that gives another port has refused.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../daemon.h"
#include "log.h"
#include "../random.h"
#include "kturn.h"
#include "learn.h"

/* Ports that are mapped ahead; with twice as many, some are given back. */
#define SPARE		32

/* Before looking at every pair of ports in turn. */
#define RANDOM_TRIES	16

/* How often is looked whether there are enough. */
#define TICK_MS		250

/* RFC 6887 section 11.2.1: renewals are not closer to each other. */
#define RENEW_MIN_MS	4000

/* RFC 6887 section 15: more would be absurd. */
#define LIFETIME_MAX_S	86400

/* After a refusal that does not say how long it lasts; and the least. */
#define REFUSED_S	60
#define REFUSED_MIN_S	4

/* All of them within that time, or the daemon's end would be late. */
#define WITHDRAW_MS	5000

/* ------------------------------------------------------ what workers see */

static bool is_used(struct nat *n, uint16_t port)
{
	bool used;

	pthread_mutex_lock(&n->lock);
	used = n->ra && relay_is_used(n->ra, port);
	pthread_mutex_unlock(&n->lock);
	return used;
}

static void tell(struct nat *n, const struct nat_mapping *m, bool mapped)
{
	if (m->listening)
		return;
	pthread_mutex_lock(&n->lock);
	if (n->ra)
		relay_set_mapped(n->ra, m->port, mapped);
	pthread_mutex_unlock(&n->lock);
}

static unsigned int count_spare(struct nat *n)
{
	unsigned int spare = 0;

	pthread_mutex_lock(&n->lock);
	if (n->ra)
		spare = relay_count_spare(n->ra);
	pthread_mutex_unlock(&n->lock);
	return spare;
}

/* --------------------------------------------------------------- the list */

static bool is_known(const struct nat *n, unsigned int port)
{
	return n->known[port / 64] >> port % 64 & 1;
}

static bool add(struct nat *n, uint8_t protocol, uint16_t port, bool listening)
{
	struct nat_mapping *bigger;

	bigger = reallocarray(n->v, n->n + 1, sizeof(*bigger));
	if (!bigger)
		return false;
	n->v = bigger;
	bigger += n->n++;
	memset(bigger, 0, sizeof(*bigger));
	bigger->protocol = protocol;
	bigger->port = port;
	bigger->listening = listening;
	if (!listening)
		n->known[port / 64] |= 1ull << port % 64;
	return true;
}

static void set_granted(struct nat *n, struct nat_mapping *m, bool granted)
{
	if (m->granted != granted)
		atomic_fetch_add(&n->mapped, granted ? 1 : -1);
	m->granted = granted;
	tell(n, m, granted);
}

static void drop(struct nat *n, struct nat_mapping *m)
{
	set_granted(n, m, false);
	n->known[m->port / 64] &= ~(1ull << m->port % 64);
	*m = n->v[--n->n];
}

/* Both ports of a pair, for EVEN-PORT; returns how many are new. */
static unsigned int add_pair(struct nat *n, unsigned int even)
{
	unsigned int port, added = 0;

	for (port = even; port <= even + 1; port++)
		if (port >= n->port_min && port <= n->port_max &&
		    !is_known(n, port) &&
		    add(n, IPPROTO_UDP, (uint16_t)port, false))
			added++;
	return added;
}

static void add_spare(struct nat *n, unsigned int wanted)
{
	unsigned int first = n->port_min / 2;
	unsigned int pairs = n->port_max / 2 - first + 1;
	unsigned int i, added = 0, pick;

	for (i = 0; i < RANDOM_TRIES && added < wanted; i++)
		added += add_pair(n, 2 * (first + random_below(pairs)));
	pick = random_below(pairs);
	for (i = 0; i < pairs && added < wanted; i++)
		added += add_pair(n, 2 * (first + (pick + i) % pairs));
}

/* A predecessor's relayed addresses were bound without asking. */
void nat_mappings_adopt(struct nat *n)
{
	unsigned int port;

	for (port = n->port_min; port <= n->port_max; port++)
		if (!is_known(n, port) && is_used(n, (uint16_t)port))
			add(n, IPPROTO_UDP, (uint16_t)port, false);
}

static void keep_enough(struct nat *n, uint64_t now)
{
	unsigned int spare = count_spare(n);
	size_t i;

	if (now < n->hold_ms)
		return;
	for (i = 0; i < n->n; i++)
		spare += !n->v[i].listening && !n->v[i].granted &&
			 !is_used(n, n->v[i].port);
	if (spare < SPARE)
		add_spare(n, SPARE - spare);
}

int nat_mappings_init(struct nat *n, const struct daemon *d)
{
	unsigned int transports = d->cfg->transports;
	const struct kturn_addr *addr;
	bool ok = true;
	size_t i;

	if (!n->method->maps)
		return 0;
	for (i = 0; i < d->listen.n; i++) {
		addr = &d->listen.v[i];
		if (!addr_ip_equal(addr, &n->private))
			continue;
		if (transports & (CONFIG_UDP | CONFIG_DTLS))
			ok &= add(n, IPPROTO_UDP, kturn_addr_port(addr), true);
		if (transports & (CONFIG_TCP | CONFIG_TLS))
			ok &= add(n, IPPROTO_TCP, kturn_addr_port(addr), true);
	}
	return ok ? 0 : -ENOMEM;
}

struct nat_mapping *nat_mappings_first(struct nat *n)
{
	if (!n->n)
		add_spare(n, 1);
	return n->n ? &n->v[0] : NULL;
}

/* ------------------------------------------------------------ the gateway */

static const char *protocol_name(const struct nat_mapping *m)
{
	return m->protocol == IPPROTO_UDP ? "udp" : "tcp";
}

/* After half of what is left, and up to an eighth of it more: RFC 6887 11.2.1. */
static uint64_t renew_at(uint64_t now, uint64_t expires)
{
	uint64_t left = expires > now ? expires - now : 0;
	uint64_t wait = left / 2 + random_below((uint32_t)(left / 8) + 1);

	return now + (wait > RENEW_MIN_MS ? wait : RENEW_MIN_MS);
}

static void delete(struct nat *n, const struct nat_mapping *m)
{
	struct nat_grant grant;

	n->method->map(n, m, 0, &grant);
}

/* Those of relayed addresses are given up, but not one that is in use. */
static void note_refusal(struct nat *n, struct nat_mapping *m, int error)
{
	uint64_t now = worker_clock();
	uint32_t seconds = n->retry_s ? n->retry_s : REFUSED_S;

	if (seconds < REFUSED_MIN_S)
		seconds = REFUSED_MIN_S;
	n->retry_s = 0;
	atomic_fetch_add(&n->refused, 1);
	m->due_ms = now + seconds * 1000ull;
	log_limited(LOG_WARNING, "mapping-refused",
		    "method=%s protocol=%s port=%u error=%s effect=%s",
		    n->method->name, protocol_name(m), m->port, n->why,
		    m->listening ? "clients outside don't reach this port" :
		    "this port is not used for allocations");
	/* One that is in use is asked for again; others don't wait for it. */
	if (m->listening || is_used(n, m->port))
		return;
	/* RFC 6887 section 11.4: nor would it have room for others. */
	n->hold_ms = now + (error == -EADDRINUSE ? REFUSED_S : seconds) * 1000ull;
	if (!m->granted)
		drop(n, m);
}

int nat_mappings_granted(struct nat *n, struct nat_mapping *m,
			 const struct nat_grant *grant)
{
	uint32_t lifetime_s = grant->lifetime_s < LIFETIME_MAX_S ?
			      grant->lifetime_s : LIFETIME_MAX_S;
	uint64_t now = worker_clock();

	if (grant->port != m->port || !lifetime_s) {
		delete(n, m);
		set_granted(n, m, false);
		if (lifetime_s)
			nat_failed(n, 0,
				   "the gateway would map port %u instead",
				   grant->port);
		else
			nat_failed(n, 0, "the gateway maps it for no time");
		note_refusal(n, m, -EADDRINUSE);
		return -EADDRINUSE;
	}
	/* Perhaps it has another address now, or it has several. */
	if (m != &n->v[0] && grant->address.family &&
	    !addr_ip_equal(&grant->address, &n->address)) {
		set_granted(n, m, false);
		m->due_ms = now + REFUSED_S * 1000;
		if (n->check_at_ms > now + RENEW_MIN_MS)
			n->check_at_ms = now + RENEW_MIN_MS;
		return -EADDRNOTAVAIL;
	}
	m->expires_ms = now + lifetime_s * 1000ull;
	m->due_ms = renew_at(now, m->expires_ms);
	log_event(LOG_DEBUG, m->granted ? "mapping-renewed" : "mapped",
		  "method=%s protocol=%s port=%u lifetime_s=%u",
		  n->method->name, protocol_name(m), m->port, lifetime_s);
	set_granted(n, m, true);
	return 0;
}

/* Nobody needs it any more, or it would be refused like those before. */
static bool is_in_vain(struct nat *n, const struct nat_mapping *m,
		       uint64_t now)
{
	if (m->listening || is_used(n, m->port))
		return false;
	return m->granted ? count_spare(n) > 2 * SPARE : now < n->hold_ms;
}

/* Workers see first that it goes; one may have taken it before. */
static bool give_back(struct nat *n, struct nat_mapping *m)
{
	bool granted = m->granted;

	set_granted(n, m, false);
	if (is_used(n, m->port)) {
		set_granted(n, m, granted);
		return false;
	}
	if (granted)
		delete(n, m);
	drop(n, m);
	return true;
}

/* An error if the gateway does not answer. */
static int work_on(struct nat *n, struct nat_mapping *m)
{
	uint64_t now = worker_clock();
	struct nat_grant grant;
	int ret;

	if (is_in_vain(n, m, now) && give_back(n, m))
		return 0;
	/* Not every method looks by itself whether the daemon stops. */
	ret = nat_wait(n, -1, 0);
	if (!ret)
		ret = n->method->map(n, m, NAT_LIFETIME_S, &grant);
	if (ret == -ETIMEDOUT || ret == -ECANCELED) {
		m->due_ms = renew_at(now, m->granted ? m->expires_ms : 0);
		return ret;
	}
	if (ret)
		note_refusal(n, m, ret);
	else
		nat_mappings_granted(n, m, &grant);
	return 0;
}

/* What is the most urgent? */
static int rank(struct nat *n, const struct nat_mapping *m)
{
	return m->listening ? 0 : is_used(n, m->port) ? 1 : 2;
}

int nat_mappings_work(struct nat *n)
{
	uint64_t now = worker_clock();
	int ret = 0, r;
	size_t i;

	keep_enough(n, now);
	for (r = 0; r < 3; r++) {
		/* From the end, as the last takes the place of one dropped. */
		for (i = n->n; i-- > 0 && !ret && !n->lost;)
			if (n->v[i].due_ms <= now && rank(n, &n->v[i]) == r)
				ret = work_on(n, &n->v[i]);
	}
	return ret;
}

uint64_t nat_mappings_next(const struct nat *n)
{
	uint64_t next = worker_clock() + TICK_MS;
	size_t i;

	for (i = 0; i < n->n; i++)
		if (n->v[i].due_ms < next)
			next = n->v[i].due_ms;
	return next;
}

void nat_mappings_expire(struct nat *n)
{
	uint64_t now = worker_clock();
	size_t i;

	for (i = 0; i < n->n; i++) {
		if (!n->v[i].granted || n->v[i].expires_ms > now)
			continue;
		log_limited(LOG_WARNING, "mapping-expired",
			    "method=%s protocol=%s port=%u", n->method->name,
			    protocol_name(&n->v[i]), n->v[i].port);
		set_granted(n, &n->v[i], false);
	}
}

void nat_mappings_lost(struct nat *n)
{
	size_t i;

	for (i = 0; i < n->n; i++) {
		set_granted(n, &n->v[i], false);
		n->v[i].due_ms = 0;
	}
	n->hold_ms = 0;
}

void nat_mappings_withdraw(struct nat *n)
{
	bool keep = atomic_load(&n->keep);
	struct nat_grant grant;
	unsigned int gone = 0;
	struct nat_mapping *m;
	int ret = 0;
	size_t i;

	n->deadline_ms = worker_clock() + WITHDRAW_MS;
	for (i = 0; i < n->n && ret != -ECANCELED; i++) {
		m = &n->v[i];
		if (!m->granted ||
		    (keep && (m->listening || is_used(n, m->port))))
			continue;
		ret = n->deadline_ms > worker_clock() ?
		      n->method->map(n, m, 0, &grant) : -ECANCELED;
		if (!ret) {
			set_granted(n, m, false);
			gone++;
		}
	}
	log_event(LOG_INFO, "mappings-withdrawn", "method=%s count=%u left=%u",
		  n->method->name, gone, atomic_load(&n->mapped));
}
