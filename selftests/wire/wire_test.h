/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of wire_test share. */
#ifndef KTURN_SELFTESTS_WIRE_TEST_H
#define KTURN_SELFTESTS_WIRE_TEST_H

#include <kturn/wire.h>

#include "../ktap.h"

/* RFC 5769's addresses as it writes them on the wire, port 32853. */
#define ADDR4_HEX	"0001a147 e112a643 "
#define ADDR6_HEX	"0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9 "

struct vector {
	const __u8 *p;
	size_t len;
};

extern const struct vector rfc5769_request_vector;
extern const struct vector rfc5769_ipv4_vector;
extern const struct vector rfc5769_ipv6_vector;
extern const struct vector rfc5769_long_term_vector;
extern const struct vector rfc8489_sha256_vector;

/* 192.0.2.1:32853 and [2001:db8:1234:5678:11:2233:4455:6677]:32853 */
extern const struct kturn_addr addr4, addr6;
/* The transaction id of RFC 5769's samples and of msg_make()'s messages. */
extern const __u8 test_tid[KTURN_STUN_TID_LEN];

/*
 * A message on the heap that ends exactly at @len, so that AddressSanitizer
 * sees every read past it.
 */
struct bytes {
	__u8 *p;
	size_t len;
};

/* Zeros. */
struct bytes bytes_alloc(size_t len);
struct bytes bytes_copy(const void *p, size_t len);
/* Hex digits; blanks don't matter. */
struct bytes bytes_hex(const char *hex);
/* A header with the right length and test_tid, then @attrs in hex. */
struct bytes msg_make(unsigned int type, const char *attrs);
void bytes_free(struct bytes *b);

extern const struct ktap_case rfc_cases[], parse_cases[], send_cases[],
	build_cases[];
extern const size_t rfc_count, parse_count, send_count, build_count;

#endif /* KTURN_SELFTESTS_WIRE_TEST_H */
