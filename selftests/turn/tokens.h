/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access tokens (RFC 7635), made as an authorization server does. */
#ifndef KTURN_SELFTESTS_TOKENS_H
#define KTURN_SELFTESTS_TOKENS_H

#include "client.h"

/* Whom they are for, and the key that all names of keys stand for. */
#define TOKEN_SERVER	"blackdow.carleon.gov"
#define TOKEN_KEY	"HGkj32KJGiuy098sdfaqbNjOiaz71923"
#define TOKEN_KEYS	4

/* The one that client_token() made last. */
extern uint8_t access_token[512];

/* Encrypts @plain, which is as in the RFC's figure 4; returns the length. */
size_t token_seal(const char *name, size_t nonce_len, const uint8_t *plain,
		  size_t len, uint8_t *out);
size_t token_plain(uint8_t *plain, size_t key_len, uint64_t timestamp,
		   uint32_t lifetime);

/*
 * As world_init(); tokens are taken, with keys called "north", "south", "old",
 * which is of no more use, and "other", of a realm that clients can't name.
 */
void token_world(void);
/* Gives @client a token from @before seconds ago, whose key is of that byte. */
void client_token(struct client *client, const char *kid, uint8_t key_byte,
		  int before, uint32_t lifetime);

#endif /* KTURN_SELFTESTS_TOKENS_H */
