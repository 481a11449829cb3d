// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn check-host: what the kernel has counted since it started. A counter
 * can't be set back, so what is a small part of all is only told.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"

bool check_is_many(uint64_t count, uint64_t all)
{
	return count > all / 10000;
}

/* The word at *@p, which moves behind it; its length, 0 at a line's end. */
static size_t word_next(const char **p, const char **word)
{
	*p += strspn(*p, " \t");
	*word = *p;
	*p += strcspn(*p, " \t\n");
	return *p - *word;
}

/* Two lines: names, and values in the same order. */
static bool pair_read(const char *names, const char *values, const char *name,
		      uint64_t *value)
{
	const char *word, *number;
	size_t len;

	while ((len = word_next(&names, &word))) {
		if (!word_next(&values, &number))
			return false;
		if (len == strlen(name) && !strncmp(word, name, len)) {
			*value = strtoull(number, NULL, 10);
			return true;
		}
	}
	return false;
}

static bool line_read(const char *line, const char *name, uint64_t *value)
{
	const char *word;
	size_t len = word_next(&line, &word);

	if (len != strlen(name) || strncmp(word, name, len) ||
	    !word_next(&line, &word))
		return false;
	*value = strtoull(word, NULL, 10);
	return true;
}

static const char *line_next(const char *p)
{
	p = strchr(p, '\n');
	return p ? p + 1 : NULL;
}

bool check_counter(const char *path, const char *group, const char *name,
		   uint64_t *value)
{
	char *text = check_read(NULL, "%s", path);
	size_t len = group ? strlen(group) : 0;
	const char *next;
	bool ok = false;

	for (const char *p = text; p && *p && !ok; p = next) {
		next = line_next(p);
		if (!group)
			ok = line_read(p, name, value);
		else if (!strncmp(p, group, len) && next)
			ok = pair_read(p, next, name, value);
	}
	if (text && !ok)
		errno = ENODATA;
	free(text);
	return ok;
}

uint64_t check_column(const char *path, const char *name)
{
	char *text = check_read(NULL, "%s", path);
	const char *p = text, *word;
	size_t column = 0, n, len;
	uint64_t sum = 0;

	while (p && (len = word_next(&p, &word)) &&
	       (len != strlen(name) || strncmp(word, name, len)))
		column++;
	/* The name was not there if that was the end of its line. */
	if (!p || !len)
		goto free;
	for (p = line_next(p); p; p = line_next(p)) {
		for (n = 0; word_next(&p, &word) && n < column; n++)
			;
		if (n == column)
			sum += strtoull(word, NULL, 16);
	}
free:
	free(text);
	return sum;
}

/* ------------------------------------------------------------------ softnet */

/* Packets, packets dropped, and how often there was more to do: in hex. */
static bool softnet_read(uint64_t *packets, uint64_t *dropped,
			 uint64_t *squeezed)
{
	char *text = check_read(NULL, "/proc/net/softnet_stat");
	unsigned int v[3];

	*packets = 0;
	*dropped = 0;
	*squeezed = 0;
	if (!text)
		return false;
	for (const char *p = text; p && *p; p = line_next(p)) {
		if (sscanf(p, "%x %x %x", &v[0], &v[1], &v[2]) != 3)
			continue;
		*packets += v[0];
		*dropped += v[1];
		*squeezed += v[2];
	}
	free(text);
	return true;
}

static void least(struct check *c, const char *name, uint64_t want,
		  const char *why)
{
	uint64_t value;

	if (!check_sysctl(c, name, &value))
		return;
	if (value >= want) {
		check_ok(c, name, NULL, "%s is %" PRIu64, name, value);
		return;
	}
	check_add(c, CHECK_WARN, name, NULL);
	check_found(c, "%s is %" PRIu64 ", less than the usual %" PRIu64, name,
		    value, want);
	check_why(c, "%s", why);
	check_do(c, "sysctl -w %s=%" PRIu64, name, want);
}

