// SPDX-License-Identifier: GPL-2.0-or-later
/* The long-term credential mechanism (RFC 8489 section 9.2.4). */
#include "request.h"

/**
 * struct claim - who a request says it is from
 * @alg: password algorithm
 * @realm_valid: its realm is one of ours
 * @user_valid: its user is a user name, of that realm
 * @expired: it was one for some time
 */
struct claim {
	enum turn_alg alg;
	bool realm_valid;
	bool user_valid;
	bool expired;
};

static bool refuse(struct turn_server *s, const struct turn_request *rq,
		   enum turn_error code, const char *reason)
{
	s->ops->log(s->env, LOG_INFO, "auth-failed", rq->tuple,
		    rq->user[0] ? rq->user : NULL, "code=%d reason=%s", code,
		    reason);
	turn_reply_error(s, rq, code);
	return false;
}

/* With an integrity attribute, is all there and well-formed that it needs? */
static bool complete(const struct turn_request *rq)
{
	if (!turn_has(rq, TURN_A_USERNAME) && !turn_has(rq, TURN_A_USERHASH))
		return false;
	if (turn_has(rq, TURN_A_ACCESS_TOKEN) &&
	    !turn_has(rq, TURN_A_USERNAME))
		return false;
	if (turn_has(rq, TURN_A_USERHASH) &&
	    rq->attr[TURN_A_USERHASH].len != TURN_SHA256_LEN)
		return false;
	if (turn_has(rq, TURN_A_INTEGRITY) &&
	    rq->attr[TURN_A_INTEGRITY].len != TURN_SHA1_LEN)
		return false;
	if (turn_has(rq, TURN_A_INTEGRITY_SHA256) &&
	    rq->attr[TURN_A_INTEGRITY_SHA256].len != TURN_SHA256_LEN)
		return false;
	return turn_has(rq, TURN_A_REALM) && turn_has(rq, TURN_A_NONCE);
}

/* Is @entry, number and empty parameters, in PASSWORD-ALGORITHMS? */
static bool listed(const struct kturn_attr *list, const uint8_t *entry)
{
	size_t i;

	/* Neither algorithm has parameters, so every entry has 4 bytes. */
	for (i = 0; i + 4 <= list->len; i += 4)
		if (!memcmp(list->value + i, entry, 4))
			return true;
	return false;
}

/*
 * The bid-down protection: what the client says it was offered must be what
 * it was offered, which the nonce knows. Of a nonce that is not ours nothing
 * is known; such a request ends with 438 if not before.
 */
static bool choose_algorithm(struct turn_server *s,
			     const struct turn_request *rq,
			     enum turn_nonce_state state,
			     unsigned int features, struct claim *claim)
{
	const struct kturn_attr *one = &rq->attr[TURN_A_PASSWORD_ALGORITHM];
	const struct kturn_attr *list = &rq->attr[TURN_A_PASSWORD_ALGORITHMS];
	uint8_t offered[8];
	size_t len;

	claim->alg = TURN_ALG_MD5;
	if (!one->value && !list->value)
		return true;
	if (!one->value || !list->value || one->len != 4)
		return false;

	if (state != TURN_NONCE_FOREIGN) {
		len = turn_algorithms(features, offered);
		if (list->len != len || memcmp(list->value, offered, len))
			return false;
	}
	if (!listed(list, one->value))
		return false;

	switch (kturn_get32(one->value)) {
	case TURN_ALG_MD5 << 16:
		return true;
	case TURN_ALG_SHA256 << 16:
		claim->alg = TURN_ALG_SHA256;
		return true;
	default:
		return false;
	}
}

/*
 * In what is none of ours they are looked for in one that is, so that time does
 * not tell.
 */
static bool find_user(struct turn_server *s, struct turn_request *rq,
		      const struct claim *claim)
{
	const struct kturn_attr *hash = &rq->attr[TURN_A_USERHASH];
	bool found;

	if (turn_has(rq, TURN_A_USERNAME))
		found = turn_username(&rq->attr[TURN_A_USERNAME], rq->user);
	else
		found = !s->ops->user_by_hash(s->env, rq->realm->name,
					      hash->value, rq->user);
	if (!found)
		rq->user[0] = 0;
	return found && claim->realm_valid;
}

/* Takes the key of a stored user, or one that nobody has. */
static bool stored_key(struct turn_server *s, struct turn_request *rq,
		       const struct claim *claim, const struct turn_keys *keys,
		       bool found)
{
	const uint8_t *key = s->dummy_key;

	rq->key_len = turn_alg_len(claim->alg);
	if (found && claim->alg == TURN_ALG_MD5 && keys->has_md5)
		key = keys->md5;
	else if (found && claim->alg == TURN_ALG_SHA256 && keys->has_sha256)
		key = keys->sha256;
	memcpy(rq->key, key, rq->key_len);
	return key != s->dummy_key;
}

