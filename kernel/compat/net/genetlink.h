/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_COMPAT_NET_GENETLINK_H
#define _KTURN_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>

/* Linux 6.6: dumps and requests have their attributes in the same place. */
#ifndef KTURN_HAVE_GENL_INFO_DUMP
#define genl_info_dump	genl_dumpit_info
#endif

#endif /* _KTURN_COMPAT_NET_GENETLINK_H */
