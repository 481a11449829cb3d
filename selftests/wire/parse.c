// SPDX-License-Identifier: GPL-2.0-or-later
/* Headers, attributes, addresses, ChannelData, FINGERPRINT: what is refused. */
#include "wire_test.h"

static const struct vector *const valid[] = {
	&rfc5769_request_vector, &rfc5769_ipv4_vector, &rfc5769_ipv6_vector,
	&rfc5769_long_term_vector,
};

static void kind(void)
{
	static const struct {
		const char *hex;
		enum kturn_kind kind;
	} table[] = {
		{ "", KTURN_KIND_OTHER },
		{ "40", KTURN_KIND_OTHER },
		{ "400000", KTURN_KIND_OTHER },
		{ "40000000", KTURN_KIND_CHANNEL },
		{ "7fffffff", KTURN_KIND_CHANNEL },
		{ "80000000", KTURN_KIND_OTHER },
		{ "c0000000", KTURN_KIND_OTHER },
		{ "00010000 2112a442 00000000 00000000 000000", KTURN_KIND_OTHER },
		{ "00010000 2112a442 00000000 00000000 00000000", KTURN_KIND_STUN },
		{ "3fffffff 2112a442 00000000 00000000 00000000", KTURN_KIND_STUN },
		{ "00010000 2112a443 00000000 00000000 00000000", KTURN_KIND_OTHER },
		{ "00010000 a112a442 00000000 00000000 00000000", KTURN_KIND_OTHER },
		{ "80010000 2112a442 00000000 00000000 00000000", KTURN_KIND_OTHER },
		{ "c0010000 2112a442 00000000 00000000 00000000", KTURN_KIND_OTHER },
		/* DTLS client hello, RFC 7983 */
		{ "16feff00 00000000 00000000 00000000 00000000", KTURN_KIND_OTHER },
	};
	struct bytes b;
	size_t i;

	for (i = 0; i < KTAP_COUNT(table); i++) {
		b = bytes_hex(table[i].hex);
		KTAP_EQ(kturn_wire_kind(b.p, b.len), table[i].kind);
		bytes_free(&b);
	}
}

static void stun_header(void)
{
	static const char *const bad[] = {
		/* first two bits */
		"80010000 2112a442 00000000 00000000 00000000",
		"40010000 2112a442 00000000 00000000 00000000",
		/* magic cookie */
		"00010000 2112a440 00000000 00000000 00000000",
		"00010000 42a41221 00000000 00000000 00000000",
		/* length: not a multiple of four, too long, too short */
		"00010001 2112a442 00000000 00000000 00000000 00",
		"00010002 2112a442 00000000 00000000 00000000 0000",
		"00010003 2112a442 00000000 00000000 00000000 000000",
		"00010000 2112a442 00000000 00000000 00000000 000000",
		"00010004 2112a442 00000000 00000000 00000000",
		"00010000 2112a442 00000000 00000000 00000000 80220000",
		"0001fffc 2112a442 00000000 00000000 00000000 80220000",
	};
	struct kturn_stun msg;
	struct bytes b;
	size_t i;

	for (i = 0; i < KTAP_COUNT(bad); i++) {
		b = bytes_hex(bad[i]);
		KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), -EBADMSG);
		bytes_free(&b);
	}

	b = msg_make(0x0001, "");
	KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), 0);
	KTAP_EQ(msg.length, 0);
	bytes_free(&b);
}

/* The largest message there is, and one attribute more. */
static void stun_longest(void)
{
	struct kturn_stun msg;
	struct bytes b;
	__u8 big[65540] = { 0x00, 0x01, 0xff, 0xe8, 0x21, 0x12, 0xa4, 0x42 };

	b = bytes_copy(big, 20 + 0xffe8);
	KTAP_EQ(b.len, 65532);
	KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), 0);
	KTAP_EQ(msg.length, 0xffe8);
	bytes_free(&b);

	big[3] = 0xec;
	b = bytes_copy(big, 20 + 0xffec);
	KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), -EBADMSG);
	bytes_free(&b);
}

