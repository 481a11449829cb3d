// SPDX-License-Identifier: GPL-2.0-or-later
/* What waits to be sent on a stream; see queue.h. */
#include <stdlib.h>
#include <string.h>

#include "queue.h"

void queue_init(struct queue *q)
{
	memset(q, 0, sizeof(*q));
	TAILQ_INIT(&q->items);
}

static void drop(struct queue *q, struct queue_item *item)
{
	TAILQ_REMOVE(&q->items, item, entry);
	free(item);
}

void queue_free(struct queue *q)
{
	struct queue_item *item;

	while ((item = TAILQ_FIRST(&q->items)))
		drop(q, item);
	q->sent = 0;
	q->begun = 0;
	q->bytes = 0;
}

/* Drop the oldest data until @len bytes more would not be too many. */
static void make_room(struct queue *q, size_t len)
{
	struct queue_item *item = TAILQ_FIRST(&q->items), *next;
	/* Bytes between what is sent next and the item's first one, and before. */
	size_t at = 0, sent = q->sent;

	for (; item && q->bytes + len > QUEUE_DATA_MAX; item = next) {
		next = TAILQ_NEXT(item, entry);
		if (item->is_data && !sent && at >= q->begun) {
			q->bytes -= item->len;
			q->dropped++;
			drop(q, item);
			continue;
		}
		at += item->len - sent;
		sent = 0;
	}
}

bool queue_add(struct queue *q, const uint8_t *buf, size_t len, bool is_data)
{
	struct queue_item *item;

	make_room(q, len);
	if (is_data && q->bytes + len > QUEUE_DATA_MAX) {
		q->dropped++;
		return true;
	}
	if (q->bytes + len > QUEUE_MAX)
		return false;
	item = malloc(sizeof(*item) + len);
	if (!item) {
		q->dropped += is_data;
		return is_data;
	}
	item->len = len;
	item->is_data = is_data;
	memcpy(item->bytes, buf, len);
	TAILQ_INSERT_TAIL(&q->items, item, entry);
	q->bytes += len;
	return true;
}

size_t queue_gather(struct queue *q, uint8_t *buf, size_t size, bool one)
{
	struct queue_item *item;
	size_t n = 0, part, off = q->sent;

	if (q->begun)
		size = q->begun;
	TAILQ_FOREACH(item, &q->items, entry) {
		part = item->len - off;
		if (part > size - n)
			part = size - n;
		memcpy(buf + n, item->bytes + off, part);
		n += part;
		off = 0;
		if (n == size || one)
			break;
	}
	return n;
}

void queue_begin(struct queue *q, size_t n)
{
	q->begun = n;
}

void queue_sent(struct queue *q, size_t n)
{
	struct queue_item *item;

	q->bytes -= n;
	q->begun = q->begun > n ? q->begun - n : 0;
	n += q->sent;
	while ((item = TAILQ_FIRST(&q->items)) && n >= item->len) {
		n -= item->len;
		drop(q, item);
	}
	q->sent = n;
}
