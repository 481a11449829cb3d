// SPDX-License-Identifier: GPL-2.0-or-later
/* UDP sockets and their ends; see sockets.h. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "sockets.h"

#define BUF_SIZE	(32 << 10)

/* For some ten thousand sockets that are closed at once; the kernel doubles. */
#define RCVBUF		(4 << 20)

/* Messages at once, so that there is time for the rest. */
#define READ_MOST	4096

static int nl_open(struct mnl_socket **nl)
{
	*nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!*nl)
		return -errno;
	return mnl_socket_bind(*nl, 0, MNL_SOCKET_AUTOPID) ? -errno : 0;
}

static int listen_to(struct mnl_socket *nl, int group)
{
	return mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group,
				     sizeof(group)) ? -errno : 0;
}

int sockets_open(struct sockets *s, socket_gone_cb gone, void *arg)
{
	int size = RCVBUF, ret;
	uint64_t *cookies;
	size_t n;

	memset(s, 0, sizeof(*s));
	s->gone = gone;
	s->arg = arg;
	ret = nl_open(&s->nl);
	if (!ret)
		ret = nl_open(&s->events);
	if (!ret && setsockopt(mnl_socket_get_fd(s->events), SOL_SOCKET,
			       SO_RCVBUFFORCE, &size, sizeof(size)))
		ret = -errno;
	if (!ret)
		ret = listen_to(s->events, SKNLGRP_INET_UDP_DESTROY);
	if (!ret)
		ret = listen_to(s->events, SKNLGRP_INET6_UDP_DESTROY);
	/* Nothing is told before the module that can read UDP is there. */
	if (!ret)
		ret = sockets_all(s, &cookies, &n);
	if (!ret)
		free(cookies);
	else
		sockets_close(s);
	return ret;
}

void sockets_close(struct sockets *s)
{
	if (s->nl)
		mnl_socket_close(s->nl);
	if (s->events)
		mnl_socket_close(s->events);
	s->nl = NULL;
	s->events = NULL;
}

int sockets_fd(const struct sockets *s)
{
	return mnl_socket_get_fd(s->events);
}

static bool info_read(const struct nlmsghdr *nlh, struct socket_info *info)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*msg))
		return false;
	info->cookie = (uint64_t)msg->id.idiag_cookie[1] << 32 |
		       msg->id.idiag_cookie[0];
	info->uid = msg->idiag_uid;
	info->inode = msg->idiag_inode;
	return true;
}

/* ------------------------------------------------------------------ events */

static void events_read(struct sockets *s, const char *buf, ssize_t n)
{
	const struct nlmsghdr *nlh;
	struct socket_info info;
	int left = (int)n;

	for (nlh = (const void *)buf; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left))
		if (info_read(nlh, &info))
			s->gone(info.cookie, s->arg);
}

int sockets_read(struct sockets *s)
{
	char buf[BUF_SIZE] __attribute__((aligned(8)));
	unsigned int left = READ_MOST;
	bool lost = false;
	ssize_t n;

	while (left--) {
		n = recv(mnl_socket_get_fd(s->events), buf, sizeof(buf),
			 MSG_DONTWAIT);
		if (n >= 0) {
			events_read(s, buf, n);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return lost ? -ENOBUFS : 0;
		lost |= errno == ENOBUFS;
		if (errno != ENOBUFS && errno != EINTR)
			return -errno;
	}
	return lost ? -ENOBUFS : 0;
}

/* --------------------------------------------------------------- questions */

static struct nlmsghdr *question(char *buf, int af, uint16_t flags,
				 struct inet_diag_req_v2 **req)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	*req = mnl_nlmsg_put_extra_header(nlh, sizeof(**req));
	(*req)->sdiag_family = (uint8_t)af;
	(*req)->sdiag_protocol = IPPROTO_UDP;
	(*req)->idiag_states = ~0u;
	(*req)->id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	(*req)->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return nlh;
}

int sockets_find(struct sockets *s, const struct kturn_addr *from,
		 const struct kturn_addr *to, struct socket_info *info)
{
	char buf[BUF_SIZE] __attribute__((aligned(8)));
	struct inet_diag_req_v2 *req;
	const struct nlmsgerr *err;
	struct nlmsghdr *nlh;
	ssize_t n;

	nlh = question(buf, addr_af(to), 0, &req);
	/* The kernel's "source" is where the datagram comes from. */
	if (from->family) {
		memcpy(req->id.idiag_src, from->ip, sizeof(from->ip));
		memcpy(&req->id.idiag_sport, &from->port, sizeof(from->port));
	}
	memcpy(req->id.idiag_dst, to->ip, sizeof(to->ip));
	memcpy(&req->id.idiag_dport, &to->port, sizeof(to->port));
	if (mnl_socket_sendto(s->nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(s->nl, buf, sizeof(buf));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	nlh = (void *)buf;
	if (!mnl_nlmsg_ok(nlh, (int)n))
		return -EBADMSG;
	if (info_read(nlh, info))
		return 0;
	err = mnl_nlmsg_get_payload(nlh);
	if (nlh->nlmsg_type != NLMSG_ERROR ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(err->error) || !err->error)
		return -EBADMSG;
	return err->error;
}

/* --------------------------------------------------------------------- all */

struct all {
	uint64_t *cookies;
	size_t n;
	size_t room;
};

static int add(const struct nlmsghdr *nlh, void *arg)
{
	struct all *all = arg;
	struct socket_info info;
	uint64_t *more;

	if (!info_read(nlh, &info))
		return MNL_CB_OK;
	if (all->n == all->room) {
		more = reallocarray(all->cookies, 2 * all->room, sizeof(*more));
		if (!more)
			return MNL_CB_ERROR;
		all->cookies = more;
		all->room *= 2;
	}
	all->cookies[all->n++] = info.cookie;
	return MNL_CB_OK;
}

static int dump(struct sockets *s, int af, struct all *all)
{
	unsigned int port = mnl_socket_get_portid(s->nl);
	char buf[BUF_SIZE] __attribute__((aligned(8)));
	struct inet_diag_req_v2 *req;
	struct nlmsghdr *nlh;
	ssize_t n;
	int ret;

	nlh = question(buf, af, NLM_F_DUMP, &req);
	if (mnl_socket_sendto(s->nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(s->nl, buf, sizeof(buf));
		if (n < 0 && errno != EINTR)
			return -errno;
		ret = n < 0 ? MNL_CB_OK :
		      mnl_cb_run(buf, (size_t)n, 0, port, add, all);
	} while (ret > MNL_CB_STOP);
	return ret < 0 ? -errno : 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int sockets_all(struct sockets *s, uint64_t **cookies, size_t *n)
{
	struct all all = { .room = 64 };
	int ret;

	all.cookies = calloc(all.room, sizeof(*all.cookies));
	if (!all.cookies)
		return -ENOMEM;
	ret = dump(s, AF_INET, &all);
	if (!ret)
		ret = dump(s, AF_INET6, &all);
	if (ret) {
		free(all.cookies);
		return ret;
	}
	qsort(all.cookies, all.n, sizeof(*all.cookies), compare);
	*cookies = all.cookies;
	*n = all.n;
	return 0;
}