/* All the 14 bits of a type, against the table of RFC 8489 section 5. */
static void stun_type(void)
{
	unsigned int type, method;
	struct kturn_stun msg;
	struct bytes b;

	for (type = 0; type < 0x4000; type++) {
		b = msg_make(type, "");
		if (!KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), 0)) {
			bytes_free(&b);
			return;
		}
		method = type % 16 + type / 32 % 8 * 16 + type / 512 * 128;
		KTAP_EQ(msg.type, type);
		KTAP_EQ(msg.method, method);
		KTAP_EQ(msg.cls, type / 16 % 2 + type / 256 % 2 * 2);
		KTAP_EQ(kturn_type(msg.method, msg.cls), type);
		bytes_free(&b);
	}
}

static void attributes(void)
{
	static const struct {
		const char *attrs;
		size_t good;
		bool error;
	} table[] = {
		{ "", 0, false },
		{ "80220000", 1, false },
		{ "80220001 61000000", 1, false },
		{ "80220004 61626364 80220005 61626364 65000000", 2, false },
		/* a value of which the end is missing: all of it, padding only */
		{ "80220001", 0, true },
		{ "80220005 61626364", 0, true },
		{ "8022ffff", 0, true },
		{ "80220000 8022fffd 00000000", 1, true },
		{ "80220000 80220009 61626364 65666768", 1, true },
	};
	struct kturn_attr_iter it;
	struct kturn_attr attr;
	struct kturn_stun msg;
	struct bytes b;
	size_t i, n;

	for (i = 0; i < KTAP_COUNT(table); i++) {
		b = msg_make(0x0001, table[i].attrs);
		KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), 0);
		kturn_attr_begin(&it, &msg);
		for (n = 0; kturn_attr_next(&it, &attr); n++)
			KTAP_EQ(attr.type, KTURN_ATTR_SOFTWARE);
		KTAP_EQ(n, table[i].good);
		KTAP_EQ(it.error, table[i].error);
		/* An ended walk stays where it is. */
		KTAP_CHECK(!kturn_attr_next(&it, &attr));
		KTAP_EQ(it.error, table[i].error);
		bytes_free(&b);
	}
}

/*
 * Every beginning of every valid message: with the length field as it was it
 * is refused, and with one that fits the walk ends within the message.
 */
static void truncation(void)
{
	struct kturn_attr_iter it;
	struct kturn_attr attr;
	struct kturn_stun msg;
	struct bytes b;
	size_t i, len;
	int ret;

	for (i = 0; i < KTAP_COUNT(valid); i++) {
		for (len = 0; len < valid[i]->len; len++) {
			b = bytes_copy(valid[i]->p, len);
			KTAP_EQ(kturn_wire_kind(b.p, len), len < 20 ?
				KTURN_KIND_OTHER : KTURN_KIND_STUN);
			KTAP_EQ(kturn_stun_parse(b.p, len, &msg), -EBADMSG);
			if (len >= 20) {
				kturn_stun_set_length(b.p, len - 20);
				ret = kturn_stun_parse(b.p, len, &msg);
				KTAP_EQ(ret, len % 4 ? -EBADMSG : 0);
			}
			if (len < 20 || len % 4) {
				bytes_free(&b);
				continue;
			}
			kturn_attr_begin(&it, &msg);
			while (kturn_attr_next(&it, &attr))
				KTAP_CHECK(attr.value + attr.len <= b.p + len);
			KTAP_CHECK(it.error || !it.left);
			kturn_fingerprint_ok(&msg);
			bytes_free(&b);
		}
	}
}

