/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may use the server: users out of the configuration, which never change,
 * and those in the user store. The former win.
 */
#ifndef _KTURND_USERS_H
#define _KTURND_USERS_H

#include "config.h"
#include "db/userdb.h"
#include "store/store.h"
#include "turn/turn.h"

/**
 * struct users - users out of the configuration
 * @v: sorted by realm and name
 * @n: how many
 * @store: the user store, or NULL
 */
struct users {
	struct user *v;
	size_t n;
	struct store *store;
};

/** users_init() - derive their keys; 0 or a negative errno */
int users_init(struct users *users, const struct config *cfg);

/** users_free() - free them; keys are overwritten */
void users_free(struct users *users);

/*
 * What the store said does for some time: the keys of a user for STORE_KEYS_MS, that
 * a request is to be refused for STORE_REFUSE_MS. So a new password is good at
 * once, and an old one is not for much longer. @now is when the request came.
 */

/** users_keys() - as turn_ops.user_keys */
int users_keys(const struct users *users, uint64_t now, const char *realm,
	       const char *name, struct turn_keys *keys);

/** users_refuse() - as turn_ops.user_refuse */
int users_refuse(const struct users *users, uint64_t now, const char *realm,
		 const char *name);

/** users_by_hash() - as turn_ops.user_by_hash */
int users_by_hash(const struct users *users, uint64_t now, const char *realm,
		  const uint8_t hash[32], char *name);

#endif /* _KTURND_USERS_H */
