/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HMACs and hashes out of libcrypto, with what can be made once kept.
 *
 * HMACs are made of libcrypto's plain hash functions: its objects for them
 * allocate memory several times for each message, which costs more than the
 * hashes.
 *
 * Failures (no memory, an algorithm that the system's policy took away) are
 * reported and never mistaken for a match.
 */
#ifndef _KTURND_TURN_CRYPTO_H
#define _KTURND_TURN_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#define TURN_SHA1_LEN		20
#define TURN_SHA256_LEN		32
#define TURN_MD5_LEN		16

/* Longest key and longest result. */
#define TURN_DIGEST_MAX		32

/** enum turn_hmac - which HMAC */
enum turn_hmac {
	TURN_HMAC_SHA1,
	TURN_HMAC_SHA256,
};

/** enum turn_alg - password algorithms (RFC 8489 section 18.5) */
enum turn_alg {
	TURN_ALG_MD5		= 1,
	TURN_ALG_SHA256		= 2,
};

/** struct turn_bytes - a piece of a message */
struct turn_bytes {
	const void *p;
	size_t len;
};

/** struct turn_crypto - of one server; used by its thread only */
struct turn_crypto {
	EVP_MD_CTX *digest;
	EVP_MD *md5;
	EVP_MD *sha256;
	EVP_CIPHER_CTX *cipher;
	EVP_CIPHER *siv;
};

/** turn_crypto_init() - false without memory or SHA-256 */
bool turn_crypto_init(struct turn_crypto *c);

/** turn_crypto_destroy() - also of one whose turn_crypto_init() failed */
void turn_crypto_destroy(struct turn_crypto *c);

/** turn_hmac_len() - bytes of a result */
static inline size_t turn_hmac_len(enum turn_hmac kind)
{
	return kind == TURN_HMAC_SHA1 ? TURN_SHA1_LEN : TURN_SHA256_LEN;
}

/** turn_alg_len() - bytes of a key */
static inline size_t turn_alg_len(enum turn_alg alg)
{
	return alg == TURN_ALG_MD5 ? TURN_MD5_LEN : TURN_SHA256_LEN;
}

/** union turn_hash - a hash in the making */
union turn_hash {
	SHA_CTX sha1;
	SHA256_CTX sha256;
};

/**
 * struct turn_hmac_key - a key that is ready for HMACs
 * @kind: which
 * @inner: after the key's first block (RFC 2104 section 4)
 * @outer: the same of the other hash
 */
struct turn_hmac_key {
	enum turn_hmac kind;
	union turn_hash inner;
	union turn_hash outer;
};

/**
 * turn_hmac_key() - make a key ready: half the work of a short message's HMAC
 * @k: result
 * @kind: which
 * @key: key
 * @len: its length
 *
 * Return: false on failure.
 */
bool turn_hmac_key(struct turn_hmac_key *k, enum turn_hmac kind,
		   const void *key, size_t len);

/**
 * turn_hmac() - HMAC (RFC 2104) of pieces
 * @k: key
 * @v: pieces
 * @n: how many
 * @out: turn_hmac_len() bytes
 *
 * Return: false on failure; @out is zeros then.
 */
bool turn_hmac(const struct turn_hmac_key *k, const struct turn_bytes *v,
	       size_t n, uint8_t *out);

/**
 * turn_digest() - the hash that a password algorithm is named after
 * @c: crypto
 * @alg: which
 * @v: pieces
 * @n: how many
 * @out: turn_alg_len() bytes
 *
 * Return: false on failure (MD5 may be forbidden); @out is zeros then.
 */
bool turn_digest(struct turn_crypto *c, enum turn_alg alg,
		 const struct turn_bytes *v, size_t n, uint8_t *out);

/* AES-SIV (RFC 5297) with two keys of 128 bits. */
#define TURN_SEAL_KEY_LEN	32
#define TURN_SEAL_TAG_LEN	16

/**
 * turn_seal() - encrypt, so that any change is noticed
 * @c: crypto
 * @key: TURN_SEAL_KEY_LEN bytes
 * @text: what to encrypt; the same text gives the same result
 * @len: its length
 * @out: TURN_SEAL_TAG_LEN + @len bytes
 *
 * Return: false on failure.
 */
bool turn_seal(struct turn_crypto *c, const uint8_t *key, const void *text,
	       size_t len, uint8_t *out);

/**
 * turn_unseal() - the reverse
 * @c: crypto
 * @key: as for turn_seal()
 * @box: TURN_SEAL_TAG_LEN + @len bytes
 * @len: bytes of the text
 * @text: result
 *
 * In constant time for boxes of one length. Return: false, and zeros in @text, if
 * it is not what turn_seal() made.
 */
bool turn_unseal(struct turn_crypto *c, const uint8_t *key, const uint8_t *box,
		 size_t len, void *text);

#endif /* _KTURND_TURN_CRYPTO_H */
