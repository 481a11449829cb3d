/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of packets that the firewall logs (NFLOG): IPv4 and IPv6 datagrams of
 * UDP, in the order in which the kernel saw them, and whether any is missing.
 */
#ifndef _PAIR_CAPTURE_H
#define _PAIR_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kturn/wire.h>

struct nflog_handle;
struct nflog_g_handle;

/**
 * struct packet - a UDP datagram
 * @src: where it comes from
 * @dst: where it goes
 * @payload: UDP payload; NULL if it could not be read: another IP header than
 *	usual, a fragment, or longer than what is copied
 * @len: its length, in bytes
 * @has_uid: @uid is known: a local socket has sent it
 * @uid: of the user whose socket it is
 * @time_ns: when the kernel saw it, CLOCK_REALTIME; 0 if it does not say
 */
struct packet {
	struct kturn_addr src;
	struct kturn_addr dst;
	const uint8_t *payload;
	size_t len;
	bool has_uid;
	uint32_t uid;
	int64_t time_ns;
};

/** capture_cb - gets each datagram; @p's payload is valid meanwhile only */
typedef void (*capture_cb)(const struct packet *p, void *arg);

/**
 * struct capture - one NFLOG group
 * @h: socket
 * @group: what it listens to
 * @cb: gets the datagrams
 * @arg: for @cb
 * @seq: number of the next packet
 * @lost: packets are missing; the reader sets it back
 * @packets: how many came
 * @losses: how often packets were missing
 */
struct capture {
	struct nflog_handle *h;
	struct nflog_g_handle *group;
	capture_cb cb;
	void *arg;
	uint32_t seq;
	bool lost;
	uint64_t packets;
	uint64_t losses;
};

/**
 * capture_open() - listen to a group
 * @c: result
 * @group: number of the group; nobody else may listen to it
 * @buffer: bytes that may wait; the kernel doubles it
 * @cb: gets the datagrams
 * @arg: for @cb
 *
 * Needs CAP_NET_ADMIN. Return: 0, or a negative errno: -EBUSY: somebody
 * listens.
 */
int capture_open(struct capture *c, uint16_t group, int buffer, capture_cb cb,
		 void *arg);

/** capture_close() - also of what capture_open() could not open */
void capture_close(struct capture *c);

/** capture_fd() - for polling */
int capture_fd(const struct capture *c);

/**
 * capture_read() - take what is there
 * @c: capture
 * @most: messages at most
 *
 * @c->lost is set as soon as it is known that packets are missing, before any
 * that came after them is handed over.
 *
 * Return: 0, or a negative errno that will not go away.
 */
int capture_read(struct capture *c, unsigned int most);

/**
 * packet_parse() - take an IP packet apart
 * @data: from the IP header on
 * @len: bytes
 * @p: result: addresses and payload
 *
 * No extension headers, no fragments, and all of it has to be there.
 *
 * Return: 0; or -EBADMSG: of @p the addresses mean something at most, if
 * @p->src has a family, and there is no payload.
 */
int packet_parse(const uint8_t *data, size_t len, struct packet *p);

#endif /* _PAIR_CAPTURE_H */
