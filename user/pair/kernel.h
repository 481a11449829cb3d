/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's entries of kturn-pair: an owner of their own without a grace
 * period, so that they end with the process, however it ends. The module may
 * come and go.
 */
#ifndef _PAIR_KERNEL_H
#define _PAIR_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "kturn.h"
#include "learn.h"

/**
 * struct kernel - the way to it
 * @kt: handle, NULL while there is no module
 * @listener: hears of entries that end, and of the module
 * @cookie: the owner's name
 * @owner_id: what the kernel calls it
 * @learn: is told
 * @ended: what sessions have relayed that ended: to peers, to clients
 * @n_ended: how many
 */
struct kernel {
	struct kturn *kt;
	struct kturn_listener *listener;
	uint64_t cookie;
	uint32_t owner_id;
	struct learn *learn;
	struct kturn_counter ended[2];
	uint64_t n_ended;
};

/** What goes into the kernel; the argument is struct kernel. */
uint32_t kernel_alloc_new(void *arg, const struct session *s, uint32_t ms);
bool kernel_alloc_set(void *arg, uint32_t id, uint32_t ms);
void kernel_alloc_del(void *arg, const struct session *s);
bool kernel_perm_new(void *arg, uint32_t id, const struct kturn_addr *peer,
		     uint32_t ms);
bool kernel_chan_new(void *arg, uint32_t id, uint16_t number,
		     const struct kturn_addr *peer, uint32_t ms);

/**
 * kernel_open() - become an owner, now or once the module is there
 * @k: result
 * @learn: is told what ends
 *
 * Return: 0 or a negative errno, which was logged.
 */
int kernel_open(struct kernel *k, struct learn *learn);

/** kernel_close() - all entries end; also of what could not be opened */
void kernel_close(struct kernel *k);

/** kernel_fd() - for polling */
int kernel_fd(const struct kernel *k);

/** kernel_read() - hear what happened; 0 or a negative errno, logged */
int kernel_read(struct kernel *k);

#endif /* _PAIR_KERNEL_H */
