// SPDX-License-Identifier: GPL-2.0-or-later
/* The OpaqueString profile of RFC 8265; see opaque.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "freeform.h"
#include "opaque.h"

#define NO_MEMORY	"can't be prepared: out of memory"

const char *const opaque_too_long = "is too long";

/* Nearly every text: it is what it will be. */
static bool is_plain(const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len && p[i] >= 0x20 && p[i] < 0x7f; i++)
		;
	return i == len;
}

static void wipe(ucs4_t *text, size_t n)
{
	if (text)
		explicit_bzero(text, n * sizeof(*text));
	free(text);
}

/* Writes @text as UTF-8 with a NUL. */
static const char *write_out(const ucs4_t *text, size_t n, char *out,
			     size_t size)
{
	size_t used = 0, i;
	int len;

	for (i = 0; i < n; i++) {
		len = u8_uctomb((uint8_t *)out + used, text[i], size - used);
		/* -2: no room. No code point here is a surrogate, -1. */
		if (len < 0)
			return opaque_too_long;
		used += len;
	}
	if (used == size)
		return opaque_too_long;
	out[used] = '\0';
	return NULL;
}

/*
 * The rules in RFC 8264 section 7's order: the code points are looked at
 * last, so that Hangul in decomposed form, whose letters FreeformClass does
 * not allow one by one, is the Hangul that it is.
 */
const char *opaque_string(const void *text, size_t len, char *out, size_t size)
{
	ucs4_t *codes, *nfc = NULL;
	size_t n_codes, n = 0, i;
	const char *why;

	if (!len)
		return "is empty";
	if (len > OPAQUE_INPUT_MAX)
		return opaque_too_long;
	if (is_plain(text, len)) {
		if (len >= size)
			return opaque_too_long;
		memcpy(out, text, len);
		out[len] = '\0';
		return NULL;
	}

	codes = u8_to_u32(text, len, NULL, &n_codes);
	if (!codes)
		return errno == EILSEQ ? "is not valid UTF-8" : NO_MEMORY;
	for (i = 0; i < n_codes; i++)
		if (uc_is_general_category_withtable(codes[i],
						     UC_CATEGORY_MASK_Zs))
			codes[i] = ' ';
	nfc = u32_normalize(UNINORM_NFC, codes, n_codes, NULL, &n);
	why = nfc ? freeform_check(nfc, n) : NO_MEMORY;
	if (!why)
		why = write_out(nfc, n, out, size);
	/* It may have been a password. */
	wipe(codes, n_codes);
	wipe(nfc, n);
	return why;
}