void check_softnet(struct check *c)
{
	uint64_t packets, dropped, squeezed;

	least(c, "net.core.netdev_max_backlog", 1000,
	      "Packets that RPS, veth or loopback hand to a CPU wait there, and what does not fit is lost.");
	least(c, "net.core.netdev_budget", 300,
	      "A CPU stops after so many packets, though more are waiting.");
	if (!softnet_read(&packets, &dropped, &squeezed)) {
		check_unseen(c, "/proc/net/softnet_stat", "%s",
			     strerror(errno));
		return;
	}
	if (!dropped) {
		check_ok(c, "softnet-dropped", NULL,
			 "no packet was dropped for want of room in a backlog");
	} else {
		check_add(c, check_is_many(dropped, packets) ? CHECK_WARN :
			  CHECK_NOTE, "softnet-dropped", NULL);
		check_found(c, "%" PRIu64 " of %" PRIu64 " packets were dropped for want of room in a backlog",
			    dropped, packets);
		check_why(c, "They were lost before a relay saw them. A burst may want more room; if it goes on, a CPU can't keep up.");
		check_do(c, "sysctl -w net.core.netdev_max_backlog=10000");
	}
	if (!check_is_many(squeezed, packets)) {
		check_ok(c, "softnet-squeezed", NULL,
			 "CPUs stopped with packets waiting %" PRIu64 " times",
			 squeezed);
		return;
	}
	check_add(c, CHECK_NOTE, "softnet-squeezed", NULL);
	check_found(c, "CPUs stopped with packets waiting %" PRIu64 " times in %" PRIu64 " packets",
		    squeezed, packets);
	check_why(c, "They go on soon, but packets wait; the budget is too small for the load, or a CPU has too much of it.");
	check_do(c, "sysctl -w net.core.netdev_budget=600 net.core.netdev_budget_usecs=8000");
}

/* ---------------------------------------------------------------------- UDP */

/**
 * struct udp - UDP's counters of one family
 * @in: datagrams received
 * @out: datagrams sent
 * @rcvbuf: received, and no room
 * @sndbuf: to be sent, and no room
 * @csum: received with a wrong checksum
 */
struct udp {
	uint64_t in;
	uint64_t out;
	uint64_t rcvbuf;
	uint64_t sndbuf;
	uint64_t csum;
};

static bool udp4_read(struct udp *u)
{
	const char *path = "/proc/net/snmp";

	return check_counter(path, "Udp:", "InDatagrams", &u->in) &&
	       check_counter(path, "Udp:", "OutDatagrams", &u->out) &&
	       check_counter(path, "Udp:", "RcvbufErrors", &u->rcvbuf) &&
	       check_counter(path, "Udp:", "SndbufErrors", &u->sndbuf) &&
	       check_counter(path, "Udp:", "InCsumErrors", &u->csum);
}

static bool udp6_read(struct udp *u)
{
	const char *path = "/proc/net/snmp6";

	return check_counter(path, NULL, "Udp6InDatagrams", &u->in) &&
	       check_counter(path, NULL, "Udp6OutDatagrams", &u->out) &&
	       check_counter(path, NULL, "Udp6RcvbufErrors", &u->rcvbuf) &&
	       check_counter(path, NULL, "Udp6SndbufErrors", &u->sndbuf) &&
	       check_counter(path, NULL, "Udp6InCsumErrors", &u->csum);
}

static void errors_look(struct check *c, const char *name, const char *family,
			uint64_t count, uint64_t all, const char *what,
			const char *why, const char *todo)
{
	if (!count) {
		check_ok(c, name, family, "no datagram was %s", what);
		return;
	}
	check_add(c, check_is_many(count, all) ? CHECK_WARN : CHECK_NOTE, name,
		  family);
	check_found(c, "%" PRIu64 " datagrams were %s, %" PRIu64 " were not",
		    count, what, all);
	check_why(c, "%s", why);
	check_do(c, "%s", todo);
}

static void udp_look(struct check *c, const char *family, const struct udp *u)
{
	errors_look(c, "udp-rcvbuf", family, u->rcvbuf, u->in,
		    "lost for want of room in a receive buffer",
		    "Some program did not read fast enough, perhaps kturnd: it has to be able to have larger buffers, or less to do, with the module.",
		    "sysctl -w net.core.rmem_max=4194304");
	errors_look(c, "udp-sndbuf", family, u->sndbuf, u->out,
		    "lost for want of room in a send buffer",
		    "More was sent than a device took.",
		    "sysctl -w net.core.wmem_max=4194304");
	errors_look(c, "udp-csum", family, u->csum, u->in,
		    "refused for a wrong checksum",
		    "Something on the way damages packets, or this host's own offloads do.",
		    "ethtool -S DEV | grep -i -e csum -e crc");
}

void check_udp(struct check *c)
{
	struct udp u;

	if (udp4_read(&u))
		udp_look(c, "IPv4", &u);
	else
		check_unseen(c, "UDP's counters of IPv4", "%s",
			     strerror(errno));
	if (udp6_read(&u))
		udp_look(c, "IPv6", &u);
	/* A host may have no IPv6. */
	else if (errno != ENOENT)
		check_unseen(c, "UDP's counters of IPv6", "%s",
			     strerror(errno));
}
