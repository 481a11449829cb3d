// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables that are read as a whole. */
#include "internal.h"

static const struct {
	const char *name;
	enum userdb_query query;
} tables[USERDB_TABLE_COUNT] = {
	[USERDB_TABLE_ORIGINS] = { "turn_origin_to_realm", USERDB_Q_ORIGINS },
	[USERDB_TABLE_REALM_OPTIONS] = { "turn_realm_option",
					 USERDB_Q_REALM_OPTIONS },
	[USERDB_TABLE_SECRETS] = { "turn_secret", USERDB_Q_SECRETS },
	[USERDB_TABLE_TOKEN_KEYS] = { "oauth_key", USERDB_Q_TOKEN_KEYS },
	[USERDB_TABLE_ALLOWED_PEERS] = { "allowed_peer_ip",
					 USERDB_Q_ALLOWED_PEERS },
	[USERDB_TABLE_DENIED_PEERS] = { "denied_peer_ip",
					USERDB_Q_DENIED_PEERS },
};

/* 1, 0, or a negative errno. */
static int has_table(struct userdb *db, const char *name)
{
	sqlite3_stmt *stmt;
	int rc, err;

	err = userdb_query(db, USERDB_Q_HAS_TABLE, name, NULL, &stmt);
	if (err)
		return err;
	rc = sqlite3_step(stmt);
	err = rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 :
				 userdb_fail(db, rc);
	userdb_query_end(stmt);
	return err;
}

int userdb_rows(struct userdb *db, enum userdb_table table, userdb_row_cb cb,
		void *arg)
{
	const char *columns[USERDB_COLUMNS_MAX];
	sqlite3_stmt *stmt;
	int rc, err, i, n;

	err = userdb_refresh(db);
	if (err || !db->sql)
		return err;
	err = has_table(db, tables[table].name);
	if (err <= 0)
		return err;
	err = userdb_query(db, tables[table].query, NULL, NULL, &stmt);
	if (err)
		return err;
	n = sqlite3_column_count(stmt);
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (i = 0; i < n; i++) {
			columns[i] = (const char *)
				     sqlite3_column_text(stmt, i);
			if (!columns[i])
				columns[i] = "";
		}
		err = cb(columns, arg);
	}
	if (!err && rc != SQLITE_DONE)
		err = userdb_fail(db, rc);
	userdb_query_end(stmt);
	return err;
}

int userdb_version(struct userdb *db, uint64_t *version)
{
	int err = userdb_refresh(db);

	*version = db->changes;
	return err;
}
