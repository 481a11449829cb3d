/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The five hash tables. Look-ups run under RCU and see expired entries;
 * inserting and removing needs kturn_net.lock.
 *
 * Look-ups are the better part of what a packet costs, so they are inlined, and
 * of an IPv4 address only the four bytes that it has are looked at.
 */
#ifndef _KTURN_TABLE_H
#define _KTURN_TABLE_H

#include <linux/hash.h>

#include "kturn.h"

/* Keys are made of words, and so are the addresses in them. */
static_assert(__alignof__(struct kturn_tuple) == sizeof(u32));
static_assert(__alignof__(struct kturn_relay_key) == sizeof(u32));
static_assert(__alignof__(struct kturn_perm_key) == sizeof(u32));
static_assert(offsetof(struct kturn_tuple, local) % sizeof(u32) == 0);
static_assert(sizeof(struct kturn_addr) == 20);
static_assert(sizeof(struct kturn_tuple) == 44);
static_assert(sizeof(struct kturn_number_key) == 48);
static_assert(sizeof(struct kturn_relay_key) == 24);
static_assert(sizeof(struct kturn_perm_key) == 24);
static_assert(offsetof(struct kturn_number_key, tuple) == 0);

/* ------------------------------------------------------------------ hashes */

#define KTURN_HASH_KEYS	10

/* table.c */
extern u64 kturn_hash_keys[KTURN_HASH_KEYS];

/* A part of an address that is four bytes long. */
static __always_inline u32 kturn_addr_word(const struct kturn_addr *addr,
					   unsigned int i)
{
	return ((const u32 *)addr)[i];
}

/* Port, family and padding. */
static __always_inline u32 kturn_addr_tail(const struct kturn_addr *addr)
{
	return kturn_addr_word(addr, 4);
}

/* Do IP addresses of IPv6 differ, in what IPv4's do not have? */
static __always_inline bool kturn_rest_differs(const struct kturn_addr *a,
					       const struct kturn_addr *b)
{
	return (kturn_addr_word(a, 1) ^ kturn_addr_word(b, 1)) |
	       (kturn_addr_word(a, 2) ^ kturn_addr_word(b, 2)) |
	       (kturn_addr_word(a, 3) ^ kturn_addr_word(b, 3));
}

static __always_inline bool kturn_addr_equal(const struct kturn_addr *a,
					     const struct kturn_addr *b)
{
	if ((kturn_addr_tail(a) ^ kturn_addr_tail(b)) |
	    (kturn_addr_word(a, 0) ^ kturn_addr_word(b, 0)))
		return false;
	return a->family == KTURN_FAMILY_V4 || !kturn_rest_differs(a, b);
}

/*
 * Vector multiply-shift: a random number for each word, the sum of their
 * products. Whoever does not know the numbers finds no keys that collide more
 * often than any two do, which is what is asked of a table whose keys others
 * choose; and it takes a third of jhash's instructions. See M. Thorup, "High
 * Speed Hashing for Integers and Strings", arXiv:1504.06804, section 3.4. The
 * seed is rhashtable's, which changes when it rehashes.
 */
static __always_inline u64 kturn_hash_word(unsigned int i, u32 word, u32 seed)
{
	return kturn_hash_keys[i] * (word ^ seed);
}

/*
 * The sums of keys that follow one another, such as the ports behind a NAT, are
 * as far from one another as these are, and with one random number in three
 * hundred fall into few buckets: more in one than rhashtable allows, so that it
 * refuses the next (-EBUSY). Halves that are mixed spread them.
 */
static __always_inline u32 kturn_hash_fold(u64 sum)
{
	sum ^= sum >> 32;
	return (sum * GOLDEN_RATIO_64) >> 32;
}

/* An IP address, by the numbers from @i on. */
static __always_inline u64 kturn_hash_ip(unsigned int i,
					 const struct kturn_addr *addr,
					 u32 seed)
{
	u64 sum = kturn_hash_word(i, kturn_addr_word(addr, 0), seed);

	if (addr->family == KTURN_FAMILY_V6)
		sum += kturn_hash_word(i + 1, kturn_addr_word(addr, 1), seed) +
		       kturn_hash_word(i + 2, kturn_addr_word(addr, 2), seed) +
		       kturn_hash_word(i + 3, kturn_addr_word(addr, 3), seed);
	return sum;
}

