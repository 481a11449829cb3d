// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys shared with authorization servers; see token_key.h. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "token_key.h"
#include "turn/token.h"

/* In base64; coturn's column has 256 characters. */
#define BASE64_MAX	256

/* Blanks around it are left out, as coturn does. */
static bool same_alg(const char *alg, const char *name)
{
	while (*alg == ' ')
		alg++;
	for (; *name; name++, alg++)
		if (toupper((unsigned char)(*alg == '_' ? '-' : *alg)) !=
		    *name)
			return false;
	return !alg[strspn(alg, " ")];
}

const char *token_key_read(struct turn_token_key *key, const char *alg,
			   const char *base64, uint64_t made,
			   uint64_t lifetime)
{
	unsigned char bytes[BASE64_MAX / 4 * 3];
	size_t len = strlen(base64), want;
	const char *why = NULL;
	int n;

	memset(key, 0, sizeof(*key));
	if (same_alg(alg, "A256GCM"))
		key->aead = TURN_AEAD_A256GCM;
	else if (same_alg(alg, "A128GCM"))
		key->aead = TURN_AEAD_A128GCM;
	else
		return "has another algorithm than A256GCM and A128GCM";

	want = turn_aead_key_len(key->aead);
	n = len <= BASE64_MAX ?
	    EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)len) :
	    -1;
	/* Padding is counted as zeros. */
	while (n > 0 && len && base64[len - 1] == '=') {
		len--;
		n--;
	}
	if (n < 0)
		why = "is no base64";
	else if ((size_t)n < want)
		why = "is shorter than its algorithm needs";
	else
		memcpy(key->key, bytes, want);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (lifetime)
		key->until = made > UINT64_MAX / 4 || lifetime > UINT64_MAX / 4 ?
			     UINT64_MAX / 2 : made + lifetime;
	return why;
}
