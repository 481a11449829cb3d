/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hash tables whose keys attackers choose: 5-tuples, peers, channel numbers.
 *
 * Nodes are members of what they find. The hash is the caller's, made with
 * turn_siphash() and a random key; two nodes with one hash are told apart by
 * the caller too.
 */
#ifndef _COMMON_TABLE_H
#define _COMMON_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TURN_SIPHASH_KEY_LEN	16

/**
 * turn_siphash() - SipHash-2-4
 * @key: TURN_SIPHASH_KEY_LEN bytes, random
 * @data: what to hash
 * @len: its length
 */
uint64_t turn_siphash(const uint8_t *key, const void *data, size_t len);

/** turn_siphash128() - the same with an output of 128 bits, 16 bytes in @out */
void turn_siphash128(const uint8_t *key, const void *data, size_t len,
		     uint8_t *out);

/** struct turn_node - membership in one table */
struct turn_node {
	struct turn_node *next;
	uint64_t hash;
};

/**
 * struct turn_table - buckets of singly linked lists
 * @buckets: @mask + 1 of them, a power of two
 * @mask: of the hash
 * @n: nodes in all
 */
struct turn_table {
	struct turn_node **buckets;
	size_t mask;
	size_t n;
};

/** turn_table_init() - an empty table; false without memory */
bool turn_table_init(struct turn_table *t);

/** turn_table_destroy() - free the buckets; the nodes are the caller's */
void turn_table_destroy(struct turn_table *t);

/**
 * turn_table_add() - add a node
 * @t: table
 * @node: in no table
 * @hash: of its key
 *
 * Never fails: a table that can't grow for lack of memory gets slower.
 */
void turn_table_add(struct turn_table *t, struct turn_node *node,
		    uint64_t hash);

/** turn_table_del() - take @node out of the table that it is in */
void turn_table_del(struct turn_table *t, struct turn_node *node);

/** turn_table_first() - the first node with this hash, or NULL */
struct turn_node *turn_table_first(const struct turn_table *t, uint64_t hash);

/** turn_table_next() - the next one with the same hash, or NULL */
struct turn_node *turn_table_next(const struct turn_node *node);

#endif /* _COMMON_TABLE_H */
