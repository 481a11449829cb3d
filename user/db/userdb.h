/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user store: long-term credentials (RFC 8489 section 9.2) in SQLite.
 *
 * coturn's table is used as it is, so that its database works unchanged:
 *
 *	turnusers_lt (realm, name, hmackey)	MD5 keys, in hex
 *
 * What it has no room for stands in a table of our own:
 *
 *	kturn_users_sha256 (realm, name, hmackey, userhash, md5key)
 *
 * A user is a row of turnusers_lt. A row of kturn_users_sha256 counts only
 * while its md5key is that row's hmackey: when turnadmin changes a password
 * or removes a user, the SHA-256 key of the old password is dead at once.
 *
 * Realms, shared secrets and keys of access tokens are coturn's as well:
 *
 *	turn_origin_to_realm (origin, realm)
 *	turn_realm_option (realm, opt, value)
 *	turn_secret (realm, value)
 *	oauth_key (kid, ikm_key, timestamp, lifetime, as_rs_alg, realm)
 *
 * and so are lists of peers; without a realm they are every realm's:
 *
 *	allowed_peer_ip (realm, ip_range)
 *	denied_peer_ip (realm, ip_range)
 *
 * Several processes may have the store open. A handle belongs to one thread
 * at a time. Names and realms are NUL-terminated UTF-8, already prepared with
 * userdb_prepare(). Errors are negative errno values; userdb_error() has the
 * words.
 */
#ifndef _KTURN_USERDB_H
#define _KTURN_USERDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USERDB_DEFAULT_PATH	"/var/lib/kturn/users.db"

#define USERDB_NAME_MAX		508	/* bytes, RFC 8489 section 14.3 */
#define USERDB_REALM_MAX	127	/* characters, section 14.9 */
#define USERDB_REALM_BYTES_MAX	763	/* bytes, section 14.9 */
#define USERDB_PASSWORD_MAX	508	/* bytes; our own limit */

struct userdb;

/**
 * enum userdb_mode - how to open the store
 * @USERDB_READ: the file must exist
 * @USERDB_FOLLOW: read, for a daemon: a file that is not there (yet) is an
 *	empty store, and a file that was put in its place is noticed
 * @USERDB_WRITE: read and write; the file is made with mode 0600 when it is
 *	not there, its directory with mode 0700, the tables when they lack
 */
enum userdb_mode {
	USERDB_READ,
	USERDB_FOLLOW,
	USERDB_WRITE,
};

/* Which keys a user has. */
#define USERDB_MD5	1
#define USERDB_SHA256	2

/**
 * struct userdb_keys - long-term keys (RFC 8489 section 18.5.1)
 * @flags: USERDB_MD5 | USERDB_SHA256: which of them are there
 * @md5: MD5(name ":" realm ":" password)
 * @sha256: SHA-256 of the same
 */
struct userdb_keys {
	unsigned int flags;
	uint8_t md5[16];
	uint8_t sha256[32];
};

/**
 * userdb_open() - open the store
 * @db: result; NULL after an error
 * @path: file
 * @mode: see there
 *
 * Return: 0; -ENOENT, -EACCES and others of open(); -ENOTDIR; -EBADMSG: not
 * an SQLite database; -ENOMEM.
 */
int userdb_open(struct userdb **db, const char *path, enum userdb_mode mode);

/** userdb_close() - close it; NULL is fine */
void userdb_close(struct userdb *db);

/** userdb_error() - the last failure in words, one line; NULL: of an open by
 * this thread. Never NULL.
 */
const char *userdb_error(const struct userdb *db);

/**
 * userdb_get() - the keys of a user
 * @db: store
 * @realm: realm
 * @name: user name
 * @keys: result; all zero if there is no such user
 *
 * Return: which keys there are (USERDB_MD5 | USERDB_SHA256, 0 for a user
 * whose row holds no valid key); -ENOENT: no such user; -EBUSY: another
 * process keeps it locked; -EIO.
 */
int userdb_get(struct userdb *db, const char *realm, const char *name,
	       struct userdb_keys *keys);

/**
 * userdb_put() - add a user, or change a password
 * @db: store, USERDB_WRITE
 * @realm: realm
 * @name: user name
 * @keys: both keys must be there
 * @replace: false: -EEXIST when there is such a user
 *
 * Both tables change in one transaction.
 * Return: 0, -EEXIST, -EINVAL (a key lacks), -EBUSY, -EROFS, -ENOSPC, -EIO.
 */
int userdb_put(struct userdb *db, const char *realm, const char *name,
	       const struct userdb_keys *keys, bool replace);

/** userdb_del() - remove a user from both tables; 0, -ENOENT, as above */
int userdb_del(struct userdb *db, const char *realm, const char *name);

/**
 * typedef userdb_cb - a user
 * @realm: realm
 * @name: user name
 * @flags: as of userdb_get()
 * @arg: as given to userdb_list()
 *
 * The strings are as they stand in the file: escape them before printing.
 * Return: 0 to go on; anything else ends the list and is returned.
 */
typedef int (*userdb_cb)(const char *realm, const char *name,
			 unsigned int flags, void *arg);

