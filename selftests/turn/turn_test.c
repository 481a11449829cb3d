// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tests of the TURN state machine, from outside: datagrams and times go in,
 * and what comes out is looked at. Built with AddressSanitizer and UBSan.
 */
#include "turn_test.h"

static const struct {
	const struct ktap_case *cases;
	const size_t *n;
} groups[] = {
	{ parts_cases, &parts_count },
	{ binding_cases, &binding_count },
	{ auth_cases, &auth_count },
	{ names_cases, &names_count },
	{ nonce_cases, &nonce_count },
	{ rest_cases, &rest_count },
	{ wait_cases, &wait_count },
	{ realms_cases, &realms_count },
	{ token_cases, &token_count },
	{ allocate_cases, &allocate_count },
	{ ports_cases, &ports_count },
	{ dual_cases, &dual_count },
	{ refresh_cases, &refresh_count },
	{ permission_cases, &permission_count },
	{ channel_cases, &channel_count },
	{ data_cases, &data_count },
	{ icmp_cases, &icmp_count },
	{ expiry_cases, &expiry_count },
	{ pool_cases, &pool_count },
	{ adopt_cases, &adopt_count },
	{ tcp_cases, &tcp_count },
	{ bind_cases, &bind_count },
	{ mobility_cases, &mobility_count },
	{ handover_cases, &handover_count },
	{ owner_cases, &owner_count },
	{ malformed_cases, &malformed_count },
	{ garbage_cases, &garbage_count },
	{ scale_cases, &scale_count },
};

int main(void)
{
	size_t total = 0, i;

	for (i = 0; i < KTAP_COUNT(groups); i++)
		total += *groups[i].n;
	ktap_plan(total);
	for (i = 0; i < KTAP_COUNT(groups); i++)
		ktap_run(groups[i].cases, *groups[i].n);
	return ktap_end();
}