static __always_inline u32 kturn_hash_tuple(const struct kturn_tuple *t,
					    u32 number, u32 seed)
{
	u32 ports = (__force u32)t->remote.port << 16 |
		    (__force u32)t->local.port;

	return kturn_hash_fold(kturn_hash_ip(0, &t->remote, seed) +
			       kturn_hash_ip(4, &t->local, seed) +
			       kturn_hash_word(8, ports, seed) +
			       kturn_hash_word(9, t->l3mdev << 16 ^ number,
					       seed));
}

static __always_inline u32 kturn_tuple_hash(const void *data, u32 len, u32 seed)
{
	return kturn_hash_tuple(data, 0, seed);
}

static __always_inline u32 kturn_number_hash(const void *data, u32 len,
					     u32 seed)
{
	const struct kturn_number_key *key = data;

	return kturn_hash_tuple(&key->tuple, key->number, seed);
}

/* Of kturn_relay_key and of kturn_perm_key: an address and a number. */
static __always_inline u32 kturn_addr_hash(const void *data, u32 len, u32 seed)
{
	const struct kturn_addr *addr = data;
	u32 number = ((const u32 *)data)[sizeof(*addr) / sizeof(u32)];

	return kturn_hash_fold(kturn_hash_ip(0, addr, seed) +
			       kturn_hash_word(4, kturn_addr_tail(addr), seed) +
			       kturn_hash_word(5, number, seed));
}

/* Both addresses of a tuple are of one family. */
static __always_inline bool kturn_tuple_equal(const struct kturn_tuple *a,
					      const struct kturn_tuple *b)
{
	const struct kturn_addr *ar = &a->remote, *al = &a->local;
	const struct kturn_addr *br = &b->remote, *bl = &b->local;

	if ((kturn_addr_tail(ar) ^ kturn_addr_tail(br)) |
	    (kturn_addr_word(ar, 0) ^ kturn_addr_word(br, 0)) |
	    (kturn_addr_tail(al) ^ kturn_addr_tail(bl)) |
	    (kturn_addr_word(al, 0) ^ kturn_addr_word(bl, 0)) |
	    (a->l3mdev ^ b->l3mdev))
		return false;
	return al->family == KTURN_FAMILY_V4 ||
	       !(kturn_rest_differs(ar, br) | kturn_rest_differs(al, bl));
}

/* ------------------------------------------------------------------- tables */

/* rhashtable: 0 for what the key says. */
static __always_inline int kturn_alloc_cmp(struct rhashtable_compare_arg *arg,
					   const void *obj)
{
	const struct kturn_alloc *alloc = obj;

	return !kturn_tuple_equal(arg->key, &alloc->tuple);
}

static __always_inline int kturn_number_cmp(struct rhashtable_compare_arg *arg,
					    const void *obj)
{
	const struct kturn_number_key *key = arg->key;
	const struct kturn_chan *chan = obj;

	return key->number != chan->number_key.number ||
	       !kturn_tuple_equal(&key->tuple, &chan->number_key.tuple);
}

static __always_inline int kturn_peer_cmp(struct rhashtable_compare_arg *arg,
					  const void *obj)
{
	const struct kturn_chan *chan = obj;

	return !kturn_tuple_equal(arg->key, &chan->peer_key);
}

static __always_inline int kturn_relay_cmp(struct rhashtable_compare_arg *arg,
					   const void *obj)
{
	const struct kturn_relay_key *key = arg->key;
	const struct kturn_relay *relay = obj;

	return key->l3mdev != relay->key.l3mdev ||
	       !kturn_addr_equal(&key->relay, &relay->key.relay);
}

static __always_inline int kturn_perm_cmp(struct rhashtable_compare_arg *arg,
					  const void *obj)
{
	const struct kturn_perm_key *key = arg->key;
	const struct kturn_perm *perm = obj;

	return key->alloc_id != perm->key.alloc_id ||
	       !kturn_addr_equal(&key->peer, &perm->key.peer);
}

static const struct rhashtable_params kturn_tuple_params = {
	.head_offset = offsetof(struct kturn_alloc, node),
	.key_offset = offsetof(struct kturn_alloc, tuple),
	.key_len = sizeof_field(struct kturn_alloc, tuple),
	.hashfn = kturn_tuple_hash,
	.obj_cmpfn = kturn_alloc_cmp,
	.automatic_shrinking = true,
};

static const struct rhashtable_params kturn_relay_params = {
	.head_offset = offsetof(struct kturn_relay, node),
	.key_offset = offsetof(struct kturn_relay, key),
	.key_len = sizeof_field(struct kturn_relay, key),
	.hashfn = kturn_addr_hash,
	.obj_cmpfn = kturn_relay_cmp,
	.automatic_shrinking = true,
};

