// SPDX-License-Identifier: GPL-2.0-or-later
/* The listening addresses' sockets: one for each worker. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "kturn.h"
#include "log.h"
#include "socket.h"

static const char *hint(int error, bool tcp)
{
	switch (error) {
	case -EADDRINUSE:
		return tcp ? "another program uses it, see ss -tlpn" :
			     "another program uses it, see ss -ulpn";
	case -EADDRNOTAVAIL:
		return "it is not an address of this host";
	case -EACCES:
		return "ports below 1024 need a privilege";
	default:
		return NULL;
	}
}

static int cant_listen(const struct kturn_addr *addr, int error, bool tcp)
{
	char text[KTURN_ADDR_TEXT_MAX];

	log_event(LOG_ERR, "listen-failed",
		  "listen=%s transport=%s error=%s hint=%s",
		  kturn_addr_text(addr, text), tcp ? "tcp" : "udp",
		  strerror(-error), hint(error, tcp));
	return error;
}

/*
 * A socket of our own user that is in such a group already would be joined,
 * and share the clients. So see first whether the address is free.
 */
static int probe(const struct kturn_addr *addr)
{
	int fd = socket_bound(addr, NULL);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int open_group(struct daemon *d, size_t n)
{
	const struct kturn_addr *addr = &d->listen.v[n];
	struct socket_group group = { .steer = &d->steer };
	unsigned int i;
	int fd;

	fd = probe(addr);
	if (fd < 0)
		return cant_listen(addr, fd, false);
	/* The kernel numbers them as they are bound. */
	for (i = 0; i < d->n_workers; i++) {
		fd = socket_bound(addr, &group);
		if (fd < 0)
			return cant_listen(addr, fd, false);
		d->workers[i].listeners[n].fd = fd;
	}
	if (group.error)
		log_event(LOG_WARNING, "no-steering", "error=%s effect=%s",
			  strerror(-group.error),
			  "datagrams are handed from worker to worker");
	return 0;
}

static int open_streams(struct daemon *d, size_t n)
{
	const struct kturn_addr *addr = &d->listen.v[n];
	int fd = socket_tcp_free(addr);
	unsigned int i;

	for (i = 0; i < d->n_workers && fd >= 0; i++) {
		fd = socket_listening(addr);
		if (fd >= 0)
			d->workers[i].listeners[n].stream_fd = fd;
	}
	return fd < 0 ? cant_listen(addr, fd, true) : 0;
}

int listeners_open(struct daemon *d)
{
	unsigned int transports = d->cfg->transports;
	size_t i;
	int ret = 0;

	for (i = 0; i < d->listen.n && !ret; i++) {
		if (transports & (CONFIG_UDP | CONFIG_DTLS))
			ret = open_group(d, i);
		if (!ret && transports & (CONFIG_TCP | CONFIG_TLS))
			ret = open_streams(d, i);
	}
	return ret;
}
