# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the tests of kturnd with the module share; source it after ../lib.sh.

# shellcheck source=../kturnd/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../kturnd/common.sh"

kturn=$programs/kturn
kturnd_plane=auto
export STEPS=
sessions=$top/selftests/offload/sessions.py

# The tests' peers, and others that permissions are asked for.
# shellcheck disable=SC2034 # for the tests
ALLOW_PEERS=(--allow-peer 203.0.113.0/24 --allow-peer 2001:db8:2::/64)

# fresh_start [OPTION...]: a daemon that finds nothing in the kernel.
fresh_start()
{
	[ ! -d /sys/module/kturn ] || in_relay "$kturn" flush
	kturnd_start "$@"
}

# in_kernel EXPRESSION: of the JSON object "d", of kturn show.
in_kernel()
{
	kturn_value "$1" show
}

# start TEST [ARGUMENT...]: a test of $sessions in the background.
start()
{
	STEPS=$(mktemp -d "$tmp/steps.XXXXXX")
	background in_client python3 "$sessions" "$@"
	session_pid=$background
	session_log=$background_log
}

run()
{
	in_client python3 "$sessions" "$@"
}

# until_step NAME: the test in the background waits for it.
until_step()
{
	wait_for 30 at_step "$1" && ! has_ended "$session_pid" && return
	cat "$session_log"
	return 1
}

at_step()
{
	has_text "$session_log" "waiting for $1"$'\n' || has_ended "$session_pid"
}

done_step()
{
	touch "$STEPS/$1"
}

finish()
{
	local status=0

	wait_for 60 has_ended "$session_pid"
	wait "$session_pid" || status=$?
	cat "$session_log"
	return "$status"
}

log_has()
{
	grep -qE -- "$1" "$kturnd_log" ||
		fail "the log lacks $1: $(cat "$kturnd_log")"
}

module_back()
{
	# shellcheck disable=SC2153 # of lib.sh
	[ -d /sys/module/kturn ] || insmod "$KTURN_KO"
}

plane_is()
{
	[ "$(kturnd_value "d['plane']")" = "$1" ]
}

kernel_has()
{
	[ "$(kturnd_value "d['counters']['kernel_allocs']")" -eq "$1" ]
}

counter_is()
{
	[ "$(kturnd_value "d['counters']['$1']")" -eq "$2" ]
}

# The first allocation's id.
id()
{
	in_kernel "d['allocs'][0]['id']"
}
