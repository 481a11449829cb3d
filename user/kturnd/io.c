// SPDX-License-Identifier: GPL-2.0-or-later
/* Datagrams in batches; see io.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "io.h"
#include "log.h"
#include "turn/turn.h"

/* No UDP datagram is longer; jumbograms don't reach sockets like ours. */
#define DATAGRAM_MAX	65535

/* Interruptions and errors of other datagrams, before giving up. */
#define ERRORS_MAX	16

/* Each on its own cache lines. */
#define STRIDE	((TURN_HEADROOM + DATAGRAM_MAX + TURN_TAILROOM + 63) & ~63ul)

int io_init(struct io *io)
{
	unsigned int i;

	memset(io, 0, sizeof(*io));
	io->tx_fd = -1;
	io->arena = malloc(IO_BATCH * STRIDE);
	if (!io->arena)
		return -ENOMEM;
	for (i = 0; i < IO_BATCH; i++) {
		io->rx_iov[i].iov_base = io->arena + i * STRIDE +
			TURN_HEADROOM;
		io->rx_iov[i].iov_len = DATAGRAM_MAX;
		io->rx[i].msg_hdr.msg_iov = &io->rx_iov[i];
		io->rx[i].msg_hdr.msg_iovlen = 1;
		io->rx[i].msg_hdr.msg_name = &io->rx_name[i];
		io->tx[i].msg_hdr.msg_iov = &io->tx_iov[i];
		io->tx[i].msg_hdr.msg_iovlen = 1;
		io->tx[i].msg_hdr.msg_name = &io->tx_name[i];
	}
	return 0;
}

void io_free(struct io *io)
{
	free(io->arena);
	io->arena = NULL;
}

unsigned int io_recv(struct io *io, int fd)
{
	unsigned int i;
	int n;

	io_flush(io);
	for (i = 0; i < IO_BATCH; i++)
		io->rx[i].msg_hdr.msg_namelen = sizeof(io->rx_name[i]);
	/*
	 * An ICMP error is reported once, with nothing received; there may be
	 * more than one.
	 */
	for (i = 0; i < ERRORS_MAX; i++) {
		n = recvmmsg(fd, io->rx, IO_BATCH, MSG_DONTWAIT, NULL);
		if (n >= 0)
			return (unsigned int)n;
		if (errno == EAGAIN)
			return 0;
	}
	log_limited(LOG_WARNING, "receive-failed", "error=%s",
		    strerror(errno));
	return 0;
}

uint8_t *io_datagram(struct io *io, unsigned int n, struct kturn_addr *from,
		     size_t *len)
{
	addr_from_sockaddr(&io->rx_name[n], from);
	*len = io->rx[n].msg_len;
	return io->rx_iov[n].iov_base;
}

void io_send(struct io *io, int fd, const struct kturn_addr *to,
	     const uint8_t *buf, size_t len)
{
	bool ours = buf >= io->arena && buf < io->arena + IO_BATCH * STRIDE;
	struct msghdr *hdr;

	if (fd != io->tx_fd || io->tx_n == IO_BATCH)
		io_flush(io);
	io->tx_fd = fd;
	hdr = &io->tx[io->tx_n].msg_hdr;
	hdr->msg_namelen = addr_to_sockaddr(to, &io->tx_name[io->tx_n]);
	/* sendmmsg() does not write there; C has no const iovec. */
	io->tx_iov[io->tx_n].iov_base = (void *)(uintptr_t)buf;
	io->tx_iov[io->tx_n].iov_len = len;
	io->tx_n++;
	if (!ours)
		io_flush(io);
}

/* The first of @n could not be sent. */
static void send_failed(struct io *io, int error)
{
	if (error == EAGAIN || error == ENOBUFS) {
		io->counters.send_full++;
		return;
	}
	io->counters.send_errors++;
	log_limited(LOG_DEBUG, "send-failed", "error=%s", strerror(error));
}

/*
 * An error may be an earlier datagram's (an ICMP message came back): it is
 * reported once, and this one was not tried. So each is tried twice.
 */
void io_flush(struct io *io)
{
	unsigned int done = 0;
	bool again = false;
	int n;

	while (done < io->tx_n) {
		n = sendmmsg(io->tx_fd, io->tx + done, io->tx_n - done,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			done += (unsigned int)n;
			again = false;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (!again && errno != EAGAIN) {
			again = true;
		} else {
			send_failed(io, errno);
			done++;
			again = false;
		}
	}
	io->tx_n = 0;
}
