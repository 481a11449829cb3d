/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process has a socket. */
#ifndef _PAIR_PROCESS_H
#define _PAIR_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * process_has_socket() - does a process of this name have the socket open?
 * @name: as /proc/PID/comm has it: 15 characters at most
 * @inode: of the socket
 *
 * Looks at all processes: to be asked seldom. Needs CAP_SYS_PTRACE for those of
 * other users.
 *
 * Return: 1, 0, or a negative errno: it is not known.
 */
int process_has_socket(const char *name, uint32_t inode);

#endif /* _PAIR_PROCESS_H */
