// SPDX-License-Identifier: GPL-2.0
/*
 * The five hash tables. Look-ups run under RCU and see expired entries;
 * inserting and removing needs kturn_net.lock.
 */
#include "kturn.h"

static const struct rhashtable_params kturn_tuple_params = {
	.head_offset = offsetof(struct kturn_alloc, node),
	.key_offset = offsetof(struct kturn_alloc, tuple),
	.key_len = sizeof_field(struct kturn_alloc, tuple),
	.automatic_shrinking = true,
};

static const struct rhashtable_params kturn_relay_params = {
	.head_offset = offsetof(struct kturn_relay, node),
	.key_offset = offsetof(struct kturn_relay, key),
	.key_len = sizeof_field(struct kturn_relay, key),
	.automatic_shrinking = true,
};

static const struct rhashtable_params kturn_number_params = {
	.head_offset = offsetof(struct kturn_chan, by_number),
	.key_offset = offsetof(struct kturn_chan, number_key),
	.key_len = sizeof_field(struct kturn_chan, number_key),
	.automatic_shrinking = true,
};

static const struct rhashtable_params kturn_peer_params = {
	.head_offset = offsetof(struct kturn_chan, by_peer),
	.key_offset = offsetof(struct kturn_chan, peer_key),
	.key_len = sizeof_field(struct kturn_chan, peer_key),
	.automatic_shrinking = true,
};

static const struct rhashtable_params kturn_perm_params = {
	.head_offset = offsetof(struct kturn_perm, node),
	.key_offset = offsetof(struct kturn_perm, key),
	.key_len = sizeof_field(struct kturn_perm, key),
	.automatic_shrinking = true,
};

/* Keys are compared byte by byte. */
static_assert(sizeof(struct kturn_addr) == 20);
static_assert(sizeof(struct kturn_tuple) == 44);
static_assert(sizeof(struct kturn_number_key) == 48);
static_assert(sizeof(struct kturn_relay_key) == 24);
static_assert(sizeof(struct kturn_peer_key) == 44);
static_assert(sizeof(struct kturn_perm_key) == 24);

/**
 * kturn_tables_init() - make the tables of a namespace
 * @kn: namespace
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kturn_tables_init(struct kturn_net *kn)
{
	int err;

	err = rhashtable_init(&kn->tuples, &kturn_tuple_params);
	if (err)
		return err;
	err = rhashtable_init(&kn->relays, &kturn_relay_params);
	if (err)
		goto err_tuples;
	err = rhashtable_init(&kn->numbers, &kturn_number_params);
	if (err)
		goto err_relays;
	err = rhashtable_init(&kn->peers, &kturn_peer_params);
	if (err)
		goto err_numbers;
	err = rhashtable_init(&kn->perms, &kturn_perm_params);
	if (err)
		goto err_peers;
	return 0;

err_peers:
	rhashtable_destroy(&kn->peers);
err_numbers:
	rhashtable_destroy(&kn->numbers);
err_relays:
	rhashtable_destroy(&kn->relays);
err_tuples:
	rhashtable_destroy(&kn->tuples);
	return err;
}

/**
 * kturn_tables_exit() - free the tables, which must be empty
 * @kn: namespace
 *
 * Context: may sleep; no hook runs any more.
 */
void kturn_tables_exit(struct kturn_net *kn)
{
	rhashtable_destroy(&kn->perms);
	rhashtable_destroy(&kn->peers);
	rhashtable_destroy(&kn->numbers);
	rhashtable_destroy(&kn->relays);
	rhashtable_destroy(&kn->tuples);
}

/** kturn_tuple_lookup() - the allocation of a 5-tuple. Context: RCU. */
struct kturn_alloc *kturn_tuple_lookup(struct kturn_net *kn,
				       const struct kturn_tuple *tuple)
{
	return rhashtable_lookup(&kn->tuples, tuple, kturn_tuple_params);
}

/** kturn_relay_lookup() - by relayed address. Context: RCU. */
struct kturn_relay *kturn_relay_lookup(struct kturn_net *kn,
				       const struct kturn_relay_key *key)
{
	return rhashtable_lookup(&kn->relays, key, kturn_relay_params);
}

