/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets share. */
#ifndef KTURN_SELFTESTS_FUZZ_H
#define KTURN_SELFTESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kturn/wire.h>

/* Unlike assert() it is there whatever NDEBUG says. */
#define FUZZ_ASSERT(cond)						\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: does not hold: %s\n",	\
				__FILE__, __LINE__, #cond);		\
			abort();					\
		}							\
	} while (0)

/*
 * What each target defines: it gets one input, returns 0 and aborts when
 * something does not hold. libFuzzer calls it by its own name.
 */
int fuzz_one(const __u8 *data, size_t size)
	__asm__("LLVMFuzzerTestOneInput");

/* A copy that ends where AddressSanitizer sees the first byte after it. */
static inline __u8 *fuzz_copy(const __u8 *data, size_t size)
{
	__u8 *p = malloc(size);

	if (!p && size)
		abort();
	if (size)
		memcpy(p, data, size);
	return p;
}

/*
 * Takes a number off the end of the input, so that the rest, and every seed,
 * is a datagram as it is on the wire.
 */
static inline unsigned int fuzz_take16(const __u8 *data, size_t *size)
{
	if (*size < 2)
		return 0;
	*size -= 2;
	return kturn_get16(data + *size);
}

/*
 * Makes the header right, which random changes seldom do: the type's first
 * two bits, the length, the cookie. Returns the length of the message.
 */
static inline size_t fuzz_fix_header(__u8 *msg, size_t size)
{
	if (size < KTURN_STUN_HDR_LEN || size > KTURN_STUN_MAX_LEN)
		return size;
	size -= size % 4;
	msg[0] &= 0x3f;
	kturn_stun_set_length(msg, size - KTURN_STUN_HDR_LEN);
	kturn_put32(msg + 4, KTURN_STUN_MAGIC);
	return size;
}

#endif /* KTURN_SELFTESTS_FUZZ_H */
