/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a set of realms is put together; it is constant afterwards. */
#ifndef _KTURND_REALMS_SET_H
#define _KTURND_REALMS_SET_H

#include "realms.h"

/** realms_empty() - no realms; NULL without memory */
struct realms *realms_empty(void);

/*
 * Those that add return false without memory. What is there already is not added
 * again: the first one counts.
 */

/** realms_add() - a realm, with the limits that all have; @named as of struct
 * realm, unless it is named already. NULL without memory.
 */
struct realm *realms_add(struct realms *set, const char *name, bool named,
			 const struct config *cfg);

/** realms_set_default() - what realms_at() returns for any other address */
void realms_set_default(struct realms *set, const struct realm *realm);

/** realms_add_at() - the realm of a listening address */
bool realms_add_at(struct realms *set, const struct kturn_addr *addr,
		   const struct realm *realm);

/** realms_add_origin() - the realm of a canonical origin */
bool realms_add_origin(struct realms *set, const char *origin,
		       const struct realm *realm);

/** realms_add_secret() - a shared secret of a realm */
bool realms_add_secret(struct realm *realm, const char *secret);

/** realms_add_token_key() - a key with its realm, or NULL */
bool realms_add_token_key(struct realms *set, const char *kid,
			  const struct turn_token_key *key,
			  const struct realm *realm);

/**
 * realms_list_peers() - the lists of peers, to be written
 * @set: set
 * @name: realm; "": every realm
 *
 * Return: NULL: there is no such realm.
 */
struct peer_lists *realms_list_peers(struct realms *set, const char *name);

/** realms_note() - that the set was made of this too, for realms_same() */
void realms_note(struct realms *set, const char *const *texts, size_t n);

#endif /* _KTURND_REALMS_SET_H */
