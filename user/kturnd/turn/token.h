/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-contained access tokens (RFC 7635 section 6.2): pure functions. */
#ifndef _KTURND_TURN_TOKEN_H
#define _KTURND_TURN_TOKEN_H

#include "crypto.h"
#include "turn.h"

/* RFC 7635 section 7: how far clocks may be apart, seconds. */
#define TURN_TOKEN_DELTA	5

/* Of a mac_key, bytes: HMAC-SHA1's, which must be supported, to SHA-256's. */
#define TURN_MAC_KEY_MIN	TURN_SHA1_LEN
#define TURN_MAC_KEY_MAX	TURN_DIGEST_MAX

/**
 * struct turn_token - what is encrypted in a token
 * @mac_key: key of the requests' message integrity
 * @mac_key_len: its length, TURN_MAC_KEY_MIN to TURN_MAC_KEY_MAX
 * @timestamp: seconds since 1970
 * @lifetime: seconds
 */
struct turn_token {
	uint8_t mac_key[TURN_MAC_KEY_MAX];
	size_t mac_key_len;
	uint64_t timestamp;
	uint32_t lifetime;
};

/** turn_aead_key_len() - bytes of a key */
static inline size_t turn_aead_key_len(enum turn_aead aead)
{
	return aead == TURN_AEAD_A128GCM ? 16 : 32;
}

/**
 * turn_token_open() - decrypt a token, and take it apart
 * @aead: algorithm
 * @key: turn_aead_key_len() bytes
 * @server_name: that it must have been made for
 * @p: token
 * @len: its length
 * @token: result, to be overwritten after use; all zero after a failure
 *
 * Return: false for what is not authentic or not well-formed.
 */
bool turn_token_open(enum turn_aead aead, const uint8_t *key,
		     const char *server_name, const uint8_t *p, size_t len,
		     struct turn_token *token);

/**
 * turn_token_left() - for how long may a token be used?
 * @token: token
 * @wall: seconds since 1970
 *
 * Return: seconds (RFC 7635 section 9); 0: not (any more).
 */
uint64_t turn_token_left(const struct turn_token *token, uint64_t wall);

#endif /* _KTURND_TURN_TOKEN_H */
