// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports reserved with the kernel; see reserved_ports.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "reserved_ports.h"

/* The longest list: "1,3,5,…", and room to spare. */
#define LIST_MAX	(6 * 65536)

struct ports {
	bool set[65536];
};

/* A number at *@p, which moves behind it; -1 if there is none. */
static long take_port(const char **p)
{
	char *end;
	long port;

	if (**p < '0' || **p > '9')
		return -1;
	port = strtol(*p, &end, 10);
	*p = end;
	return port <= 65535 ? port : -1;
}

/* "8080,9000-9010"; what does not parse ends the list. */
static int parse(const char *text, struct ports *ports)
{
	long first, last;

	memset(ports, 0, sizeof(*ports));
	while (*text && *text != '\n') {
		first = take_port(&text);
		last = first;
		if (*text == '-') {
			text++;
			last = take_port(&text);
		}
		if (first < 0 || last < first ||
		    (*text && !strchr(",\n", *text)))
			return -EBADMSG;
		if (*text == ',')
			text++;
		for (; first <= last; first++)
			ports->set[first] = true;
	}
	return 0;
}

static size_t format(const struct ports *ports, char *text)
{
	unsigned int first = 0, last;
	size_t n = 0;

	while (first < 65536) {
		if (!ports->set[first]) {
			first++;
			continue;
		}
		last = first;
		while (last < 65535 && ports->set[last + 1])
			last++;
		n += (size_t)sprintf(text + n, "%s%u", n ? "," : "", first);
		if (last > first)
			n += (size_t)sprintf(text + n, "-%u", last);
		first = last + 1;
	}
	text[n++] = '\n';
	text[n] = '\0';
	return n;
}

static int read_ports(const char *path, char *text, struct ports *ports)
{
	ssize_t n = file_read(path, text, LIST_MAX - 1);

	if (n < 0)
		return (int)n;
	text[n] = '\0';
	return parse(text, ports);
}

/* One write(): a sysctl takes no second part. */
static int write_ports(const char *path, char *text,
		       const struct ports *ports)
{
	size_t len = format(ports, text);
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		ret = -errno;
	close(fd);
	return ret;
}

struct work {
	char text[LIST_MAX];
	struct ports now;
	struct ports added;
};

int reserved_ports_add(const char *sysctl, const char *saved, uint16_t min,
		       uint16_t max)
{
	struct work *w = malloc(sizeof(*w));
	unsigned int port;
	size_t len;
	int ret;

	if (!w)
		return -ENOMEM;
	/* A predecessor may have added some of them. */
	if (!saved || read_ports(saved, w->text, &w->added))
		memset(&w->added, 0, sizeof(w->added));
	ret = read_ports(sysctl, w->text, &w->now);
	if (ret)
		goto free;
	for (port = min; port <= max; port++) {
		w->added.set[port] |= !w->now.set[port];
		w->now.set[port] = true;
	}
	ret = write_ports(sysctl, w->text, &w->now);
	if (ret || !saved)
		goto free;
	len = format(&w->added, w->text);
	ret = file_replace(saved, w->text, len);
free:
	free(w);
	return ret;
}

int reserved_ports_remove(const char *sysctl, const char *saved)
{
	struct work *w = malloc(sizeof(*w));
	unsigned int port;
	int ret;

	if (!w)
		return -ENOMEM;
	ret = read_ports(saved, w->text, &w->added);
	if (!ret)
		ret = read_ports(sysctl, w->text, &w->now);
	if (ret)
		goto free;
	for (port = 0; port < 65536; port++)
		w->now.set[port] &= !w->added.set[port];
	ret = write_ports(sysctl, w->text, &w->now);
	if (!ret && unlink(saved))
		ret = -errno;
free:
	free(w);
	return ret;
}
