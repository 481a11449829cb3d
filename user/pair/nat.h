/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether this host translates a 5-tuple's addresses (NAT). Then the server sees
 * others than are on the wire, and the kernel can't relay for it.
 */
#ifndef _PAIR_NAT_H
#define _PAIR_NAT_H

#include <stdbool.h>

#include "transaction.h"

/**
 * nat_translates() - ask the connection tracker
 * @flow: 5-tuple as the server sees it
 *
 * Return: true also when the answer can't be had, but not where no connections
 * are tracked.
 */
bool nat_translates(const struct flow *flow);

#endif /* _PAIR_NAT_H */
