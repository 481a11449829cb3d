# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the shell tests share. A test script looks like this:
#
#	#!/bin/bash
#	. "$(dirname "$0")/../lib.sh"
#
#	test_forward()
#	{
#		in_client ping -c 1 203.0.113.2
#	}
#
#	ktap_plan 1
#	topology_up
#	run_test "client reaches peer" test_forward
#	ktap_finish
#
# The first command of a test that fails makes the test fail; bash exempts
# "! command" from that, so write "fails command".
#
# topology_up makes three network namespaces, with names that no other test
# has, and removes them when the script ends, however it ends:
#
#	    client                    relay                      peer
#	+------------+        +--------------------+        +------------+
#	|    client0 |--veth--| relay0      relay1 |--veth--| peer0      |
#	+------------+        +--------------------+        +------------+
#	198.51.100.2/24   198.51.100.1/24  203.0.113.1/24   203.0.113.2/24
#	2001:db8:1::2/64  2001:db8:1::1/64 2001:db8:2::1/64 2001:db8:2::2/64
#
# The relay is the others' default route, and does not forward unless the test
# calls topology_forward. in_client, in_relay and in_peer run a command there;
# $client, $relay and $peer are the names of the namespaces.
#
# Works the same on the host and in a VM (see selftests/vm/run). Nothing in
# here sleeps for a fixed time: use wait_for.

set -u

# shellcheck disable=SC2034 # the constants here are for the tests
{
KTAP_PASS=0
KTAP_FAIL=1
KTAP_SKIP=4

CLIENT_V4=198.51.100.2
RELAY_CLIENT_V4=198.51.100.1
RELAY_PEER_V4=203.0.113.1
PEER_V4=203.0.113.2
CLIENT_V6=2001:db8:1::2
RELAY_CLIENT_V6=2001:db8:1::1
RELAY_PEER_V6=2001:db8:2::1
PEER_V6=2001:db8:2::2
}

# The checkout.
# shellcheck disable=SC2034
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# A directory for the script's files, gone when the script ends.
tmp=$(mktemp -d "${TMPDIR:-/tmp}/kturn-test.XXXXXX") || exit 1

# Our programs; by default only kturnd of the tests on the host has sanitizers.
programs=$top/build
[ -z "${SANITIZE:-}" ] || programs=$top/build/san
export PATH=$programs:$PATH

# What sanitizers report; programs may have become somebody else.
reports=$tmp.reports
mkdir -m 1777 "$reports" || exit 1
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$reports/address
UBSAN_OPTIONS=print_stacktrace=1:log_path=$reports/undefined
export ASAN_OPTIONS UBSAN_OPTIONS

# Where tests in Python find what they share, and where Python keeps what it has
# compiled, which takes it longer than most tests. A checkout may be read-only; a VM
# has something to begin with, see selftests/py/compile.py.
export PYTHONPATH=$top/selftests/py
export PYTHONPYCACHEPREFIX=$top/build/selftests/pycache
[ -z "${KTURN_VM:-}" ] || PYTHONPYCACHEPREFIX=/run/pycache
unset PYTHONDONTWRITEBYTECODE

# The names of the topology's namespaces.
client=kt-$$-client
relay=kt-$$-relay
peer=kt-$$-peer

#
# Cleaning up
#

deferred=()

# defer COMMAND [ARGUMENT...]: run this when the script ends, or, if called in
# a test function, when the test ends. Last in, first out.
defer()
{
	deferred+=("$(printf '%q ' "$@")")
}

