// SPDX-License-Identifier: GPL-2.0-or-later
/* Which user a USERHASH is of; see names.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "kturnd/worker.h"

struct name {
	uint8_t hash[32];
	char *name;
};

/**
 * struct list - names, sorted by hash once they are complete
 * @realm: theirs
 * @v: names
 * @n: how many
 */
struct list {
	const char *realm;
	struct name *v;
	size_t n;
};

/**
 * struct names_realm - a realm
 * @realm: its name
 * @list: its users
 * @read_at: when they were read last, worker_clock()'s
 * @took_ms: how long that took
 * @complete: they were read, and all are here
 * @too_many: there are more than can be kept
 * @reading: some thread reads them
 */
struct names_realm {
	char *realm;
	struct list list;
	uint64_t read_at;
	uint64_t took_ms;
	bool complete;
	bool too_many;
	bool reading;
};

static int compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return memcmp(x->hash, y->hash, sizeof(x->hash));
}

static void list_free(struct list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->v[i].name);
	free(list->v);
	list->v = NULL;
	list->n = 0;
}

static int list_add(void *arg, const char *name, size_t len)
{
	struct list *list = arg;
	size_t n = list->n;
	struct name *new;

	if (!len || len > USERDB_NAME_MAX || memchr(name, 0, len))
		return 0;
	if (n == NAMES_MAX)
		return -E2BIG;
	if ((n & (n - 1)) == 0) {
		new = reallocarray(list->v, n ? 2 * n : 1, sizeof(*new));
		if (!new)
			return -ENOMEM;
		list->v = new;
	}
	new = &list->v[n];
	new->name = strndup(name, len);
	if (!new->name)
		return -ENOMEM;
	userdb_userhash(new->name, list->realm, new->hash);
	list->n++;
	return 0;
}

/* With the lock held; NULL: there are too many realms, or no memory. */
static struct names_realm *find_realm(struct names *names, const char *realm)
{
	struct names_realm *r;
	size_t i;

	for (i = 0; i < names->n; i++)
		if (!strcmp(names->v[i]->realm, realm))
			return names->v[i];
	if (names->n == NAMES_REALMS_MAX)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->realm = strdup(realm);
	if (!r->realm) {
		free(r);
		return NULL;
	}
	names->v[names->n++] = r;
	return r;
}

/* With the lock held, which is given up meanwhile. */
static int read_names(struct backend *b, struct names_realm *r)
{
	struct list list = { .realm = r->realm }, old;
	uint64_t begin = worker_clock();
	int ret;

	r->reading = true;
	pthread_mutex_unlock(&b->names->lock);
	ret = b->ops->names(b, r->realm, list_add, &list);
	if (!ret && list.n)
		qsort(list.v, list.n, sizeof(*list.v), compare);
	pthread_mutex_lock(&b->names->lock);
	r->reading = false;
	r->read_at = worker_clock();
	r->took_ms = r->read_at - begin;
	if (ret == -E2BIG)
		r->too_many = true;
	r->complete = !ret || (r->complete && !r->too_many);
	old = list;
	if (!ret) {
		old = r->list;
		r->list = list;
	}
	list_free(&old);
	return ret == -E2BIG ? 0 : ret;
}

/* With the lock held: they are not here, or not new. */
static bool is_due(const struct names_realm *r)
{
	uint64_t pause = r->took_ms * NAMES_PAUSE;

	if (pause < NAMES_MS)
		pause = NAMES_MS;
	if (pause > NAMES_MAX_MS)
		pause = NAMES_MAX_MS;
	return !r->reading && !r->too_many &&
	       (!r->read_at || worker_clock() - r->read_at >= pause);
}

static int find(const struct names_realm *r, const uint8_t hash[32],
		char *name)
{
	const struct name *found = NULL;
	struct name key;

	memcpy(key.hash, hash, sizeof(key.hash));
	if (r->list.n)
		found = bsearch(&key, r->list.v, r->list.n, sizeof(key),
				compare);
	if (!found)
		return -ENOENT;
	memcpy(name, found->name, strlen(found->name) + 1);
	return 0;
}

int names_complete(struct backend *b, const char *realm)
{
	struct names_realm *r;
	int ret = 0;

	pthread_mutex_lock(&b->names->lock);
	r = find_realm(b->names, realm);
	if (r && !r->complete && is_due(r))
		ret = read_names(b, r);
	if (r && !ret)
		ret = r->complete;
	pthread_mutex_unlock(&b->names->lock);
	return ret;
}

int names_find(struct backend *b, const char *realm, const uint8_t hash[32],
	       char *name)
{
	struct names_realm *r;
	int ret = -ENOENT;

	pthread_mutex_lock(&b->names->lock);
	r = find_realm(b->names, realm);
	if (r)
		ret = find(r, hash, name);
	if (r && ret && is_due(r)) {
		ret = read_names(b, r);
		if (!ret)
			ret = find(r, hash, name);
	}
	pthread_mutex_unlock(&b->names->lock);
	return ret;
}

void names_init(struct names *names)
{
	memset(names, 0, sizeof(*names));
	pthread_mutex_init(&names->lock, NULL);
}

void names_free(struct names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++) {
		list_free(&names->v[i]->list);
		free(names->v[i]->realm);
		free(names->v[i]);
	}
	pthread_mutex_destroy(&names->lock);
}
