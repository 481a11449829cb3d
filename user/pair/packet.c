// SPDX-License-Identifier: GPL-2.0-or-later
/* Datagrams in IP packets; see capture.h. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "capture.h"

#define IP4_HDR_LEN	20
#define IP6_HDR_LEN	40
#define UDP_HDR_LEN	8

/* More fragments, and the offset. */
#define IP4_FRAGMENT	0x3fff

static int udp_parse(const uint8_t *udp, size_t len, struct packet *p)
{
	size_t total;

	if (len < UDP_HDR_LEN)
		return -EBADMSG;
	total = kturn_get16(udp + 4);
	if (total < UDP_HDR_LEN || total > len)
		return -EBADMSG;
	memcpy(&p->src.port, udp, 2);
	memcpy(&p->dst.port, udp + 2, 2);
	p->payload = udp + UDP_HDR_LEN;
	p->len = total - UDP_HDR_LEN;
	return 0;
}

static int ip4_parse(const uint8_t *ip, size_t len, struct packet *p)
{
	size_t header, total;

	if (len < IP4_HDR_LEN)
		return -EBADMSG;
	p->src.family = KTURN_FAMILY_V4;
	p->dst.family = KTURN_FAMILY_V4;
	memcpy(p->src.ip, ip + 12, 4);
	memcpy(p->dst.ip, ip + 16, 4);
	header = (ip[0] & 0xf) * 4u;
	total = kturn_get16(ip + 2);
	if (header < IP4_HDR_LEN || header > total || total > len ||
	    kturn_get16(ip + 6) & IP4_FRAGMENT || ip[9] != IPPROTO_UDP)
		return -EBADMSG;
	return udp_parse(ip + header, total - header, p);
}

static int ip6_parse(const uint8_t *ip, size_t len, struct packet *p)
{
	size_t total;

	if (len < IP6_HDR_LEN)
		return -EBADMSG;
	p->src.family = KTURN_FAMILY_V6;
	p->dst.family = KTURN_FAMILY_V6;
	memcpy(p->src.ip, ip + 8, 16);
	memcpy(p->dst.ip, ip + 24, 16);
	total = kturn_get16(ip + 4);
	if (total > len - IP6_HDR_LEN || ip[6] != IPPROTO_UDP)
		return -EBADMSG;
	return udp_parse(ip + IP6_HDR_LEN, total, p);
}

int packet_parse(const uint8_t *data, size_t len, struct packet *p)
{
	memset(p, 0, sizeof(*p));
	if (!len)
		return -EBADMSG;
	switch (data[0] >> 4) {
	case 4:
		return ip4_parse(data, len, p);
	case 6:
		return ip6_parse(data, len, p);
	default:
		return -EBADMSG;
	}
}