# run_deferred [N]: all but the first N
run_deferred()
{
	local i

	# One that fails must neither keep the others from running nor change
	# the exit status.
	set +eE
	trap - ERR
	for ((i = ${#deferred[@]} - 1; i >= ${1:-0}; i--)); do
		eval "${deferred[i]}"
		unset "deferred[i]"
	done
}

defer rm -rf "$tmp" "$reports"
trap end_script EXIT
trap 'exit 130' INT TERM HUP

# reported: have sanitizers, since the last time? Shows what.
reported()
{
	local written=("$reports"/*)

	# In a trap "return" alone has the status of what was before.
	[ -e "${written[0]}" ] || return 1
	cat "${written[@]}"
	rm -f "${written[@]}"
}

# What nobody has told of yet fails the script, whatever its tests did.
end_script()
{
	local status=$?

	# Its own directory goes last.
	run_deferred 1
	if reported >"$tmp/reported"; then
		sed 's/^/# /' "$tmp/reported"
		status=3
	fi
	run_deferred
	exit $status
}

#
# KTAP
#

ktap_planned=0
ktap_number=0
ktap_passed=0
ktap_failed=0
ktap_skipped=0

# ktap_plan N: print the head; N results follow.
ktap_plan()
{
	ktap_planned=$1
	echo "TAP version 13"
	echo "1..$1"
}

# ktap_skip_all WHY: instead of ktap_plan, when nothing here can run.
ktap_skip_all()
{
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	exit $KTAP_SKIP
}

ktap_ok()
{
	ktap_passed=$((ktap_passed + 1))
	echo "ok $((++ktap_number)) - $*"
}

ktap_not_ok()
{
	ktap_failed=$((ktap_failed + 1))
	echo "not ok $((++ktap_number)) - $*"
}

# ktap_skip NAME WHY
ktap_skip()
{
	ktap_skipped=$((ktap_skipped + 1))
	echo "ok $((++ktap_number)) - $1 # SKIP $2"
}

# fail WHY: for test functions; says why and ends the test.
fail()
{
	echo "$*"
	exit $KTAP_FAIL
}

# fails COMMAND [ARGUMENT...]: succeeds if COMMAND doesn't.
fails()
{
	! "$@"
}

# skip WHY: for test functions; ends the test, which could not run.
skip()
{
	echo "$*" >"$tmp/skip"
	exit $KTAP_SKIP
}

# run_test NAME FUNCTION [ARGUMENT...]: run FUNCTION and print its result.
#
# It runs in a subshell with set -e and set -o pipefail, so the first command
# that fails is the end of it, and a comment says which. What it prints becomes
# comments, if it fails or V=1 is set. What it defers is run when it ends; what it changes in shell
# variables is lost. It fails if a sanitizer reports anything meanwhile, whoever
# looks at the program's end.
run_test()
{
	local name=$1 status errexit=$-

	shift
	set +e
	(
		deferred=()
		trap run_deferred EXIT
		set -eE -o pipefail
		trap 'echo "${BASH_SOURCE[0]##*/}:$LINENO: status $?:" \
			"$BASH_COMMAND"' ERR
		"$@"
	) >"$tmp/output" 2>&1 </dev/null
	status=$?
	! reported >>"$tmp/output" || status=$KTAP_FAIL
	[[ $errexit != *e* ]] || set -e
	# What a test that passed has to say is of interest to few.
	[ $status -eq $KTAP_PASS ] && [ -z "${V:-}" ] ||
		sed 's/^/# /' "$tmp/output"
	case $status in
	"$KTAP_PASS") ktap_ok "$name" ;;
	"$KTAP_SKIP") ktap_skip "$name" "$(cat "$tmp/skip")" ;;
	*) ktap_not_ok "$name" ;;
	esac
}

# ktap_finish: the last command of a script: print the totals, exit.
ktap_finish()
{
	echo "# Totals: pass:$ktap_passed fail:$ktap_failed" \
		"xfail:0 xpass:0 skip:$ktap_skipped error:0"
	if [ $ktap_number -ne "$ktap_planned" ]; then
		echo "# planned $ktap_planned tests but ran $ktap_number"
		exit $KTAP_FAIL
	fi
	[ $ktap_failed -eq 0 ] || exit $KTAP_FAIL
	[ $ktap_passed -gt 0 ] || exit $KTAP_SKIP
	exit $KTAP_PASS
}

