// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn check-host: requests of ethtool(8) that need no privilege. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "check_ethtool.h"

/* More than any kernel has. */
#define STRINGS_MAX	1024

struct ethtool_features {
	struct ethtool_gstrings *names;
	struct ethtool_gfeatures *states;
};

/* @cmd begins with its number, and is answered in place. */
static bool request(const char *dev, void *cmd)
{
	struct ifreq ifr = { .ifr_data = cmd };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
	bool ok;

	/* A kernel may lack IPv4. */
	if (fd < 0)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	ok = !ioctl(fd, SIOCETHTOOL, &ifr);
	err = errno;
	close(fd);
	errno = err;
	return ok;
}

void ethtool_driver(const char *dev, char *buf, size_t size)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	if (!request(dev, &info))
		*info.driver = '\0';
	snprintf(buf, size, "%.*s", (int)sizeof(info.driver), info.driver);
}

bool ethtool_channels(const char *dev, const char **word, uint32_t *now,
		      uint32_t *max)
{
	struct ethtool_channels ch = { .cmd = ETHTOOL_GCHANNELS };

	if (!request(dev, &ch))
		return false;
	*word = ch.max_combined ? "combined" : "rx";
	*now = ch.combined_count + ch.rx_count;
	*max = ch.max_combined ? ch.max_combined : ch.max_rx;
	return true;
}

bool ethtool_ring(const char *dev, uint32_t *now, uint32_t *max)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };

	if (!request(dev, &ring))
		return false;
	*now = ring.rx_pending;
	*max = ring.rx_max_pending;
	return true;
}

bool ethtool_hash_ports(const char *dev, bool v6, bool *ports)
{
	struct ethtool_rxnfc nfc = {
		.cmd = ETHTOOL_GRXFH,
		.flow_type = v6 ? UDP_V6_FLOW : UDP_V4_FLOW,
	};

	if (!request(dev, &nfc))
		return false;
	*ports = nfc.data & RXH_L4_B_0_1 && nfc.data & RXH_L4_B_2_3;
	return true;
}

/* --------------------------------------------------------------- features */

static uint32_t names_count(const char *dev)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t n;
	} set = {
		.info = {
			.cmd = ETHTOOL_GSSET_INFO,
			.sset_mask = 1ULL << ETH_SS_FEATURES,
		},
	};
	uint32_t n;

	if (!request(dev, &set))
		return 0;
	memcpy(&n, set.info.data, sizeof(n));
	errno = EOPNOTSUPP;
	return set.info.sset_mask && n <= STRINGS_MAX ? n : 0;
}

struct ethtool_features *ethtool_features_get(const char *dev)
{
	uint32_t n = names_count(dev), blocks = (n + 31) / 32;
	struct ethtool_features *f;
	int err;

	if (!n)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->names = calloc(1, sizeof(*f->names) + n * ETH_GSTRING_LEN);
	f->states = calloc(1, sizeof(*f->states) +
			   blocks * sizeof(*f->states->features));
	if (!f->names || !f->states)
		goto free;
	f->names->cmd = ETHTOOL_GSTRINGS;
	f->names->string_set = ETH_SS_FEATURES;
	f->names->len = n;
	f->states->cmd = ETHTOOL_GFEATURES;
	f->states->size = blocks;
	if (!request(dev, f->names) || !request(dev, f->states))
		goto free;
	/* Never more than what was asked for. */
	if (f->names->len <= n && f->states->size >= (f->names->len + 31) / 32)
		return f;
	errno = EBADMSG;
free:
	err = errno;
	ethtool_features_free(f);
	errno = err;
	return NULL;
}

enum ethtool_feature ethtool_feature(const struct ethtool_features *f,
				     const char *name)
{
	for (uint32_t i = 0; i < f->names->len; i++) {
		const struct ethtool_get_features_block *block =
			&f->states->features[i / 32];
		uint32_t bit = 1U << (i % 32);

		if (strncmp((char *)f->names->data + i * ETH_GSTRING_LEN, name,
			    ETH_GSTRING_LEN))
			continue;
		if (block->active & bit)
			return ETHTOOL_ON;
		return block->available & bit &&
		       !(block->never_changed & bit) ? ETHTOOL_OFF :
						       ETHTOOL_OFF_FIXED;
	}
	return ETHTOOL_UNKNOWN;
}

void ethtool_features_free(struct ethtool_features *f)
{
	if (!f)
		return;
	free(f->names);
	free(f->states);
	free(f);
}
