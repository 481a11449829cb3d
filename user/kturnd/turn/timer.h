/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ends when: a binary heap of absolute times, the next one on top.
 *
 * A timer is a member of what ends. Setting and moving one costs log n;
 * looking whether something is due costs nothing.
 */
#ifndef _KTURND_TURN_TIMER_H
#define _KTURND_TURN_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** enum turn_timer_kind - what a timer is a member of */
enum turn_timer_kind {
	TURN_TIMER_HALF,
	TURN_TIMER_PERM,
	TURN_TIMER_CHAN,
	TURN_TIMER_CONNECTION,
};

/**
 * struct turn_timer - when something ends
 * @at: milliseconds of the caller's clock; from then on it is over
 * @pos: where it is in the heap
 * @kind: what contains it
 */
struct turn_timer {
	uint64_t at;
	size_t pos;
	enum turn_timer_kind kind;
};

/** struct turn_heap - all timers of a server */
struct turn_heap {
	struct turn_timer **v;
	size_t n;
	size_t room;
};

/** turn_heap_destroy() - free the heap; the timers are the caller's */
void turn_heap_destroy(struct turn_heap *h);

/**
 * turn_heap_reserve() - see to it that the next timers can be added
 * @h: heap
 * @extra: how many
 *
 * Return: false without memory.
 */
bool turn_heap_reserve(struct turn_heap *h, size_t extra);

/**
 * turn_timer_add() - start a timer
 * @h: heap, with room made by turn_heap_reserve()
 * @t: not in it
 * @kind: what contains it
 * @at: when it ends
 */
void turn_timer_add(struct turn_heap *h, struct turn_timer *t,
		    enum turn_timer_kind kind, uint64_t at);

/** turn_timer_move() - let a running timer end at @at instead */
void turn_timer_move(struct turn_heap *h, struct turn_timer *t, uint64_t at);

/** turn_timer_del() - stop a running timer */
void turn_timer_del(struct turn_heap *h, struct turn_timer *t);

/** turn_timer_over() - has it ended at @now? */
static inline bool turn_timer_over(const struct turn_timer *t, uint64_t now)
{
	return now >= t->at;
}

/** turn_timer_left() - milliseconds left at @now, 0 when it has ended */
static inline uint32_t turn_timer_left(const struct turn_timer *t, uint64_t now)
{
	if (turn_timer_over(t, now))
		return 0;
	return t->at - now < UINT32_MAX ? t->at - now : UINT32_MAX;
}

/** turn_heap_top() - the timer that ends next, or NULL */
static inline struct turn_timer *turn_heap_top(const struct turn_heap *h)
{
	return h->n ? h->v[0] : NULL;
}

#endif /* _KTURND_TURN_TIMER_H */
