// SPDX-License-Identifier: GPL-2.0-or-later
/* The long-term credential mechanism (RFC 8489 section 9.2.4). */
#include <errno.h>

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

/* That of the request's 5-tuple or ticket, or of the connection to be bound. */
static struct turn_alloc *its_alloc(struct turn_server *s,
				    const struct turn_request *rq)
{
	const struct turn_tuple *control = turn_connection_control(s, rq);

	return control ? turn_alloc_live(s, control, rq->now) :
			 rq->alloc;
}

/* The same, if it is this user's. */
static struct turn_alloc *own_alloc(struct turn_server *s,
				    const struct turn_request *rq)
{
	struct turn_alloc *a = its_alloc(s, rq);

	return a && turn_owns(rq, a) ? a : NULL;
}

/* Is it the USERHASH (RFC 8489 section 14.4) of who has the allocation? */
static bool own_hash(struct turn_server *s, struct turn_request *rq,
		     const uint8_t *hash)
{
	struct turn_alloc *a = its_alloc(s, rq);
	uint8_t want[TURN_DIGEST_MAX];

	if (!a || a->grant || strcmp(a->realm, rq->realm->name))
		return false;

	const struct turn_bytes v[] = {
		{ a->user, strlen(a->user) }, { ":", 1 },
		{ a->realm, strlen(a->realm) },
	};

	if (!turn_digest(&s->crypto, TURN_ALG_SHA256, v, ARRAY_SIZE(v), want) ||
	    memcmp(want, hash, TURN_SHA256_LEN))
		return false;
	memcpy(rq->user, a->user, strlen(a->user) + 1);
	return true;
}

/*
 * In a realm that is none of ours they are looked for in one that is, so that time
 * does not tell.
 * Return: 0, -ENOENT, or -EINPROGRESS: it has to wait for the user store.
 */
static int find_user(struct turn_server *s, struct turn_request *rq)
{
	const struct kturn_attr *hash = &rq->attr[TURN_A_USERHASH];
	int ret;

	if (turn_has(rq, TURN_A_USERNAME))
		ret = turn_username(&rq->attr[TURN_A_USERNAME], rq->user) ?
		      0 : -ENOENT;
	else if (own_hash(s, rq, hash->value))
		ret = 0;
	else
		ret = s->ops->user_by_hash(s->env, rq->realm->name,
					   hash->value, rq->user);
	if (ret)
		rq->user[0] = 0;
	return ret;
}

/* Takes the key of a stored user, or one that nobody has. */
static bool stored_key(struct turn_server *s, struct turn_request *rq,
		       const struct claim *claim, const struct turn_keys *keys)
{
	const uint8_t *key = s->dummy_key;

	rq->key_len = turn_alg_len(claim->alg);
	if (claim->alg == TURN_ALG_MD5 && keys->has_md5)
		key = keys->md5;
	else if (claim->alg == TURN_ALG_SHA256 && keys->has_sha256)
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
	if (rq->wall <= expires)
		return true;
	/* It is of use to whose allocation has the connection, no more. */
	if (rq->msg.method == KTURN_CONNECTION_BIND)
		return true;
	return own_alloc(s, rq);
}

/* Time-limited credentials need no user store. */
static bool verify_rest(struct turn_server *s, struct turn_request *rq,
			struct claim *claim)
{
	uint64_t expires;

	if (!rq->user[0] || !rq->realm->n_secrets ||
	    !turn_rest_expiry(rq->user, &expires))
		return false;
	claim->expired = !in_time(s, rq, expires);
	rq->minted = !claim->expired &&
		     (turn_rest_auth(s, rq, claim->alg) & claim->user_valid);
	return rq->minted;
}

/*
 * What is asked of an allocation by who made it does not wait for the user store:
 * the key that was good goes on being good until the store has said otherwise.
 */
static bool verify_own(struct turn_server *s, struct turn_request *rq,
		       const struct claim *claim, const struct turn_keys *keys)
{
	const struct turn_alloc *a = claim->user_valid ? own_alloc(s, rq) :
							 NULL;

	if (!a)
		return false;
	if (keys->heard) {
		if (!stored_key(s, rq, claim, keys))
			return false;
	} else {
		rq->key_len = turn_alg_len(claim->alg);
		if (a->key_len != rq->key_len)
			return false;
		memcpy(rq->key, a->key, rq->key_len);
	}
	return turn_integrity_ok(s, rq, rq->key, rq->key_len, &rq->mac);
}

