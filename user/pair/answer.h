/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server's success response says. */
#ifndef _PAIR_ANSWER_H
#define _PAIR_ANSWER_H

#include <stdbool.h>
#include <stdint.h>
#include <kturn/wire.h>

/**
 * struct answer - what counts of it
 * @odd: it says something that is not understood here
 * @has_lifetime: @lifetime was there
 * @lifetime: seconds
 * @relay: relayed addresses as the server tells them: [0] IPv4, [1] IPv6
 */
struct answer {
	bool odd;
	bool has_lifetime;
	uint32_t lifetime;
	struct kturn_addr relay[2];
};

/** MOBILITY-TICKET, RFC 8016 section 5: such an allocation may move. */
#define ATTR_MOBILITY_TICKET	0x8030

/** answer_parse() - read the attributes of @msg */
void answer_parse(const struct kturn_stun *msg, struct answer *a);

#endif /* _PAIR_ANSWER_H */
