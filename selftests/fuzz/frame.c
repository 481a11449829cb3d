// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * frame_len(): a stream. However it comes in pieces, its messages are the same,
 * and none is longer than any message can be.
 */
#include <errno.h>

#include "../../user/kturnd/transport/frame.h"
#include "fuzz.h"

/* What is known of a message from @n bytes is known from more of them. */
static ssize_t grow(const __u8 *data, size_t size)
{
	ssize_t last = 0, ret;
	size_t n, most = size < 24 ? size : 24;
	__u8 *p;

	for (n = 0; n <= most; n++) {
		p = fuzz_copy(data, n);
		ret = frame_len(p, n);
		free(p);
		FUZZ_ASSERT(ret == -EBADMSG || (ret >= 0 && ret <= FRAME_MAX));
		FUZZ_ASSERT(!last || ret == last || ret == -EBADMSG);
		last = ret;
	}
	p = fuzz_copy(data, size);
	FUZZ_ASSERT(frame_len(p, size) == last);
	free(p);
	return last;
}

int fuzz_one(const __u8 *data, size_t size)
{
	ssize_t n;

	while (size) {
		n = grow(data, size);
		if (n <= 0 || (size_t)n > size)
			break;
		/* A message is at least a header, and what follows is aligned. */
		FUZZ_ASSERT(n >= KTURN_CHAN_HDR_LEN && n % 4 == 0);
		data += n;
		size -= (size_t)n;
	}
	return 0;
}
