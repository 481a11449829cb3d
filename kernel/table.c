// SPDX-License-Identifier: GPL-2.0
/*
 * The five hash tables: making them, inserting, removing. Look-ups are in
 * table.h.
 */
#include <linux/bitmap.h>
#include <linux/random.h>

#include "table.h"

u64 kturn_hash_keys[KTURN_HASH_KEYS] __ro_after_init;

/** kturn_tables_setup() - for all namespaces. Context: module init. */
void __init kturn_tables_setup(void)
{
	get_random_bytes(kturn_hash_keys, sizeof(kturn_hash_keys));
}

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

	kn->ports = bitmap_zalloc(KTURN_PORTS, GFP_KERNEL_ACCOUNT);
	if (!kn->ports)
		return -ENOMEM;
	err = rhashtable_init(&kn->tuples, &kturn_tuple_params);
	if (err)
		goto err_ports;
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
err_ports:
	bitmap_free(kn->ports);
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
	bitmap_free(kn->ports);
}

/**
 * kturn_lookup_again() - look something up in a table that is being resized
 * @ht: table
 * @key: what its hash function takes
 *
 * Context: RCU.
 * Return: entry, or NULL.
 */
void *kturn_lookup_again(struct rhashtable *ht, const void *key)
{
	return rhashtable_lookup(ht, key, ht->p);
}

/* Before the entry is there: whoever looks for it looks here first. */
static void kturn_port_note(struct kturn_net *kn, __be16 port)
{
	set_bit((__force u16)port, kn->ports);
}

/**
 * kturn_ports_forget() - no port has entries any more
 * @kn: namespace
 *
 * That of an entry that goes stays known, because others may have it too, and
 * is known in vain until this is called.
 *
 * Context: kturn_net.lock; no entry is there.
 */
void kturn_ports_forget(struct kturn_net *kn)
{
	lockdep_assert_held(&kn->lock);
	bitmap_zero(kn->ports, KTURN_PORTS);
}

/** kturn_tuple_insert() - 0, -EEXIST, or -ENOMEM and its like */
int kturn_tuple_insert(struct kturn_net *kn, struct kturn_alloc *alloc)
{
	lockdep_assert_held(&kn->lock);
	kturn_port_note(kn, alloc->tuple.local.port);
	return rhashtable_lookup_insert_fast(&kn->tuples, &alloc->node,
					     kturn_tuple_params);
}

/** kturn_relay_insert() - 0, -EEXIST, or -ENOMEM and its like */
int kturn_relay_insert(struct kturn_net *kn, struct kturn_relay *relay)
{
	lockdep_assert_held(&kn->lock);
	kturn_port_note(kn, relay->key.relay.port);
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
