// SPDX-License-Identifier: GPL-2.0-or-later
/* FINGERPRINT: a datagram, then 16 bits that name a bit to turn over. */
#include "fuzz.h"

/* ITU-T V.42's CRC by its definition, a bit at a time. */
static __u32 crc32_by_bit(const __u8 *p, size_t len)
{
	__u32 crc = 0xffffffff;
	size_t i;
	int bit;

	for (i = 0; i < len; i++)
		for (bit = 0; bit < 8; bit++) {
			__u32 in = (p[i] >> bit ^ crc) & 1;

			crc = crc >> 1 ^ (in ? 0xedb88320 : 0);
		}
	return ~crc;
}

static size_t count(const struct kturn_stun *msg, __u16 type, bool *error)
{
	struct kturn_attr_iter it;
	struct kturn_attr attr;
	size_t n = 0;

	kturn_attr_begin(&it, msg);
	while (kturn_attr_next(&it, &attr))
		n += attr.type == type;
	*error = it.error;
	return n;
}

/* The message as it came, and with a FINGERPRINT appended. */
static void check_message(const __u8 *data, size_t size)
{
	size_t room = size + KTURN_ATTR_HDR_LEN + 4;
	__u8 *p = fuzz_copy(data, size), *buf;
	struct kturn_builder b;
	struct kturn_stun msg;
	bool error;
	size_t n;

	if (kturn_stun_parse(p, size, &msg)) {
		free(p);
		return;
	}
	n = count(&msg, KTURN_ATTR_FINGERPRINT, &error);
	if (!n)
		FUZZ_ASSERT(kturn_fingerprint_ok(&msg));
	if (n > 1 || (n && error))
		FUZZ_ASSERT(!kturn_fingerprint_ok(&msg));
	if (n && kturn_fingerprint_ok(&msg))
		FUZZ_ASSERT(kturn_get32(p + size - 4) ==
			    (crc32_by_bit(p, size - 8) ^ 0x5354554e));

	buf = malloc(room);
	if (!buf)
		abort();
	memcpy(buf, p, size);
	b = (struct kturn_builder){ buf, room, size, false };
	kturn_build_fingerprint(&b);
	if (room <= KTURN_STUN_MAX_LEN) {
		FUZZ_ASSERT(!b.overflow && b.len == room);
		FUZZ_ASSERT(!kturn_stun_parse(buf, b.len, &msg));
		if (!error)
			FUZZ_ASSERT(kturn_fingerprint_ok(&msg) == !n);
	}
	free(buf);
	free(p);
}

/* Whatever SOFTWARE says, no bit of it or of the transaction id may change. */
static void check_bit(const __u8 *data, size_t size, size_t bit)
{
	static const __u8 tid[KTURN_STUN_TID_LEN];
	__u8 buf[2048];
	struct kturn_builder b;
	struct kturn_stun msg;
	size_t at;

	if (size > 1024)
		return;
	kturn_build_begin(&b, buf, sizeof(buf), 1, tid);
	kturn_build_attr(&b, KTURN_ATTR_SOFTWARE, data, size);
	kturn_build_fingerprint(&b);
	FUZZ_ASSERT(!b.overflow);
	FUZZ_ASSERT(!kturn_stun_parse(buf, b.len, &msg));
	FUZZ_ASSERT(kturn_fingerprint_ok(&msg));

	/* Outside headers: they decide what the walk finds. */
	bit %= (KTURN_STUN_TID_LEN + size) * 8;
	at = 8 + bit / 8;
	if (at >= KTURN_STUN_HDR_LEN)
		at += KTURN_ATTR_HDR_LEN;
	buf[at] ^= 1 << bit % 8;
	FUZZ_ASSERT(!kturn_fingerprint_ok(&msg));
}

int fuzz_one(const __u8 *data, size_t size)
{
	unsigned int ctl = fuzz_take16(data, &size);
	__u8 *p = fuzz_copy(data, size);

	FUZZ_ASSERT(kturn_fingerprint(p, size) ==
		    (crc32_by_bit(p, size) ^ 0x5354554e));
	check_message(p, size);
	check_message(p, fuzz_fix_header(p, size));
	check_bit(p, size, ctl);
	free(p);
	return 0;
}
