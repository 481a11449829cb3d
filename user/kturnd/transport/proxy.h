/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PROXY protocol, version 2, that a load balancer puts in front of a stream:
 * who is at its other end. See "The PROXY protocol, versions 1 & 2", section 2.2,
 * https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
 */
#ifndef _KTURND_PROXY_H
#define _KTURND_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <kturn/wire.h>

/* What tells how long the header is. */
#define PROXY_FIXED_LEN		16

/* What a header may have; those of well-known balancers have some hundred. */
#define PROXY_MAX		1024

/**
 * struct proxy_header - what it says
 * @local: the balancer speaks for itself, to see if we are well
 * @client: else, who is at its other end; canonical
 * @server: and whom they meant to talk to
 */
struct proxy_header {
	bool local;
	struct kturn_addr client;
	struct kturn_addr server;
};

/**
 * proxy_parse() - read the header at the start of a stream
 * @buf: what came
 * @len: how much
 * @h: result, when all of the header is there
 * @missing: else how many bytes have to be there to know more
 *
 * Return: its bytes; 0: not all of it is there; -EBADMSG: there is none of version
 * 2; -EPROTONOSUPPORT: it is not about TCP over IP; -EMSGSIZE: longer than
 * PROXY_MAX.
 */
ssize_t proxy_parse(const uint8_t *buf, size_t len, struct proxy_header *h,
		    size_t *missing);

#endif /* _KTURND_PROXY_H */
