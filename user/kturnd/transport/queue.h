/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What waits to be sent on a stream: whole messages, the oldest first. When there
 * is no more room, data gives way, the oldest first: what is late is of no use.
 * Answers stay. What has been begun is finished, or the stream would break.
 */
#ifndef _KTURND_QUEUE_H
#define _KTURND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* Bytes of data that may wait: half a second of 2 Mbit/s. */
#define QUEUE_DATA_MAX		131072

/* And of all, beyond which a client that does not read is given up. */
#define QUEUE_MAX		(2 * QUEUE_DATA_MAX)

/**
 * struct queue_item - a message
 * @entry: of the queue
 * @len: its bytes
 * @is_data: may be dropped
 * @bytes: the message
 */
struct queue_item {
	TAILQ_ENTRY(queue_item) entry;
	size_t len;
	bool is_data;
	uint8_t bytes[];
};

/**
 * struct queue - messages
 * @items: in the order in which they are sent
 * @sent: bytes of the first one that were sent
 * @begun: bytes from there on that have to be sent as they are
 * @bytes: of all that is not sent
 * @dropped: messages of data that gave way
 */
struct queue {
	TAILQ_HEAD(queue_items, queue_item) items;
	size_t sent;
	size_t begun;
	size_t bytes;
	uint64_t dropped;
};

/** queue_init() - an empty one */
void queue_init(struct queue *q);

/** queue_free() - drop everything */
void queue_free(struct queue *q);

/**
 * queue_add() - add a message
 * @q: queue
 * @buf: message, copied
 * @len: its bytes
 * @is_data: it may be dropped, now or later
 *
 * Return: false if there is no memory or no room, for an answer; data that is
 * dropped is only counted.
 */
bool queue_add(struct queue *q, const uint8_t *buf, size_t len, bool is_data);

/**
 * queue_gather() - copy what is next to be sent
 * @q: queue
 * @buf: result
 * @size: room; at least @q->begun
 * @one: nothing of the message after the next
 *
 * The same bytes again while some of them are begun.
 *
 * Return: how many; 0 if there is nothing.
 */
size_t queue_gather(struct queue *q, uint8_t *buf, size_t size, bool one);

/** queue_begin() - these bytes of queue_gather()'s have to be sent as they are */
void queue_begin(struct queue *q, size_t n);

/** queue_sent() - these bytes of queue_gather()'s were sent */
void queue_sent(struct queue *q, size_t n);

/** queue_empty() - nothing waits */
static inline bool queue_empty(const struct queue *q)
{
	return !q->bytes;
}

#endif /* _KTURND_QUEUE_H */
