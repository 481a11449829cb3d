/* SPDX-License-Identifier: GPL-2.0 */
/* What entries are found by; the tables are in table.h. */
#ifndef _KTURN_KEY_H
#define _KTURN_KEY_H

#include <linux/types.h>

#include <kturn/wire.h>

/*
 * Hash keys, compared as a whole: no implicit padding, every byte defined. An
 * l3mdev is the interface index of the VRF, 0 outside of any.
 */

/**
 * struct kturn_tuple - a 5-tuple, of UDP
 * @remote: who sends what comes in: a client, or a peer
 * @local: what it is sent to: a server's address, or a relayed one
 * @l3mdev: VRF or 0
 */
struct kturn_tuple {
	struct kturn_addr remote;
	struct kturn_addr local;
	u32 l3mdev;
};

/**
 * struct kturn_number_key - a 5-tuple with a channel number
 * @tuple: the client's
 * @number: channel number
 */
struct kturn_number_key {
	struct kturn_tuple tuple;
	u32 number;
};

struct kturn_relay_key {
	struct kturn_addr relay;
	u32 l3mdev;
};

struct kturn_perm_key {
	struct kturn_addr peer;		/* port 0 */
	u32 alloc_id;
};

#endif /* _KTURN_KEY_H */
