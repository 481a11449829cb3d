/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients that come by TCP, and by TLS over it (RFC 8656 section 3.1): a worker's
 * connections. A connection stays with the worker that accepted it, but for one
 * that is to be bound to a peer's (RFC 6062), which goes to the worker that has the
 * peer's. It is served by its worker's loop; whatever it can't take at once waits in a queue or
 * is dropped, so that nothing here blocks. What a connection has to say for itself
 * is limited in time and in bytes, until it has an allocation.
 */
#ifndef _KTURND_STREAM_H
#define _KTURND_STREAM_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "queue.h"
#include "table.h"
#include "tls.h"
#include "kturnd/turn/turn.h"

struct worker;
struct stream;
struct peer_conn;

/** enum conn_state - how far a connection is */
enum conn_state {
	CONN_SNIFF,		/* what it begins with is not known */
	CONN_HANDSHAKE,		/* of TLS */
	CONN_OPEN,		/* messages come and go */
	CONN_LEAVING,		/* another worker's when the round is over */
	CONN_DEAD,		/* freed when the round is over */
};

/**
 * struct conn - a connection
 * @s: its worker's; NULL on its way to another
 * @entry: of @s->fresh, @s->settled, @s->leaving or @s->dead
 * @dirty: of @s->dirty
 * @node: by 5-tuple, once that is known
 * @state: how far it is
 * @fd: socket, not blocking
 * @read: the socket has something to read; always waited for, unless @paused
 * @write: the socket has room; waited for if something waits
 * @tls: TLS, if it is
 * @tuple: 5-tuple
 * @peer: what comes by it goes there and the reverse, if it is bound
 * @next: worker that it is to be passed to, or NULL
 * @out: what waits to be sent
 * @partial: what came of a message that has not ended; while @paused of several
 * @partial_len: bytes of that; 0: none
 * @partial_ms: since when it has not ended
 * @seen_ms: when its last message ended; before the first, when it was accepted
 * @budget: bytes that TLS may still read in this round
 * @peeked: bytes that were there when a PROXY header lacked some
 * @progress_ms: when it took something last, if something waits
 * @ready: a message has come
 * @proxied: begins with a header of the PROXY protocol
 * @known: @node is in the table
 * @settled: it had an allocation when that was looked at last, or is bound
 * @is_dirty: @dirty is in the list
 * @blocked: nothing is read, because TLS has something to send first
 * @wants_read: TLS has to read before it can send what is begun
 * @paused: nothing is read, because it does not read either
 */
struct conn {
	struct stream *s;
	TAILQ_ENTRY(conn) entry;
	LIST_ENTRY(conn) dirty;
	struct turn_node node;
	enum conn_state state;
	int fd;
	struct event read;
	struct event write;
	struct tls_session tls;
	struct turn_tuple tuple;
	struct peer_conn *peer;
	struct worker *next;
	struct queue out;
	uint8_t *partial;
	size_t partial_len;
	uint64_t partial_ms;
	uint64_t seen_ms;
	uint64_t progress_ms;
	size_t budget;
	size_t peeked;
	bool ready;
	bool proxied;
	bool known;
	bool settled;
	bool is_dirty;
	bool blocked;
	bool wants_read;
	bool paused;
};

TAILQ_HEAD(conn_tailq, conn);
LIST_HEAD(conn_list, conn);
LIST_HEAD(peer_conn_list, peer_conn);

/**
 * struct stream_counters - of a worker
 * @now: connections
 * @accepted: since the start
 * @refused: closed at once or before their time, for want of room
 * @closed: by us, because they broke a rule or were too slow
 * @tls_failed: TLS handshakes that failed
 * @dropped: messages of data that a client was too slow for
 */
struct stream_counters {
	uint64_t now;
	uint64_t accepted;
	uint64_t refused;
	uint64_t closed;
	uint64_t tls_failed;
	uint64_t dropped;
};

/**
 * struct stream - the connections of a worker
 * @w: worker
 * @hash_key: of @by_tuple
 * @by_tuple: those whose 5-tuple is known
 * @fresh: without an allocation, those that came first at the start
 * @settled: with one
 * @leaving: to be passed to other workers
 * @dead: to be freed
 * @dead_peers: peers' connections, likewise
 * @dirty: with something to send
 * @tick: looks after what takes too long, while there are any
 * @resting: nothing is accepted until the next tick
 * @in: what is being read; FRAME_MAX and STREAM_READ bytes
 * @out: what is being sent; STREAM_WRITE bytes
 * @counters: what happened
 */
struct stream {
	struct worker *w;
	uint8_t hash_key[TURN_SIPHASH_KEY_LEN];
	struct turn_table by_tuple;
	struct conn_tailq fresh;
	struct conn_tailq settled;
	struct conn_tailq leaving;
	struct conn_tailq dead;
	struct peer_conn_list dead_peers;
	struct conn_list dirty;
	struct event tick;
	bool resting;
	uint8_t *in;
	uint8_t *out;
	struct stream_counters counters;
};

/** stream_init() - no connections; 0 or -ENOMEM */
int stream_init(struct stream *s, struct worker *w);

/** stream_free() - close all of them; also of what could not be made */
void stream_free(struct stream *s);

/**
 * stream_accept() - take what waits at a listening socket
 * @s: connections
 * @fd: socket
 * @listen: where it is bound
 */
void stream_accept(struct stream *s, int fd, const struct kturn_addr *listen);

/** stream_set_tick() - look after the connections within a second */
void stream_set_tick(struct stream *s);

/** stream_send() - send a message with the next stream_flush(); if there is no
 * such connection any more it is forgotten
 */
void stream_send(struct stream *s, const struct turn_tuple *to,
		 const uint8_t *buf, size_t len);

/** stream_again() - a request of the client's at @tuple that had waited was
 * handled: it may have an allocation now, or a connection to a peer
 */
void stream_again(struct stream *s, const struct turn_tuple *tuple);

/** stream_flush() - the end of a round: send what waits, forget who has gone */
void stream_flush(struct stream *s);

#endif /* _KTURND_STREAM_H */