/*
 * Credentials that have expired make no new allocation, but what they made
 * in time can be kept: calls are longer than web pages are cached.
 */
static bool in_time(struct turn_server *s, const struct turn_request *rq,
		    uint64_t expires)
{
	struct turn_alloc *a;

	if (rq->wall <= expires)
		return true;
	/* It is of use to whose allocation has the connection, no more. */
	if (rq->msg.method == KTURN_CONNECTION_BIND)
		return true;
	a = turn_alloc_live(s, rq->tuple, rq->now);
	return a && turn_owns(rq, a);
}

/*
 * The integrity check is made with one key or another whether the user
 * exists or not, so that the time it takes does not tell which.
 */
static bool verify(struct turn_server *s, struct turn_request *rq,
		   struct claim *claim)
{
	struct turn_keys keys = { 0 };
	bool found, known, ok;
	uint64_t expires;

	found = rq->user[0] &&
		!s->ops->user_keys(s->env, rq->realm->name, rq->user, &keys);
	if (!found && rq->user[0] && rq->realm->n_secrets &&
	    turn_rest_expiry(rq->user, &expires)) {
		claim->expired = !in_time(s, rq, expires);
		if (!claim->expired)
			return turn_rest_auth(s, rq, claim->alg) &
			       claim->user_valid;
	}

	known = stored_key(s, rq, claim, &keys, found);
	OPENSSL_cleanse(&keys, sizeof(keys));
	ok = turn_integrity_ok(s, rq, rq->key, rq->key_len, &rq->mac);
	return known & ok & claim->user_valid;
}

/* NULL, or what is wrong. */
static const char *check(struct turn_server *s, struct turn_request *rq,
			 struct claim *claim)
{
	const struct turn_grant *grant;
	const char *why;

	claim->user_valid = find_user(s, rq, claim);
	rq->account = rq->realm;
	if (turn_has(rq, TURN_A_ACCESS_TOKEN)) {
		why = turn_grant_by_token(s, rq);
		return claim->realm_valid ? why : "realm";
	}
	grant = claim->user_valid ? turn_grant_of(s, rq) : NULL;
	if (grant)
		return turn_grant_by_key(s, rq, grant);
	if (verify(s, rq, claim))
		return NULL;
	return claim->expired ? "expired" : "credentials";
}

/* RFC 7635 section 7, whatever its integrity attribute is keyed with. */
static bool has_unasked_token(const struct turn_request *rq)
{
	size_t i;

	for (i = 0; i < rq->n_unknown; i++)
		if (rq->unknown[i] == KTURN_ATTR_ACCESS_TOKEN)
			return true;
	return false;
}

/* Sets the request's realm; of what is none of ours no nonce is either. */
static enum turn_nonce_state check_realm(struct turn_server *s,
					 struct turn_request *rq,
					 struct claim *claim,
					 unsigned int *features)
{
	rq->realm = turn_realm_named(s, rq);
	claim->realm_valid = rq->realm;
	if (!rq->realm)
		rq->realm = turn_realm_choose(s, rq);
	if (!claim->realm_valid)
		return TURN_NONCE_FOREIGN;
	return turn_nonce_check(s, rq, features);
}

bool turn_auth(struct turn_server *s, struct turn_request *rq)
{
	enum turn_nonce_state state;
	unsigned int features = 0;
	struct claim claim = { 0 };
	const char *why;

	if (!turn_has(rq, TURN_A_INTEGRITY) &&
	    !turn_has(rq, TURN_A_INTEGRITY_SHA256)) {
		turn_reply_error(s, rq, TURN_UNAUTHENTICATED);
		return false;
	}
	if (has_unasked_token(rq)) {
		turn_reply_error(s, rq, TURN_UNKNOWN_ATTRIBUTE);
		return false;
	}
	if (!complete(rq))
		return refuse(s, rq, TURN_BAD_REQUEST, "incomplete");

	state = check_realm(s, rq, &claim, &features);
	if (!choose_algorithm(s, rq, state, features, &claim))
		return refuse(s, rq, TURN_BAD_REQUEST, "algorithm");

	why = check(s, rq, &claim);
	if (why)
		return refuse(s, rq, TURN_UNAUTHENTICATED, why);
	rq->verified = true;
	/* The other server knows whose nonce it is. */
	if (state != TURN_NONCE_VALID && turn_connection_passed_on(s, rq))
		return false;
	if (state != TURN_NONCE_VALID) {
		turn_reply_error(s, rq, TURN_STALE_NONCE);
		return false;
	}

	/* The last paragraph of section 9.2.4. */
	rq->hmac = turn_has(rq, TURN_A_PASSWORD_ALGORITHM) ?
		   TURN_HMAC_SHA256 : TURN_HMAC_SHA1;
	rq->authenticated = rq->mac.kind == rq->hmac ||
			    turn_hmac_key(&rq->mac, rq->hmac, rq->key,
					  rq->key_len);
	return rq->authenticated;
}
