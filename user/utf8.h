/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 (RFC 3629). */
#ifndef _KTURN_UTF8_H
#define _KTURN_UTF8_H

#include <stddef.h>
#include <stdint.h>

/**
 * utf8_read() - one character
 * @s: @len bytes, at least one
 * @len: bytes there
 * @code: result
 *
 * No overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Return: its length in bytes, 0 if there is none.
 */
static inline size_t utf8_read(const unsigned char *s, size_t len,
			       uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n;

	if (s[0] < 0x80)
		n = 1;
	else if (s[0] >= 0xc2 && s[0] < 0xe0)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	*code = n == 1 ? s[0] : s[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return n;
}

#endif /* _KTURN_UTF8_H */
