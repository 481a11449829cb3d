// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn check-host: a kturnd that runs here, its ports and its limits. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "check.h"
#include "cli.h"

#define STATE_DIR	"/run/kturnd"

/* Descriptors that are no relayed ports': listeners, files, … */
#define OTHER_FILES	256

/* --------------------------------------------------------------- process */

static bool same_netns(const char *pid)
{
	char path[300], own[64] = "", other[64] = "";

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	return readlink("/proc/self/ns/net", own, sizeof(own) - 1) > 0 &&
	       readlink(path, other, sizeof(other) - 1) > 0 &&
	       !strcmp(own, other);
}

static pid_t process_find(struct check *c)
{
	DIR *proc = opendir("/proc");
	char comm[32], what[64];
	struct dirent *d;
	pid_t found = 0;

	while (proc && !found && (d = readdir(proc))) {
		if (*d->d_name < '1' || *d->d_name > '9' ||
		    !check_line(comm, sizeof(comm), "/proc/%s/comm",
				d->d_name) || strcmp(comm, "kturnd"))
			continue;
		errno = 0;
		if (same_netns(d->d_name)) {
			found = strtol(d->d_name, NULL, 10);
		} else if (errno == EACCES || errno == EPERM) {
			snprintf(what, sizeof(what), "kturnd's process %.10s",
				 d->d_name);
			check_unseen(c, what, "%s", strerror(errno));
		}
	}
	if (proc)
		closedir(proc);
	return found;
}

/*
 * An option's value on the command line, as in "--name VALUE" or
 * "--name=VALUE"; the last one counts. NULL without one.
 */
static const char *flag_find(const char *cmdline, size_t size,
			     const char *name)
{
	const char *found = NULL, *end = cmdline + size;
	size_t len = strlen(name);

	for (const char *p = cmdline; p < end; p += strlen(p) + 1) {
		if (strncmp(p, name, len))
			continue;
		if (p[len] == '=')
			found = p + len + 1;
		else if (!p[len] && p + len + 1 < end)
			found = p + len + 1;
	}
	return found;
}

static bool range_read(const char *text, uint16_t *min, uint16_t *max)
{
	unsigned int from, to;

	text += strspn(text, " \t\"'");
	if (sscanf(text, "%5u-%5u", &from, &to) != 2 || !from || to > 65535 ||
	    from > to)
		return false;
	*min = from;
	*max = to;
	return true;
}

/* "relay-ports: MIN-MAX" in a configuration file. */
static void config_read(struct check *c, const char *path)
{
	char *text = check_read(NULL, "/proc/%d/root%s", (int)c->server, path);
	static const char key[] = "relay-ports:";
	char *save = NULL, *line;

	if (!text) {
		check_unseen(c, path, "%s", strerror(errno));
		return;
	}
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, strlen(key)))
			range_read(line + strlen(key), &c->port_min,
				   &c->port_max);
	free(text);
}

static void caps_read(struct check *c)
{
	char *text = check_read(NULL, "/proc/%d/status", (int)c->server);
	const char *p = text ? strstr(text, "\nCapEff:") : NULL;

	if (p)
		c->server_caps = strtoull(p + 8, NULL, 16);
	free(text);
}

/* -------------------------------------------------------- control socket */

static json_t *control_read(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;
	struct timeval patience = { .tv_sec = 5 };
	json_t *json = NULL;

	if (fd < 0)
		return NULL;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	errno = ENAMETOOLONG;
	if (strlen(path) < sizeof(addr.sun_path)) {
		memcpy(addr.sun_path, path, strlen(path));
		if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
			json = json_loadfd(fd, JSON_DISABLE_EOF_CHECK, NULL);
			errno = json ? 0 : EBADMSG;
		}
	}
	err = errno;
	close(fd);
	errno = err;
	return json;
}

static void control_look(struct check *c, const char *state_dir)
{
	const char *plane, *version;
	char path[256];
	json_t *json;

	snprintf(path, sizeof(path), "/proc/%d/root%s/control", (int)c->server,
		 state_dir);
	json = control_read(path);
	if (!json) {
		check_unseen(c, "kturnd's control socket", "%s",
			     strerror(errno));
		return;
	}
	plane = json_string_value(json_object_get(json, "plane"));
	version = json_string_value(json_object_get(json, "version"));
	if (version && strcmp(version, KTURN_VERSION)) {
		check_add(c, CHECK_NOTE, "server-version", NULL);
		check_found(c, "kturnd is version %s, and this is %s", version,
			    KTURN_VERSION);
		check_why(c, "An update has not taken effect. Calls survive a restart, with the module.");
		check_do(c, "systemctl restart kturnd");
	}
	if (plane && !strcmp(plane, "user") &&
	    !access("/sys/module/kturn", F_OK)) {
		check_add(c, CHECK_WARN, "server-plane", NULL);
		check_found(c, "kturnd relays itself, though the module is loaded");
		check_why(c, "That costs several times as much. It needs CAP_NET_ADMIN, and no --plane user.");
		check_do(c, "grep CapEff /proc/%d/status; tr '\\0' ' ' </proc/%d/cmdline",
			 (int)c->server, (int)c->server);
	} else {
		check_ok(c, "server", NULL, "kturnd %s runs, plane %s",
			 version ? version : "?", plane ? plane : "?");
	}
	json_decref(json);
}

