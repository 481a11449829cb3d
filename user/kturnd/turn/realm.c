// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which realm a request is in.
 *
 * A challenge names the realm that the server chooses: by the ORIGIN of the
 * request (draft-ietf-tram-stun-origin-06), or by where it came in. A request
 * with credentials names its own, which the nonce is bound to: who was sent to
 * one realm can't have credentials tried in another without knowing them, and
 * what is none of ours looks like one in which the user is not.
 */
#include "request.h"

static const struct turn_realm *by_origin(struct turn_server *s,
					  const struct turn_request *rq)
{
	const struct turn_realm *realm;
	struct kturn_attr_iter it;
	struct kturn_attr attr;

	/* The first that is known: there may be several. */
	kturn_attr_begin(&it, &rq->msg);
	while (kturn_attr_next(&it, &attr) && attr.value < rq->end) {
		if (attr.type != KTURN_ATTR_ORIGIN)
			continue;
		realm = s->ops->realm_by_origin(s->env,
						(const char *)attr.value,
						attr.len);
		if (realm)
			return realm;
	}
	return NULL;
}

const struct turn_realm *turn_realm_choose(struct turn_server *s,
					   const struct turn_request *rq)
{
	const struct turn_realm *realm = NULL;
	struct turn_alloc *a;

	/* It can't be used with another's credentials. */
	a = rq->alloc;
	if (a)
		realm = s->ops->realm_find(s->env, a->realm, strlen(a->realm));
	if (!realm && turn_has(rq, TURN_A_ORIGIN))
		realm = by_origin(s, rq);
	return realm ? realm : s->ops->realm_at(s->env, rq->tuple);
}

/*
 * Byte by byte: ours had OpaqueString applied, and the client copied it from a
 * challenge (RFC 8489 section 9.2.5).
 */
const struct turn_realm *turn_realm_named(struct turn_server *s,
					  const struct turn_request *rq)
{
	const uint8_t *p = rq->attr[TURN_A_REALM].value;
	size_t len = rq->attr[TURN_A_REALM].len;

	turn_username_trim(&p, &len);
	return s->ops->realm_find(s->env, (const char *)p, len);
}
