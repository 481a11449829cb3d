/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coturn's tables of realms, secrets, keys and peers, as a store had them at one
 * time.
 * What they say is unchecked.
 */
#ifndef _KTURND_STORE_TABLES_H
#define _KTURND_STORE_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "db/userdb.h"

struct tables;

/* Rows of each table of peers; more are left out. */
#define TABLES_PEERS_MAX	65536

/** tables_new() - empty ones, with one user; NULL without memory */
struct tables *tables_new(void);

/** tables_get() - one more who uses them; any thread */
struct tables *tables_get(struct tables *t);

/** tables_put() - one less; the last one overwrites and frees them; @t may be
 * NULL
 */
void tables_put(struct tables *t);

/** tables_columns() - how many columns a table has */
size_t tables_columns(enum userdb_table table);

/**
 * tables_add() - add a row
 * @t: tables, not finished
 * @table: which
 * @columns: as many as it has, none NULL
 *
 * Return: 0 or -ENOMEM. Of too many rows, see TABLES_PEERS_MAX, the table is cut.
 */
int tables_add(struct tables *t, enum userdb_table table,
	       const char *const *columns);

/** tables_cut() - rows are not there that the store has */
void tables_cut(struct tables *t, enum userdb_table table);

/** tables_is_cut() - are there such? */
bool tables_is_cut(const struct tables *t, enum userdb_table table);

/** tables_finish() - sort them, and keep each row once; constant afterwards */
void tables_finish(struct tables *t);

/** tables_same() - do they say the same? Both are finished */
bool tables_same(const struct tables *a, const struct tables *b);

/** tables_each() - as userdb_rows() */
int tables_each(const struct tables *t, enum userdb_table table,
		userdb_row_cb cb, void *arg);

#endif /* _KTURND_STORE_TABLES_H */
