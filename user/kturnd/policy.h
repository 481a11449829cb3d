/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May this transport address be a peer, here and now? */
#ifndef _KTURND_POLICY_H
#define _KTURND_POLICY_H

#include "turn/turn.h"

struct worker;

/**
 * policy_check() - as turn_ops.peer_check; logs refusals
 * @w: worker, its thread's
 * @peer: who is to be a peer
 * @alloc: of whom
 *
 * A relayed address of our own: only live ports are peers. Then the rules for
 * addresses (peer_acl.h). Then what is left of the host's own addresses, on
 * which nothing is a peer, whatever --allow-peer says.
 */
enum turn_verdict policy_check(struct worker *w,
			       const struct kturn_addr *peer,
			       const struct turn_alloc *alloc);

#endif /* _KTURND_POLICY_H */
