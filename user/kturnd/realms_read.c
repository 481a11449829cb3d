// SPDX-License-Identifier: GPL-2.0-or-later
/* Realms, out of the configuration and the user store. */
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

#include "config.h"
#include "db/userdb.h"
#include "log.h"
#include "option_read.h"
#include "origin.h"
#include "realms_set.h"
#include "store/tables.h"
#include "token_key.h"

/**
 * struct reader - a set that is being read
 * @set: set
 * @cfg: configuration
 */
struct reader {
	struct realms *set;
	const struct config *cfg;
};

/* ----------------------------------------------------------- configuration */

static bool read_places(struct reader *r)
{
	const struct config *cfg = r->cfg;
	struct realm *realm;
	size_t i;

	for (i = 0; i < cfg->n_listen_realms; i++) {
		realm = realms_add(r->set, cfg->listen_realms[i].realm, true,
				   cfg);
		if (!realm ||
		    !realms_add_at(r->set, &cfg->listen_realms[i].addr, realm))
			return false;
	}
	for (i = 0; i < cfg->n_origin_realms; i++) {
		realm = realms_add(r->set, cfg->origin_realms[i].realm, true,
				   cfg);
		if (!realm ||
		    !realms_add_origin(r->set, cfg->origin_realms[i].text,
				       realm))
			return false;
	}
	return true;
}

