// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network card where there is none: to be preloaded. Devices are those of a
 * driver "shim", or of $SHIM_DRIVER_<device>; receive hash for UDP, queues and
 * ring are as the environment says; all else is the kernel's answer.
 *
 *	SHIM_HASH	what ethtool(8) calls "sd" or "sdfn"
 *	SHIM_CHANNELS	combined queues: "NOW MAX"
 *	SHIM_RING	receive ring: "NOW MAX"
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static int pair_read(const char *name, __u32 *now, __u32 *max)
{
	const char *text = getenv(name);

	if (text && sscanf(text, "%u %u", now, max) == 2)
		return 0;
	errno = EOPNOTSUPP;
	return -1;
}

static int driver_read(struct ifreq *ifr)
{
	struct ethtool_drvinfo *info = (void *)ifr->ifr_data;
	char name[64];
	const char *text;

	snprintf(name, sizeof(name), "SHIM_DRIVER_%.15s", ifr->ifr_name);
	text = getenv(name);
	snprintf(info->driver, sizeof(info->driver), "%s",
		 text ? text : "shim");
	return 0;
}

static int hash_read(struct ethtool_rxnfc *nfc)
{
	const char *text = getenv("SHIM_HASH");

	if (!text) {
		errno = EOPNOTSUPP;
		return -1;
	}
	nfc->data = RXH_IP_SRC | RXH_IP_DST;
	if (!strcmp(text, "sdfn"))
		nfc->data |= RXH_L4_B_0_1 | RXH_L4_B_2_3;
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*kernel)(int fd, unsigned long request, ...);
	struct ethtool_ringparam *ring;
	struct ethtool_channels *ch;
	struct ifreq *ifr;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	kernel = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	ifr = arg;
	if (request != SIOCETHTOOL)
		return kernel(fd, request, arg);
	switch (*(__u32 *)ifr->ifr_data) {
	case ETHTOOL_GDRVINFO:
		return driver_read(ifr);
	case ETHTOOL_GRXFH:
		return hash_read((void *)ifr->ifr_data);
	case ETHTOOL_GCHANNELS:
		ch = (void *)ifr->ifr_data;
		return pair_read("SHIM_CHANNELS", &ch->combined_count,
				 &ch->max_combined);
	case ETHTOOL_GRINGPARAM:
		ring = (void *)ifr->ifr_data;
		return pair_read("SHIM_RING", &ring->rx_pending,
				 &ring->rx_max_pending);
	}
	return kernel(fd, request, arg);
}
