// SPDX-License-Identifier: GPL-2.0-or-later
/* Building: what is built parses back, and nothing is written past the end. */
#include <stdint.h>

#include "wire_test.h"

static void types(void)
{
	static const struct {
		__u16 method;
		enum kturn_class cls;
		__u16 type;
	} table[] = {
		{ KTURN_BINDING, KTURN_REQUEST, 0x0001 },
		{ KTURN_BINDING, KTURN_INDICATION, 0x0011 },
		{ KTURN_BINDING, KTURN_SUCCESS, 0x0101 },
		{ KTURN_BINDING, KTURN_ERROR, 0x0111 },
		{ KTURN_ALLOCATE, KTURN_REQUEST, 0x0003 },
		{ KTURN_ALLOCATE, KTURN_SUCCESS, 0x0103 },
		{ KTURN_ALLOCATE, KTURN_ERROR, 0x0113 },
		{ KTURN_REFRESH, KTURN_REQUEST, 0x0004 },
		{ KTURN_SEND, KTURN_INDICATION, KTURN_TYPE_SEND_IND },
		{ KTURN_DATA, KTURN_INDICATION, KTURN_TYPE_DATA_IND },
		{ KTURN_CREATE_PERMISSION, KTURN_SUCCESS, 0x0108 },
		{ KTURN_CHANNEL_BIND, KTURN_ERROR, 0x0119 },
		{ 0xfff, KTURN_ERROR, 0x3fff },
		{ 0xfff, KTURN_REQUEST, 0x3eef },
	};
	size_t i;

	for (i = 0; i < KTAP_COUNT(table); i++)
		KTAP_EQ(kturn_type(table[i].method, table[i].cls),
			table[i].type);
}

/* RFC 5769 section 2.2, built anew. Only the padding of SOFTWARE differs. */
static void response(void)
{
	const struct vector *want = &rfc5769_ipv4_vector;
	struct bytes b = bytes_copy(want->p, want->len);
	struct kturn_builder build;
	struct kturn_stun msg;
	struct bytes expect;

	memset(b.p, 0xaa, b.len);
	kturn_build_begin(&build, b.p, b.len,
			  kturn_type(KTURN_BINDING, KTURN_SUCCESS), test_tid);
	KTAP_EQ(build.len, 20);
	kturn_build_attr(&build, KTURN_ATTR_SOFTWARE, "test vector", 11);
	kturn_build_xor_addr(&build, KTURN_ATTR_XOR_MAPPED_ADDRESS, &addr4);
	KTAP_MEM_EQ(b.p + 4, want->p + 4, 16 + 4 + 11);
	KTAP_EQ(b.p[35], 0);
	KTAP_MEM_EQ(b.p + 36, want->p + 36, 12);
	kturn_build_attr(&build, KTURN_ATTR_MESSAGE_INTEGRITY, want->p + 52, 20);
	KTAP_EQ(kturn_get16(b.p + 2), build.len - 20);
	/* The sample's value holds with the sample's padding. */
	b.p[35] = want->p[35];
	kturn_build_fingerprint(&build);
	KTAP_CHECK(!build.overflow);
	KTAP_EQ(build.len, want->len);
	KTAP_MEM_EQ(b.p, want->p, want->len);
	KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), 0);
	KTAP_CHECK(kturn_fingerprint_ok(&msg));
	bytes_free(&b);

	expect = msg_make(0x0101, "00200014" ADDR6_HEX);
	b = bytes_copy(expect.p, expect.len);
	memset(b.p, 0xaa, b.len);
	kturn_build_begin(&build, b.p, b.len, 0x0101, test_tid);
	kturn_build_xor_addr(&build, KTURN_ATTR_XOR_MAPPED_ADDRESS, &addr6);
	KTAP_EQ(build.len, expect.len);
	KTAP_MEM_EQ(b.p, expect.p, expect.len);
	bytes_free(&expect);
	bytes_free(&b);
}

static void attributes(void)
{
	static const char *const want[] = {
		"80220000", "80220001 61000000", "80220002 61620000",
		"80220003 61626300", "80220004 61626364",
		"80220005 61626364 65000000",
	};
	struct kturn_builder build;
	struct bytes expect;
	__u8 buf[64], *p;
	size_t len;

	for (len = 0; len < KTAP_COUNT(want); len++) {
		memset(buf, 0xaa, sizeof(buf));
		kturn_build_begin(&build, buf, sizeof(buf), 0x0001, test_tid);
		p = kturn_build_attr(&build, KTURN_ATTR_SOFTWARE, "abcde", len);
		expect = msg_make(0x0001, want[len]);
		KTAP_CHECK(p == buf + 24);
		KTAP_EQ(build.len, expect.len);
		KTAP_MEM_EQ(buf, expect.p, expect.len);
		/* Without a value: zeros. */
		kturn_build_begin(&build, buf, sizeof(buf), 0x0001, test_tid);
		kturn_build_attr(&build, KTURN_ATTR_SOFTWARE, NULL, len);
		memset(expect.p + 24, 0, expect.len - 24);
		KTAP_MEM_EQ(buf, expect.p, expect.len);
		bytes_free(&expect);
	}

	kturn_build_begin(&build, buf, sizeof(buf), 0x0004, test_tid);
	kturn_build_u32(&build, KTURN_ATTR_LIFETIME, 0x12345678);
	expect = msg_make(0x0004, "000d0004 12345678");
	KTAP_EQ(build.len, expect.len);
	KTAP_MEM_EQ(buf, expect.p, expect.len);
	bytes_free(&expect);
}

