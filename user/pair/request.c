// SPDX-License-Identifier: GPL-2.0-or-later
/* What a client asks for; see transaction.h. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "transaction.h"

static void add_peer(struct request *r, const struct kturn_attr *attr,
		     const uint8_t *tid)
{
	if (r->n == PEERS_MAX ||
	    kturn_xor_addr_parse(attr->value, attr->len, tid, &r->peer[r->n]))
		r->odd = true;
	else
		r->n++;
}

static void set_label(struct request *r, const struct kturn_attr *attr)
{
	size_t len = attr->len;

	if (len > KTURN_LABEL_MAX)
		len = KTURN_LABEL_MAX;
	/* A NUL would end it early, which is as good. */
	memcpy(r->label, attr->value, len);
	r->label[len] = '\0';
}

static void attr_read(struct request *r, const struct kturn_attr *attr,
		      const uint8_t *tid)
{
	switch (attr->type) {
	case KTURN_ATTR_XOR_PEER_ADDRESS:
		add_peer(r, attr, tid);
		break;
	case KTURN_ATTR_CHANNEL_NUMBER:
		if (attr->len != 4 || r->number)
			r->odd = true;
		else
			r->number = kturn_get16(attr->value);
		break;
	case KTURN_ATTR_REQUESTED_TRANSPORT:
		if (attr->len != 4 || attr->value[0] != IPPROTO_UDP)
			r->odd = true;
		break;
	case KTURN_ATTR_REQUESTED_ADDRESS_FAMILY:
		r->family = true;
		break;
	case KTURN_ATTR_RESERVATION_TOKEN:
		r->reserved = true;
		break;
	case KTURN_ATTR_USERNAME:
		set_label(r, attr);
		break;
	case ATTR_MOBILITY_TICKET:
		r->odd = true;
		break;
	default:
		/* Of TCP (RFC 6062), and what is to come. */
		if (kturn_attr_required(attr->type) &&
		    !kturn_attr_known(attr->type))
			r->odd = true;
		break;
	}
}

/* RFC 8489 section 14.5: what follows MESSAGE-INTEGRITY does not count. */
static bool ends(uint16_t type)
{
	return type == KTURN_ATTR_MESSAGE_INTEGRITY ||
	       type == KTURN_ATTR_MESSAGE_INTEGRITY_SHA256;
}

struct request *request_parse(const struct kturn_stun *msg)
{
	struct kturn_attr_iter it;
	struct request *r, *small;
	struct kturn_attr attr;

	r = calloc(1, sizeof(*r) + PEERS_MAX * sizeof(r->peer[0]));
	if (!r)
		return NULL;
	r->method = msg->method;
	kturn_attr_begin(&it, msg);
	while (kturn_attr_next(&it, &attr) && !ends(attr.type))
		attr_read(r, &attr, msg->tid);
	r->odd |= it.error;
	switch (r->method) {
	case KTURN_CREATE_PERMISSION:
		r->odd |= !r->n || r->number;
		break;
	case KTURN_CHANNEL_BIND:
		r->odd |= r->n != 1 || r->number < KTURN_CHAN_MIN ||
			  r->number > KTURN_CHAN_MAX_5766 ||
			  !kturn_addr_port(&r->peer[0]);
		break;
	}
	small = realloc(r, sizeof(*r) + r->n * sizeof(r->peer[0]));
	return small ? small : r;
}
