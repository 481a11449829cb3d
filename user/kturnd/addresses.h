/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses are served, when the configuration does not name them. */
#ifndef _KTURND_ADDRESSES_H
#define _KTURND_ADDRESSES_H

#include "config.h"

/**
 * addresses_listen() - the listening addresses
 * @cfg: configuration
 * @list: result, with ports; the caller frees @list->v
 *
 * Wildcards stand for the host's global addresses, and so does an empty list.
 * What went wrong is logged. Return: 0 or a negative errno.
 */
int addresses_listen(const struct config *cfg, struct config_addrs *list);

/**
 * addresses_relay() - the relayed addresses
 * @cfg: configuration; @external's private addresses are completed
 * @listen: from addresses_listen()
 * @list: result, without ports; the caller frees @list->v
 */
int addresses_relay(struct config *cfg, const struct config_addrs *listen,
		    struct config_addrs *list);

#endif /* _KTURND_ADDRESSES_H */
