// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sockets: opening them, sending a request, gathering what answers it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* An answer's share of the receive buffer, sk_buff and all; on the safe side. */
#define ANSWER_BYTES		2048
#define RCVBUF_BYTES		(4 << 20)
#define PIECE_BYTES		(64 << 10)
#define DUMP_ATTEMPTS		10

int kt_socket_open(struct mnl_socket **nl)
{
	struct mnl_socket *new;
	int one = 1, err;

	*nl = NULL;
	new = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!new)
		return kt_fail_open(errno, "can't open a netlink socket: %s",
				    strerror(errno));
	/* Kernels that know the family know these; without them less is said. */
	mnl_socket_setsockopt(new, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(new, NETLINK_CAP_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(new, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (mnl_socket_bind(new, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = kt_fail_open(errno, "can't bind a netlink socket: %s",
				   strerror(errno));
		mnl_socket_close(new);
		return err;
	}
	*nl = new;
	return 0;
}

size_t kt_socket_grow(struct mnl_socket *nl, size_t bytes)
{
	int fd = mnl_socket_get_fd(nl);
	int size = bytes;
	socklen_t len = sizeof(size);

	/* Beyond net.core.rmem_max only with CAP_NET_ADMIN. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, len))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, len);
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len) || size < 0)
		return 0;
	return size;
}

ssize_t kt_recv(struct mnl_socket *nl, void *buf, size_t size)
{
	int fd = mnl_socket_get_fd(nl);
	struct sockaddr_nl from;
	socklen_t len;
	ssize_t n;

	do {
		len = sizeof(from);
		n = recvfrom(fd, buf, size, MSG_TRUNC,
			     (struct sockaddr *)&from, &len);
	} while ((n < 0 && errno == EINTR) ||
		 (n >= 0 && (len != sizeof(from) || from.nl_pid)));
	if (n < 0)
		return -errno;
	return (size_t)n > size ? -EMSGSIZE : n;
}

struct nlmsghdr *kt_request(const struct kturn *kt, void *buf, uint8_t cmd)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = kt->family;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = KTURN_GENL_VERSION;
	return nlh;
}

static int send_request(struct kturn *kt, const struct nlmsghdr *req)
{
	if (mnl_socket_sendto(kt->nl, req, req->nlmsg_len) < 0)
		return kt_fail(kt, errno, "can't send to the kernel: %s",
			       strerror(errno));
	return 0;
}

static int recv_failed(struct kturn *kt, ssize_t err)
{
	if (err == -EAGAIN || err == -ENOBUFS)
		return kt_fail(kt, ENOBUFS, "the kernel's answer was lost");
	return kt_fail(kt, -err, "can't read the kernel's answer: %s",
		       strerror(-err));
}

int kt_call(struct kturn *kt, struct nlmsghdr *req, kt_reply_cb cb, void *arg)
{
	const struct nlmsghdr *nlh;
	int err, bad = 0, left;
	ssize_t n;

	req->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	req->nlmsg_seq = ++kt->seq;
	err = send_request(kt, req);
	if (err)
		return err;
	for (;;) {
		n = kt_recv(kt->nl, kt->buf, sizeof(kt->buf));
		if (n < 0)
			return recv_failed(kt, n);
		left = n;
		for (nlh = (void *)kt->buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq != req->nlmsg_seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				err = kt_error_read(nlh, req, kt->error,
						    sizeof(kt->error));
				return err ? err : bad;
			}
			if (cb && nlh->nlmsg_type == req->nlmsg_type && !bad)
				bad = cb(nlh, arg);
			if (bad == -EBADMSG)
				kt_fail(kt, EBADMSG,
					"can't read the kernel's answer");
		}
	}
}

/* ------------------------------------------------------------------- dumps */

/** struct chunk - a datagram of a dump */
struct chunk {
	struct chunk *next;
	int len;
	char data[] __attribute__((aligned(8)));
};

static void chunks_free(struct chunk *c)
{
	struct chunk *next;

	for (; c; c = next) {
		next = c->next;
		free(c);
	}
}

static struct chunk **chunk_add(struct chunk **last, const void *data, int len)
{
	/* libmnl reads up to the end of a last message's padding. */
	struct chunk *c = calloc(1, sizeof(*c) + MNL_ALIGN(len));

	if (!c)
		return NULL;
	c->next = NULL;
	c->len = len;
	memcpy(c->data, data, len);
	*last = c;
	return &c->next;
}

/**
 * struct dump_state - what the messages of a dump said
 * @done: it is over
 * @interrupted: what is listed changed meanwhile
 * @err: how it ended
 */
struct dump_state {
	bool done;
	bool interrupted;
	int err;
};

static void dump_scan(struct kturn *kt, const struct nlmsghdr *req, int left,
		      struct dump_state *st)
{
	const struct nlmsghdr *nlh;

	for (nlh = (void *)kt->buf; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != req->nlmsg_seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			st->interrupted = true;
		if (nlh->nlmsg_type == NLMSG_ERROR ||
		    nlh->nlmsg_type == NLMSG_DONE) {
			st->done = true;
			st->err = kt_error_read(nlh, req, kt->error,
						sizeof(kt->error));
		}
	}
}

/*
 * Read it once. Whatever goes wrong, it is read to its end: the kernel runs
 * one dump for a socket at a time.
 */
static int dump_once(struct kturn *kt, struct nlmsghdr *req,
		     struct chunk **chunks, bool *interrupted)
{
	struct chunk **last = chunks;
	struct dump_state st = { 0 };
	bool no_memory = false;
	ssize_t n;
	int err;

	req->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	req->nlmsg_seq = ++kt->seq;
	err = send_request(kt, req);
	if (err)
		return err;
	while (!st.done) {
		n = kt_recv(kt->nl, kt->buf, sizeof(kt->buf));
		if (n == -ENOBUFS) {
			st.interrupted = true;
			continue;
		}
		if (n < 0)
			return recv_failed(kt, n);
		dump_scan(kt, req, n, &st);
		if (!no_memory)
			last = chunk_add(last, kt->buf, n);
		no_memory = no_memory || !last;
	}
	*interrupted = st.interrupted;
	if (!st.err && no_memory)
		return kt_fail(kt, ENOMEM, "out of memory");
	return st.err;
}

static int chunk_deliver(struct chunk *c, const struct nlmsghdr *req,
			 kt_reply_cb cb, void *arg)
{
	const struct nlmsghdr *nlh;
	int left = c->len;
	int ret;

	for (nlh = (void *)c->data; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != req->nlmsg_seq ||
		    nlh->nlmsg_type != req->nlmsg_type)
			continue;
		ret = cb(nlh, arg);
		if (ret)
			return ret;
	}
	return 0;
}

int kt_dump(struct kturn *kt, struct nlmsghdr *req, kt_reply_cb cb, void *arg)
{
	return kt_dump_attempts(kt, req, DUMP_ATTEMPTS, cb, arg);
}

int kt_dump_attempts(struct kturn *kt, struct nlmsghdr *req, int attempts,
		     kt_reply_cb cb, void *arg)
{
	struct chunk *chunks = NULL, *c;
	bool interrupted = true;
	int ret = 0;

	for (int i = 0; i < attempts && interrupted; i++) {
		chunks_free(chunks);
		chunks = NULL;
		interrupted = false;
		ret = dump_once(kt, req, &chunks, &interrupted);
	}
	for (c = chunks; c && !ret; c = c->next)
		ret = chunk_deliver(c, req, cb, arg);
	if (ret == -EBADMSG)
		kt_fail(kt, EBADMSG, "can't read the kernel's answer");
	chunks_free(chunks);
	return ret;
}

/* -------------------------------------------------------------- the handle */

static void groups_parse(const struct nlattr *groups, uint32_t *group)
{
	const struct nlattr *entry, *attr, *name, *id;

	mnl_attr_for_each_nested(entry, groups) {
		name = NULL;
		id = NULL;
		mnl_attr_for_each_nested(attr, entry) {
			if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
				name = attr;
			if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
				id = attr;
		}
		if (name && !mnl_attr_validate(name, MNL_TYPE_NUL_STRING) &&
		    !strcmp(mnl_attr_get_str(name), KTURN_MCGRP_EVENTS) &&
		    id && !mnl_attr_validate(id, MNL_TYPE_U32))
			*group = mnl_attr_get_u32(id);
	}
}

bool kt_family_parse(const struct nlmsghdr *nlh, uint16_t *family,
		     uint32_t *group)
{
	const struct nlattr *attr, *name = NULL, *id = NULL;

	*group = 0;
	if (mnl_nlmsg_get_payload_len(nlh) < GENL_HDRLEN)
		return false;
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_FAMILY_NAME:
			name = attr;
			break;
		case CTRL_ATTR_FAMILY_ID:
			id = attr;
			break;
		case CTRL_ATTR_MCAST_GROUPS:
			groups_parse(attr, group);
			break;
		}
	}
	if (!name || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) ||
	    strcmp(mnl_attr_get_str(name), KTURN_GENL_NAME) ||
	    !id || mnl_attr_validate(id, MNL_TYPE_U16))
		return false;
	*family = mnl_attr_get_u16(id);
	return true;
}

