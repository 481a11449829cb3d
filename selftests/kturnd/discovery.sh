#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# NAT behaviour discovery (RFC 5780): kturnd answers from four addresses.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

one=$RELAY_CLIENT_V4:3478
other=198.51.100.9:3479

test_addresses()
{
	kturnd_start --listen "$RELAY_CLIENT_V4" --nat-discovery "$one/$other" \
		"${ALLOW_PEERS[@]}"
	as_client discovery "$one" "$other"
	# As a relay it is like any other.
	as_client echo 4
}

# coturn's tool, which finds no NAT.
test_tool()
{
	local option

	kturnd_start --listen "$RELAY_CLIENT_V4" --nat-discovery "$one/$other"
	in_client turnutils_natdiscovery -m -f -L 198.51.100.2 \
		"$RELAY_CLIENT_V4" >"$tmp/out"
	cat "$tmp/out"
	grep -q 'No NAT! (Endpoint Independent Mapping)' "$tmp/out"
	grep -q 'Endpoint Independent Filtering' "$tmp/out"
	for option in -m -f; do
		in_client turnutils_natdiscovery "$option" -P \
			"$RELAY_CLIENT_V4" >"$tmp/out"
		grep -q 'Endpoint Independent' "$tmp/out"
	done
}

# A NAT between: coturn's tool sees how it maps.
test_nat()
{
	in_client nft -f - <<-END
	table ip nat {
		chain out {
			type nat hook postrouting priority 100;
			udp sport 7000-7999 masquerade random
		}
	}
	END
	defer in_client nft delete table ip nat
	kturnd_start --listen "$RELAY_CLIENT_V4" --nat-discovery "$one/$other"
	in_client turnutils_natdiscovery -m -f -L 198.51.100.2 -l 7000 \
		"$RELAY_CLIENT_V4" >"$tmp/out"
	cat "$tmp/out"
	grep -q 'NAT with Address and Port Dependent Mapping' "$tmp/out"
}

test_errors()
{
	local expected="expected two addresses of one family with ports, which \
differ in both"
	local value

	for value in 192.0.2.1:1 192.0.2.1/192.0.2.2 \
		"192.0.2.1:1/[2001:db8::1]:2"; do
		fails "$kturnd" --check --nat-discovery "$value" 2>"$tmp/said"
		grep -qF -- "--nat-discovery: $expected, got '$value'" "$tmp/said"
	done
	fails "$kturnd" --check --nat-discovery 192.0.2.1:1/192.0.2.1:2 \
		2>"$tmp/said"
	grep -q 'they have to differ in address and port' "$tmp/said"
}

topology_up
echo_start
in_relay ip addr add "${other%:*}/32" dev lo

ktap_plan 4
run_test "discovery: answers from each of four addresses" test_addresses
run_test "discovery: coturn's tool" test_tool
run_test "discovery: coturn's tool behind a NAT" test_nat
run_test "discovery: addresses that won't do" test_errors
ktap_finish
