// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where coturn's databases are: words NAME=VALUE, as libpq's connection strings
 * (section 34.1.1.1 of PostgreSQL's manual), become URLs.
 */
#include <array_size.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "coturn.h"

/**
 * struct word - one of a connection string
 * @name: before the "="
 * @value: behind it, without quotes and backslashes
 */
struct word {
	char name[64];
	char value[512];
};

/* 'A VALUE', A\ VALUE: moves @p behind it; false: too long, or no end. */
static bool take_value(const char **p, char value[512])
{
	bool quoted = **p == '\'';
	size_t n = 0;

	if (quoted)
		++*p;
	while (**p && (quoted ? **p != '\'' : !isspace((unsigned char)**p))) {
		if (**p == '\\' && (*p)[1])
			++*p;
		if (n == 511)
			return false;
		value[n++] = *(*p)++;
	}
	value[n] = '\0';
	if (quoted && *(*p)++ != '\'')
		return false;
	return true;
}

/* 1: a word; 0: there are no more; -1: none. Moves @p behind it. */
static int take_word(const char **p, struct word *w)
{
	size_t n;

	*p += strspn(*p, " \t");
	if (!**p)
		return 0;
	n = strcspn(*p, "= \t");
	if (!n || n >= sizeof(w->name))
		return -1;
	memcpy(w->name, *p, n);
	w->name[n] = '\0';
	*p += n;
	*p += strspn(*p, " \t");
	if (*(*p)++ != '=')
		return -1;
	*p += strspn(*p, " \t");
	return take_value(p, w->value) ? 1 : -1;
}

/* What may stand anywhere in a URL does; the rest is %XX. */
static void write_escaped(FILE *f, const char *text)
{
	for (; *text; text++)
		if (isascii((unsigned char)*text) &&
		    (isalnum((unsigned char)*text) || strchr("-._~", *text)))
			fputc(*text, f);
		else
			fprintf(f, "%%%02X", (unsigned char)*text);
}

/* A stream that makes *@text; without memory, that is the program's end. */
static FILE *text_open(char **text, size_t *len)
{
	FILE *f = open_memstream(text, len);

	if (f)
		return f;
	cli_error("out of memory");
	exit(CLI_FAILED);
}

/* *@text, if @good. */
static char *text_close(FILE *f, char **text, bool good)
{
	if (!fclose(f) && good)
		return *text;
	free(*text);
	return NULL;
}

char *coturn_postgresql(const char *text)
{
	char *url = NULL, separator = '?';
	struct word w;
	size_t len;
	FILE *f;
	int n;

	if (!strncmp(text, "postgresql://", 13))
		return strdup(text);
	f = text_open(&url, &len);
	if (!strncmp(text, "postgres://", 11)) {
		fprintf(f, "postgresql://%s", text + 11);
		return text_close(f, &url, true);
	}
	fputs("postgresql://", f);
	while ((n = take_word(&text, &w)) > 0) {
		fprintf(f, "%c%s=", separator, w.name);
		write_escaped(f, w.value);
		separator = '&';
	}
	return text_close(f, &url, !n && separator == '&');
}

/* coturn has several names for the same thing. */
static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(name, *names))
		names++;
	return *names;
}

/* As take_word(), but coturn knows no quotes here, and no blanks before "=". */
static int take_plain_word(const char **p, struct word *w)
{
	size_t n, m;

	*p += strspn(*p, " ");
	if (!**p)
		return 0;
	n = strcspn(*p, "= ");
	if (!n || n >= sizeof(w->name) || (*p)[n] != '=')
		return -1;
	m = strcspn(*p + n + 1, " ");
	if (m >= sizeof(w->value))
		return -1;
	memcpy(w->name, *p, n);
	w->name[n] = '\0';
	memcpy(w->value, *p + n + 1, m);
	w->value[m] = '\0';
	*p += n + 1 + m;
	return 1;
}

static bool is_number(const char *text)
{
	return !text[strspn(text, "0123456789")];
}

char *coturn_redis(const char *text)
{
	static const char *const names[][6] = {
		{ "host", "ip", "addr", "ipaddr", "hostaddr" },
		{ "user", "uname", "name", "username" },
		{ "password", "pwd", "passwd", "secret" },
		{ "port", "p" },
		{ "dbname", "db", "database" },
		{ "connect_timeout", "timeout" },
	};
	enum { HOST, USER, PASSWORD, PORT, DATABASE, N = ARRAY_SIZE(names) };
	char values[N][sizeof(((struct word *)0)->value)] = { "127.0.0.1" };
	char *url = NULL;
	struct word w;
	size_t len, i;
	FILE *f;
	int n;

	while ((n = take_plain_word(&text, &w)) > 0) {
		for (i = 0; i < N && !is_one_of(w.name, names[i]); i++)
			;
		if (i == N)
			return NULL;
		snprintf(values[i], sizeof(values[i]), "%s", w.value);
	}
	if (n || strpbrk(values[HOST], "/@[]?#%") || !is_number(values[PORT]) ||
	    !is_number(values[DATABASE]))
		return NULL;
	f = text_open(&url, &len);
	fputs("redis://", f);
	if (*values[PASSWORD]) {
		write_escaped(f, values[USER]);
		fputc(':', f);
		write_escaped(f, values[PASSWORD]);
		fputc('@', f);
	}
	fprintf(f, strchr(values[HOST], ':') ? "[%s]" : "%s", values[HOST]);
	if (*values[PORT])
		fprintf(f, ":%s", values[PORT]);
	if (*values[DATABASE])
		fprintf(f, "/%s", values[DATABASE]);
	return text_close(f, &url, true);
}
