// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Authenticated encryption; see crypto.h. AES-SIV, because it is short: its tag is the
 * initialization vector as well, and no random one can ever be used twice.
 */
#include <string.h>

#include "crypto.h"

bool turn_seal(struct turn_crypto *c, const uint8_t *key, const void *text,
	       size_t len, uint8_t *out)
{
	int n;

	return c->siv &&
	       EVP_EncryptInit_ex2(c->cipher, c->siv, key, NULL, NULL) &&
	       EVP_EncryptUpdate(c->cipher, out + TURN_SEAL_TAG_LEN, &n, text,
				 (int)len) && (size_t)n == len &&
	       EVP_EncryptFinal_ex(c->cipher, out + TURN_SEAL_TAG_LEN + len,
				   &n) &&
	       EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_GET_TAG,
				   TURN_SEAL_TAG_LEN, out) == 1;
}

bool turn_unseal(struct turn_crypto *c, const uint8_t *key, const uint8_t *box,
		 size_t len, void *text)
{
	uint8_t tag[TURN_SEAL_TAG_LEN];
	bool ok;
	int n;

	memcpy(tag, box, sizeof(tag));
	ok = c->siv &&
	     EVP_DecryptInit_ex2(c->cipher, c->siv, key, NULL, NULL) &&
	     EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_SET_TAG, sizeof(tag),
				 tag) == 1 &&
	     EVP_DecryptUpdate(c->cipher, text, &n, box + TURN_SEAL_TAG_LEN,
			       (int)len) == 1 && (size_t)n == len &&
	     EVP_DecryptFinal_ex(c->cipher, (uint8_t *)text + len, &n) == 1;
	if (!ok)
		memset(text, 0, len);
	return ok;
}
