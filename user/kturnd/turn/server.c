// SPDX-License-Identifier: GPL-2.0-or-later
/* A TURN server: what comes in, what is over, what was counted. */
#include <errno.h>
#include <stdlib.h>

#include "connection.h"
#include "request.h"

struct turn_server *turn_server_new(const struct turn_config *cfg,
				    const struct turn_ops *ops, void *env)
{
	struct turn_server *s;

	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->cfg = *cfg;
	s->ops = ops;
	s->env = env;
	LIST_INIT(&s->allocs);

	if (!turn_crypto_init(&s->crypto) ||
	    !turn_table_init(&s->by_tuple) ||
	    !turn_table_init(&s->by_id) ||
	    !turn_table_init(&s->by_next) ||
	    !turn_table_init(&s->by_perm) ||
	    !turn_table_init(&s->by_number) ||
	    !turn_table_init(&s->by_peer) ||
	    !turn_table_init(&s->conn_by_id) ||
	    !turn_table_init(&s->conn_by_peer)) {
		turn_server_free(s, true);
		errno = ENOMEM;
		return NULL;
	}

	if (cfg->mobility && !s->crypto.siv) {
		turn_server_free(s, true);
		errno = ENOTSUP;
		return NULL;
	}
	ops->random(env, s->hash_key, sizeof(s->hash_key));
	ops->random(env, s->dummy_key, sizeof(s->dummy_key));
	return s;
}

void turn_server_free(struct turn_server *s, bool keep)
{
	struct turn_alloc *a;

	if (!s)
		return;
	while ((a = LIST_FIRST(&s->allocs)))
		turn_alloc_remove(s, a, !keep,
				  keep && a->tuple.transport == TURN_UDP ?
				  "handed-over" : "stopped");
	turn_heap_destroy(&s->timers);
	turn_table_destroy(&s->conn_by_peer);
	turn_table_destroy(&s->conn_by_id);
	turn_table_destroy(&s->by_peer);
	turn_table_destroy(&s->by_number);
	turn_table_destroy(&s->by_perm);
	turn_table_destroy(&s->by_next);
	turn_table_destroy(&s->by_id);
	turn_table_destroy(&s->by_tuple);
	turn_crypto_destroy(&s->crypto);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

void turn_client_input(struct turn_server *s, uint64_t now, uint64_t wall,
		       const struct turn_tuple *tuple,
		       const uint8_t *buf, size_t len)
{
	switch (kturn_wire_kind(buf, len)) {
	case KTURN_KIND_CHANNEL:
		turn_channel_data_input(s, now, tuple, buf, len);
		break;
	case KTURN_KIND_STUN:
		if (kturn_get16(buf) == KTURN_TYPE_SEND_IND)
			turn_send_input(s, now, tuple, buf, len);
		else
			turn_request_input(s, now, wall, tuple, buf, len);
		break;
	default:
		s->counters.malformed++;
		turn_classic_input(s, now, tuple, buf, len);
	}
}

static void expire(struct turn_server *s, struct turn_timer *t, uint64_t now)
{
	switch (t->kind) {
	case TURN_TIMER_HALF:
		turn_half_expire(s, container_of(t, struct turn_half, timer),
				 now);
		break;
	case TURN_TIMER_PERM:
		turn_perm_remove(s, container_of(t, struct turn_perm, timer));
		break;
	case TURN_TIMER_CHAN:
		turn_chan_remove(s, container_of(t, struct turn_chan, timer));
		break;
	case TURN_TIMER_CONNECTION:
		turn_connection_expire(s, container_of(t,
						       struct turn_connection,
						       timer));
		break;
	}
}

uint64_t turn_expire(struct turn_server *s, uint64_t now)
{
	struct turn_timer *t;

	while ((t = turn_heap_top(&s->timers)) && turn_timer_over(t, now))
		expire(s, t, now);
	return t ? t->at : UINT64_MAX;
}

const struct turn_counters *turn_counters(const struct turn_server *s)
{
	return &s->counters;
}
