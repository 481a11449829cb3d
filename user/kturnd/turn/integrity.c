// SPDX-License-Identifier: GPL-2.0-or-later
/* Message integrity (RFC 8489 sections 14.5 and 14.6). */
#include "request.h"

bool turn_integrity(const struct turn_hmac_key *mac, const uint8_t *msg,
		    size_t before, uint8_t *out)
{
	/* As if the message ended with the attribute. */
	size_t length = before - KTURN_STUN_HDR_LEN + KTURN_ATTR_HDR_LEN +
			turn_hmac_len(mac->kind);
	uint8_t head[4] = { msg[0], msg[1], length >> 8 & 0xff, length & 0xff };
	const struct turn_bytes v[] = {
		{ head, sizeof(head) },
		{ msg + sizeof(head), before - sizeof(head) },
	};

	return turn_hmac(mac, v, ARRAY_SIZE(v), out);
}

static bool fits(const struct turn_request *rq,
		 const struct turn_hmac_key *mac)
{
	const struct kturn_attr *attr =
		&rq->attr[mac->kind == TURN_HMAC_SHA256 ?
			  TURN_A_INTEGRITY_SHA256 : TURN_A_INTEGRITY];
	size_t before = attr->value - KTURN_ATTR_HDR_LEN - rq->msg.msg;
	uint8_t want[TURN_DIGEST_MAX];

	return turn_integrity(mac, rq->msg.msg, before, want) &&
	       !CRYPTO_memcmp(want, attr->value, turn_hmac_len(mac->kind));
}

/* Keys are digests: any of their bits do. */
static struct turn_ready_key *slot(struct turn_server *s, const uint8_t *key)
{
	return &s->ready[key[0] % ARRAY_SIZE(s->ready)];
}

bool turn_integrity_ok(struct turn_server *s, const struct turn_request *rq,
		       const uint8_t *key, size_t key_len,
		       struct turn_hmac_key *mac)
{
	enum turn_hmac kind = turn_has(rq, TURN_A_INTEGRITY_SHA256) ?
			      TURN_HMAC_SHA256 : TURN_HMAC_SHA1;
	struct turn_ready_key *r = slot(s, key);
	bool ready, ok;

	ready = r->len == key_len && r->mac.kind == kind &&
		!CRYPTO_memcmp(r->key, key, key_len);
	if (ready)
		*mac = r->mac;
	else if (!turn_hmac_key(mac, kind, key, key_len))
		return false;

	ok = fits(rq, mac);
	if (ok && !ready) {
		memcpy(r->key, key, key_len);
		r->len = key_len;
		r->mac = *mac;
	}
	/* Time must not tell who was here before, to those with no password. */
	if (!ok && ready)
		turn_hmac_key(mac, kind, key, key_len);
	return ok;
}
