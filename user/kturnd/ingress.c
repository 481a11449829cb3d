// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices at whose ingress the kernel is to take packets; see ingress.h. */
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>

#include "config.h"
#include "ingress.h"
#include "kturn.h"
#include "log.h"

static void attach(const char *device, struct kturn *kt, int failed_level)
{
	unsigned int ifindex = if_nametoindex(device);
	int ret;

	if (!ifindex) {
		log_event(failed_level, "ingress-failed",
			  "device=%s error=%s effect=%s", device,
			  strerror(errno), "relayed without ingress mode");
		return;
	}
	ret = kturn_attach(kt, ifindex);
	if (ret && ret != -EEXIST)
		log_event(failed_level, "ingress-failed",
			  "device=%s error=%s effect=%s", device,
			  kturn_error(kt), "relayed without ingress mode");
	else if (!ret)
		log_event(LOG_NOTICE, "ingress-attached", "device=%s", device);
}

void ingress_attach(const struct config *cfg, struct kturn *kt, bool again)
{
	size_t i;

	if (!kt)
		return;
	for (i = 0; i < cfg->n_ingress; i++)
		attach(cfg->ingress[i], kt, again ? LOG_DEBUG : LOG_WARNING);
}
