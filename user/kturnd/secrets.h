/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared secrets of time-limited credentials, which may change while the daemon
 * runs: each set is constant, and lives as long as some worker uses it.
 */
#ifndef _KTURND_SECRETS_H
#define _KTURND_SECRETS_H

#include <stddef.h>
#include <stdint.h>

struct config;
struct daemon;
struct worker;

/**
 * struct secrets - those of one time
 * @refs: who uses them
 * @n: how many
 * @v: NUL-terminated
 */
struct secrets {
	unsigned int refs;
	size_t n;
	char *v[];
};

/** secrets_new() - those that the configuration has now; NULL without memory */
struct secrets *secrets_new(const struct config *cfg);

/** secrets_get() - one more who uses them; any thread */
struct secrets *secrets_get(struct secrets *set);

/** secrets_put() - one less; the last one overwrites and frees them; @set may be
 * NULL
 */
void secrets_put(struct secrets *set);

/**
 * secrets_follow() - read the file of secrets anew if it has changed
 * @d: daemon, whose workers are told
 *
 * What can't be read is logged, and changes nothing. Context: main thread.
 */
void secrets_follow(struct daemon *d);

#endif /* _KTURND_SECRETS_H */