#
# Waiting
#

# What nobody ever writes to.
exec {silence}<> <(:)

# wait_for SECONDS COMMAND [ARGUMENT...]: until COMMAND succeeds; fails, and
# shows what COMMAND said last, when that takes longer than SECONDS.
wait_for()
{
	local seconds=$1 output end nap=5

	shift
	end=$((SECONDS + seconds))
	until output=$("$@" 2>&1); do
		if [ $SECONDS -gt $end ]; then
			echo "gave up after $seconds s waiting for: $*"
			[ -z "$output" ] || echo "$output"
			return 1
		fi
		# As sleep, which is a process, whose start takes a VM longer.
		read -rt "0.$(printf %02d $nap)" -u "$silence" || :
		nap=$((nap < 20 ? nap + 1 : nap))
	done
}

# has_text FILE TEXT: is it somewhere in there? As grep, which is a process.
has_text()
{
	local text=

	IFS= read -rd '' text <"$1"
	[[ $text == *"$2"* ]]
}

# udp_bound NAMESPACE PORT: does a UDP socket there listen on PORT?
udp_bound()
{
	in_netns "$1" ss -Huanl "sport = :$2" | grep -q .
}

#
# JSON
#

# json_value EXPRESSION JSON: what Python's print(EXPRESSION) says, of the object
# "d". Instead of JSON it may be @PATH, of a stream socket that says it. Not for
# two at once.
json_value()
{
	local status='' value='' requests replies

	values_start || return
	# Open both ways, which waits for nobody, until the answer is there: what is
	# in a FIFO that nobody has open is lost.
	{
		printf '%s\0' "$1" "$2" >&"$requests"
		IFS= read -r -t 60 -d '' -u "$replies" status
		IFS= read -r -t 60 -d '' -u "$replies" value
	} {requests}<>"$tmp/values.requests" {replies}<>"$tmp/values.replies"
	exec {requests}>&- {replies}>&-
	if [ -z "$status" ]; then
		# What it says later is nobody's answer.
		rm -f "$tmp/values.requests" "$tmp/values.replies"
		value="no answer about: $1"$'\n'$(cat "$tmp/values.log")
	fi
	if [ "$status" != 0 ]; then
		echo "$value" >&2
		return 1
	fi
	echo "$value"
}

# values_start: what answers, if it has not begun. It ends with the script.
values_start()
{
	[ ! -p "$tmp/values.requests" ] || return 0
	mkfifo "$tmp/values.replies" "$tmp/values.requests" || return
	python3 "$top/selftests/py/values.py" "$tmp/values.requests" \
		"$tmp/values.replies" </dev/null >"$tmp/values.log" 2>&1 &
}

#
# Processes
#

# background COMMAND [ARGUMENT...]: start COMMAND, stop it when the script (or
# the test function) ends. Its process is $background; its output goes to the
# file $background_log. COMMAND may be in_client, in_relay or in_peer, but no
# other function.
background()
{
	local namespace

	# Functions would get a shell of their own, which would get the signal.
	case $1 in
	in_client | in_relay | in_peer)
		namespace=${1#in_}
		set -- nsenter --net="/run/netns/${!namespace}" -- "${@:2}"
		;;
	esac
	if declare -F "$1" >/dev/null; then
		echo "background: $1 is a function"
		return 1
	fi
	background_log=$(mktemp "$tmp/background.XXXXXX")
	"$@" >"$background_log" 2>&1 </dev/null &
	background=$!
	defer stop_process $background
}

has_ended()
{
	! kill -0 "$1" 2>/dev/null || has_text "/proc/$1/status" "State:	Z"
}

# stop_process PID: SIGTERM, and SIGKILL if that isn't enough in 10 s. Fine
# with a process that has ended. Returns its exit status if it is a child.
stop_process()
{
	kill -TERM "$1" 2>/dev/null
	if ! wait_for 30 has_ended "$1"; then
		kill -KILL "$1"
	fi
	wait "$1" 2>/dev/null
}

