// SPDX-License-Identifier: GPL-2.0-or-later
/* How the values of options are read that say who may use the server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "db/userdb.h"
#include "kturn.h"
#include "option.h"
#include "option_read.h"
#include "option_set.h"
#include "origin.h"
#include "token_key.h"
#include "turn/turn.h"

#define SECRET_MAX	1024

/*
 * Prepare a text; what is wrong comes back with the name of the thing before
 * it, in words that last until the next call: options are read by one thread.
 */
static const char *prepare(enum userdb_text what, const char *thing,
			   const char *text, size_t len, char *out,
			   size_t size)
{
	const char *why = userdb_prepare(what, text, len, out, size);
	static char words[128];

	if (!why)
		return NULL;
	snprintf(words, sizeof(words), "%s %s", thing, why);
	return words;
}

/* @realm has room for USERDB_REALM_BYTES_MAX + 1 bytes. */
static const char *prepare_realm(const char *text, size_t len, char *realm)
{
	const char *why = prepare(USERDB_TEXT_REALM, "the realm", text, len,
				  realm, USERDB_REALM_BYTES_MAX + 1);

	if (!why && strlen(realm) > TURN_OWN_REALM_MAX)
		why = "the realm is longer than 104 bytes";
	return why;
}

const char *option_set_realm(struct config *cfg, const char *value)
{
	char realm[USERDB_REALM_BYTES_MAX + 1];
	const char *why = prepare(USERDB_TEXT_REALM, "it", value,
				  strlen(value), realm, sizeof(realm));

	if (why)
		return why;
	if (strlen(realm) > TURN_OWN_REALM_MAX)
		return OPTION_UNEXPECTED;
	return option_text(&cfg->realm, realm);
}

/* ADDR[:PORT]=REALM */
const char *option_set_listen_realm(struct config *cfg, const char *value)
{
	char realm[USERDB_REALM_BYTES_MAX + 1], text[KTURN_ADDR_TEXT_MAX];
	const char *equals = strchr(value, '='), *why;
	struct config_listen_realm *room;
	struct kturn_addr addr;
	size_t i;

	if (!equals || (size_t)(equals - value) >= sizeof(text))
		return OPTION_UNEXPECTED;
	memcpy(text, value, (size_t)(equals - value));
	text[equals - value] = '\0';
	if (kturn_addr_parse(text, &addr))
		return OPTION_UNEXPECTED;
	why = prepare_realm(equals + 1, strlen(equals + 1), realm);
	if (why)
		return why;
	for (i = 0; i < cfg->n_listen_realms; i++)
		if (addr_equal(&cfg->listen_realms[i].addr, &addr))
			return "that address is there twice";
	room = option_append(&cfg->listen_realms, &cfg->n_listen_realms,
			     sizeof(*room));
	if (!room)
		return OPTION_NO_MEMORY;
	room->addr = addr;
	room->realm = strdup(realm);
	return room->realm ? NULL : OPTION_NO_MEMORY;
}

void option_clear_listen_realm(struct config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_listen_realms; i++)
		free(cfg->listen_realms[i].realm);
	free(cfg->listen_realms);
	cfg->listen_realms = NULL;
	cfg->n_listen_realms = 0;
}

static const char *add_realm_text(struct config_realm_text **list, size_t *n,
				  const char *realm, const char *text)
{
	struct config_realm_text *room = option_append(list, n, sizeof(*room));

	if (!room)
		return OPTION_NO_MEMORY;
	room->text = strdup(text);
	room->realm = strdup(realm);
	return room->text && room->realm ? NULL : OPTION_NO_MEMORY;
}

static void clear_realm_texts(struct config_realm_text **list, size_t *n)
{
	size_t i;

	for (i = 0; i < *n; i++) {
		option_wipe((*list)[i].text);
		free((*list)[i].realm);
	}
	free(*list);
	*list = NULL;
	*n = 0;
}

