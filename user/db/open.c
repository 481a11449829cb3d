// SPDX-License-Identifier: GPL-2.0-or-later
/* The user store's file: opening it, and the statements on it. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "internal.h"

/*
 * A writer holds its lock for one small transaction. A daemon waits in its
 * event loop and so waits for a shorter time.
 */
#define READ_TIMEOUT_MS		500
#define WRITE_TIMEOUT_MS	5000

/* The first statement is coturn's own, so that either may come first. */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS turnusers_lt ("
	"  realm varchar(127) default '', name varchar(512),"
	"  hmackey char(128), PRIMARY KEY (realm,name));"
	"CREATE TABLE IF NOT EXISTS kturn_users_sha256 ("
	"  realm varchar(127) NOT NULL, name varchar(512) NOT NULL,"
	"  hmackey char(64) NOT NULL, userhash char(64) NOT NULL,"
	"  md5key char(128) NOT NULL, PRIMARY KEY (realm,name));"
	"CREATE INDEX IF NOT EXISTS kturn_users_userhash"
	"  ON kturn_users_sha256 (userhash);";

#define FROM_BOTH \
	" FROM turnusers_lt u LEFT JOIN kturn_users_sha256 s" \
	" ON s.realm = u.realm AND s.name = u.name AND s.md5key = u.hmackey"

static const char *const queries[USERDB_Q_COUNT] = {
	[USERDB_Q_VERSION] = "PRAGMA data_version",
	[USERDB_Q_TABLES] =
		"SELECT name FROM sqlite_master"
		" WHERE name IN ('turnusers_lt', 'kturn_users_sha256')",
	[USERDB_Q_GET] =
		"SELECT u.hmackey, s.hmackey" FROM_BOTH
		" WHERE u.realm = ?1 AND u.name = ?2",
	[USERDB_Q_GET_COTURN] =
		"SELECT hmackey, NULL FROM turnusers_lt"
		" WHERE realm = ?1 AND name = ?2",
	[USERDB_Q_LIST] =
		"SELECT u.hmackey, s.hmackey, u.realm, u.name" FROM_BOTH
		" WHERE ?1 IS NULL OR u.realm = ?1 ORDER BY u.realm, u.name",
	[USERDB_Q_LIST_COTURN] =
		"SELECT hmackey, NULL, realm, name FROM turnusers_lt"
		" WHERE ?1 IS NULL OR realm = ?1 ORDER BY realm, name",
	[USERDB_Q_HASH] =
		"SELECT s.name FROM kturn_users_sha256 s"
		" JOIN turnusers_lt u ON u.realm = s.realm AND u.name = s.name"
		" WHERE s.realm = ?1 AND s.userhash = ?2",
	[USERDB_Q_UNHASHED] =
		"SELECT name FROM turnusers_lt u WHERE realm = ?1"
		" AND NOT EXISTS (SELECT 1 FROM kturn_users_sha256 s"
		" WHERE s.realm = u.realm AND s.name = u.name)",
	[USERDB_Q_UNHASHED_COTURN] =
		"SELECT name FROM turnusers_lt WHERE realm = ?1",
	[USERDB_Q_WITHOUT_SHA256] =
		"SELECT 1" FROM_BOTH
		" WHERE u.realm = ?1"
		" AND (s.hmackey IS NULL OR length(s.hmackey) <> 64) LIMIT 1",
	[USERDB_Q_WITHOUT_SHA256_COTURN] =
		"SELECT 1 FROM turnusers_lt WHERE realm = ?1 LIMIT 1",
	[USERDB_Q_PUT] =
		"INSERT INTO turnusers_lt (realm, name, hmackey)"
		" VALUES (?1, ?2, ?3) ON CONFLICT (realm, name)"
		" DO UPDATE SET hmackey = excluded.hmackey",
	[USERDB_Q_PUT_SHA256] =
		"INSERT INTO kturn_users_sha256"
		" (realm, name, md5key, hmackey, userhash)"
		" VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (realm, name)"
		" DO UPDATE SET md5key = excluded.md5key,"
		" hmackey = excluded.hmackey, userhash = excluded.userhash",
	[USERDB_Q_DEL] =
		"DELETE FROM turnusers_lt WHERE realm = ?1 AND name = ?2",
	[USERDB_Q_DEL_SHA256] =
		"DELETE FROM kturn_users_sha256 WHERE realm = ?1 AND name = ?2",
	[USERDB_Q_HAS_TABLE] =
		"SELECT 1 FROM sqlite_master WHERE name = ?1",
	[USERDB_Q_ORIGINS] =
		"SELECT origin, realm FROM turn_origin_to_realm ORDER BY 1",
	[USERDB_Q_REALM_OPTIONS] =
		"SELECT realm, opt, value FROM turn_realm_option"
		" ORDER BY 1, 2",
	[USERDB_Q_SECRETS] =
		"SELECT realm, value FROM turn_secret ORDER BY 1, 2",
	[USERDB_Q_TOKEN_KEYS] =
		"SELECT kid, ikm_key, timestamp, lifetime, as_rs_alg, realm"
		" FROM oauth_key ORDER BY 1",
	[USERDB_Q_ALLOWED_PEERS] =
		"SELECT realm, ip_range FROM allowed_peer_ip ORDER BY 1, 2",
	[USERDB_Q_DENIED_PEERS] =
		"SELECT realm, ip_range FROM denied_peer_ip ORDER BY 1, 2",
	[USERDB_Q_BEGIN] = "BEGIN IMMEDIATE",
	[USERDB_Q_COMMIT] = "COMMIT",
	[USERDB_Q_ROLLBACK] = "ROLLBACK",
};

static _Thread_local char open_error[512] = "no error";

const char *userdb_error(const struct userdb *db)
{
	return db ? db->error : open_error;
}

int userdb_fail_text(struct userdb *db, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(db->error, sizeof(db->error), fmt, ap);
	va_end(ap);
	return -err;
}

static int errno_of(struct userdb *db, int rc)
{
	int err = db->sql ? sqlite3_system_errno(db->sql) : 0;

	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EACCES;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return EBADMSG;
	case SQLITE_CANTOPEN:
		return err ? err : EACCES;
	default:
		return EIO;
	}
}

