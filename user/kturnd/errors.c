// SPDX-License-Identifier: GPL-2.0-or-later
/* ICMP errors that a socket has collected; see errors.h. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
/* After those: it uses their types. */
#include <linux/errqueue.h>

#include "address.h"
#include "errors.h"

void errors_enable(int fd, uint8_t family)
{
	int on = 1;

	if (family == KTURN_FAMILY_V6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
}

static bool is_recverr(const struct cmsghdr *cm)
{
	return (cm->cmsg_level == IPPROTO_IP && cm->cmsg_type == IP_RECVERR) ||
		(cm->cmsg_level == IPPROTO_IPV6 &&
		 cm->cmsg_type == IPV6_RECVERR);
}

/* Was it ICMP of the datagram's own family? */
static bool read_error(struct msghdr *msg, struct icmp_error *error)
{
	struct sock_extended_err ee;
	struct cmsghdr *cm;

	for (cm = CMSG_FIRSTHDR(msg); cm; cm = CMSG_NXTHDR(msg, cm)) {
		if (!is_recverr(cm) || cm->cmsg_len < CMSG_LEN(sizeof(ee)))
			continue;
		memcpy(&ee, CMSG_DATA(cm), sizeof(ee));
		if (ee.ee_origin != (error->to.family == KTURN_FAMILY_V6 ?
				     SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP))
			return false;
		error->type = ee.ee_type;
		error->code = ee.ee_code;
		error->data = ee.ee_info;
		return true;
	}
	return false;
}

bool errors_next(int fd, struct icmp_error *error)
{
	char control[512] __attribute__((aligned(8)));
	struct sockaddr_storage to;
	struct msghdr msg;

	for (;;) {
		memset(&msg, 0, sizeof(msg));
		memset(&to, 0, sizeof(to));
		msg.msg_name = &to;
		msg.msg_namelen = sizeof(to);
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
			if (errno == EINTR)
				continue;
			return false;
		}
		if (to.ss_family != AF_INET && to.ss_family != AF_INET6)
			continue;
		addr_from_sockaddr(&to, &error->to);
		if (read_error(&msg, error))
			return true;
	}
}
