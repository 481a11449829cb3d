// SPDX-License-Identifier: GPL-2.0-or-later
/* HMACs and hashes; see crypto.h. */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto.h"

static EVP_MAC_CTX *hmac_new(EVP_MAC *mac, char *digest)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

	if (ctx && !EVP_MAC_CTX_set_params(ctx, params)) {
		EVP_MAC_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

bool turn_crypto_init(struct turn_crypto *c)
{
	char sha1[] = "SHA1", sha256[] = "SHA256";

	memset(c, 0, sizeof(*c));
	c->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!c->mac)
		return false;
	c->hmac[TURN_HMAC_SHA1] = hmac_new(c->mac, sha1);
	c->hmac[TURN_HMAC_SHA256] = hmac_new(c->mac, sha256);
	c->digest = EVP_MD_CTX_new();
	c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	/* May be missing: then only SHA-256 keys can be made here. */
	c->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	return c->hmac[TURN_HMAC_SHA1] && c->hmac[TURN_HMAC_SHA256] &&
	       c->digest && c->sha256;
}

void turn_crypto_destroy(struct turn_crypto *c)
{
	EVP_MD_free(c->md5);
	EVP_MD_free(c->sha256);
	EVP_MD_CTX_free(c->digest);
	EVP_MAC_CTX_free(c->hmac[TURN_HMAC_SHA256]);
	EVP_MAC_CTX_free(c->hmac[TURN_HMAC_SHA1]);
	EVP_MAC_free(c->mac);
	memset(c, 0, sizeof(*c));
}

bool turn_hmac(struct turn_crypto *c, enum turn_hmac kind, const void *key,
	       size_t key_len, const struct turn_bytes *v, size_t n,
	       uint8_t *out)
{
	EVP_MAC_CTX *ctx = c->hmac[kind];
	size_t len = turn_hmac_len(kind), i, written;

	if (!EVP_MAC_init(ctx, key, key_len, NULL))
		goto fail;
	for (i = 0; i < n; i++)
		if (!EVP_MAC_update(ctx, v[i].p, v[i].len))
			goto fail;
	if (!EVP_MAC_final(ctx, out, &written, len) || written != len)
		goto fail;
	return true;

fail:
	memset(out, 0, len);
	return false;
}

bool turn_digest(struct turn_crypto *c, enum turn_alg alg,
		 const struct turn_bytes *v, size_t n, uint8_t *out)
{
	EVP_MD *md = alg == TURN_ALG_MD5 ? c->md5 : c->sha256;
	size_t i;

	if (!md || !EVP_DigestInit_ex2(c->digest, md, NULL))
		goto fail;
	for (i = 0; i < n; i++)
		if (!EVP_DigestUpdate(c->digest, v[i].p, v[i].len))
			goto fail;
	if (!EVP_DigestFinal_ex(c->digest, out, NULL))
		goto fail;
	return true;

fail:
	memset(out, 0, turn_alg_len(alg));
	return false;
}
