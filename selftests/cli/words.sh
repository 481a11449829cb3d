#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn's command line: what it takes, what it refuses and how it says so. No
# kernel module is asked for anything here.

. "$(dirname "$0")/../lib.sh"

kturn=$programs/kturn

# usage_error EXPECTED WORD...: "kturn WORD..." ends with 2, and its message
# has EXPECTED in it, on standard error only.
usage_error()
{
	local expected=$1 status=0

	shift
	"$kturn" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	if [ "$status" -ne 2 ] || [ -s "$tmp/out" ] ||
		! grep -qF -- "$expected" "$tmp/err"; then
		fail "kturn $*: status $status: $(cat "$tmp/out" "$tmp/err")"
	fi
}

test_version()
{
	[ "$("$kturn" --version)" = "kturn $(sed -n \
		's/^VERSION.*= *//p' "$top/Makefile")" ]
}

# commands_in FILE: the commands that a help text lists.
commands_in()
{
	awk '/^  [a-z]/ { print $1 }' "$1"
}

# Every command and every command of a group has help, on standard output.
test_help()
{
	local command sub n=0

	"$kturn" --help >"$tmp/help"
	for command in $(commands_in "$tmp/help"); do
		"$kturn" "$command" --help >"$tmp/sub" 2>"$tmp/err"
		grep -q "^usage: kturn $command" "$tmp/sub"
		[ ! -s "$tmp/err" ]
		n=$((n + 1))
		for sub in $(commands_in "$tmp/sub"); do
			"$kturn" "$command" "$sub" --help >"$tmp/out"
			grep -q "^usage: kturn $command $sub" "$tmp/out"
			n=$((n + 1))
		done
	done
	[ "$n" -ge 20 ]
}

# known WORD: the manual page and the completion have it.
known()
{
	grep -qF -- "${1//-/\\-}" "$top/Documentation/man/kturn.8" ||
		fail "kturn.8 lacks $1"
	grep -qF -- "$1" "$top/user/kturn/completion.bash" ||
		fail "completion.bash lacks $1"
}

test_documented()
{
	local command sub word

	"$kturn" --help >"$tmp/help"
	for command in $(commands_in "$tmp/help"); do
		known "$command"
		"$kturn" "$command" --help >"$tmp/sub"
		cat "$tmp/sub" >>"$tmp/all"
		for sub in $(commands_in "$tmp/sub"); do
			known "$sub"
			"$kturn" "$command" "$sub" --help >>"$tmp/all"
		done
	done
	grep -oE -- '--[a-z-]+|(max|punt|icmp|limit)-[a-z-]+' \
		"$tmp/all" | sort -u >"$tmp/words"
	[ "$(wc -l <"$tmp/words")" -ge 22 ]
	while read -r word; do
		known "$word"
	done <"$tmp/words"
}

# The guide has every reason; what the drop monitors get has those of drops.
test_reasons()
{
	local rst=$top/Documentation/networking/kturn.rst name n=0

	awk -F '"' '/[(]KTURN_(DROP|PUNT)_REASON_/ { print $2 }' \
		"$top/include/kturn/reason_gen.h" >"$tmp/reasons"
	while read -r name; do
		grep -qw -- "$name" "$rst" || fail "kturn.rst lacks $name"
		n=$((n + 1))
	done <"$tmp/reasons"
	[ "$n" -ge 22 ]
	awk -F '"' '/[(]KTURN_DROP_REASON_/ { print $2 }' \
		"$top/include/kturn/reason_gen.h" >"$tmp/reasons"
	while read -r name; do
		grep -qE "^$name +[A-Z_]+ " "$rst" ||
			fail "kturn.rst does not say what the kernel calls $name"
	done <"$tmp/reasons"
}

test_commands()
{
	usage_error "a command is missing"
	usage_error "unknown command 'shwo'" shwo
	usage_error "a command is missing" alloc
	usage_error "unknown command 'foo'" user foo
	usage_error "unknown option '--foo'" show --foo
	usage_error "unknown option '-x'" show -x
	usage_error "has no JSON" --json flush
	usage_error "takes no value" stats --all=1
	usage_error "needs a value" user list --db
	usage_error "there twice" user list --db a --db b
}

test_show()
{
	usage_error "expected alloc, perm, chan, owner or quota" show allocs
	usage_error "'x' is not an ID" show alloc x
	usage_error "'0' is not an ID" show alloc 0
	usage_error "'4294967296' is not an ID" show perm 4294967296
	usage_error "'-1' is not an ID" show -- alloc -1
	usage_error "too many words: '2'" show alloc 1 2
	usage_error "too many words: 'x'" stats x
	usage_error "too many words: 'x'" monitor x
}

test_alloc()
{
	local add=(alloc add client 192.0.2.1:1 server 192.0.2.2:2)

	usage_error "client is missing" alloc add
	usage_error "relay is missing" "${add[@]}"
	usage_error "lifetime is missing" "${add[@]}" relay 192.0.2.3:3
	usage_error "nothing follows 'lifetime'" "${add[@]}" lifetime
	usage_error "unknown word 'foo'" "${add[@]}" foo bar
	usage_error "client: '192.0.2.1' is not an IP address with a port" \
		alloc add client 192.0.2.1
	usage_error "relay: there are two" "${add[@]}" relay 192.0.2.3:3 \
		relay 192.0.2.4:4
	usage_error "lifetime: '0s' is out of range" "${add[@]}" lifetime 0s
	usage_error "lifetime: '50d' is out of range" "${add[@]}" lifetime 50d
	usage_error "lifetime: '99999999999s' is out of range" \
		"${add[@]}" lifetime 99999999999s
	usage_error "lifetime: '10' is not a time" "${add[@]}" lifetime 10
	usage_error "lifetime: 's' is not a time" "${add[@]}" lifetime s
	usage_error "lifetime: '-1s' is not a time" "${add[@]}" lifetime -- -1s
	usage_error "lifetime: '1m30' is not a time" "${add[@]}" lifetime 1m30
	usage_error "lifetime: '' is not a time" "${add[@]}" lifetime ""
	usage_error "label: longer than 127 bytes" "${add[@]}" label \
		"$(printf '%128s' x)"
	usage_error "vrf: there is no device 'nothing'" "${add[@]}" vrf nothing
	usage_error "ID is missing" alloc del
	usage_error "ID is missing" alloc set
	usage_error "'x' is not an ID" alloc set x lifetime 1s
	usage_error "nothing follows the ID" alloc set 1
	usage_error "nothing follows 'lifetime'" alloc set 1 lifetime
	usage_error "unknown word 'client'" alloc set 1 client 192.0.2.1:1
	usage_error "'all' is not an ID" alloc del 1 all
}

