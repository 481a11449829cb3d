#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Bandwidth of users and of all, where the kernel relays.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

# quotas_are LIST: the kernel's in order, each as: is it that of all; how many
# allocations share it; bits to peers and packets to clients, a second.
quotas_are()
{
	local is

	is=$(kturn_value "sorted((q['id'] == '0', q['allocs'],
		q.get('limit_to_peer', {}).get('bit_rate', 0),
		q.get('limit_to_client', {}).get('packet_rate', 0))
		for q in d['quotas'])" show quota)
	[ "$is" = "$1" ] || fail "the quotas are $is, not $1"
}

# dropped_by_quota: packets
dropped_by_quota()
{
	kturn_value "d['drop'].get('quota', 0)" stats
}

# shares TEST [TRANSPORT...]: with 100 kB a second, and 20 kB at once.
shares()
{
	local before

	before=$(dropped_by_quota)
	in_client python3 "$here/bandwidth.py" "$1" 100000 20000 "${@:2}"
	[ "$(dropped_by_quota)" -ge $((before + 50)) ]
	[ "$(kturnd_value "d['counters']['over_limit']")" -eq 0 ]
}

test_user()
{
	fresh_start --workers 2 --user-limit-to-peer 800kbit/20kB \
		"${ALLOW_PEERS[@]}"
	shares user udp udp
	[ "$(kturnd_value "d['counters']['to_peer']['packets']")" -eq 0 ]
}

test_total()
{
	fresh_start --workers 2 --total-limit-to-client 800kbit/20kB \
		"${ALLOW_PEERS[@]}"
	shares total udp udp
}

# They come with the module, and stay with those that a successor goes on with.
test_lives()
{
	local options=(--user-limit-to-peer 8Mbit --total-limit-to-client
		5000pps --limit-to-peer 7Mbit "${ALLOW_PEERS[@]}")

	fresh_start "${options[@]}"
	start taken module
	until_step module
	quotas_are "[(False, 4, 8000000, 0), (True, 4, 0, 5000)]"
	defer module_back
	rmmod kturn
	wait_for 30 plane_is user
	insmod "$KTURN_KO"
	wait_for 30 kernel_has 4
	quotas_are "[(False, 4, 8000000, 0), (True, 4, 0, 5000)]"
	done_step module
	finish
	quotas_are "[]"
}

module_load
topology_up
echo_start

ktap_plan 3
run_test "quotas: limits of a user" test_user
run_test "quotas: limits of all" test_total
run_test "quotas: the module comes and goes" test_lives
ktap_finish
