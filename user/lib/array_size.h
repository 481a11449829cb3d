/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many elements an array has; for userspace, the kernel has its own. */
#ifndef _KTURN_ARRAY_SIZE_H
#define _KTURN_ARRAY_SIZE_H

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif /* _KTURN_ARRAY_SIZE_H */
