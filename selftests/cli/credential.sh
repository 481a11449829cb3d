#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn credential, against openssl's HMAC.

. "$(dirname "$0")/../lib.sh"

kturn=$programs/kturn
printf 'north of the wall\n' >"$tmp/secret"

# mac SECRET TEXT
mac()
{
	printf %s "$2" | openssl dgst -sha1 -hmac "$1" -binary | base64
}

field()
{
	sed -n "s/^$1  *//p" "$tmp/out"
}

# within EXPIRES SECONDS BEFORE: did it end SECONDS after a moment since BEFORE?
within()
{
	[ "$1" -ge $(($3 + $2)) ] && [ "$1" -le $(($(date +%s) + $2 + 1)) ]
}

test_credential()
{
	local now

	now=$(date +%s)
	"$kturn" credential --ttl 1h --user alice \
		--secret-file "$tmp/secret" >"$tmp/out"
	[[ $(field username) =~ ^[0-9]+:alice$ ]]
	within "$(field username | cut -d: -f1)" 3600 "$now"
	[ "$(field password)" = \
		"$(mac 'north of the wall' "$(field username)")" ]
}

test_nobody()
{
	local now

	now=$(date +%s)
	"$kturn" credential --ttl 1h30m --secret-file - >"$tmp/out" <<-'END'
	north of the wall
	END
	[[ $(field username) =~ ^[0-9]+$ ]]
	within "$(field username)" 5400 "$now"
	[ "$(field password)" = \
		"$(mac 'north of the wall' "$(field username)")" ]
}

test_json()
{
	"$kturn" credential --json --ttl 500ms --user 'a"b' \
		--secret-file "$tmp/secret" >"$tmp/json"
	/usr/bin/python3 - "$tmp/json" <<-'END'
	import base64, hashlib, hmac, json, sys
	c = json.load(open(sys.argv[1]))
	assert c["username"] == "%d:a\"b" % c["expires"], c
	mac = hmac.new(b"north of the wall", c["username"].encode(),
	               hashlib.sha1).digest()
	assert base64.b64decode(c["password"]) == mac, c
	assert len(c) == 3
	END
}

refused()
{
	local expected=$1 want=$2 status=0

	shift 2
	"$kturn" credential "$@" >"$tmp/out" 2>"$tmp/err" </dev/null ||
		status=$?
	if [ "$status" -ne "$want" ] || [ -s "$tmp/out" ] ||
		! grep -qF -- "$expected" "$tmp/err"; then
		fail "$*: status $status: $(cat "$tmp/out" "$tmp/err")"
	fi
}

# RFC 8265: the MAC is of the prepared name, which clients send.
test_prepared()
{
	"$kturn" credential --ttl 1h --user $'rene\u0301\u00a0b' \
		--secret-file "$tmp/secret" >"$tmp/out"
	[[ $(field username) =~ ^[0-9]+:$'ren\u00e9 b'$ ]]
	[ "$(field password)" = \
		"$(mac 'north of the wall' "$(field username)")" ]
}

test_refused()
{
	local secret="--secret-file $tmp/secret"

	# shellcheck disable=SC2086 # two words
	{
		refused "--ttl is missing" 2 $secret
		refused "--secret-file is missing" 2 --ttl 1h
		refused "--ttl: '1' is not a time" 2 --ttl 1 $secret
		refused "--user: ''" 2 --ttl 1h --user "" $secret
		refused "user name contains a control character" 1 \
			--ttl 1h --user $'a\tb' $secret
		refused "user name is longer than 508 bytes" 1 --ttl 1h \
			--user "$(printf '%500s' x)" $secret
		refused "user name is longer than 508 bytes" 1 --ttl 1h \
			--user "$(printf '%5000s' x)" $secret
		refused "too many words: 'x'" 2 x --ttl 1h $secret
	}
	refused "secret: standard input is empty" 1 --ttl 1h --secret-file -
	refused "secret: can't open $tmp/none: No such file" 1 --ttl 1h \
		--secret-file "$tmp/none"
}

ktap_plan 5
run_test "credential with a user" test_credential
run_test "credential without one, secret on standard input" test_nobody
run_test "JSON" test_json
run_test "a name that has to be prepared" test_prepared
run_test "what is refused" test_refused
ktap_finish
