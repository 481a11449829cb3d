// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn_xor_addr_parse() and its inverse: 12 bytes of transaction id, value. */
#include "fuzz.h"

/* What is built from @addr parses back to it, and is returned in @value. */
static size_t round_trip(const struct kturn_addr *addr, const __u8 *tid,
			 __u8 *value)
{
	__u8 buf[KTURN_STUN_HDR_LEN + KTURN_ATTR_HDR_LEN + 20];
	struct kturn_builder b;
	struct kturn_addr again;
	size_t len;

	kturn_build_begin(&b, buf, sizeof(buf), 1, tid);
	kturn_build_xor_addr(&b, KTURN_ATTR_XOR_PEER_ADDRESS, addr);
	FUZZ_ASSERT(!b.overflow);
	len = b.len - KTURN_STUN_HDR_LEN - KTURN_ATTR_HDR_LEN;
	FUZZ_ASSERT(len == 4 + kturn_addr_len(addr->family));
	memcpy(value, buf + KTURN_STUN_HDR_LEN + KTURN_ATTR_HDR_LEN, len);
	memset(&again, 0xff, sizeof(again));
	FUZZ_ASSERT(!kturn_xor_addr_parse(value, len, tid, &again));
	FUZZ_ASSERT(!memcmp(&again, addr, sizeof(again)));
	return len;
}

int fuzz_one(const __u8 *data, size_t size)
{
	static const struct kturn_addr none;
	__u8 value[20];
	struct kturn_addr addr;
	__u8 *p;
	size_t len;

	if (size < KTURN_STUN_TID_LEN)
		return 0;
	len = size - KTURN_STUN_TID_LEN;
	p = fuzz_copy(data + KTURN_STUN_TID_LEN, len);

	memset(&addr, 0xff, sizeof(addr));
	if (kturn_xor_addr_parse(p, len, data, &addr)) {
		FUZZ_ASSERT(!memcmp(&addr, &none, sizeof(addr)));
		FUZZ_ASSERT(!(len == 8 && p[1] == KTURN_FAMILY_V4));
		FUZZ_ASSERT(!(len == 20 && p[1] == KTURN_FAMILY_V6));
	} else {
		FUZZ_ASSERT(addr.family == p[1] && !addr.pad);
		FUZZ_ASSERT(round_trip(&addr, data, value) == len);
		FUZZ_ASSERT(!value[0] && !memcmp(value + 1, p + 1, len - 1));
		/* The first bytes are those of the cookie: RFC 8489 14.2. */
		FUZZ_ASSERT(addr.ip[0] == (p[4] ^ 0x21));
		FUZZ_ASSERT(addr.ip[3] == (p[7] ^ 0x42));
	}

	/* Any address at all, from the value's bytes. */
	if (len >= 18) {
		addr = none;
		addr.family = len % 2 ? KTURN_FAMILY_V4 : KTURN_FAMILY_V6;
		memcpy(addr.ip, p, kturn_addr_len(addr.family));
		memcpy(&addr.port, p + 16, sizeof(addr.port));
		round_trip(&addr, data, value);
	}
	free(p);
	return 0;
}
