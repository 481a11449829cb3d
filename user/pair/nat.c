// SPDX-License-Identifier: GPL-2.0-or-later
/* NAT on this host; see nat.h. */
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "address.h"
#include "nat.h"

static int status_read(enum nf_conntrack_msg_type type, struct nf_conntrack *ct,
		       void *arg)
{
	*(uint32_t *)arg = nfct_get_attr_u32(ct, ATTR_STATUS);
	return NFCT_CB_STOP;
}

/* Of the packets that the server sends; the kernel takes either direction. */
static void tuple_set(struct nf_conntrack *ct, const struct flow *flow)
{
	uint16_t client_port, server_port;

	memcpy(&client_port, &flow->client.port, sizeof(client_port));
	memcpy(&server_port, &flow->server.port, sizeof(server_port));
	nfct_set_attr_u8(ct, ATTR_ORIG_L3PROTO,
			 (uint8_t)addr_af(&flow->client));
	nfct_set_attr_u8(ct, ATTR_ORIG_L4PROTO, IPPROTO_UDP);
	nfct_set_attr_u16(ct, ATTR_ORIG_PORT_SRC, server_port);
	nfct_set_attr_u16(ct, ATTR_ORIG_PORT_DST, client_port);
	if (flow->client.family == KTURN_FAMILY_V4) {
		nfct_set_attr(ct, ATTR_ORIG_IPV4_SRC, flow->server.ip);
		nfct_set_attr(ct, ATTR_ORIG_IPV4_DST, flow->client.ip);
	} else {
		nfct_set_attr(ct, ATTR_ORIG_IPV6_SRC, flow->server.ip);
		nfct_set_attr(ct, ATTR_ORIG_IPV6_DST, flow->client.ip);
	}
}

/* The connection's status; 0 if there is none. */
static int query(struct nfct_handle *h, const struct flow *flow,
		 uint32_t *status)
{
	struct nf_conntrack *ct = nfct_new();
	int ret;

	if (!ct)
		return -ENOMEM;
	tuple_set(ct, flow);
	*status = 0;
	nfct_callback_register(h, NFCT_T_ALL, status_read, status);
	ret = nfct_query(h, NFCT_Q_GET, ct) < 0 ? -errno : 0;
	nfct_callback_unregister(h);
	nfct_destroy(ct);
	return ret == -ENOENT ? 0 : ret;
}

bool nat_translates(const struct flow *flow)
{
	struct timeval timeout = { .tv_sec = 1 };
	struct nfct_handle *h;
	uint32_t status;
	int ret;

	/* Without connection tracking no NAT; asking would load it. */
	if (access("/sys/module/nf_conntrack", F_OK) && errno == ENOENT)
		return false;
	h = nfct_open(CONNTRACK, 0);
	if (!h)
		return errno != EPROTONOSUPPORT;
	/* The kernel answers at once; but nobody is to wait for ever. */
	setsockopt(nfct_fd(h), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		   sizeof(timeout));
	ret = query(h, flow, &status);
	nfct_close(h);
	/* EINVAL: the kernel has no such subsystem. */
	return ret ? ret != -EINVAL : status & (IPS_SRC_NAT | IPS_DST_NAT);
}
