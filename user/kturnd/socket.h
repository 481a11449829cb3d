/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets as listeners and relays need them. */
#ifndef _KTURND_SOCKET_H
#define _KTURND_SOCKET_H

#include <stdbool.h>
#include <kturn/wire.h>
#include "steer.h"

/**
 * struct socket_group - the SO_REUSEPORT group that a socket is to join
 * @steer: how the group chooses; NULL if that is set already
 * @error: set when the choice could not be told to the kernel
 */
struct socket_group {
	const struct steer *steer;
	int error;
};

/**
 * socket_bound() - a non-blocking UDP socket, bound to @addr alone
 * @addr: address and port
 * @group: NULL: nobody else may bind the same
 *
 * One of a group has buffers as large as the system lets us have, and sends IPv4
 * with DF clear. Any other is as the system makes it: thousands of them may never
 * see a datagram, since the kernel relays.
 *
 * Return: descriptor, or a negative errno.
 */
int socket_bound(const struct kturn_addr *addr, struct socket_group *group);

/** socket_listening() - a non-blocking TCP socket, bound to @addr and listening,
 * beside others of ours; descriptor, or a negative errno
 */
int socket_listening(const struct kturn_addr *addr);

/** socket_relay_listening() - the same for a relayed address: nobody else has the
 * port, but socket_relay_connecting() may have it too
 */
int socket_relay_listening(const struct kturn_addr *addr);

/** socket_relay_connecting() - a non-blocking TCP socket, bound to a relayed
 * address that is listened at; descriptor, or a negative errno
 */
int socket_relay_connecting(const struct kturn_addr *addr);

/** socket_keep_alive() - an accepted or connecting socket sends small things at
 * once, and notices when the other end is no more
 */
void socket_keep_alive(int fd);

/** socket_tcp_free() - may @addr be listened at? 0 or a negative errno */
int socket_tcp_free(const struct kturn_addr *addr);

/** socket_grow() - larger buffers, for a socket that has seen a datagram */
void socket_grow(int fd);

/** socket_set_dont_fragment() - DF of what an IPv4 socket sends from now on */
void socket_set_dont_fragment(int fd, bool on);

#endif /* _KTURND_SOCKET_H */