static int family_reply(const struct nlmsghdr *nlh, void *arg)
{
	struct kturn *kt = arg;
	uint32_t group;

	return kt_family_parse(nlh, &kt->family, &group) ? 0 : -EBADMSG;
}

static int family_resolve(struct kturn *kt)
{
	char buf[256] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;
	int err;

	nlh->nlmsg_type = GENL_ID_CTRL;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, KTURN_GENL_NAME);
	err = kt_call(kt, nlh, family_reply, kt);
	if (err == -ENOENT)
		kt_fail(kt, ENOENT, "the kturn kernel module is not loaded");
	return err;
}

int kturn_open(struct kturn **kt)
{
	struct kturn *new = calloc(1, sizeof(*new));
	size_t room;
	int err;

	*kt = NULL;
	if (!new)
		return kt_fail_open(ENOMEM, "out of memory");
	err = kt_socket_open(&new->nl);
	if (err)
		goto free;
	room = kt_socket_grow(new->nl, RCVBUF_BYTES);
	new->piece_bytes = PIECE_BYTES;
	new->piece_requests = room > ANSWER_BYTES ? room / ANSWER_BYTES : 1;
	err = family_resolve(new);
	if (err) {
		kt_fail_open(-err, "%s", new->error);
		goto free;
	}
	kt_fail(new, 0, "no error");
	*kt = new;
	return 0;

free:
	kturn_close(new);
	return err;
}

void kturn_close(struct kturn *kt)
{
	if (!kt)
		return;
	if (kt->nl)
		mnl_socket_close(kt->nl);
	free(kt);
}

int kturn_fd(const struct kturn *kt)
{
	return mnl_socket_get_fd(kt->nl);
}
