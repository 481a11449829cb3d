/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_COMPAT_NET_GSO_H
#define _KTURN_COMPAT_NET_GSO_H

/* Before Linux 6.5 it was part of another header. */
#ifdef KTURN_HAVE_GSO_HEADER
#include_next <net/gso.h>
#else
#include <linux/netdevice.h>
#endif

#endif /* _KTURN_COMPAT_NET_GSO_H */
