// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The builder, led by the input: 16 bits of buffer size at the end, then
 * from the start one byte of what to append, one byte of length, that value.
 */
#include "fuzz.h"

#define ATTRS_MAX	64

struct want {
	__u16 type;
	size_t len;
	const __u8 *value;
};

/* Appends one attribute; false when the input is used up. */
static bool append(struct kturn_builder *b, const __u8 **pp, size_t *left,
		   struct want *want)
{
	static const __u8 zeros[255];
	struct kturn_addr addr = { 0 };
	const __u8 *p = *pp;
	__u8 *at;
	size_t len;

	if (*left < 2 || *left - 2 < p[1])
		return false;
	len = p[1];
	*want = (struct want){ KTURN_ATTR_SOFTWARE + p[0], len, p + 2 };
	*pp += 2 + len;
	*left -= 2 + len;

	switch (p[0] % 4) {
	case 0:
		at = kturn_build_attr(b, want->type, want->value, len);
		FUZZ_ASSERT(!at == b->overflow);
		break;
	case 1:
		want->value = zeros;
		kturn_build_attr(b, want->type, NULL, len);
		break;
	case 2:
		/* Only its length is foreseen; xor_addr.c knows the value. */
		addr.family = len % 3;
		want->len = 4 + kturn_addr_len(addr.family);
		want->value = NULL;
		kturn_build_xor_addr(b, want->type, &addr);
		FUZZ_ASSERT(addr.family || b->overflow);
		break;
	default:
		if (len < 4)
			return true;
		want->len = 4;
		kturn_build_u32(b, want->type, kturn_get32(want->value));
	}
	return true;
}

static bool appends_nothing(const __u8 *p)
{
	return p[0] % 4 == 3 && p[1] < 4;
}

int fuzz_one(const __u8 *data, size_t size)
{
	static const __u8 tid[KTURN_STUN_TID_LEN] = "transaction";
	size_t room = fuzz_take16(data, &size) % 2048;
	__u8 *buf = malloc(room);
	struct want want[ATTRS_MAX];
	struct kturn_attr_iter it;
	struct kturn_builder b;
	struct kturn_attr attr;
	struct kturn_stun msg;
	const __u8 *at;
	size_t n = 0, i, before;
	bool skip;

	if (!buf && room)
		abort();
	kturn_build_begin(&b, buf, room, 1, tid);
	FUZZ_ASSERT(b.overflow == (room < KTURN_STUN_HDR_LEN));
	while (n < ATTRS_MAX && !b.overflow) {
		at = data;
		before = b.len;
		if (!append(&b, &data, &size, &want[n]))
			break;
		skip = appends_nothing(at);
		FUZZ_ASSERT(b.len <= room);
		FUZZ_ASSERT((b.len == before) == (b.overflow || skip));
		n += b.len != before;
	}

	if (b.len) {
		FUZZ_ASSERT(!kturn_stun_parse(buf, b.len, &msg));
		kturn_attr_begin(&it, &msg);
		for (i = 0; kturn_attr_next(&it, &attr); i++) {
			FUZZ_ASSERT(i < n && attr.type == want[i].type);
			FUZZ_ASSERT(attr.len == want[i].len);
			if (want[i].value)
				FUZZ_ASSERT(!memcmp(attr.value, want[i].value,
						    attr.len));
		}
		FUZZ_ASSERT(i == n && !it.error);
	}
	free(buf);
	return 0;
}
