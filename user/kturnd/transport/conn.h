/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection of stream.h, from its first byte to its last. */
#ifndef _KTURND_CONN_H
#define _KTURND_CONN_H

#include "stream.h"

/* Read and sent at once. A record of TLS holds 16384. */
#define STREAM_READ		65536
#define STREAM_WRITE		65536
#define STREAM_TLS_WRITE	16384

/* What TLS may read before others have their turn, whatever it is. */
#define STREAM_TLS_READ		32768

/*
 * Without an allocation there is nothing longer to say, and no more answers wait
 * than these before nothing more is read.
 */
#define CONN_FRESH_MAX		4096
#define CONN_FRESH_WAITING	8192

/**
 * conn_start() - serve a connection
 * @c: all zero but @s, @fd, @tuple's addresses and @proxied
 */
void conn_start(struct conn *c);

/** conn_watch() - make its events those of its worker's loop */
void conn_watch(struct conn *c);

/** conn_know() - its 5-tuple is known; in place of an older one's */
void conn_know(struct conn *c);

/** conn_sort() - put it where its allocation, if it has one, says */
void conn_sort(struct conn *c);

/** conn_again() - a request of its that had waited was handled; what came meanwhile
 * comes behind it
 */
void conn_again(struct conn *c);

/** conn_sniff() - what does it begin with? As far as that can be told yet */
void conn_sniff(struct conn *c);

/** conn_handshake() - go on with the handshake of TLS */
void conn_handshake(struct conn *c);

/** conn_read() - take the messages that have come */
void conn_read(struct conn *c);

/** conn_write() - send what waits, as far as the socket takes it */
void conn_write(struct conn *c);

/** conn_pause() - read nothing until conn_read_again() */
void conn_pause(struct conn *c);

/** conn_read_again() - go on, if nothing else is against it */
void conn_read_again(struct conn *c);

/** conn_shutdown() - say that nothing more will be sent; false: not yet, and
 * conn_write() will come to it
 */
bool conn_shutdown(struct conn *c);

/** conn_pass() - when the message that is being handled has been looked at, the
 * connection is to leave, for worker @to, with that message
 */
void conn_pass(struct stream *s, const struct turn_tuple *tuple,
	       struct worker *to);

/** conn_leave() - it is to be passed to @c->next when the round is over */
void conn_leave(struct conn *c);

/** conn_pass_all() - pass those that leave */
void conn_pass_all(struct stream *s);

/** conn_close() - from now on it is dead; @reason for the log: we want it so;
 * NULL: the client has gone
 */
void conn_close(struct conn *c, const char *reason);

/** conn_free() - free a dead one */
void conn_free(struct conn *c);

/** conn_hash() - of a 5-tuple, for @s->by_tuple */
uint64_t conn_hash(const struct stream *s, const struct turn_tuple *tuple);

/** conn_find() - by 5-tuple, or NULL */
struct conn *conn_find(struct stream *s, const struct turn_tuple *tuple);

#endif /* _KTURND_CONN_H */
