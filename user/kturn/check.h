/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kturn check-host: what its parts share. Each part looks at something, and
 * adds what it found; what it can't look at it says, and that is no failure.
 */
#ifndef _KTURN_CHECK_H
#define _KTURN_CHECK_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct nlmsghdr;

/* The worst first: the order in which findings are shown. */
enum check_severity {
	CHECK_BAD,	/* relaying fails, or does not do what is expected */
	CHECK_WARN,	/* should be changed */
	CHECK_NOTE,	/* good to know; may be meant to be so */
	CHECK_OK,
};

/* Commands that a finding may have. */
#define CHECK_DO_MAX	6

/**
 * struct check_finding - what was found
 * @severity: how bad it is
 * @name: of the check, for programs
 * @about: device, chain or file; NULL without one
 * @found: a sentence without its full stop
 * @why: why that matters to a relay; NULL if @severity is CHECK_OK
 * @todo: commands, or what else is to be done
 * @n_todo: how many
 */
struct check_finding {
	enum check_severity severity;
	const char *name;
	char *about;
	char *found;
	char *why;
	char *todo[CHECK_DO_MAX];
	size_t n_todo;
};

/**
 * struct check_unseen - what could not be looked at
 * @what: it
 * @why: and the reason
 */
struct check_unseen {
	char *what;
	char *why;
};

/* What stands between relay and wire. */
enum check_kind {
	CHECK_DEV_REAL,		/* has a bus: a network card, or a VM's */
	CHECK_DEV_VETH,
	CHECK_DEV_TUN,
	CHECK_DEV_BRIDGE,
	CHECK_DEV_STACKED,	/* on others: a bond, a VLAN, … */
	CHECK_DEV_OTHER,
};

/**
 * struct check_dev - a device that relayed packets go through
 * @name: of the device
 * @word: the same as a word of a shell
 * @sysfs: its directory in sysfs; empty when that is another namespace's
 * @index: interface index
 * @kind: what it is
 * @driver: as the kernel says; may be empty
 * @is_default: has a default route
 * @has_v6: has an IPv6 address
 * @lower: is there because another device is on top of it
 */
struct check_dev {
	char name[IF_NAMESIZE];
	char word[4 * IF_NAMESIZE + 2];
	char sysfs[64];
	unsigned int index;
	enum check_kind kind;
	char driver[33];
	bool is_default;
	bool has_v6;
	bool lower;
};

/**
 * struct check_addr - an address of such a device
 * @family: AF_INET or AF_INET6
 * @bytes: 4 or 16
 */
struct check_addr {
	int family;
	uint8_t bytes[16];
};

/**
 * struct check - a look at the machine
 * @findings: what was found
 * @n_findings: how many
 * @unseen: what could not be looked at
 * @n_unseen: how many
 * @cpus: CPUs that are online
 * @devs: devices
 * @n_devs: how many
 * @addrs: their addresses, but link-local ones
 * @n_addrs: how many
 * @port_min: of the relayed ports
 * @port_max: likewise
 * @ports_given: by the user, not to be looked for
 * @server: process of a kturnd in this network namespace, 0 without one
 * @server_caps: its effective capabilities
 * @initial_netns: this is where the machine's own devices are
 * @local_out: relayed packets pass the output chains
 * @attached: devices in ingress mode
 */
struct check {
	struct check_finding *findings;
	size_t n_findings;
	struct check_unseen *unseen;
	size_t n_unseen;
	unsigned int cpus;
	struct check_dev *devs;
	size_t n_devs;
	struct check_addr *addrs;
	size_t n_addrs;
	uint16_t port_min;
	uint16_t port_max;
	bool ports_given;
	pid_t server;
	uint64_t server_caps;
	bool initial_netns;
	bool local_out;
	unsigned int attached;
};

/* ----------------------------------------------------- check_finding.c */

/**
 * check_add() - begin a finding; the functions below complete it
 * @c: where
 * @severity: how bad it is
 * @name: of the check, for programs; kept, not copied
 * @about: device, chain or file; NULL without one
 *
 * Here and below: without memory, that is the program's end.
 */
void check_add(struct check *c, enum check_severity severity, const char *name,
	       const char *about);

