// SPDX-License-Identifier: GPL-2.0-or-later
/* Who has which allocation; see mobility.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mobility.h"
#include "turn/crypto.h"
#include "worker.h"

/**
 * struct place - where an allocation is
 * @node: by @id, which is random and so needs no hash
 * @id: what tickets call it
 * @worker: who has it
 */
struct place {
	struct turn_node node;
	uint64_t id;
	struct worker *worker;
};

bool mobility_key(const uint8_t secret[32], uint8_t key[32])
{
	static const char label[] = "kturnd mobility tickets";
	const struct turn_bytes v = { label, sizeof(label) };
	struct turn_hmac_key mac;
	bool ok;

	ok = turn_hmac_key(&mac, TURN_HMAC_SHA256, secret, 32) &&
	     turn_hmac(&mac, &v, 1, key);
	explicit_bzero(&mac, sizeof(mac));
	return ok;
}

int mobility_init(struct mobility *m)
{
	memset(m, 0, sizeof(*m));
	if (!turn_table_init(&m->by_id))
		return -ENOMEM;
	pthread_mutex_init(&m->lock, NULL);
	return 0;
}

void mobility_free(struct mobility *m)
{
	if (!m->by_id.buckets)
		return;
	turn_table_destroy(&m->by_id);
	pthread_mutex_destroy(&m->lock);
}

/* The node is a place's first member. */
static struct place *find_locked(const struct mobility *m, uint64_t id)
{
	return (struct place *)turn_table_first(&m->by_id, id);
}

int mobility_add(struct mobility *m, uint64_t id, struct worker *w)
{
	struct place *p = calloc(1, sizeof(*p));
	int ret = -EEXIST;

	if (!p)
		return -ENOMEM;
	p->id = id;
	p->worker = w;
	pthread_mutex_lock(&m->lock);
	if (!find_locked(m, id)) {
		turn_table_add(&m->by_id, &p->node, id);
		ret = 0;
	}
	pthread_mutex_unlock(&m->lock);
	if (ret)
		free(p);
	return ret;
}

void mobility_remove(struct mobility *m, uint64_t id)
{
	struct place *p;

	pthread_mutex_lock(&m->lock);
	p = find_locked(m, id);
	if (p)
		turn_table_del(&m->by_id, &p->node);
	pthread_mutex_unlock(&m->lock);
	free(p);
}

struct worker *mobility_find(struct mobility *m, uint64_t id)
{
	struct worker *w = NULL;
	struct place *p;

	pthread_mutex_lock(&m->lock);
	p = find_locked(m, id);
	if (p)
		w = p->worker;
	pthread_mutex_unlock(&m->lock);
	return w;
}

void mobility_hand_over(struct mobility *m, uint64_t id, struct worker *to,
			struct worker_msg *msg)
{
	struct place *p;

	pthread_mutex_lock(&m->lock);
	worker_post(to, msg);
	p = find_locked(m, id);
	if (p)
		p->worker = to;
	pthread_mutex_unlock(&m->lock);
}
