#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Dual allocations: a relayed address of each family. The daemon relays.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

as_dual()
{
	in_client python3 "$here/dual.py" "$@"
}

count()
{
	kturnd_value "d['counters']['$1']"
}

test_echo()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	as_dual echo "$1"
	[ "$(count allocs)" -eq 1 ]
	[ "$(count relays)" -eq 2 ]
	[ "$(count to_peer)" = "{'packets': 12, 'bytes': 4804}" ]
	grep -qE 'event=alloc-new .* relay=[0-9.]+:[0-9]+ relay=\[[0-9a-f:]+\]:[0-9]+ lifetime=600$' \
		"$kturnd_log"
}

test_hairpin()
{
	kturnd_start --workers 2
	as_dual hairpin
}

test_refused()
{
	kturnd_start
	as_dual refused
}

# No address of the other family, or no port of it.
test_part()
{
	kturnd_start --relay "$RELAY_PEER_V4" "${ALLOW_PEERS[@]}"
	as_dual part 4 440
	kturnd_stop
	kturnd_start --relay "$RELAY_PEER_V4" --relay "$RELAY_PEER_V6" \
		--relay-ports 50000-50000 "${ALLOW_PEERS[@]}"
	occupy "$1"
	as_dual part "$((10 - $1))" 508
}

# occupy FAMILY: somebody else has the only port.
occupy()
{
	local address=$RELAY_PEER_V4

	[ "$1" -eq 4 ] || address=$RELAY_PEER_V6
	background in_relay python3 "$here/echo.py" 50000 "$address"
	wait_for 30 has_text "$background_log" ready
}

test_end()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	as_dual end "$1"
	[ "$(count allocs)" -eq 1 ]
	[ "$(count relays)" -eq 1 ]
	grep -qE 'event=relay-end .* reason=client$' "$kturnd_log"
}

test_all_ports()
{
	kturnd_start --relay "$RELAY_PEER_V4" --relay "$RELAY_PEER_V6" \
		--relay-ports 50000-50003 "${ALLOW_PEERS[@]}"
	as_dual all_ports 50000 50003
	[ "$(count relays)" -eq 0 ]
}

test_quota()
{
	kturnd_start --user-quota 2
	as_dual quota 2
}

topology_up
echo_start

ktap_plan 10
run_test "dual: peers of both families, client of IPv4" test_echo 4
run_test "dual: peers of both families, client of IPv6" test_echo 6
run_test "dual: hairpin" test_hairpin
run_test "dual: 400" test_refused
run_test "dual: IPv6 can't be had, 440 and 508" test_part 6
run_test "dual: IPv4 can't be had, 508" test_part 4
run_test "dual: the end of IPv4" test_end 4
run_test "dual: the end of IPv6" test_end 6
run_test "dual: all ports" test_all_ports
run_test "dual: one of the quota" test_quota
ktap_finish
