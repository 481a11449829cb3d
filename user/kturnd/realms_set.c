// SPDX-License-Identifier: GPL-2.0-or-later
/* A set of realms; see realms.h. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "address.h"
#include "config.h"
#include "origin.h"
#include "realms_set.h"

/**
 * struct named - of one of the trees
 * @name: what it is found by
 * @realm: realm; NULL: of a key for any
 * @key: of a key
 */
struct named {
	char *name;
	struct realm *realm;
	struct turn_token_key key;
};

struct place {
	struct kturn_addr addr;		/* its port may be 0: any */
	const struct realm *realm;
};

/**
 * struct realms - a set
 * @refs: who uses it
 * @by_name: tsearch()'s, of struct named; they own the realms
 * @by_origin: the same
 * @by_kid: the same
 * @n_keys: how many of those
 * @def: for other addresses than those of @places
 * @places: listening addresses
 * @n_places: how many
 * @peers: of every realm
 * @some_peers: there are lists of one realm
 * @digest: of all that was noted
 */
struct realms {
	unsigned int refs;
	void *by_name;
	void *by_origin;
	void *by_kid;
	size_t n_keys;
	const struct realm *def;
	struct place *places;
	size_t n_places;
	struct peer_lists peers;
	bool some_peers;
	uint8_t digest[32];
};

static int compare(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void wipe(char *text)
{
	OPENSSL_cleanse(text, strlen(text));
	free(text);
}

static void free_realm(struct realm *realm)
{
	char **secrets = (char **)realm->turn.secrets;
	size_t i;

	for (i = 0; i < realm->turn.n_secrets; i++)
		wipe(secrets[i]);
	free(secrets);
	peer_lists_free(&realm->peers);
	free(realm);
}

static void free_entry(void *arg)
{
	struct named *e = arg;

	free(e->name);
	OPENSSL_cleanse(e, sizeof(*e));
	free(e);
}

static void free_named(void *arg)
{
	struct named *e = arg;

	free_realm(e->realm);
	free_entry(e);
}

struct realms *realms_empty(void)
{
	struct realms *set = calloc(1, sizeof(*set));

	if (set)
		set->refs = 1;
	return set;
}

struct realms *realms_get(struct realms *set)
{
	__atomic_add_fetch(&set->refs, 1, __ATOMIC_RELAXED);
	return set;
}

void realms_put(struct realms *set)
{
	if (!set || __atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL))
		return;
	tdestroy(set->by_kid, free_entry);
	tdestroy(set->by_origin, free_entry);
	tdestroy(set->by_name, free_named);
	free(set->places);
	peer_lists_free(&set->peers);
	free(set);
}

/* ------------------------------------------------------------ making a set */

/* @name may be a look-up's. */
static struct named *find(void *const *tree, char *name)
{
	const struct named key = { .name = name };
	struct named **node = tfind(&key, tree, compare);

	return node ? *node : NULL;
}

/* NULL without memory. */
static struct named *add(void **tree, const char *name)
{
	struct named *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->name = strdup(name);
	if (!e->name || !tsearch(e, tree, compare)) {
		free_entry(e);
		return NULL;
	}
	return e;
}

struct realm *realms_add(struct realms *set, const char *name, bool named,
			 const struct config *cfg)
{
	struct named *e = find(&set->by_name, (char *)name);
	struct realm *realm;

	if (!e) {
		realm = calloc(1, sizeof(*realm));
		e = realm ? add(&set->by_name, name) : NULL;
		if (!e) {
			free(realm);
			return NULL;
		}
		e->realm = realm;
		realm->turn.name = e->name;
		realm->user_quota = cfg->user_quota;
		memcpy(realm->limit, cfg->limit, sizeof(realm->limit));
	}
	e->realm->named |= named;
	return e->realm;
}

void realms_set_default(struct realms *set, const struct realm *realm)
{
	set->def = realm;
}

bool realms_add_at(struct realms *set, const struct kturn_addr *addr,
		   const struct realm *realm)
{
	struct place *places = reallocarray(set->places, set->n_places + 1,
					    sizeof(*places));

	if (!places)
		return false;
	set->places = places;
	places[set->n_places++] = (struct place){ *addr, realm };
	return true;
}

bool realms_add_origin(struct realms *set, const char *origin,
		       const struct realm *realm)
{
	struct named *e = find(&set->by_origin, (char *)origin);

	if (e)
		return true;
	e = add(&set->by_origin, origin);
	if (e)
		e->realm = (struct realm *)realm;
	return e;
}

