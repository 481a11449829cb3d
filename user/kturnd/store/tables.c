// SPDX-License-Identifier: GPL-2.0-or-later
/* Coturn's tables; see tables.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h"

/**
 * struct row - a row
 * @text: its columns, each with a NUL
 * @len: bytes there
 */
struct row {
	char *text;
	size_t len;
};

/**
 * struct rows - those of a table
 * @v: rows
 * @n: how many
 * @cut: there are more in the store
 */
struct rows {
	struct row *v;
	size_t n;
	bool cut;
};

/**
 * struct tables - tables
 * @refs: who uses them
 * @of: rows of each
 */
struct tables {
	unsigned int refs;
	struct rows of[USERDB_TABLE_COUNT];
};

struct tables *tables_new(void)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (t)
		t->refs = 1;
	return t;
}

struct tables *tables_get(struct tables *t)
{
	__atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
	return t;
}

static void free_row(struct row *row)
{
	explicit_bzero(row->text, row->len);
	free(row->text);
}

void tables_put(struct tables *t)
{
	size_t i, k;

	if (!t || __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (i = 0; i < USERDB_TABLE_COUNT; i++) {
		for (k = 0; k < t->of[i].n; k++)
			free_row(&t->of[i].v[k]);
		free(t->of[i].v);
	}
	free(t);
}

size_t tables_columns(enum userdb_table table)
{
	static const size_t columns[USERDB_TABLE_COUNT] = {
		[USERDB_TABLE_ORIGINS] = 2,
		[USERDB_TABLE_REALM_OPTIONS] = 3,
		[USERDB_TABLE_SECRETS] = 2,
		[USERDB_TABLE_TOKEN_KEYS] = 6,
		[USERDB_TABLE_ALLOWED_PEERS] = 2,
		[USERDB_TABLE_DENIED_PEERS] = 2,
	};

	return columns[table];
}

/* Of @rows->n, when that is a power of two. */
static bool grow(struct rows *rows)
{
	struct row *v;

	if (rows->n & (rows->n - 1))
		return true;
	v = reallocarray(rows->v, rows->n ? 2 * rows->n : 1, sizeof(*v));
	if (!v)
		return false;
	rows->v = v;
	return true;
}

static bool is_full(const struct tables *t, enum userdb_table table)
{
	return (table == USERDB_TABLE_ALLOWED_PEERS ||
		table == USERDB_TABLE_DENIED_PEERS) &&
	       t->of[table].n >= TABLES_PEERS_MAX;
}

void tables_cut(struct tables *t, enum userdb_table table)
{
	t->of[table].cut = true;
}

bool tables_is_cut(const struct tables *t, enum userdb_table table)
{
	return t->of[table].cut;
}

int tables_add(struct tables *t, enum userdb_table table,
	       const char *const *columns)
{
	size_t n = tables_columns(table), i;
	struct rows *rows = &t->of[table];
	struct row row = { 0 };
	char *end;

	if (is_full(t, table)) {
		tables_cut(t, table);
		return 0;
	}
	for (i = 0; i < n; i++)
		row.len += strlen(columns[i]) + 1;
	row.text = grow(rows) ? malloc(row.len) : NULL;
	if (!row.text)
		return -ENOMEM;
	end = row.text;
	for (i = 0; i < n; i++)
		end = stpcpy(end, columns[i]) + 1;
	rows->v[rows->n++] = row;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = memcmp(x->text, y->text,
			   x->len < y->len ? x->len : y->len);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void finish(struct rows *rows)
{
	size_t i, n = 0;

	if (rows->n)
		qsort(rows->v, rows->n, sizeof(*rows->v), compare);
	for (i = 0; i < rows->n; i++) {
		if (n && !compare(&rows->v[i], &rows->v[n - 1]))
			free_row(&rows->v[i]);
		else
			rows->v[n++] = rows->v[i];
	}
	rows->n = n;
}

void tables_finish(struct tables *t)
{
	size_t i;

	for (i = 0; i < USERDB_TABLE_COUNT; i++)
		finish(&t->of[i]);
}

static bool same(const struct rows *a, const struct rows *b)
{
	size_t i;

	if (a->n != b->n || a->cut != b->cut)
		return false;
	for (i = 0; i < a->n; i++)
		if (compare(&a->v[i], &b->v[i]))
			return false;
	return true;
}

bool tables_same(const struct tables *a, const struct tables *b)
{
	size_t i;

	for (i = 0; i < USERDB_TABLE_COUNT; i++)
		if (!same(&a->of[i], &b->of[i]))
			return false;
	return true;
}

int tables_each(const struct tables *t, enum userdb_table table,
		userdb_row_cb cb, void *arg)
{
	const char *columns[USERDB_COLUMNS_MAX];
	const struct rows *rows = &t->of[table];
	size_t i, k, n = tables_columns(table);
	int ret = 0;

	for (i = 0; i < rows->n && !ret; i++) {
		columns[0] = rows->v[i].text;
		for (k = 1; k < n; k++)
			columns[k] = columns[k - 1] +
				     strlen(columns[k - 1]) + 1;
		ret = cb(columns, arg);
	}
	return ret;
}
