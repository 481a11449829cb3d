// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn show: allocations, permissions, channels, owners and quotas. */
#include <inttypes.h>
#include <net/if.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <array_size.h>
#include "cli.h"

/**
 * struct list - entries on their way out
 * @table: for people
 * @array: for programs; the other one is NULL
 * @id: that of the only owner to be shown, or 0
 * @quotas: tsearch()'s, of struct quota: those that are in it
 * @n: entries so far
 */
struct list {
	struct cli_table *table;
	json_t *array;
	uint32_t id;
	void *quotas;
	unsigned int n;
};

/**
 * struct kind - a kind of entry
 * @name: as the command line has it
 * @plural: as JSON and headings have it
 * @columns: of the table
 * @get: reads the entries that the id stands for (0: all) into a list
 */
struct kind {
	const char *name;
	const char *plural;
	const char *const *columns;
	int (*get)(struct kturn *kt, uint32_t id, struct list *l);
};

static void label_cell(struct cli_table *t, const char *label)
{
	char *text = cli_escape(label);

	cli_table_cell(t, "%s", text ? text : "?");
	free(text);
}

/* ------------------------------------------------------------- allocations */

static const char *const alloc_columns[] = {
	">ID", "CLIENT", "SERVER", "RELAY", ">LEFT", ">IDLE", ">TO PEER",
	">TO CLIENT", ">DROPPED", ">PUNTED", ">OWNER", "FLAGS", "VRF",
	"LIMIT TO PEER", "LIMIT TO CLIENT", "LABEL", NULL
};

static const char *flags_text(uint32_t flags)
{
	static const char *const text[] = {
		"-", "exclusive", "alternate", "exclusive,alternate",
	};

	return text[flags & (KTURN_ALLOC_FLAGS_EXCLUSIVE |
			     KTURN_ALLOC_FLAGS_ALTERNATE)];
}

static void vrf_cell(struct cli_table *t, uint32_t index)
{
	char name[IF_NAMESIZE];

	if (!index)
		cli_table_cell(t, "-");
	else if (if_indextoname(index, name))
		label_cell(t, name);
	else
		cli_table_cell(t, "#%" PRIu32, index);
}

/* Where there can be both, what of it has to do with IPv6 peers. */
static void families_cell(struct cli_table *t, const struct kturn_alloc *a,
			  const struct kturn_counter *total,
			  const struct kturn_counter by[2])
{
	char all[CLI_UNIT_MAX], v6[CLI_UNIT_MAX];

	if (a->relay[0].family == KTURN_FAMILY_NONE ||
	    a->relay[1].family == KTURN_FAMILY_NONE)
		cli_table_cell(t, "%s", cli_bytes(total->bytes, all));
	else
		cli_table_cell(t, "%s (IPv6: %s)", cli_bytes(total->bytes, all),
			       cli_bytes(by[1].bytes, v6));
}

static int alloc_row(const struct kturn_alloc *a, void *arg)
{
	char text[CLI_RELAYS_MAX], unit[CLI_UNIT_MAX], limit[CLI_LIMIT_MAX];
	struct list *l = arg;
	struct cli_table *t = l->table;

	l->n++;
	if (l->array) {
		cli_json_append(l->array, cli_alloc_json(a));
		return 0;
	}
	cli_table_cell(t, "%" PRIu32, a->id);
	cli_table_cell(t, "%s", kturn_addr_text(&a->client, text));
	cli_table_cell(t, "%s", kturn_addr_text(&a->server, text));
	cli_table_cell(t, "%s", cli_relays(a, text));
	cli_table_cell(t, "%s", cli_span(a->lifetime_ms, unit));
	cli_table_cell(t, "%s", a->idle_ms < 0 ? "-" :
		       cli_span(a->idle_ms, unit));
	families_cell(t, a, &a->to_peer, a->to_peer_by);
	families_cell(t, a, &a->to_client, a->to_client_by);
	cli_table_cell(t, "%" PRIu64, a->dropped);
	cli_table_cell(t, "%" PRIu64, a->punted);
	if (a->owner_id)
		cli_table_cell(t, "%" PRIu32, a->owner_id);
	else
		cli_table_cell(t, "-");
	cli_table_cell(t, "%s", flags_text(a->flags));
	vrf_cell(t, a->l3mdev);
	cli_table_cell(t, "%s", cli_limit_text(&a->limit_to_peer, limit));
	cli_table_cell(t, "%s", cli_limit_text(&a->limit_to_client, limit));
	label_cell(t, a->label);
	return 0;
}

static int alloc_get(struct kturn *kt, uint32_t id, struct list *l)
{
	return kturn_alloc_get(kt, id, 0, alloc_row, l);
}

