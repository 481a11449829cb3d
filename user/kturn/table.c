// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables whose columns are as wide as they have to be. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include "cli.h"

/**
 * struct cli_table - cells, row by row; the first row is the heading
 * @n_columns: columns
 * @right: which are aligned to the right
 * @cells: texts
 * @n: how many
 * @room: how many fit
 * @failed: memory was short
 */
struct cli_table {
	size_t n_columns;
	bool right[32];
	char **cells;
	size_t n;
	size_t room;
	bool failed;
};

/* Takes over @text; NULL: there was no memory for it. */
static void cell_add(struct cli_table *t, char *text)
{
	char **cells;
	size_t room;

	if (t->n == t->room) {
		room = t->room ? 2 * t->room : 64;
		cells = reallocarray(t->cells, room, sizeof(*cells));
		if (!cells) {
			t->failed = true;
			free(text);
			return;
		}
		t->cells = cells;
		t->room = room;
	}
	t->failed = t->failed || !text;
	t->cells[t->n++] = text;
}

struct cli_table *cli_table_new(const char *const *columns)
{
	struct cli_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	for (; *columns && t->n_columns < 32; columns++) {
		bool right = **columns == '>';

		t->right[t->n_columns++] = right;
		cell_add(t, strdup(*columns + right));
	}
	return t;
}

void cli_table_cell(struct cli_table *t, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	cell_add(t, text);
}

/* Columns that a text takes on a terminal. */
static size_t width_of(const char *text)
{
	size_t len = strlen(text);
	wchar_t *wide = calloc(len + 1, sizeof(*wide));
	int width = -1;

	if (wide && mbstowcs(wide, text, len + 1) != (size_t)-1)
		width = wcswidth(wide, len);
	free(wide);
	return width < 0 ? len : (size_t)width;
}

static void row_write(const struct cli_table *t, FILE *f, char **row,
		      const size_t *widths)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		int pad = widths[i] - width_of(row[i]);

		if (i)
			fputs("  ", f);
		if (t->right[i])
			fprintf(f, "%*s%s", pad, "", row[i]);
		else if (i == t->n_columns - 1)
			fputs(row[i], f);
		else
			fprintf(f, "%s%*s", row[i], pad, "");
	}
	fputc('\n', f);
}

void cli_table_free(struct cli_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

bool cli_table_print(struct cli_table *t)
{
	return cli_table_write(t, stdout);
}

bool cli_table_write(struct cli_table *t, FILE *f)
{
	bool ok = t && !t->failed;
	size_t widths[32] = { 0 };

	if (!t)
		return false;
	for (size_t i = 0; ok && i < t->n; i++) {
		size_t width = width_of(t->cells[i]);

		if (width > widths[i % t->n_columns])
			widths[i % t->n_columns] = width;
	}
	for (size_t i = 0; ok && i + t->n_columns <= t->n; i += t->n_columns)
		row_write(t, f, t->cells + i, widths);
	cli_table_free(t);
	return ok;
}
