/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP errors that a socket has collected (IP_RECVERR, see ip(7)). */
#ifndef _KTURND_ERRORS_H
#define _KTURND_ERRORS_H

#include <stdbool.h>
#include <kturn/wire.h>

/**
 * struct icmp_error - an error about a datagram that a socket sent
 * @to: where that was to go
 * @type: ICMP or ICMPv6 type, by the family of @to
 * @code: its code
 * @data: what stands behind that: the MTU, where the error tells one
 */
struct icmp_error {
	struct kturn_addr to;
	uint8_t type;
	uint8_t code;
	uint32_t data;
};

/**
 * errors_enable() - let a UDP socket collect them
 * @fd: socket
 * @family: its family
 *
 * From then on each is reported once by another call on the socket, which then
 * has not done its work. Without it nothing is collected; no error.
 */
void errors_enable(int fd, uint8_t family);

/**
 * errors_next() - take the oldest
 * @fd: socket, not blocking
 * @error: result
 *
 * Errors of the host's own, such as a datagram that was too long, are left out.
 *
 * Return: was there one?
 */
bool errors_next(int fd, struct icmp_error *error);

#endif /* _KTURND_ERRORS_H */
