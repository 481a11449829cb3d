// SPDX-License-Identifier: GPL-2.0-or-later
/* ChannelBind requests (RFC 8656 section 12.2). */
#include <stdlib.h>

#include "request.h"

/**
 * struct binding - what is asked for, and what of it is there
 * @number: channel number
 * @peer: transport address
 * @ip: of it, port 0
 * @chan: the channel that binds both, or NULL
 * @perm: the permission for @ip, or NULL
 */
struct binding {
	uint16_t number;
	struct kturn_addr peer;
	struct kturn_addr ip;
	struct turn_chan *chan;
	struct turn_perm *perm;
};

/* 0 or the error. */
static int read_binding(struct turn_server *s, const struct turn_request *rq,
			struct turn_alloc *a, struct binding *b)
{
	const struct kturn_attr *peer = &rq->attr[TURN_A_PEER];

	if (rq->malformed || !peer->value || !turn_has(rq, TURN_A_CHANNEL) ||
	    kturn_xor_addr_parse(peer->value, peer->len, rq->msg.tid, &b->peer))
		return TURN_BAD_REQUEST;

	b->number = kturn_get16(rq->attr[TURN_A_CHANNEL].value);
	if (b->number < KTURN_CHAN_MIN || b->number > s->cfg.chan_max)
		return TURN_BAD_REQUEST;

	/* Neither end may be bound to another. */
	b->chan = turn_chan_by_number(s, a, b->number, rq->now);
	if (b->chan != turn_chan_by_peer(s, a, &b->peer, rq->now))
		return TURN_BAD_REQUEST;

	/* RFC 6062 has no channels: there is a connection for each peer. */
	if (a->is_tcp)
		return TURN_FORBIDDEN;
	if (!turn_half_live(a, b->peer.family, rq->now))
		return TURN_FAMILY_MISMATCH;
	if (turn_addr_tunneled(&a->tuple.client) || !b->peer.port ||
	    turn_peer_verdict(s, a, &b->peer) != TURN_PEER_OK)
		return TURN_FORBIDDEN;

	b->ip = turn_addr_ip(&b->peer);
	b->perm = turn_perm_find(s, a, &b->ip, rq->now);
	return 0;
}

/* What lacks, unlinked; false when a limit is reached or without memory. */
static bool make(struct turn_server *s, const struct turn_alloc *a,
		 const struct binding *b, struct turn_chan **chan,
		 struct turn_perm **perm)
{
	*chan = NULL;
	*perm = NULL;
	if ((!b->chan && a->n_chans >= s->cfg.chans_max) ||
	    (!b->perm && a->n_perms >= s->cfg.perms_max) ||
	    !turn_heap_reserve(&s->timers, 2))
		return false;

	if (!b->chan) {
		*chan = malloc(sizeof(**chan));
		if (!*chan)
			return false;
	}
	if (!b->perm) {
		*perm = malloc(sizeof(**perm));
		if (!*perm) {
			free(*chan);
			return false;
		}
	}
	return true;
}

static void install(struct turn_server *s, struct turn_alloc *a,
		    const struct binding *b, struct turn_chan *chan,
		    struct turn_perm *perm, uint64_t now)
{
	uint64_t chan_at = now + TURN_CHANNEL_LIFETIME * TURN_MS;
	uint64_t perm_at = now + TURN_PERMISSION_LIFETIME * TURN_MS;
	char text[TURN_ADDR_TEXT];

	if (chan) {
		turn_chan_add(s, a, chan, b->number, &b->peer, chan_at);
		s->ops->log(s->env, LOG_DEBUG, "chan-new", &a->tuple, a->user,
			    "number=0x%04x peer=%s", b->number,
			    turn_addr_text(&b->peer, text));
	} else {
		turn_timer_move(&s->timers, &b->chan->timer, chan_at);
	}
	if (perm)
		turn_perm_add(s, a, perm, &b->ip, perm_at);
	else
		turn_timer_move(&s->timers, &b->perm->timer, perm_at);
}

/* 0 or the error. */
static int bind_channel(struct turn_server *s, const struct turn_request *rq,
			struct turn_alloc *a)
{
	struct turn_chan *chan;
	struct turn_perm *perm;
	struct binding b;
	int ret;

	ret = read_binding(s, rq, a, &b);
	if (ret)
		return ret;
	if (!make(s, a, &b, &chan, &perm))
		return TURN_NO_CAPACITY;
	if (s->ops->offload_peers(s->env, a, &b.peer, 1, b.number)) {
		free(perm);
		free(chan);
		return TURN_NO_CAPACITY;
	}
	install(s, a, &b, chan, perm, rq->now);
	return 0;
}

void turn_channel_bind(struct turn_server *s, struct turn_request *rq,
		       struct turn_alloc *a)
{
	turn_reply_result(s, rq, bind_channel(s, rq, a));
}
