#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Clients that take their allocation along (RFC 8016), and what the kernel has of
# it: at the old 5-tuple until data comes from the new one, then at that.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

sessions=$top/selftests/offload/moves.py

mobile_start()
{
	fresh_start --mobility yes --workers 4 "${ALLOW_PEERS[@]}"
}

# place STEP N: the Nth place that the clients said at that step.
place()
{
	grep "^$1 " "$session_log" | cut -d ' ' -f "$(($2 + 1))"
}

# at_is PLACE: the kernel has one allocation, all of it, and its client is there.
at_is()
{
	[ "$(in_kernel "[(a['client'], a['exclusive'], a['label']) for a in
		d['allocs']]")" = "[('$1', True, 'alice')]" ]
	[ "$(in_kernel "len(d['perms']), len(d['chans'])")" = "$2" ]
}

# Packets that come while an allocation is on its way to another worker are the
# daemon's. On a slow machine that may be one more, or two.
SLACK=2

# kernel_relayed N: so many of that allocation's packets to peers. What comes back
# for a packet that was the daemon's may be the kernel's already.
kernel_relayed()
{
	local n

	n=$(in_kernel "d['allocs'][0]['to_peer']['packets']")
	echo "the kernel has relayed $n packets, $1 are expected"
	[ "$n" -le "$1" ] && [ "$n" -ge $(($1 - SLACK)) ]
}

# daemon_relayed N: none is none.
daemon_relayed()
{
	local n

	n=$(kturnd_value "d['counters']['to_peer']['packets']")
	echo "the daemon has relayed $n packets, $1 are expected"
	[ "$n" -eq "$1" ] || { [ "$1" -gt 0 ] && [ "$n" -gt "$1" ] &&
		[ "$n" -le $(($1 + SLACK)) ]; }
}

test_moves()
{
	mobile_start
	start moves
	until_step before
	at_is "$(place before 1)" "1 1"
	kernel_relayed 20
	in_relay "$kturn" alloc set "$(id)" limit-to-peer 900Mbit
	done_step before

	until_step announced
	at_is "$(place announced 1)" "2 1"
	kernel_relayed 40
	daemon_relayed 0
	[ "$(in_kernel "d['allocs'][0]['to_client']['packets']")" -eq 40 ]
	done_step announced

	# One packet was the daemon's, with which the kernel was told.
	until_step first
	at_is "$(place first 1)" "2 1"
	[ "$(in_kernel "d['allocs'][0]['limit_to_peer']['bit_rate']")" -eq \
		900000000 ]
	daemon_relayed 1
	done_step first
	until_step moved
	at_is "$(place moved 1)" "2 1"
	kernel_relayed 21
	daemon_relayed 1
	counter_is moved 1
	in_relay "$kturn" show alloc | grep -qF "$(place moved 1)"
	done_step moved

	# The kernel does not relay for a connection.
	until_step withdrawn
	[ "$(in_kernel "len(d['allocs'])")" -eq 0 ]
	kernel_has 0
	daemon_relayed 21
	done_step withdrawn
	until_step back
	at_is "$(place back 1)" "2 1"
	kernel_relayed 20
	daemon_relayed 24
	kernel_has 1
	done_step back
	finish
	[ "$(in_kernel "len(d['allocs'])")" -eq 0 ]
}

test_often()
{
	mobile_start
	start often 8
	until_step often
	at_is "$(place often 1)" "1 1"
	kernel_relayed 2
	daemon_relayed 8
	counter_is moved 8
	kernel_has 1
	done_step often
	finish
}

test_break()
{
	mobile_start
	start break
	until_step away
	wait_for 30 log_has event=client-away
	counter_is allocs 1
	kernel_has 0
	done_step away
	until_step back
	at_is "$(place back 1)" "1 1"
	kernel_relayed 20
	daemon_relayed 2
	done_step back
	finish
}

# restart SIGNAL OPTION...
test_restart()
{
	mobile_start
	start restart
	until_step restart
	kill -"$1" "$kturnd_pid"
	wait_for 30 has_ended "$kturnd_pid"
	at_is "$(place restart 1)" "1 1"
	kturnd_start_again --mobility yes "${@:2}" "${ALLOW_PEERS[@]}"
	log_has "event=adopted allocs=1 perms=1 chans=1 rejected=0"
	done_step restart
	until_step again
	at_is "$(place again 1)" "1 1"
	daemon_relayed 1
	kill -"$1" "$kturnd_pid"
	wait_for 30 has_ended "$kturnd_pid"
	kturnd_start_again --mobility yes "${@:2}" "${ALLOW_PEERS[@]}"
	log_has "event=adopted allocs=1 perms=1 chans=1 rejected=0"
	done_step again
	finish
	[ "$(in_kernel "len(d['allocs'])")" -eq 0 ]
}

test_deleted()
{
	mobile_start
	start deleted
	until_step deleted
	in_relay "$kturn" alloc del "$(id)"
	wait_for 30 counter_is allocs 0
	log_has 'event=alloc-end .* reason=deleted'
	done_step deleted
	finish
}

# Data all the time, while the entries change.
test_load()
{
	mobile_start
	in_client python3 "$top/selftests/kturnd/mobility.py" load 10
	counter_is moved 10
	[ "$(in_kernel "len(d['allocs'])")" -eq 0 ]
}

module_load
topology_up
ip -n "$client" addr add 198.51.100.3/24 dev client0
echo_start

ktap_plan 7
run_test "mobility: the kernel's entry moves with the client" test_moves
run_test "mobility: from worker to worker" test_often
run_test "mobility: a connection ends, and its client comes by UDP" test_break
run_test "mobility: SIGTERM before data came" test_restart TERM --workers 4
run_test "mobility: SIGKILL, and one with less workers" test_restart KILL \
	--workers 3
run_test "mobility: an administrator deletes it" test_deleted
run_test "mobility: nothing is lost under way" test_load
ktap_finish
