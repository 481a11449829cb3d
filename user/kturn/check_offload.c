// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn check-host: what devices do for the CPUs, and how long packets are. */
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "check.h"
#include "check_ethtool.h"

/* RFC 8200 section 5. */
#define MTU_MIN6	1280
#define MTU_USUAL	1500

/* Off, and it is a fault only where it can be turned on. */
static void off_found(struct check *c, const struct check_dev *dev,
		      const char *name, const char *what, bool fixed,
		      const char *why, const char *option)
{
	if (fixed && dev->kind != CHECK_DEV_REAL)
		return;
	check_add(c, fixed ? CHECK_NOTE : CHECK_WARN, name, dev->name);
	check_found(c, "%s is off%s", what, fixed ?
		    ", and the driver can't do it" : "");
	check_why(c, "%s", why);
	if (!fixed)
		check_do(c, "ethtool -K %s %s on", dev->word, option);
}

static void tx_look(struct check *c, const struct check_dev *dev,
		    const struct ethtool_features *f)
{
	enum ethtool_feature any = ethtool_feature(f, "tx-checksum-ip-generic");
	enum ethtool_feature v4 = ethtool_feature(f, "tx-checksum-ipv4");
	enum ethtool_feature v6 = ethtool_feature(f, "tx-checksum-ipv6");
	enum ethtool_feature sg = ethtool_feature(f, "tx-scatter-gather");
	bool sum_on = any == ETHTOOL_ON ||
		(v4 == ETHTOOL_ON && (v6 == ETHTOOL_ON || !dev->has_v6));

	if (sum_on)
		check_ok(c, "tx-checksum", dev->name,
			 "the device computes checksums");
	else
		off_found(c, dev, "tx-checksum", "transmit checksumming",
			  any != ETHTOOL_OFF && v4 != ETHTOOL_OFF &&
			  v6 != ETHTOOL_OFF,
			  "The CPU reads every byte of the packets that this host sends itself, kturnd's included.",
			  "tx");
	if (sg == ETHTOOL_ON)
		check_ok(c, "scatter-gather", dev->name,
			 "the device takes packets in pieces");
	/* It needs checksums; what turns these on brings it back. */
	else
		off_found(c, dev, "scatter-gather", "scatter-gather",
			  sg != ETHTOOL_OFF && sum_on,
			  "A packet that was received in pieces is copied as a whole before it goes out.",
			  "sg");
}

static void rx_look(struct check *c, const struct check_dev *dev,
		    const struct ethtool_features *f)
{
	static const char *const bundles[] = {
		"rx-gro-list", "rx-udp-gro-forwarding",
	};

	if (dev->kind == CHECK_DEV_REAL &&
	    ethtool_feature(f, "rx-checksum") != ETHTOOL_ON)
		off_found(c, dev, "rx-checksum", "receive checksumming",
			  ethtool_feature(f, "rx-checksum") != ETHTOOL_OFF,
			  "The CPU reads every byte of the packets that are left to kturnd.",
			  "rx");
	/* Off by default on veth and the like, where it is of little use. */
	if (ethtool_feature(f, "rx-gro") == ETHTOOL_ON) {
		check_ok(c, "gro", dev->name, "GRO is on");
	} else if (dev->kind == CHECK_DEV_REAL) {
		check_add(c, CHECK_NOTE, "gro", dev->name);
		check_found(c, "GRO is off");
		check_why(c, "Nothing to a relay of UDP, but the TCP connections of other services on this host cost more.");
		check_do(c, "ethtool -K %s gro on", dev->word);
	}
	for (size_t i = 0; i < 2; i++) {
		if (ethtool_feature(f, bundles[i]) != ETHTOOL_ON) {
			check_ok(c, bundles[i], dev->name, "%s is off",
				 bundles[i]);
			continue;
		}
		check_add(c, CHECK_NOTE, bundles[i], dev->name);
		check_found(c, "%s is on", bundles[i]);
		check_why(c, "UDP packets of a flow reach kturn in bundles. They are split again, and one that has to be left to kturnd takes the others of its bundle with it. Media of many clients make short bundles; leave it on only if a measurement says so.");
		check_do(c, "ethtool -K %s %s off", dev->word, bundles[i]);
	}
}

void check_offloads(struct check *c)
{
	struct ethtool_features *f;
	char what[64];

	for (size_t i = 0; i < c->n_devs; i++) {
		const struct check_dev *dev = &c->devs[i];

		f = ethtool_features_get(dev->name);
		if (!f) {
			snprintf(what, sizeof(what), "%s's offloads",
				 dev->name);
			check_unseen(c, what, "%s", strerror(errno));
			continue;
		}
		tx_look(c, dev, f);
		rx_look(c, dev, f);
		ethtool_features_free(f);
	}
}

/* -------------------------------------------------------------------- MTU */

static int mtu_of(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), mtu = -1;
	struct ifreq ifr = { 0 };

	if (fd < 0)
		return -1;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (!ioctl(fd, SIOCGIFMTU, &ifr))
		mtu = ifr.ifr_mtu;
	close(fd);
	return mtu;
}

static void mtu_look(struct check *c, const struct check_dev *dev, int mtu)
{
	if (mtu < MTU_MIN6) {
		check_add(c, CHECK_WARN, "mtu", dev->name);
		check_found(c, "the MTU is %d, less than the %d that IPv6 needs",
			    mtu, MTU_MIN6);
		check_why(c, "Linux has no IPv6 on such a device, and media packets of the usual 1200 bytes do not fit with TURN's headers: they are fragmented, and fragments are lost more often.");
		check_do(c, "ip link set dev %s mtu %d", dev->word, MTU_USUAL);
	} else if (mtu < MTU_USUAL) {
		check_add(c, CHECK_NOTE, "mtu", dev->name);
		check_found(c, "the MTU is %d", mtu);
		check_why(c, "A Data indication adds 36 bytes to a packet or more, a channel 4: what a peer sends in packets of %d bytes is too big for the client's side. If the link below allows it, use %d.",
			  mtu, MTU_USUAL);
		check_do(c, "ip link set dev %s mtu %d", dev->word, MTU_USUAL);
	} else {
		check_ok(c, "mtu", dev->name, "the MTU is %d", mtu);
	}
}

void check_mtu(struct check *c)
{
	const struct check_dev *least = NULL, *most = NULL;
	int mtu, min = 0, max = 0;
	char what[64];

	for (size_t i = 0; i < c->n_devs; i++) {
		const struct check_dev *dev = &c->devs[i];

		mtu = mtu_of(dev->name);
		if (mtu < 0) {
			snprintf(what, sizeof(what), "%s's MTU", dev->name);
			check_unseen(c, what, "%s", strerror(errno));
			continue;
		}
		mtu_look(c, dev, mtu);
		if (dev->lower)
			continue;
		if (!least || mtu < min) {
			least = dev;
			min = mtu;
		}
		if (!most || mtu > max) {
			most = dev;
			max = mtu;
		}
	}
	if (!least || min == max)
		return;
	check_add(c, CHECK_NOTE, "mtu-differs", NULL);
	check_found(c, "the MTU of %s is %d, that of %s is %d", most->name, max,
		    least->name, min);
	check_why(c, "What is relayed from the one to the other may have to be fragmented, or its sender is told to send less and may not listen.");
	check_do(c, "ip link set dev %s mtu %d", most->word, min);
}
