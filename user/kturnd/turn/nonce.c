// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nonces without state: what they say is protected by an HMAC, so nothing
 * needs to be remembered, and each worker takes the others'.
 *
 *	cookie		13 characters, RFC 8489 section 9.2
 *	seconds		4 bytes, when it was made
 *	features	1 byte, what was offered with it
 *	HMAC		13 bytes, over the above and the client's address and
 *			port, and the realm
 *
 * The last three are in base64, without padding because they come to 18 bytes.
 */
#include "request.h"

#define COOKIE		"obMatJos2"
#define COOKIE_SIZE	(TURN_NONCE_COOKIE + 4)

/* RFC 8489 section 18.1: bit 0 is the most significant of 24. */
#define BIT_ALGORITHMS	0x80
#define BIT_ANONYMITY	0x40

#define HMAC_SIZE	13

struct nonce {
	uint8_t seconds[4];
	uint8_t features;
	uint8_t hmac[HMAC_SIZE];
};

_Static_assert(sizeof(struct nonce) == 18, "four characters for three bytes");

/* The same for what is made and for what is expected. */
static bool sign(struct turn_server *s, const struct turn_request *rq,
		 const char *cookie, struct nonce *nonce)
{
	const struct kturn_addr *client = &rq->tuple->client;
	uint8_t hmac[TURN_DIGEST_MAX];
	const struct turn_bytes v[] = {
		{ cookie, COOKIE_SIZE },
		{ nonce, offsetof(struct nonce, hmac) },
		{ client, sizeof(*client) },
		{ s->cfg.realm, strlen(s->cfg.realm) },
	};

	if (!turn_hmac(&s->crypto, TURN_HMAC_SHA256, s->cfg.nonce_key,
		       sizeof(s->cfg.nonce_key), v, ARRAY_SIZE(v), hmac))
		return false;
	memcpy(nonce->hmac, hmac, sizeof(nonce->hmac));
	return true;
}

/* PASSWORD-ALGORITHMS goes with every challenge, so its bit is always set. */
static void cookie_make(unsigned int features, char *cookie)
{
	uint8_t bits[3] = { BIT_ALGORITHMS };
	char base64[5];

	if (features & TURN_FEATURE_ANONYMITY)
		bits[0] |= BIT_ANONYMITY;
	EVP_EncodeBlock((uint8_t *)base64, bits, sizeof(bits));
	memcpy(cookie, COOKIE, TURN_NONCE_COOKIE);
	memcpy(cookie + TURN_NONCE_COOKIE, base64, 4);
}

bool turn_nonce_make(struct turn_server *s, const struct turn_request *rq,
		     unsigned int features, char *nonce)
{
	struct nonce n = { .features = features };
	char base64[sizeof(n) / 3 * 4 + 1];

	cookie_make(features, nonce);
	kturn_put32(n.seconds, rq->now / TURN_MS);
	if (!sign(s, rq, nonce, &n))
		return false;
	EVP_EncodeBlock((uint8_t *)base64, (uint8_t *)&n, sizeof(n));
	memcpy(nonce + COOKIE_SIZE, base64, sizeof(base64) - 1);
	return true;
}

enum turn_nonce_state turn_nonce_check(struct turn_server *s,
				       const struct turn_request *rq,
				       unsigned int *features)
{
	const struct kturn_attr *attr = &rq->attr[TURN_A_NONCE];
	uint32_t now = rq->now / TURN_MS;
	struct nonce got, want;

	if (attr->len != TURN_NONCE_LEN ||
	    EVP_DecodeBlock((uint8_t *)&got, attr->value + COOKIE_SIZE,
			    TURN_NONCE_LEN - COOKIE_SIZE) != sizeof(got))
		return TURN_NONCE_FOREIGN;

	want = got;
	if (!sign(s, rq, (const char *)attr->value, &want) ||
	    CRYPTO_memcmp(want.hmac, got.hmac, sizeof(got.hmac)))
		return TURN_NONCE_FOREIGN;

	*features = got.features;
	if (now - kturn_get32(got.seconds) >= TURN_NONCE_LIFETIME)
		return TURN_NONCE_OLD;
	return TURN_NONCE_VALID;
}
