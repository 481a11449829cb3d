// SPDX-License-Identifier: GPL-2.0-or-later
/* How many descriptors the process may have. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "file.h"
#include "limits.h"
#include "log.h"

/* What the kernel allows a process at most; sysctl fs.nr_open. */
static rlim_t kernel_max(void)
{
	char text[32];
	ssize_t n = file_read("/proc/sys/fs/nr_open", text, sizeof(text) - 1);

	if (n <= 0)
		return 1 << 20;
	text[n] = '\0';
	return strtoul(text, NULL, 10);
}

void limits_raise_files(unsigned long want)
{
	struct rlimit limit, raised;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	if (limit.rlim_max < want) {
		raised.rlim_cur = want < kernel_max() ? want : kernel_max();
		raised.rlim_max = raised.rlim_cur;
		if (raised.rlim_max > limit.rlim_max &&
		    !setrlimit(RLIMIT_NOFILE, &raised))
			limit = raised;
	}
	if (limit.rlim_cur < limit.rlim_max) {
		raised = limit;
		raised.rlim_cur = limit.rlim_max;
		if (!setrlimit(RLIMIT_NOFILE, &raised))
			limit = raised;
	}
	if (limit.rlim_cur < want)
		log_event(LOG_WARNING, "few-descriptors",
			  "limit=%lu wanted=%lu hint=%s",
			  (unsigned long)limit.rlim_cur, want,
			  "raise RLIMIT_NOFILE, or narrow --relay-ports");
	else
		log_event(LOG_DEBUG, "descriptors", "limit=%lu",
			  (unsigned long)limit.rlim_cur);
}
