// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn check-host: the devices that matter. Those with a default route or an
 * address, and those below them, where queues and interrupts are.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glob.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "check_ethtool.h"
#include "cli.h"

static struct check_dev *device_find(struct check *c, const char *name)
{
	for (size_t i = 0; i < c->n_devs; i++)
		if (!strcmp(c->devs[i].name, name))
			return &c->devs[i];
	return NULL;
}

/* sysfs shows the devices of the namespace that it was mounted in. */
static void sysfs_find(struct check_dev *dev)
{
	char path[64];
	uint64_t index;

	snprintf(path, sizeof(path), "/sys/class/net/%s", dev->name);
	if (check_number(&index, "%s/ifindex", path) && index == dev->index)
		snprintf(dev->sysfs, sizeof(dev->sysfs), "%s", path);
}

static enum check_kind kind_of(const struct check_dev *dev)
{
	static const struct {
		const char *driver;
		enum check_kind kind;
	} kinds[] = {
		{ "veth", CHECK_DEV_VETH },
		{ "netkit", CHECK_DEV_VETH },
		{ "tun", CHECK_DEV_TUN },
		{ "bridge", CHECK_DEV_BRIDGE },
		{ "openvswitch", CHECK_DEV_BRIDGE },
		{ "bonding", CHECK_DEV_STACKED },
		{ "team", CHECK_DEV_STACKED },
		{ "802.1Q VLAN Support", CHECK_DEV_STACKED },
		{ "macvlan", CHECK_DEV_STACKED },
		{ "ipvlan", CHECK_DEV_STACKED },
		{ "vrf", CHECK_DEV_STACKED },
	};
	char path[80];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(dev->driver, kinds[i].driver))
			return kinds[i].kind;
	snprintf(path, sizeof(path), "%s/device", dev->sysfs);
	return *dev->sysfs && !access(path, F_OK) ? CHECK_DEV_REAL :
						    CHECK_DEV_OTHER;
}

static void device_add(struct check *c, const char *name, bool lower);

/*
 * What a device is on top of: "lower_NAME" in its directory. Of a bridge, what
 * leads out of this host; not the containers on the other side.
 */
static void lower_add(struct check *c, const char *sysfs, const char *suffix)
{
	const char *start, *name;
	char pattern[80], lower[IF_NAMESIZE];
	glob_t found;

	if (!*sysfs)
		return;
	snprintf(pattern, sizeof(pattern), "%s/lower_*%s", sysfs, suffix);
	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			start = found.gl_pathv[i] + strlen(sysfs);
			name = start + strlen("/lower_");
			snprintf(lower, sizeof(lower), "%.*s",
				 (int)strcspn(name, "/"), name);
			device_add(c, lower, true);
		}
	}
	globfree(&found);
}

static void device_add(struct check *c, const char *name, bool lower)
{
	unsigned int index = if_nametoindex(name);
	struct check_dev *dev;
	char sysfs[64];

	if (!index || device_find(c, name))
		return;
	c->devs = check_grow(c->devs, c->n_devs, sizeof(*c->devs));
	dev = &c->devs[c->n_devs++];
	*dev = (struct check_dev){ .index = index, .lower = lower };
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	check_quote(dev->name, dev->word, sizeof(dev->word));
	sysfs_find(dev);
	ethtool_driver(dev->name, dev->driver, sizeof(dev->driver));
	dev->kind = kind_of(dev);
	/* @dev moves when the list grows. */
	snprintf(sysfs, sizeof(sysfs), "%s", dev->sysfs);
	lower_add(c, sysfs, dev->kind == CHECK_DEV_BRIDGE ? "/device" : "");
}

/* ---------------------------------------------------------- default routes */

/* "eth0 00000000 GATEWAY FLAGS REFCNT USE METRIC MASK ..." */
static bool is_default4(const char *line, char name[IF_NAMESIZE])
{
	unsigned int to, mask;

	return sscanf(line, "%15s %x %*s %*s %*s %*s %*s %x", name, &to,
		      &mask) == 3 && !to && !mask;
}

/* Destination, its length, source, its length, next hop, ..., device */
static bool is_default6(const char *line, char name[IF_NAMESIZE])
{
	unsigned int len;
	char to[33];

	return sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %*s %15s", to,
		      &len, name) == 3 &&
	       !len && !to[strspn(to, "0")] && strcmp(name, "lo");
}

static void routes_read(struct check *c, const char *path,
			bool (*is_default)(const char *line,
					   char name[IF_NAMESIZE]))
{
	char *text = check_read(NULL, "%s", path), *save = NULL, *line;
	char name[IF_NAMESIZE];
	struct check_dev *dev;

	/* Without IPv6, there is no such file. */
	if (!text && errno != ENOENT)
		check_unseen(c, path, "%s", strerror(errno));
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!is_default(line, name))
			continue;
		device_add(c, name, false);
		dev = device_find(c, name);
		if (dev)
			dev->is_default = true;
	}
	free(text);
}

/* -------------------------------------------------------------- addresses */

static bool address_read(const struct sockaddr *sa, struct check_addr *addr)
{
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const struct sockaddr_in *in = (const void *)sa;

	addr->family = sa->sa_family;
	if (sa->sa_family == AF_INET) {
		memcpy(addr->bytes, &in->sin_addr, 4);
		return true;
	}
	if (sa->sa_family != AF_INET6 ||
	    IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
		return false;
	memcpy(addr->bytes, &in6->sin6_addr, 16);
	return true;
}

/* Of devices that are up; loopback is no way to anywhere. */
static bool is_of_interest(const struct ifaddrs *i)
{
	return i->ifa_addr && i->ifa_flags & IFF_UP &&
	       !(i->ifa_flags & IFF_LOOPBACK);
}

static void addresses_read(struct check *c, const struct ifaddrs *list,
			   bool add)
{
	struct check_addr addr;
	struct check_dev *dev;
	const char *name;

	for (; list; list = list->ifa_next) {
		if (!is_of_interest(list) ||
		    !address_read(list->ifa_addr, &addr))
			continue;
		name = list->ifa_name;
		if (add)
			device_add(c, name, false);
		dev = device_find(c, name);
		if (!dev)
			continue;
		dev->has_v6 |= addr.family == AF_INET6;
		c->addrs = check_grow(c->addrs, c->n_addrs, sizeof(*c->addrs));
		c->addrs[c->n_addrs++] = addr;
	}
}

static bool names_read(struct check *c, const char *names)
{
	char name[IF_NAMESIZE];
	size_t len;

	for (;;) {
		len = strcspn(names, ",");
		snprintf(name, sizeof(name), "%.*s", (int)len, names);
		if (len >= sizeof(name) || !if_nametoindex(name)) {
			cli_usage("device: there is no device '%.*s'",
				  (int)len, names);
			return false;
		}
		device_add(c, name, false);
		if (!names[len])
			return true;
		names += len + 1;
	}
}

bool check_devices(struct check *c, const char *names)
{
	struct ifaddrs *list = NULL;

	if (names && !names_read(c, names))
		return false;
	if (!names) {
		routes_read(c, "/proc/net/route", is_default4);
		routes_read(c, "/proc/net/ipv6_route", is_default6);
	}
	if (getifaddrs(&list))
		check_unseen(c, "the addresses", "%s", strerror(errno));
	addresses_read(c, list, !names);
	freeifaddrs(list);
	if (c->n_devs)
		return true;
	check_add(c, CHECK_NOTE, "devices", NULL);
	check_found(c, "no device has a default route or an address");
	check_why(c, "Nobody can reach a relay here, and there is no device to look at.");
	return true;
}
