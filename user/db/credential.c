// SPDX-License-Identifier: GPL-2.0-or-later
/* Names, realms and passwords, and the keys made of them (RFC 8489). */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <utf8.h>
#include "userdb.h"

/* Unicode's category Zs but for U+0020 itself. */
static bool is_other_space(uint32_t c)
{
	return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

static bool is_noncharacter(uint32_t c)
{
	return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c < 0xfdf0);
}

static const char *length_check(enum userdb_text what, size_t bytes,
				size_t chars)
{
	if (!bytes)
		return "is empty";
	if (what == USERDB_TEXT_NAME && bytes > USERDB_NAME_MAX)
		return "is longer than 508 bytes";
	if (what == USERDB_TEXT_REALM && chars > USERDB_REALM_MAX)
		return "is longer than 127 characters";
	if (what == USERDB_TEXT_PASSWORD && bytes > USERDB_PASSWORD_MAX)
		return "is longer than 508 bytes";
	return NULL;
}

const char *userdb_prepare(enum userdb_text what, const char *text, size_t len,
			   char *out, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0, chars = 0, n;
	uint32_t c;

	if (len >= size) {
		const char *why = length_check(what, len, len);

		return why ? why : "is too long";
	}
	for (size_t i = 0; i < len; i += n, chars++) {
		n = utf8_read(s + i, len - i, &c);
		if (!n)
			return "is not valid UTF-8";
		if (is_control(c))
			return "contains a control character";
		if (is_noncharacter(c))
			return "contains a code point that is no character";
		if (what == USERDB_TEXT_REALM && (c == '"' || c == '\\'))
			return "contains a double quote or a backslash";
		if (is_other_space(c)) {
			out[used++] = ' ';
		} else {
			memcpy(out + used, s + i, n);
			used += n;
		}
	}
	out[used] = '\0';
	return length_check(what, used, chars);
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
