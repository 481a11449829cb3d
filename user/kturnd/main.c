// SPDX-License-Identifier: GPL-2.0-or-later
/* kturnd: a TURN server that relays through the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addresses.h"
#include "answers.h"
#include "control.h"
#include "daemon.h"
#include "db_url.h"
#include "kturn.h"
#include "limits.h"
#include "log.h"
#include "random.h"
#include "reserved_ports.h"
#include "watch.h"

/* Exit status of a bad configuration. */
#define EXIT_CONFIG	2

/* How often they are looked at. */
#define FOLLOW_SECONDS	5

/* Descriptors beside those of relayed addresses and connections. */
#define OTHER_FILES	1024

/**
 * struct server - what main() puts together, in this order
 * @d: what all threads share
 * @watch: main thread's
 * @control: main thread's
 * @answers: main thread's part of the user store
 * @signals: SIGTERM and SIGINT
 * @drain: SIGUSR1
 * @drained: looks whether the last allocation has ended
 * @follow: looks at the files that may change
 * @ports_saved: file that says which ports were reserved; empty if none were
 */
struct server {
	struct daemon d;
	struct watch watch;
	struct control control;
	struct answers answers;
	struct event signals[2];
	struct event drain;
	struct event drained;
	struct event follow;
	char ports_saved[PATH_MAX];
};

static void on_libevent_log(int severity, const char *text)
{
	log_limited(severity >= EVENT_LOG_WARN ? LOG_WARNING : LOG_DEBUG,
		    "libevent", "text=%s", text);
}

static unsigned int count_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (unsigned int)CPU_COUNT(&set);
}

static int setup_addresses(struct server *s)
{
	struct config_addrs relays;
	int ret;

	ret = addresses_listen(s->d.cfg, &s->d.listen);
	if (ret)
		return ret;
	ret = addresses_relay(s->d.cfg, &s->d.listen, &relays);
	if (!ret)
		ret = relay_pool_init(&s->d.relays, &relays, s->d.cfg);
	free(relays.v);
	return ret;
}

static void reserve_ports(struct server *s)
{
	const struct config *cfg = s->d.cfg;
	int ret = -EACCES;

	/* Without a place to note what was added it could not be undone. */
	if (s->d.state.usable && state_path(&s->d.state, "ports",
					    s->ports_saved))
		ret = reserved_ports_add(RESERVED_PORTS_SYSCTL, s->ports_saved,
					 cfg->relay_port_min,
					 cfg->relay_port_max);
	if (!ret)
		return;
	s->ports_saved[0] = '\0';
	log_event(LOG_INFO, "ports-not-reserved", "error=%s effect=%s",
		  strerror(-ret),
		  "programs that ask for any port may get one of ours");
}

static int setup_users(struct server *s)
{
	int ret = users_init(&s->d.users, s->d.cfg);

	if (ret)
		log_event(LOG_ERR, "users-failed", "error=%s",
			  ret == -ENOTSUP ?
			  "OpenSSL has no MD5 here" : strerror(-ret));
	return ret;
}

static int setup_workers(struct server *s)
{
	struct daemon *d = &s->d;
	unsigned int i;
	int ret = 0;

	d->n_workers = d->cfg->workers ? d->cfg->workers : count_cpus();
	d->steer.workers = d->n_workers;
	random_bytes(&d->steer.seed, sizeof(d->steer.seed));
	random_bytes(d->connection_key, sizeof(d->connection_key));
	d->workers = calloc(d->n_workers, sizeof(*d->workers));
	if (!d->workers)
		return -ENOMEM;
	for (i = 0; i < d->n_workers && !ret; i++)
		ret = worker_init(&d->workers[i], d, i);
	return ret;
}

static int setup_local(struct server *s)
{
	struct daemon *d = &s->d;
	struct local_set *set = NULL;
	unsigned int i;
	int ret;

	ret = local_open(&d->local);
	if (!ret) {
		set = local_snapshot(d->local);
		ret = set ? 0 : -errno;
	}
	if (ret) {
		log_event(LOG_ERR, "addresses-unknown", "error=%s",
			  strerror(-ret));
		return ret;
	}
	for (i = 0; i < d->n_workers; i++)
		d->workers[i].local = local_get(set);
	local_put(set);
	return 0;
}

/* What the configuration says is possible. */
static void make_limits(struct turn_limit limit[2],
			const struct kturn_limit of[2])
{
	size_t i;

	for (i = 0; i < 2; i++)
		turn_limit_init(&limit[i], of[i].bit_rate, of[i].burst_bytes,
				of[i].packet_rate, of[i].burst_packets);
}

static void setup_quota(struct daemon *d)
{
	struct turn_limit user[2], total[2];

	quota_init(&d->quota, d->cfg->total_quota);
	make_limits(user, d->cfg->user_limit);
	make_limits(total, d->cfg->total_limit);
	quota_limit(&d->quota, user, total);
}

