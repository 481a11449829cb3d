/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kturn check-host: what drivers tell of their devices. */
#ifndef _KTURN_CHECK_ETHTOOL_H
#define _KTURN_CHECK_ETHTOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * enum ethtool_feature - a feature's state
 * @ETHTOOL_UNKNOWN: this kernel has none of that name
 * @ETHTOOL_OFF: off
 * @ETHTOOL_OFF_FIXED: off, and it can't be changed
 * @ETHTOOL_ON: on
 */
enum ethtool_feature {
	ETHTOOL_UNKNOWN,
	ETHTOOL_OFF,
	ETHTOOL_OFF_FIXED,
	ETHTOOL_ON,
};

struct ethtool_features;

/** ethtool_driver() - name of the driver; empty if it is not told */
void ethtool_driver(const char *dev, char *buf, size_t size);

/**
 * ethtool_channels() - how many queues could a device have?
 * @dev: device
 * @word: result, as "ethtool -L" calls them: "combined" or "rx"
 * @now: receive queues
 * @max: the most that can be set
 *
 * Return: false if it does not tell; errno says why.
 */
bool ethtool_channels(const char *dev, const char **word, uint32_t *now,
		      uint32_t *max);

/**
 * ethtool_ring() - how many packets has a receive queue room for?
 * @dev: device
 * @now: packets
 * @max: the most that can be set
 *
 * Return: as ethtool_channels().
 */
bool ethtool_ring(const char *dev, uint32_t *now, uint32_t *max);

/**
 * ethtool_hash_ports() - do UDP ports count when a queue is chosen?
 * @dev: device
 * @v6: of IPv6, else of IPv4
 * @ports: result
 *
 * Return: as ethtool_channels().
 */
bool ethtool_hash_ports(const char *dev, bool v6, bool *ports);

/** ethtool_features_get() - a device's features; NULL: errno says why */
struct ethtool_features *ethtool_features_get(const char *dev);

/** ethtool_feature() - the state of a feature, by the kernel's name for it */
enum ethtool_feature ethtool_feature(const struct ethtool_features *f,
				     const char *name);

/** ethtool_features_free() - forget them; NULL is fine */
void ethtool_features_free(struct ethtool_features *f);

#endif /* _KTURN_CHECK_ETHTOOL_H */
