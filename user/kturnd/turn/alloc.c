// SPDX-License-Identifier: GPL-2.0-or-later
/* Allocations (RFC 8656 section 6). */
#include <stdio.h>
#include <stdlib.h>

#include "connection.h"
#include "mobile.h"

struct turn_alloc *turn_alloc_new(struct turn_server *s,
				  const struct turn_tuple *tuple,
				  const char *realm, const char *user)
{
	size_t user_size = strlen(user) + 1, realm_size = strlen(realm) + 1;
	struct turn_alloc *a;

	a = calloc(1, sizeof(*a) + user_size + realm_size);
	if (!a)
		return NULL;
	a->id = ++s->last_id;
	a->tuple = *tuple;
	LIST_INIT(&a->perms);
	LIST_INIT(&a->chans);
	LIST_INIT(&a->conns);
	memcpy(a->user, user, user_size);
	a->realm = memcpy(a->user + user_size, realm, realm_size);
	return a;
}

void turn_alloc_free(struct turn_alloc *a)
{
	turn_grant_free(a->grant);
	OPENSSL_cleanse(a->key, sizeof(a->key));
	free(a);
}

int turn_alloc_take_quota(struct turn_server *s, struct turn_alloc *a,
			  bool granted)
{
	char buf[TURN_ACCOUNT_MAX + 1];
	int ret;

	ret = s->ops->quota_take(s->env, a->realm, turn_alloc_account(a, buf),
				 granted, &a->pool);
	a->has_quota = !ret;
	return ret;
}

void turn_alloc_give_quota(struct turn_server *s, struct turn_alloc *a)
{
	char buf[TURN_ACCOUNT_MAX + 1];

	if (a->has_quota)
		s->ops->quota_give(s->env, a->realm,
				   turn_alloc_account(a, buf));
	a->has_quota = false;
	a->pool = NULL;
}

void turn_alloc_link(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_half *h;

	turn_table_add(&s->by_tuple, &a->node, turn_tuple_hash(s, &a->tuple));
	LIST_INSERT_HEAD(&s->allocs, a, entry);
	s->counters.allocs++;
	for (h = a->half; h < a->half + ARRAY_SIZE(a->half); h++) {
		if (!turn_half_there(h))
			continue;
		turn_timer_add(&s->timers, &h->timer, TURN_TIMER_HALF,
			       h->timer.at);
		s->counters.relays++;
	}
}

void turn_alloc_unlink(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_half *h;

	for (h = a->half; h < a->half + ARRAY_SIZE(a->half); h++) {
		if (!turn_half_there(h))
			continue;
		turn_timer_del(&s->timers, &h->timer);
		s->counters.relays--;
	}
	LIST_REMOVE(a, entry);
	if (!turn_is_away(a))
		turn_table_del(&s->by_tuple, &a->node);
	s->counters.allocs--;
}

uint64_t turn_alloc_ends(const struct turn_alloc *a)
{
	uint64_t at = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(a->half); i++)
		if (turn_half_there(&a->half[i]) && a->half[i].timer.at > at)
			at = a->half[i].timer.at;
	return at;
}

struct turn_alloc *turn_alloc_find(struct turn_server *s,
				   const struct turn_tuple *tuple)
{
	struct turn_node *node;
	struct turn_alloc *a;

	node = turn_table_first(&s->by_tuple, turn_tuple_hash(s, tuple));
	for (; node; node = turn_table_next(node)) {
		a = container_of(node, struct turn_alloc, node);
		if (turn_same_tuple(&a->tuple, tuple))
			return a;
	}
	return NULL;
}

struct turn_alloc *turn_alloc_live(struct turn_server *s,
				   const struct turn_tuple *tuple, uint64_t now)
{
	struct turn_alloc *a = turn_alloc_find(s, tuple);

	return a && now < turn_alloc_ends(a) ? a : NULL;
}

static void close_relays(struct turn_server *s, struct turn_alloc *a)
{
	struct turn_half *h;

	for (h = a->half; h < a->half + ARRAY_SIZE(a->half); h++)
		if (turn_half_there(h))
			s->ops->relay_close(s->env, &h->relay);
}

void turn_alloc_remove(struct turn_server *s, struct turn_alloc *a,
		       bool offload, const char *reason)
{
	struct turn_connection *conn;
	struct turn_perm *p;
	struct turn_chan *c;

	s->ops->log(s->env, LOG_INFO, "alloc-end", &a->tuple, a->user,
		    "reason=%s", reason);

	if (offload)
		s->ops->offload_remove(s->env, a);
	while ((conn = LIST_FIRST(&a->conns)))
		turn_connection_end(s, conn);
	while ((c = LIST_FIRST(&a->chans)))
		turn_chan_remove(s, c);
	while ((p = LIST_FIRST(&a->perms)))
		turn_perm_remove(s, p);
	turn_alloc_unlink(s, a);
	turn_mobile_free(s, a);
	close_relays(s, a);
	turn_alloc_give_quota(s, a);
	turn_alloc_free(a);
}

void turn_alloc_end(struct turn_server *s, struct turn_alloc *a)
{
	turn_alloc_remove(s, a, false, "deleted");
}

void turn_client_gone(struct turn_server *s, const struct turn_tuple *tuple)
{
	struct turn_alloc *a = turn_alloc_find(s, tuple);

	if (!a)
		turn_mobile_next_gone(s, tuple);
	else if (a->mobile)
		turn_mobile_gone(s, a);
	else
		turn_alloc_remove(s, a, true, "disconnected");
}

void turn_server_each(struct turn_server *s,
		      void (*cb)(struct turn_alloc *a, void *arg), void *arg)
{
	struct turn_alloc *a;

	LIST_FOREACH(a, &s->allocs, entry)
		cb(a, arg);
}

const struct turn_tuple *turn_alloc_tuple(const struct turn_alloc *a)
{
	return &a->tuple;
}

const struct turn_relay *turn_alloc_relay(const struct turn_alloc *a,
					  uint8_t family)
{
	const struct turn_half *h = &a->half[family == KTURN_FAMILY_V6];

	return turn_half_there(h) ? &h->relay : NULL;
}

bool turn_alloc_is_tcp(const struct turn_alloc *a)
{
	return a->is_tcp;
}

const char *turn_alloc_user(const struct turn_alloc *a)
{
	return a->user;
}

const char *turn_alloc_account(const struct turn_alloc *a,
			       char buf[TURN_ACCOUNT_MAX + 1])
{
	char *p = buf;
	size_t i;

	if (!a->grant)
		return a->minted ? turn_rest_account(a->user) : a->user;
	/* No user is called that: see the FreeformClass of RFC 8264. */
	p += sprintf(p, "\001token:");
	for (i = 0; i < sizeof(a->grant->first); i++)
		p += sprintf(p, "%02x", a->grant->first[i]);
	return buf;
}

const char *turn_alloc_realm(const struct turn_alloc *a)
{
	return a->realm;
}

void turn_alloc_set_offload(struct turn_alloc *a, uint64_t id)
{
	a->offload = id;
}

uint64_t turn_alloc_offload(const struct turn_alloc *a)
{
	return a->offload;
}

uint32_t turn_alloc_left_ms(const struct turn_alloc *a, uint64_t now)
{
	const struct turn_timer end = { .at = turn_alloc_ends(a) };

	return turn_timer_left(&end, now);
}
