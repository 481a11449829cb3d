// SPDX-License-Identifier: GPL-2.0-or-later
/* The router that a relay address's packets leave by; see learn.h. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#include "learn.h"

/* RFC 7723: the way to a PCP server that is not named. */
static const uint8_t pcp_anycast[4] = { 192, 0, 0, 9 };

static int on_route(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct nlattr *attrs[RTA_MAX + 1];
	struct kturn_addr *gateway = arg;

	if (hdr->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(hdr, sizeof(struct rtmsg), attrs, RTA_MAX, NULL) ||
	    !attrs[RTA_GATEWAY] || nla_len(attrs[RTA_GATEWAY]) != 4)
		return NL_OK;
	gateway->family = KTURN_FAMILY_V4;
	memcpy(gateway->ip, nla_data(attrs[RTA_GATEWAY]), 4);
	return NL_OK;
}

static int ask_kernel(struct nl_sock *sock, const struct kturn_addr *from)
{
	struct rtmsg rtm = {
		.rtm_family = AF_INET,
		.rtm_dst_len = 32,
		.rtm_src_len = 32,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);
	int ret = -NLE_NOMEM;

	if (!msg)
		return ret;
	if (!nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO) &&
	    !nla_put(msg, RTA_DST, sizeof(pcp_anycast), pcp_anycast) &&
	    !nla_put(msg, RTA_SRC, 4, from->ip))
		ret = nl_send_auto(sock, msg);
	nlmsg_free(msg);
	return ret < 0 ? ret : nl_recvmsgs_default(sock);
}

int nat_gateway(struct nat *n, struct kturn_addr *gateway)
{
	struct nl_sock *sock = nl_socket_alloc();
	int ret;

	memset(gateway, 0, sizeof(*gateway));
	if (!sock)
		return nat_failed(n, -ENOMEM, "out of memory");
	nl_socket_disable_auto_ack(sock);
	ret = nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_route,
				  gateway);
	if (!ret)
		ret = nl_connect(sock, NETLINK_ROUTE);
	if (!ret)
		ret = ask_kernel(sock, &n->private);
	nl_socket_free(sock);
	if (ret < 0)
		return nat_failed(n, -EHOSTUNREACH, "no gateway: %s",
				  nl_geterror(ret));
	if (!gateway->family)
		return nat_failed(n, -EHOSTUNREACH,
				  "no gateway: there is no default route by one");
	return 0;
}
