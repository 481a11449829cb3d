// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nonces without state: what they say is protected by a tag, so nothing needs
 * to be remembered, and each worker takes the others'. Anybody can ask for one
 * and have one checked as often as they like, so the tag is of SipHash, which
 * is made for short messages and costs a tenth of an HMAC.
 *
 *	cookie		13 characters, RFC 8489 section 9.2
 *	seconds		4 bytes, when it was made
 *	features	1 byte, what was offered with it
 *	tag		13 bytes, over the above and the client's address and
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

#define TAG_SIZE	13

struct nonce {
	uint8_t seconds[4];
	uint8_t features;
	uint8_t tag[TAG_SIZE];
};

_Static_assert(sizeof(struct nonce) == 18, "four characters for three bytes");
_Static_assert(sizeof(((struct turn_config *)0)->nonce_key) ==
	       TURN_SIPHASH_KEY_LEN, "a key");

/* The same for what is made and for what is expected. */
static void sign(struct turn_server *s, const struct kturn_addr *client,
		 const struct turn_realm *realm, const char *cookie,
		 struct nonce *nonce)
{
	size_t realm_len = strlen(realm->name);
	struct {
		char cookie[COOKIE_SIZE];
		uint8_t head[offsetof(struct nonce, tag)];
		uint8_t client[sizeof(*client)];
		char realm[TURN_OWN_REALM_MAX];
	} m;
	size_t len = offsetof(typeof(m), realm) + realm_len;
	uint8_t tag[16];

	memcpy(m.cookie, cookie, sizeof(m.cookie));
	memcpy(m.head, nonce, sizeof(m.head));
	memcpy(m.client, client, sizeof(m.client));
	memcpy(m.realm, realm->name, realm_len);
	turn_siphash128(s->cfg.nonce_key, &m, len, tag);
	memcpy(nonce->tag, tag, sizeof(nonce->tag));
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

void turn_nonce_make(struct turn_server *s, const struct turn_request *rq,
		     const struct turn_realm *realm, unsigned int features,
		     char *nonce)
{
	struct nonce n = { .features = features };
	char base64[sizeof(n) / 3 * 4 + 1];

	cookie_make(features, nonce);
	kturn_put32(n.seconds, rq->now / TURN_MS);
	sign(s, &rq->tuple->client, realm, nonce, &n);
	EVP_EncodeBlock((uint8_t *)base64, (uint8_t *)&n, sizeof(n));
	memcpy(nonce + COOKIE_SIZE, base64, sizeof(base64) - 1);
}

/* Was it made here for this client? */
static bool is_for(struct turn_server *s, const struct kturn_addr *client,
		   const struct turn_realm *realm,
		   const struct kturn_attr *attr, const struct nonce *got)
{
	struct nonce want = *got;

	sign(s, client, realm, (const char *)attr->value, &want);
	return !CRYPTO_memcmp(want.tag, got->tag, sizeof(got->tag));
}

enum turn_nonce_state turn_nonce_check(struct turn_server *s,
				       const struct turn_request *rq,
				       unsigned int *features)
{
	const struct kturn_attr *attr = &rq->attr[TURN_A_NONCE];
	uint32_t now = rq->now / TURN_MS;
	const struct turn_tuple *control;
	struct nonce got;

	if (attr->len != TURN_NONCE_LEN ||
	    EVP_DecodeBlock((uint8_t *)&got, attr->value + COOKIE_SIZE,
			    TURN_NONCE_LEN - COOKIE_SIZE) != sizeof(got))
		return TURN_NONCE_FOREIGN;

	if (!is_for(s, &rq->tuple->client, rq->realm, attr, &got)) {
		control = turn_connection_control(s, rq);
		if (!control ||
		    !is_for(s, &control->client, rq->realm, attr, &got))
			return TURN_NONCE_FOREIGN;
	}

	*features = got.features;
	if (now - kturn_get32(got.seconds) >= TURN_NONCE_LIFETIME)
		return TURN_NONCE_OLD;
	return TURN_NONCE_VALID;
}
