/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Realms, with what belongs to them: origins, shared secrets, limits, and keys
 * of access tokens, out of the configuration and the user store. They may
 * change while the daemon runs: each set is constant, and lives as long as
 * some worker uses it.
 */
#ifndef _KTURND_REALMS_H
#define _KTURND_REALMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kturn.h"
#include "peer_acl.h"
#include "turn/turn.h"

struct config;
struct daemon;
struct realms;
struct tables;
struct worker;

/**
 * struct realm - a realm
 * @turn: for the state machine
 * @limit: of an allocation, for the kernel: [0] to peers, [1] to the client
 * @user_quota: allocations of a user; 0: any number
 * @total_quota: allocations of its users; 0: any number
 * @named: clients may name it; else it is of access tokens only
 * @peers: what the store says of peers of its allocations
 */
struct realm {
	struct turn_realm turn;
	struct kturn_limit limit[2];
	uint32_t user_quota;
	uint32_t total_quota;
	bool named;
	struct peer_lists peers;
};

/**
 * realms_new() - what the configuration and the user store say
 * @cfg: configuration
 * @tables: the store's, or NULL
 *
 * What the store says that makes no sense is logged and left out.
 *
 * Return: NULL without memory.
 */
struct realms *realms_new(const struct config *cfg,
			  const struct tables *tables);

/** realms_get() - one more who uses them; any thread */
struct realms *realms_get(struct realms *set);

/** realms_put() - one less; the last one overwrites and frees them; @set may be
 * NULL
 */
void realms_put(struct realms *set);

/** realms_find() - by name, or NULL */
const struct realm *realms_find(const struct realms *set, const char *name,
				size_t len);

/** realms_by_origin() - for an origin as a client writes it, or NULL */
const struct realm *realms_by_origin(const struct realms *set,
				     const char *origin, size_t len);

/** realms_at() - for a listening address; never NULL */
const struct realm *realms_at(const struct realms *set,
			      const struct kturn_addr *server);

/** realms_token_key() - as turn_ops.token_key */
int realms_token_key(const struct realms *set, const char *kid,
		     struct turn_token_key *key);

/** realms_peers() - what the store says of peers of a realm's allocations; NULL:
 * nothing of this realm's
 */
const struct peer_lists *realms_peers(const struct realms *set,
				      const char *name);

/** realms_every_peers() - the same of every realm's; never NULL */
const struct peer_lists *realms_every_peers(const struct realms *set);

/** realms_can_serve() - could anybody come who is no stored user? By a secret, or
 * with an access token
 */
bool realms_can_serve(const struct realms *set);

/** realms_each() - call @cb for each realm until it returns true; what it did */
bool realms_each(const struct realms *set,
		 bool (*cb)(const struct realm *realm, void *arg), void *arg);

/** realms_same() - do they say the same? */
bool realms_same(const struct realms *a, const struct realms *b);

/* ----------------------------------------------------------------- following */

/** realms_open() - the first set: @d->realms; 0 or a negative errno */
int realms_open(struct daemon *d);

/** realms_close() - the last one */
void realms_close(struct daemon *d);

/**
 * realms_follow_secrets() - read the file of secrets anew if it has changed
 * @d: daemon, whose workers are told
 *
 * What can't be read is logged, and changes nothing. Context: main thread.
 */
void realms_follow_secrets(struct daemon *d);

/** realms_follow_store() - the same for the store's tables */
void realms_follow_store(struct daemon *d);

#endif /* _KTURND_REALMS_H */
