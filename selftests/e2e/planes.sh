#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the host around the relay means for it: a stateful firewall that drops
# what it is not told of, and services on the relay's own addresses. With the
# module and without.

. "$(dirname "$0")/common.sh"

SERVICE=7777
RELAY_PORTS=49152-65535

in_sessions()
{
	in_client python3 "$top/selftests/offload/sessions.py" "$@"
}

# Dropped is what is neither for the TURN server, nor for relayed addresses,
# nor part of something that has begun; forwarding is for nobody. What leaves
# for the peer's echo is counted by what conntrack knows of it.
firewall_up()
{
	in_relay nft -f - <<-END
	table inet filter {
		counter to-peer-untracked {}
		counter to-peer-tracked {}
		counter dropped {}
		chain input {
			type filter hook input priority 0; policy drop;
			ct state established,related accept
			meta l4proto ipv6-icmp accept
			udp dport { 3478, $RELAY_PORTS } accept
			counter name dropped
		}
		chain forward {
			type filter hook forward priority 0; policy drop;
			counter name dropped
		}
		chain output {
			type filter hook output priority 0; policy drop;
			ct state established,related accept
			meta l4proto { icmp, ipv6-icmp } accept
			udp sport $RELAY_PORTS accept
			counter name dropped
		}
		chain postrouting {
			type filter hook postrouting priority 0
			udp dport 9999 ct state untracked counter name to-peer-untracked
			udp dport 9999 ct state new,established counter name to-peer-tracked
			ct state invalid drop
		}
	}
	END
	in_relay sysctl -qw net.netfilter.nf_conntrack_acct=1
	defer in_relay nft delete table inet filter
}

# counted NAME: packets
counted()
{
	in_relay nft list counter inet filter "$1" |
		sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

# conntrack_of PORT: entries of UDP to that port, one a line
conntrack_of()
{
	in_relay conntrack -L -p udp --orig-port-dst "$1" 2>/dev/null || true
}

# Packets to and from clients that conntrack saw.
conntrack_packets()
{
	conntrack_of 3478 | grep -o 'packets=[0-9]*' |
		awk -F= '{ n += $2 } END { print n + 0 }'
}

# 50 messages of each form in each family, there and back: who relayed them,
# and what the firewall and conntrack saw of it.
test_firewall()
{
	local n=50 entries

	plane "$1"
	firewall_up
	kturnd_start "${ALLOW_PEERS[@]}" --allow-peer 203.0.113.0/24 \
		--allow-peer 2001:db8:2::/64
	# Fragments, too, which the daemon relays in either plane.
	as_client echo 4
	as_client echo 6
	in_relay conntrack -F
	in_relay nft reset counters table inet filter >/dev/null
	in_sessions count "$n"
	same "dropped by the firewall" "$(counted dropped)" 0
	entries=$(conntrack_of 9999)
	if [ "$1" = kernel ]; then
		same "to the peer, untracked" "$(counted to-peer-untracked)" \
			$((4 * n))
		same "to the peer, tracked" "$(counted to-peer-tracked)" 0
		same "entries of relayed traffic" "$entries" ""
		# Only requests and answers, of which there are not many.
		[ "$(conntrack_packets)" -gt 0 ]
		[ "$(conntrack_packets)" -lt "$n" ]
	else
		same "to the peer, untracked" "$(counted to-peer-untracked)" 0
		same "to the peer, tracked" "$(counted to-peer-tracked)" \
			$((4 * n))
		same "entries of relayed traffic" "$(wc -l <<<"$entries")" 2
		[ "$(conntrack_packets)" -gt $((8 * n)) ]
	fi
}

# The firewall does drop: a peer that nobody has asked for finds no way in.
test_firewall_drops()
{
	plane "$1"
	firewall_up
	kturnd_start "${ALLOW_PEERS[@]}"
	in_peer python3 - "$RELAY_PEER_V4" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.sendto(b"hello", (sys.argv[1], 7777))
	END
	wait_for 30 dropped_one
}

dropped_one()
{
	[ "$(counted dropped)" -eq 1 ]
}

# reached_up PORT...: count what gets to sockets there from the relay itself
reached_up()
{
	local ports

	ports=$(IFS=,; echo "$*")
	in_relay nft -f - <<-END
	table inet reached {
		counter from-here {}
		chain input {
			type filter hook input priority 0
			fib saddr type local udp dport { $ports } counter name from-here
		}
	}
	END
	defer in_relay nft delete table inet reached
}

reached()
{
	in_relay nft list counter inet reached from-here |
		sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

# On the server's own addresses only relayed ports are peers, whatever the
# operator has opened: CreatePermission succeeds, ChannelBind gets 403, and
# what is sent to a service there is dropped, by the daemon in either plane.
test_services()
{
	local address

	plane "$1"
	reached_up 3478 "$SERVICE" 9
	for address in "$RELAY_CLIENT_V4" "$RELAY_PEER_V4" "$RELAY_PEER_V6" \
			127.0.0.1 ::1; do
		background in_relay python3 "$here/echo.py" "$SERVICE" "$address"
		wait_for 30 has_text "$background_log" ready
	done
	kturnd_start --allow-peer 0.0.0.0/0 --allow-peer ::/0
	as_client own_ports "$RELAY_CLIENT_V4" "$RELAY_PEER_V4" \
		"$RELAY_CLIENT_V6" "$RELAY_PEER_V6" 127.0.0.1 ::1
	for address in "$RELAY_CLIENT_V4" "$RELAY_PEER_V4" "$RELAY_PEER_V6" \
			127.0.0.1 ::1; do
		as_client own_service "$address" "$SERVICE"
	done
	same "reached a service" "$(reached)" 0
	same "relayed by the daemon" "$(relayed_by daemon)" "0 0 0 0"
	if [ "$1" = kernel ]; then
		same "relayed by the kernel" "$(relayed_by kernel)" "0 0 0 0"
		# Three Send indications for each address, and one for each
		# that has a service.
		same "left to the daemon" "$(kernel_value \
			"d['punt']['local-peer']")" $((3 * 6 + 5))
	fi
	# That is counted where it would count.
	in_relay python3 - "$RELAY_PEER_V4" "$SERVICE" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.sendto(b"hello", (sys.argv[1], int(sys.argv[2])))
	END
	same "reached from the host itself" "$(reached)" 1
}

module_load
topology_up
echo_start

ktap_plan 6
for plane in kernel user; do
	run_test "planes: $plane, services on the relay" test_services $plane
	run_test "planes: $plane, a firewall that drops by default" \
		test_firewall $plane
	run_test "planes: $plane, that firewall drops" \
		test_firewall_drops $plane
done
ktap_finish
