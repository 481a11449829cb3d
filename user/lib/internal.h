/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of libkturn share; nothing of it is exported. */
#ifndef _LIBKTURN_INTERNAL_H
#define _LIBKTURN_INTERNAL_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include "kturn.h"

/* Longest text of kturn_error(). */
#define KT_ERROR_MAX		512
/* A dump's messages come in datagrams of up to 32 KiB. */
#define KT_RECV_MAX		65536
/* Room for any request: every attribute at its longest, and to spare. */
#define KT_REQUEST_MAX		4096

/**
 * struct kturn - a socket of the family
 * @nl: not blocking: the kernel answers inside the send
 * @family: number of the generic netlink family
 * @seq: of the last request
 * @piece_bytes: most bytes of requests to be sent at once
 * @piece_requests: most requests whose answers fit the receive buffer
 * @error: what kturn_error() returns
 * @buf: for receiving
 */
struct kturn {
	struct mnl_socket *nl;
	uint16_t family;
	uint32_t seq;
	size_t piece_bytes;
	size_t piece_requests;
	char error[KT_ERROR_MAX];
	char buf[KT_RECV_MAX] __attribute__((aligned(8)));
};

/* ------------------------------------------------------------------ socket */

/**
 * kt_socket_open() - a generic netlink socket, bound, not blocking
 * @nl: result; NULL after an error
 *
 * Return: 0 or a negative errno, with kturn_error(NULL) set.
 */
int kt_socket_open(struct mnl_socket **nl);

/** kt_socket_grow() - ask for a receive buffer; returns the one there is */
size_t kt_socket_grow(struct mnl_socket *nl, size_t bytes);

/**
 * kt_recv() - one datagram from the kernel
 * @nl: socket
 * @buf: room
 * @size: bytes there
 *
 * What other processes sent is skipped.
 *
 * Return: its length, or a negative errno: -EAGAIN when there is none,
 * -ENOBUFS when some were lost, -EMSGSIZE when it was too long.
 */
ssize_t kt_recv(struct mnl_socket *nl, void *buf, size_t size);

/** kt_request() - begin a request of the family in @buf */
struct nlmsghdr *kt_request(const struct kturn *kt, void *buf, uint8_t cmd);

/* Gets each message that answers; negative errno: the answer is no good. */
typedef int (*kt_reply_cb)(const struct nlmsghdr *nlh, void *arg);

/**
 * kt_call() - a request and its answers
 * @kt: handle
 * @req: request; its flags and sequence number are set here
 * @cb: for messages other than the one that ends the answers; may be NULL
 * @arg: for @cb
 *
 * Return: 0 or a negative errno, with kturn_error() set.
 */
int kt_call(struct kturn *kt, struct nlmsghdr *req, kt_reply_cb cb, void *arg);

/**
 * kt_dump() - read a list
 * @kt: handle
 * @req: request
 * @cb: gets the messages once all have come; a result other than 0 ends it
 * @arg: for @cb
 *
 * Return: 0, @cb's result, or a negative errno, with kturn_error() set.
 */
int kt_dump(struct kturn *kt, struct nlmsghdr *req, kt_reply_cb cb, void *arg);

/** kt_dump_attempts() - the same, read so often at most while it changes */
int kt_dump_attempts(struct kturn *kt, struct nlmsghdr *req, int attempts,
		     kt_reply_cb cb, void *arg);

/**
 * kt_family_parse() - find the family and its group in nlctrl's message
 * @nlh: a message of nlctrl
 * @family: number; not changed if it is about another family
 * @group: number of the multicast group, 0 if the message has none
 *
 * Return: it is about kturn.
 */
bool kt_family_parse(const struct nlmsghdr *nlh, uint16_t *family,
		     uint32_t *group);

/* ------------------------------------------------------------------- error */

/** kt_fail() - remember words; returns -@err */
int kt_fail(struct kturn *kt, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** kt_fail_open() - words for kturn_error(NULL); returns -@err */
int kt_fail_open(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * kt_error_read() - what an error message says
 * @nlh: message of type NLMSG_ERROR, or NLMSG_DONE with a status
 * @req: the request that it answers
 * @text: result in words, "" for success
 * @size: room there
 *
 * Return: 0 or a negative errno; -EBADMSG if it can't be read.
 */
int kt_error_read(const struct nlmsghdr *nlh, const struct nlmsghdr *req,
		  char *text, size_t size);

/* ------------------------------------------------------------------- names */

struct kt_attr_set;

/** struct kt_attr_name - an attribute as the spec calls it */
struct kt_attr_name {
	const char *name;
	const struct kt_attr_set *nest;
};

/** struct kt_attr_set - attribute names by number */
struct kt_attr_set {
	const char *name;
	const struct kt_attr_name *attrs;
	unsigned int max;
};

/** kt_attr_set() - of a command, NULL for an unknown one */
const struct kt_attr_set *kt_attr_set(uint8_t cmd);

/* ---------------------------------------------------------------- requests */

/**
 * kt_put_alloc() - append an allocation's attributes
 * @nlh: message with room for KT_REQUEST_MAX bytes
 * @a: allocation
 * @why: result, set after an error
 *
 * The others of this name do the same for what they are named after.
 *
 * Return: 0, or -EINVAL for what has no wire form.
 */
int kt_put_alloc(struct nlmsghdr *nlh, const struct kturn_alloc *a,
		 const char **why);
int kt_put_peer(struct nlmsghdr *nlh, uint16_t type,
		const struct kturn_addr *addr, const char **why);
int kt_put_owner_data(struct nlmsghdr *nlh, const void *data, size_t len,
		      const char **why);

/** kt_put_limit() - append a limit; an empty one takes away what there is */
void kt_put_limit(struct nlmsghdr *nlh, uint16_t type,
		  const struct kturn_limit *limit);

/* ----------------------------------------------------------------- replies */

/**
 * kt_parse_alloc() - read an allocation
 * @nlh: message of the family
 * @a: result
 *
 * Attributes that are not known are skipped, those that lack leave zeros. The
 * others of this name do the same for what they are named after.
 *
 * Return: 0 or -EBADMSG.
 */
int kt_parse_alloc(const struct nlmsghdr *nlh, struct kturn_alloc *a);
int kt_parse_perm(const struct nlmsghdr *nlh, struct kturn_perm *p);
int kt_parse_chan(const struct nlmsghdr *nlh, struct kturn_chan *c);
int kt_parse_owner(const struct nlmsghdr *nlh, struct kturn_owner *o);
int kt_parse_device(const struct nlmsghdr *nlh, struct kturn_device *d);
int kt_parse_stats(const struct nlmsghdr *nlh, struct kturn_stats *st);
int kt_parse_config(const struct nlmsghdr *nlh, struct kturn_config *cfg);

#endif /* _LIBKTURN_INTERNAL_H */