/* ORIGIN=REALM */
const char *option_set_origin_realm(struct config *cfg, const char *value)
{
	char realm[USERDB_REALM_BYTES_MAX + 1], origin[ORIGIN_MAX + 1];
	const char *equals = strchr(value, '='), *why;
	size_t i;

	if (!equals ||
	    !origin_canonical(value, (size_t)(equals - value), origin))
		return OPTION_UNEXPECTED;
	why = prepare_realm(equals + 1, strlen(equals + 1), realm);
	if (why)
		return why;
	for (i = 0; i < cfg->n_origin_realms; i++)
		if (!strcmp(cfg->origin_realms[i].text, origin))
			return "that origin is there twice";
	return add_realm_text(&cfg->origin_realms, &cfg->n_origin_realms,
			      realm, origin);
}

void option_clear_origin_realm(struct config *cfg)
{
	clear_realm_texts(&cfg->origin_realms, &cfg->n_origin_realms);
}

static bool same_realm(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* @realm: NULL for the default one. */
static const char *add_user(struct config *cfg, const char *realm,
			    const char *name, const char *password)
{
	struct config_user *user;
	size_t i;

	for (i = 0; i < cfg->n_users; i++)
		if (!strcmp(cfg->users[i].name, name) &&
		    same_realm(cfg->users[i].realm, realm))
			return "there is another user of that name";
	user = option_append(&cfg->users, &cfg->n_users, sizeof(*user));
	if (!user)
		return OPTION_NO_MEMORY;
	user->realm = realm ? strdup(realm) : NULL;
	user->name = strdup(name);
	user->password = strdup(password);
	return user->name && user->password && !realm == !user->realm ?
	       NULL : OPTION_NO_MEMORY;
}

/* NAME:PASSWORD */
static const char *set_user(struct config *cfg, const char *realm,
			    const char *value)
{
	char name[USERDB_NAME_MAX + 1], password[USERDB_PASSWORD_MAX + 1];
	const char *colon = strchr(value, ':'), *why;

	if (!colon)
		return OPTION_UNEXPECTED;
	why = prepare(USERDB_TEXT_NAME, "the name", value,
		      (size_t)(colon - value), name, sizeof(name));
	if (!why)
		why = prepare(USERDB_TEXT_PASSWORD, "the password", colon + 1,
			      strlen(colon + 1), password, sizeof(password));
	if (!why)
		why = add_user(cfg, realm, name, password);
	explicit_bzero(password, sizeof(password));
	return why;
}

const char *option_set_user(struct config *cfg, const char *value)
{
	return set_user(cfg, NULL, value);
}

/* REALM=NAME:PASSWORD */
const char *option_set_realm_user(struct config *cfg, const char *value)
{
	char realm[USERDB_REALM_BYTES_MAX + 1];
	const char *equals = strchr(value, '='), *why;

	if (!equals)
		return OPTION_UNEXPECTED;
	why = prepare_realm(value, (size_t)(equals - value), realm);
	return why ? why : set_user(cfg, realm, equals + 1);
}

/* Users of the default realm, or of others. */
static void clear_users(struct config *cfg, bool others)
{
	struct config_user *user;
	size_t i, kept = 0;

	for (i = 0; i < cfg->n_users; i++) {
		user = &cfg->users[i];
		if (!user->realm == others) {
			cfg->users[kept++] = *user;
			continue;
		}
		free(user->realm);
		free(user->name);
		option_wipe(user->password);
	}
	cfg->n_users = kept;
	if (kept)
		return;
	free(cfg->users);
	cfg->users = NULL;
}

void option_clear_user(struct config *cfg)
{
	clear_users(cfg, false);
}

void option_clear_realm_user(struct config *cfg)
{
	clear_users(cfg, true);
}

static bool is_secret(const char *text)
{
	return *text && strlen(text) <= SECRET_MAX;
}

const char *option_set_secret(struct config *cfg, const char *value)
{
	if (!is_secret(value))
		return OPTION_UNEXPECTED;
	return option_add_text(&cfg->secrets, &cfg->n_secrets, value);
}

void option_clear_secret(struct config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_secrets; i++)
		option_wipe(cfg->secrets[i]);
	free(cfg->secrets);
	cfg->secrets = NULL;
	cfg->n_secrets = 0;
}

/* REALM=SECRET */
const char *option_set_realm_secret(struct config *cfg, const char *value)
{
	char realm[USERDB_REALM_BYTES_MAX + 1];
	const char *equals = strchr(value, '='), *why;

	if (!equals || !is_secret(equals + 1))
		return OPTION_UNEXPECTED;
	why = prepare_realm(value, (size_t)(equals - value), realm);
	return why ? why : add_realm_text(&cfg->realm_secrets,
					  &cfg->n_realm_secrets, realm,
					  equals + 1);
}