static int setup(struct server *s)
{
	struct daemon *d = &s->d;
	unsigned long ports;
	int ret;

	d->started_ms = worker_clock();
	reserve_init(&d->reserve);
	ret = mobility_init(&d->mobility);
	if (ret)
		return ret;
	setup_quota(d);
	d->redirect.cfg = d->cfg;
	d->redirect.listen = &d->listen;
	d->redirect.relays = &d->relays;
	d->acl.allow = d->cfg->allow;
	d->acl.n_allow = d->cfg->n_allow;
	d->acl.deny = d->cfg->deny;
	d->acl.n_deny = d->cfg->n_deny;
	d->base = event_base_new();
	if (!d->base)
		return -ENOMEM;
	ret = state_open(&d->state, d->cfg->state_dir,
			 d->cfg->state_dir_required);
	if (!ret)
		ret = setup_addresses(s);
	if (ret)
		return ret;
	ports = d->relays.n * (1ul + d->cfg->relay_port_max -
			       d->cfg->relay_port_min);
	limits_raise_files(ports + d->cfg->max_connections + OTHER_FILES +
			   (d->cfg->tcp_relay ? d->cfg->max_connections : 0));
	ret = setup_users(s);
	if (!ret)
		ret = answers_open(&s->answers, d);
	if (!ret)
		ret = realms_open(d);
	if (!ret && d->cfg->n_tls_certs)
		ret = tls_open(&d->tls, d->cfg);
	if (!ret)
		ret = setup_workers(s);
	if (!ret)
		ret = setup_local(s);
	if (!ret)
		ret = nat_open(d);
	if (!ret)
		ret = listeners_open(d);
	if (!ret)
		ret = watch_open(&s->watch, d);
	if (!ret)
		ret = control_open(&s->control, d);
	if (!ret)
		reserve_ports(s);
	return ret;
}

/* ----------------------------------------------------------------- running */

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct server *s = arg;

	/* The second one ends us at once. */
	event_del(&s->signals[0]);
	event_del(&s->signals[1]);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	log_event(LOG_NOTICE, "stopping", "signal=%s",
		  sig == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopbreak(s->d.base);
}

static void on_drained(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	if (atomic_load(&s->d.quota.total))
		return;
	log_event(LOG_NOTICE, "drained", NULL);
	event_base_loopbreak(s->d.base);
}

/* Or not, after all. */
static void on_drain(evutil_socket_t sig, short what, void *arg)
{
	static const struct timeval second = { .tv_sec = 1 };
	struct server *s = arg;
	bool draining = !atomic_load(&s->d.redirect.draining);

	atomic_store(&s->d.redirect.draining, draining);
	log_event(LOG_NOTICE, draining ? "draining" : "not-draining",
		  "allocs=%u", atomic_load(&s->d.quota.total));
	if (draining)
		event_add(&s->drained, &second);
	else
		event_del(&s->drained);
}

static void watch_signals(struct server *s)
{
	static const int numbers[2] = { SIGTERM, SIGINT };
	int i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < 2; i++) {
		evsignal_assign(&s->signals[i], s->d.base, numbers[i],
				on_signal, s);
		evsignal_add(&s->signals[i], NULL);
	}
	evsignal_assign(&s->drain, s->d.base, SIGUSR1, on_drain, s);
	evsignal_add(&s->drain, NULL);
	event_assign(&s->drained, s->d.base, -1, EV_PERSIST, on_drained, s);
}

static void on_follow(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	if (s->d.cfg->n_tls_certs)
		tls_follow(&s->d.tls);
	realms_follow_secrets(&s->d);
}

static void watch_files(struct server *s)
{
	static const struct timeval period = { .tv_sec = FOLLOW_SECONDS };

	event_assign(&s->follow, s->d.base, -1, EV_PERSIST, on_follow, s);
	event_add(&s->follow, &period);
}

static int is_user(const char *realm, const char *name, unsigned int flags,
		   void *arg)
{
	return 1;
}

static bool has_users(const struct realm *realm, void *arg)
{
	struct userdb *db = arg;

	return userdb_list(db, realm->turn.name, is_user, NULL) == 1;
}

/* Every Allocate would get 401, and nobody would know why. */
static void warn_without_users(struct daemon *d)
{
	struct userdb *db = NULL;
	const char *file;
	bool any = false;

	/* What a database has is not our business. */
	if (d->users.n || realms_can_serve(d->realms) ||
	    db_url_kind(d->cfg->db, &file) != DB_SQLITE)
		return;
	if (!userdb_open(&db, file, USERDB_FOLLOW))
		any = realms_each(d->realms, has_users, db);
	userdb_close(db);
	if (any)
		return;
	log_event(LOG_WARNING, "no-users", "realm=%s store=%s effect=%s hint=%s",
		  d->cfg->realm, file, "every Allocate gets error 401",
		  "kturn user add, or --user-file, or --secret-file");
}

