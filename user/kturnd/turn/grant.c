// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Third-party authorization (RFC 7635): a request brings an access token, which
 * holds the key of its message integrity, or, once its allocation was made with
 * one, is keyed as that token said (section 9: only Allocate and Refresh bring
 * it).
 *
 * The USERNAME is the name of the key that the token is encrypted with, which
 * many clients share and which the next token need not have: who may use an
 * allocation is shown by the key in the token, or by another token for the same
 * realm.
 */
#include <stdlib.h>

#include "request.h"
#include "token.h"

/* Nobody's, to spend the same time with. */
static bool find_key(struct turn_server *s, const struct turn_request *rq,
		     struct turn_token_key *key)
{
	if (rq->user[0] && strlen(rq->user) <= TURN_KID_MAX &&
	    !s->ops->token_key(s->env, rq->user, key))
		return true;
	*key = (struct turn_token_key){ .aead = TURN_AEAD_A256GCM };
	memcpy(key->key, s->dummy_key, sizeof(key->key));
	return false;
}

_Static_assert(sizeof(((struct turn_server *)0)->dummy_key) >=
	       TURN_AEAD_KEY_MAX, "as long as any key");

/* The token is its own first one; false on failure. */
static bool begin(struct turn_server *s, struct turn_grant *g,
		  const uint8_t *token, size_t len)
{
	const struct turn_bytes whole = { token, len };

	memcpy(g->token, token, len);
	g->token_len = len;
	g->is_first = true;
	return turn_digest(&s->crypto, TURN_ALG_SHA256, &whole, 1, g->first);
}

static struct turn_grant *grant_new(struct turn_server *s,
				    const struct turn_request *rq,
				    const struct turn_token *token,
				    uint64_t left)
{
	const struct kturn_attr *attr = &rq->attr[TURN_A_ACCESS_TOKEN];
	struct turn_grant *g = calloc(1, sizeof(*g));

	if (!g || !begin(s, g, attr->value, attr->len)) {
		turn_grant_free(g);
		return NULL;
	}
	g->ends = rq->now + left * TURN_MS;
	memcpy(g->mac_key, token->mac_key, token->mac_key_len);
	g->mac_key_len = token->mac_key_len;
	memcpy(g->kid, rq->user, strlen(rq->user) + 1);
	return g;
}

void turn_grant_follow(struct turn_grant *next,
		       const struct turn_grant *before)
{
	next->is_first = !memcmp(next->first, before->first,
				 sizeof(next->first));
	memcpy(next->first, before->first, sizeof(next->first));
}

void turn_grant_free(struct turn_grant *grant)
{
	if (!grant)
		return;
	OPENSSL_cleanse(grant, sizeof(*grant));
	free(grant);
}

static bool fits_key(struct turn_server *s, struct turn_request *rq,
		     const uint8_t *key, size_t len)
{
	memcpy(rq->key, key, len);
	rq->key_len = len;
	return turn_integrity_ok(s, rq, rq->key, len, &rq->mac);
}

/*
 * The whole key, as section 7 says; or what coturn and those who follow it take of
 * one of 20 bytes: as many as MD5 has (coturn's issue 189).
 */
static bool fits(struct turn_server *s, struct turn_request *rq,
		 const uint8_t *key, size_t len)
{
	return fits_key(s, rq, key, len) ||
	       (len == TURN_SHA1_LEN &&
		fits_key(s, rq, key, TURN_MD5_LEN));
}

const char *turn_grant_by_token(struct turn_server *s, struct turn_request *rq)
{
	const struct kturn_attr *attr = &rq->attr[TURN_A_ACCESS_TOKEN];
	struct turn_token_key key;
	struct turn_token token;
	const char *why = NULL;
	bool known, ok;
	uint64_t left;

	known = find_key(s, rq, &key);
	ok = attr->len <= TURN_ACCESS_TOKEN_MAX &&
	     turn_token_open(key.aead, key.key, s->cfg.server_name,
			     attr->value, attr->len, &token);
	left = ok ? turn_token_left(&token, rq->wall) : 0;
	if (!known)
		why = "token-key";
	else if (key.until && rq->wall >= key.until + TURN_TOKEN_DELTA)
		why = "token-key-expired";
	else if (!ok)
		why = "token";
	else if (!left)
		why = "token-expired";
	else if (!fits(s, rq, token.mac_key, token.mac_key_len))
		why = "credentials";
	if (!why) {
		rq->account = key.realm ? key.realm : rq->realm;
		rq->grant = grant_new(s, rq, &token, left);
		why = rq->grant ? NULL : "no-memory";
	}
	OPENSSL_cleanse(&key, sizeof(key));
	OPENSSL_cleanse(&token, sizeof(token));
	return why;
}

struct turn_grant *turn_grant_of(struct turn_server *s,
				 const struct turn_request *rq)
{
	struct turn_alloc *a = rq->alloc;

	return a && a->grant && a->grant->mac_key_len &&
	       !strcmp(a->grant->kid, rq->user) ? a->grant : NULL;
}

const char *turn_grant_by_key(struct turn_server *s, struct turn_request *rq,
			      const struct turn_grant *grant)
{
	if (!fits(s, rq, grant->mac_key, grant->mac_key_len))
		return "credentials";
	if (rq->now >= grant->ends)
		return "token-expired";
	rq->granted = grant;
	return NULL;
}

uint32_t turn_grant_limit(const struct turn_grant *grant, uint64_t now,
			  uint32_t lifetime)
{
	uint64_t left = grant && grant->ends > now ?
			(grant->ends - now) / TURN_MS : 0;

	if (!grant || left > lifetime)
		return lifetime;
	/* What is over in less than a second; 0 would end it. */
	return left ? left : 1;
}

struct turn_grant *turn_grant_again(struct turn_server *s, const char *kid,
				    const uint8_t *p, size_t len,
				    uint64_t ends,
				    const struct turn_realm **realm)
{
	struct turn_grant *g = calloc(1, sizeof(*g));
	struct turn_token_key key;
	struct turn_token token;

	*realm = NULL;
	if (!g || !begin(s, g, p, len)) {
		turn_grant_free(g);
		return NULL;
	}
	g->ends = ends;
	memcpy(g->kid, kid, strlen(kid) + 1);
	if (!s->cfg.server_name || s->ops->token_key(s->env, kid, &key))
		return g;
	*realm = key.realm;
	if (turn_token_open(key.aead, key.key, s->cfg.server_name, p, len,
			    &token)) {
		memcpy(g->mac_key, token.mac_key, token.mac_key_len);
		g->mac_key_len = token.mac_key_len;
	}
	OPENSSL_cleanse(&key, sizeof(key));
	OPENSSL_cleanse(&token, sizeof(token));
	return g;
}
