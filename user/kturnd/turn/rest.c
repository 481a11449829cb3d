// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Time-limited credentials (the TURN REST scheme): whoever knows a shared
 * secret mints them. The user name is the time when they expire, a colon and
 * anything; the password is base64(HMAC-SHA1(secret, user name)).
 */
#include <ctype.h>

#include "request.h"

#define PASSWORD_LEN	28	/* of 20 bytes in base64 */

bool turn_rest_expiry(const char *user, uint64_t *expires)
{
	const char *p = user;
	uint64_t t = 0;

	for (; isdigit((unsigned char)*p); p++) {
		if (t > (UINT64_MAX - 9) / 10)
			return false;
		t = t * 10 + (*p - '0');
	}
	*expires = t;
	return p > user && (!*p || *p == ':');
}

const char *turn_rest_account(const char *user)
{
	const char *p = user;

	while (isdigit((unsigned char)*p))
		p++;
	return p > user && p[0] == ':' && p[1] ? p + 1 : user;
}

static bool make_key(struct turn_server *s, const struct turn_request *rq,
		     const char *secret, enum turn_alg alg, uint8_t *key)
{
	const struct turn_bytes name = { rq->user, strlen(rq->user) };
	const char *realm = rq->realm->name;
	uint8_t password[PASSWORD_LEN + 1], hmac[TURN_DIGEST_MAX];
	const struct turn_bytes v[] = {
		name, { ":", 1 }, { realm, strlen(realm) },
		{ ":", 1 }, { password, PASSWORD_LEN },
	};
	struct turn_hmac_key mac;
	bool ok;

	ok = turn_hmac_key(&mac, TURN_HMAC_SHA1, secret, strlen(secret));
	ok &= turn_hmac(&mac, &name, 1, hmac);
	EVP_EncodeBlock(password, hmac, TURN_SHA1_LEN);
	ok &= turn_digest(&s->crypto, alg, v, ARRAY_SIZE(v), key);
	OPENSSL_cleanse(&mac, sizeof(mac));
	OPENSSL_cleanse(password, sizeof(password));
	return ok;
}

/* to = from if @yes, without a branch on it. */
static void copy_if(bool yes, uint8_t *to, const uint8_t *from, size_t len)
{
	uint8_t mask = -(uint8_t)yes;
	size_t i;

	for (i = 0; i < len; i++)
		to[i] = (to[i] & ~mask) | (from[i] & mask);
}

bool turn_rest_auth(struct turn_server *s, struct turn_request *rq,
		    enum turn_alg alg)
{
	size_t len = turn_alg_len(alg), i;
	uint8_t key[TURN_DIGEST_MAX];
	struct turn_hmac_key mac;
	bool found = false, ok;

	for (i = 0; i < rq->realm->n_secrets; i++) {
		ok = make_key(s, rq, rq->realm->secrets[i], alg, key);
		ok &= turn_integrity_ok(s, rq, key, len, &mac);
		copy_if(ok, rq->key, key, len);
		copy_if(ok, (uint8_t *)&rq->mac, (uint8_t *)&mac, sizeof(mac));
		found |= ok;
	}
	OPENSSL_cleanse(&mac, sizeof(mac));
	OPENSSL_cleanse(key, sizeof(key));
	rq->key_len = len;
	return found;
}