void check_server(struct check *c)
{
	const char *ports, *config, *state_dir;
	char *cmdline;
	size_t size;

	c->server = process_find(c);
	if (!c->server)
		return;
	caps_read(c);
	cmdline = check_read(&size, "/proc/%d/cmdline", (int)c->server);
	if (!cmdline) {
		check_unseen(c, "kturnd's options", "%s", strerror(errno));
		return;
	}
	ports = flag_find(cmdline, size, "--relay-ports");
	config = flag_find(cmdline, size, "--config");
	state_dir = flag_find(cmdline, size, "--state-dir");
	/* A relative path is in a directory that is not ours. */
	if (!c->ports_given && !ports && config && *config == '/')
		config_read(c, config);
	if (!c->ports_given && ports)
		range_read(ports, &c->port_min, &c->port_max);
	if (!state_dir || *state_dir == '/')
		control_look(c, state_dir ? state_dir : STATE_DIR);
	free(cmdline);
}

/* ----------------------------------------------------------------- limits */

static void running_look(struct check *c, uint64_t want)
{
	char *text = check_read(NULL, "/proc/%d/limits", (int)c->server);
	const char *p = text ? strstr(text, "Max open files") : NULL;
	uint64_t have = UINT64_MAX;

	if (!p) {
		check_unseen(c, "kturnd's limits", "%s", strerror(errno));
		free(text);
		return;
	}
	p += strlen("Max open files");
	p += strspn(p, " ");
	if (strncmp(p, "unlimited", 9))
		have = strtoull(p, NULL, 10);
	free(text);
	if (have >= want) {
		check_ok(c, "open-files", NULL,
			 "kturnd may have %" PRIu64 " files open", have);
		return;
	}
	check_add(c, CHECK_WARN, "open-files", NULL);
	check_found(c, "kturnd may have %" PRIu64 " files open, and %" PRIu64 " are wanted",
		    have, want);
	check_why(c, "Each relayed port is one. When there are no more, clients get error 508. CAP_SYS_RESOURCE lets kturnd raise the limit itself; in its unit, LimitNOFILE= does.");
	check_do(c, "prlimit --pid %d --nofile=%" PRIu64, (int)c->server, want);
}

void check_limits(struct check *c)
{
	uint64_t want = c->port_max - c->port_min + 1 + OTHER_FILES, most;

	if (c->server) {
		running_look(c, want);
		return;
	}
	if (!check_sysctl(c, "fs.nr_open", &most))
		return;
	if (most >= want) {
		check_ok(c, "open-files", NULL,
			 "a process may have %" PRIu64 " files open", most);
		return;
	}
	check_add(c, CHECK_WARN, "open-files", NULL);
	check_found(c, "fs.nr_open is %" PRIu64 ", and %" PRIu64 " files are wanted",
		    most, want);
	check_why(c, "Each relayed port is an open file of kturnd's. When there are no more, clients get error 508.");
	check_do(c, "sysctl -w fs.nr_open=1048576");
}

/* ------------------------------------------------------------------ ports */

/* "8080,9000-9010": how many of the ports from @min to @max are in it? */
static unsigned int ports_in(const char *list, unsigned int min,
			     unsigned int max)
{
	unsigned int from, to, n = 0;
	int len;

	while (sscanf(list, "%u%n", &from, &len) == 1) {
		list += len;
		to = from;
		if (*list == '-' && sscanf(list, "-%u%n", &to, &len) == 1)
			list += len;
		from = from < min ? min : from;
		to = to > max ? max : to;
		if (to >= from)
			n += to - from + 1;
		list += *list == ',';
	}
	return n;
}

void check_ports(struct check *c)
{
	unsigned int from, to, min = c->port_min, max = c->port_max;
	char range[64], *reserved;

	if (!check_line(range, sizeof(range),
			"/proc/sys/net/ipv4/ip_local_port_range") ||
	    sscanf(range, "%u %u", &from, &to) != 2) {
		check_unseen(c, "net.ipv4.ip_local_port_range", "%s",
			     strerror(errno));
		return;
	}
	reserved = check_read(NULL, "/proc/sys/net/ipv4/ip_local_reserved_ports");
	if (!reserved) {
		check_unseen(c, "net.ipv4.ip_local_reserved_ports", "%s",
			     strerror(errno));
		return;
	}
	reserved[strcspn(reserved, "\n")] = '\0';
	/* The kernel writes each port once. */
	from = from < min ? min : from;
	to = to > max ? max : to;
	if (from > to || ports_in(reserved, from, to) == to - from + 1) {
		check_ok(c, "ports", NULL,
			 "nothing else is given a port from %u to %u", min,
			 max);
		free(reserved);
		return;
	}
	check_add(c, c->server ? CHECK_WARN : CHECK_NOTE, "ports", NULL);
	check_found(c, "the relayed ports, %u to %u, are among those that any program may be given",
		    min, max);
	check_why(c, "A port that another program has can't be relayed; and while kturnd restarts, one may take the port of a client. kturnd reserves its ports by itself if it runs as root.");
	check_do(c, "sysctl -w net.ipv4.ip_local_reserved_ports=%s%s%u-%u",
		 reserved, *reserved ? "," : "", min, max);
	free(reserved);
}
