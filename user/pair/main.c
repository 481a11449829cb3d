// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn-pair: has the kernel relay what a TURN server has granted. */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <time.h>

#include "capture.h"
#include "config.h"
#include "kernel.h"
#include "learn.h"
#include "log.h"
#include "metrics.h"
#include "nat.h"
#include "process.h"
#include "rules.h"
#include "sockets.h"

#define EXIT_CONFIG	2

/* The kernel takes no less for a message that waits. */
#define MESSAGE_BYTES	256

#define ANSWERS_MOST	1024

/* A server that was asked just before us has answered by then. */
#define BEGIN_MS	2000

/* How often a dry run says what it has counted. */
#define SHARE_MS	60000

/** struct waiting - a copy of an answer, and its payload behind it */
struct waiting {
	STAILQ_ENTRY(waiting) link;
	struct packet packet;
	uint8_t payload[];
};

STAILQ_HEAD(waiting_list, waiting);

/** struct known - a socket, and whether it is the server's */
struct known {
	uint64_t cookie;
	bool server;
};

#define KNOWN_MAX	4096

/**
 * struct pair - all of it
 * @cfg: options
 * @base: loop
 * @events: what it waits for
 * @n_events: how many
 * @capture: requests and answers, as in rules.h
 * @answers: read and not dealt with
 * @sockets: of this namespace
 * @kernel: entries
 * @learn: sessions
 * @rules: firewall
 * @metrics: HTTP
 * @known: sockets that answers came from, any of which may be forgotten
 * @status: exit status
 */
struct pair {
	struct pair_config cfg;
	struct event_base *base;
	struct event *events[8];
	unsigned int n_events;
	struct capture capture[2];
	struct waiting_list answers;
	struct sockets sockets;
	struct kernel kernel;
	struct learn learn;
	struct rules rules;
	struct metrics metrics;
	struct known known[KNOWN_MAX];
	int status;
};

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static uint64_t now_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

static void fail(struct pair *p)
{
	p->status = EXIT_FAILURE;
	event_base_loopbreak(p->base);
}

/* ------------------------------------------------------------------- world */

static bool is_named(struct pair *p, const struct socket_info *info)
{
	struct known *k = &p->known[info->cookie % KNOWN_MAX];
	int has;

	if (!p->cfg.process)
		return true;
	if (k->cookie == info->cookie)
		return k->server;
	has = process_has_socket(p->cfg.process, info->inode);
	if (has < 0)
		return false;
	k->cookie = info->cookie;
	k->server = has;
	return has;
}

static bool is_server(void *arg, const struct flow *flow, uint32_t uid)
{
	struct pair *p = arg;
	struct socket_info info;

	if (p->cfg.has_uid && uid != p->cfg.uid)
		return false;
	return !sockets_find(&p->sockets, &flow->client, &flow->server,
			     &info) &&
	       info.uid == uid && is_named(p, &info) && !nat_translates(flow);
}

static bool bound(void *arg, uint32_t uid, const struct kturn_addr *relay,
		  uint64_t *cookie)
{
	static const struct kturn_addr anywhere;
	struct pair *p = arg;
	struct socket_info info;

	if (sockets_find(&p->sockets, &anywhere, relay, &info) ||
	    info.uid != uid)
		return false;
	*cookie = info.cookie;
	return true;
}

static uint32_t alloc_new(void *arg, const struct session *s, uint32_t ms)
{
	return kernel_alloc_new(&((struct pair *)arg)->kernel, s, ms);
}

static bool alloc_set(void *arg, uint32_t id, uint32_t ms)
{
	return kernel_alloc_set(&((struct pair *)arg)->kernel, id, ms);
}

static void alloc_del(void *arg, const struct session *s)
{
	kernel_alloc_del(&((struct pair *)arg)->kernel, s);
}

static bool perm_new(void *arg, uint32_t id, const struct kturn_addr *peer,
		     uint32_t ms)
{
	return kernel_perm_new(&((struct pair *)arg)->kernel, id, peer, ms);
}

