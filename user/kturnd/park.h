/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker's requests that wait for the user store, at most PARK_MAX: when there
 * are more, the oldest goes, and its client sends it again.
 */
#ifndef _KTURND_PARK_H
#define _KTURND_PARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "turn/turn.h"

#define PARK_MAX	256
/* A request with the longest of all attributes that it needs. */
#define PARK_LEN_MAX	4096

/**
 * struct parked - a request
 * @entry: of the list
 * @number: what it waits for
 * @since: when it came, worker_clock()'s
 * @tuple: where it came from and to
 * @len: its length
 * @msg: message
 */
struct parked {
	TAILQ_ENTRY(parked) entry;
	uint64_t number;
	uint64_t since;
	struct turn_tuple tuple;
	size_t len;
	uint8_t msg[];
};

TAILQ_HEAD(parked_list, parked);

/**
 * struct park - requests, the oldest first
 * @list: them
 * @n: how many
 * @dropped: how many had to go, since the start
 */
struct park {
	struct parked_list list;
	unsigned int n;
	uint64_t dropped;
};

/** park_init() - none */
void park_init(struct park *p);

/** park_free() - forget all */
void park_free(struct park *p);

/**
 * park_add() - a request that is to wait
 * @p: worker's
 * @number: for what
 * @now: when it came
 * @tuple: where it came from
 * @msg: copied; the same again is not, as clients repeat what is not answered
 * @len: its length
 */
void park_add(struct park *p, uint64_t number, uint64_t now,
	      const struct turn_tuple *tuple, const uint8_t *msg, size_t len);

/** park_take() - move those that wait for @number to @out, for the caller to free */
void park_take(struct park *p, uint64_t number, struct parked_list *out);

/** park_forget() - the client at @tuple is gone */
void park_forget(struct park *p, const struct turn_tuple *tuple);

#endif /* _KTURND_PARK_H */
