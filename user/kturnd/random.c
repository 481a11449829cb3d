// SPDX-License-Identifier: GPL-2.0-or-later
/* The system's CSPRNG. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "log.h"
#include "random.h"

static void system_bytes(void *buf, size_t len)
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

/*
 * For small numbers, of which an allocation needs several: a system call costs
 * more than they do. Each byte is used once, and no process of ours forks.
 */
#define POOL	256
#define SMALL	16

static _Thread_local uint8_t pool[POOL];
static _Thread_local size_t pool_left;

static void take(void *buf, size_t len)
{
	if (pool_left < len) {
		system_bytes(pool, sizeof(pool));
		pool_left = sizeof(pool);
	}
	pool_left -= len;
	memcpy(buf, pool + pool_left, len);
	explicit_bzero(pool + pool_left, len);
}

void random_bytes(void *buf, size_t len)
{
	if (len <= SMALL)
		take(buf, len);
	else
		system_bytes(buf, len);
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
