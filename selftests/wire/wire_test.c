// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unit tests of include/kturn/wire.c, built with AddressSanitizer and UBSan:
 * a read past a message or undefined behaviour ends the program.
 */
#include <ctype.h>
#include <err.h>
#include <stdlib.h>

#include <asm/byteorder.h>

#include "wire_test.h"

const __u8 test_tid[KTURN_STUN_TID_LEN] = {
	0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
};

const struct kturn_addr addr4 = {
	.ip = { 192, 0, 2, 1 },
	.port = __cpu_to_be16(32853),
	.family = KTURN_FAMILY_V4,
};

const struct kturn_addr addr6 = {
	.ip = { 0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78,
		0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77 },
	.port = __cpu_to_be16(32853),
	.family = KTURN_FAMILY_V6,
};

struct bytes bytes_alloc(size_t len)
{
	struct bytes b = { calloc(1, len), len };

	if (!b.p && len)
		err(1, "allocating %zu bytes", len);
	return b;
}

struct bytes bytes_copy(const void *p, size_t len)
{
	struct bytes b = bytes_alloc(len);

	if (len)
		memcpy(b.p, p, len);
	return b;
}

static int hex_value(char c)
{
	const char *digits = "0123456789abcdef";
	const char *p = strchr(digits, c);

	if (!c || !p)
		errx(1, "'%c' is not a hex digit in a test message", c);
	return p - digits;
}

struct bytes bytes_hex(const char *hex)
{
	struct bytes b;
	size_t n = 0;
	const char *s;

	for (s = hex; *s; s++)
		n += !isspace((unsigned char)*s);

	b = bytes_alloc(n / 2);
	for (s = hex, n = 0; *s; s++) {
		if (isspace((unsigned char)*s))
			continue;
		if (n & 1)
			b.p[n / 2] |= hex_value(*s);
		else
			b.p[n / 2] = hex_value(*s) << 4;
		n++;
	}
	return b;
}

struct bytes msg_make(unsigned int type, const char *attrs)
{
	struct bytes body = bytes_hex(attrs);
	struct bytes msg = bytes_alloc(KTURN_STUN_HDR_LEN + body.len);
	const __u8 header[] = {
		type >> 8, type & 0xff, body.len >> 8, body.len & 0xff,
		0x21, 0x12, 0xa4, 0x42,
	};

	memcpy(msg.p, header, sizeof(header));
	memcpy(msg.p + sizeof(header), test_tid, sizeof(test_tid));
	if (body.len)
		memcpy(msg.p + KTURN_STUN_HDR_LEN, body.p, body.len);
	bytes_free(&body);
	return msg;
}

void bytes_free(struct bytes *b)
{
	free(b->p);
	b->p = NULL;
	b->len = 0;
}

int main(void)
{
	ktap_plan(rfc_count + parse_count + send_count + build_count);
	ktap_run(rfc_cases, rfc_count);
	ktap_run(parse_cases, parse_count);
	ktap_run(send_cases, send_count);
	ktap_run(build_cases, build_count);
	return ktap_end();
}