static void known_attributes(void)
{
	/* RFC 8489 section 18.3, RFC 8656 section 18 */
	static const __u16 known[] = {
		0x0001, 0x0006, 0x0008, 0x0009, 0x000a, 0x000c, 0x000d, 0x0012,
		0x0013, 0x0014, 0x0015, 0x0016, 0x0017, 0x0018, 0x0019, 0x001a,
		0x001c, 0x001d, 0x001e, 0x0020, 0x0022, 0x8000, 0x8001, 0x8002,
		0x8003, 0x8004, 0x8022, 0x8023, 0x8028,
	};
	unsigned int type;
	size_t i = 0;
	bool want;

	for (type = 0; type <= 0xffff; type++) {
		want = i < KTAP_COUNT(known) && known[i] == type;
		KTAP_EQ(kturn_attr_known(type), want);
		KTAP_EQ(kturn_attr_required(type), type <= 0x7fff);
		i += want;
	}
	KTAP_EQ(i, KTAP_COUNT(known));
}

static void xor_addr(void)
{
	static const char *const bad[] = {
		"", "00", "0001", "0001a147", "0001a147 e112a6",
		"0001a147 e112a643 00", ADDR4_HEX "00000000",
		/* each family with the other's length, and no family at all */
		"0002a147 e112a643",
		"0001a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9",
		"0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9",
		ADDR6_HEX "00", "0000a147 e112a643", "0003a147 e112a643",
		"00ffa147 e112a643", "0000a147",
	};
	static const struct kturn_addr none;
	struct kturn_addr addr;
	struct bytes b;
	size_t i;

	b = bytes_hex(ADDR4_HEX);
	memset(&addr, 0xff, sizeof(addr));
	KTAP_EQ(kturn_xor_addr_parse(b.p, b.len, test_tid, &addr), 0);
	KTAP_MEM_EQ(&addr, &addr4, sizeof(addr));
	/* The reserved byte is ignored. */
	b.p[0] = 0xff;
	KTAP_EQ(kturn_xor_addr_parse(b.p, b.len, test_tid, &addr), 0);
	KTAP_MEM_EQ(&addr, &addr4, sizeof(addr));
	bytes_free(&b);

	b = bytes_hex(ADDR6_HEX);
	memset(&addr, 0xff, sizeof(addr));
	KTAP_EQ(kturn_xor_addr_parse(b.p, b.len, test_tid, &addr), 0);
	KTAP_MEM_EQ(&addr, &addr6, sizeof(addr));
	bytes_free(&b);

	for (i = 0; i < KTAP_COUNT(bad); i++) {
		b = bytes_hex(bad[i]);
		memset(&addr, 0xff, sizeof(addr));
		KTAP_EQ(kturn_xor_addr_parse(b.p, b.len, test_tid, &addr),
			-EBADMSG);
		KTAP_MEM_EQ(&addr, &none, sizeof(addr));
		bytes_free(&b);
	}
	KTAP_EQ(sizeof(addr), 20);
}

static void channel_data(void)
{
	static const struct {
		const char *hex;
		int ret;
		__u16 number;
		__u16 len;
	} table[] = {
		{ "", -EBADMSG, 0, 0 },
		{ "400000", -EBADMSG, 0, 0 },
		{ "40000000", 0, 0x4000, 0 },
		{ "4fff0000", 0, 0x4fff, 0 },
		{ "7fff0000", 0, 0x7fff, 0 },
		{ "3fff0000", -EBADMSG, 0, 0 },
		{ "80000000", -EBADMSG, 0, 0 },
		{ "ffff0000", -EBADMSG, 0, 0 },
		{ "40000001", -EBADMSG, 0, 0 },
		{ "40000001 61", 0, 0x4000, 1 },
		{ "40000002 61", -EBADMSG, 0, 0 },
		/* Padding, and more than padding, is ignored. */
		{ "40000001 61eeeeee", 0, 0x4000, 1 },
		{ "40000000 61626364 65666768", 0, 0x4000, 0 },
		{ "40000008 61626364 65666768", 0, 0x4000, 8 },
		{ "40000009 61626364 65666768", -EBADMSG, 0, 0 },
		{ "4000ffff 61626364 65666768", -EBADMSG, 0, 0 },
	};
	struct kturn_channel_data cd;
	struct bytes b, part;
	size_t i, avail;
	bool all;
	int ret;

	for (i = 0; i < KTAP_COUNT(table); i++) {
		b = bytes_hex(table[i].hex);
		for (avail = 0; avail <= b.len; avail++) {
			part = bytes_copy(b.p, avail);
			ret = kturn_channel_data_parse(part.p, avail, b.len,
						       &cd);
			KTAP_EQ(ret, avail < 4 ? -EBADMSG : table[i].ret);
			if (!ret) {
				all = avail >= 4u + cd.len;
				KTAP_EQ(cd.number, table[i].number);
				KTAP_EQ(cd.len, table[i].len);
				KTAP_CHECK(cd.data == (all ? part.p + 4 : NULL));
			}
			bytes_free(&part);
		}
		bytes_free(&b);
	}

	/* Bytes after the datagram's end are not the datagram's. */
	b = bytes_hex("40000004 61626364");
	for (i = 0; i <= b.len; i++)
		KTAP_EQ(kturn_channel_data_parse(b.p, b.len, i, &cd),
			i < b.len ? -EBADMSG : 0);
	bytes_free(&b);
}