static bool chan_new(void *arg, uint32_t id, uint16_t number,
		     const struct kturn_addr *peer, uint32_t ms)
{
	return kernel_chan_new(&((struct pair *)arg)->kernel, id, number, peer,
			       ms);
}

static const struct learn_ops ops = {
	.is_server = is_server,
	.bound = bound,
	.alloc_new = alloc_new,
	.alloc_set = alloc_set,
	.alloc_del = alloc_del,
	.perm_new = perm_new,
	.chan_new = chan_new,
};

/* ----------------------------------------------------------------- dry run */

static uint32_t dry_alloc_new(void *arg, const struct session *s, uint32_t ms)
{
	char client[KTURN_ADDR_TEXT_MAX], relay[KTURN_ADDR_TEXT_MAX];
	struct pair *p = arg;

	if (rules_session(&p->rules, s, true))
		return 0;
	log_limited(LOG_INFO, "would-relay", "client=%s relay=%s user=%s",
		    kturn_addr_text(&s->flow.client, client),
		    kturn_addr_text(&s->relay[!s->relay[0].addr.family].addr,
				    relay), s->label);
	return 1;
}

static bool dry_alloc_set(void *arg, uint32_t id, uint32_t ms)
{
	return true;
}

static void dry_alloc_del(void *arg, const struct session *s)
{
	rules_session(&((struct pair *)arg)->rules, s, false);
}

static bool dry_perm_new(void *arg, uint32_t id, const struct kturn_addr *peer,
			 uint32_t ms)
{
	return true;
}

static bool dry_chan_new(void *arg, uint32_t id, uint16_t number,
			 const struct kturn_addr *peer, uint32_t ms)
{
	return true;
}

static const struct learn_ops dry_ops = {
	.is_server = is_server,
	.bound = bound,
	.alloc_new = dry_alloc_new,
	.alloc_set = dry_alloc_set,
	.alloc_del = dry_alloc_del,
	.perm_new = dry_perm_new,
	.chan_new = dry_chan_new,
};

static void share_log(const char *from, const struct share *s)
{
	log_event(LOG_NOTICE, "share",
		  "from=%s packets=%llu would=%llu bytes=%llu would-bytes=%llu percent=%llu",
		  from, (unsigned long long)s->all[0],
		  (unsigned long long)s->would[0],
		  (unsigned long long)s->all[1],
		  (unsigned long long)s->would[1],
		  s->all[0] ? 100ull * s->would[0] / s->all[0] : 0ull);
}

static void share_tell(struct pair *p)
{
	struct share clients, peers;

	if (!p->rules.nft || rules_share(&p->rules, &clients, &peers))
		return;
	share_log("clients", &clients);
	share_log("peers", &peers);
}

static void on_share(evutil_socket_t fd, short what, void *arg)
{
	share_tell(arg);
}

/* ----------------------------------------------------------------- packets */

/* When the kernel saw it, by the clock that lifetimes go by. */
static uint64_t sent_ms(const struct packet *p, uint64_t now)
{
	int64_t age = 0;

	if (p->time_ns)
		age = (int64_t)clock_ms(CLOCK_REALTIME) -
		      p->time_ns / 1000000;
	return age > 0 && (uint64_t)age < now ? now - (uint64_t)age : now;
}

static void on_request(const struct packet *packet, void *arg)
{
	struct pair *p = arg;
	uint64_t now = now_ms();

	if (!packet->payload) {
		log_limited(LOG_NOTICE, "unread", "effect=%s",
			    "nothing is learnt of this client for a minute");
		learn_unread(&p->learn, &packet->src, now);
		return;
	}
	learn_request(&p->learn, packet, sent_ms(packet, now), now);
}

static void on_answer(const struct packet *packet, void *arg)
{
	struct pair *p = arg;
	struct waiting *w = NULL;

	if (packet->payload)
		w = malloc(sizeof(*w) + packet->len);
	if (!w) {
		p->capture[RULES_ANSWERS].lost = true;
		return;
	}
	w->packet = *packet;
	memcpy(w->payload, packet->payload, packet->len);
	w->packet.payload = w->payload;
	STAILQ_INSERT_TAIL(&p->answers, w, link);
}

