/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys shared with authorization servers (RFC 7635 section 4.1): as written. */
#ifndef _KTURND_TOKEN_KEY_H
#define _KTURND_TOKEN_KEY_H

#include <stdint.h>
#include "turn/turn.h"

/**
 * token_key_read() - read a key
 * @key: result, without realm; to be overwritten after use
 * @alg: A256GCM or A128GCM; as coturn does, lower case and '_' for '-' are
 *	taken too
 * @base64: 32 or 16 bytes of key, and perhaps more, which are not looked at
 * @made: when it was made, seconds since 1970
 * @lifetime: seconds, 0 for ever
 *
 * Return: NULL, or what is wrong, as in "is no base64", to be printed after
 * "the key".
 */
const char *token_key_read(struct turn_token_key *key, const char *alg,
			   const char *base64, uint64_t made,
			   uint64_t lifetime);

#endif /* _KTURND_TOKEN_KEY_H */