/** kturn_number_lookup() - by 5-tuple and channel number. Context: RCU. */
struct kturn_chan *kturn_number_lookup(struct kturn_net *kn,
				       const struct kturn_number_key *key)
{
	return rhashtable_lookup(&kn->numbers, key, kturn_number_params);
}

/** kturn_peer_lookup() - by relayed address and peer. Context: RCU. */
struct kturn_chan *kturn_peer_lookup(struct kturn_net *kn,
				     const struct kturn_peer_key *key)
{
	return rhashtable_lookup(&kn->peers, key, kturn_peer_params);
}

/** kturn_perm_lookup() - by allocation and peer address. Context: RCU. */
struct kturn_perm *kturn_perm_lookup(struct kturn_net *kn,
				     const struct kturn_perm_key *key)
{
	return rhashtable_lookup(&kn->perms, key, kturn_perm_params);
}

/** kturn_tuple_insert() - 0, -EEXIST, or -ENOMEM and its like */
int kturn_tuple_insert(struct kturn_net *kn, struct kturn_alloc *alloc)
{
	lockdep_assert_held(&kn->lock);
	return rhashtable_lookup_insert_fast(&kn->tuples, &alloc->node,
					     kturn_tuple_params);
}

/** kturn_relay_insert() - 0, -EEXIST, or -ENOMEM and its like */
int kturn_relay_insert(struct kturn_net *kn, struct kturn_relay *relay)
{
	lockdep_assert_held(&kn->lock);
	return rhashtable_lookup_insert_fast(&kn->relays, &relay->node,
					     kturn_relay_params);
}

/** kturn_number_insert() - 0, -EEXIST, or -ENOMEM and its like */
int kturn_number_insert(struct kturn_net *kn, struct kturn_chan *chan)
{
	lockdep_assert_held(&kn->lock);
	return rhashtable_lookup_insert_fast(&kn->numbers, &chan->by_number,
					     kturn_number_params);
}

/** kturn_peer_insert() - 0, -EEXIST, or -ENOMEM and its like */
int kturn_peer_insert(struct kturn_net *kn, struct kturn_chan *chan)
{
	lockdep_assert_held(&kn->lock);
	return rhashtable_lookup_insert_fast(&kn->peers, &chan->by_peer,
					     kturn_peer_params);
}

/** kturn_perm_insert() - 0, -EEXIST, or -ENOMEM and its like */
int kturn_perm_insert(struct kturn_net *kn, struct kturn_perm *perm)
{
	lockdep_assert_held(&kn->lock);
	return rhashtable_lookup_insert_fast(&kn->perms, &perm->node,
					     kturn_perm_params);
}

/** kturn_tuple_remove() - readers may see it until a grace period is over */
void kturn_tuple_remove(struct kturn_net *kn, struct kturn_alloc *alloc)
{
	lockdep_assert_held(&kn->lock);
	rhashtable_remove_fast(&kn->tuples, &alloc->node, kturn_tuple_params);
}

/** kturn_relay_remove() - readers may see it until a grace period is over */
void kturn_relay_remove(struct kturn_net *kn, struct kturn_relay *relay)
{
	lockdep_assert_held(&kn->lock);
	rhashtable_remove_fast(&kn->relays, &relay->node, kturn_relay_params);
}

/** kturn_number_remove() - readers may see it until a grace period is over */
void kturn_number_remove(struct kturn_net *kn, struct kturn_chan *chan)
{
	lockdep_assert_held(&kn->lock);
	rhashtable_remove_fast(&kn->numbers, &chan->by_number,
			       kturn_number_params);
}

/** kturn_peer_remove() - readers may see it until a grace period is over */
void kturn_peer_remove(struct kturn_net *kn, struct kturn_chan *chan)
{
	lockdep_assert_held(&kn->lock);
	rhashtable_remove_fast(&kn->peers, &chan->by_peer, kturn_peer_params);
}

/** kturn_perm_remove() - readers may see it until a grace period is over */
void kturn_perm_remove(struct kturn_net *kn, struct kturn_perm *perm)
{
	lockdep_assert_held(&kn->lock);
	rhashtable_remove_fast(&kn->perms, &perm->node, kturn_perm_params);
}
