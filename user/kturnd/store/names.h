/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which user a USERHASH (RFC 8489 section 14.4) is of, where the store has names
 * only: the realms' names with their hashes. They are read when a hash is
 * not among them, but not again within NAMES_MS, nor, up to NAMES_MAX_MS, for
 * NAMES_PAUSE times what it took; of a realm with more than NAMES_MAX users none
 * are kept, and USERHASH is not offered there.
 */
#ifndef _KTURND_STORE_NAMES_H
#define _KTURND_STORE_NAMES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES_MAX		100000
#define NAMES_REALMS_MAX	64
#define NAMES_MS		1000
#define NAMES_MAX_MS		10000
#define NAMES_PAUSE		20

struct backend;
struct names_realm;

/**
 * struct names - those of all realms that were asked for
 * @lock: protects the rest
 * @v: realms
 * @n: how many
 */
struct names {
	pthread_mutex_t lock;
	struct names_realm *v[NAMES_REALMS_MAX];
	size_t n;
};

/** names_init() - none yet */
void names_init(struct names *names);

/** names_free() - free them */
void names_free(struct names *names);

/**
 * names_complete() - are all names of a realm here? If not, they are read
 * @b: connection
 * @realm: realm
 *
 * Return: 1; 0: there are too many; a negative errno.
 */
int names_complete(struct backend *b, const char *realm);

/** names_find() - as userdb_find_userhash() */
int names_find(struct backend *b, const char *realm, const uint8_t hash[32],
	       char *name);

#endif /* _KTURND_STORE_NAMES_H */