bool realms_add_secret(struct realm *realm, const char *secret)
{
	char **secrets;

	secrets = reallocarray((char **)realm->turn.secrets,
			       realm->turn.n_secrets + 1, sizeof(*secrets));
	if (!secrets)
		return false;
	realm->turn.secrets = (const char *const *)secrets;
	secrets[realm->turn.n_secrets] = strdup(secret);
	if (!secrets[realm->turn.n_secrets])
		return false;
	realm->turn.n_secrets++;
	return true;
}

bool realms_add_token_key(struct realms *set, const char *kid,
			  const struct turn_token_key *key,
			  const struct realm *realm)
{
	struct named *e = find(&set->by_kid, (char *)kid);

	if (e)
		return true;
	e = add(&set->by_kid, kid);
	if (!e)
		return false;
	e->key = *key;
	e->realm = (struct realm *)realm;
	set->n_keys++;
	return true;
}

struct peer_lists *realms_list_peers(struct realms *set, const char *name)
{
	struct named *e;

	if (!*name)
		return &set->peers;
	e = find(&set->by_name, (char *)name);
	if (!e)
		return NULL;
	set->some_peers = true;
	return &e->realm->peers;
}

/* A failure makes it differ from all others. */
void realms_note(struct realms *set, const char *const *texts, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t i;
	bool ok;

	ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
	     EVP_DigestUpdate(ctx, set->digest, sizeof(set->digest));
	for (i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, texts[i], strlen(texts[i]) + 1);
	if (!ok || !EVP_DigestFinal_ex(ctx, set->digest, NULL))
		memcpy(set->digest, &ctx, sizeof(ctx));
	EVP_MD_CTX_free(ctx);
}

/* ---------------------------------------------------------------- look-ups */

const struct realm *realms_find(const struct realms *set, const char *name,
				size_t len)
{
	char text[TURN_OWN_REALM_MAX + 1];
	const struct named *e;

	if (len > TURN_OWN_REALM_MAX)
		return NULL;
	memcpy(text, name, len);
	text[len] = '\0';
	if (strlen(text) != len)
		return NULL;
	e = find(&set->by_name, text);
	return e ? e->realm : NULL;
}

const struct realm *realms_by_origin(const struct realms *set,
				     const char *origin, size_t len)
{
	char text[ORIGIN_MAX + 1];
	const struct named *e;

	if (!set->by_origin || !origin_canonical(origin, len, text))
		return NULL;
	e = find(&set->by_origin, text);
	return e ? e->realm : NULL;
}

const struct realm *realms_at(const struct realms *set,
			      const struct kturn_addr *server)
{
	const struct place *p;
	size_t i;

	for (i = 0; i < set->n_places; i++) {
		p = &set->places[i];
		if (addr_ip_equal(&p->addr, server) &&
		    (!p->addr.port || p->addr.port == server->port))
			return p->realm;
	}
	return set->def;
}

int realms_token_key(const struct realms *set, const char *kid,
		     struct turn_token_key *key)
{
	const struct named *e = find(&set->by_kid, (char *)kid);

	if (!e)
		return -ENOENT;
	*key = e->key;
	key->realm = e->realm ? &e->realm->turn : NULL;
	return 0;
}

/* Each packet asks, and mostly there are none. */
const struct peer_lists *realms_peers(const struct realms *set,
				      const char *name)
{
	const struct realm *realm;

	if (!set->some_peers)
		return NULL;
	realm = realms_find(set, name, strlen(name));
	if (!realm || (!realm->peers.allow.n && !realm->peers.deny.n &&
		       !realm->peers.unclear))
		return NULL;
	return &realm->peers;
}

const struct peer_lists *realms_every_peers(const struct realms *set)
{
	return &set->peers;
}

/* twalk_r() has no way to stop. */
struct walk {
	bool (*cb)(const struct realm *realm, void *arg);
	void *arg;
	bool done;
};

static void visit(const void *node, VISIT which, void *arg)
{
	const struct named *e = *(const struct named *const *)node;
	struct walk *w = arg;

	if ((which == postorder || which == leaf) && !w->done)
		w->done = w->cb(e->realm, w->arg);
}

bool realms_each(const struct realms *set,
		 bool (*cb)(const struct realm *realm, void *arg), void *arg)
{
	struct walk w = { .cb = cb, .arg = arg };

	twalk_r(set->by_name, visit, &w);
	return w.done;
}

static bool has_secret(const struct realm *realm, void *arg)
{
	return realm->turn.n_secrets && realm->named;
}

bool realms_can_serve(const struct realms *set)
{
	return set->n_keys || realms_each(set, has_secret, NULL);
}

bool realms_same(const struct realms *a, const struct realms *b)
{
	return !memcmp(a->digest, b->digest, sizeof(a->digest));
}
