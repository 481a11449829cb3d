// SPDX-License-Identifier: GPL-2.0
/*
 * Wire code in the kernel. Messages are copied into memory of their own size,
 * so that KASAN sees every read past their end.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include <kturn/wire.h>

#include "vectors.h"

/* 192.0.2.1:32853 and [2001:db8:1234:5678:11:2233:4455:6677]:32853 */
static const struct kturn_addr addr4 = {
	.ip = { 192, 0, 2, 1 },
	.port = cpu_to_be16(32853),
	.family = KTURN_FAMILY_V4,
};

static const struct kturn_addr addr6 = {
	.ip = { 0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78,
		0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77 },
	.port = cpu_to_be16(32853),
	.family = KTURN_FAMILY_V6,
};

static const struct {
	const u8 *p;
	size_t len;
	u16 type;
	const struct kturn_addr *mapped;
	bool fingerprint;
} vectors[] = {
	{ rfc5769_request, sizeof(rfc5769_request), 0x0001, NULL, true },
	{ rfc5769_ipv4, sizeof(rfc5769_ipv4), 0x0101, &addr4, true },
	{ rfc5769_ipv6, sizeof(rfc5769_ipv6), 0x0101, &addr6, true },
	{ rfc5769_long_term, sizeof(rfc5769_long_term), 0x0001, NULL, false },
};

static u8 *copy(struct kunit *test, const void *p, size_t len)
{
	u8 *to = kunit_kmalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, to);
	return memcpy(to, p, len);
}

static bool find(const struct kturn_stun *msg, u16 type,
		 struct kturn_attr *attr)
{
	struct kturn_attr_iter it;

	kturn_attr_begin(&it, msg);
	while (kturn_attr_next(&it, attr))
		if (attr->type == type)
			return true;
	return false;
}

static void rfc5769_vectors(struct kunit *test)
{
	struct kturn_attr attr;
	struct kturn_addr addr;
	struct kturn_stun msg;
	u8 *p;
	int i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		p = copy(test, vectors[i].p, vectors[i].len);
		KUNIT_EXPECT_EQ(test, kturn_wire_kind(p, vectors[i].len),
				KTURN_KIND_STUN);
		KUNIT_ASSERT_EQ(test,
				kturn_stun_parse(p, vectors[i].len, &msg), 0);
		KUNIT_EXPECT_EQ(test, msg.type, vectors[i].type);
		KUNIT_EXPECT_TRUE(test, kturn_fingerprint_ok(&msg));
		KUNIT_EXPECT_EQ(test, find(&msg, KTURN_ATTR_FINGERPRINT, &attr),
				vectors[i].fingerprint);
		if (!vectors[i].mapped)
			continue;
		KUNIT_ASSERT_TRUE(test, find(&msg,
					     KTURN_ATTR_XOR_MAPPED_ADDRESS,
					     &attr));
		KUNIT_EXPECT_EQ(test, kturn_xor_addr_parse(attr.value, attr.len,
							   msg.tid, &addr), 0);
		KUNIT_EXPECT_EQ(test, memcmp(&addr, vectors[i].mapped,
					     sizeof(addr)), 0);
	}
}

/* Each bit that FINGERPRINT covers; the header's own may be refused before. */
static void fingerprint_sees_every_bit(struct kunit *test)
{
	size_t len = sizeof(rfc5769_ipv4);
	u8 *p = copy(test, rfc5769_ipv4, len);
	struct kturn_stun msg;
	size_t bit;

	for (bit = 0; bit < (len - 8) * 8; bit++) {
		p[bit / 8] ^= 1 << bit % 8;
		/* A changed attribute length can end the walk before it. */
		if (!kturn_stun_parse(p, len, &msg)) {
			struct kturn_attr attr;

			if (find(&msg, KTURN_ATTR_FINGERPRINT, &attr))
				KUNIT_EXPECT_FALSE_MSG(test,
						       kturn_fingerprint_ok(&msg),
						       "bit %zu", bit);
		}
		p[bit / 8] ^= 1 << bit % 8;
	}
	KUNIT_ASSERT_EQ(test, kturn_stun_parse(p, len, &msg), 0);
	KUNIT_EXPECT_TRUE(test, kturn_fingerprint_ok(&msg));
}