static void error_code(void)
{
	static const struct {
		unsigned int code;
		const char *reason;
		const char *attrs;
	} table[] = {
		{ 300, "", "00090004 00000300" },
		{ 401, "No", "00090006 00000401 4e6f0000" },
		{ 438, "Stale", "00090009 00000426 5374616c 65000000" },
		{ 699, "", "00090004 00000663" },
	};
	static const unsigned int bad[] = { 0, 299, 700, 1000, 0xffffffff };
	struct kturn_builder build;
	struct bytes expect;
	char reason[130];
	__u8 buf[256];
	size_t i;

	for (i = 0; i < KTAP_COUNT(table); i++) {
		kturn_build_begin(&build, buf, sizeof(buf), 0x0113, test_tid);
		kturn_build_error(&build, table[i].code, table[i].reason);
		expect = msg_make(0x0113, table[i].attrs);
		KTAP_CHECK(!build.overflow);
		KTAP_EQ(build.len, expect.len);
		KTAP_MEM_EQ(buf, expect.p, expect.len);
		bytes_free(&expect);
	}
	for (i = 0; i < KTAP_COUNT(bad); i++) {
		kturn_build_begin(&build, buf, sizeof(buf), 0x0113, test_tid);
		kturn_build_error(&build, bad[i], "x");
		KTAP_CHECK(build.overflow);
		KTAP_EQ(build.len, 20);
	}
	for (i = 127; i <= 128; i++) {
		memset(reason, 'x', i);
		reason[i] = 0;
		kturn_build_begin(&build, buf, sizeof(buf), 0x0113, test_tid);
		kturn_build_error(&build, 500, reason);
		KTAP_EQ(build.overflow, i > 127);
	}
}

/* One of each attribute, in a buffer that ends at every byte before its end. */
static void overflow(void)
{
	static const struct kturn_addr none;
	struct kturn_builder build;
	struct bytes b;
	size_t size, whole = 0;
	bool fits;
	__u8 *p;

	for (size = 200; size <= 200; size--) {
		b = bytes_alloc(size);
		kturn_build_begin(&build, b.p, size, 0x0103, test_tid);
		KTAP_EQ(build.overflow, size < 20);
		kturn_build_xor_addr(&build, KTURN_ATTR_XOR_RELAYED_ADDRESS,
				     &addr6);
		kturn_build_u32(&build, KTURN_ATTR_LIFETIME, 600);
		kturn_build_error(&build, 400, "Bad Request");
		kturn_build_attr(&build, KTURN_ATTR_SOFTWARE, "kturn", 5);
		kturn_build_xor_addr(&build, KTURN_ATTR_XOR_MAPPED_ADDRESS,
				     &addr4);
		kturn_build_fingerprint(&build);
		if (size == 200)
			whole = build.len;
		fits = size >= whole;
		KTAP_EQ(build.overflow, !fits);
		KTAP_CHECK(build.len <= size);
		/* What did not fit is not followed by something smaller. */
		p = kturn_build_attr(&build, KTURN_ATTR_DONT_FRAGMENT, NULL, 0);
		KTAP_EQ(!!p, size >= whole + 4);
		bytes_free(&b);
	}
	KTAP_EQ(whole, 20 + 24 + 8 + 20 + 12 + 12 + 8);

	b = bytes_copy(rfc5769_request_vector.p, 64);
	kturn_build_begin(&build, b.p, b.len, 0x0103, test_tid);
	kturn_build_xor_addr(&build, KTURN_ATTR_XOR_MAPPED_ADDRESS, &none);
	KTAP_CHECK(build.overflow);
	KTAP_EQ(build.len, 20);
	bytes_free(&b);
}

static void longest(void)
{
	static const struct {
		size_t len;
		bool fits;
	} table[] = {
		{ 65508, true }, { 65509, false }, { 65532, false },
		{ 65535, false }, { 65536, false }, { SIZE_MAX, false },
		{ SIZE_MAX - 3, false }, { SIZE_MAX - 7, false },
	};
	static __u8 big[70000];
	struct kturn_builder build;
	struct kturn_stun msg;
	size_t i;
	__u8 *p;

	for (i = 0; i < KTAP_COUNT(table); i++) {
		kturn_build_begin(&build, big, sizeof(big), 0x0001, test_tid);
		p = kturn_build_attr(&build, KTURN_ATTR_DATA, NULL,
				     table[i].len);
		KTAP_EQ(!!p, table[i].fits);
		KTAP_EQ(build.overflow, !table[i].fits);
		KTAP_EQ(build.len, table[i].fits ? 65532 : 20);
		KTAP_EQ(kturn_stun_parse(big, build.len, &msg), 0);
	}
}