/** check_found() - what was found, in the last finding; once */
void check_found(struct check *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** check_why() - why that matters; once */
void check_why(struct check *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** check_do() - a command that changes it; up to CHECK_DO_MAX */
void check_do(struct check *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** check_ok() - a finding that is fine as it is */
void check_ok(struct check *c, const char *name, const char *about,
	      const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** check_unseen() - what could not be looked at, and why */
void check_unseen(struct check *c, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** check_grow() - room for one more than @n elements of @size bytes */
void *check_grow(void *array, size_t n, size_t size);

/** check_free() - forget everything */
void check_free(struct check *c);

/** check_print() - print it as JSON or for people, with what is fine if
 * @verbose; returns an exit status
 */
int check_print(struct check *c, bool verbose);

/* ------------------------------------------------------ check_source.c */

/**
 * check_read() - a file's text
 * @len: result, if not NULL; the text has a NUL behind it
 * @fmt: path
 *
 * Return: to be freed; NULL: errno says why.
 */
char *check_read(size_t *len, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** check_line() - the first line of a file, without its end, cut to @size;
 * false: errno says why
 */
bool check_line(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** check_number() - the number a file begins with; false: errno says why */
bool check_number(uint64_t *value, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** check_sysctl() - the same, of a sysctl as in "net.core.rmem_max"; false
 * after check_unseen()
 */
bool check_sysctl(struct check *c, const char *name, uint64_t *value);

/** check_quote() - @text as one word of a shell, cut to @size */
const char *check_quote(const char *text, char *buf, size_t size);

/**
 * check_present() - has the kernel this part, built in or loaded?
 * @module: name of a module
 *
 * For what must not load it by asking.
 */
bool check_present(const char *module);

/**
 * check_output() - the first line that a program prints
 * @buf: result
 * @size: its room
 * @argv: program and arguments, the last one NULL
 *
 * Return: false when it can't be run, fails or prints nothing.
 */
bool check_output(char *buf, size_t size, const char *const argv[]);

/**
 * check_netlink() - make a netlink request and read what answers it
 * @bus: NETLINK_…
 * @req: request; its sequence number and flags are set here
 * @flags: NLM_F_DUMP or NLM_F_ACK
 * @cb: as mnl_cb_t of libmnl
 * @data: for @cb
 *
 * Return: 0, or an errno value.
 */
int check_netlink(int bus, struct nlmsghdr *req, uint16_t flags,
		  int (*cb)(const struct nlmsghdr *nlh, void *data),
		  void *data);

/* ------------------------------------------------------- check_count.c */

/**
 * check_counter() - one of the counters in /proc/net/snmp and its like
 * @path: file with pairs of lines, names and values; or with a name and its
 *	value in each line
 * @group: what a pair of lines begins with, with its colon; else NULL
 * @name: of the counter
 * @value: result
 *
 * Return: false when it is not there; errno says why.
 */
bool check_counter(const char *path, const char *group, const char *name,
		   uint64_t *value);

/** check_column() - the sum over all CPUs of a column in /proc/net/stat; 0 if
 * there is none of that name
 */
uint64_t check_column(const char *path, const char *name);

/** check_is_many() - is a count more than one in 10,000 of all of them? */
bool check_is_many(uint64_t count, uint64_t all);

/* --------------------------------------------------------------- parts */

/**
 * check_devices() - find the devices that matter
 * @c: result
 * @names: names with commas between, or NULL to look for them
 *
 * Return: false, after a message, when there is no device of such a name.
 */
bool check_devices(struct check *c, const char *names);

/** check_server() - find a kturnd of this network namespace, and its ports */
void check_server(struct check *c);

/* The bits of @server_caps. */
#define CHECK_CAP_NET_ADMIN	12
#define CHECK_CAP_SYS_RESOURCE	24

/**
 * check_limits() - look at how many descriptors a kturnd may have
 * @c: result
 *
 * The functions below look at what they are named after.
 */
void check_limits(struct check *c);
void check_unit(struct check *c);
void check_ports(struct check *c);
void check_module(struct check *c);
void check_queues(struct check *c);
void check_offloads(struct check *c);
void check_mtu(struct check *c);
void check_firewall(struct check *c);
void check_routing(struct check *c);
void check_sockets(struct check *c);
void check_softnet(struct check *c);
void check_udp(struct check *c);
void check_memory(struct check *c);
void check_governor(struct check *c);

#endif /* _KTURN_CHECK_H */
