/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking over what a predecessor left in the kernel. */
#ifndef _KTURND_ADOPT_H
#define _KTURND_ADOPT_H

#include <stdbool.h>
#include "kturn.h"

struct daemon;

/**
 * adopt_all() - take over allocations, permissions and channels
 * @d: daemon; its workers' threads don't run yet
 * @kt: joined to our owner
 * @owner_id: the owner
 * @keep: they stay in the kernel; else they are removed there, and the daemon
 *	goes on with them alone
 *
 * Each goes to the worker that serves the client now. What can't be taken
 * over (an address that is not ours any more, a port that somebody else has)
 * is deleted and logged.
 *
 * Return: 0 or a negative errno, when the kernel can't be read.
 */
int adopt_all(struct daemon *d, struct kturn *kt, uint32_t owner_id,
	      bool keep);

#endif /* _KTURND_ADOPT_H */
