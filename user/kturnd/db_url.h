/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the option db says: which kind of user store, and where. */
#ifndef _KTURND_DB_URL_H
#define _KTURND_DB_URL_H

/** enum db_kind - kinds of user stores */
enum db_kind {
	DB_SQLITE,
	DB_POSTGRESQL,
	DB_REDIS,
	DB_UNKNOWN,		/* a URL, but none of these */
};

/**
 * db_url_kind() - which kind of user store a text names
 * @text: the option's value
 * @rest: where the connection's parameters begin: the file's name for
 *	DB_SQLITE, else @text
 */
enum db_kind db_url_kind(const char *text, const char **rest);

/** db_kind_name() - its name, for the log */
const char *db_kind_name(enum db_kind kind);

#endif /* _KTURND_DB_URL_H */
