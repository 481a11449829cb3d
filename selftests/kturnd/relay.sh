#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd relays all data itself: without the module, on any host.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

test_uclient()
{
	kturnd_start --channel-range 5766 "${ALLOW_PEERS[@]}"
	uclient_all 100
	[ "$(kturnd_value "d['counters']['to_peer']['packets']")" -eq 800 ]
	[ "$(kturnd_value "d['counters']['to_client']['packets']")" -eq 800 ]
	[ "$(kturnd_value "d['counters']['to_peer']['bytes']")" -eq 128000 ]
	[ "$(kturnd_value "d['plane']")" = user ]
}

test_echo()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	as_client echo "$1"
}

test_many()
{
	kturnd_start --workers 4 "${ALLOW_PEERS[@]}"
	as_client many 200
	[ "$(kturnd_value "d['counters']['allocs']")" -eq 0 ]
	[ "$(kturnd_value "d['counters']['to_client']['packets']")" -eq 400 ]
}

# A client's datagrams that the program gives to the wrong worker: those with
# an extension header.
test_misdirected()
{
	kturnd_start --workers 5 "${ALLOW_PEERS[@]}"
	as_client extension_headers 40
}

# RFC 8656 section 14, the alternate behaviour: DF of the datagrams that reach
# the peer, in their order, and the other fields.
test_header()
{
	kturnd_start --relay "$RELAY_PEER_V4" "${ALLOW_PEERS[@]}"
	background in_peer tcpdump -i peer0 -nn -v -l -c 3 --immediate-mode \
		"udp and dst port 9999"
	wait_for 30 has_text "$background_log" 'listening on'
	as_client fragment 100
	wait_for 30 has_ended "$background"
	[ "$(grep -o 'flags \[[A-Za-z]*\]' "$background_log" |
		tr '\n' ' ')" = "flags [none] flags [DF] flags [none] " ]
	[ "$(grep -c 'tos 0x0, ttl 64,' "$background_log")" -eq 3 ]
}

test_too_big()
{
	kturnd_start --relay "$RELAY_PEER_V4" "${ALLOW_PEERS[@]}"
	as_client too_big 2000
	[ "$(kturnd_value "d['counters']['send_errors']")" -eq 1 ]
}

test_burst()
{
	kturnd_start --workers 1 --relay "$RELAY_PEER_V4" \
		--relay "$RELAY_PEER_V6" "${ALLOW_PEERS[@]}"
	as_client burst "$kturnd_pid" "$1"
	[ "$(kturnd_value "d['counters']['send_errors']")" -eq 0 ]
}

test_unreachable()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	# One for each datagram.
	in_peer sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	as_client unreachable "$1" 9
	[ "$(kturnd_value "d['counters']['icmp']")" -eq 16 ]
}

# Drop all that is not asked for: what the relay sends makes a way back.
test_firewall()
{
	in_relay nft -f - <<-END
	table inet filter {
		chain input {
			type filter hook input priority 0; policy drop;
			ct state established,related accept
			meta l4proto ipv6-icmp accept
			udp dport 3478 accept
		}
	}
	END
	defer in_relay nft delete table inet filter
	kturnd_start "${ALLOW_PEERS[@]}"
	as_client echo 4
	as_client echo 6
}

test_hairpin()
{
	kturnd_start
	as_client hairpin "$1"
}

test_external()
{
	# The NAT's outside is nowhere: nothing may go there.
	kturnd_start --relay "$RELAY_PEER_V4" \
		--external "192.0.2.77/$RELAY_PEER_V4" "${ALLOW_PEERS[@]}"
	grep -q 'relay=203.0.113.1 public=192.0.2.77' "$kturnd_log"
	as_client external 192.0.2.77 "$RELAY_PEER_V4"
	[ "$(kturnd_value "d['relay'][0]")" = 192.0.2.77 ]
}

topology_up
echo_start

ktap_plan 15
run_test "relay: coturn's client, channels and indications, 4 and 6" \
	test_uclient
run_test "relay: datagrams of all sizes, IPv4" test_echo 4
run_test "relay: datagrams of all sizes, IPv6" test_echo 6
run_test "relay: many clients on four workers" test_many
run_test "relay: TTL, DSCP, ECN and DF" test_header
run_test "relay: too big with DONT-FRAGMENT" test_too_big
run_test "relay: many at once, IPv4" test_burst 4
run_test "relay: many at once, IPv6" test_burst 6
run_test "relay: ICMP errors are told, IPv4" test_unreachable 4
run_test "relay: ICMP errors are told, IPv6" test_unreachable 6
run_test "relay: behind a firewall that drops by default" test_firewall
run_test "relay: hairpin, IPv4" test_hairpin 4
run_test "relay: hairpin, IPv6" test_hairpin 6
run_test "relay: 1:1 NAT" test_external
run_test "relay: datagrams that reach the wrong worker" test_misdirected
ktap_finish
