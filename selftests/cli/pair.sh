#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn-pair's options: what is wrong is said, with what it should be.

. "$(dirname "$0")/../lib.sh"

pair=$programs/kturn-pair

# wrong TEXT OPTION...: refused with this text, and nothing is begun.
wrong()
{
	local expected=$1 status=0

	shift
	"$pair" "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
	if [ "$status" -ne 2 ] || [ -s "$tmp/out" ] ||
		! grep -qF -- "$expected" "$tmp/err"; then
		fail "$*: status $status: $(cat "$tmp/out" "$tmp/err")"
	fi
}

test_wrong()
{
	wrong "unrecognized option '--nothing'" --nothing
	wrong "too many words: 'x'" x
	wrong "--listen: 'x' is not [ADDRESS:]PORT" --listen x
	wrong "--listen: '0' is not" --listen 0
	wrong "--listen: '65536' is not" --listen 65536
	wrong "--listen: '192.0.2.1' is not" --listen 192.0.2.1
	wrong "--listen: '[::]:3478' is not" --listen "[::]:3478"
	wrong "--relay-ports: '5' is not a range" --relay-ports 5
	wrong "--relay-ports: '6-5' is not a range" --relay-ports 6-5
	wrong "--relay-ports: '1-65536' is not a range" --relay-ports 1-65536
	wrong "--external: '192.0.2.1' is not" --external 192.0.2.1
	wrong "--external: '192.0.2.1/::1' is not" --external 192.0.2.1/::1
	wrong "--external: '192.0.2.1:5/192.0.2.2' is not" \
		--external 192.0.2.1:5/192.0.2.2
	wrong "there is no user 'nobody at all'" --match-user "nobody at all"
	wrong "is not a name of 1 to 15 characters" \
		--match-process a-name-of-16-char
	wrong "'192.0.2.1/24' has bits set" --deny-peer 192.0.2.1/24
	wrong "'everybody' is not a prefix" --deny-peer everybody
	wrong "'1' is not a number of seconds" --permission-lifetime 1
	wrong "'10m' is not a number of seconds" --channel-lifetime 10m
	wrong "--metrics: '9641' is not ADDRESS:PORT" --metrics 9641
	wrong "'65535' is not a number from 0 to 65534" --nflog-group 65535
	wrong "'15' is not a number of KiB" --capture-buffer 15
	wrong "'loud' is not error, warning" --log-level loud
}

# Each option is in the text of --help and in the manual.
test_documented()
{
	local option

	"$pair" --help >"$tmp/help"
	sed 's/\\-/-/g' "$top/Documentation/man/kturn-pair.8" >"$tmp/manual"
	for option in $(grep -oE '^	\{ "[a-z-]+"' "$top/user/pair/config.c" |
		tr -d '	{ "'); do
		grep -q -- "--$option" "$tmp/help" ||
			fail "--help lacks --$option"
		grep -q -- "--$option" "$tmp/manual" ||
			fail "kturn-pair.8 lacks --$option"
	done
	[ -n "$option" ]
	"$pair" --version | grep -q '^kturn-pair [0-9]'
}

ktap_plan 2
run_test "pair: wrong options" test_wrong
run_test "pair: options are documented" test_documented
ktap_finish
