// SPDX-License-Identifier: GPL-2.0-or-later
/* Reserved ports; see reserve.h. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "relay.h"
#include "reserve.h"

struct reservation {
	TAILQ_ENTRY(reservation) entry;
	struct turn_relay relay;
	uint64_t expires_ms;
	uint8_t token[8];
};

void reserve_init(struct reserve *r)
{
	pthread_mutex_init(&r->lock, NULL);
	TAILQ_INIT(&r->list);
}

static void drop(struct reserve *r, struct reservation *one)
{
	TAILQ_REMOVE(&r->list, one, entry);
	relay_close(&one->relay);
	free(one);
}

void reserve_free(struct reserve *r)
{
	while (!TAILQ_EMPTY(&r->list))
		drop(r, TAILQ_FIRST(&r->list));
	pthread_mutex_destroy(&r->lock);
}

static void expire_locked(struct reserve *r, uint64_t now)
{
	struct reservation *first;

	while ((first = TAILQ_FIRST(&r->list)) && first->expires_ms <= now)
		drop(r, first);
}

void reserve_expire(struct reserve *r, uint64_t now)
{
	pthread_mutex_lock(&r->lock);
	expire_locked(r, now);
	pthread_mutex_unlock(&r->lock);
}

int reserve_put(struct reserve *r, const uint8_t token[8],
		struct turn_relay *relay, uint64_t expires_ms)
{
	struct reservation *one = calloc(1, sizeof(*one)), *before;

	if (!one)
		return -ENOMEM;
	one->relay = *relay;
	one->expires_ms = expires_ms;
	memcpy(one->token, token, sizeof(one->token));
	pthread_mutex_lock(&r->lock);
	/* All last equally long, so its place is at the end or near it. */
	TAILQ_FOREACH_REVERSE(before, &r->list, reservation_list, entry)
		if (before->expires_ms <= expires_ms)
			break;
	if (before)
		TAILQ_INSERT_AFTER(&r->list, before, one, entry);
	else
		TAILQ_INSERT_HEAD(&r->list, one, entry);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

int reserve_claim(struct reserve *r, const uint8_t token[8],
		  struct turn_relay *relay, uint64_t now)
{
	struct reservation *one;
	int ret = -ENOENT;

	pthread_mutex_lock(&r->lock);
	expire_locked(r, now);
	TAILQ_FOREACH(one, &r->list, entry) {
		if (CRYPTO_memcmp(one->token, token, sizeof(one->token)))
			continue;
		*relay = one->relay;
		TAILQ_REMOVE(&r->list, one, entry);
		free(one);
		ret = 0;
		break;
	}
	pthread_mutex_unlock(&r->lock);
	return ret;
}