/* ------------------------------------------------------------- permissions */

static const char *const perm_columns[] = { ">ALLOC", "PEER", ">LEFT", NULL };

static int perm_row(const struct kturn_perm *p, void *arg)
{
	char text[KTURN_ADDR_TEXT_MAX], unit[CLI_UNIT_MAX];
	struct list *l = arg;

	l->n++;
	if (l->array) {
		cli_json_append(l->array, cli_perm_json(p));
		return 0;
	}
	cli_table_cell(l->table, "%" PRIu32, p->alloc_id);
	cli_table_cell(l->table, "%s", kturn_addr_text(&p->peer, text));
	cli_table_cell(l->table, "%s", cli_span(p->lifetime_ms, unit));
	return 0;
}

static int perm_get(struct kturn *kt, uint32_t id, struct list *l)
{
	return kturn_perm_get(kt, id, perm_row, l);
}

/* ---------------------------------------------------------------- channels */

static const char *const chan_columns[] = {
	">ALLOC", "NUMBER", "PEER", ">LEFT", ">TO PEER", ">TO CLIENT", NULL
};

static int chan_row(const struct kturn_chan *c, void *arg)
{
	char text[KTURN_ADDR_TEXT_MAX], unit[CLI_UNIT_MAX];
	struct list *l = arg;
	struct cli_table *t = l->table;

	l->n++;
	if (l->array) {
		cli_json_append(l->array, cli_chan_json(c));
		return 0;
	}
	cli_table_cell(t, "%" PRIu32, c->alloc_id);
	cli_table_cell(t, "0x%04x", c->number);
	cli_table_cell(t, "%s", kturn_addr_text(&c->peer, text));
	cli_table_cell(t, "%s", cli_span(c->lifetime_ms, unit));
	cli_table_cell(t, "%s", cli_bytes(c->to_peer.bytes, unit));
	cli_table_cell(t, "%s", cli_bytes(c->to_client.bytes, unit));
	return 0;
}

static int chan_get(struct kturn *kt, uint32_t id, struct list *l)
{
	return kturn_chan_get(kt, id, chan_row, l);
}

/* ------------------------------------------------------------------ owners */

static const char *const owner_columns[] = {
	">ID", ">SOCKETS", ">ALLOCS", ">GRACE", ">LEFT", "LABEL", NULL
};

static int owner_row(const struct kturn_owner *o, void *arg)
{
	char unit[CLI_UNIT_MAX];
	struct list *l = arg;
	struct cli_table *t = l->table;

	if (l->id && o->id != l->id)
		return 0;
	l->n++;
	if (l->array) {
		cli_json_append(l->array, cli_owner_json(o));
		return 0;
	}
	cli_table_cell(t, "%" PRIu32, o->id);
	cli_table_cell(t, "%" PRIu32, o->sockets);
	cli_table_cell(t, "%" PRIu32, o->allocs);
	cli_table_cell(t, "%s", cli_span(o->grace_ms, unit));
	cli_table_cell(t, "%s", o->left_ms < 0 ? "-" :
		       cli_span(o->left_ms, unit));
	label_cell(t, o->label);
	return 0;
}

static int owner_get(struct kturn *kt, uint32_t id, struct list *l)
{
	l->id = id;
	return kturn_owner_get(kt, owner_row, l);
}

/* ------------------------------------------------------------------ quotas */

static const char *const quota_columns[] = {
	"QUOTA", ">OWNER", ">ALLOCS", "LIMIT TO PEER", "LIMIT TO CLIENT", NULL
};

/**
 * struct quota - which one it is
 * @owner_id: whose; 0: of those without an owner
 * @id: the owner's name for it
 */
struct quota {
	uint32_t owner_id;
	uint64_t id;
};

static int quota_compare(const void *a, const void *b)
{
	const struct quota *p = a, *q = b;

	if (p->owner_id != q->owner_id)
		return p->owner_id < q->owner_id ? -1 : 1;
	return p->id < q->id ? -1 : p->id > q->id;
}

/* 1 the first time, then 0; -ENOMEM. */
static int quota_is_new(struct list *l, const struct kturn_alloc *a,
			const struct kturn_quota *q)
{
	struct quota *new = malloc(sizeof(*new)), **found;

	if (!new)
		return -ENOMEM;
	*new = (struct quota){ a->owner_id, q->id };
	found = tsearch(new, &l->quotas, quota_compare);
	if (found && *found == new)
		return 1;
	free(new);
	return found ? 0 : -ENOMEM;
}

