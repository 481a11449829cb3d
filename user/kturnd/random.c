// SPDX-License-Identifier: GPL-2.0-or-later
/* The system's CSPRNG. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "log.h"
#include "random.h"

void random_bytes(void *buf, size_t len)
{
	uint8_t *p = buf;
	ssize_t n;

	while (len) {
		n = getrandom(p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* Ports and nonces that can be guessed are worse. */
			log_event(LOG_ERR, "no-random", "error=%s",
				  strerror(errno));
			abort();
		}
		p += n;
		len -= (size_t)n;
	}
}

uint32_t random_below(uint32_t n)
{
	/* Of the largest multiple of n that fits: no value is favoured. */
	uint32_t limit = UINT32_MAX - UINT32_MAX % n;
	uint32_t r;

	do
		random_bytes(&r, sizeof(r));
	while (r >= limit);
	return r % n;
}
