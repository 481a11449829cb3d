/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May this transport address be a peer, here and now? */
#ifndef _KTURND_POLICY_H
#define _KTURND_POLICY_H

#include "turn/turn.h"

struct peer_lists;
struct worker;

#define POLICY_CACHE_BITS	6

/**
 * struct policy_good - an address that was found to be good
 * @ip: without port; family NONE: none
 * @lists: for allocations of a realm with these, or of all that have none
 */
struct policy_good {
	struct kturn_addr ip;
	const struct peer_lists *lists;
};

/**
 * struct policy_cache - addresses that were found to be good
 * @good: each at its place. They are peers with any port, as long as the host's
 *	addresses and the realms are the same.
 */
struct policy_cache {
	struct policy_good good[1 << POLICY_CACHE_BITS];
};

/** policy_forget() - the host's addresses, or realms, have changed */
void policy_forget(struct policy_cache *cache);

/**
 * policy_check() - as turn_ops.peer_check; logs refusals
 * @w: worker, its thread's
 * @peer: who is to be a peer
 * @alloc: of whom
 *
 * A relayed address of our own: only live ports are peers. Then the rules for
 * addresses (peer_acl.h), with the lists of the allocation's realm. Then what is
 * left of the host's own addresses, on which nothing is a peer, whatever
 * --allow-peer says.
 */
enum turn_verdict policy_check(struct worker *w,
			       const struct kturn_addr *peer,
			       const struct turn_alloc *alloc);

#endif /* _KTURND_POLICY_H */