/** userdb_list() - all users, or those of @realm, by realm and name */
int userdb_list(struct userdb *db, const char *realm, userdb_cb cb, void *arg);

/**
 * userdb_find_userhash() - whose USERHASH is it? (RFC 8489 section 14.4)
 * @db: store
 * @realm: realm
 * @hash: SHA-256(name ":" realm)
 * @name: result
 *
 * Users that only coturn's table knows are found too: their hashes are
 * computed once and again when the file has changed, so that guessing hashes
 * costs a server no more than a look-up.
 *
 * Return: 0, -ENOENT, -EBUSY, -EIO, -ENOMEM.
 */
int userdb_find_userhash(struct userdb *db, const char *realm,
			 const uint8_t hash[32],
			 char name[USERDB_NAME_MAX + 1]);

/**
 * userdb_realm_all_sha256() - may SHA-256 be offered in this realm?
 * @db: store
 * @realm: realm
 *
 * Cheap while the file does not change.
 *
 * Return: 1 when each user of the realm has a SHA-256 key (also when it has
 * no users), else 0; or a negative errno.
 */
int userdb_realm_all_sha256(struct userdb *db, const char *realm);

/* --------------------------------------------------------- whole tables */

/**
 * enum userdb_table - tables that are read as a whole, with their columns
 * @USERDB_TABLE_ORIGINS: origin, realm
 * @USERDB_TABLE_REALM_OPTIONS: realm, option, value
 * @USERDB_TABLE_SECRETS: realm, secret
 * @USERDB_TABLE_TOKEN_KEYS: kid, key in base64, timestamp, lifetime,
 *	algorithm, realm
 * @USERDB_TABLE_ALLOWED_PEERS: realm, range of IP addresses
 * @USERDB_TABLE_DENIED_PEERS: the same
 * @USERDB_TABLE_COUNT: how many there are
 */
enum userdb_table {
	USERDB_TABLE_ORIGINS,
	USERDB_TABLE_REALM_OPTIONS,
	USERDB_TABLE_SECRETS,
	USERDB_TABLE_TOKEN_KEYS,
	USERDB_TABLE_ALLOWED_PEERS,
	USERDB_TABLE_DENIED_PEERS,
	USERDB_TABLE_COUNT
};

/* Columns of the widest of them. */
#define USERDB_COLUMNS_MAX	6

/**
 * typedef userdb_row_cb - a row of a table
 * @columns: as they stand in the store, unchecked; none is NULL
 * @arg: as given to userdb_rows()
 *
 * Return: 0 to go on; anything else ends the list and is returned.
 */
typedef int (*userdb_row_cb)(const char *const *columns, void *arg);

/** userdb_rows() - all rows of a table, in the order of its columns; a table
 * that is not there has none. Return: 0, -EBUSY, -EIO, or @cb's.
 */
int userdb_rows(struct userdb *db, enum userdb_table table, userdb_row_cb cb,
		void *arg);

/**
 * userdb_version() - has the store changed?
 * @db: store
 * @version: result: another number than before if it may have
 *
 * Return: 0, or a negative errno.
 */
int userdb_version(struct userdb *db, uint64_t *version);

/* -------------------------------------------------- names and their keys */

/**
 * enum userdb_text - what a text is, for its limits and messages
 * @USERDB_TEXT_NAME: a user name (RFC 8489 section 14.3)
 * @USERDB_TEXT_REALM: a realm (section 14.9)
 * @USERDB_TEXT_PASSWORD: a password
 */
enum userdb_text {
	USERDB_TEXT_NAME,
	USERDB_TEXT_REALM,
	USERDB_TEXT_PASSWORD,
};

/**
 * userdb_prepare() - check and prepare a text as RFC 8265's OpaqueString
 * @what: what it is
 * @text: @len bytes
 * @len: its length
 * @out: result, NUL-terminated; undefined after an error
 * @size: room there: USERDB_NAME_MAX + 1, USERDB_REALM_BYTES_MAX + 1 or
 *	USERDB_PASSWORD_MAX + 1, as @what is; less refuses more
 *
 * RFC 8489 sections 9.2.2, 14.3 and 14.9. Refused: what opaque_string()
 * refuses, what is too long, and '"' and backslash in a realm (it goes into a
 * quoted string).
 *
 * Return: NULL, or what is wrong, as in "is empty", to be printed after the
 * name of the thing.
 */
const char *userdb_prepare(enum userdb_text what, const char *text, size_t len,
			   char *out, size_t size);

/**
 * userdb_keys_make() - both long-term keys of a password
 * @name: prepared
 * @realm: prepared
 * @password: prepared
 * @keys: result
 *
 * Return: 0, or -ENOTSUP when OpenSSL has no MD5 (FIPS mode).
 */
int userdb_keys_make(const char *name, const char *realm, const char *password,
		     struct userdb_keys *keys);

/** userdb_hex() - read exactly @len bytes in hex; false if @text is anything else,
 * or NULL
 */
bool userdb_hex(const char *text, uint8_t *out, size_t len);

/** userdb_userhash() - SHA-256(name ":" realm), RFC 8489 section 14.4 */
void userdb_userhash(const char *name, const char *realm, uint8_t hash[32]);

#endif /* _KTURN_USERDB_H */
