// SPDX-License-Identifier: GPL-2.0-or-later
/* The heap of timers; see timer.h. */
#include <stdlib.h>

#include "timer.h"

#define ROOM_MIN	64

void turn_heap_destroy(struct turn_heap *h)
{
	free(h->v);
	*h = (struct turn_heap){ 0 };
}

bool turn_heap_reserve(struct turn_heap *h, size_t extra)
{
	size_t room = h->room ? h->room : ROOM_MIN;
	struct turn_timer **v;

	while (room < h->n + extra)
		room *= 2;
	if (room == h->room)
		return true;

	v = realloc(h->v, room * sizeof(*v));
	if (!v)
		return false;
	h->v = v;
	h->room = room;
	return true;
}

static void place(struct turn_heap *h, struct turn_timer *t, size_t pos)
{
	h->v[pos] = t;
	t->pos = pos;
}

/* Towards the top, past all that end later. */
static void sift_up(struct turn_heap *h, struct turn_timer *t)
{
	size_t pos = t->pos, parent;

	for (; pos; pos = parent) {
		parent = (pos - 1) / 2;
		if (h->v[parent]->at <= t->at)
			break;
		place(h, h->v[parent], pos);
	}
	place(h, t, pos);
}

/* Away from the top, past all that end sooner. */
static void sift_down(struct turn_heap *h, struct turn_timer *t)
{
	size_t pos = t->pos, child;

	for (; (child = 2 * pos + 1) < h->n; pos = child) {
		if (child + 1 < h->n && h->v[child + 1]->at < h->v[child]->at)
			child++;
		if (t->at <= h->v[child]->at)
			break;
		place(h, h->v[child], pos);
	}
	place(h, t, pos);
}

void turn_timer_add(struct turn_heap *h, struct turn_timer *t,
		    enum turn_timer_kind kind, uint64_t at)
{
	t->kind = kind;
	t->at = at;
	t->pos = h->n++;
	sift_up(h, t);
}

void turn_timer_move(struct turn_heap *h, struct turn_timer *t, uint64_t at)
{
	t->at = at;
	sift_up(h, t);
	sift_down(h, t);
}

void turn_timer_del(struct turn_heap *h, struct turn_timer *t)
{
	struct turn_timer *last = h->v[--h->n];

	if (last == t)
		return;
	place(h, last, t->pos);
	sift_up(h, last);
	sift_down(h, last);
}
