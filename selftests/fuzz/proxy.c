// SPDX-License-Identifier: GPL-2.0-or-later
/* proxy_parse(): the start of a stream from a load balancer. */
#include <errno.h>

#include "../../user/kturnd/transport/proxy.h"
#include "fuzz.h"

int fuzz_one(const __u8 *data, size_t size)
{
	struct proxy_header h;
	size_t missing = 0, n;
	ssize_t ret, last = 0;
	__u8 *p;

	for (n = 0; n <= size && n <= PROXY_MAX; n++) {
		p = fuzz_copy(data, n);
		ret = proxy_parse(p, n, &h, &missing);
		free(p);
		if (ret > 0) {
			/* All of it is there, and more of it changes nothing. */
			FUZZ_ASSERT((size_t)ret <= n && ret >= PROXY_FIXED_LEN);
			FUZZ_ASSERT(!last || last == ret);
			FUZZ_ASSERT(h.local || h.client.family);
			FUZZ_ASSERT(h.client.family == h.server.family ||
				    h.client.family == KTURN_FAMILY_V6 ||
				    h.server.family == KTURN_FAMILY_V6);
		} else if (!ret) {
			FUZZ_ASSERT(!last && missing > n &&
				    missing <= PROXY_MAX);
		} else {
			FUZZ_ASSERT(last <= 0);
			FUZZ_ASSERT(ret == -EBADMSG || ret == -EMSGSIZE ||
				    ret == -EPROTONOSUPPORT);
			/* It does not become one. */
			return 0;
		}
		last = ret;
	}
	return 0;
}
