// SPDX-License-Identifier: GPL-2.0-or-later
/* User names (RFC 8489 sections 9.2.2 and 14.3, RFC 8265 section 4.2). */
#include <precis/opaque.h>

#include "request.h"

void turn_username_trim(const uint8_t **p, size_t *len)
{
	while (*len && !(*p)[*len - 1])
		(*len)--;
	if (*len >= 2 && (*p)[0] == '"' && (*p)[*len - 1] == '"') {
		(*p)++;
		*len -= 2;
	}
}

bool turn_username_prepare(const uint8_t *p, size_t len, char *name)
{
	return len <= TURN_USERNAME_MAX &&
	       !opaque_string(p, len, name, TURN_USERNAME_MAX + 1);
}

bool turn_username(const struct kturn_attr *attr, char *name)
{
	const uint8_t *p = attr->value;
	size_t len = attr->len;

	turn_username_trim(&p, &len);
	return turn_username_prepare(p, len, name);
}
