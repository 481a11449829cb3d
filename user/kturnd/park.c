// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests that wait for the user store; see park.h. */
#include <stdlib.h>
#include <string.h>

#include "park.h"

static void take_out(struct park *p, struct parked *r)
{
	TAILQ_REMOVE(&p->list, r, entry);
	p->n--;
}

void park_init(struct park *p)
{
	memset(p, 0, sizeof(*p));
	TAILQ_INIT(&p->list);
}

void park_free(struct park *p)
{
	struct parked *r;

	while ((r = TAILQ_FIRST(&p->list))) {
		take_out(p, r);
		free(r);
	}
}

static bool is_there(const struct park *p, const struct turn_tuple *tuple,
		     const uint8_t *msg, size_t len)
{
	const struct parked *r;

	TAILQ_FOREACH(r, &p->list, entry)
		if (r->len == len && !memcmp(r->msg, msg, len) &&
		    !memcmp(&r->tuple, tuple, sizeof(*tuple)))
			return true;
	return false;
}

void park_add(struct park *p, uint64_t number, uint64_t now,
	      const struct turn_tuple *tuple, const uint8_t *msg, size_t len)
{
	struct parked *r;

	if (is_there(p, tuple, msg, len))
		return;
	r = len <= PARK_LEN_MAX ? malloc(sizeof(*r) + len) : NULL;
	if (!r) {
		p->dropped++;
		return;
	}
	r->number = number;
	r->since = now;
	r->tuple = *tuple;
	r->len = len;
	memcpy(r->msg, msg, len);
	TAILQ_INSERT_TAIL(&p->list, r, entry);
	if (++p->n <= PARK_MAX)
		return;
	r = TAILQ_FIRST(&p->list);
	take_out(p, r);
	free(r);
	p->dropped++;
}

void park_take(struct park *p, uint64_t number, struct parked_list *out)
{
	struct parked *r, *next;

	TAILQ_INIT(out);
	for (r = TAILQ_FIRST(&p->list); r; r = next) {
		next = TAILQ_NEXT(r, entry);
		if (r->number != number)
			continue;
		take_out(p, r);
		TAILQ_INSERT_TAIL(out, r, entry);
	}
}

void park_forget(struct park *p, const struct turn_tuple *tuple)
{
	struct parked *r, *next;

	for (r = TAILQ_FIRST(&p->list); r; r = next) {
		next = TAILQ_NEXT(r, entry);
		if (memcmp(&r->tuple, tuple, sizeof(*tuple)))
			continue;
		take_out(p, r);
		free(r);
	}
}
