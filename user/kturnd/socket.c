// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets; see socket.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "socket.h"

/* Connections of peers that wait to be accepted. */
#define RELAY_BACKLOG	64

/* Seconds until it is asked whether a silent end is there, and so on. */
#define KEEPALIVE_IDLE	120
#define KEEPALIVE_EACH	30
#define KEEPALIVE_TIMES	4

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

static int open_socket(const struct kturn_addr *addr, int type)
{
	int fd = socket(addr_af(addr), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (addr->family == KTURN_FAMILY_V6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	return fd;
}

/* @fd, unless @ret, of what was done before, or this is an error. */
static int bind_to(const struct kturn_addr *addr, int fd, int ret)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(addr, &sa);

	if (!ret && bind(fd, (struct sockaddr *)&sa, len))
		ret = -errno;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int socket_bound(const struct kturn_addr *addr, struct socket_group *group)
{
	int fd = open_socket(addr, SOCK_DGRAM);

	if (fd < 0)
		return fd;
	if (!group)
		return bind_to(addr, fd, 0);
	set_buffers(fd, LISTENER_BUFFER);
	if (addr->family == KTURN_FAMILY_V4)
		socket_set_dont_fragment(fd, false);
	return bind_to(addr, fd, join_group(addr, group, fd));
}

static int tcp_bound(const struct kturn_addr *addr, bool beside_ours)
{
	int fd = open_socket(addr, SOCK_STREAM), ret;

	if (fd < 0)
		return fd;
	/* Connections of before are no obstacle. */
	ret = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!ret && beside_ours)
		ret = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	return bind_to(addr, fd, ret);
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

/*
 * Bound alone, then shared: SO_REUSEPORT is what lets sockets that connect to
 * peers have the port of one that listens.
 */
int socket_relay_listening(const struct kturn_addr *addr)
{
	int fd = tcp_bound(addr, false), ret;

	if (fd < 0 || (!listen(fd, RELAY_BACKLOG) &&
		       !set(fd, SOL_SOCKET, SO_REUSEPORT, 1)))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int socket_relay_connecting(const struct kturn_addr *addr)
{
	return tcp_bound(addr, true);
}

void socket_keep_alive(int fd)
{
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EACH);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TIMES);
}

int socket_tcp_free(const struct kturn_addr *addr)
{
	int fd = tcp_bound(addr, false);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}
