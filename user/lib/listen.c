// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Listening for removals, while the module comes and goes.
 *
 * The listener is in the group of nlctrl that hears of families, and in the
 * family's own group while there is a family. It looks families up in a list
 * and not by name: asking for a name makes the kernel load the module.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define RCVBUF_MIN	((size_t)1 << 20)
#define RCVBUF_MAX	((size_t)64 << 20)

/* nlctrl's group "notify" has the number of nlctrl itself, always. */
#define CTRL_NOTIFY_GROUP	GENL_ID_CTRL

/**
 * struct kturn_listener - a socket that hears of removals
 * @nl: socket
 * @family: number of the family, 0 while there is none
 * @group: number of its multicast group
 * @rcvbuf: what was asked for as its receive buffer
 * @lost: messages were lost, and the caller was not told yet
 * @buf: for receiving
 */
struct kturn_listener {
	struct mnl_socket *nl;
	uint16_t family;
	uint32_t group;
	size_t rcvbuf;
	bool lost;
	char buf[KT_RECV_MAX] __attribute__((aligned(8)));
};

/* ------------------------------------------------------------- the family */

struct family {
	uint16_t id;
	uint32_t group;
};

static int family_found(const struct nlmsghdr *nlh, void *arg)
{
	struct family *f = arg, this = { 0 };

	if (kt_family_parse(nlh, &this.id, &this.group))
		*f = this;
	return 0;
}

/* What is registered now; all zero if the family is not. */
static int family_lookup(struct family *f)
{
	struct kturn *kt = calloc(1, sizeof(*kt));
	char buf[256] __attribute__((aligned(8)));
	struct nlmsghdr *nlh;
	int err;

	memset(f, 0, sizeof(*f));
	if (!kt)
		return kt_fail_open(ENOMEM, "out of memory");
	err = kt_socket_open(&kt->nl);
	if (err)
		goto free;
	kt->family = GENL_ID_CTRL;
	nlh = kt_request(kt, buf, CTRL_CMD_GETFAMILY);
	err = kt_dump(kt, nlh, family_found, f);
	if (err)
		kt_fail_open(-err, "%s", kt->error);
free:
	kturn_close(kt);
	return err;
}

static int group_join(struct kturn_listener *l, uint32_t group)
{
	if (!mnl_socket_setsockopt(l->nl, NETLINK_ADD_MEMBERSHIP, &group,
				   sizeof(group)))
		return 0;
	/* As for a request: the words for it are the same. */
	if (errno == EPERM)
		return kt_fail_open(EPERM,
			"listening needs CAP_NET_ADMIN in the user namespace that owns the network namespace");
	return kt_fail_open(errno, "can't join the group \"%s\": %s",
			    KTURN_MCGRP_EVENTS, strerror(errno));
}

/* Listen to the family @f from now on; all zero: to none. */
static int family_follow(struct kturn_listener *l, const struct family *f)
{
	/* The kernel ended the membership in a group that is gone. */
	l->family = f->id;
	l->group = f->group;
	return f->group ? group_join(l, f->group) : 0;
}

int kturn_listen(struct kturn_listener **l)
{
	struct kturn_listener *new = calloc(1, sizeof(*new));
	struct family f;
	int err;

	*l = NULL;
	if (!new)
		return kt_fail_open(ENOMEM, "out of memory");
	err = kt_socket_open(&new->nl);
	if (err)
		goto free;
	new->rcvbuf = RCVBUF_MIN;
	kt_socket_grow(new->nl, new->rcvbuf);
	/* In this order, or a module loaded in between would go unnoticed. */
	err = group_join(new, CTRL_NOTIFY_GROUP);
	if (!err)
		err = family_lookup(&f);
	if (!err)
		err = family_follow(new, &f);
	if (err)
		goto free;
	*l = new;
	return 0;

free:
	kturn_listener_close(new);
	return err;
}

void kturn_listener_close(struct kturn_listener *l)
{
	if (!l)
		return;
	if (l->nl)
		mnl_socket_close(l->nl);
	free(l);
}

int kturn_listener_fd(const struct kturn_listener *l)
{
	return mnl_socket_get_fd(l->nl);
}

bool kturn_listener_here(const struct kturn_listener *l)
{
	return l->family;
}

/* ----------------------------------------------------------------- reading */

