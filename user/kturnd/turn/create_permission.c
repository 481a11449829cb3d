// SPDX-License-Identifier: GPL-2.0-or-later
/* CreatePermission requests (RFC 8656 section 10.2): all peers or none. */
#include <stdlib.h>

#include "request.h"

/**
 * struct peers - what a request names
 * @ip: each once, port 0
 * @perm: the permission of each, or NULL where there is none yet
 * @n: how many
 * @too_many: there were more
 */
struct peers {
	struct kturn_addr ip[TURN_PERMISSIONS_MAX];
	struct turn_perm *perm[TURN_PERMISSIONS_MAX];
	size_t n;
	bool too_many;
};

static void add_peer(struct peers *peers, const struct kturn_addr *ip)
{
	size_t i;

	for (i = 0; i < peers->n; i++)
		if (turn_addr_equal(&peers->ip[i], ip))
			return;
	if (peers->n == TURN_PERMISSIONS_MAX)
		peers->too_many = true;
	else
		peers->ip[peers->n++] = *ip;
}

/* All XOR-PEER-ADDRESS attributes; 0 or the error. */
static int read_peers(const struct turn_request *rq, struct turn_alloc *a,
		      struct peers *peers)
{
	struct kturn_attr_iter it;
	struct kturn_attr attr;
	struct kturn_addr ip;
	bool mismatch = false;

	if (rq->malformed || !turn_has(rq, TURN_A_PEER))
		return TURN_BAD_REQUEST;

	peers->n = 0;
	peers->too_many = false;
	kturn_attr_begin(&it, &rq->msg);
	while (kturn_attr_next(&it, &attr) && attr.value < rq->end) {
		if (attr.type != KTURN_ATTR_XOR_PEER_ADDRESS)
			continue;
		if (kturn_xor_addr_parse(attr.value, attr.len, rq->msg.tid,
					 &ip))
			return TURN_BAD_REQUEST;
		mismatch |= !turn_half_live(a, ip.family, rq->now);
		/* The port does not matter and may be anything. */
		ip.port = 0;
		add_peer(peers, &ip);
	}
	return mismatch ? TURN_FAMILY_MISMATCH : 0;
}

static int check_peers(struct turn_server *s, const struct turn_alloc *a,
		       const struct peers *peers)
{
	size_t i;

	for (i = 0; i < peers->n; i++)
		if (turn_peer_verdict(s, a, &peers->ip[i]) ==
		    TURN_PEER_FORBIDDEN)
			return TURN_FORBIDDEN;
	return 0;
}

static void free_perms(struct turn_perm **perms, size_t n)
{
	while (n--)
		free(perms[n]);
}

/* Those that lack, in @fresh; returns how many, or SIZE_MAX. */
static size_t make_perms(struct turn_server *s, const struct turn_request *rq,
			 const struct turn_alloc *a, struct peers *peers,
			 struct turn_perm **fresh)
{
	size_t i, n = 0;

	for (i = 0; i < peers->n; i++) {
		peers->perm[i] = turn_perm_find(s, a, &peers->ip[i], rq->now);
		if (peers->perm[i])
			continue;
		fresh[n] = malloc(sizeof(*fresh[n]));
		if (!fresh[n])
			goto err_free;
		n++;
	}
	if (a->n_perms + n <= s->cfg.perms_max &&
	    turn_heap_reserve(&s->timers, n))
		return n;

err_free:
	free_perms(fresh, n);
	return SIZE_MAX;
}

static void install(struct turn_server *s, struct turn_alloc *a,
		    struct peers *peers, struct turn_perm **fresh, uint64_t at)
{
	char text[TURN_ADDR_TEXT];
	size_t i;

	for (i = 0; i < peers->n; i++) {
		if (peers->perm[i]) {
			turn_timer_move(&s->timers, &peers->perm[i]->timer, at);
			continue;
		}
		turn_perm_add(s, a, *fresh++, &peers->ip[i], at);
		s->ops->log(s->env, LOG_DEBUG, "perm-new", &a->tuple, a->user,
			    "peer=%s", turn_addr_text(&peers->ip[i], text));
	}
}

/* 0 or the error. */
static int create(struct turn_server *s, const struct turn_request *rq,
		  struct turn_alloc *a)
{
	struct turn_perm *fresh[TURN_PERMISSIONS_MAX];
	struct peers peers;
	size_t n;
	int ret;

	ret = read_peers(rq, a, &peers);
	/* Before all of them are looked up. */
	if (!ret && peers.too_many)
		ret = TURN_NO_CAPACITY;
	if (!ret)
		ret = check_peers(s, a, &peers);
	if (ret)
		return ret;

	n = make_perms(s, rq, a, &peers, fresh);
	if (n == SIZE_MAX)
		return TURN_NO_CAPACITY;
	if (s->ops->offload_peers(s->env, a, peers.ip, peers.n, 0)) {
		free_perms(fresh, n);
		return TURN_NO_CAPACITY;
	}
	install(s, a, &peers, fresh,
		rq->now + TURN_PERMISSION_LIFETIME * TURN_MS);
	return 0;
}

void turn_create_permission(struct turn_server *s, struct turn_request *rq,
			    struct turn_alloc *a)
{
	turn_reply_result(s, rq, create(s, rq, a));
}
