// SPDX-License-Identifier: GPL-2.0-or-later
/* Message integrity (RFC 8489 sections 14.5 and 14.6). */
#include "request.h"

bool turn_integrity(struct turn_server *s, enum turn_hmac kind,
		    const uint8_t *key, size_t key_len,
		    const uint8_t *msg, size_t before, uint8_t *out)
{
	/* As if the message ended with the attribute. */
	size_t length = before - KTURN_STUN_HDR_LEN + KTURN_ATTR_HDR_LEN +
			turn_hmac_len(kind);
	uint8_t head[4] = { msg[0], msg[1], length >> 8 & 0xff, length & 0xff };
	const struct turn_bytes v[] = {
		{ head, sizeof(head) },
		{ msg + sizeof(head), before - sizeof(head) },
	};

	return turn_hmac(&s->crypto, kind, key, key_len, v, ARRAY_SIZE(v), out);
}

bool turn_integrity_ok(struct turn_server *s, const struct turn_request *rq,
		       const uint8_t *key, size_t key_len)
{
	bool sha256 = turn_has(rq, TURN_A_INTEGRITY_SHA256);
	enum turn_hmac kind = sha256 ? TURN_HMAC_SHA256 : TURN_HMAC_SHA1;
	const struct kturn_attr *attr = &rq->attr[sha256 ?
						  TURN_A_INTEGRITY_SHA256 :
						  TURN_A_INTEGRITY];
	size_t before = attr->value - KTURN_ATTR_HDR_LEN - rq->msg.msg;
	uint8_t want[TURN_DIGEST_MAX];

	if (!turn_integrity(s, kind, key, key_len, rq->msg.msg, before, want))
		return false;
	return !CRYPTO_memcmp(want, attr->value, turn_hmac_len(kind));
}
