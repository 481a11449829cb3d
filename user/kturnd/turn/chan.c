// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Channels (RFC 8656 section 12): a number and a transport address, each
 * bound to at most one of the other within an allocation.
 */
#include <stdlib.h>

#include "turn_internal.h"

static uint64_t number_hash(const struct turn_server *s,
			    const struct turn_alloc *a, uint16_t number)
{
	uint8_t key[sizeof(a->id) + sizeof(number)];

	memcpy(key, &a->id, sizeof(a->id));
	memcpy(key + sizeof(a->id), &number, sizeof(number));
	return turn_siphash(s->hash_key, key, sizeof(key));
}

/* These two find ended ones too. */
static struct turn_chan *find_number(struct turn_server *s,
				     const struct turn_alloc *a,
				     uint16_t number)
{
	struct turn_node *node;
	struct turn_chan *c;

	node = turn_table_first(&s->by_number, number_hash(s, a, number));
	for (; node; node = turn_table_next(node)) {
		c = container_of(node, struct turn_chan, by_number);
		if (c->alloc == a && c->number == number)
			return c;
	}
	return NULL;
}

static struct turn_chan *find_peer(struct turn_server *s,
				   const struct turn_alloc *a,
				   const struct kturn_addr *peer)
{
	struct turn_node *node;
	struct turn_chan *c;

	node = turn_table_first(&s->by_peer, turn_peer_hash(s, a, peer));
	for (; node; node = turn_table_next(node)) {
		c = container_of(node, struct turn_chan, by_peer);
		if (c->alloc == a && turn_addr_equal(&c->peer, peer))
			return c;
	}
	return NULL;
}

static struct turn_chan *live(struct turn_chan *c, uint64_t now)
{
	return c && !turn_timer_over(&c->timer, now) ? c : NULL;
}

struct turn_chan *turn_chan_by_number(struct turn_server *s,
				      const struct turn_alloc *a,
				      uint16_t number, uint64_t now)
{
	return live(find_number(s, a, number), now);
}

struct turn_chan *turn_chan_by_peer(struct turn_server *s,
				    const struct turn_alloc *a,
				    const struct kturn_addr *peer,
				    uint64_t now)
{
	return live(find_peer(s, a, peer), now);
}

void turn_chan_add(struct turn_server *s, struct turn_alloc *a,
		   struct turn_chan *c, uint16_t number,
		   const struct kturn_addr *peer, uint64_t at)
{
	c->alloc = a;
	c->number = number;
	c->peer = *peer;
	turn_table_add(&s->by_number, &c->by_number, number_hash(s, a, number));
	turn_table_add(&s->by_peer, &c->by_peer, turn_peer_hash(s, a, peer));
	turn_timer_add(&s->timers, &c->timer, TURN_TIMER_CHAN, at);
	LIST_INSERT_HEAD(&a->chans, c, entry);
	a->n_chans++;
	s->counters.chans++;
}

void turn_chan_remove(struct turn_server *s, struct turn_chan *c)
{
	LIST_REMOVE(c, entry);
	turn_timer_del(&s->timers, &c->timer);
	turn_table_del(&s->by_peer, &c->by_peer);
	turn_table_del(&s->by_number, &c->by_number);
	c->alloc->n_chans--;
	s->counters.chans--;
	free(c);
}

void turn_chan_end(struct turn_server *s, struct turn_alloc *a, uint16_t number)
{
	struct turn_chan *c = find_number(s, a, number);

	if (c)
		turn_chan_remove(s, c);
}

int turn_adopt_chan(struct turn_server *s, struct turn_alloc *a, uint64_t now,
		    uint16_t number, const struct kturn_addr *peer,
		    uint32_t left_ms)
{
	struct turn_chan *c = find_number(s, a, number);

	/*
	 * The whole range of RFC 5766, whatever is configured now: what was
	 * granted goes on until its end.
	 */
	if (!turn_alloc_half(a, peer->family) || !peer->port ||
	    number < KTURN_CHAN_MIN || number > KTURN_CHAN_MAX_5766)
		return -EINVAL;
	if (c != find_peer(s, a, peer))
		return -EEXIST;
	if (c) {
		turn_timer_move(&s->timers, &c->timer, now + left_ms);
		return 0;
	}
	if (a->n_chans >= TURN_CHANNELS_MAX)
		return -ENOSPC;

	c = malloc(sizeof(*c));
	if (!c || !turn_heap_reserve(&s->timers, 1)) {
		free(c);
		return -ENOMEM;
	}
	turn_chan_add(s, a, c, number, peer, now + left_ms);
	return 0;
}

void turn_alloc_each_chan(const struct turn_alloc *a, uint64_t now,
			  void (*cb)(uint16_t number,
				     const struct kturn_addr *peer,
				     uint32_t left_ms, void *arg), void *arg)
{
	struct turn_chan *c;

	LIST_FOREACH(c, &a->chans, entry)
		if (!turn_timer_over(&c->timer, now))
			cb(c->number, &c->peer, turn_timer_left(&c->timer, now),
			   arg);
}