#
# Network namespaces
#

# netns_add NAME...: make namespaces that go when the script ends, together
# with the processes in them. Their links are up at once: no address waits for
# duplicate address detection.
netns_add()
{
	local name

	for name; do
		ip netns add "$name" || return
		defer netns_del "$name"
		in_netns "$name" ip link set lo up || return
		in_netns "$name" sysctl -qw \
			net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_dad=0 || return
	done
}

netns_del()
{
	local pids

	pids=$(ip netns pids "$1" 2>/dev/null)
	# shellcheck disable=SC2086 # one word each
	[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
	ip netns del "$1" 2>/dev/null
}

# in_netns NAMESPACE COMMAND [ARGUMENT...]: without the mounts of "ip netns exec",
# which take twice as long as the rest of a short command. /sys stays that of
# the caller.
in_netns()
{
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

in_client()
{
	in_netns "$client" "$@"
}

in_relay()
{
	in_netns "$relay" "$@"
}

in_peer()
{
	in_netns "$peer" "$@"
}

# link_lines DEVICE ADDRESS...: for "ip -batch": give it these and set it up.
link_lines()
{
	local device=$1 address

	shift
	for address; do
		case $address in
		*:*) echo "addr add $address dev $device nodad" ;;
		*) echo "addr add $address dev $device" ;;
		esac
	done
	echo "link set $device up"
}

# link_up NAMESPACE DEVICE ADDRESS...
link_up()
{
	link_lines "${@:2}" | ip -n "$1" -batch -
}

# topology_up: see the picture at the top.
topology_up()
{
	netns_add "$client" "$relay" "$peer" || return
	ip -n "$relay" -batch - <<-END || return
		link add relay0 type veth peer name client0 netns $client
		link add relay1 type veth peer name peer0 netns $peer
		$(link_lines relay0 $RELAY_CLIENT_V4/24 $RELAY_CLIENT_V6/64)
		$(link_lines relay1 $RELAY_PEER_V4/24 $RELAY_PEER_V6/64)
	END
	ip -n "$client" -batch - <<-END || return
		$(link_lines client0 $CLIENT_V4/24 $CLIENT_V6/64)
		route add default via $RELAY_CLIENT_V4
		route add default via $RELAY_CLIENT_V6
	END
	ip -n "$peer" -batch - <<-END
		$(link_lines peer0 $PEER_V4/24 $PEER_V6/64)
		route add default via $RELAY_PEER_V4
		route add default via $RELAY_PEER_V6
	END
}

# topology_forward 0|1: whether the relay forwards packets as a router.
topology_forward()
{
	in_relay sysctl -qw net.ipv4.ip_forward="$1" \
		net.ipv6.conf.all.forwarding="$1"
}

# topology_offloads on|off: checksum and segmentation offloads, and GRO, of all
# four devices.
topology_offloads()
{
	local pair

	for pair in "$client client0" "$relay relay0" "$relay relay1" \
		"$peer peer0"; do
		in_netns "${pair% *}" ethtool -K "${pair#* }" \
			rx "$1" tx "$1" sg "$1" tso "$1" gso "$1" gro "$1" \
			>/dev/null || return
	done
}

#
# The module
#

# module_load [PARAMETER...]: load kturn.ko until the script ends. Where no
# module can be loaded, the whole script is skipped; call it before ktap_plan.
module_load()
{
	local depends

	[ -n "${KTURN_KO:-}" ] ||
		ktap_skip_all "kturn.ko can't be loaded here"
	[ ! -d /sys/module/kturn ] || rmmod kturn || return
	depends=$(modinfo -F depends "$KTURN_KO") || return
	# shellcheck disable=SC2086 # one word each
	[ -z "$depends" ] || modprobe -a ${depends//,/ } || return
	insmod "$KTURN_KO" "$@" || return
	defer module_unload
}

module_unload()
{
	[ ! -d /sys/module/kturn ] || rmmod kturn
}
