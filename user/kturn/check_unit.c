// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn check-host: filters that systemd puts on a service. They are BPF
 * programs on its control group, which see its sockets' packets and no others.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"

#define UNIT	"kturnd.service"

/* The unit that kturnd runs as: the last part of its control group. */
static void unit_find(struct check *c, char *unit, size_t size)
{
	char *text = c->server ? check_read(NULL, "/proc/%d/cgroup",
					    (int)c->server) : NULL;
	char *save = NULL, *line, *name;

	snprintf(unit, size, "%s", UNIT);
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		name = strrchr(line, '/');
		if (name && strlen(name) > 8 && strlen(name) < size &&
		    !strcmp(name + strlen(name) - 8, ".service") &&
		    !strpbrk(name, "*?[\\"))
			snprintf(unit, size, "%s", name + 1);
	}
	free(text);
}

/* "Key=value" with a value; an empty one takes others back. */
static bool is_filter(const char *line)
{
	static const char *const keys[] = {
		"IPAddressDeny", "IPAddressAllow", "IPIngressFilterPath",
		"IPEgressFilterPath", "RestrictNetworkInterfaces",
	};

	line += strspn(line, " \t");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *p = line + strlen(keys[i]);

		if (strncmp(line, keys[i], strlen(keys[i])))
			continue;
		p += strspn(p, " \t");
		if (*p++ != '=')
			continue;
		return p[strspn(p, " \t")];
	}
	return false;
}

static bool file_look(struct check *c, const char *path)
{
	char *text = check_read(NULL, "%s", path), *save = NULL, *line;
	bool found = false;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!is_filter(line))
			continue;
		line += strspn(line, " \t");
		found = true;
		check_add(c, CHECK_WARN, "unit-filter", path);
		check_found(c, "%s", line);
		check_why(c, "This sees the packets of kturnd's own sockets. What the module relays goes round it, in both directions: addresses that it keeps from kturnd are reached all the same. Have the same in netfilter, before the module and in postrouting.");
		check_do(c, "nft add table inet relay");
		check_do(c, "nft add chain inet relay in '{ type filter hook prerouting priority -260; }'");
		check_do(c, "nft add rule inet relay in udp dport '{ 3478, %u-%u }' ip saddr ADDRESS drop",
			 c->port_min, c->port_max);
		check_do(c, "nft add chain inet relay out '{ type filter hook postrouting priority 0; }'");
		check_do(c, "nft add rule inet relay out udp sport %u-%u ip daddr ADDRESS drop",
			 c->port_min, c->port_max);
	}
	free(text);
	return found;
}

void check_unit(struct check *c)
{
	static const char *const dirs[] = {
		"/etc/systemd/system", "/run/systemd/system",
		"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
	};
	static const char *const suffixes[] = { "", ".d/*.conf" };
	char unit[128], pattern[256];
	bool found = false;
	glob_t files;

	unit_find(c, unit, sizeof(unit));
	for (size_t i = 0; i < 8; i++) {
		snprintf(pattern, sizeof(pattern), "%s/%s%s", dirs[i / 2], unit,
			 suffixes[i % 2]);
		if (!glob(pattern, 0, NULL, &files))
			for (size_t k = 0; k < files.gl_pathc; k++)
				found |= file_look(c, files.gl_pathv[k]);
		globfree(&files);
	}
	if (!found)
		check_ok(c, "unit-filter", NULL, "%s has no filter of its own",
			 unit);
}
