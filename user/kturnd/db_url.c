// SPDX-License-Identifier: GPL-2.0-or-later
/* What the option db says; see db_url.h. */
#include <string.h>

#include <array_size.h>
#include "db_url.h"

static const struct {
	const char *prefix;
	enum db_kind kind;
} prefixes[] = {
	{ "postgresql://", DB_POSTGRESQL },
	{ "postgres://", DB_POSTGRESQL },
	{ "redis://", DB_REDIS },
	{ "redis+unix://", DB_REDIS },
};

enum db_kind db_url_kind(const char *text, const char **rest)
{
	size_t i;

	*rest = text;
	for (i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(text, prefixes[i].prefix,
			     strlen(prefixes[i].prefix)))
			return prefixes[i].kind;
	if (strstr(text, "://"))
		return DB_UNKNOWN;
	if (!strncmp(text, "sqlite:", 7))
		*rest = text + 7;
	return DB_SQLITE;
}

const char *db_kind_name(enum db_kind kind)
{
	static const char *const names[] = {
		[DB_SQLITE] = "sqlite", [DB_POSTGRESQL] = "postgresql",
		[DB_REDIS] = "redis", [DB_UNKNOWN] = "unknown",
	};

	return names[kind];
}
