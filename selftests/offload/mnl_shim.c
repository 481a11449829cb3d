// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * To be preloaded: while there is a file $MNL_SHIM, what is sent by libmnl finds
 * no memory, as on a host that has none.
 */
#include <dlfcn.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <unistd.h>

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *buf,
			  size_t len)
{
	ssize_t (*libmnl)(const struct mnl_socket *nl, const void *buf,
			  size_t len);
	const char *file = getenv("MNL_SHIM");

	if (file && !access(file, F_OK)) {
		errno = ENOBUFS;
		return -1;
	}
	libmnl = (ssize_t (*)(const struct mnl_socket *, const void *, size_t))
		dlsym(RTLD_NEXT, "mnl_socket_sendto");
	return libmnl(nl, buf, len);
}
