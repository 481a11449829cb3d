// SPDX-License-Identifier: GPL-2.0
/* If this does not compile, no probe says anything. */
#include <net/route.h>
#include <net/udp.h>
#include <net/genetlink.h>
