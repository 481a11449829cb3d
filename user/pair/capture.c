// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets that the firewall logs; see capture.h. */
#include <errno.h>
#include <libnetfilter_log/libnetfilter_log.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "capture.h"

#define MESSAGE_MAX	(128 << 10)

/* More than any request; what is longer counts as one that can't be read. */
#define COPY_MAX	2048

static void lost(struct capture *c)
{
	c->lost = true;
	c->losses++;
}

static int on_packet(struct nflog_g_handle *group, struct nfgenmsg *nfmsg,
		     struct nflog_data *data, void *arg)
{
	struct capture *c = arg;
	struct timeval tv;
	struct packet p;
	uint32_t seq;
	char *bytes;
	int len;

	/* From 0 on; what could not be queued is counted, too. */
	if (!nflog_get_seq(data, &seq)) {
		if (seq != c->seq)
			lost(c);
		c->seq = seq + 1;
	}
	c->packets++;
	len = nflog_get_payload(data, &bytes);
	if (len <= 0 || (packet_parse((const uint8_t *)bytes, (size_t)len, &p) &&
			 !p.src.family)) {
		lost(c);
		return 0;
	}
	p.has_uid = !nflog_get_uid(data, &p.uid);
	if (!nflog_get_timestamp(data, &tv))
		p.time_ns = tv.tv_sec * 1000000000ll + tv.tv_usec * 1000ll;
	c->cb(&p, c->arg);
	return 0;
}

static int configure(struct capture *c, int buffer)
{
	int fd = nflog_fd(c->h);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer,
		       sizeof(buffer)) ||
	    nflog_set_mode(c->group, NFULNL_COPY_PACKET, COPY_MAX) ||
	    nflog_set_flags(c->group, NFULNL_CFG_F_SEQ) ||
	    /* Each packet at once, not when a second has gone by. */
	    nflog_set_qthresh(c->group, 1))
		return -errno;
	return nflog_callback_register(c->group, on_packet, c) ? -errno : 0;
}

int capture_open(struct capture *c, uint16_t group, int buffer, capture_cb cb,
		 void *arg)
{
	int ret;

	memset(c, 0, sizeof(*c));
	c->cb = cb;
	c->arg = arg;
	errno = ENOPROTOOPT;
	c->h = nflog_open();
	if (!c->h)
		return -errno;
	c->group = nflog_bind_group(c->h, group);
	ret = c->group ? configure(c, buffer) : -errno;
	if (ret)
		capture_close(c);
	return ret;
}

void capture_close(struct capture *c)
{
	if (c->group)
		nflog_unbind_group(c->group);
	if (c->h)
		nflog_close(c->h);
	c->group = NULL;
	c->h = NULL;
}

int capture_fd(const struct capture *c)
{
	return nflog_fd(c->h);
}

int capture_read(struct capture *c, unsigned int most)
{
	static _Thread_local char buf[MESSAGE_MAX]
		__attribute__((aligned(8)));
	ssize_t n;

	while (most--) {
		n = recv(nflog_fd(c->h), buf, sizeof(buf), MSG_DONTWAIT);
		if (n >= 0) {
			nflog_handle_packet(c->h, buf, (int)n);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != ENOBUFS)
			return -errno;
		lost(c);
	}
	return 0;
}