int userdb_fail(struct userdb *db, int rc)
{
	int err = errno_of(db, rc);

	if (err == EBUSY)
		return userdb_fail_text(db, err,
			"%s: another process keeps it locked", db->path);
	if ((rc & 0xff) == SQLITE_NOTADB)
		return userdb_fail_text(db, err, "%s: not an SQLite database",
					db->path);
	return userdb_fail_text(db, err, "%s: %s", db->path,
		db->sql ? sqlite3_errmsg(db->sql) : sqlite3_errstr(rc));
}

/* ----------------------------------------------------------------- opening */

static void file_close(struct userdb *db)
{
	for (int i = 0; i < USERDB_Q_COUNT; i++) {
		sqlite3_finalize(db->stmt[i]);
		db->stmt[i] = NULL;
	}
	if (db->sql)
		db->changes++;
	sqlite3_close(db->sql);
	db->sql = NULL;
	db->fresh = false;
	db->has_coturn = false;
	db->has_own = false;
	userdb_hashes_forget(db);
}

/*
 * Make the file, so that nobody else can read it from its first byte on.
 * An existing file is not opened here: closing a descriptor of it would end
 * the locks that SQLite holds on it for another handle of this process.
 */
static int file_create(struct userdb *db)
{
	char *dir = strdup(db->path);
	char *slash;
	int fd, err = 0;

	if (!dir)
		return userdb_fail_text(db, ENOMEM, "out of memory");
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		if (mkdir(dir, 0700) && errno != EEXIST)
			err = userdb_fail_text(db, errno,
					       "can't make the directory %s: %s",
					       dir, strerror(errno));
	}
	free(dir);
	if (err)
		return err;
	fd = open(db->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return userdb_fail_text(db, errno, "can't make %s: %s",
					db->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return 0;
}

static int file_check(struct userdb *db, struct stat *st)
{
	int want = db->mode == USERDB_WRITE ? R_OK | W_OK : R_OK;

	if (stat(db->path, st))
		return userdb_fail_text(db, errno, "%s: %s", db->path,
					strerror(errno));
	if (!S_ISREG(st->st_mode))
		return userdb_fail_text(db, EINVAL, "%s: not a regular file",
					db->path);
	if (faccessat(AT_FDCWD, db->path, want, AT_EACCESS))
		return userdb_fail_text(db, errno, "%s: %s", db->path,
					strerror(errno));
	return 0;
}

static int file_open(struct userdb *db)
{
	bool write = db->mode == USERDB_WRITE;
	/* Names with a meaning to SQLite, ":memory:" say, begin with ':'. */
	char *name = sqlite3_mprintf("%s%s", *db->path == ':' ? "./" : "",
				     db->path);
	struct stat st;
	int rc, err;

	if (!name)
		return userdb_fail_text(db, ENOMEM, "out of memory");
	err = file_check(db, &st);
	if (err)
		goto free_name;
	/*
	 * For reading too, where the file's mode allows it: after a crash of
	 * a writer the next to come must roll its transaction back.
	 */
	rc = sqlite3_open_v2(name, &db->sql, SQLITE_OPEN_NOMUTEX |
			     SQLITE_OPEN_READWRITE, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_extended_result_codes(db->sql, 1);
		rc = sqlite3_busy_timeout(db->sql, write ? WRITE_TIMEOUT_MS :
					  READ_TIMEOUT_MS);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->sql, write ? "PRAGMA secure_delete = ON" :
				  "PRAGMA query_only = ON", NULL, NULL, NULL);
	if (rc == SQLITE_OK && write)
		rc = sqlite3_exec(db->sql, schema, NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		err = userdb_fail(db, rc);
		file_close(db);
		goto free_name;
	}
	db->dev = st.st_dev;
	db->ino = st.st_ino;
free_name:
	sqlite3_free(name);
	return err;
}

int userdb_query(struct userdb *db, enum userdb_query query,
		 const char *first, const char *second, sqlite3_stmt **stmt)
{
	sqlite3_stmt **s = &db->stmt[query];
	int rc = SQLITE_OK;

	if (!*s)
		rc = sqlite3_prepare_v3(db->sql, queries[query], -1,
					SQLITE_PREPARE_PERSISTENT, s, NULL);
	if (rc == SQLITE_OK && first)
		rc = sqlite3_bind_text(*s, 1, first, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK && second)
		rc = sqlite3_bind_text(*s, 2, second, -1, SQLITE_STATIC);
	if (rc != SQLITE_OK)
		return userdb_fail(db, rc);
	*stmt = *s;
	return 0;
}

void userdb_query_end(sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
}

/* Learn which tables there are. */
static int tables_read(struct userdb *db)
{
	sqlite3_stmt *stmt;
	const char *name;
	int rc, err;

	db->has_coturn = false;
	db->has_own = false;
	err = userdb_query(db, USERDB_Q_TABLES, NULL, NULL, &stmt);
	if (err)
		return err;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		name = (const char *)sqlite3_column_text(stmt, 0);
		if (name && !strcmp(name, "turnusers_lt"))
			db->has_coturn = true;
		else
			db->has_own = true;
	}
	if (rc != SQLITE_DONE)
		err = userdb_fail(db, rc);
	userdb_query_end(stmt);
	return err;
}

