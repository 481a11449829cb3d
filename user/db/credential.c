// SPDX-License-Identifier: GPL-2.0-or-later
/* Names, realms and passwords, and the keys made of them (RFC 8489). */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistr.h>

#include <precis/opaque.h>
#include "userdb.h"

/* What a text is called when it is longer than it may be. */
static const char *const too_long[] = {
	[USERDB_TEXT_NAME] = "is longer than 508 bytes",
	[USERDB_TEXT_REALM] = "is longer than 127 characters",
	[USERDB_TEXT_PASSWORD] = "is longer than 508 bytes",
};

static bool is_too_long(enum userdb_text what, const char *text)
{
	size_t bytes = strlen(text);

	switch (what) {
	case USERDB_TEXT_NAME:
		return bytes > USERDB_NAME_MAX;
	case USERDB_TEXT_REALM:
		return bytes > USERDB_REALM_BYTES_MAX ||
		       u8_mbsnlen((const uint8_t *)text, bytes) >
		       USERDB_REALM_MAX;
	default:
		return bytes > USERDB_PASSWORD_MAX;
	}
}

const char *userdb_prepare(enum userdb_text what, const char *text, size_t len,
			   char *out, size_t size)
{
	const char *why = opaque_string(text, len, out, size);

	if (why)
		return why == opaque_too_long ? too_long[what] : why;
	if (is_too_long(what, out))
		return too_long[what];
	if (what == USERDB_TEXT_REALM && strpbrk(out, "\"\\"))
		return "contains a double quote or a backslash";
	return NULL;
}

/* Digest of the parts, with ':' between them. */
static int digest(const EVP_MD *md, const char *const *parts, int n,
		  uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && EVP_DigestInit_ex(ctx, md, NULL);

	for (int i = 0; ok && i < n; i++)
		ok = (i == 0 || EVP_DigestUpdate(ctx, ":", 1)) &&
		     EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]));
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -ENOTSUP;
}

int userdb_keys_make(const char *name, const char *realm, const char *password,
		     struct userdb_keys *keys)
{
	const char *const parts[] = { name, realm, password };

	memset(keys, 0, sizeof(*keys));
	if (digest(EVP_md5(), parts, 3, keys->md5) ||
	    digest(EVP_sha256(), parts, 3, keys->sha256))
		return -ENOTSUP;
	keys->flags = USERDB_MD5 | USERDB_SHA256;
	return 0;
}

void userdb_userhash(const char *name, const char *realm, uint8_t hash[32])
{
	const char *const parts[] = { name, realm };

	/* Without memory: a hash that is nobody's. */
	if (digest(EVP_sha256(), parts, 2, hash))
		memset(hash, 0, 32);
}

bool userdb_hex(const char *text, uint8_t *out, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	if (!text || strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < 2 * len; i++) {
		char c = text[i] >= 'A' && text[i] <= 'F' ? text[i] | 0x20 :
			text[i];
		const char *digit = memchr(digits, c, 16);

		if (!digit)
			return false;
		if (i % 2)
			out[i / 2] |= digit - digits;
		else
			out[i / 2] = (digit - digits) << 4;
	}
	return true;
}
