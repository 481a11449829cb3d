// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Self-contained access tokens (RFC 7635 section 6.2):
 *
 *	nonce_length	2 bytes
 *	nonce		12 bytes (RFC 5116 sections 5.1 and 5.2)
 *	encrypted:
 *		key_length	2 bytes
 *		mac_key
 *		timestamp	8 bytes: 48 of seconds, 16 of 1/64000 of one
 *		lifetime	4 bytes, seconds
 *	tag		16 bytes
 */
#include <string.h>

#include <kturn/wire.h>

#include "token.h"

#define NONCE_LEN	12
#define TAG_LEN		16
#define HEAD_LEN	(2 + NONCE_LEN)
#define PLAIN_LEN(key)	(2 + (key) + 8 + 4)

static const EVP_CIPHER *cipher(enum turn_aead aead)
{
	return aead == TURN_AEAD_A128GCM ? EVP_aes_128_gcm() :
					   EVP_aes_256_gcm();
}

/* @plain has room for @len bytes; the tag follows @text. */
static bool decrypt(enum turn_aead aead, const uint8_t *key,
		    const char *server_name, const uint8_t *nonce,
		    const uint8_t *text, size_t len, uint8_t *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t tag[TAG_LEN];
	int n;
	bool ok;

	memcpy(tag, text + len, sizeof(tag));
	ok = ctx &&
	     EVP_DecryptInit_ex(ctx, cipher(aead), NULL, key, nonce) == 1 &&
	     EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)server_name,
			       (int)strlen(server_name)) == 1 &&
	     EVP_DecryptUpdate(ctx, plain, &n, text, (int)len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag),
				 tag) == 1 &&
	     EVP_DecryptFinal_ex(ctx, plain + n, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static bool take_apart(const uint8_t *plain, size_t len,
		       struct turn_token *token)
{
	size_t key_len = kturn_get16(plain);
	const uint8_t *p = plain + 2;

	if (key_len < TURN_MAC_KEY_MIN || key_len > TURN_MAC_KEY_MAX ||
	    len != PLAIN_LEN(key_len))
		return false;
	memcpy(token->mac_key, p, key_len);
	token->mac_key_len = key_len;
	p += key_len;
	token->timestamp = (uint64_t)kturn_get32(p) << 16 | kturn_get16(p + 4);
	token->lifetime = kturn_get32(p + 8);
	return true;
}

bool turn_token_open(enum turn_aead aead, const uint8_t *key,
		     const char *server_name, const uint8_t *p, size_t len,
		     struct turn_token *token)
{
	uint8_t plain[PLAIN_LEN(TURN_MAC_KEY_MAX)];
	size_t n = len - HEAD_LEN - TAG_LEN;
	bool ok;

	memset(token, 0, sizeof(*token));
	if (len < HEAD_LEN + PLAIN_LEN(TURN_MAC_KEY_MIN) + TAG_LEN ||
	    n > sizeof(plain) || kturn_get16(p) != NONCE_LEN)
		return false;
	ok = decrypt(aead, key, server_name, p + 2, p + HEAD_LEN, n, plain) &&
	     take_apart(plain, n, token);
	OPENSSL_cleanse(plain, sizeof(plain));
	return ok;
}

uint64_t turn_token_left(const struct turn_token *token, uint64_t wall)
{
	uint64_t lives = (uint64_t)token->lifetime + TURN_TOKEN_DELTA;
	uint64_t off = wall > token->timestamp ? wall - token->timestamp :
						 token->timestamp - wall;

	return lives > off ? lives - off : 0;
}
