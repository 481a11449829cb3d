#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# libnice, relays only: what GStreamer, Janus and Pidgin speak. By UDP and TCP, as it
# has no TLS: of NICE_RELAY_TYPE_TURN_TLS it makes the fake handshake of Google's or
# Microsoft's old protocols (agent/agent.c, agent_create_tcp_turn_socket()), and in
# RFC 5245's mode, which is for TURN servers of today, TCP in the clear.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"

# test_nice TRANSPORT SERVER LOCAL: 70 datagrams each way, through two relays. A
# checkout's python3 may be one that does not know Debian's modules.
test_nice()
{
	kturnd_start --relay "$RELAY_PEER_V4" --relay "$RELAY_PEER_V6"
	in_client timeout 60 /usr/bin/python3 \
		"$top/selftests/clients/nice.py" "$@"
	[ "$(kturnd_value "d['counters']['to_peer']['packets'] >= 140 and
		d['counters']['to_client']['packets'] >= 140 and
		d['counters']['allocs'] == 0")" = True ]
	kturnd_stop
}

topology_up || exit 1

ktap_plan 4
run_test "libnice: UDP" test_nice udp "$RELAY_CLIENT_V4" "$CLIENT_V4"
run_test "libnice: TCP" test_nice tcp "$RELAY_CLIENT_V4" "$CLIENT_V4"
run_test "libnice: UDP, IPv6" test_nice udp "$RELAY_CLIENT_V6" "$CLIENT_V6"
run_test "libnice: TCP, IPv6" test_nice tcp "$RELAY_CLIENT_V6" "$CLIENT_V6"
ktap_finish
