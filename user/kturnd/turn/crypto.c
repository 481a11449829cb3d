// SPDX-License-Identifier: GPL-2.0-or-later
/* HMACs and hashes; see crypto.h. */
#include <string.h>

/* Of the plain hash functions, in favour of what crypto.h speaks of. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto.h"

/* HMAC's block (RFC 2104), of both hashes. */
#define BLOCK		SHA_CBLOCK

_Static_assert(SHA_CBLOCK == SHA256_CBLOCK, "one block size for both");

static int hash_init(enum turn_hmac kind, union turn_hash *h)
{
	return kind == TURN_HMAC_SHA1 ? SHA1_Init(&h->sha1) :
					SHA256_Init(&h->sha256);
}

static int hash_update(enum turn_hmac kind, union turn_hash *h,
		       const void *p, size_t len)
{
	return kind == TURN_HMAC_SHA1 ? SHA1_Update(&h->sha1, p, len) :
					SHA256_Update(&h->sha256, p, len);
}

static int hash_final(enum turn_hmac kind, union turn_hash *h, uint8_t *out)
{
	return kind == TURN_HMAC_SHA1 ? SHA1_Final(out, &h->sha1) :
					SHA256_Final(out, &h->sha256);
}

/* The hash of a block that is the key, each byte changed by @with. */
static int hash_pad(enum turn_hmac kind, union turn_hash *h, uint8_t *block,
		    uint8_t with)
{
	size_t i;

	for (i = 0; i < BLOCK; i++)
		block[i] ^= with;
	return hash_init(kind, h) && hash_update(kind, h, block, BLOCK);
}

bool turn_hmac_key(struct turn_hmac_key *k, enum turn_hmac kind,
		   const void *key, size_t len)
{
	uint8_t block[BLOCK] = { 0 };
	bool ok = true;

	k->kind = kind;
	if (len <= BLOCK)
		memcpy(block, key, len);
	else
		ok = hash_init(kind, &k->inner) &&
		     hash_update(kind, &k->inner, key, len) &&
		     hash_final(kind, &k->inner, block);
	ok = ok && hash_pad(kind, &k->inner, block, 0x36) &&
	     hash_pad(kind, &k->outer, block, 0x36 ^ 0x5c);
	explicit_bzero(block, sizeof(block));
	return ok;
}

bool turn_hmac(const struct turn_hmac_key *k, const struct turn_bytes *v,
	       size_t n, uint8_t *out)
{
	union turn_hash inner = k->inner, outer = k->outer;
	size_t len = turn_hmac_len(k->kind), i;
	uint8_t hash[TURN_DIGEST_MAX];
	bool ok = true;

	for (i = 0; ok && i < n; i++)
		ok = hash_update(k->kind, &inner, v[i].p, v[i].len);
	ok = ok && hash_final(k->kind, &inner, hash) &&
	     hash_update(k->kind, &outer, hash, len) &&
	     hash_final(k->kind, &outer, out);
	if (!ok)
		memset(out, 0, len);
	explicit_bzero(&inner, sizeof(inner));
	explicit_bzero(&outer, sizeof(outer));
	return ok;
}

bool turn_crypto_init(struct turn_crypto *c)
{
	memset(c, 0, sizeof(*c));
	c->digest = EVP_MD_CTX_new();
	c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	/* May be missing: then only SHA-256 keys can be made here. */
	c->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	/* Needed where there is mobility, which its absence shows. */
	c->siv = EVP_CIPHER_fetch(NULL, "AES-128-SIV", NULL);
	c->cipher = EVP_CIPHER_CTX_new();
	return c->digest && c->sha256 && c->cipher;
}

void turn_crypto_destroy(struct turn_crypto *c)
{
	EVP_CIPHER_CTX_free(c->cipher);
	EVP_CIPHER_free(c->siv);
	EVP_MD_free(c->md5);
	EVP_MD_free(c->sha256);
	EVP_MD_CTX_free(c->digest);
	memset(c, 0, sizeof(*c));
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
