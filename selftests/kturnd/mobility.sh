#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Clients that take their allocation along (RFC 8016), to other workers too.
# The daemon relays.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

cert=$tmp/cert.pem

# mobile_start [OPTION...]
mobile_start()
{
	kturnd_start --mobility yes --workers 4 --tls-cert "$cert" \
		--allow-peer 198.51.100.0/24 "$@" "${ALLOW_PEERS[@]}"
}

# left_are TEXT: allocations, relayed addresses, permissions and channels that
# there are, and moves that there were.
left_are()
{
	[ "$(kturnd_value "*(d['counters'][name] for name in
		('allocs', 'relays', 'perms', 'chans', 'moved'))")" = "$1" ]
}

# test_mobile MOVES TEST [ARGUMENT...]: of mobility.py; there were so many moves
# then since the daemon was started.
test_mobile()
{
	in_client python3 "$here/mobility.py" "${@:2}"
	wait_for 30 left_are "0 0 0 0 $1"
}

test_log()
{
	grep -qE 'event=client-moved client=198.51.100.3:[0-9]+ .*from=198.51.100.2:[0-9]+' \
		"$kturnd_log"
	grep -q 'event=client-away client=.* transport=tcp' "$kturnd_log"
	grep -q 'event=wrong-user .* user=bob method=0x004' "$kturnd_log"
}

test_off()
{
	kturnd_start
	in_client python3 "$here/mobility.py" off
}

# coturn's client, which moves after it has allocated.
test_uclient()
{
	mobile_start --channel-range 5766
	uclient 4 5 -M
	[ "$(kturnd_value "d['counters']['moved']")" -ge 2 ]
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj /CN=turn.example.org -days 2 -keyout "$tmp/key" -out "$tmp/crt" \
	2>"$tmp/openssl.log"
cat "$tmp/crt" "$tmp/key" >"$cert"

topology_up
ip -n "$client" addr add 198.51.100.3/24 dev client0
echo_start

mobile_start --user-quota 1

ktap_plan 14
run_test "mobility: from port to port" test_mobile 6 moves udp udp udp
run_test "mobility: UDP, TCP, UDP" test_mobile 10 moves tcp udp
run_test "mobility: TLS and DTLS" test_mobile 18 moves tls dtls udp tcp
run_test "mobility: nothing is lost under way" test_mobile 30 load 12
run_test "mobility: an answer is lost" test_mobile 38 repeated
run_test "mobility: a repeated request between data" test_mobile 46 late
run_test "mobility: what is refused" test_mobile 46 refused
run_test "mobility: the connection ends first, TCP" test_mobile 55 break tcp
run_test "mobility: the connection ends first, DTLS" test_mobile 64 break dtls
run_test "mobility: the new connection ends, TLS" test_mobile 68 next_ends tls
run_test "mobility: again before it is there" test_mobile 69 changes 8
run_test "mobility: the log" test_log
kturnd_stop
run_test "mobility: turned off" test_off
run_test "mobility: turnutils_uclient -M" test_uclient
ktap_finish
