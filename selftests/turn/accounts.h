/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Realms, users, keys and quotas: the ops of struct turn_ops that ask for them. */
#ifndef KTURN_SELFTESTS_ACCOUNTS_H
#define KTURN_SELFTESTS_ACCOUNTS_H

#include <kturnd/turn/turn.h>

/** accounts_init() - one realm, with users alice and bob */
void accounts_init(void);

const struct turn_realm *account_realm_find(void *env, const char *name,
					    size_t len);
const struct turn_realm *account_realm_by_origin(void *env, const char *origin,
						 size_t len);
const struct turn_realm *account_realm_at(void *env,
					  const struct turn_tuple *tuple);
int account_user_keys(void *env, const char *realm, const char *name,
		      struct turn_keys *keys);
int account_user_by_hash(void *env, const char *realm, const uint8_t hash[32],
			 char *name);
int account_user_refuse(void *env, const char *realm, const char *name);
void account_ask(void *env, const struct turn_question *q, const uint8_t *msg,
		 size_t len);
unsigned int account_features(void *env, const struct turn_realm *realm);
int account_token_key(void *env, const char *kid, struct turn_token_key *key);
int account_quota_take(void *env, const char *realm, const char *user,
		       bool granted, struct turn_pool **pool);
void account_quota_give(void *env, const char *realm, const char *user);

#endif /* KTURN_SELFTESTS_ACCOUNTS_H */