static int version_read(struct userdb *db)
{
	sqlite3_stmt *stmt;
	uint32_t version = 0;
	int rc, err;

	err = userdb_query(db, USERDB_Q_VERSION, NULL, NULL, &stmt);
	if (err)
		return err;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		version = sqlite3_column_int(stmt, 0);
	else
		err = userdb_fail(db, rc);
	userdb_query_end(stmt);
	if (err || (db->fresh && db->version == version))
		return err;

	db->fresh = false;
	db->changes++;
	userdb_hashes_forget(db);
	err = tables_read(db);
	if (err)
		return err;
	db->version = version;
	db->fresh = true;
	return 0;
}

int userdb_refresh(struct userdb *db)
{
	struct stat st;
	int err;

	if (db->mode == USERDB_FOLLOW) {
		if (stat(db->path, &st)) {
			if (errno != ENOENT)
				return userdb_fail_text(db, errno, "%s: %s",
							db->path,
							strerror(errno));
			file_close(db);
			return 0;
		}
		if (db->sql && (st.st_dev != db->dev || st.st_ino != db->ino))
			file_close(db);
		if (!db->sql) {
			err = file_open(db);
			if (err)
				return err;
		}
	}
	return version_read(db);
}

int userdb_open(struct userdb **db, const char *path, enum userdb_mode mode)
{
	struct userdb *new = calloc(1, sizeof(*new));
	int err = -ENOMEM;

	*db = NULL;
	if (new)
		new->path = strdup(path);
	if (!new || !new->path) {
		snprintf(open_error, sizeof(open_error), "out of memory");
		goto free;
	}
	snprintf(new->error, sizeof(new->error), "no error");
	new->mode = mode;
	err = mode == USERDB_WRITE ? file_create(new) : 0;
	if (!err && mode != USERDB_FOLLOW)
		err = file_open(new);
	if (!err)
		err = userdb_refresh(new);
	if (err) {
		memcpy(open_error, new->error, sizeof(open_error));
		goto free;
	}
	*db = new;
	return 0;

free:
	userdb_close(new);
	return err;
}

void userdb_close(struct userdb *db)
{
	if (!db)
		return;
	file_close(db);
	free(db->path);
	free(db);
}