static bool read_credentials(struct reader *r)
{
	const struct config *cfg = r->cfg;
	const struct config_token_key *key;
	struct realm *realm = NULL;
	size_t i;

	for (i = 0; i < cfg->n_users; i++)
		if (cfg->users[i].realm &&
		    !realms_add(r->set, cfg->users[i].realm, true, cfg))
			return false;
	for (i = 0; i < cfg->n_realm_secrets; i++) {
		realm = realms_add(r->set, cfg->realm_secrets[i].realm, true,
				   cfg);
		if (!realm ||
		    !realms_add_secret(realm, cfg->realm_secrets[i].text))
			return false;
	}
	for (i = 0; i < cfg->n_token_keys; i++) {
		key = &cfg->token_keys[i];
		realm = NULL;
		if (key->realm) {
			realm = realms_add(r->set, key->realm, false, cfg);
			if (!realm)
				return false;
		}
		if (!realms_add_token_key(r->set, key->kid, &key->key, realm))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------- store */

static void skip(const char *table, const char *row, const char *why)
{
	log_limited(LOG_WARNING, "store-row-ignored",
		    "table=%s row=%s reason=%s", table, row, why);
}

/* Prepared, and of a length that a challenge has room for; NULL: all is well. */
static const char *prepare_realm(const struct config *cfg, const char *text,
				 char realm[USERDB_REALM_BYTES_MAX + 1])
{
	const char *why = userdb_prepare(USERDB_TEXT_REALM, text, strlen(text),
					 realm, USERDB_REALM_BYTES_MAX + 1);

	if (!why && !config_realm_fits(cfg, realm))
		why = "is too long for a challenge";
	return why;
}

static int origin_row(const char *const *columns, void *arg)
{
	char name[USERDB_REALM_BYTES_MAX + 1], origin[ORIGIN_MAX + 1];
	struct reader *r = arg;
	struct realm *realm;
	const char *why;

	realms_note(r->set, columns, 2);
	why = prepare_realm(r->cfg, columns[1], name);
	if (!why && !origin_canonical(columns[0], strlen(columns[0]), origin))
		why = "no origin";
	if (why) {
		skip("turn_origin_to_realm", columns[0], why);
		return 0;
	}
	realm = realms_add(r->set, name, true, r->cfg);
	return realm && realms_add_origin(r->set, origin, realm) ? 0 : -ENOMEM;
}

/* Before those of the state machine are made of it. */
static bool set_option(struct realm *realm, const char *option, uint64_t value)
{
	size_t i;

	if (!strcmp(option, "user-quota")) {
		realm->user_quota = (uint32_t)value;
	} else if (!strcmp(option, "total-quota")) {
		realm->total_quota = (uint32_t)value;
	} else if (!strcmp(option, "max-bps")) {
		/* Of coturn: bytes a second, in each direction. */
		for (i = 0; i < 2; i++)
			realm->limit[i] = (struct kturn_limit){
				.bit_rate = 8 * value
			};
	} else {
		return false;
	}
	return true;
}

static int option_row(const char *const *columns, void *arg)
{
	struct reader *r = arg;
	struct realm *realm;
	uint64_t value;

	realms_note(r->set, columns, 3);
	realm = (struct realm *)realms_find(r->set, columns[0],
					    strlen(columns[0]));
	/* Of a realm of another server's. */
	if (!realm)
		return 0;
	if (!option_u64(columns[2], UINT32_MAX, &value))
		skip("turn_realm_option", columns[1], "no number");
	else if (!set_option(realm, columns[1], value))
		skip("turn_realm_option", columns[1], "no such option");
	return 0;
}

static int secret_row(const char *const *columns, void *arg)
{
	struct reader *r = arg;
	struct realm *realm;

	realms_note(r->set, columns, 2);
	realm = (struct realm *)realms_find(r->set, columns[0],
					    strlen(columns[0]));
	if (!realm || !*columns[1])
		return 0;
	return realms_add_secret(realm, columns[1]) ? 0 : -ENOMEM;
}

/* Its realm too: NULL in @name's place if it has none. */
static const char *read_key(const struct config *cfg,
			    const char *const *columns,
			    struct turn_token_key *key, char *name)
{
	uint64_t made, lifetime;
	const char *why = NULL;

	*name = '\0';
	if (!*columns[0] || strlen(columns[0]) > TURN_KID_MAX)
		return "its name is empty or too long";
	if (!option_u64(columns[2], UINT64_MAX, &made) ||
	    !option_u64(columns[3], UINT64_MAX, &lifetime))
		return "timestamp or lifetime is no number";
	if (*columns[5])
		why = prepare_realm(cfg, columns[5], name);
	return why ? why : token_key_read(key, columns[4], columns[1], made,
					  lifetime);
}

static int key_row(const char *const *columns, void *arg)
{
	char name[USERDB_REALM_BYTES_MAX + 1];
	struct turn_token_key key = { 0 };
	struct realm *realm = NULL;
	struct reader *r = arg;
	const char *why;
	int ret = 0;

	realms_note(r->set, columns, 6);
	why = read_key(r->cfg, columns, &key, name);
	if (why)
		skip("oauth_key", columns[0], why);
	if (!why && *name) {
		realm = realms_add(r->set, name, false, r->cfg);
		ret = realm ? 0 : -ENOMEM;
	}
	if (!why && !ret &&
	    !realms_add_token_key(r->set, columns[0], &key, realm))
		ret = -ENOMEM;
	OPENSSL_cleanse(&key, sizeof(key));
	return ret;
}

/* What is left out of a list, and so what. */
static void skip_peers(const char *table, const char *const *columns,
		       const char *why, const char *effect)
{
	log_limited(LOG_ERR, "store-row-ignored",
		    "table=%s realm=%s row=%s reason=%s effect=%s", table,
		    columns[0], columns[1], why, effect);
}

/* NULL, or why it was not added; -ENOMEM in @ret. */
static const char *add_range(struct peer_ranges *ranges, const char *text,
			     int *ret)
{
	const char *why;
	struct range range;

	why = range_parse(text, &range);
	if (why)
		return why;
	*ret = peer_ranges_add(ranges, &range);
	if (*ret != -ENOSPC)
		return NULL;
	*ret = 0;
	return "is one too many of its realm";
}

/* Of the realm in the first column; NULL: none of ours, which is logged. */
static struct peer_lists *lists_of(struct reader *r, const char *table,
				   const char *const *columns)
{
	char name[USERDB_REALM_BYTES_MAX + 1] = "";
	const char *why = NULL;
	struct peer_lists *lists;

	if (*columns[0])
		why = prepare_realm(r->cfg, columns[0], name);
	lists = why ? NULL : realms_list_peers(r->set, name);
	if (!lists)
		log_limited(LOG_NOTICE, "store-realm-unknown",
			    "table=%s realm=%s reason=%s", table, columns[0],
			    why ? why : "no realm of this server's");
	return lists;
}

static int allowed_row(const char *const *columns, void *arg)
{
	struct reader *r = arg;
	struct peer_lists *lists;
	const char *why;
	int ret = 0;

	realms_note(r->set, columns, 2);
	lists = lists_of(r, "allowed_peer_ip", columns);
	if (!lists)
		return 0;
	why = add_range(&lists->allow, columns[1], &ret);
	if (why)
		skip_peers("allowed_peer_ip", columns, why, "not opened");
	return ret;
}

static const char nothing_opens[] = "allowed_peer_ip opens nothing there";

static int denied_row(const char *const *columns, void *arg)
{
	struct reader *r = arg;
	struct peer_lists *lists;
	const char *why;
	int ret = 0;

	realms_note(r->set, columns, 2);
	lists = lists_of(r, "denied_peer_ip", columns);
	if (!lists)
		return 0;
	why = add_range(&lists->deny, columns[1], &ret);
	if (why) {
		lists->unclear = true;
		skip_peers("denied_peer_ip", columns, why, nothing_opens);
	}
	return ret;
}

/* Their names tell rows of the one from rows of the other. */
static int read_peers(struct reader *r, const struct tables *t)
{
	static const char *const names[] = {
		"allowed_peer_ip", "denied_peer_ip", "cut"
	};
	static const char *const all[] = { "", "" };
	static const char cut[] = "can't be read, or has too many rows";
	int ret;

	realms_note(r->set, &names[0], 1);
	ret = tables_each(t, USERDB_TABLE_ALLOWED_PEERS, allowed_row, r);
	if (tables_is_cut(t, USERDB_TABLE_ALLOWED_PEERS))
		skip_peers(names[0], all, cut, "not opened");
	realms_note(r->set, &names[1], 1);
	if (!ret)
		ret = tables_each(t, USERDB_TABLE_DENIED_PEERS, denied_row, r);
	if (!tables_is_cut(t, USERDB_TABLE_DENIED_PEERS))
		return ret;
	realms_note(r->set, &names[2], 1);
	realms_list_peers(r->set, "")->unclear = true;
	skip_peers(names[1], all, cut, nothing_opens);
	return ret;
}

/* Realms first, then what they have. */
static bool read_store(struct reader *r, const struct tables *t)
{
	int ret;

	ret = tables_each(t, USERDB_TABLE_ORIGINS, origin_row, r);
	if (!ret && r->cfg->token_server_name)
		ret = tables_each(t, USERDB_TABLE_TOKEN_KEYS, key_row, r);
	if (!ret)
		ret = tables_each(t, USERDB_TABLE_REALM_OPTIONS, option_row, r);
	if (!ret)
		ret = tables_each(t, USERDB_TABLE_SECRETS, secret_row, r);
	if (!ret)
		ret = read_peers(r, t);
	return !ret;
}

/* -------------------------------------------------------------- all of it */

/* Those of the configuration are every realm's; its limits are made ready. */
static bool finish(const struct realm *constant, void *arg)
{
	struct realm *realm = (struct realm *)constant;
	const struct config *cfg = ((struct reader *)arg)->cfg;
	const struct kturn_limit *l;
	size_t i;

	for (i = 0; i < cfg->n_secrets; i++)
		if (!realms_add_secret(realm, cfg->secrets[i]))
			return true;
	for (i = 0; i < 2; i++) {
		l = &realm->limit[i];
		/* Numbers that won't do were refused. */
		turn_limit_init(&realm->turn.limit[i], l->bit_rate,
				l->burst_bytes, l->packet_rate,
				l->burst_packets);
	}
	return false;
}

struct realms *realms_new(const struct config *cfg,
			  const struct tables *tables)
{
	struct reader r = { .set = realms_empty(), .cfg = cfg };
	struct realm *def;

	if (!r.set)
		return NULL;
	def = realms_add(r.set, cfg->realm, true, cfg);
	if (!def)
		goto failed;
	realms_set_default(r.set, def);
	realms_note(r.set, (const char *const *)cfg->secrets, cfg->n_secrets);
	if (read_places(&r) && read_credentials(&r) &&
	    (!tables || read_store(&r, tables)) && !realms_each(r.set, finish, &r))
		return r.set;
failed:
	realms_put(r.set);
	return NULL;
}
