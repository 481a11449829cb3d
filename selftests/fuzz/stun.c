// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn_wire_kind(), kturn_stun_parse() and the walk over attributes. */
#include "fuzz.h"

/* The attributes written anew are the same, but for what padding holds. */
static void check_rebuilt(const struct kturn_stun *msg)
{
	size_t size = KTURN_STUN_HDR_LEN + msg->length;
	struct kturn_attr_iter it, it2;
	struct kturn_attr attr, attr2;
	struct kturn_builder b;
	struct kturn_stun msg2;
	__u8 *buf = malloc(size);

	if (!buf)
		abort();
	kturn_build_begin(&b, buf, size, kturn_type(msg->method, msg->cls),
			  msg->tid);
	kturn_attr_begin(&it, msg);
	while (kturn_attr_next(&it, &attr))
		kturn_build_attr(&b, attr.type, attr.value, attr.len);
	FUZZ_ASSERT(!b.overflow);
	FUZZ_ASSERT(b.len == size - it.left);
	FUZZ_ASSERT(!memcmp(buf + 4, msg->msg + 4, KTURN_STUN_HDR_LEN - 4));

	FUZZ_ASSERT(!kturn_stun_parse(buf, b.len, &msg2));
	FUZZ_ASSERT(msg2.type == msg->type);
	kturn_attr_begin(&it, msg);
	kturn_attr_begin(&it2, &msg2);
	while (kturn_attr_next(&it, &attr)) {
		FUZZ_ASSERT(kturn_attr_next(&it2, &attr2));
		FUZZ_ASSERT(attr.type == attr2.type);
		FUZZ_ASSERT(attr.len == attr2.len);
		FUZZ_ASSERT(!memcmp(attr.value, attr2.value, attr.len));
	}
	FUZZ_ASSERT(!kturn_attr_next(&it2, &attr2) && !it2.error);
	free(buf);
}

static void check(const __u8 *p, size_t size, bool must_parse)
{
	enum kturn_kind kind = kturn_wire_kind(p, size);
	struct kturn_attr_iter it;
	struct kturn_attr attr;
	struct kturn_stun msg;
	const __u8 *end;

	FUZZ_ASSERT(kind == KTURN_KIND_OTHER ||
		    (kind == KTURN_KIND_STUN && size >= KTURN_STUN_HDR_LEN) ||
		    (kind == KTURN_KIND_CHANNEL && size >= KTURN_CHAN_HDR_LEN));
	if (kturn_stun_parse(p, size, &msg)) {
		FUZZ_ASSERT(!must_parse);
		return;
	}

	FUZZ_ASSERT(kind == KTURN_KIND_STUN);
	FUZZ_ASSERT(msg.msg == p && msg.tid == p + 8);
	FUZZ_ASSERT(msg.length + KTURN_STUN_HDR_LEN == size);
	FUZZ_ASSERT(msg.type == kturn_get16(p));
	FUZZ_ASSERT(msg.cls <= KTURN_ERROR && msg.method <= 0xfff);
	FUZZ_ASSERT(kturn_type(msg.method, msg.cls) == msg.type);

	end = p + KTURN_STUN_HDR_LEN;
	kturn_attr_begin(&it, &msg);
	while (kturn_attr_next(&it, &attr)) {
		/* One attribute begins where the other's padding ends. */
		FUZZ_ASSERT(attr.value == end + KTURN_ATTR_HDR_LEN);
		end = attr.value + attr.len + kturn_pad(attr.len);
		FUZZ_ASSERT(it.pos == end);
		FUZZ_ASSERT(it.left == (size_t)(p + size - end));
	}
	FUZZ_ASSERT(it.error == (it.left != 0));
	check_rebuilt(&msg);
}

int fuzz_one(const __u8 *data, size_t size)
{
	__u8 *fixed = fuzz_copy(data, size);
	size_t len = fuzz_fix_header(fixed, size);
	__u8 *p = fuzz_copy(fixed, len);

	check(data, size, false);
	check(p, len, len >= KTURN_STUN_HDR_LEN && len <= KTURN_STUN_MAX_LEN);
	free(p);
	free(fixed);
	return 0;
}
