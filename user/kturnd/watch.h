/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel tells the main thread, and who of the workers is told: the
 * module comes and goes, entries are removed, the host's addresses change.
 */
#ifndef _KTURND_WATCH_H
#define _KTURND_WATCH_H

#include <event2/event_struct.h>
#include "kturn.h"

struct daemon;

/**
 * struct watch - what is watched
 * @d: daemon
 * @listener: hears of removals; NULL without the privilege
 * @kernel: @listener has something to say
 * @addresses: the host's addresses changed
 * @kt: main thread's handle, joined to our owner; NULL without the module
 * @owner_id: our owner
 */
struct watch {
	struct daemon *d;
	struct kturn_listener *listener;
	struct event kernel;
	struct event addresses;
	struct kturn *kt;
	uint32_t owner_id;
};

/**
 * watch_open() - find the module, take over what is there, open the mirrors
 * @w: result
 * @d: daemon; its workers' threads don't run yet
 *
 * Return: 0; a negative errno when the module is wanted and not there.
 */
int watch_open(struct watch *w, struct daemon *d);

/** watch_start() - watch from now on, in the main thread's loop */
void watch_start(struct watch *w);

/** watch_close() - stop to watch; entries stay in the kernel */
void watch_close(struct watch *w);

/** watch_entries() - our allocations in the kernel; 0 without the module */
uint32_t watch_entries(struct watch *w);

#endif /* _KTURND_WATCH_H */
