// SPDX-License-Identifier: GPL-2.0
/* Channels (RFC 8656 section 12). */
#include <linux/netlink.h>
#include <linux/slab.h>

#include "table.h"

/* Of their own size, which is between those of kmalloc(). */
static struct kmem_cache *kturn_chan_cache __ro_after_init;

/** kturn_chan_init() - channels can be made from now on; 0 or -ENOMEM */
int __init kturn_chan_init(void)
{
	kturn_chan_cache = KMEM_CACHE(kturn_chan, SLAB_HWCACHE_ALIGN);
	return kturn_chan_cache ? 0 : -ENOMEM;
}

/** kturn_chan_exit() - all channels have been freed */
void kturn_chan_exit(void)
{
	kmem_cache_destroy(kturn_chan_cache);
}

static void kturn_chan_free_rcu(struct rcu_head *head)
{
	struct kturn_chan *chan = container_of(head, struct kturn_chan, rcu);

	kturn_route_flush(&chan->route);
	kmem_cache_free(kturn_chan_cache, chan);
}

/* Alive or not. The lock keeps the result from being freed. */
static struct kturn_chan *kturn_chan_find_any(struct kturn_net *kn,
					      struct kturn_alloc *alloc,
					      u16 number)
{
	struct kturn_number_key key = {
		.tuple = alloc->tuple,
		.number = number,
	};
	struct kturn_chan *chan;

	lockdep_assert_held(&kn->lock);
	rcu_read_lock();
	chan = kturn_number_lookup(kn, &key);
	rcu_read_unlock();
	return chan;
}

static struct kturn_chan *kturn_chan_find_peer(struct kturn_net *kn,
					       const struct kturn_tuple *key)
{
	struct kturn_chan *chan;

	lockdep_assert_held(&kn->lock);
	rcu_read_lock();
	chan = kturn_peer_lookup(kn, key);
	rcu_read_unlock();
	return chan;
}

/**
 * kturn_chan_find() - a channel that has not expired
 * @kn: namespace
 * @alloc: allocation
 * @number: channel number
 *
 * Context: kturn_net.lock.
 * Return: NULL if there is none.
 */
struct kturn_chan *kturn_chan_find(struct kturn_net *kn,
				   struct kturn_alloc *alloc, u16 number)
{
	struct kturn_chan *chan = kturn_chan_find_any(kn, alloc, number);

	if (!chan || !kturn_alive(&chan->expires, kturn_now()))
		return NULL;
	return chan;
}

/* What has expired but is not freed yet must not stand in the way. */
static struct kturn_chan *kturn_chan_make_way(struct kturn_net *kn,
					      struct kturn_chan *chan)
{
	if (!chan || kturn_alive(&chan->expires, kturn_now()))
		return chan;
	kturn_notify_chan(kn, chan, KTURN_GONE_REASON_EXPIRED);
	kturn_chan_destroy(kn, chan);
	return NULL;
}

static int kturn_chan_create(struct kturn_net *kn, struct kturn_alloc *alloc,
			     u16 number, const struct kturn_tuple *peer_key,
			     u64 expires, struct netlink_ext_ack *extack)
{
	struct kturn_chan *chan;
	int err;

	lockdep_assert_held(&kn->lock);
	if (kn->n_chans >= kn->limits.chans) {
		NL_SET_ERR_MSG(extack,
			       "the namespace's limit of channels is reached");
		return -ENOSPC;
	}
	chan = kmem_cache_zalloc(kturn_chan_cache, GFP_KERNEL_ACCOUNT);
	if (!chan) {
		NL_SET_ERR_MSG(extack, "no memory for the channel");
		return -ENOMEM;
	}
	chan->number_key.tuple = alloc->tuple;
	chan->number_key.number = number;
	chan->peer_key = *peer_key;
	chan->alloc = alloc;
	chan->expires = expires;
	chan->perm = kturn_perm_get(kn, alloc, &peer_key->remote, extack);
	if (IS_ERR(chan->perm)) {
		err = PTR_ERR(chan->perm);
		kmem_cache_free(kturn_chan_cache, chan);
		return err;
	}

	err = kturn_number_insert(kn, chan);
	if (err)
		goto err_perm;
	err = kturn_peer_insert(kn, chan);
	if (err)
		goto err_number;
	kturn_gc_watch(kn, alloc, expires);
	list_add_tail(&chan->link, &alloc->chans);
	alloc->n_chans++;
	kn->n_chans++;
	kn->gen++;
	return 0;

err_number:
	kturn_number_remove(kn, chan);
err_perm:
	NL_SET_ERR_MSG(extack, "no memory for the channel");
	kturn_perm_put(kn, chan->perm);
	/* A hook may have seen it for a moment. */
	call_rcu(&chan->rcu, kturn_chan_free_rcu);
	return err;
}

/**
 * kturn_chan_bind() - bind or refresh a channel
 * @kn: namespace
 * @alloc: allocation
 * @number: 0x4000 to 0x7fff
 * @peer: checked transport address of a family that @alloc relays
 * @lifetime_ms: at least 1
 * @extack: for the refusal
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0; -EEXIST: the number has another peer or the peer another number
 * (RFC 8656 section 12.2); -EINVAL: no relayed address of that family;
 * -ENOSPC; -ENOMEM and its like.
 */
int kturn_chan_bind(struct kturn_net *kn, struct kturn_alloc *alloc,
		    u16 number, const struct kturn_addr *peer, u32 lifetime_ms,
		    struct netlink_ext_ack *extack)
{
	struct kturn_relay *relay = kturn_alloc_relay(alloc, peer->family);
	u64 expires = kturn_deadline(lifetime_ms);
	struct kturn_tuple peer_key = {};
	struct kturn_chan *chan;

	lockdep_assert_held(&kn->lock);
	if (!relay) {
		NL_SET_ERR_MSG(extack,
			       "allocation has no relayed address of the peer's family");
		return -EINVAL;
	}
	peer_key.local = relay->key.relay;
	peer_key.remote = *peer;
	peer_key.l3mdev = relay->key.l3mdev;

	chan = kturn_chan_make_way(kn, kturn_chan_find_any(kn, alloc, number));
	if (chan) {
		if (memcmp(&chan->peer_key.remote, peer, sizeof(*peer))) {
			NL_SET_ERR_MSG(extack,
				       "channel number is bound to another peer");
			return -EEXIST;
		}
		WRITE_ONCE(chan->expires, expires);
		kturn_gc_watch(kn, alloc, expires);
		return 0;
	}
	if (kturn_chan_make_way(kn, kturn_chan_find_peer(kn, &peer_key))) {
		NL_SET_ERR_MSG(extack, "peer is bound to another channel number");
		return -EEXIST;
	}
	return kturn_chan_create(kn, alloc, number, &peer_key, expires, extack);
}

/**
 * kturn_chan_destroy() - unbind a channel
 * @kn: namespace
 * @chan: freed after a grace period
 *
 * Context: kturn_net.lock.
 */
void kturn_chan_destroy(struct kturn_net *kn, struct kturn_chan *chan)
{
	lockdep_assert_held(&kn->lock);
	WRITE_ONCE(chan->expires, 0);
	kturn_number_remove(kn, chan);
	kturn_peer_remove(kn, chan);
	list_del(&chan->link);
	kturn_perm_put(kn, chan->perm);
	chan->alloc->n_chans--;
	kn->n_chans--;
	kn->gen++;
	call_rcu(&chan->rcu, kturn_chan_free_rcu);
}