/* A right FINGERPRINT, then each bit that must not matter to the walk. */
static void fingerprint_bits(void)
{
	struct kturn_stun msg;
	struct bytes b;
	size_t i, bit, first;

	for (i = 0; i < 3; i++) {
		b = bytes_copy(valid[i]->p, valid[i]->len);
		KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), 0);
		KTAP_CHECK(kturn_fingerprint_ok(&msg));
		for (bit = 0; bit < b.len * 8; bit++) {
			first = bit / 8;
			/* transaction id, MESSAGE-INTEGRITY, FINGERPRINT */
			if (first < 8 ||
			    (first >= 20 && first < b.len - 28) ||
			    (first >= b.len - 8 && first < b.len - 4))
				continue;
			b.p[first] ^= 1 << bit % 8;
			KTAP_CHECK(!kturn_fingerprint_ok(&msg));
			b.p[first] ^= 1 << bit % 8;
		}
		bytes_free(&b);
	}
}

static void fingerprint_place(void)
{
	static const struct {
		const char *attrs;
		bool ok;
	} table[] = {
		{ "", true },
		{ "80220000", true },
		{ "80280004 00000000", false },
		{ "80280000", false },
		{ "80280003 00000000", false },
		{ "80280008 00000000 00000000", false },
		/* Malformed before it is reached, and in itself. */
		{ "80220fff 80280004 00000000", true },
		{ "80220000 80280005 00000000", true },
	};
	struct kturn_stun msg;
	struct bytes b;
	size_t i;

	for (i = 0; i < KTAP_COUNT(table); i++) {
		b = msg_make(0x0001, table[i].attrs);
		KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), 0);
		KTAP_EQ(kturn_fingerprint_ok(&msg), table[i].ok);
		bytes_free(&b);
	}

	/* The right value, but something follows it. */
	b = msg_make(0x0001, "80280004 00000000 80220000");
	KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), 0);
	kturn_put32(b.p + 24, kturn_fingerprint(b.p, 20));
	KTAP_CHECK(!kturn_fingerprint_ok(&msg));
	bytes_free(&b);

	/* The CRC's check value, over "123456789". */
	b = bytes_copy("123456789", 9);
	KTAP_EQ(kturn_fingerprint(b.p, b.len), 0xcbf43926 ^ 0x5354554e);
	bytes_free(&b);
}

const struct ktap_case parse_cases[] = {
	{ "kind: STUN, ChannelData and others", kind },
	{ "STUN header: refusals", stun_header },
	{ "STUN header: longest message", stun_longest },
	{ "STUN header: every type", stun_type },
	{ "attributes: walk and its errors", attributes },
	{ "attributes: known and required", known_attributes },
	{ "STUN: truncation at each byte", truncation },
	{ "XOR address: values and refusals", xor_addr },
	{ "ChannelData: every split, refusals", channel_data },
	{ "FINGERPRINT: each bit counts", fingerprint_bits },
	{ "FINGERPRINT: place and length", fingerprint_place },
};

const size_t parse_count = KTAP_COUNT(parse_cases);
