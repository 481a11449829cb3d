/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What options' values are read with. */
#ifndef _KTURND_OPTION_READ_H
#define _KTURND_OPTION_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "address.h"

#define OPTION_NO_MEMORY	"out of memory"

/*
 * Those that return a text return NULL when all is well, and else what is wrong, as
 * struct option_def's @set does.
 */

/** option_append() - make room for one more of @size bytes, all zero, in an array
 * whose address @array points to; returns it, or NULL
 */
void *option_append(void *array, size_t *n, size_t size);

/** option_number() - read a number of digits only, from @min to @max */
bool option_number(const char *text, unsigned long min, unsigned long max,
		   unsigned long *result);

/** option_u64() - the same for large ones, from 0; for what is no option, too */
bool option_u64(const char *text, uint64_t max, uint64_t *result);

/** option_u32() - set an option that is a number */
const char *option_u32(uint32_t *where, const char *value, unsigned long min,
		       unsigned long max);

/** option_text() - set an option that is a text, and not empty */
const char *option_text(char **where, const char *value);

/** option_add_text() - one more text in a list */
const char *option_add_text(char ***list, size_t *n, const char *value);

/** option_clear_texts() - an empty list */
void option_clear_texts(char ***list, size_t *n);

/** option_add_prefix() - one more prefix in a list */
const char *option_add_prefix(struct prefix **list, size_t *n,
			      const char *value);

/** option_multicast() - a multicast or reserved address, which can't be bound */
bool option_multicast(const struct kturn_addr *addr);

/** option_two_addrs() - read two particular addresses of one family with a slash
 * between them
 */
bool option_two_addrs(const char *value, struct kturn_addr *a,
		      struct kturn_addr *b);

/** option_wipe() - overwrite and free a text; NULL is fine */
void option_wipe(char *text);

#endif /* _KTURND_OPTION_READ_H */