static void log_ready(struct server *s)
{
	const struct relay_pool *pool = &s->d.relays;
	const struct kturn_addr *public;
	char text[KTURN_ADDR_TEXT_MAX];
	struct log_line line;
	size_t i;

	if (!log_enabled(LOG_NOTICE))
		return;
	log_begin(&line, LOG_NOTICE, "ready");
	log_add(&line, "version=%s pid=%d", KTURN_VERSION, (int)getpid());
	for (i = 0; i < s->d.listen.n; i++)
		log_add(&line, "listen=%s",
			kturn_addr_text(&s->d.listen.v[i], text));
	for (i = 0; i < pool->n; i++) {
		log_add(&line, "relay=%s",
			kturn_addr_text(&pool->v[i].addr, text));
		public = relay_public(&pool->v[i]);
		if (!addr_equal(&pool->v[i].addr, public))
			log_add(&line, "public=%s",
				public->family ? kturn_addr_text(public, text) :
						 "unknown");
	}
	log_add(&line, "ports=%u-%u plane=%s workers=%u", pool->port_min,
		pool->port_max, s->watch.kt ? "kernel" : "user",
		s->d.n_workers);
	log_end(&line);
}

static int run(struct server *s)
{
	unsigned int i;
	int ret = 0;

	watch_signals(s);
	watch_files(s);
	watch_start(&s->watch);
	warn_without_users(&s->d);
	for (i = 0; i < s->d.n_workers && !ret; i++)
		ret = worker_start(&s->d.workers[i]);
	if (!ret)
		ret = nat_start(&s->d);
	if (ret) {
		log_event(LOG_ERR, "worker-failed", "error=%s",
			  strerror(-ret));
		return ret;
	}
	log_ready(s);
	event_base_dispatch(s->d.base);
	return 0;
}

/* The kernel goes on with what it has, until a successor or the end of the
 * grace period; what it does not have ends here.
 */
static void teardown(struct server *s)
{
	struct daemon *d = &s->d;
	uint32_t left;
	unsigned int i;

	for (i = 0; i < d->n_workers && d->workers; i++)
		worker_stop(&d->workers[i]);
	answers_close(&s->answers);
	for (i = 0; i < d->n_workers && d->workers; i++)
		handover_finish(&d->workers[i]);
	left = watch_entries(&s->watch);
	/* What the kernel goes on with, peers and clients have to reach. */
	nat_close(d, left);
	control_close(&s->control);
	for (i = 0; i < d->n_workers && d->workers; i++)
		worker_free(&d->workers[i], s->watch.kt);
	watch_close(&s->watch);
	if (s->ports_saved[0] && !left)
		reserved_ports_remove(RESERVED_PORTS_SYSCTL, s->ports_saved);
	reserve_free(&d->reserve);
	mobility_free(&d->mobility);
	free(d->workers);
	local_close(d->local);
	tls_close(&d->tls);
	realms_close(d);
	users_free(&d->users);
	quota_free(&d->quota);
	relay_pool_free(&d->relays);
	free(d->listen.v);
	for (i = 0; i < 2; i++)
		if (event_initialized(&s->signals[i]))
			evsignal_del(&s->signals[i]);
	if (event_initialized(&s->drain)) {
		evsignal_del(&s->drain);
		event_del(&s->drained);
	}
	if (event_initialized(&s->follow))
		event_del(&s->follow);
	if (d->base)
		event_base_free(d->base);
	state_close(&d->state);
	log_event(LOG_NOTICE, "stopped", "in_kernel=%u", left);
}

/* A socket that got the number of standard error would get the log. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/*
 * glibc makes the heap of a thread larger page by page, each time by a system
 * call, as four allocations fit into one. What is not used takes no memory.
 */
#define HEAP_AHEAD	(8 << 20)

int main(int argc, char **argv)
{
	static struct server server;
	struct config cfg;
	int ret;

	mallopt(M_TOP_PAD, HEAP_AHEAD);
	open_standard_files();
	peer_acl_init();
	config_init(&cfg, stderr);
	if (!config_parse(&cfg, argc, argv)) {
		config_free(&cfg);
		return EXIT_CONFIG;
	}
	if (cfg.check) {
		config_free(&cfg);
		puts("kturnd: the configuration is good");
		return 0;
	}
	log_set_level(cfg.log_level);
	event_set_log_callback(on_libevent_log);
	server.d.cfg = &cfg;
	server.d.state.lock_fd = -1;
	ret = setup(&server);
	if (!ret)
		ret = run(&server);
	teardown(&server);
	config_free(&cfg);
	return ret ? EXIT_FAILURE : 0;
}
