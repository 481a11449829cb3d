// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn check-host: what makes the module leave packets to kturnd. It does not
 * relay what the stack would have refused, or treats in ways of its own.
 */
#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "check_ethtool.h"

/* ------------------------------------------------------------------ IPsec */

struct policies {
	unsigned int in;
	unsigned int out;
};

static int policy_read(const struct nlmsghdr *nlh, void *data)
{
	const struct xfrm_userpolicy_info *p = mnl_nlmsg_get_payload(nlh);
	struct policies *n = data;

	if (nlh->nlmsg_type != XFRM_MSG_NEWPOLICY ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*p))
		return MNL_CB_OK;
	n->in += p->dir == XFRM_POLICY_IN;
	n->out += p->dir == XFRM_POLICY_OUT;
	return MNL_CB_OK;
}

static void xfrm_look(struct check *c)
{
	struct policies n = { 0 };
	char buf[256] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int err = 0;

	/* Whoever has policies has it loaded. */
	if (check_present("xfrm_user")) {
		nlh->nlmsg_type = XFRM_MSG_GETPOLICY;
		mnl_nlmsg_put_extra_header(nlh,
					   sizeof(struct xfrm_userpolicy_id));
		err = check_netlink(NETLINK_XFRM, nlh, NLM_F_DUMP, policy_read,
				    &n);
	}
	if (err == EPROTONOSUPPORT)
		err = 0;
	if (err) {
		check_unseen(c, "IPsec policies", "%s", err == EPERM ?
			     "needs CAP_NET_ADMIN" : strerror(err));
		return;
	}
	if (!n.in && !n.out) {
		check_ok(c, "ipsec", NULL, "there are no IPsec policies");
		return;
	}
	check_add(c, n.in ? CHECK_BAD : CHECK_NOTE, "ipsec", NULL);
	check_found(c, "IPsec policies: %u inbound, %u outbound", n.in, n.out);
	if (n.in)
		check_why(c, "With an inbound policy in the network namespace, whatever it is for, the module relays nothing: the packets that it takes would go round the check. Have IPsec in a namespace of its own, or the relay.");
	else
		check_why(c, "Packets that one of them is for are relayed by kturnd.");
	check_do(c, "ip xfrm policy list");
}

/* --------------------------------------------------------------- rp_filter */

/* The kernel takes the greater one of the two. */
static uint64_t rp_filter_of(const struct check_dev *dev)
{
	uint64_t all = 0, own = 0;

	check_number(&all, "/proc/sys/net/ipv4/conf/all/rp_filter");
	check_number(&own, "/proc/sys/net/ipv4/conf/%s/rp_filter", dev->name);
	return all > own ? all : own;
}

static void rp_filter_look(struct check *c)
{
	uint64_t refused = 0, value;
	unsigned int n = 0;

	check_counter("/proc/net/netstat", "TcpExt:", "IPReversePathFilter",
		      &refused);
	for (size_t i = 0; i < c->n_devs; i++)
		n += !c->devs[i].lower;
	for (size_t i = 0; i < c->n_devs; i++) {
		const struct check_dev *dev = &c->devs[i];

		if (dev->lower)
			continue;
		value = rp_filter_of(dev);
		if (value != 1 || (n < 2 && !refused)) {
			check_ok(c, "rp-filter", dev->name,
				 "rp_filter is %" PRIu64, value);
			continue;
		}
		check_add(c, refused ? CHECK_WARN : CHECK_NOTE, "rp-filter",
			  dev->name);
		check_found(c, "rp_filter is 1 (strict), and %" PRIu64 " packets were refused",
			    refused);
		check_why(c, "What comes in by another device than answers would go out by is not relayed, and dropped. Loose mode (2) refuses sources without any route only.");
		check_do(c, "sysctl -w net.ipv4.conf.%s.rp_filter=2", dev->word);
	}
}

static void martians_look(struct check *c)
{
	uint64_t all = 0;

	if (!check_number(&all, "/proc/sys/net/ipv4/conf/all/log_martians"))
		return;
	if (!all) {
		check_ok(c, "log-martians", NULL, "log_martians is 0");
		return;
	}
	check_add(c, CHECK_NOTE, "log-martians", NULL);
	check_found(c, "log_martians is 1");
	check_why(c, "Forged sources are logged, and anybody can send them to a relay's ports.");
	check_do(c, "sysctl -w net.ipv4.conf.all.log_martians=0");
}

/* ---------------------------------------------------------- bridges and VRFs */

static void bridge_look(struct check *c)
{
	static const char *const names[] = {
		"bridge-nf-call-iptables", "bridge-nf-call-ip6tables",
	};
	const struct check_dev *bridge = NULL;
	uint64_t value;

	for (size_t i = 0; i < c->n_devs && !bridge; i++)
		if (c->devs[i].kind == CHECK_DEV_BRIDGE)
			bridge = &c->devs[i];
	for (size_t i = 0; i < 2; i++) {
		/* Not there: br_netfilter is not loaded. */
		if (!check_number(&value, "/proc/sys/net/bridge/%s", names[i]) ||
		    !bridge || !value) {
			check_ok(c, names[i], NULL, "bridged packets do not pass the hooks of %s",
				 i ? "IPv6" : "IPv4");
			continue;
		}
		check_add(c, CHECK_WARN, names[i], bridge->name);
		check_found(c, "bridged packets pass the hooks of %s, and %s is a bridge",
			    i ? "IPv6" : "IPv4", bridge->name);
		check_why(c, "The module leaves them to kturnd: they are still the bridge's there, and they do not pass the hooks again when they are this host's.");
		check_do(c, "sysctl -w net.bridge.%s=0", names[i]);
	}
}

static bool is_in_vrf(const struct check_dev *dev)
{
	char path[80], to[256], driver[33];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/master", dev->sysfs);
	len = *dev->sysfs ? readlink(path, to, sizeof(to) - 1) : -1;
	if (len <= 0)
		return false;
	to[len] = '\0';
	ethtool_driver(strrchr(to, '/') ? strrchr(to, '/') + 1 : to, driver,
		       sizeof(driver));
	return !strcmp(driver, "vrf");
}

static void vrf_look(struct check *c)
{
	uint64_t accept = 0;

	check_number(&accept, "/proc/sys/net/ipv4/udp_l3mdev_accept");
	for (size_t i = 0; i < c->n_devs; i++) {
		const struct check_dev *dev = &c->devs[i];

		if (!is_in_vrf(dev))
			continue;
		if (accept) {
			check_ok(c, "vrf", dev->name,
				 "it is in a VRF, and udp_l3mdev_accept is 1");
			continue;
		}
		check_add(c, CHECK_NOTE, "vrf", dev->name);
		check_found(c, "it is in a VRF");
		check_why(c, "kturnd gets packets from there only if it runs in that VRF, or if sockets that are bound to no device are taken for all of them.");
		check_do(c, "sysctl -w net.ipv4.udp_l3mdev_accept=1");
	}
}

void check_routing(struct check *c)
{
	xfrm_look(c);
	rp_filter_look(c);
	martians_look(c);
	bridge_look(c);
	vrf_look(c);
}
