/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Origins of requests (draft-ietf-tram-stun-origin-06): a pure function. */
#ifndef _KTURND_ORIGIN_H
#define _KTURND_ORIGIN_H

#include <stddef.h>

/* Longer ones are none that we know; coturn's column has 127 characters. */
#define ORIGIN_MAX	255

/**
 * origin_canonical() - the one way to write an origin
 * @p: origin, as in "HTTPS://Example.org" or "https://example.org:443/"
 * @len: its length
 * @out: result: scheme and host in lower case, the port always there if the
 *	scheme has a default, nothing behind: "https://example.org:443", as
 *	coturn's turnadmin writes it. What is no such URI stays as it is.
 *
 * Return: its length; 0: empty, too long, or with control characters.
 */
size_t origin_canonical(const char *p, size_t len, char out[ORIGIN_MAX + 1]);

#endif /* _KTURND_ORIGIN_H */
