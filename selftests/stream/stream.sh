#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd serves clients that come by TCP, and what a load balancer passes on.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"
. "$(dirname "$0")/common.sh"

test_uclient()
{
	kturnd_start --channel-range 5766 "${ALLOW_PEERS[@]}"
	uclient_streams -t
	[ "$(kturnd_value "d['counters']['to_peer']['packets']")" -eq 160 ]
	[ "$(kturnd_value "d['counters']['allocs']")" -eq 0 ]
	wait_for 30 no_connections
	[ "$(kturnd_value "d['counters']['connections']['dropped']")" -eq 0 ]
}

no_connections()
{
	[ "$(kturnd_value "d['counters']['connections']['now']")" -eq 0 ]
}

# What kturnd's other tests do with datagrams.
test_requests()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	TRANSPORT=tcp as_client "$@"
}

test_patience()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	as_stream patience
	grep -q 'event=connection-closed .* reason="no message came"' \
		"$kturnd_log"
	grep -q 'event=connection-closed .* reason="a message did not end"' \
		"$kturnd_log"
}

test_simple()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	as_stream "$@"
}

test_gone()
{
	kturnd_start --user-quota 1 "${ALLOW_PEERS[@]}"
	as_stream gone tcp
	grep -q 'event=alloc-end .* transport=tcp .* reason=disconnected' \
		"$kturnd_log"
	wait_for 30 no_connections
	[ "$(kturnd_value "d['counters']['allocs']")" -eq 0 ]
}

test_slow_reader()
{
	kturnd_start --workers 1 "${ALLOW_PEERS[@]}"
	as_stream slow_reader 20000 1200
	[ "$(kturnd_value "d['counters']['connections']['dropped']")" -gt 1000 ]
}

test_too_many()
{
	kturnd_start --workers 1 --max-connections 10 "${ALLOW_PEERS[@]}"
	as_stream too_many 10
	[ "$(kturnd_value "d['counters']['connections']['refused']")" -eq 6 ]
	kturnd_stop
	kturnd_start --workers 1 --max-connections 10 "${ALLOW_PEERS[@]}"
	as_stream all_taken 10
	grep -q 'event=connection-refused' "$kturnd_log"
}

# So few descriptors that they are used up by connections.
test_no_descriptors()
{
	kturnd_start --workers 1 "${ALLOW_PEERS[@]}"
	prlimit --pid "$kturnd_pid" --nofile=80:80
	as_stream no_descriptors 100
	grep -q 'event=accept-failed error="Too many open files"' "$kturnd_log"
}

test_proxy()
{
	kturnd_start --workers 1 --proxy-from 198.51.100.0/24 "${ALLOW_PEERS[@]}"
	as_stream proxy tcp
	as_stream proxy_pieces
	as_stream proxy_half
	as_stream proxy_missing
	grep -q 'reason="it has no PROXY header of version 2"' "$kturnd_log"
	grep -q 'reason="its PROXY header is not about TCP over IP"' \
		"$kturnd_log"
	grep -q 'reason="its PROXY header is too long"' "$kturnd_log"
	# A client's own address is what counts in the log, too.
	grep -q 'event=alloc-new client=192.0.2.9:40009 transport=tcp' \
		"$kturnd_log"
}

test_transports()
{
	kturnd_start --transport tcp "${ALLOW_PEERS[@]}"
	as_stream pieces
	[ -z "$(in_relay ss -Hulpn "sport = 3478")" ]
	kturnd_stop
	kturnd_start --transport udp "${ALLOW_PEERS[@]}"
	[ -z "$(in_relay ss -Htlpn "sport = 3478")" ]
}

# Somebody else has the port; of our own connections it is not kept.
test_port_taken()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	as_stream pieces
	kturnd_stop
	kturnd_start "${ALLOW_PEERS[@]}"
	kturnd_stop
	background in_relay python3 -c '
import socket, sys, time
s = socket.create_server(("198.51.100.1", 3478))
print("ready", flush=True)
time.sleep(600)'
	wait_for 30 has_text "$background_log" ready
	fails kturnd_start "${ALLOW_PEERS[@]}"
	grep -q 'event=listen-failed listen=198.51.100.1:3478 transport=tcp' \
		"$kturnd_log"
}

topology_up
echo_start
idle_start tcp
patience_start

ktap_plan 20
run_test "stream: coturn's client, channels and indications, 4 and 6" \
	test_uclient
run_test "stream: data of all sizes, IPv4" test_requests echo 4
run_test "stream: data of all sizes, IPv6" test_requests echo 6
run_test "stream: hairpin" test_requests hairpin 4
run_test "stream: many clients" test_requests many 100
run_test "stream: messages in pieces, and several at once" test_simple pieces
run_test "stream: what is no STUN" test_simple nonsense
run_test "stream: what is no STUN, from a client" test_simple nonsense_later
run_test "stream: clients that say nothing, or do not finish" test_patience
run_test "stream: an allocation ends with its connection" test_gone
run_test "stream: a client that is too slow for its data" test_slow_reader
run_test "stream: a client that does not take answers" \
	test_simple asks_only 400000
run_test "stream: too many connections" test_too_many
run_test "stream: no more descriptors" test_no_descriptors
run_test "stream: PROXY protocol" test_proxy
run_test "stream: PROXY headers of others" test_simple nonsense
run_test "stream: transports that are not wanted" test_transports
run_test "stream: a port that is taken" test_port_taken
run_test "stream: TCP allocations whose peers take long" patience_finish
run_test "stream: clients that ask for nothing" idle_finish
ktap_finish