void option_clear_realm_secret(struct config *cfg)
{
	clear_realm_texts(&cfg->realm_secrets, &cfg->n_realm_secrets);
}

/* ----------------------------------------------------------- access tokens */

/* With the shortest realm it has to fit into a challenge. */
const char *option_set_token_server_name(struct config *cfg,
					 const char *value)
{
	const char *p;

	for (p = value; *p; p++)
		if (*p <= ' ' || *p > '~')
			return OPTION_UNEXPECTED;
	if (strlen(value) > TURN_OWN_REALM_MAX - 2 * KTURN_ATTR_HDR_LEN)
		return OPTION_UNEXPECTED;
	return option_text(&cfg->token_server_name, value);
}

/* What is between colons, up to the next; the last has all the rest. */
#define KEY_FIELDS	6

static size_t split(char *text, char *fields[KEY_FIELDS])
{
	size_t n = 0;

	while (n < KEY_FIELDS) {
		fields[n++] = text;
		text = n < KEY_FIELDS ? strchr(text, ':') : NULL;
		if (!text)
			break;
		*text++ = '\0';
	}
	return n;
}

static const char *add_token_key(struct config *cfg, const char *kid,
				 const char *realm,
				 const struct turn_token_key *key)
{
	struct config_token_key *room;
	size_t i;

	for (i = 0; i < cfg->n_token_keys; i++)
		if (!strcmp(cfg->token_keys[i].kid, kid))
			return "there is another key of that name";
	room = option_append(&cfg->token_keys, &cfg->n_token_keys,
			     sizeof(*room));
	if (!room)
		return OPTION_NO_MEMORY;
	room->key = *key;
	room->kid = strdup(kid);
	room->realm = realm ? strdup(realm) : NULL;
	return room->kid && !realm == !room->realm ? NULL : OPTION_NO_MEMORY;
}

static const char *set_token_key(struct config *cfg, char *text)
{
	char *fields[KEY_FIELDS], realm[USERDB_REALM_BYTES_MAX + 1];
	char kid[USERDB_NAME_MAX + 1];
	uint64_t made = 0, lifetime = 0;
	size_t n = split(text, fields);
	struct turn_token_key key;
	static char words[64];
	const char *why;

	if (n < 3 || n == 4 || strlen(fields[0]) > TURN_KID_MAX)
		return OPTION_UNEXPECTED;
	/* The USERNAME that it comes as is prepared, too. */
	why = prepare(USERDB_TEXT_NAME, "the name", fields[0],
		      strlen(fields[0]), kid, sizeof(kid));
	if (why)
		return why;
	if (n > 4 && (!option_u64(fields[3], UINT64_MAX, &made) ||
		      !option_u64(fields[4], UINT64_MAX, &lifetime)))
		return "timestamp or lifetime is no number of seconds";
	why = n > 5 ? prepare_realm(fields[5], strlen(fields[5]), realm) :
		      NULL;
	if (why)
		return why;
	why = token_key_read(&key, fields[1], fields[2], made, lifetime);
	if (why) {
		snprintf(words, sizeof(words), "the key %s", why);
		why = words;
	} else {
		why = add_token_key(cfg, kid, n > 5 ? realm : NULL, &key);
	}
	OPENSSL_cleanse(&key, sizeof(key));
	return why;
}

const char *option_set_token_key(struct config *cfg, const char *value)
{
	char *text = strdup(value);
	const char *why;

	if (!text)
		return OPTION_NO_MEMORY;
	why = set_token_key(cfg, text);
	OPENSSL_cleanse(text, strlen(value));
	free(text);
	return why;
}

void option_clear_token_key(struct config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_token_keys; i++) {
		free(cfg->token_keys[i].kid);
		free(cfg->token_keys[i].realm);
	}
	if (cfg->token_keys)
		OPENSSL_cleanse(cfg->token_keys, cfg->n_token_keys *
				sizeof(*cfg->token_keys));
	free(cfg->token_keys);
	cfg->token_keys = NULL;
	cfg->n_token_keys = 0;
}

const char *option_set_token_key_file(struct config *cfg, const char *value)
{
	return option_text(&cfg->token_key_file, value);
}
