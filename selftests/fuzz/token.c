// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * turn_token_open(): access tokens. The first byte says which algorithm, and
 * whether the rest is a token, or what an authorization server has encrypted:
 * only so the parser behind the decryption is reached.
 */
#include <string.h>

#include <kturn/wire.h>

#include "../../user/kturnd/turn/token.h"
#include "fuzz.h"

#define NAME		"turn.example.org"
#define NONCE_LEN	12
#define TAG_LEN		16

static const uint8_t key[TURN_AEAD_KEY_MAX] = "a key that the fuzzer has";

static size_t seal(enum turn_aead aead, const uint8_t *plain, size_t len,
		   uint8_t *out)
{
	const EVP_CIPHER *cipher = aead == TURN_AEAD_A128GCM ?
				   EVP_aes_128_gcm() : EVP_aes_256_gcm();
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *p = out + 2 + NONCE_LEN;
	int n;

	kturn_put16(out, NONCE_LEN);
	memset(out + 2, 1, NONCE_LEN);
	FUZZ_ASSERT(ctx && EVP_EncryptInit_ex(ctx, cipher, NULL, key, out + 2));
	FUZZ_ASSERT(EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)NAME,
				      sizeof(NAME) - 1));
	FUZZ_ASSERT(EVP_EncryptUpdate(ctx, p, &n, plain, (int)len));
	FUZZ_ASSERT(EVP_EncryptFinal_ex(ctx, p + n, &n));
	FUZZ_ASSERT(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN,
					p + len));
	EVP_CIPHER_CTX_free(ctx);
	return 2 + NONCE_LEN + len + TAG_LEN;
}

static bool try_open(enum turn_aead aead, const uint8_t *p, size_t len,
		     struct turn_token *token)
{
	uint8_t *copy = fuzz_copy(p, len);
	bool ok = turn_token_open(aead, key, NAME, copy, len, token);

	free(copy);
	if (!ok) {
		FUZZ_ASSERT(!token->mac_key_len && !token->lifetime);
		return false;
	}
	FUZZ_ASSERT(token->mac_key_len >= TURN_MAC_KEY_MIN &&
		    token->mac_key_len <= TURN_MAC_KEY_MAX);
	FUZZ_ASSERT(token->timestamp >> 48 == 0);
	FUZZ_ASSERT(turn_token_left(token, token->timestamp) ==
		    token->lifetime + (uint64_t)TURN_TOKEN_DELTA);
	return true;
}

int fuzz_one(const uint8_t *data, size_t size)
{
	uint8_t sealed[512], *plain;
	struct turn_token token;
	enum turn_aead aead;
	size_t len;

	if (!size)
		return 0;
	aead = data[0] & 1 ? TURN_AEAD_A256GCM : TURN_AEAD_A128GCM;
	len = size - 1;
	/* Nobody guesses a tag. */
	if (!(data[0] & 2)) {
		FUZZ_ASSERT(!try_open(aead, data + 1, len, &token));
		return 0;
	}
	if (len > sizeof(sealed) - 2 - NONCE_LEN - TAG_LEN)
		return 0;
	plain = fuzz_copy(data + 1, len);
	if (try_open(aead, sealed, seal(aead, plain, len, sealed), &token)) {
		/* All of it was used, as it stands. */
		FUZZ_ASSERT(len == 2 + token.mac_key_len + 8 + 4);
		FUZZ_ASSERT(!memcmp(token.mac_key, plain + 2,
				    token.mac_key_len));
		FUZZ_ASSERT(kturn_get32(plain + len - 4) == token.lifetime);
	}
	free(plain);
	return 0;
}
