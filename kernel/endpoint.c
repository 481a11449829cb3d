// SPDX-License-Identifier: GPL-2.0
/* Transport addresses in netlink attributes. */
#include <linux/in.h>
#include <net/ipv6.h>

#include "netlink.h"

static int kturn_check_ip4(const struct nlattr *attr, __be32 ip,
			   struct netlink_ext_ack *extack)
{
	if (ipv4_is_zeronet(ip)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "unspecified address");
		return -EINVAL;
	}
	if (ipv4_is_multicast(ip)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "multicast address");
		return -EINVAL;
	}
	if (ipv4_is_lbcast(ip)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "broadcast address");
		return -EINVAL;
	}
	/* The key has no place for the link. */
	if (ipv4_is_linklocal_169(ip)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "link-local address");
		return -EINVAL;
	}
	return 0;
}

static int kturn_check_ip6(const struct nlattr *attr, const struct in6_addr *ip,
			   struct netlink_ext_ack *extack)
{
	if (ipv6_addr_any(ip)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "unspecified address");
		return -EINVAL;
	}
	if (ipv6_addr_is_multicast(ip)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "multicast address");
		return -EINVAL;
	}
	if (ipv6_addr_v4mapped(ip)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "v4-mapped address: give it as addr4");
		return -EINVAL;
	}
	if (ipv6_addr_type(ip) & IPV6_ADDR_LINKLOCAL) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "link-local address");
		return -EINVAL;
	}
	return 0;
}

static int kturn_parse_ip(const struct nlattr *attr, struct nlattr **tb,
			  struct kturn_addr *addr,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *ip4 = tb[KTURN_A_ENDPOINT_ADDR4];
	struct nlattr *ip6 = tb[KTURN_A_ENDPOINT_ADDR6];

	memset(addr, 0, sizeof(*addr));
	if (!ip4 == !ip6) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "one of addr4 and addr6 is needed");
		return -EINVAL;
	}
	if (ip4) {
		__be32 ip = nla_get_in_addr(ip4);

		addr->family = KTURN_FAMILY_V4;
		memcpy(addr->ip, &ip, sizeof(ip));
		return kturn_check_ip4(ip4, ip, extack);
	}
	/* With ipv6.disable=1 nothing of the stack was set up. */
	if (!ipv6_mod_enabled()) {
		NL_SET_ERR_MSG_ATTR(extack, ip6, "IPv6 is disabled");
		return -EAFNOSUPPORT;
	}
	addr->family = KTURN_FAMILY_V6;
	memcpy(addr->ip, nla_data(ip6), sizeof(addr->ip));
	return kturn_check_ip6(ip6, (struct in6_addr *)addr->ip, extack);
}

/**
 * kturn_nl_endpoint() - read a transport address
 * @attr: nest that passed its policy
 * @addr: result: a unicast address that needs no link, and a port
 * @extack: for the refusal
 *
 * Return: 0 or -EINVAL.
 */
int kturn_nl_endpoint(const struct nlattr *attr, struct kturn_addr *addr,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KTURN_A_ENDPOINT_MAX + 1];
	int err;

	err = nla_parse_nested(tb, KTURN_A_ENDPOINT_MAX, attr,
			       kturn_endpoint_nl_policy, extack);
	if (err)
		return err;
	err = kturn_parse_ip(attr, tb, addr, extack);
	if (err)
		return err;
	if (!tb[KTURN_A_ENDPOINT_PORT]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "a port is needed");
		return -EINVAL;
	}
	addr->port = nla_get_be16(tb[KTURN_A_ENDPOINT_PORT]);
	if (!addr->port) {
		NL_SET_ERR_MSG_ATTR(extack, tb[KTURN_A_ENDPOINT_PORT],
				    "port 0");
		return -EINVAL;
	}
	return 0;
}

/**
 * kturn_nl_peer_ip() - read a peer's IP address
 * @attr: nest that passed its policy
 * @addr: result, with port 0
 * @extack: for the refusal
 *
 * Return: 0 or -EINVAL.
 */
int kturn_nl_peer_ip(const struct nlattr *attr, struct kturn_addr *addr,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KTURN_A_ENDPOINT_MAX + 1];
	int err;

	err = nla_parse_nested(tb, KTURN_A_ENDPOINT_MAX, attr,
			       kturn_endpoint_nl_policy, extack);
	if (err)
		return err;
	if (tb[KTURN_A_ENDPOINT_PORT]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[KTURN_A_ENDPOINT_PORT],
				    "a permission has no port");
		return -EINVAL;
	}
	return kturn_parse_ip(attr, tb, addr, extack);
}

/**
 * kturn_nl_put_endpoint() - write an address; a port of 0 is left out
 * @skb: message
 * @type: attribute
 * @addr: address
 *
 * Return: 0 or -EMSGSIZE.
 */
int kturn_nl_put_endpoint(struct sk_buff *skb, int type,
			  const struct kturn_addr *addr)
{
	struct nlattr *nest = nla_nest_start(skb, type);
	__be32 ip4;
	int err;

	if (!nest)
		return -EMSGSIZE;
	if (addr->family == KTURN_FAMILY_V4) {
		memcpy(&ip4, addr->ip, sizeof(ip4));
		err = nla_put_in_addr(skb, KTURN_A_ENDPOINT_ADDR4, ip4);
	} else {
		err = nla_put(skb, KTURN_A_ENDPOINT_ADDR6, sizeof(addr->ip),
			      addr->ip);
	}
	if (!err && addr->port)
		err = nla_put_be16(skb, KTURN_A_ENDPOINT_PORT, addr->port);
	if (err) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}
