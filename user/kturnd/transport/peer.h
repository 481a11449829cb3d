/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections to peers, for allocations that relay TCP (RFC 6062):
 *
 *	client <- struct conn -> worker <- struct peer_conn -> peer
 *
 * Until a connection is bound to one of the client's nothing is read from it, so
 * what the peer sends waits in the socket, whose window says how much that can be.
 * From then on bytes are relayed. What one end does not take at once waits here,
 * at most what was read at one time, and no more is read from the other end
 * meanwhile.
 *
 * When one end has sent all that it has to, the other is told so after the last
 * byte. It can still send, which is what a client needs that says "that is all"
 * and waits for an answer; but when nothing is relayed for PEER_HALF_MS, both are
 * closed. So they are when a peer takes nothing for PEER_STALL_MS of what waits
 * for it: meanwhile nobody would see its client go.
 */
#ifndef _KTURND_PEER_H
#define _KTURND_PEER_H

#include "stream.h"

struct relay_sock;

#define PEER_HALF_MS	30000
#define PEER_STALL_MS	30000

/** peer_connect() - as turn_ops.connect */
int peer_connect(struct stream *s, const struct kturn_addr *from,
		 const struct kturn_addr *to, struct turn_connection *tc,
		 void **handle);

/**
 * peer_accept() - take a connection from a peer
 * @s: connections
 * @fd: socket, which is taken over
 * @from: canonical address of the peer
 * @alloc: allocation whose relayed address it came to
 */
void peer_accept(struct stream *s, int fd, const struct kturn_addr *from,
		 struct turn_alloc *alloc);

/** peer_listen() - take the connections that come to a relayed address, from now
 * on
 */
void peer_listen(struct relay_sock *rs);

/** peer_join() - as turn_ops.connection_join */
void peer_join(struct peer_conn *pc, const struct turn_tuple *client);

/** peer_close() - as turn_ops.connection_close */
void peer_close(struct peer_conn *pc);

/** peer_free_dead() - the end of a round: free those that were closed */
void peer_free_dead(struct stream *s);

/* ------------------------------- of the client's connection, which is bound */

/** peer_overdue() - why both have to be closed at @now, or NULL */
const char *peer_overdue(const struct peer_conn *pc, uint64_t now);

/** peer_room() - how many bytes of the client's may be read now; 0: none, and
 * conn_read_again() tells when
 */
size_t peer_room(struct peer_conn *pc);

/** peer_is_full() - is nothing to be read from the client? */
bool peer_is_full(const struct peer_conn *pc);

/** peer_take() - relay what the client has sent */
void peer_take(struct peer_conn *pc, const uint8_t *buf, size_t len);

/** peer_client_drained() - all that waited has been sent to the client */
void peer_client_drained(struct peer_conn *pc);

/** peer_client_ended() - the client sends nothing any more */
void peer_client_ended(struct peer_conn *pc);

/** peer_client_gone() - the client's connection is dead */
void peer_client_gone(struct peer_conn *pc);

#endif /* _KTURND_PEER_H */
