// SPDX-License-Identifier: GPL-2.0-or-later
/* Datagrams in batches; see io.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
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

/* What one message of UDP GSO may have; the kernel's limit is an IP packet. */
#define SEGMENTS_MAX	64
#define GSO_MAX		65000

/* Each on its own cache lines. */
#define STRIDE	((TURN_HEADROOM + DATAGRAM_MAX + TURN_TAILROOM + 63) & ~63ul)

int io_init(struct io *io)
{
	unsigned int i;

	memset(io, 0, sizeof(*io));
	io->arena = malloc(IO_BATCH * STRIDE);
	io->copies = malloc(IO_BATCH * sizeof(*io->copies));
	if (!io->arena || !io->copies) {
		io_free(io);
		return -ENOMEM;
	}
	for (i = 0; i < IO_BATCH; i++) {
		io->rx_iov[i].iov_base = io->arena + i * STRIDE +
			TURN_HEADROOM;
		io->rx_iov[i].iov_len = DATAGRAM_MAX;
		io->rx[i].msg_hdr.msg_iov = &io->rx_iov[i];
		io->rx[i].msg_hdr.msg_iovlen = 1;
		io->rx[i].msg_hdr.msg_name = &io->rx_name[i];
	}
	return 0;
}

void io_free(struct io *io)
{
	free(io->copies);
	free(io->arena);
	io->copies = NULL;
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
	struct io_waiting *w;

	if (!ours && len <= IO_COPY) {
		buf = memcpy(io->copies[io->n_waiting], buf, len);
		ours = true;
	}
	w = &io->waiting[io->n_waiting++];
	w->fd = fd;
	w->name_len = addr_to_sockaddr(to, &w->name);
	/* sendmsg() does not write there; C has no const iovec. */
	w->iov.iov_base = (void *)(uintptr_t)buf;
	w->iov.iov_len = len;
	/* Not before it waits: what it says may depend on what is done first. */
	if (!ours || io->n_waiting == IO_BATCH)
		io_flush(io);
}

/* @n datagrams could not be sent. */
static void send_failed(struct io *io, int error, size_t n)
{
	if (error == EAGAIN || error == ENOBUFS) {
		io->counters.send_full += n;
		return;
	}
	io->counters.send_errors += n;
	log_limited(LOG_DEBUG, "send-failed", "error=%s", strerror(error));
}

/*
 * An error may be an earlier datagram's (an ICMP message came back): it is
 * reported once, and this one was not tried. So each is tried twice.
 */
static void send_alone(struct io *io, int fd, const struct msghdr *group)
{
	struct msghdr one = { .msg_name = group->msg_name,
			      .msg_namelen = group->msg_namelen,
			      .msg_iovlen = 1 };
	bool again;
	size_t i;

	for (i = 0; i < group->msg_iovlen; i++) {
		one.msg_iov = &group->msg_iov[i];
		again = true;
		while (sendmsg(fd, &one, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno == EINTR)
				continue;
			if (!again || errno == EAGAIN) {
				send_failed(io, errno, 1);
				break;
			}
			again = false;
		}
	}
}

/*
 * Several that failed may be too long for the path; some devices make no
 * checksums, and can't have several ever.
 */
static void send_rest(struct io *io, int fd, const struct msghdr *hdr)
{
	if (hdr->msg_iovlen == 1 || errno == EAGAIN || errno == ENOBUFS) {
		send_failed(io, errno, hdr->msg_iovlen);
		return;
	}
	if (errno == EIO)
		io->no_gso = true;
	send_alone(io, fd, hdr);
}

/* As sendmmsg(), which costs more for a single datagram. */
static int send_some(int fd, struct mmsghdr *tx, unsigned int n)
{
	const struct msghdr *hdr = &tx->msg_hdr;

	if (n > 1 || hdr->msg_iovlen > 1)
		return sendmmsg(fd, tx, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sendto(fd, hdr->msg_iov->iov_base, hdr->msg_iov->iov_len,
		      MSG_DONTWAIT | MSG_NOSIGNAL, hdr->msg_name,
		      hdr->msg_namelen) < 0 ? -1 : 1;
}

static void send_all(struct io *io, int fd, unsigned int total)
{
	unsigned int done = 0;
	bool again = false;
	int n;

	while (done < total) {
		n = send_some(fd, io->tx + done, total - done);
		if (n > 0) {
			done += (unsigned int)n;
			again = false;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (!again && errno != EAGAIN) {
			again = true;
		} else {
			send_rest(io, fd, &io->tx[done].msg_hdr);
			done++;
			again = false;
		}
	}
}

/* Can it go in the same message? Only the last may be shorter than others. */
static bool fits(const struct io *io, const struct msghdr *hdr,
		 const struct io_waiting *w)
{
	size_t n = hdr->msg_iovlen, first = hdr->msg_iov[0].iov_len;

	return !io->no_gso && n < SEGMENTS_MAX &&
	       (n + 1) * first <= GSO_MAX &&
	       w->iov.iov_len && w->iov.iov_len <= first &&
	       hdr->msg_iov[n - 1].iov_len == first &&
	       w->name_len == hdr->msg_namelen &&
	       !memcmp(&w->name, hdr->msg_name, w->name_len);
}

static void set_segment(struct io_control *control, struct msghdr *hdr)
{
	const uint16_t len = (uint16_t)hdr->msg_iov[0].iov_len;
	struct cmsghdr *cmsg;

	hdr->msg_control = control->buf;
	hdr->msg_controllen = sizeof(control->buf);
	cmsg = CMSG_FIRSTHDR(hdr);
	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(len));
	memcpy(CMSG_DATA(cmsg), &len, sizeof(len));
}

/* Messages of what waits for @fd, from the @first of it on: how many. */
static unsigned int gather(struct io *io, int fd, unsigned int first)
{
	unsigned int i, n = 0, iovs = 0;
	struct msghdr *hdr = NULL;
	struct io_waiting *w;

	for (i = first; i < io->n_waiting; i++) {
		w = &io->waiting[i];
		if (w->fd != fd)
			continue;
		w->fd = -1;
		io->tx_iov[iovs] = w->iov;
		if (hdr && fits(io, hdr, w)) {
			if (hdr->msg_iovlen++ == 1)
				set_segment(&io->tx_control[n - 1], hdr);
		} else {
			hdr = &io->tx[n++].msg_hdr;
			*hdr = (struct msghdr){ .msg_name = &w->name,
						.msg_namelen = w->name_len,
						.msg_iov = &io->tx_iov[iovs],
						.msg_iovlen = 1 };
		}
		iovs++;
	}
	return n;
}

/* Who asked asks again. */
static void drop_copies(struct io *io)
{
	unsigned int i;

	for (i = 0; i < io->n_waiting; i++) {
		if (io->waiting[i].iov.iov_base != io->copies[i])
			continue;
		io->waiting[i].fd = -1;
		io->counters.send_errors++;
	}
}

void io_flush(struct io *io)
{
	unsigned int i;
	int fd;

	if (io->before && !io->before(io->before_arg))
		drop_copies(io);
	for (i = 0; i < io->n_waiting; i++) {
		fd = io->waiting[i].fd;
		if (fd >= 0)
			send_all(io, fd, gather(io, fd, i));
	}
	io->n_waiting = 0;
}