static bool read_group(struct pair *p, int group, unsigned int most)
{
	int ret = capture_read(&p->capture[group], most);

	if (!ret)
		return true;
	log_event(LOG_ERR, "capture-failed", "error=%s", strerror(-ret));
	fail(p);
	return false;
}

static void read_requests(struct pair *p)
{
	struct capture *c = &p->capture[RULES_REQUESTS];

	/* All that were there before; of a flood there are always more. */
	if (!read_group(p, RULES_REQUESTS,
			2u * (unsigned int)p->cfg.capture_bytes /
			MESSAGE_BYTES) ||
	    (!c->lost && !p->learn.transactions.overflowed))
		return;
	c->lost = false;
	p->learn.transactions.overflowed = false;
	log_limited(LOG_WARNING, "requests-lost", "effect=%s",
		    "nothing is learnt for a minute");
	learn_requests_lost(&p->learn, TRANSACTION_MS, now_ms());
}

static void read_sockets_all(struct pair *p);

/* In what came before the gap nothing can be trusted, in what comes after it can. */
static void answers_lost(struct pair *p)
{
	struct waiting *w;

	log_limited(LOG_WARNING, "answers-lost", "effect=%s",
		    "sessions are learnt again");
	p->capture[RULES_ANSWERS].lost = false;
	while ((w = STAILQ_FIRST(&p->answers))) {
		STAILQ_REMOVE_HEAD(&p->answers, link);
		free(w);
	}
	learn_answers_lost(&p->learn);
	read_sockets_all(p);
}

static void on_requests_ready(evutil_socket_t fd, short what, void *arg)
{
	read_requests(arg);
}

/* A request was logged before its answer, but in another group. */
static void on_answers_ready(evutil_socket_t fd, short what, void *arg)
{
	struct pair *p = arg;
	struct waiting *w;

	if (!read_group(p, RULES_ANSWERS, ANSWERS_MOST))
		return;
	read_requests(p);
	if (p->capture[RULES_ANSWERS].lost)
		answers_lost(p);
	while ((w = STAILQ_FIRST(&p->answers))) {
		STAILQ_REMOVE_HEAD(&p->answers, link);
		learn_answer(&p->learn, &w->packet, now_ms());
		free(w);
	}
}

/* ------------------------------------------------------------------ sockets */

static void on_gone(uint64_t cookie, void *arg)
{
	struct pair *p = arg;

	learn_socket_gone(&p->learn, cookie);
}

static void read_sockets_all(struct pair *p)
{
	uint64_t *cookies, now = now_ms();
	size_t n;
	int ret;

	ret = sockets_all(&p->sockets, &cookies, &n);
	if (!ret) {
		learn_sockets(&p->learn, cookies, n, now);
		return;
	}
	log_event(LOG_ERR, "sockets-failed", "error=%s", strerror(-ret));
	/* Nobody would see that one is closed. */
	fail(p);
}

static void on_sockets_ready(evutil_socket_t fd, short what, void *arg)
{
	struct pair *p = arg;
	int ret = sockets_read(&p->sockets);

	if (ret == -ENOBUFS) {
		read_sockets_all(p);
	} else if (ret) {
		log_event(LOG_ERR, "sockets-failed", "error=%s",
			  strerror(-ret));
		fail(p);
	}
}

/* -------------------------------------------------------------------- loop */

static void on_kernel_ready(evutil_socket_t fd, short what, void *arg)
{
	struct pair *p = arg;

	if (kernel_read(&p->kernel))
		fail(p);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct pair *p = arg;

	read_sockets_all(p);
	learn_tick(&p->learn, now_ms());
}

static void on_begun(evutil_socket_t fd, short what, void *arg)
{
	log_event(LOG_NOTICE, "ready", NULL);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct pair *p = arg;

	log_event(LOG_NOTICE, "stopping", "signal=%s",
		  sig == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopbreak(p->base);
}

static int add_event(struct pair *p, evutil_socket_t fd, short what, int ms,
		     event_callback_fn fn)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	struct event *ev = event_new(p->base, fd, what, fn, p);

	if (!ev)
		return -ENOMEM;
	p->events[p->n_events++] = ev;
	return event_add(ev, ms ? &tv : NULL) ? -ENOMEM : 0;
}

