/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The UDP sockets of this network namespace (sock_diag): which there are, and
 * which were closed. A closed socket may go unheard, so all are to be read
 * every now and then; a cookie belongs to one socket, ever.
 */
#ifndef _PAIR_SOCKETS_H
#define _PAIR_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kturn/wire.h>

struct mnl_socket;

/**
 * struct socket_info - a socket
 * @cookie: its name
 * @uid: of the user who made it
 * @inode: under which it is in /proc/PID/fd; 0 once nobody has it open
 */
struct socket_info {
	uint64_t cookie;
	uint32_t uid;
	uint32_t inode;
};

/** socket_gone_cb - a socket was closed */
typedef void (*socket_gone_cb)(uint64_t cookie, void *arg);

/**
 * struct sockets - the way to ask
 * @nl: for questions
 * @events: hears of sockets that are closed
 * @gone: is told of them
 * @arg: for @gone
 */
struct sockets {
	struct mnl_socket *nl;
	struct mnl_socket *events;
	socket_gone_cb gone;
	void *arg;
};

/**
 * sockets_open() - begin to listen
 * @s: result
 * @gone: is told of sockets that are closed, of any kind of UDP
 * @arg: for @gone
 *
 * Needs CAP_NET_ADMIN. Return: 0 or a negative errno.
 */
int sockets_open(struct sockets *s, socket_gone_cb gone, void *arg);

/** sockets_close() - also of what sockets_open() could not open */
void sockets_close(struct sockets *s);

/** sockets_fd() - for polling */
int sockets_fd(const struct sockets *s);

/**
 * sockets_read() - hand over what was heard
 * @s: sockets
 *
 * Return: 0; -ENOBUFS: something was not heard, so all are to be read; or
 * another negative errno.
 */
int sockets_read(struct sockets *s);

/**
 * sockets_find() - who gets a datagram?
 * @s: sockets
 * @from: where it comes from; family KTURN_FAMILY_NONE: from anywhere
 * @to: where it goes: an address of this host
 * @info: result
 *
 * As the kernel would find it: connected, bound to the address, to all
 * addresses, or to all of IPv6 and IPv4.
 *
 * Return: 0; -ENOENT: nobody; or another negative errno.
 */
int sockets_find(struct sockets *s, const struct kturn_addr *from,
		 const struct kturn_addr *to, struct socket_info *info);

/**
 * sockets_all() - the cookies of all UDP sockets
 * @s: sockets
 * @cookies: result, sorted; to be freed
 * @n: how many
 *
 * While others are closed, one that stays may be missing: sockets_find() is to
 * be asked before that is believed.
 *
 * Return: 0 or a negative errno.
 */
int sockets_all(struct sockets *s, uint64_t **cookies, size_t *n);

#endif /* _PAIR_SOCKETS_H */