static const struct rhashtable_params kturn_number_params = {
	.head_offset = offsetof(struct kturn_chan, by_number),
	.key_offset = offsetof(struct kturn_chan, number_key),
	.key_len = sizeof_field(struct kturn_chan, number_key),
	.hashfn = kturn_number_hash,
	.obj_cmpfn = kturn_number_cmp,
	.automatic_shrinking = true,
};

static const struct rhashtable_params kturn_peer_params = {
	.head_offset = offsetof(struct kturn_chan, by_peer),
	.key_offset = offsetof(struct kturn_chan, peer_key),
	.key_len = sizeof_field(struct kturn_chan, peer_key),
	.hashfn = kturn_tuple_hash,
	.obj_cmpfn = kturn_peer_cmp,
	.automatic_shrinking = true,
};

static const struct rhashtable_params kturn_perm_params = {
	.head_offset = offsetof(struct kturn_perm, node),
	.key_offset = offsetof(struct kturn_perm, key),
	.key_len = sizeof_field(struct kturn_perm, key),
	.hashfn = kturn_addr_hash,
	.obj_cmpfn = kturn_perm_cmp,
	.automatic_shrinking = true,
};

/* table.c */
void *kturn_lookup_again(struct rhashtable *ht, const void *key);

/*
 * rhashtable_lookup(), but inlined for certain, hash and comparison with it: left
 * to the compiler, it becomes a function that calls them through pointers. What
 * was not found while the table is resized is looked for by the real one.
 */
static __always_inline void *kturn_lookup(struct rhashtable *ht,
					  const void *key,
					  const struct rhashtable_params params)
{
	struct bucket_table *tbl = rht_dereference_rcu(ht->tbl, ht);
	struct rhashtable_compare_arg arg = { .ht = ht, .key = key };
	struct rhash_lock_head __rcu *const *bucket;
	struct rhash_head *head;
	unsigned int hash;

	hash = params.hashfn(key, params.key_len, tbl->hash_rnd);
	hash = rht_bucket_index(tbl, hash);
	bucket = rht_bucket(tbl, hash);
	rht_for_each_rcu_from(head, rht_ptr_rcu(bucket), tbl, hash) {
		void *entry = (void *)head - params.head_offset;

		if (likely(!params.obj_cmpfn(&arg, entry)))
			return entry;
	}
	/* As there: see any new table. */
	smp_rmb();
	if (likely(head == RHT_NULLS_MARKER(bucket) &&
		   !rcu_access_pointer(tbl->future_tbl)))
		return NULL;
	return kturn_lookup_again(ht, key);
}

/** kturn_tuple_lookup() - the allocation of a 5-tuple. Context: RCU. */
static __always_inline struct kturn_alloc *
kturn_tuple_lookup(struct kturn_net *kn, const struct kturn_tuple *tuple)
{
	return kturn_lookup(&kn->tuples, tuple, kturn_tuple_params);
}

/** kturn_relay_lookup() - by relayed address. Context: RCU. */
static __always_inline struct kturn_relay *
kturn_relay_lookup(struct kturn_net *kn, const struct kturn_relay_key *key)
{
	return kturn_lookup(&kn->relays, key, kturn_relay_params);
}

/** kturn_number_lookup() - by 5-tuple and channel number. Context: RCU. */
static __always_inline struct kturn_chan *
kturn_number_lookup(struct kturn_net *kn, const struct kturn_number_key *key)
{
	return kturn_lookup(&kn->numbers, key, kturn_number_params);
}

/** kturn_peer_lookup() - by relayed address and peer. Context: RCU. */
static __always_inline struct kturn_chan *
kturn_peer_lookup(struct kturn_net *kn, const struct kturn_tuple *tuple)
{
	return kturn_lookup(&kn->peers, tuple, kturn_peer_params);
}

/** kturn_perm_lookup() - by allocation and peer address. Context: RCU. */
static __always_inline struct kturn_perm *
kturn_perm_lookup(struct kturn_net *kn, const struct kturn_perm_key *key)
{
	return kturn_lookup(&kn->perms, key, kturn_perm_params);
}

/**
 * kturn_port_known() - can there be an entry for what is sent to this port?
 * @kn: namespace
 * @port: network byte order
 *
 * Most of what is not relayed ends here.
 */
static __always_inline bool kturn_port_known(const struct kturn_net *kn,
					     __be16 port)
{
	return test_bit((__force u16)port, kn->ports);
}

#endif /* _KTURN_TABLE_H */