/* No beginning of a message is one. */
static void truncated_messages(struct kunit *test)
{
	struct kturn_stun msg;
	size_t len;
	u8 *p;
	int i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		for (len = 0; len < vectors[i].len; len++) {
			p = copy(test, vectors[i].p, len);
			KUNIT_EXPECT_EQ(test, kturn_stun_parse(p, len, &msg),
					-EBADMSG);
			kunit_kfree(test, p);
		}
}

static void channel_data_bounds(struct kunit *test)
{
	static const struct {
		u16 number, len;
		size_t total;
		int err;
	} cases[] = {
		{ 0x3fff, 0, 4, -EBADMSG },
		{ 0x4000, 0, 4, 0 },
		{ 0x7fff, 0, 4, 0 },
		{ 0x8000, 0, 4, -EBADMSG },
		{ 0x4000, 5, 9, 0 },
		{ 0x4000, 5, 12, 0 },
		{ 0x4000, 5, 8, -EBADMSG },
		{ 0x4000, 0xffff, 12, -EBADMSG },
		{ 0x4000, 0, 3, -EBADMSG },
	};
	struct kturn_channel_data cd;
	u8 header[KTURN_CHAN_HDR_LEN];
	size_t have;
	u8 *p;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		have = min(cases[i].total, sizeof(header));
		KUNIT_EXPECT_EQ(test, kturn_channel_data_build(header,
							       cases[i].number,
							       cases[i].len),
				sizeof(header));
		p = copy(test, header, have);
		KUNIT_EXPECT_EQ_MSG(test,
				    kturn_channel_data_parse(p, have,
							     cases[i].total,
							     &cd),
				    cases[i].err, "case %d", i);
		if (cases[i].err)
			continue;
		KUNIT_EXPECT_EQ(test, cd.number, cases[i].number);
		KUNIT_EXPECT_EQ(test, cd.len, cases[i].len);
	}
}

/* Whatever part of it can be read, the answer is right or "show me more". */
static void send_indication_in_parts(struct kunit *test)
{
	static const u8 tid[KTURN_STUN_TID_LEN] = "kunit kunit";
	static const u8 data[] = "five.";
	struct kturn_send send;
	struct kturn_builder b;
	u8 buf[128], *part;
	size_t avail;
	int err;

	kturn_build_begin(&b, buf, sizeof(buf), KTURN_TYPE_SEND_IND, tid);
	kturn_build_xor_addr(&b, KTURN_ATTR_XOR_PEER_ADDRESS, &addr6);
	kturn_build_attr(&b, KTURN_ATTR_DATA, data, 5);
	kturn_build_attr(&b, KTURN_ATTR_DONT_FRAGMENT, NULL, 0);
	kturn_build_fingerprint(&b);
	KUNIT_ASSERT_FALSE(test, b.overflow);

	for (avail = KTURN_STUN_HDR_LEN; avail <= b.len; avail++) {
		part = copy(test, buf, avail);
		err = kturn_send_parse(part, avail, b.len, &send);
		kunit_kfree(test, part);
		/* Header, address, and DATA's own header */
		if (avail < 20 + 24 + 4) {
			KUNIT_EXPECT_EQ_MSG(test, err, -EMSGSIZE, "%zu", avail);
			continue;
		}
		KUNIT_EXPECT_EQ_MSG(test, err, 0, "%zu", avail);
		if (err)
			continue;
		if (send.tail_off) {
			size_t len = send.tail_len;

			part = copy(test, buf + send.tail_off, len);
			KUNIT_EXPECT_EQ(test, kturn_send_parse_tail(part, len,
								    &send), 0);
			kunit_kfree(test, part);
		}
		KUNIT_EXPECT_EQ(test, send.data_off, 48);
		KUNIT_EXPECT_EQ(test, send.data_len, 5);
		KUNIT_EXPECT_TRUE(test, send.dont_fragment);
		KUNIT_EXPECT_EQ(test, memcmp(&send.peer, &addr6,
					     sizeof(addr6)), 0);
	}
}

static struct kunit_case kturn_wire_cases[] = {
	KUNIT_CASE(rfc5769_vectors),
	KUNIT_CASE(fingerprint_sees_every_bit),
	KUNIT_CASE(truncated_messages),
	KUNIT_CASE(channel_data_bounds),
	KUNIT_CASE(send_indication_in_parts),
	{}
};

static struct kunit_suite kturn_wire_suite = {
	.name = "kturn-wire",
	.test_cases = kturn_wire_cases,
};

kunit_test_suites(&kturn_wire_suite);
