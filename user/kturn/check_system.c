// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn check-host: buffers, memory and the CPUs' clock. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"

/* What kturnd asks for, for each listening socket. */
#define BUFFER_BYTES	4194304
/* The kernel's default. */
#define DEFAULT_BYTES	212992

/* For a small kturnd, its entries and the packets that are on their way. */
#define MEMORY_MIN_KB	(256 << 10)

static void buffer_look(struct check *c, const char *name)
{
	bool may_exceed = c->server &&
		c->server_caps >> CHECK_CAP_NET_ADMIN & 1;
	uint64_t value;

	if (!check_sysctl(c, name, &value))
		return;
	if (value >= BUFFER_BYTES || may_exceed) {
		check_ok(c, name, NULL, "%s is %" PRIu64 "%s", name, value,
			 value >= BUFFER_BYTES ? "" :
			 ", and kturnd may have more");
		return;
	}
	check_add(c, c->server ? CHECK_WARN : CHECK_NOTE, name, NULL);
	check_found(c, "%s is %" PRIu64, name, value);
	check_why(c, "A burst of all clients has to fit into a listening socket's buffer, for which kturnd asks for 4 MiB. It gets them with CAP_NET_ADMIN; without, and for other TURN servers, this is the limit.");
	check_do(c, "sysctl -w %s=%d", name, BUFFER_BYTES);
}

void check_sockets(struct check *c)
{
	uint64_t value;

	buffer_look(c, "net.core.rmem_max");
	buffer_look(c, "net.core.wmem_max");
	if (!check_sysctl(c, "net.core.rmem_default", &value))
		return;
	if (value >= DEFAULT_BYTES) {
		check_ok(c, "net.core.rmem_default", NULL,
			 "net.core.rmem_default is %" PRIu64, value);
		return;
	}
	check_add(c, CHECK_NOTE, "net.core.rmem_default", NULL);
	check_found(c, "net.core.rmem_default is %" PRIu64 ", less than the usual %d",
		    value, DEFAULT_BYTES);
	check_why(c, "Programs that ask for no size of their own get little room; kturnd asks.");
	check_do(c, "sysctl -w net.core.rmem_default=%d", DEFAULT_BYTES);
}

/* ----------------------------------------------------------------- memory */

static void available_look(struct check *c)
{
	uint64_t kb;

	if (!check_counter("/proc/meminfo", NULL, "MemAvailable:", &kb)) {
		check_unseen(c, "memory", "%s", strerror(errno));
		return;
	}
	if (kb >= MEMORY_MIN_KB) {
		check_ok(c, "memory", NULL, "%" PRIu64 " MiB are available",
			 kb >> 10);
		return;
	}
	check_add(c, CHECK_WARN, "memory", NULL);
	check_found(c, "%" PRIu64 " MiB are available", kb >> 10);
	check_why(c, "Without memory the kernel takes no more entries, and kturnd relays itself, or ends. Have more, or allow less.");
	check_do(c, "kturn limits set max-allocs 10000");
}

/* Pages of all UDP sockets, and the number at which the kernel is saving. */
static void udp_mem_look(struct check *c)
{
	char *text = check_read(NULL, "/proc/net/sockstat"), line[128];
	unsigned long long low, pressure, most, pages = 0;
	const char *p = text ? strstr(text, "UDP: inuse") : NULL;
	bool known = p && sscanf(p, "UDP: inuse %*u mem %llu", &pages) == 1;

	free(text);
	if (!known || !check_line(line, sizeof(line), "/proc/sys/net/ipv4/udp_mem") ||
	    sscanf(line, "%llu %llu %llu", &low, &pressure, &most) != 3)
		return;
	if (pages < pressure / 4 * 3) {
		check_ok(c, "udp-mem", NULL,
			 "UDP sockets use %llu pages of %llu", pages, most);
		return;
	}
	check_add(c, CHECK_WARN, "udp-mem", NULL);
	check_found(c, "UDP sockets use %llu pages, and net.ipv4.udp_mem is %llu %llu %llu",
		    pages, low, pressure, most);
	check_why(c, "Beyond that, what comes in is dropped, whatever room the sockets have.");
	check_do(c, "sysctl -w net.ipv4.udp_mem='%llu %llu %llu'", 2 * low,
		 2 * pressure, 2 * most);
}

void check_memory(struct check *c)
{
	available_look(c);
	udp_mem_look(c);
}

/* --------------------------------------------------------------- governor */

/* Drivers that choose the clock themselves, whatever it is called. */
static bool is_dynamic(const char *driver)
{
	return !strcmp(driver, "intel_pstate") ||
	       !strncmp(driver, "amd-pstate", 10) ||
	       !strncmp(driver, "amd_pstate", 10);
}

void check_governor(struct check *c)
{
	static const char dir[] = "/sys/devices/system/cpu";
	char pattern[64], governor[32], driver[32] = "";
	glob_t found;
	size_t slow = 0;

	snprintf(pattern, sizeof(pattern), "%s/cpu*/cpufreq/scaling_governor",
		 dir);
	/* A virtual machine has none. */
	if (glob(pattern, 0, NULL, &found)) {
		globfree(&found);
		check_ok(c, "governor", NULL, "the CPUs' clock is not set here");
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		slow += check_line(governor, sizeof(governor), "%s",
				   found.gl_pathv[i]) &&
			strcmp(governor, "performance");
	check_line(driver, sizeof(driver), "%s/cpu0/cpufreq/scaling_driver", dir);
	if (!slow) {
		check_ok(c, "governor", NULL, "all CPUs: performance");
	} else {
		check_line(governor, sizeof(governor), "%s",
			   found.gl_pathv[found.gl_pathc - 1]);
		check_add(c, is_dynamic(driver) ||
			  strcmp(governor, "powersave") ? CHECK_NOTE :
			  CHECK_WARN, "governor", NULL);
		check_found(c, "CPUs without the governor performance: %zu",
			    slow);
		check_why(c, "The clock is low when packets come after a pause, and each waits longer.");
		check_do(c, "cpupower frequency-set -g performance");
	}
	globfree(&found);
}
