// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn check-host: look at the machine as an experienced operator would, and
 * say what to change.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"
#include "cli.h"

/* RFC 8656 section 7.2: the ports that SHOULD be used. */
#define PORT_MIN	49152
#define PORT_MAX	65535

static const char *device, *relay_ports;
static bool verbose;

const struct cli_option check_host_options[] = {
	{ .name = "device", .value = &device },
	{ .name = "relay-ports", .value = &relay_ports },
	{ .name = "verbose", .letter = 'v', .flag = &verbose },
	{ 0 }
};

/* MIN-MAX */
static bool ports_read(struct check *c, const char *text)
{
	const char *dash = strchr(text, '-');
	uint32_t min, max;
	char first[8];

	c->port_min = PORT_MIN;
	c->port_max = PORT_MAX;
	c->ports_given = relay_ports;
	if (!relay_ports)
		return true;
	if (dash && dash - text < (int)sizeof(first)) {
		memcpy(first, text, dash - text);
		first[dash - text] = '\0';
		if (cli_number(first, 1, 65535, &min) &&
		    cli_number(dash + 1, min, 65535, &max)) {
			c->port_min = min;
			c->port_max = max;
			return true;
		}
	}
	cli_usage("relay-ports: '%s' is not a range of ports, as in 49152-65535",
		  text);
	return false;
}

/* What initial_netns means is written there. */
static bool is_initial_netns(void)
{
	struct stat st;

	/* Shown in the first network namespace only. */
	return !stat("/proc/sys/net/core/netdev_max_backlog", &st);
}

int check_host_run(int argc, char **argv)
{
	struct check c = { 0 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int status = CLI_USAGE;

	if (argc)
		return cli_usage("too many words: '%s'", argv[0]);
	c.cpus = cpus < 1 ? 1 : cpus;
	c.initial_netns = is_initial_netns();
	if (!ports_read(&c, relay_ports ? relay_ports : "") ||
	    !check_devices(&c, device))
		goto free;
	check_server(&c);
	check_module(&c);
	check_queues(&c);
	check_offloads(&c);
	check_mtu(&c);
	check_firewall(&c);
	check_unit(&c);
	check_routing(&c);
	check_ports(&c);
	check_limits(&c);
	check_sockets(&c);
	check_softnet(&c);
	check_udp(&c);
	check_memory(&c);
	check_governor(&c);
	status = check_print(&c, verbose);
free:
	check_free(&c);
	return status;
}
