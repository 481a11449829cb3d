/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of turn_test. */
#ifndef KTURN_SELFTESTS_TURN_TEST_H
#define KTURN_SELFTESTS_TURN_TEST_H

#include "client.h"

#define PEER_A		"192.0.2.10:7000"
#define PEER_A2		"192.0.2.10:7001"	/* another port of that host */
#define PEER_B		"192.0.2.20:7000"
#define PEER_V6		"[2001:db8:1::10]:7000"

/* What a client has got, to take its allocation along (RFC 8016). */
struct ticket {
	uint8_t p[64];
	size_t len;
};

/* The one in the response, if there is one. */
bool resp_ticket(struct ticket *ticket);
/* For a UDP relay; and a Refresh with a ticket. */
void req_allocate(struct request *r, struct client *client);
void req_move(struct request *r, struct client *client,
	      const struct ticket *ticket, uint32_t lifetime);
/* An Allocate that asks for one; as do_allocate(). */
int do_allocate_ticket(struct client *c, struct ticket *t);
/* A Refresh with it, from where @c is now; the new one takes its place. */
int do_move(struct client *c, struct ticket *t, uint32_t lifetime);
/* In a new world with mobility, allocated with a ticket. */
void mobile_begin(struct client *c, struct ticket *t);
/* The same client at another port. */
struct client at_port(const struct client *c, uint16_t port);

extern const struct ktap_case parts_cases[], binding_cases[], auth_cases[],
	names_cases[], nonce_cases[], rest_cases[], wait_cases[],
	allocate_cases[], ports_cases[], dual_cases[], refresh_cases[],
	permission_cases[], channel_cases[],
	data_cases[], icmp_cases[], expiry_cases[], adopt_cases[],
	tcp_cases[], bind_cases[], mobility_cases[], handover_cases[],
	owner_cases[],
	malformed_cases[], garbage_cases[], scale_cases[], realms_cases[],
	token_cases[], pool_cases[];
extern const size_t parts_count, binding_count, auth_count, names_count,
	nonce_count, rest_count, wait_count, allocate_count, ports_count, dual_count,
	refresh_count,
	permission_count, channel_count, data_count, icmp_count,
	expiry_count, adopt_count, tcp_count, bind_count, mobility_count,
	handover_count, owner_count, malformed_count, garbage_count, scale_count,
	realms_count, token_count, pool_count;

#endif /* KTURN_SELFTESTS_TURN_TEST_H */
