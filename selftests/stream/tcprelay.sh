#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd relays TCP (RFC 6062), for clients of TCP and TLS.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"

cert=$tmp/cert.pem

make_cert()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$tmp/key" -out "$tmp/crt" -days 30 -subj /CN=relay
	cat "$tmp/crt" "$tmp/key" >"$cert"
} 2>/dev/null

# With four workers, most data connections come to the wrong one.
start()
{
	kturnd_start --workers 4 --tcp-relay yes --tls-cert "$cert" "$@" \
		"${ALLOW_PEERS[@]}"
}

as_relayed()
{
	in_client env peer="$peer" python3 \
		"$top/selftests/stream/tcprelay.py" "$@"
}

# peers EXPRESSION: of what is counted of connections to peers, in "p".
peers()
{
	kturnd_value "(lambda p: $1)(d['counters']['peer_connections'])"
}

none_left()
{
	local json

	json=$(kturnd_json)
	[[ $json == *'"allocs":0,'*'"peer_connections":{"now":0,'* ]]
}

# uclient [OPTION]: coturn's client with itself, by TCP relayed; it waits for most
# of its time.
uclient()
{
	local out=$tmp/uclient${1:-}

	in_client timeout 60 turnutils_uclient -T ${1:+"$1"} -u alice \
		-w secret -n 5 -m 1 -e "$PEER_V4" "$RELAY_CLIENT_V4" \
		>"$out" 2>&1
	tail -n 4 "$out"
	grep -q 'tot_send_msgs=10, tot_recv_msgs=10$' "$out" &&
		grep -q 'Total lost packets 0 (0.000000%)' "$out"
}

test_uclient()
{
	local pid

	uclient -S &
	pid=$!
	uclient
	wait "$pid"
	wait_for 10 none_left
}

# passive_start: coturn's client as a client and as the peer that connects to it, at
# a server of their own, while other tests run.
passive_start()
{
	kturnd_start --listen "$RELAY_CLIENT_V4:3480" --relay "$RELAY_PEER_V4" \
		--relay-ports 41001-42000 --tcp-relay yes \
		--allow-peer "$CLIENT_V4" || return
	passive_state=$kturnd_state
	background in_client timeout 60 turnutils_uclient -P -L "$CLIENT_V4" \
		-u alice -w secret -n 5 -m 1 -p 3480 -e "$PEER_V4" \
		"$RELAY_CLIENT_V4"
	passive=$background passive_log=$background_log
}

# All five messages of 100 bytes have come through, each way. The client forgets
# to count what it gets as the peer.
test_passive()
{
	wait_for 60 has_ended "$passive"
	tail -n 4 "$passive_log"
	grep -q 'tot_send_msgs=10, tot_recv_msgs=5$' "$passive_log"
	kturnd_state=$passive_state
	[ "$(kturnd_value "[d['counters'][way]['bytes'] for way in
		('to_peer', 'to_client')]")" = "[500, 500]" ]
	[ "$(peers "p['accepted']")" = 1 ]
}

test_one()
{
	as_relayed "$@"
	wait_for 10 none_left
}

test_attempts()
{
	start --max-peer-connections 4
	as_relayed attempts tcp 4
	as_relayed attempts tls 4
	[ "$(peers "(p['accepted'], p['refused'])")" = "(8, 4)" ]
	wait_for 10 none_left
}

test_refused()
{
	as_relayed refused_allocations tcp
	as_relayed refused_allocations tls
	as_relayed refused_connects
	grep -q 'event=peer-refused .* peer=169.254.169.254:80 ' "$kturnd_log"
	grep -q 'event=connect-failed .* peer=203.0.113.2:9 error="Connection r' \
		"$kturnd_log"
	as_relayed refused_binds
	[ "$(grep -c 'event=wrong-user .* user=bob method=0x00b' \
		"$kturnd_log")" -eq 1 ]
	wait_for 10 none_left
}

test_off()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	as_relayed off
}

test_limit()
{
	start --limit-to-peer 1Mbit
	as_relayed limit 125000
}

# Of two allocations.
test_user_limit()
{
	start --user-limit-to-peer 1Mbit/2kB
	as_relayed user_limit 125000
}

test_nat()
{
	start --relay "$RELAY_CLIENT_V4" \
		--external "192.0.2.1/$RELAY_CLIENT_V4"
	as_relayed hairpin 192.0.2.1
}

test_no_descriptors()
{
	kturnd_start --workers 1 --tcp-relay yes "${ALLOW_PEERS[@]}"
	prlimit --pid "$kturnd_pid" --nofile=80:80
	as_relayed no_descriptors
}

topology_up
make_cert
passive_start || exit 1
start

ktap_plan 21
run_test "tcprelay: coturn's client, TCP and TLS" test_uclient
run_test "tcprelay: connect, TCP, IPv4" test_one connect tcp 4
run_test "tcprelay: connect, TCP, IPv6" test_one connect tcp 6
run_test "tcprelay: connect, TLS" test_one connect tls 4
run_test "tcprelay: both families" test_one dual
run_test "tcprelay: between two clients" test_one hairpin
run_test "tcprelay: what is refused" test_refused
run_test "tcprelay: many bytes, TCP" test_one bulk tcp 4000000
run_test "tcprelay: many bytes, TLS" test_one bulk tls 4000000
run_test "tcprelay: who does not read, TCP" test_one slow tcp
run_test "tcprelay: who does not read, TLS" test_one slow tls
run_test "tcprelay: ends, TCP" test_one ends tcp
run_test "tcprelay: ends, TLS" test_one ends tls
run_test "tcprelay: a client that goes too early" test_one gone
run_test "tcprelay: a peer that connects to coturn's client" test_passive
kturnd_stop
run_test "tcprelay: peers that connect" test_attempts
run_test "tcprelay: off" test_off
run_test "tcprelay: a limit of bytes" test_limit
run_test "tcprelay: a user's limit of bytes" test_user_limit
run_test "tcprelay: behind a NAT" test_nat
run_test "tcprelay: no more descriptors" test_no_descriptors
ktap_finish
