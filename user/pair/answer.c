// SPDX-License-Identifier: GPL-2.0-or-later
/* What a server's success response says; see answer.h. */
#include <string.h>

#include "answer.h"

static void add_relay(struct answer *a, const struct kturn_attr *attr,
		      const uint8_t *tid)
{
	struct kturn_addr relay;

	if (kturn_xor_addr_parse(attr->value, attr->len, tid, &relay) ||
	    !kturn_addr_port(&relay) || a->relay[relay.family - 1].family)
		a->odd = true;
	else
		a->relay[relay.family - 1] = relay;
}

static void set_lifetime(struct answer *a, const struct kturn_attr *attr)
{
	if (attr->len != 4 || a->has_lifetime) {
		a->odd = true;
		return;
	}
	a->has_lifetime = true;
	a->lifetime = kturn_get32(attr->value);
}

void answer_parse(const struct kturn_stun *msg, struct answer *a)
{
	struct kturn_attr_iter it;
	struct kturn_attr attr;

	memset(a, 0, sizeof(*a));
	kturn_attr_begin(&it, msg);
	while (kturn_attr_next(&it, &attr)) {
		switch (attr.type) {
		case KTURN_ATTR_XOR_RELAYED_ADDRESS:
			add_relay(a, &attr, msg->tid);
			break;
		case KTURN_ATTR_LIFETIME:
			set_lifetime(a, &attr);
			break;
		case ATTR_MOBILITY_TICKET:
			a->odd = true;
			break;
		default:
			if (kturn_attr_required(attr.type) &&
			    !kturn_attr_known(attr.type))
				a->odd = true;
			break;
		}
	}
	a->odd |= it.error;
}
