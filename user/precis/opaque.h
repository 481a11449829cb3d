/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The OpaqueString profile of RFC 8265, for user names, realms, passwords. */
#ifndef _KTURN_PRECIS_OPAQUE_H
#define _KTURN_PRECIS_OPAQUE_H

#include <stddef.h>

/* What opaque_string() looks at: more than three times what any text may be. */
#define OPAQUE_INPUT_MAX	4096

/** opaque_too_long - what opaque_string() returns for want of room */
extern const char *const opaque_too_long;

/**
 * opaque_string() - enforce OpaqueString (RFC 8265 section 4.2.2)
 * @text: @len bytes, any
 * @len: how many
 * @out: result, NUL-terminated; undefined after an error
 * @size: room there, with the NUL; 1 at least
 *
 * Spaces of other kinds become U+0020, the rest is brought into normalisation
 * form C. Refused is what is empty, is no UTF-8 (RFC 3629) or holds a code
 * point that FreeformClass does not allow (RFC 8264 section 4.3). The result
 * may be longer than @text. It is prepared: it comes out as it is when it is
 * given here again. Time is linear in @len but for marks that are sorted.
 *
 * Return: NULL, or what is wrong, as in "is empty", to be printed after the
 * name of the thing; opaque_too_long when @size is too small or @len is above
 * OPAQUE_INPUT_MAX.
 */
const char *opaque_string(const void *text, size_t len, char *out, size_t size);

#endif /* _KTURN_PRECIS_OPAQUE_H */
