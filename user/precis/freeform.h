/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which code points a text may have: PRECIS's FreeformClass. */
#ifndef _KTURN_PRECIS_FREEFORM_H
#define _KTURN_PRECIS_FREEFORM_H

#include <stddef.h>
#include <unitypes.h>

/**
 * freeform_check() - are all code points allowed?
 * @text: @n code points, in normalisation form C
 * @n: how many
 *
 * RFC 8264 sections 4.3 and 8, with the contextual rules of RFC 5892
 * appendix A, by the version of Unicode that libunistring knows: what it does
 * not know is unassigned.
 *
 * Return: NULL, or what is wrong, as in "contains a control character".
 */
const char *freeform_check(const ucs4_t *text, size_t n);

#endif /* _KTURN_PRECIS_FREEFORM_H */
