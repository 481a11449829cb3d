// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn check-host: which CPUs do a device's work. A relay's load is packets,
 * and all that come in by one receive queue are one CPU's.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include "check.h"
#include "check_ethtool.h"

static unsigned int queues_count(const struct check_dev *dev)
{
	unsigned int n = 0;
	char pattern[96];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/queues/rx-*", dev->sysfs);
	if (!glob(pattern, 0, NULL, &found))
		n = found.gl_pathc;
	globfree(&found);
	return n;
}

/* How many of the queues spread what comes in over several CPUs? */
static unsigned int rps_count(const struct check_dev *dev, unsigned int queues)
{
	unsigned int n = 0;
	char mask[1024];

	for (unsigned int i = 0; i < queues; i++)
		if (check_line(mask, sizeof(mask), "%s/queues/rx-%u/rps_cpus",
			       dev->sysfs, i) &&
		    mask[strspn(mask, "0,")])
			n++;
	return n;
}

/* All CPUs, in the form of rps_cpus: 32 in each word, the last ones first. */
static void mask_write(unsigned int cpus, char *buf, size_t size)
{
	unsigned int rest = cpus % 32, words = cpus / 32;
	size_t n = 0;

	buf[0] = '\0';
	if (rest)
		n = snprintf(buf, size, "%x", (1U << rest) - 1);
	for (; words && n < size; words--)
		n += snprintf(buf + n, size - n, "%sffffffff", n ? "," : "");
}

static void rps_do(struct check *c, const struct check_dev *dev)
{
	char mask[640];

	mask_write(c->cpus, mask, sizeof(mask));
	check_do(c, "for q in /sys/class/net/%s/queues/rx-*/rps_cpus; do echo %s >$q; done",
		 dev->word, mask);
}

/*
 * A veth's or tun's packets are dealt with where they were sent, which other
 * devices may have spread already: so that need not be a fault there.
 */
static enum check_severity fault(const struct check_dev *dev)
{
	return dev->kind == CHECK_DEV_REAL ? CHECK_WARN : CHECK_NOTE;
}

static void few_queues(struct check *c, const struct check_dev *dev,
		       unsigned int queues, bool rps)
{
	uint32_t now, max = 0;
	const char *word;
	bool more;

	more = ethtool_channels(dev->name, &word, &now, &max) && max > queues;
	if (rps && !(more && dev->kind == CHECK_DEV_REAL)) {
		check_ok(c, "rx-queues", dev->name,
			 "receive queues: %u, CPUs: %u, and RPS spreads the load",
			 queues, c->cpus);
		return;
	}
	check_add(c, rps || (queues > 1 && 2 * queues >= c->cpus) ?
		  CHECK_NOTE : fault(dev), rps ? "rx-queues" : "rps",
		  dev->name);
	check_found(c, "receive queues: %u, CPUs: %u, RPS: %s", queues,
		    c->cpus, rps ? "on" : "off");
	if (dev->kind == CHECK_DEV_REAL)
		check_why(c, "What comes in by a queue is relayed by one CPU: the others are idle while that one drops packets.");
	else
		check_why(c, "Packets are relayed by the CPU that sent them into this device; if that is always the same one, the others are idle.");
	if (more)
		check_do(c, "ethtool -L %s %s %u", dev->word, word,
			 max < c->cpus ? max : c->cpus);
	if (!rps && (!more || max < c->cpus))
		rps_do(c, dev);
}

static void hash_look(struct check *c, const struct check_dev *dev, bool v6)
{
	const char *name = v6 ? "rss-udp6" : "rss-udp4";
	char what[64];
	bool ports;

	if (!ethtool_hash_ports(dev->name, v6, &ports)) {
		snprintf(what, sizeof(what), "%s's receive hash for UDP over IPv%d",
			 dev->name, v6 ? 6 : 4);
		check_unseen(c, what, "%s", errno == EOPNOTSUPP ?
			     "its driver does not tell" : strerror(errno));
		return;
	}
	if (ports) {
		check_ok(c, name, dev->name,
			 "UDP over IPv%d is spread over the queues by ports, too",
			 v6 ? 6 : 4);
		return;
	}
	check_add(c, CHECK_WARN, name, dev->name);
	check_found(c, "UDP over IPv%d is spread over the queues by addresses alone",
		    v6 ? 6 : 4);
	check_why(c, "All clients behind one address, and all media of a peer that is another relay, come in by one queue.");
	check_do(c, "ethtool -N %s rx-flow-hash udp%d sdfn", dev->word,
		 v6 ? 6 : 4);
}

/* Packets that came when the ring was full. */
static void ring_look(struct check *c, const struct check_dev *dev)
{
	uint64_t missed = 0, packets = 0;
	uint32_t now, max;
	bool more;

	if (!check_number(&missed, "%s/statistics/rx_missed_errors",
			  dev->sysfs) ||
	    !check_number(&packets, "%s/statistics/rx_packets", dev->sysfs))
		return;
	more = ethtool_ring(dev->name, &now, &max) && max > now;
	if (!missed) {
		check_ok(c, "rx-missed", dev->name, "no packet found its ring full");
		return;
	}
	check_add(c, check_is_many(missed, packets) ? CHECK_WARN : CHECK_NOTE,
		  "rx-missed", dev->name);
	check_found(c, "%llu packets since the start found its ring full",
		    (unsigned long long)missed);
	check_why(c, "They are lost before any relay sees them.");
	if (more)
		check_do(c, "ethtool -G %s rx %u", dev->word, max);
}

static void device_look(struct check *c, const struct check_dev *dev)
{
	unsigned int queues, rps;

	if (!*dev->sysfs) {
		check_unseen(c, dev->name,
			     "/sys is that of another network namespace");
		return;
	}
	queues = queues_count(dev);
	/* What is on others has no queues of its own that matter. */
	if (!queues || dev->kind == CHECK_DEV_STACKED ||
	    dev->kind == CHECK_DEV_BRIDGE)
		return;
	rps = rps_count(dev, queues);
	if (c->cpus == 1 || queues >= c->cpus)
		check_ok(c, "rx-queues", dev->name,
			 "receive queues: %u, CPUs: %u", queues, c->cpus);
	else
		few_queues(c, dev, queues, rps == queues);
	if (queues > 1 && dev->kind == CHECK_DEV_REAL) {
		hash_look(c, dev, false);
		hash_look(c, dev, true);
	}
	ring_look(c, dev);
}

void check_queues(struct check *c)
{
	for (size_t i = 0; i < c->n_devs; i++)
		device_look(c, &c->devs[i]);
}