static int deliver_type(int type, kturn_event_cb cb, void *arg)
{
	struct kturn_event ev = { .type = type };

	return cb(&ev, arg);
}

/* The family is now @f: say what that means, and go along. */
static int family_changed(struct kturn_listener *l, const struct family *f,
			  kturn_event_cb cb, void *arg)
{
	uint16_t old = l->family;
	int ret = 0;

	if (f->id == old)
		return 0;
	l->family = 0;
	if (old)
		ret = deliver_type(KTURN_EVENT_MODULE_GONE, cb, arg);
	if (ret || !f->id)
		return ret;
	ret = family_follow(l, f);
	return ret ? ret : deliver_type(KTURN_EVENT_MODULE_HERE, cb, arg);
}

static int ctrl_read(struct kturn_listener *l, const struct nlmsghdr *nlh,
		     kturn_event_cb cb, void *arg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct family f;

	if (!kt_family_parse(nlh, &f.id, &f.group))
		return 0;
	if (genl->cmd == CTRL_CMD_NEWFAMILY)
		return family_changed(l, &f, cb, arg);
	if (genl->cmd == CTRL_CMD_DELFAMILY && f.id == l->family) {
		memset(&f, 0, sizeof(f));
		return family_changed(l, &f, cb, arg);
	}
	return 0;
}

static int event_read(const struct nlmsghdr *nlh, kturn_event_cb cb, void *arg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct kturn_event ev = { 0 };
	int err;

	switch (genl->cmd) {
	case KTURN_CMD_ALLOC_GONE_NTF:
		ev.type = KTURN_EVENT_ALLOC;
		err = kt_parse_alloc(nlh, &ev.alloc);
		break;
	case KTURN_CMD_PERM_GONE_NTF:
		ev.type = KTURN_EVENT_PERM;
		err = kt_parse_perm(nlh, &ev.perm);
		break;
	case KTURN_CMD_CHAN_GONE_NTF:
		ev.type = KTURN_EVENT_CHAN;
		err = kt_parse_chan(nlh, &ev.chan);
		break;
	default:
		return 0;
	}
	/* One that can't be read is as good as lost. */
	return err ? -ENOBUFS : cb(&ev, arg);
}

static int message_read(struct kturn_listener *l, const struct nlmsghdr *nlh,
			kturn_event_cb cb, void *arg)
{
	if (mnl_nlmsg_get_payload_len(nlh) < GENL_HDRLEN)
		return 0;
	if (nlh->nlmsg_type == GENL_ID_CTRL)
		return ctrl_read(l, nlh, cb, arg);
	if (l->family && nlh->nlmsg_type == l->family)
		return event_read(nlh, cb, arg);
	return 0;
}

/*
 * From the moment that a message does not fit until everything before it was
 * read, the kernel drops all that comes and does not say so again. So what is
 * there is read first; a caller that looks at the state before that would
 * miss what changes in between.
 */
static void losing(struct kturn_listener *l)
{
	l->lost = true;
	if (l->rcvbuf < RCVBUF_MAX) {
		l->rcvbuf *= 2;
		kt_socket_grow(l->nl, l->rcvbuf);
	}
}

/* Lost messages may have told of the family, so look for it. */
static int lost(struct kturn_listener *l, kturn_event_cb cb, void *arg)
{
	struct family f;
	int ret;

	ret = family_lookup(&f);
	if (!ret)
		ret = family_changed(l, &f, cb, arg);
	if (ret)
		return ret;
	l->lost = false;
	return -ENOBUFS;
}

int kturn_listener_read(struct kturn_listener *l, kturn_event_cb cb, void *arg)
{
	const struct nlmsghdr *nlh;
	ssize_t n;
	int left, ret;

	for (;;) {
		n = kt_recv(l->nl, l->buf, sizeof(l->buf));
		if (n == -EAGAIN)
			return l->lost ? lost(l, cb, arg) : 0;
		if (n == -ENOBUFS || n == -EMSGSIZE) {
			losing(l);
			continue;
		}
		if (n < 0)
			return kt_fail_open(-n, "can't read events: %s",
					    strerror(-n));
		left = n;
		for (nlh = (void *)l->buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			ret = message_read(l, nlh, cb, arg);
			if (ret)
				return ret;
		}
	}
}
