// SPDX-License-Identifier: GPL-2.0-or-later
/* RFC 5769 and RFC 8489 appendix B.1: every sample parses and verifies. */
#include <err.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "wire_test.h"

#define SHORT_TERM_KEY	"VOkJxbRl1RmTxUk/WvJxBt"
/* U+30DE U+30C8 U+30EA U+30C3 U+30AF U+30B9 */
#define LONG_TERM_USER	"\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa" \
			"\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9"
#define LONG_TERM_REALM	"example.org"
/* The password after SASLprep and OpaqueString alike. */
#define LONG_TERM_CREDENTIAL	LONG_TERM_USER ":" LONG_TERM_REALM ":TheMatrIX"

static size_t digest(const char *alg, const char *text, __u8 *out)
{
	size_t len;

	if (!EVP_Q_digest(NULL, alg, NULL, text, strlen(text), out, &len))
		errx(1, "OpenSSL has no %s", alg);
	return len;
}

/* The first attribute of @type; false when there is none. */
static bool find(const struct kturn_stun *msg, __u16 type,
		 struct kturn_attr *attr)
{
	struct kturn_attr_iter it;

	kturn_attr_begin(&it, msg);
	while (kturn_attr_next(&it, attr))
		if (attr->type == type)
			return true;
	return false;
}

/* The types in order, and that the walk ends well. */
static void check_types(const struct kturn_stun *msg, const __u16 *types,
			size_t n)
{
	struct kturn_attr_iter it;
	struct kturn_attr attr;
	size_t i = 0;

	kturn_attr_begin(&it, msg);
	while (kturn_attr_next(&it, &attr)) {
		if (KTAP_CHECK(i < n))
			KTAP_EQ(attr.type, types[i]);
		i++;
	}
	KTAP_EQ(i, n);
	KTAP_CHECK(!it.error);
	KTAP_EQ(it.left, 0);
}

static void check_text(const struct kturn_stun *msg, __u16 type,
		       const char *text)
{
	struct kturn_attr attr;

	if (!KTAP_CHECK(find(msg, type, &attr)))
		return;
	KTAP_EQ(attr.len, strlen(text));
	if (attr.len == strlen(text))
		KTAP_MEM_EQ(attr.value, text, attr.len);
}

/*
 * Computes what attribute @type must hold, over a header whose length is
 * @length (RFC 8489 sections 14.5 and 14.6).
 */
static void check_hmac(struct bytes *b, __u16 type, const EVP_MD *md,
		       const void *key, size_t key_len, __u16 length)
{
	__u8 mac[EVP_MAX_MD_SIZE];
	struct kturn_stun msg;
	struct kturn_attr attr;
	unsigned int mac_len;
	size_t before;

	if (!KTAP_EQ(kturn_stun_parse(b->p, b->len, &msg), 0) ||
	    !KTAP_CHECK(find(&msg, type, &attr)))
		return;

	before = attr.value - KTURN_ATTR_HDR_LEN - msg.msg;
	kturn_stun_set_length(b->p, length);
	HMAC(md, key, key_len, b->p, before, mac, &mac_len);
	kturn_stun_set_length(b->p, msg.length);
	if (KTAP_EQ(attr.len, mac_len))
		KTAP_MEM_EQ(attr.value, mac, mac_len);
}

/* Bytes of attributes up to the end of MESSAGE-INTEGRITY. */
static __u16 length_to_integrity(const struct kturn_stun *msg)
{
	struct kturn_attr attr;

	if (!KTAP_CHECK(find(msg, KTURN_ATTR_MESSAGE_INTEGRITY, &attr)))
		return 0;
	return attr.value + attr.len - (msg->msg + KTURN_STUN_HDR_LEN);
}

static bool parse(const struct vector *vector, struct bytes *b,
		  struct kturn_stun *msg)
{
	*b = bytes_copy(vector->p, vector->len);
	KTAP_EQ(kturn_wire_kind(b->p, b->len), KTURN_KIND_STUN);
	return KTAP_EQ(kturn_stun_parse(b->p, b->len, msg), 0);
}

static void rfc5769_request(void)
{
	static const __u16 types[] = {
		KTURN_ATTR_SOFTWARE, 0x0024, 0x8029, KTURN_ATTR_USERNAME,
		KTURN_ATTR_MESSAGE_INTEGRITY, KTURN_ATTR_FINGERPRINT,
	};
	struct kturn_stun msg;
	struct bytes b;

	if (parse(&rfc5769_request_vector, &b, &msg)) {
		KTAP_EQ(msg.type, 0x0001);
		KTAP_EQ(msg.method, KTURN_BINDING);
		KTAP_EQ(msg.cls, KTURN_REQUEST);
		KTAP_EQ(msg.length, 0x58);
		KTAP_MEM_EQ(msg.tid, test_tid, sizeof(test_tid));
		check_types(&msg, types, KTAP_COUNT(types));
		check_text(&msg, KTURN_ATTR_SOFTWARE, "STUN test client");
		check_text(&msg, KTURN_ATTR_USERNAME, "evtj:h6vY");
		KTAP_CHECK(kturn_fingerprint_ok(&msg));
		KTAP_EQ(kturn_fingerprint(b.p, b.len - 8), 0xe57a3bcf);
		check_hmac(&b, KTURN_ATTR_MESSAGE_INTEGRITY, EVP_sha1(),
			   SHORT_TERM_KEY, strlen(SHORT_TERM_KEY),
			   length_to_integrity(&msg));
	}
	bytes_free(&b);
}