static void quota_row(struct list *l, const struct kturn_alloc *a,
		      const struct kturn_quota *q)
{
	char limit[CLI_LIMIT_MAX];
	struct cli_table *t = l->table;
	json_t *o;

	l->n++;
	if (l->array) {
		o = cli_quota_json(q);
		if (a->owner_id)
			cli_json_put(o, "owner_id", json_integer(a->owner_id));
		cli_json_append(l->array, o);
		return;
	}
	cli_table_cell(t, "%" PRIu64, q->id);
	if (a->owner_id)
		cli_table_cell(t, "%" PRIu32, a->owner_id);
	else
		cli_table_cell(t, "-");
	cli_table_cell(t, "%" PRIu32, q->allocs);
	cli_table_cell(t, "%s", cli_limit_text(&q->to_peer, limit));
	cli_table_cell(t, "%s", cli_limit_text(&q->to_client, limit));
}

static int quota_rows(const struct kturn_alloc *a, void *arg)
{
	struct list *l = arg;
	int ret = 0;

	for (size_t i = 0; i < a->n_quotas && ret >= 0; i++) {
		ret = quota_is_new(l, a, &a->quota[i]);
		if (ret > 0)
			quota_row(l, a, &a->quota[i]);
	}
	return ret < 0 ? ret : 0;
}

/* The kernel shows them with their allocations. */
static int quota_get(struct kturn *kt, uint32_t id, struct list *l)
{
	int ret = kturn_alloc_get(kt, id, 0, quota_rows, l);

	tdestroy(l->quotas, free);
	return ret;
}

/* ----------------------------------------------------------------- command */

static const struct kind kinds[] = {
	{ "alloc", "allocs", alloc_columns, alloc_get },
	{ "perm", "perms", perm_columns, perm_get },
	{ "chan", "chans", chan_columns, chan_get },
	{ "owner", "owners", owner_columns, owner_get },
	{ "quota", "quotas", quota_columns, quota_get },
};

static void list_free(struct list *l)
{
	if (l->table)
		cli_table_free(l->table);
	json_decref(l->array);
}

static int alloc_ignore(const struct kturn_alloc *a, void *arg)
{
	return 0;
}

/* A list by id has nothing in it: because there is none with that id? */
static int none_found(struct kturn *kt, const struct kind *k, uint32_t id)
{
	if (k->get == owner_get)
		return cli_error("there is no owner %" PRIu32, id);
	if (kturn_alloc_get(kt, id, 0, alloc_ignore, NULL))
		return cli_error("%s", kturn_error(kt));
	return CLI_OK;
}

/* Read and print, or add to @all. */
static int kind_show(struct kturn *kt, const struct kind *k, uint32_t id,
		     bool heading, json_t *all)
{
	struct list l = { 0 };
	int status;

	if (all)
		l.array = json_array();
	else
		l.table = cli_table_new(k->columns);
	if (!l.array && !l.table)
		return cli_error("out of memory");
	if (k->get(kt, id, &l)) {
		list_free(&l);
		return cli_error("%s", kturn_error(kt));
	}
	if (id && !l.n) {
		status = none_found(kt, k, id);
		if (status != CLI_OK) {
			list_free(&l);
			return status;
		}
	}
	if (all) {
		cli_json_put(all, k->plural, l.array);
		return CLI_OK;
	}
	if (heading)
		printf("%s: %u\n", k->plural, l.n);
	if (heading && !l.n) {
		list_free(&l);
		return CLI_OK;
	}
	return cli_table_print(l.table) ? CLI_OK : cli_error("out of memory");
}

static int show(const struct kind *first, size_t n, uint32_t id)
{
	json_t *all = cli_json() ? json_object() : NULL;
	struct kturn *kt = cli_open();
	int status = kt ? CLI_OK : CLI_FAILED;

	for (size_t i = 0; i < n && status == CLI_OK; i++) {
		if (i && !all)
			putchar('\n');
		status = kind_show(kt, &first[i], id, n > 1, all);
	}
	kturn_close(kt);
	if (status == CLI_OK && all)
		return cli_json_print(all);
	json_decref(all);
	return status;
}

int show_run(int argc, char **argv)
{
	uint32_t id = 0;
	size_t i;

	if (!argc)
		return show(kinds, ARRAY_SIZE(kinds), 0);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(argv[0], kinds[i].name))
			break;
	if (i == ARRAY_SIZE(kinds))
		return cli_usage("expected alloc, perm, chan, owner or quota, not '%s'",
				 argv[0]);
	if (argc > 2)
		return cli_usage("too many words: '%s'", argv[2]);
	if (argc == 2 && !cli_number(argv[1], 1, UINT32_MAX, &id))
		return cli_usage("'%s' is not an ID", argv[1]);
	return show(&kinds[i], 1, id);
}
