/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state directory: what a successor needs that the kernel does not hold.
 *
 *	lock		locked while a daemon uses the directory
 *	identity	owner cookie and nonce key
 *	ports		reserved ports that we added, see reserved_ports.h
 *	control		the control socket, see control.h
 */
#ifndef _KTURND_STATE_H
#define _KTURND_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct state - an open state directory
 * @dir: its name
 * @usable: it can be used; else everything here lives in memory alone
 * @lock_fd: holds the lock
 * @cookie: the owner's name in the kernel, not 0
 * @nonce_key: so that clients' nonces stay valid; they use the first half
 */
struct state {
	char dir[PATH_MAX];
	bool usable;
	int lock_fd;
	uint64_t cookie;
	uint8_t nonce_key[32];
};

/**
 * state_open() - lock the directory, read or make the identity
 * @st: result
 * @dir: its name; made when it is not there
 * @required: without it we can't go on
 *
 * What went wrong is logged. Return: 0 or a negative errno.
 */
int state_open(struct state *st, const char *dir, bool required);

/** state_close() - give the lock back */
void state_close(struct state *st);

/** state_path() - the name of a file there; false if it is too long */
bool state_path(const struct state *st, const char *file,
		char path[PATH_MAX]);

#endif /* _KTURND_STATE_H */
