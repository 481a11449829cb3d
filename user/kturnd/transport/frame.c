// SPDX-License-Identifier: GPL-2.0-or-later
/* Where messages end in a stream; see frame.h. */
#include <errno.h>

#include "frame.h"

/* The first two bits of a message, RFC 8489 section 5 and RFC 7983. */
#define FIRST_BITS(byte)	((byte) >> 6)
#define STUN_BITS		0
#define CHANNEL_BITS		1

static ssize_t stun_len(const uint8_t *buf, size_t len)
{
	uint16_t length = kturn_get16(buf + 2);

	/* All attributes are padded. */
	if (length % 4)
		return -EBADMSG;
	/* Long before all of it would have to be there. */
	if (len >= 8 && kturn_get32(buf + 4) != KTURN_STUN_MAGIC)
		return -EBADMSG;
	return KTURN_STUN_HDR_LEN + length;
}

ssize_t frame_len(const uint8_t *buf, size_t len)
{
	uint16_t length;

	if (!len)
		return 0;
	if (FIRST_BITS(buf[0]) > CHANNEL_BITS)
		return -EBADMSG;
	if (len < KTURN_CHAN_HDR_LEN)
		return 0;
	if (FIRST_BITS(buf[0]) == STUN_BITS)
		return stun_len(buf, len);
	length = kturn_get16(buf + 2);
	return (ssize_t)(KTURN_CHAN_HDR_LEN + length + kturn_pad(length));
}