static int add_events(struct pair *p)
{
	const short readable = EV_READ | EV_PERSIST;

	if (add_event(p, capture_fd(&p->capture[RULES_REQUESTS]), readable, 0,
		      on_requests_ready) ||
	    add_event(p, capture_fd(&p->capture[RULES_ANSWERS]), readable, 0,
		      on_answers_ready) ||
	    add_event(p, sockets_fd(&p->sockets), readable, 0,
		      on_sockets_ready) ||
	    add_event(p, -1, EV_PERSIST, 1000, on_tick) ||
	    add_event(p, -1, 0, BEGIN_MS, on_begun) ||
	    add_event(p, SIGTERM, EV_SIGNAL | EV_PERSIST, 0, on_signal) ||
	    add_event(p, SIGINT, EV_SIGNAL | EV_PERSIST, 0, on_signal))
		return -ENOMEM;
	if (p->cfg.dry_run)
		return add_event(p, -1, EV_PERSIST, SHARE_MS, on_share);
	return add_event(p, kernel_fd(&p->kernel), readable, 0,
			 on_kernel_ready);
}

static int open_captures(struct pair *p)
{
	const capture_cb cb[] = {
		[RULES_REQUESTS] = on_request,
		[RULES_ANSWERS] = on_answer,
	};
	int i, ret = 0;

	for (i = 0; i < 2 && !ret; i++) {
		ret = capture_open(&p->capture[i], (uint16_t)(p->cfg.group + i),
				   p->cfg.capture_bytes, cb[i], p);
		if (ret)
			log_event(LOG_ERR, "capture-failed",
				  "group=%d error=%s", p->cfg.group + i,
				  strerror(-ret));
	}
	return ret;
}

static int open_all(struct pair *p)
{
	uint8_t key[TURN_SIPHASH_KEY_LEN];
	int ret;

	p->base = event_base_new();
	if (!p->base || getrandom(key, sizeof(key), 0) != sizeof(key) ||
	    !learn_init(&p->learn, &p->cfg.learn,
			p->cfg.dry_run ? &dry_ops : &ops, p, key))
		return -ENOMEM;
	ret = sockets_open(&p->sockets, on_gone, p);
	if (ret) {
		log_event(LOG_ERR, "sockets-failed", "error=%s",
			  strerror(-ret));
		return ret;
	}
	if (!p->cfg.dry_run)
		ret = kernel_open(&p->kernel, &p->learn);
	if (!ret)
		ret = open_captures(p);
	/* Of nobody but those who listen already. */
	if (!ret)
		ret = rules_open(&p->rules, &p->cfg);
	if (!ret && p->cfg.metrics.family)
		ret = metrics_open(&p->metrics, p->base, &p->cfg.metrics);
	if (!ret)
		ret = add_events(p);
	if (!ret)
		learn_requests_lost(&p->learn, BEGIN_MS, now_ms());
	return ret;
}

static void close_all(struct pair *p)
{
	unsigned int i;

	metrics_close(&p->metrics);
	for (i = 0; i < p->n_events; i++)
		event_free(p->events[i]);
	rules_close(&p->rules);
	for (i = 0; i < 2; i++)
		capture_close(&p->capture[i]);
	kernel_close(&p->kernel);
	sockets_close(&p->sockets);
	learn_destroy(&p->learn);
	if (p->base)
		event_base_free(p->base);
}

int main(int argc, char **argv)
{
	static struct pair p;
	int ret = config_read(argc, argv, &p.cfg);

	STAILQ_INIT(&p.answers);
	p.metrics = (struct metrics){ .learn = &p.learn, .kernel = &p.kernel,
				      .capture = p.capture };
	if (!ret) {
		ret = open_all(&p);
		if (!ret)
			event_base_dispatch(p.base);
		else
			p.status = EXIT_FAILURE;
		if (!ret && p.cfg.dry_run)
			share_tell(&p);
		close_all(&p);
	} else if (ret < 0) {
		p.status = EXIT_CONFIG;
	}
	config_free(&p.cfg);
	return p.status;
}
