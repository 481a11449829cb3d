// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Classic STUN (RFC 3489): messages without the magic cookie. Over DTLS they
 * are told that they are invalid (RFC 8489 section 11); elsewhere they are
 * nobody's, as this is no stand-alone STUN server (section 12).
 */
#include "request.h"

#define TID_LEN		16
/* Reason phrases of RFC 3489 have a multiple of four bytes, not padding. */
#define REASON		"Server Error"
#define REASON_LEN	(sizeof(REASON) - 1)

static bool is_request(const uint8_t *buf, size_t len)
{
	return len >= KTURN_STUN_HDR_LEN && !(buf[0] & 0xc1) &&
	       !(buf[1] & 0x10) &&
	       kturn_get16(buf + 2) == len - KTURN_STUN_HDR_LEN &&
	       kturn_get32(buf + 4) != KTURN_STUN_MAGIC;
}

void turn_classic_input(struct turn_server *s, uint64_t now,
			const struct turn_tuple *tuple,
			const uint8_t *buf, size_t len)
{
	uint8_t answer[KTURN_STUN_HDR_LEN + 8 + REASON_LEN] = { 0 };
	uint8_t *attr = answer + KTURN_STUN_HDR_LEN;

	if (tuple->transport != TURN_DTLS || !is_request(buf, len))
		return;
	if (!s->ops->may_answer(s->env, tuple, now)) {
		s->counters.limited++;
		return;
	}

	/* The class of an error response. */
	kturn_put16(answer, kturn_get16(buf) | 0x0110);
	kturn_put16(answer + 2, sizeof(answer) - KTURN_STUN_HDR_LEN);
	memcpy(answer + 4, buf + 4, TID_LEN);
	kturn_put16(attr, KTURN_ATTR_ERROR_CODE);
	kturn_put16(attr + 2, 4 + REASON_LEN);
	attr[6] = 5;
	memcpy(attr + 8, REASON, REASON_LEN);
	s->ops->client_send(s->env, tuple, answer, sizeof(answer));
}
