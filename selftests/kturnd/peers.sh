#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who may be a peer, and what the log says of those who may not.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

# logged PEER RULE OPTION: a refusal, in all forms that the client tried.
logged()
{
	grep -qE " level=notice event=peer-refused client=\S+ user=alice \
peer=\[?$1\]?(:9999)? rule=\"$2\" option=\"?$3\"?( |\$)" "$kturnd_log" ||
		fail "the log lacks peer=$1 rule=$2 option=$3:
$(grep -F peer-refused "$kturnd_log" || tail -n 5 "$kturnd_log")"
}

test_refused()
{
	kturnd_start "${ALLOW_PEERS[@]}" --log-level debug
	as_client refused 10.1.2.3 203.0.113.3 169.254.169.254 224.0.0.1 \
		255.255.255.255 fd00::7 fe80::1 64:ff9b::a01:203 \
		::10.1.2.3 2002:a01:203::1 ::ffff:10.1.2.3
	logged 10.1.2.3 '10.0.0.0/8 private use \(RFC 1918\)' \
		'--allow-peer 10.1.2.3'
	logged 203.0.113.3 '203.0.113.0/24 documentation \(RFC 5737\)' \
		'--allow-peer 203.0.113.3'
	logged 169.254.169.254 '169.254.0.0/16 link-local \(RFC 3927\)' \
		'--allow-peer 169.254.169.254'
	logged 224.0.0.1 '224.0.0.0/4 multicast \(RFC 5771\)' none
	logged 255.255.255.255 \
		'255.255.255.255/32 limited broadcast \(RFC 919\)' none
	logged fd00::7 'fc00::/7 unique local \(RFC 4193\)' \
		'--allow-peer fd00::7'
	logged fe80::1 'fe80::/10 link-local \(RFC 4291\)' none
	# It is the IPv4 address that has to be opened.
	logged 64:ff9b::a01:203 '10.0.0.0/8 private use \(RFC 1918\)' \
		'--allow-peer 10.1.2.3'
	logged ::10.1.2.3 '::/96 IPv4-compatible \(RFC 4291\)' \
		'--allow-peer ::10.1.2.3'
	logged 2002:a01:203::1 '2002::/16 6to4 \(RFC 3056, RFC 8656 21.4\)' \
		none
	logged ::ffff:10.1.2.3 '::ffff:0:0/96 IPv4-mapped \(RFC 4291\)' none
}

# Whatever is opened, on the server itself only relayed ports can be reached.
test_own()
{
	local address

	kturnd_start --allow-peer 0.0.0.0/0 --allow-peer ::/0 \
		--log-level debug
	as_client own_ports 198.51.100.1 203.0.113.1 2001:db8:1::1 \
		2001:db8:2::1 127.0.0.1 127.9.9.9 ::1
	logged "203.0.113.1:3478" \
		"the server's own address, not a live relayed port" none
	logged "::1\]:3478" \
		"the server's own address, not a live relayed port" none
	# Forms of them that a translator would bring back.
	as_client refused 64:ff9b::198.51.100.1 64:ff9b::127.0.0.1
	logged '64:ff9b::c633:6401' "the server's own address in IPv6" none
	# A directed broadcast address.
	as_client refused 198.51.100.255
	logged 198.51.100.255 'a broadcast address of this host' none
}

test_denied()
{
	kturnd_start --allow-peer 203.0.113.2 --allow-peer 2001:db8:2::/64 \
		--deny-peer 203.0.113.0/24 --deny-peer 2001:db8:2::2 \
		--log-level debug
	as_client echo 4
	as_client refused 203.0.113.3 2001:db8:2::2
	logged 203.0.113.3 '203.0.113.3 in a /24 of --deny-peer' \
		'--allow-peer 203.0.113.3'
	logged 2001:db8:2::2 '2001:db8:2::2 in a /128 of --deny-peer' none
}

# Loopback is refused in general, and opening it would not help.
test_loopback()
{
	kturnd_start --log-level debug
	as_client refused 127.0.0.1 ::1
	logged 127.0.0.1 '127.0.0.0/8 loopback \(RFC 1122\)' none
	logged ::1 '::1/128 loopback \(RFC 4291\)' none
}

test_service()
{
	background in_relay python3 "$here/echo.py" 7777 "$RELAY_PEER_V4"
	wait_for 30 has_text "$background_log" ready
	kturnd_start --relay "$RELAY_CLIENT_V4" --allow-peer 203.0.113.0/24
	as_client own_service "$RELAY_PEER_V4" 7777
}

# An address that comes while the daemon runs is the server's own at once.
test_new_address()
{
	kturnd_start --allow-peer 192.0.2.0/24 --log-level debug
	as_client own_service 192.0.2.9 9 && fail "203.0.113.9 was no peer"
	in_relay ip addr add 192.0.2.9/32 dev lo
	defer in_relay ip addr del 192.0.2.9/32 dev lo
	wait_for 30 has_text "$kturnd_log" event=addresses-changed
	as_client own_service 192.0.2.9 9
	# And so is a whole prefix that is routed here.
	in_relay ip route add local 192.0.2.128/25 dev lo
	defer in_relay ip route del local 192.0.2.128/25 dev lo
	wait_for 30 log_has_twice event=addresses-changed
	as_client own_service 192.0.2.200 9
}

log_has_twice()
{
	[ "$(grep -c "$1" "$kturnd_log")" -ge 2 ]
}

test_allowed()
{
	kturnd_start --allow-peer 203.0.113.0/24 --allow-peer 2001:db8::/32
	as_client echo 4
	as_client echo 6
	grep -q peer-refused "$kturnd_log" && fail "a peer was refused"
	return 0
}

topology_up
echo_start

ktap_plan 7
run_test "peers: what is not globally reachable is refused" test_refused
run_test "peers: the server's own addresses, all prefixes opened" test_own
run_test "peers: loopback" test_loopback
run_test "peers: a service on the relay is not reached" test_service
run_test "peers: an address that is added" test_new_address
run_test "peers: --allow-peer" test_allowed
run_test "peers: --deny-peer" test_denied
ktap_finish
