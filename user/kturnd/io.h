/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams in batches, for one worker: what recvmmsg() brought stays in its
 * buffers until the answers and what is relayed have left with sendmmsg().
 */
#ifndef _KTURND_IO_H
#define _KTURND_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <kturn/wire.h>

#define IO_BATCH	32

/**
 * struct io_counters - what went wrong
 * @send_errors: datagrams that could not be sent, and not for want of room
 * @send_full: datagrams that the socket had no room for
 */
struct io_counters {
	uint64_t send_errors;
	uint64_t send_full;
};

/**
 * struct io - buffers of a worker
 * @arena: IO_BATCH buffers, each with headroom and tailroom
 * @rx: what recvmmsg() fills
 * @rx_iov: of @rx
 * @rx_name: of @rx
 * @tx: what sendmmsg() takes
 * @tx_iov: of @tx
 * @tx_name: of @tx
 * @tx_n: how many of @tx are waiting
 * @tx_fd: where they go
 * @counters: what went wrong
 */
struct io {
	uint8_t *arena;
	struct mmsghdr rx[IO_BATCH];
	struct iovec rx_iov[IO_BATCH];
	struct sockaddr_storage rx_name[IO_BATCH];
	struct mmsghdr tx[IO_BATCH];
	struct iovec tx_iov[IO_BATCH];
	struct sockaddr_storage tx_name[IO_BATCH];
	unsigned int tx_n;
	int tx_fd;
	struct io_counters counters;
};

/** io_init() - 0 or -ENOMEM */
int io_init(struct io *io);

/** io_free() - free it; what still waits is not sent */
void io_free(struct io *io);

/**
 * io_recv() - receive what is there, at most IO_BATCH datagrams
 * @io: buffers
 * @fd: socket, not blocking
 *
 * What still waits to be sent goes first. Return: how many.
 */
unsigned int io_recv(struct io *io, int fd);

/**
 * io_datagram() - the nth datagram of the last io_recv()
 * @io: buffers
 * @n: below io_recv()'s result
 * @from: canonical source
 * @len: its length
 *
 * Return: its start, with TURN_HEADROOM bytes before and TURN_TAILROOM after
 * the longest possible datagram.
 */
uint8_t *io_datagram(struct io *io, unsigned int n, struct kturn_addr *from,
		     size_t *len);

/**
 * io_send() - send a datagram, later if @buf is one of io_datagram()'s
 * @io: buffers
 * @fd: socket
 * @to: where
 * @buf: it may be anywhere; only what lies in the arena is not sent at once
 * @len: its length
 */
void io_send(struct io *io, int fd, const struct kturn_addr *to,
	     const uint8_t *buf, size_t len);

/** io_flush() - send what waits: before a socket closes or changes */
void io_flush(struct io *io);

#endif /* _KTURND_IO_H */
