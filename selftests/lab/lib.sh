#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# selftests/lib.sh: its topology, and that a failure in a test is one.

. "$(dirname "$0")/../lib.sh"

test_reach()
{
	in_client ping -c 1 -W 5 "$RELAY_CLIENT_V4"
	in_client ping -c 1 -W 5 "$RELAY_CLIENT_V6"
	in_peer ping -c 1 -W 5 "$RELAY_PEER_V4"
	in_peer ping -c 1 -W 5 "$RELAY_PEER_V6"
}

test_forward()
{
	fails in_client ping -c 1 -W 1 "$PEER_V4"
	topology_forward 1
	in_client ping -c 1 -W 5 "$PEER_V4"
	in_client ping -c 1 -W 5 "$PEER_V6"
	topology_forward 0
	fails in_client ping -c 1 -W 1 "$PEER_V4"
}

checksumming()
{
	in_client ethtool -k client0 | grep -q "^tx-checksumming: $1"
}

test_offloads()
{
	checksumming on
	topology_offloads off
	checksumming off
	topology_offloads on
	checksumming on
}

# script NAME: a test script of its own, from standard input.
script()
{
	{
		echo "#!/bin/bash"
		echo ". $top/selftests/lib.sh"
		cat
	} >"$tmp/$1"
	chmod 755 "$tmp/$1"
}

# The tests' results must not depend on how a test function fails.
test_failures()
{
	local status=0

	script failing <<-'END'
	a() { false; true; }
	b() { true | false | true; }
	c() { fail "because"; }
	d() { wait_for 1 false; true; }
	e() { skip "no reason"; }
	f() { fails true; true; }
	ktap_plan 6
	run_test a a; run_test b b; run_test c c; run_test d d
	run_test e e; run_test f f
	ktap_finish
	END
	"$tmp/failing" >"$tmp/out" || status=$?
	cat "$tmp/out"
	[ "$status" -eq 1 ]
	cat >"$tmp/want" <<-'END'
	TAP version 13
	1..6
	not ok 1 - a
	not ok 2 - b
	not ok 3 - c
	not ok 4 - d
	ok 5 - e # SKIP no reason
	not ok 6 - f
	END
	grep -v '^#' "$tmp/out" | diff "$tmp/want" -
	grep -q "^# because" "$tmp/out"
	grep -q "^# gave up after 1 s waiting for: false" "$tmp/out"
}

# A script that is interrupted leaves nothing behind.
test_cleanup()
{
	local name pid dir

	script interrupted <<-'END'
	topology_up || exit
	background in_relay sleep 1000
	echo "$relay "$background" $tmp" >"$1"
	wait "$background"
	END
	background "$tmp/interrupted" "$tmp/names"
	wait_for 20 test -s "$tmp/names"
	read -r name pid dir <"$tmp/names"
	ip netns pids "$name" | grep -qxF "$pid"
	kill -0 "$pid"
	kill -TERM "$background"
	wait_for 20 has_ended "$background"
	fails ip netns pids "$name"
	fails kill -0 "$pid"
	[ ! -e "$dir" ]
}

# What a sanitizer says counts, even where nobody looks at the program's end: in
# a test, and behind the last one.
test_reports()
{
	local what status=0

	cat >"$tmp/bad.c" <<-'END'
	#include <limits.h>
	#include <stdlib.h>
	int main(int argc, char **argv)
	{
		volatile int top = INT_MAX;
		char *volatile p = malloc(4);

		switch (*argv[1]) {
		case 'o': p[3 + argc / 2] = 1; break;
		case 'u': top += argc; break;
		case 'l': p = NULL;
		}
		free(p);
		return 0;
	}
	END
	gcc -fsanitize=address,undefined -fno-sanitize-recover=all -g -o \
		"$tmp/bad" "$tmp/bad.c" -static-libasan -static-libubsan
	script sanitized <<-'END'
	quiet() { setpriv --reuid 65534 --clear-groups "$1" "$2" || true; }
	beside() { background "$1" leak; wait_for 20 has_ended $background; }
	ktap_plan 5
	run_test over quiet "$1" over; run_test undefined quiet "$1" undefined
	run_test nothing true; run_test leak beside "$1"
	run_test nothing quiet "$1" nothing
	ktap_finish
	END
	chmod 755 "$tmp"
	"$tmp/sanitized" "$tmp/bad" >"$tmp/out" || status=$?
	cat "$tmp/out"
	[ "$status" -eq 1 ]
	[ "$(grep -c '^not ok' "$tmp/out")" -eq 3 ]
	[ "$(grep -c '^ok . - nothing' "$tmp/out")" -eq 2 ]
	for what in heap-buffer-overflow 'signed integer overflow' LeakSanitizer
	do
		grep -q "^# .*$what" "$tmp/out"
	done

	script later <<-'END'
	later() { "$1" "$2" || true; }
	ktap_plan 1
	run_test nothing true
	defer later "$@"
	ktap_finish
	END
	"$tmp/later" "$tmp/bad" nothing
	status=0
	"$tmp/later" "$tmp/bad" over >"$tmp/out" 2>&1 || status=$?
	cat "$tmp/out"
	[ "$status" -eq 3 ]
	grep -q "^# .*heap-buffer-overflow" "$tmp/out"
}

test_background()
{
	background in_peer sleep 1000
	kill -0 "$background"
	stop_process "$background" || [ $? -eq 143 ]
	has_ended "$background"
}

ktap_plan 7
topology_up
run_test "lib: client and peer reach the relay" test_reach
run_test "lib: forwarding is off until asked for" test_forward
run_test "lib: offloads can be switched" test_offloads
run_test "lib: however a test fails, it fails" test_failures
run_test "lib: an interrupted script cleans up" test_cleanup
run_test "lib: what a sanitizer reports" test_reports
run_test "lib: background processes" test_background
ktap_finish