static void check_response(const struct vector *vector,
			   const struct kturn_addr *mapped)
{
	static const __u16 types[] = {
		KTURN_ATTR_SOFTWARE, KTURN_ATTR_XOR_MAPPED_ADDRESS,
		KTURN_ATTR_MESSAGE_INTEGRITY, KTURN_ATTR_FINGERPRINT,
	};
	struct kturn_addr addr;
	struct kturn_stun msg;
	struct kturn_attr attr;
	struct bytes b;

	if (parse(vector, &b, &msg)) {
		KTAP_EQ(msg.method, KTURN_BINDING);
		KTAP_EQ(msg.cls, KTURN_SUCCESS);
		check_types(&msg, types, KTAP_COUNT(types));
		check_text(&msg, KTURN_ATTR_SOFTWARE, "test vector");
		KTAP_CHECK(find(&msg, KTURN_ATTR_XOR_MAPPED_ADDRESS, &attr));
		KTAP_EQ(kturn_xor_addr_parse(attr.value, attr.len, msg.tid,
					     &addr), 0);
		KTAP_MEM_EQ(&addr, mapped, sizeof(addr));
		KTAP_CHECK(kturn_fingerprint_ok(&msg));
		check_hmac(&b, KTURN_ATTR_MESSAGE_INTEGRITY, EVP_sha1(),
			   SHORT_TERM_KEY, strlen(SHORT_TERM_KEY),
			   length_to_integrity(&msg));
	}
	bytes_free(&b);
}

static void rfc5769_ipv4(void)
{
	check_response(&rfc5769_ipv4_vector, &addr4);
}

static void rfc5769_ipv6(void)
{
	check_response(&rfc5769_ipv6_vector, &addr6);
}

static void rfc5769_long_term(void)
{
	static const __u16 types[] = {
		KTURN_ATTR_USERNAME, KTURN_ATTR_NONCE, KTURN_ATTR_REALM,
		KTURN_ATTR_MESSAGE_INTEGRITY,
	};
	__u8 key[EVP_MAX_MD_SIZE];
	struct kturn_stun msg;
	struct bytes b;

	if (parse(&rfc5769_long_term_vector, &b, &msg)) {
		check_types(&msg, types, KTAP_COUNT(types));
		check_text(&msg, KTURN_ATTR_USERNAME, LONG_TERM_USER);
		check_text(&msg, KTURN_ATTR_REALM, LONG_TERM_REALM);
		check_text(&msg, KTURN_ATTR_NONCE,
			   "f//499k954d6OL34oL9FSTvy64sA");
		KTAP_CHECK(kturn_fingerprint_ok(&msg));
		check_hmac(&b, KTURN_ATTR_MESSAGE_INTEGRITY, EVP_sha1(), key,
			   digest("MD5", LONG_TERM_CREDENTIAL, key),
			   length_to_integrity(&msg));
	}
	bytes_free(&b);
}

/*
 * The sample's length field says 156, which is the whole message with its
 * header, and its HMAC was computed over that. So a parser must refuse the
 * sample as printed, and with the length that section 5 asks for the HMAC is
 * found over the printed one.
 */
static void rfc8489_sha256(void)
{
	static const __u16 types[] = {
		KTURN_ATTR_USERHASH, KTURN_ATTR_NONCE, KTURN_ATTR_REALM,
		KTURN_ATTR_MESSAGE_INTEGRITY_SHA256,
	};
	const struct vector *vector = &rfc8489_sha256_vector;
	__u8 key[EVP_MAX_MD_SIZE], hash[EVP_MAX_MD_SIZE];
	struct bytes b = bytes_copy(vector->p, vector->len);
	struct kturn_stun msg;
	struct kturn_attr attr;

	KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), -EBADMSG);
	kturn_stun_set_length(b.p, b.len - KTURN_STUN_HDR_LEN);
	if (KTAP_EQ(kturn_stun_parse(b.p, b.len, &msg), 0)) {
		check_types(&msg, types, KTAP_COUNT(types));
		check_text(&msg, KTURN_ATTR_REALM, LONG_TERM_REALM);
		check_text(&msg, KTURN_ATTR_NONCE,
			   "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA");
		KTAP_CHECK(find(&msg, KTURN_ATTR_USERHASH, &attr));
		KTAP_EQ(attr.len, digest("SHA256", LONG_TERM_USER ":"
					 LONG_TERM_REALM, hash));
		KTAP_MEM_EQ(attr.value, hash, attr.len);
		check_hmac(&b, KTURN_ATTR_MESSAGE_INTEGRITY_SHA256,
			   EVP_sha256(), key,
			   digest("SHA256", LONG_TERM_CREDENTIAL, key), 0x9c);
	}
	bytes_free(&b);
}

const struct ktap_case rfc_cases[] = {
	{ "RFC 5769 2.1: request", rfc5769_request },
	{ "RFC 5769 2.2: IPv4 response", rfc5769_ipv4 },
	{ "RFC 5769 2.3: IPv6 response", rfc5769_ipv6 },
	{ "RFC 5769 2.4: long-term authentication", rfc5769_long_term },
	{ "RFC 8489 B.1: SHA-256 and USERHASH", rfc8489_sha256 },
};

const size_t rfc_count = KTAP_COUNT(rfc_cases);