static void channel_data(void)
{
	struct kturn_channel_data cd;
	__u8 buf[8] = { 0 };

	KTAP_EQ(kturn_channel_data_build(buf, 0x4abc, 0x1234), 4);
	KTAP_EQ(kturn_get32(buf), 0x4abc1234);
	KTAP_EQ(kturn_channel_data_parse(buf, 4, 4 + 0x1234, &cd), 0);
	KTAP_EQ(cd.number, 0x4abc);
	KTAP_EQ(cd.len, 0x1234);
	KTAP_CHECK(!cd.data);
}

/* The prefix, byte for byte, and the whole message through the parser. */
static void check_data_ind(const struct kturn_addr *peer, const char *attrs,
			   size_t data_len)
{
	struct bytes want = msg_make(KTURN_TYPE_DATA_IND, attrs), msg;
	size_t hdr, total = want.len + data_len + kturn_pad(data_len);
	struct bytes b = bytes_copy(want.p, want.len);
	struct kturn_send send;

	kturn_stun_set_length(want.p, total - 20);
	kturn_put16(want.p + want.len - 2, data_len);
	memset(b.p, 0xaa, b.len);
	hdr = kturn_data_ind_build(b.p, test_tid, peer, data_len);
	KTAP_EQ(hdr, want.len);
	KTAP_MEM_EQ(b.p, want.p, want.len);

	/* But for its type it is what a Send indication is. */
	msg = bytes_alloc(total);
	memcpy(msg.p, b.p, b.len);
	kturn_put16(msg.p, KTURN_TYPE_SEND_IND);
	KTAP_EQ(kturn_send_parse(msg.p, msg.len, msg.len, &send), 0);
	KTAP_MEM_EQ(&send.peer, peer, sizeof(*peer));
	KTAP_EQ(send.data_off, hdr);
	KTAP_EQ(send.data_len, data_len);
	bytes_free(&msg);
	bytes_free(&want);
	bytes_free(&b);
}

static void data_ind(void)
{
	static const size_t too_long[] = {
		65497, 65500, 65535, 65536, SIZE_MAX, SIZE_MAX - 3,
		SIZE_MAX - 36, SIZE_MAX - 48,
	};
	static const struct kturn_addr none;
	__u8 buf[KTURN_DATA_IND_MAX];
	size_t len, i;

	for (len = 0; len < 9; len++) {
		check_data_ind(&addr4, "00120008" ADDR4_HEX "00130000", len);
		check_data_ind(&addr6, "00120014" ADDR6_HEX "00130000", len);
	}
	check_data_ind(&addr4, "00120008" ADDR4_HEX "00130000", 1400);
	check_data_ind(&addr4, "00120008" ADDR4_HEX "00130000", 65496);
	check_data_ind(&addr6, "00120014" ADDR6_HEX "00130000", 65484);

	for (i = 0; i < KTAP_COUNT(too_long); i++) {
		KTAP_EQ(kturn_data_ind_build(buf, test_tid, &addr4,
					     too_long[i]), 0);
		KTAP_EQ(kturn_data_ind_build(buf, test_tid, &addr6,
					     too_long[i] - 12), 0);
	}
	KTAP_EQ(kturn_data_ind_build(buf, test_tid, &none, 4), 0);
}

static void check_icmp_ind(const struct kturn_addr *peer, const char *attrs)
{
	struct bytes want = msg_make(KTURN_TYPE_DATA_IND, attrs);
	struct bytes b = bytes_alloc(want.len);

	/* Not a byte more than it says. */
	KTAP_EQ(kturn_icmp_ind_build(b.p, test_tid, peer, 3, 4, 0x0102fffe),
		want.len);
	KTAP_MEM_EQ(b.p, want.p, want.len);
	bytes_free(&want);
	bytes_free(&b);
}

static void icmp_ind(void)
{
	static const struct kturn_addr none;
	__u8 buf[KTURN_ICMP_IND_MAX];

	check_icmp_ind(&addr4, "00120008" ADDR4_HEX
			       "80040008 0000 03 04 0102fffe");
	check_icmp_ind(&addr6, "00120014" ADDR6_HEX
			       "80040008 0000 03 04 0102fffe");
	KTAP_EQ(kturn_icmp_ind_build(buf, test_tid, &none, 3, 3, 0), 0);
}

static void pad(void)
{
	static const size_t want[] = { 0, 3, 2, 1, 0, 3, 2, 1, 0 };
	size_t i;

	for (i = 0; i < KTAP_COUNT(want); i++)
		KTAP_EQ(kturn_pad(i), want[i]);
}

const struct ktap_case build_cases[] = {
	{ "build: message types", types },
	{ "build: RFC 5769's response again", response },
	{ "build: attributes and padding", attributes },
	{ "build: ERROR-CODE", error_code },
	{ "build: overflow at every size", overflow },
	{ "build: longest message", longest },
	{ "build: ChannelData header", channel_data },
	{ "build: Data indication", data_ind },
	{ "build: Data indication with ICMP", icmp_ind },
	{ "build: padding", pad },
};

const size_t build_count = KTAP_COUNT(build_cases);
