// SPDX-License-Identifier: GPL-2.0-or-later
/* What an authorization server does; see tokens.h. */
#include <err.h>

#include <openssl/evp.h>

#include "tokens.h"

uint8_t access_token[512];

static struct token_key keys[TOKEN_KEYS] = {
	{ "north", { .aead = TURN_AEAD_A256GCM } },
	{ "south", { .aead = TURN_AEAD_A256GCM } },
	{ "old", { .aead = TURN_AEAD_A256GCM, .until = WALL0 } },
	{ "other", { .aead = TURN_AEAD_A256GCM } },
};

size_t token_seal(const char *name, size_t nonce_len, const uint8_t *plain,
		  size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *nonce = out + 2, *p = nonce + nonce_len;
	int n;

	kturn_put16(out, nonce_len);
	memset(nonce, 0x5a, nonce_len);
	if (!ctx || !EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL,
					NULL) ||
	    !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, nonce_len,
				 NULL) ||
	    !EVP_EncryptInit_ex(ctx, NULL, NULL, (const uint8_t *)TOKEN_KEY,
				nonce) ||
	    !EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)name,
			       strlen(name)) ||
	    !EVP_EncryptUpdate(ctx, p, &n, plain, len) ||
	    !EVP_EncryptFinal_ex(ctx, p + n, &n) ||
	    !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, p + len))
		errx(1, "making a token");
	EVP_CIPHER_CTX_free(ctx);
	return p + len + 16 - out;
}

size_t token_plain(uint8_t *plain, size_t key_len, uint64_t timestamp,
		   uint32_t lifetime)
{
	uint8_t *p = plain;

	kturn_put16(p, key_len);
	memset(p + 2, 'k', key_len);
	p += 2 + key_len;
	kturn_put32(p, timestamp >> 16);
	kturn_put16(p + 4, timestamp & 0xffff);
	kturn_put16(p + 6, 63999);
	kturn_put32(p + 8, lifetime);
	return p + 12 - plain;
}

void client_token(struct client *client, const char *kid, uint8_t key_byte,
		  int before, uint32_t lifetime)
{
	static uint8_t mac_key[20];
	uint8_t plain[64];
	size_t len;

	len = token_plain(plain, 20, world.wall - before, lifetime);
	memset(plain + 2, key_byte, 20);
	memset(mac_key, key_byte, 20);
	client->access_len = token_seal(TOKEN_SERVER, 12, plain, len,
					access_token);
	client->access = access_token;
	client->mac_key = mac_key;
	client->mac_key_len = 20;
	client->user = kid;
}

void token_world(void)
{
	size_t i;

	world_init();
	world.cfg.server_name = TOKEN_SERVER;
	for (i = 0; i < TOKEN_KEYS; i++)
		memcpy(keys[i].key.key, TOKEN_KEY, 32);
	world.realms[1].name = "other.example";
	keys[3].key.realm = &world.realms[1];
	world.keys = keys;
	world.n_keys = TOKEN_KEYS;
}