test_rate()
{
	local limit

	for limit in "" 2 bit 2M 2Mbyte 2mbit 2Mbit/64 2Mbit/B 2Mbit/64kB/1 \
		"2Mbit," ",2Mbit" 2Mbit,3Mbit 5pps,5pps 5pps/5B 5pps/ 1.5Mbit \
		" 2Mbit" "2Mbit " 2Mbit,none -1pps 5xpps; do
		usage_error "limit-to-peer: '$limit' is not a limit, as in" \
			alloc set 1 limit-to-peer -- "$limit"
	done
	for limit in 0bit 0pps 2Mbit/0B 5pps/0 5Gpps 5pps/5G 4294967296pps \
		18446744073709551616bit 99999999Tbit; do
		usage_error "limit-to-client: '$limit' has a number that is" \
			alloc add limit-to-client "$limit"
	done
}

test_perm()
{
	usage_error "ALLOC-ID is missing" perm add
	usage_error "PEER-IP is missing" perm add 1
	usage_error "'x' is not an ID" perm add x 192.0.2.1 lifetime 1s
	usage_error "peer: '192.0.2.1:5' is not an IP address without a port" \
		perm add 1 192.0.2.1:5 lifetime 1s
	usage_error "expected: lifetime TIME" perm add 1 192.0.2.1
	usage_error "expected: lifetime TIME" perm add 1 192.0.2.1 1s 1s
	usage_error "too many words" perm del 1 192.0.2.1 lifetime
}

test_chan()
{
	usage_error "NUMBER is missing" chan add 1
	usage_error "'0x' is not a channel number" chan del 1 0x
	usage_error "'0x4g' is not a channel number" chan del 1 0x4g
	usage_error "'0x-1' is not a channel number" chan del 1 0x-1
	usage_error "'65536' is not a channel number" chan del 1 65536
	usage_error "PEER:PORT is missing" chan add 1 0x4000
	usage_error "is not an IP address with a port" chan add 1 0x4000 \
		192.0.2.1
	usage_error "expected: lifetime TIME" chan add 1 0x4000 192.0.2.1:1
}

test_flush()
{
	usage_error "unknown word 'all'" flush all
	usage_error "ID is missing" flush owner
	usage_error "'x' is not an ID" flush owner x
	usage_error "too many words" flush owner 1 2
}

test_limits()
{
	usage_error "unknown word 'get'" limits get
	usage_error "NAME is missing" limits set
	usage_error "unknown limit 'allocs'" limits set allocs 1
	usage_error "nothing follows 'max-perms'" limits set max-allocs 1 \
		max-perms
	usage_error "max-allocs: '4294967295' is not a number" \
		limits set max-allocs 4294967295
	usage_error "punt-rate: '10k' is not a number" limits set punt-rate 10k
}

test_top()
{
	usage_error "too many words: 'x'" top x
	usage_error "sort: expected rate, packets, to-peer" top --sort speed
	usage_error "interval: '2x' is not a time" top --interval 2x
	usage_error "interval: '0' is not a time" top --interval 0
	usage_error "interval: shorter than 10 ms" top --interval 9ms
	usage_error "count: '0' is not a number" top --count 0
	usage_error "count: 'x' is not a number" top --count x
}

# Standard output that can't be written to is no success.
test_full_device()
{
	fails "$kturn" --help >/dev/full 2>"$tmp/err"
	grep -q "can't write to standard output" "$tmp/err"
}

# Where there is no module, it says so, and the status is 1 and not 2.
test_no_module()
{
	local status=0

	[ ! -d /sys/module/kturn ] || skip "the module is loaded"
	"$kturn" show >"$tmp/out" 2>"$tmp/err" || status=$?
	[ "$status" -eq 1 ]
	[ ! -s "$tmp/out" ]
	grep -qx "kturn show: the kturn kernel module is not loaded" "$tmp/err"
}

# The monitor needs no module to start with.
test_monitor_waits()
{
	[ ! -d /sys/module/kturn ] || skip "the module is loaded"
	background "$kturn" monitor
	wait_for 30 has_text "$background_log" "module gone"
	fails has_ended "$background"
}

ktap_plan 16
run_test "version" test_version
run_test "help of every command" test_help
run_test "manual page and completion know every word" test_documented
run_test "the guide has every reason" test_reasons
run_test "commands and options" test_commands
run_test "show, stats, monitor" test_show
run_test "alloc" test_alloc
run_test "rate limits" test_rate
run_test "perm" test_perm
run_test "chan" test_chan
run_test "flush" test_flush
run_test "limits" test_limits
run_test "top" test_top
run_test "output that can't be written" test_full_device
run_test "without the module" test_no_module
run_test "monitor without the module" test_monitor_waits
ktap_finish