static void ask(struct turn_server *s, const struct turn_request *rq,
		const uint8_t *msg)
{
	const struct turn_question q = {
		.tuple = rq->tuple,
		.realm = rq->realm->name,
		.user = rq->user[0] ? rq->user : NULL,
		.hash = rq->attr[TURN_A_USERHASH].value,
	};

	s->ops->ask(s->env, &q, msg, rq->len);
}

/*
 * The integrity check is made with one key or another whether the user
 * exists or not, so that the time it takes does not tell which. For the same
 * reason the store is asked before anybody is refused, unless it was lately.
 * Return: 0, -EACCES, or -EINPROGRESS: it has to wait for the user store.
 */
static int verify_stored(struct turn_server *s, struct turn_request *rq,
			 const struct claim *claim)
{
	struct turn_keys keys = { 0 };
	int ret = -ENOENT;
	bool known, ok;

	if (rq->user[0])
		ret = s->ops->user_keys(s->env, rq->realm->name, rq->user,
					&keys);
	if (ret == -EINPROGRESS) {
		if (verify_own(s, rq, claim, &keys)) {
			ask(s, rq, NULL);
			ret = 0;
		}
		goto out;
	}
	known = stored_key(s, rq, claim, &keys);
	ok = turn_integrity_ok(s, rq, rq->key, rq->key_len, &rq->mac);
	rq->stored = known & ok & claim->user_valid;
	if (rq->stored)
		ret = 0;
	else if (!rq->user[0] ||
		 !s->ops->user_refuse(s->env, rq->realm->name, rq->user))
		ret = -EACCES;
	else
		ret = -EINPROGRESS;
out:
	OPENSSL_cleanse(&keys, sizeof(keys));
	return ret;
}

/* False: it is not by a token. Else @why is what is wrong with that, or NULL. */
static bool verify_token(struct turn_server *s, struct turn_request *rq,
			 const struct claim *claim, const char **why)
{
	const struct turn_grant *grant;

	if (turn_has(rq, TURN_A_ACCESS_TOKEN)) {
		*why = turn_grant_by_token(s, rq);
		if (!claim->realm_valid)
			*why = "realm";
		return true;
	}
	grant = claim->user_valid ? turn_grant_of(s, rq) : NULL;
	if (grant)
		*why = turn_grant_by_key(s, rq, grant);
	return grant;
}

/*
 * Return: 0; -EACCES, and in @why what is wrong; or -EINPROGRESS: it has to wait
 * for the user store.
 */
static int check(struct turn_server *s, struct turn_request *rq,
		 struct claim *claim, const char **why)
{
	int ret = find_user(s, rq);

	if (ret == -EINPROGRESS)
		return ret;
	claim->user_valid = !ret && claim->realm_valid;
	rq->account = rq->realm;
	if (verify_token(s, rq, claim, why))
		return *why ? -EACCES : 0;
	ret = verify_rest(s, rq, claim) ? 0 : verify_stored(s, rq, claim);
	*why = claim->expired ? "expired" : "credentials";
	return ret;
}

/*
 * Until the store answers. Who has no nonce of ours has not shown where they are:
 * nobody can have the store asked in another's name.
 */
static void put_off(struct turn_server *s, const struct turn_request *rq,
		    enum turn_nonce_state state)
{
	/* It waits, if at all, where its connection is to be. */
	if (turn_connection_passed_on(s, rq))
		return;
	if (state != TURN_NONCE_VALID) {
		turn_reply_error(s, rq, TURN_STALE_NONCE);
		return;
	}
	s->counters.waited++;
	ask(s, rq, rq->msg.msg);
}

void turn_auth_remember(const struct turn_request *rq, struct turn_alloc *a)
{
	if (!rq->stored)
		return;
	memcpy(a->key, rq->key, rq->key_len);
	a->key_len = rq->key_len;
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
	const char *why = NULL;
	int ret;

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

	ret = check(s, rq, &claim, &why);
	if (ret == -EINPROGRESS) {
		put_off(s, rq, state);
		return false;
	}
	if (ret)
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
