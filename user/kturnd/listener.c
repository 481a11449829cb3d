// SPDX-License-Identifier: GPL-2.0-or-later
/* The listening addresses' sockets: one for each worker. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "kturn.h"
#include "log.h"
#include "socket.h"

static int cant_listen(const struct kturn_addr *addr, int error)
{
	char text[KTURN_ADDR_TEXT_MAX];

	log_event(LOG_ERR, "listen-failed", "listen=%s error=%s hint=%s",
		  kturn_addr_text(addr, text), strerror(-error),
		  error == -EADDRINUSE ?
		  "another program uses it, see ss -ulpn" :
		  error == -EADDRNOTAVAIL ?
		  "it is not an address of this host" :
		  error == -EACCES ? "ports below 1024 need a privilege" :
				     NULL);
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
		return cant_listen(addr, fd);
	/* The kernel numbers them as they are bound. */
	for (i = 0; i < d->n_workers; i++) {
		fd = socket_bound(addr, &group);
		if (fd < 0)
			return cant_listen(addr, fd);
		d->workers[i].listeners[n].fd = fd;
	}
	if (group.error)
		log_event(LOG_WARNING, "no-steering", "error=%s effect=%s",
			  strerror(-group.error),
			  "datagrams are handed from worker to worker");
	return 0;
}

int listeners_open(struct daemon *d)
{
	size_t i;
	int ret;

	for (i = 0; i < d->listen.n; i++) {
		ret = open_group(d, i);
		if (ret)
			return ret;
	}
	return 0;
}
