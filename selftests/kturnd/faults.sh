#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What kturnd runs out of or loses, while sessions go on: disk space, addresses,
# descriptors. Ports are in users.sh, connections in ../stream, databases in
# databases.sh.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

export client relay peer

faults()
{
	in_client python3 "$here/faults.py" "$@"
}

relay_start()
{
	kturnd_start "${ALLOW_PEERS[@]}" --listen "$RELAY_CLIENT_V4" "$@"
}

# It is told so, and goes on; without the address it uses the other one.
test_relay_address()
{
	ip -n "$relay" addr add 203.0.113.5/24 dev relay1
	defer ip -n "$relay" addr del 203.0.113.5/24 dev relay1
	relay_start --relay "$RELAY_PEER_V4" --relay 203.0.113.5
	faults relay_address
	grep -q 'event=no-relay-port relay=203.0.113.5 ' "$kturnd_log"
	kturnd_stop
}

test_server_address()
{
	relay_start --relay "$RELAY_PEER_V4"
	faults server_address
	kturnd_stop
}

test_descriptors()
{
	relay_start --relay "$RELAY_PEER_V4"
	faults descriptors "$kturnd_pid"
	grep 'event=no-relay-port ' "$kturnd_log" |
		grep -q 'Too many open files'
	kturnd_stop
}

# full_disk: there is not one byte left at $tmp/full
full_disk()
{
	mkdir -p "$tmp/full"
	mount -t tmpfs -o size=64k none "$tmp/full"
	defer umount "$tmp/full"
}

fill()
{
	if dd if=/dev/zero of="$tmp/full/fill" bs=1k 2>/dev/null; then
		echo "there is no end of $tmp/full"
		return 1
	fi
}

# Who has never begun needs room for its identity, and says so.
test_disk_full_at_first()
{
	full_disk
	mkdir "$tmp/full/state"
	fill
	kturnd_state=$tmp/full/state
	if kturnd_start_again --relay "$RELAY_PEER_V4"; then
		echo "it has begun"
		return 1
	fi
	grep 'event=state-unusable ' "$kturnd_log" |
		grep -q 'No space left on device'
}

# What it says is written nowhere, its directory is full: it serves, and begins
# again.
test_disk_full()
{
	full_disk
	kturnd_state=$tmp/full/state
	kturnd_start_again "${ALLOW_PEERS[@]}" \
		--listen "$RELAY_CLIENT_V4" --relay "$RELAY_PEER_V4"
	fill
	faults service
	kturnd_stop
	background in_relay sh -c 'exec "$@" >/dev/full 2>&1' sh \
		"$kturnd" --state-dir "$kturnd_state" --user alice:secret \
		--realm example.org --plane user "${ALLOW_PEERS[@]}" \
		--listen "$RELAY_CLIENT_V4" --relay "$RELAY_PEER_V4"
	kturnd_pid=$background
	wait_for 30 kturnd_value "d['pid']"
	faults service
	kturnd_stop
}

topology_up
echo_start

ktap_plan 5
run_test "faults: a relay address is removed" test_relay_address
run_test "faults: a listening address is removed" test_server_address
run_test "faults: no descriptors are left" test_descriptors
run_test "faults: the disk is full, at first" test_disk_full_at_first
run_test "faults: the disk is full" test_disk_full
ktap_finish
