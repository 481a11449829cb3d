/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams in batches, for one worker: what recvmmsg() brought stays in its
 * buffers until the answers and what is relayed have left with sendmmsg(), those
 * of a socket together, and those of equal length to one address as one (UDP
 * GSO). The order of a socket's datagrams is kept.
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

/* What is made here waits as a copy; no answer is longer (TURN_REPLY_MAX). */
#define IO_COPY		1280

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
 * struct io_waiting - a datagram that waits to be sent
 * @fd: where it goes, -1 once it has gone
 * @iov: its bytes
 * @name: its destination
 * @name_len: bytes of that
 */
struct io_waiting {
	int fd;
	struct iovec iov;
	struct sockaddr_storage name;
	socklen_t name_len;
};

/** struct io_control - says how long the datagrams of a message are */
struct io_control {
	_Alignas(struct cmsghdr) uint8_t buf[CMSG_SPACE(sizeof(uint16_t))];
};

/**
 * struct io - buffers of a worker
 * @arena: IO_BATCH buffers, each with headroom and tailroom
 * @copies: of what waits and is not in the arena, in the place that it has in
 *	@waiting
 * @before: what is to be done before anything is sent, or NULL; false: nothing
 *	of @copies may be sent
 * @before_arg: for that
 * @rx: what recvmmsg() fills
 * @rx_iov: of @rx
 * @rx_name: of @rx
 * @waiting: what is to be sent, in that order
 * @n_waiting: how many
 * @tx: what sendmmsg() takes, each of one datagram or of several (UDP GSO)
 * @tx_iov: of @tx
 * @tx_control: of @tx
 * @no_gso: a device has not taken several datagrams at once
 * @counters: what went wrong
 */
struct io {
	uint8_t *arena;
	uint8_t (*copies)[IO_COPY];
	bool (*before)(void *arg);
	void *before_arg;
	struct mmsghdr rx[IO_BATCH];
	struct iovec rx_iov[IO_BATCH];
	struct sockaddr_storage rx_name[IO_BATCH];
	struct io_waiting waiting[IO_BATCH];
	unsigned int n_waiting;
	struct mmsghdr tx[IO_BATCH];
	struct iovec tx_iov[IO_BATCH];
	struct io_control tx_control[IO_BATCH];
	bool no_gso;
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
 * io_send() - send a datagram with the next io_flush(), or before
 * @io: buffers
 * @fd: socket
 * @to: where
 * @buf: one of io_datagram()'s, to be left as it is until then, or any other
 * @len: its length
 */
void io_send(struct io *io, int fd, const struct kturn_addr *to,
	     const uint8_t *buf, size_t len);

/** io_flush() - send what waits: before a socket closes or changes */
void io_flush(struct io *io);

#endif /* _KTURND_IO_H */
