// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets; see socket.h. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "socket.h"

/*
 * A burst of media must survive until the loop comes round: a listener's 4 MiB
 * are some 2000 large packets of all its clients. Memory is taken as it is
 * used, but anybody can send to thousands of relayed addresses, so they have
 * less.
 */
#define LISTENER_BUFFER	4194304
#define RELAY_BUFFER	524288

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/* Beyond the system's limit with the privilege, up to it without. */
static void set_buffers(int fd, int size)
{
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, size))
		set(fd, SOL_SOCKET, SO_RCVBUF, size);
	if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, size))
		set(fd, SOL_SOCKET, SO_SNDBUF, size);
}

void socket_grow(int fd)
{
	set_buffers(fd, RELAY_BUFFER);
}

void socket_set_dont_fragment(int fd, bool on)
{
	set(fd, IPPROTO_IP, IP_MTU_DISCOVER,
	    on ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
}

static int join_group(const struct kturn_addr *addr,
		      struct socket_group *group, int fd)
{
	int ret = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);

	if (ret || !group->steer)
		return ret;
	group->error = steer_attach(group->steer, addr->family, fd);
	group->steer = NULL;
	return 0;
}

int socket_bound(const struct kturn_addr *addr, struct socket_group *group)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd, ret;

	fd = socket(addr_af(addr), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return -errno;
	if (addr->family == KTURN_FAMILY_V6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (group) {
		set_buffers(fd, LISTENER_BUFFER);
		if (addr->family == KTURN_FAMILY_V4)
			socket_set_dont_fragment(fd, false);
	}
	ret = group ? join_group(addr, group, fd) : 0;
	if (ret)
		goto close;
	len = addr_to_sockaddr(addr, &sa);
	if (bind(fd, (struct sockaddr *)&sa, len)) {
		ret = -errno;
		goto close;
	}
	return fd;
close:
	close(fd);
	return ret;
}

static int tcp_bound(const struct kturn_addr *addr, bool beside_ours)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd, ret;

	fd = socket(addr_af(addr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return -errno;
	if (addr->family == KTURN_FAMILY_V6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	/* Connections of before are no obstacle. */
	ret = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!ret && beside_ours)
		ret = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	len = addr_to_sockaddr(addr, &sa);
	if (!ret && bind(fd, (struct sockaddr *)&sa, len))
		ret = -errno;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int socket_listening(const struct kturn_addr *addr)
{
	int fd = tcp_bound(addr, true), ret;

	if (fd < 0 || !listen(fd, SOMAXCONN))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int socket_tcp_free(const struct kturn_addr *addr)
{
	int fd = tcp_bound(addr, false);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}
