// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tickets (RFC 8016 section 3.3): a handle to the allocation, encrypted and
 * authenticated, so that it tells nothing and can't be made by anybody else. In
 * base64:
 *
 *	tag	16 bytes, over the other two
 *	id	44 bits, the allocation's; random		encrypted
 *	seq	20 bits, which of its tickets			encrypted
 *
 * 32 characters, and all of them text: coturn's client has no room for more, and
 * takes it for a string. It fits on whatever path the client has come to (section
 * 3.1.2).
 */
#include "handover.h"
#include "mobile.h"

#define TEXT_LEN	8
#define BOX_LEN		(TURN_SEAL_TAG_LEN + TEXT_LEN)

_Static_assert(BOX_LEN / 3 * 4 == TURN_TICKET_LEN && !(BOX_LEN % 3),
	       "four characters for three bytes");
_Static_assert(sizeof(((struct turn_config *)0)->ticket_key) ==
	       TURN_SEAL_KEY_LEN, "a key");

static bool encode(struct turn_server *s, uint64_t id, uint32_t seq,
		   char ticket[TURN_TICKET_LEN + 1])
{
	uint64_t both = id << TURN_SEQ_BITS | seq;
	uint8_t text[TEXT_LEN], box[BOX_LEN];

	kturn_put32(text, both >> 32);
	kturn_put32(text + 4, (uint32_t)both);
	if (!turn_seal(&s->crypto, s->cfg.ticket_key, text, sizeof(text), box))
		return false;
	EVP_EncodeBlock((uint8_t *)ticket, box, sizeof(box));
	return true;
}

static void decode(struct turn_server *s, const struct kturn_attr *attr,
		   struct turn_ticket *ticket)
{
	char same[TURN_TICKET_LEN + 1];
	uint8_t text[TEXT_LEN], box[BOX_LEN];
	uint64_t both;

	if (attr->len != TURN_TICKET_LEN ||
	    EVP_DecodeBlock(box, attr->value, TURN_TICKET_LEN) != BOX_LEN ||
	    !turn_unseal(&s->crypto, s->cfg.ticket_key, box, TEXT_LEN, text))
		return;
	both = (uint64_t)kturn_get32(text) << 32 | kturn_get32(text + 4);
	ticket->id = both >> TURN_SEQ_BITS;
	ticket->seq = both & TURN_SEQ_MAX;
	/* Base64 can say the same in several ways; only one is ours. */
	ticket->valid = encode(s, ticket->id, ticket->seq, same) &&
			!CRYPTO_memcmp(same, attr->value, TURN_TICKET_LEN);
}

void turn_ticket_read(struct turn_server *s, struct turn_request *rq)
{
	if (s->cfg.mobility && rq->msg.method == KTURN_REFRESH &&
	    turn_has(rq, TURN_A_TICKET))
		decode(s, &rq->attr[TURN_A_TICKET], &rq->ticket);
}

void turn_ticket_add(struct turn_server *s, struct turn_reply *rp,
		     const struct turn_mobile *m)
{
	char ticket[TURN_TICKET_LEN + 1];

	if (encode(s, m->id, m->seq, ticket))
		kturn_build_attr(&rp->b, KTURN_ATTR_MOBILITY_TICKET, ticket,
				 TURN_TICKET_LEN);
	else
		/* Rather no answer than one without what was asked for. */
		rp->b.overflow = true;
}

bool turn_ticket_id(struct turn_server *s, const uint8_t *buf, size_t len,
		    uint64_t *id)
{
	struct turn_request rq = { .len = len };

	if (!s->cfg.mobility || kturn_wire_kind(buf, len) != KTURN_KIND_STUN ||
	    kturn_get16(buf) != kturn_type(KTURN_REFRESH, KTURN_REQUEST) ||
	    kturn_stun_parse(buf, len, &rq.msg))
		return false;
	turn_request_collect(&rq);
	turn_ticket_read(s, &rq);
	*id = rq.ticket.id;
	return rq.ticket.valid;
}
