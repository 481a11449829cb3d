// SPDX-License-Identifier: GPL-2.0-or-later
/* User names (RFC 8489 sections 9.2.2 and 14.3, RFC 8265 section 4.2). */
#include "request.h"

/*
 * The character at @p, and its bytes, 0 if it is not UTF-8 (RFC 3629): cut
 * off, longer than needed, a surrogate or beyond U+10FFFF.
 */
static size_t utf8_decode(const uint8_t *p, size_t len, uint32_t *c)
{
	static const uint32_t first[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n, i;

	if (p[0] < 0x80) {
		*c = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > len)
		return 0;

	*c = p[0] & (0xff >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	if (*c < first[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return n;
}

/* Control characters and noncharacters, which FreeformClass disallows. */
static bool forbidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	       (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

bool turn_username_ok(const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;
	uint32_t c;
	size_t n;

	if (!len || len > TURN_USERNAME_MAX)
		return false;
	for (; p < end; p += n) {
		n = utf8_decode(p, end - p, &c);
		if (!n || forbidden(c))
			return false;
	}
	return true;
}

void turn_username_trim(const uint8_t **p, size_t *len)
{
	while (*len && !(*p)[*len - 1])
		(*len)--;
	if (*len >= 2 && (*p)[0] == '"' && (*p)[*len - 1] == '"') {
		(*p)++;
		*len -= 2;
	}
}

bool turn_username(const struct kturn_attr *attr, char *name)
{
	const uint8_t *p = attr->value;
	size_t len = attr->len;

	turn_username_trim(&p, &len);
	if (!turn_username_ok(p, len))
		return false;
	memcpy(name, p, len);
	name[len] = 0;
	return true;
}
