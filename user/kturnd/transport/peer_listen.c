// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections that peers make to relayed addresses; see peer.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "kturnd/daemon.h"
#include "log.h"
#include "peer.h"

/* Taken before others have their turn. */
#define ACCEPT_MAX	32

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	peer_listen(arg);
}

/* It stays readable, and nothing can be done at once. */
static void rest(struct relay_sock *rs, int error)
{
	static const struct timeval second = { .tv_sec = 1 };

	log_limited(LOG_WARNING, "accept-failed", "error=%s effect=%s",
		    strerror(error),
		    "no connections from peers for a second");
	event_del(&rs->event);
	evtimer_assign(&rs->event, rs->worker->base, on_again, rs);
	evtimer_add(&rs->event, &second);
}

/* 0 or a negative errno. */
static int accept_one(struct relay_sock *rs)
{
	struct worker *w = rs->worker;
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct kturn_addr from;
	int fd;

	fd = accept4(rs->fd, (struct sockaddr *)&sa, &len,
		     SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	addr_from_sockaddr(&sa, &from);
	worker_make_public(w, &from);
	peer_accept(&w->stream, fd, &from, rs->alloc);
	return 0;
}

static void on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct relay_sock *rs = arg;
	struct worker *w = rs->worker;
	unsigned int i;
	int ret = 0;

	worker_begin(w);
	for (i = 0; i < ACCEPT_MAX && !ret; i++)
		ret = accept_one(rs);
	if (ret == -EMFILE || ret == -ENFILE || ret == -ENOBUFS ||
	    ret == -ENOMEM)
		rest(rs, -ret);
	worker_expire(w);
}

void peer_listen(struct relay_sock *rs)
{
	event_assign(&rs->event, rs->worker->base, rs->fd,
		     EV_READ | EV_PERSIST, on_connection, rs);
	event_add(&rs->event, NULL);
}
