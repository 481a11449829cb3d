#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd's configuration: each error names where, the key, and what was
# expected; nothing of it starts a daemon.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

yaml=$tmp/kturnd.yaml

# expect STATUS TEXT COMMAND...: standard error is TEXT and nothing else.
expect()
{
	local want=$1 text=$2 status=0

	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	if [ "$status" -ne "$want" ] || [ "$(cat "$tmp/err")" != "$text" ]; then
		fail "$*: status $status, expected: $text
got: $(cat "$tmp/out" "$tmp/err")"
	fi
}

# refuses_yaml LINE TEXT YAML: the error is at LINE of the file.
refuses_yaml()
{
	printf '%b' "$3" >"$yaml"
	expect 2 "kturnd: $yaml:$1: $2" "$kturnd" --check --config "$yaml"
}

# refuses TEXT FLAG...
refuses()
{
	local text=$1

	shift
	expect 2 "kturnd: $text" "$kturnd" --check "$@"
}

accepts()
{
	expect 0 "" "$kturnd" --check "$@"
}

accepts_yaml()
{
	printf '%b' "$1" >"$yaml"
	accepts --config "$yaml"
}

LISTEN="an IP address, or one with a port as in 192.0.2.1:3478 or \
[2001:db8::1]:3478"
PREFIX="an IP address or prefix, as in 10.1.0.0/16, without bits after its \
length"

test_good()
{
	accepts
	accepts_yaml ""
	accepts_yaml "# nothing but a comment\n"
	accepts_yaml "---\nrealm: example.org\n...\n"
	accepts_yaml 'listen: 192.0.2.1\n'
	accepts_yaml 'listen: [192.0.2.1, "[2001:db8::1]:3479"]
transport: [udp, tcp, tls, dtls]
tls-cert: [/etc/a.pem, /etc/b.pem]
tls-key:
  - /etc/a.key
  - /etc/b.key
tls-client-ca: /etc/ca.pem
proxy-from: [10.0.0.0/8, "fd00::1"]
max-connections: 1
relay:
  - 192.0.2.1
  - 192.0.2.2
external: [198.51.100.7/192.0.2.1, "stun:[2001:db8::1]:3479/192.0.2.2"]
external-check: 3600
relay-ports: 20000-20100
channel-range: 5766
user-quota: 10
total-quota: 1000
max-permissions: 1
max-channels: 4096
tcp-relay: yes
max-peer-connections: 1024
limit-to-peer: 2Mbit/64kB,500pps/50
limit-to-client: none
user-limit-to-peer: 8Mbit
user-limit-to-client: 8Mbit/1MB,4kpps
total-limit-to-peer: none
total-limit-to-client: 1Gbit
mobility: yes
alternate-server: [192.0.2.9, "[2001:db8::9]:5349/turn.example.org"]
redirect-above: 900
realm: example.org
user: ["alice:se:cret", "bob:x"]
secret: [one, two]
listen-realm: [192.0.2.1=example.net, "[2001:db8::1]:3479=example.com"]
origin-realm: ["https://example.net=example.net", sip:x=example.net]
realm-user: ["example.net=alice:other", "example.net=bob:=:"]
realm-secret: [example.net=one, example.net=a=b]
token-server-name: turn.example.org
token-key:
  - north:A256GCM:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEK
  - union:a128gcm:MTIzNDU2Nzg5MDEyMzQ1Ngo=:1700000000:3600:example.net
db: /tmp/users.db
allow-peer: [10.0.0.0/8, fd00::/8, 192.168.1.1]
deny-peer: [8.8.0.0/16, 2a00::/16]
source-rate: 0
plane: user
ingress: [eth0, eth0.100]
workers: 3
state-dir: /run/x
grace: 0
log-level: debug
'
	accepts --listen ::1 --listen "[::1]:3479" --listen 0.0.0.0 \
		--allow-peer ::ffff:10.0.0.0/104 --plane=auto
}

EXTERNAL="two IP addresses of one family, \
PUBLIC/PRIVATE, or stun:HOST[:PORT], nat-pmp, upnp or pcp, and perhaps /PRIVATE"

KEYS="listen, transport, nat-discovery, tls-cert, tls-key, tls-client-ca, proxy-from, \
max-connections, relay, external, external-check, relay-ports, channel-range, user-quota, \
total-quota, max-permissions, max-channels, tcp-relay, max-peer-connections, limit-to-peer, limit-to-client, \
user-limit-to-peer, user-limit-to-client, total-limit-to-peer, total-limit-to-client, \
mobility, \
alternate-server, redirect-above, realm, listen-realm, origin-realm, software, user, realm-user, secret, realm-secret, \
token-server-name, token-key, token-key-file, user-file, secret-file, db, db-file, allow-peer, deny-peer, \
source-rate, plane, ingress, workers, state-dir, grace, log-level"

test_yaml_errors()
{
	refuses_yaml 2 "listne: unknown key, expected one of $KEYS" '# a comment\nlistne: 192.0.2.1\n'
	refuses_yaml 1 "config: unknown key, expected one of $KEYS" 'config: other.yaml\n'
	refuses_yaml 3 "grace: expected once, but it is on line 1 too" \
		'grace: 1\nworkers: 1\ngrace: 2\n'
	refuses_yaml 1 "workers: expected a number from 0 to 256, 0 being one \
per CPU, got a list" 'workers: [1]\n'
	refuses_yaml 2 "ingress: expected the name of a network device, got \
'sixteen-letters0'" 'ingress:\n  - sixteen-letters0\n'
	refuses_yaml 1 "ingress: expected the name of a network device, got \
'a/b'" 'ingress: a/b\n'
	refuses_yaml 1 "ingress: expected the name of a network device, got \
'eth0': it is there twice" 'ingress: [eth0, eth0]\n'
	refuses_yaml 1 "workers: expected a number from 0 to 256, 0 being one \
per CPU, got ''" 'workers:\n'
	refuses_yaml 3 "listen: expected $LISTEN or a list of such, got a \
mapping" 'listen:\n  - ::1\n  - {a: b}\n'
	refuses_yaml 3 "listen: expected $LISTEN, got '192.0.2.256'" \
		'listen:\n  - 192.0.2.1\n  - 192.0.2.256\n'
	refuses_yaml 1 "expected lines of the form 'key: value', got a list" \
		'- a\n- b\n'
	refuses_yaml 1 "expected lines of the form 'key: value', got a text" \
		'listen\n'
	refuses_yaml 1 "expected the name of an option, got a list" \
		'[a]: b\n'
	refuses_yaml 2 "expected YAML, but there is a mistake while parsing a \
flow sequence: did not find expected ',' or ']'" 'listen: [192.0.2.1\nrealm: x\n'
	refuses_yaml 2 "expected YAML, but there is a mistake while scanning a \
plain scalar: found a tab character that violates indentation" \
		'realm: x\n\tgrace: 1\n'
	refuses_yaml 2 "expected one YAML document, but here begins another" \
		'grace: 1\n---\ngrace: 2\n'
	refuses_yaml 1 "realm: expected a realm, 1 to 104 bytes without \
control characters, quotes and backslashes, got a NUL character" \
		'realm: "a\\0b"\n'
	refuses_yaml 1 "plane: expected auto, kernel or user, got \
'\\x1b[31mred'" 'plane: "\\e[31mred"\n'
}

test_flag_errors()
{
	refuses "--nope: unknown option, see kturnd --help" --nope
	refuses "--listen: expected a value" --listen
	refuses "'stray': expected options only, see kturnd --help" stray
	refuses "--grace: expected once" --grace 1 --grace 2
	refuses "--config: can't open $tmp/none: No such file or directory" \
		--config "$tmp/none"
	refuses "--config: can't read $tmp: Is a directory" --config "$tmp"
	truncate -s 2M "$tmp/big"
	refuses "--config: expected a file of at most 1048576 bytes, \
$tmp/big is longer" --config "$tmp/big"
}

test_value_errors()
{
	local value

	refuses "--transport: expected udp, tcp, tls or dtls, got 'sctp'" \
		--transport sctp
	refuses "--transport: expected udp or tcp, as tls and dtls need tls-cert" \
		--transport udp --transport dtls
	refuses "--tls-key: expected as many as tls-cert (1), or none, got 2" \
		--tls-cert a --tls-key b --tls-key c
	refuses "--tls-client-ca: expected tls-cert, too" --tls-client-ca a
	refuses "--proxy-from: expected an IP address or prefix, as in \
10.1.0.0/16, without bits after its length, got '10.0.0.1/8'" \
		--proxy-from 10.0.0.1/8
	refuses "--redirect-above: expected alternate-server, too" \
		--redirect-above 1
	refuses "--alternate-server: expected an IP address, with a port if it \
is not 3478, and the name in its certificate, as in \
192.0.2.1:5349/turn.example.org, got '192.0.2.1/'" --alternate-server 192.0.2.1/
	refuses "--listen-realm: expected a listening address and a realm, as in \
192.0.2.1=example.org or [2001:db8::1]:3478=example.org, got '192.0.2.1'" \
		--listen-realm 192.0.2.1
	refuses "--listen-realm: expected an address that listen names, got \
'192.0.2.1:3479'" --listen 192.0.2.1 --listen-realm 192.0.2.1:3479=x
	refuses "--origin-realm: expected an origin and a realm, as in \
https://example.org=example.org, got 'http://A:80=y': that origin is there twice" \
		--origin-realm http://a=x --origin-realm http://A:80=y
	refuses "--realm-user: expected REALM=NAME:PASSWORD" --realm-user a:b
	refuses "--realm-user: expected another realm than the default one, \
whose users are of user" --realm r --realm-user r=a:b
	refuses "--realm-secret: expected REALM=SECRET, the secret a text of 1 \
to 1024 bytes" --realm-secret r=
	refuses "--token-server-name: expected a name of 1 to 96 ASCII \
characters without blanks, got 'a b'" --token-server-name 'a b'
	refuses "--token-server-name: expected a name that has room in a \
challenge beside the realm $(printf %060d 1), at most 100 bytes together" \
		--token-server-name "$(printf %041d 1)" --realm "$(printf %060d 1)"
	refuses "--token-key: expected token-server-name, too" \
		--token-key a:A128GCM:MTIzNDU2Nzg5MDEyMzQ1Ngo=
	refuses "--token-key: expected the key's name, A256GCM or A128GCM, and \
the key in base64, as in kid:A256GCM:MDEy...EK: the key is shorter than its \
algorithm needs" --token-server-name x --token-key a:A256GCM:MTIzNDU2Nzg5MDEyMzQ1Ngo=
	refuses "--limit-to-peer: expected a limit, as in 2Mbit, 2Mbit/64kB, \
500pps/50, 2Mbit,500pps or none, got '2M'" --limit-to-peer 2M
	refuses "--user-limit-to-peer: expected a limit, as in 2Mbit, 2Mbit/64kB, \
500pps/50, 2Mbit,500pps or none, got '8M'" --user-limit-to-peer 8M
	refuses "--total-limit-to-client: expected a limit, as in 2Mbit, 2Mbit/64kB, \
500pps/50, 2Mbit,500pps or none, got 'all'" --total-limit-to-client all
	refuses "--limit-to-client: expected a limit, as in 2Mbit, 2Mbit/64kB, \
500pps/50, 2Mbit,500pps or none, got '99999999Tbit99': a number is out of range" \
		--limit-to-client 99999999Tbit99
	refuses "--max-channels: expected a number from 1 to 4096, got '4097'" \
		--max-channels 4097
	refuses "--tcp-relay: expected yes or no, got 'on'" --tcp-relay on
	refuses "--max-peer-connections: expected a number from 1 to 1024, got '0'" \
		--max-peer-connections 0
	refuses "--max-connections: expected a number from 1 to 1000000, got '0'" \
		--max-connections 0
	refuses "--listen: expected $LISTEN, got '::1]:1'" --listen '::1]:1'
	refuses "--listen: expected $LISTEN, got '192.0.2.1:0'" \
		--listen 192.0.2.1:0
	refuses "--listen: expected $LISTEN, got '192.0.2.1': it is there \
twice" --listen 192.0.2.1:3478 --listen 192.0.2.1
	refuses "--listen: expected $LISTEN, got '224.0.0.1': a multicast or \
reserved address can't be bound" --listen 224.0.0.1
	refuses "--relay: expected an IP address without a port, got \
'192.0.2.1:1'" --relay 192.0.2.1:1
	refuses "--relay: expected an IP address without a port, got '::': a \
relayed address must be a particular one" --relay ::
	refuses "--external: expected $EXTERNAL, got '192.0.2.1'" --external 192.0.2.1
	refuses "--external: expected $EXTERNAL, got '192.0.2.1/::1'" --external 192.0.2.1/::1
	refuses "--external: expected $EXTERNAL, got '192.0.2.1/192.0.2.1': both sides are the same" \
		--external 192.0.2.1/192.0.2.1
	refuses "--external: expected $EXTERNAL, got '192.0.2.1/10.0.0.2': the public address is there twice" \
		--external 192.0.2.1/10.0.0.1 --external 192.0.2.1/10.0.0.2
	refuses "--external: expected a private address that relay names, got \
'10.0.0.1'" --relay 10.0.0.2 --external 192.0.2.1/10.0.0.1
	for value in stun stun: stun:/10.0.0.1 stun:h:0 stun:h:65536 stun:h:x \
		"stun:[::1" "stun:[::1]x" "stun:a b" pcp/ pcp/10.0.0.1:1 pcp/0.0.0.0 \
		pcp/224.0.0.1 upnp/x nat-pmp:10.0.0.1 natpmp 10.0.0.1/pcp; do
		refuses "--external: expected $EXTERNAL, got '$value'" \
			--external "$value"
	done
	refuses "--external: expected $EXTERNAL, got 'pcp/2001:db8::1': \
gateways map ports of IPv4 addresses" --external pcp/2001:db8::1
	refuses "--external: expected $EXTERNAL, got 'upnp': the private \
address is there twice" --external pcp --external upnp
	refuses "--external: expected $EXTERNAL, got 'stun:h/10.0.0.1': the \
private address is there twice" --external pcp/10.0.0.1 \
		--external stun:h/10.0.0.1
	refuses "--external-check: expected a number from 1 to 3600, got '0'" \
		--external-check 0
	for value in stun:h stun:h:1 "stun:[2001:db8::1]" nat-pmp upnp pcp \
		"stun:[2001:db8::1]:65535/2001:db8::2" stun:192.0.2.1:3478; do
		accepts --external "$value"
	done
	refuses "--relay-ports: expected two ports, MIN-MAX, from 1024 to \
65535, got '80-90'" --relay-ports 80-90
	refuses "--relay-ports: expected two ports, MIN-MAX, from 1024 to \
65535, got '3000-2000': the first port is above the last" \
		--relay-ports 3000-2000
	refuses "--channel-range: expected 8656 (channels 0x4000 to 0x4FFF) or \
5766 (0x4000 to 0x7FFF), got '5389'" --channel-range 5389
	refuses "--user-quota: expected a number from 0 to 1000000, 0 being no \
limit, got '-1'" --user-quota -1
	refuses "--software: expected none, or a text of 1 to 127 bytes in \
UTF-8, got 'a\\xff'" --software $'a\xff'
	refuses "--software: expected none, or a text of 1 to 127 bytes in UTF-8, got '$(printf '%0127d' 0)'" \
		--software "$(printf '%0128d' 0)"
	refuses "--software: expected none, or a text of 1 to 127 bytes in UTF-8, got ''" \
		--software ''
	refuses "--realm: expected a realm, 1 to 104 bytes without control \
characters, quotes and backslashes, got 'a\\\"b': it contains a double quote or a backslash" --realm 'a"b'
	refuses "--realm: expected a realm, 1 to 104 bytes without control \
characters, quotes and backslashes, got '\\xef\\xbb\\xbfb': it contains an \
invisible character" --realm $'\ufeffb'
	refuses "--realm: expected a realm, 1 to 104 bytes without control \
characters, quotes and backslashes, got '$(printf '%0105d' 0)'" \
		--realm "$(printf '%0105d' 0)"
	refuses "--allow-peer: expected $PREFIX, got '10.0.0.1/8'" \
		--allow-peer 10.0.0.1/8
	refuses "--allow-peer: expected $PREFIX, got '::/129'" \
		--allow-peer ::/129
	refuses "--plane: expected auto, kernel or user, got 'both'" \
		--plane both
	refuses "--workers: expected a number from 0 to 256, 0 being one per \
CPU, got '257'" --workers 257
	refuses "--state-dir: expected a directory's absolute name, got 'x'" \
		--state-dir x
	refuses "--grace: expected a number from 0 to 3600, got '3601'" \
		--grace 3601
	refuses "--log-level: expected error, warning, notice, info or debug, \
got 'loud'" --log-level loud
}

# Passwords and secrets are never shown.
test_secret_errors()
{
	refuses "--user: expected NAME:PASSWORD" --user hunter2
	refuses "--user: expected NAME:PASSWORD: the name is empty" \
		--user :hunter2
	refuses "--user: expected NAME:PASSWORD: the password is empty" \
		--user alice:
	refuses "--user: expected NAME:PASSWORD: the password contains a \
control character" --user $'alice:hunter\t2'
	refuses "--user: expected NAME:PASSWORD: the name is not valid UTF-8" \
		--user $'al\xffice:hunter2'
	# RFC 8265: the same name, composed or not.
	refuses "--user: expected NAME:PASSWORD: there is another user of that \
name" --user $'ren\u00e9:hunter2' --user $'rene\u0301:hunter3'
	refuses "--user: expected NAME:PASSWORD: there is another user of that \
name" --user alice:hunter2 --user alice:hunter3
	refuses "--secret: expected a text of 1 to 1024 bytes" --secret ""
	refuses_yaml 1 "user: expected NAME:PASSWORD" 'user: hunter2\n'
}

test_files()
{
	local long

	long=$(printf '%05000d' 0)
	printf 'alice:secret\n\nbob:x\r\n' >"$tmp/users"
	printf 'one\ntwo' >"$tmp/secrets"
	accepts --user-file "$tmp/users" --secret-file "$tmp/secrets"
	printf 'alice:secret\nbob\n' >"$tmp/users"
	refuses "$tmp/users:2: user: expected NAME:PASSWORD" \
		--user-file "$tmp/users"
	printf 'alice:secret\nb\0ob:hunter2\n' >"$tmp/users"
	refuses "$tmp/users:2: user: expected a line of less than 4096 bytes, \
none of them NUL" --user-file "$tmp/users"
	echo "$long" >"$tmp/secrets"
	refuses "$tmp/secrets:1: secret: expected a line of less than 4096 \
bytes, none of them NUL" --secret-file "$tmp/secrets"
	refuses "--user-file: can't open $tmp/none: No such file or directory" \
		--user-file "$tmp/none"
	printf 'realm: x\nuser-file: %s\n' "$tmp/none" >"$yaml"
	expect 2 "kturnd: $yaml:2: user-file: can't open $tmp/none: No such \
file or directory" "$kturnd" --check --config "$yaml"
	refuses "--secret-file: expected a file name, as user-file reads \
standard input already" --user-file - --secret-file -
	refuses "--db-file: expected a file name, as another option reads \
standard input already" --user-file - --db-file -
	printf 'redis://:x@localhost/1\n' >"$tmp/db"
	accepts --db-file "$tmp/db"
	accepts --db postgresql://x:y@localhost/z
	accepts --db sqlite:/tmp/x
	refuses "--db-file: expected no db beside it" --db x \
		--db-file "$tmp/db"
	: >"$tmp/db"
	refuses "--db-file: expected a line in $tmp/db" --db-file "$tmp/db"
	# It may hold a password.
	printf 'mysql://x:hunter2@localhost\n' >"$tmp/db"
	refuses "$tmp/db:1: db: expected a file name, or a URL of \
postgresql://, redis:// or redis+unix://" --db-file "$tmp/db"
	refuses "--db: expected a file name, or a URL of postgresql://, \
redis:// or redis+unix://" --db mysql://x:hunter2@localhost
	# Standard input is read, and its lines are named.
	printf 'alice:secret\nbob\n' | "$kturnd" --check --user-file - \
		2>"$tmp/err" && fail "took a user without a password"
	grep -qxF "kturnd: standard input:2: user: expected NAME:PASSWORD" \
		"$tmp/err"
}

# A flag wins, wherever it stands; of a list it replaces all.
test_precedence()
{
	accepts --grace 5 --config <(echo "workers: 1")
	refuses_yaml 1 "grace: expected a number from 0 to 3600, got 'x'" \
		'grace: x\n'
	printf 'user: [alice:x, bob:y]\nrelay: 10.0.0.2\n' >"$yaml"
	accepts --user alice:z --config "$yaml" \
		--external 192.0.2.1/10.0.0.1 --relay 10.0.0.1
	refuses "--external: expected a private address that relay names, got \
'10.0.0.1'" --config "$yaml" --external 192.0.2.1/10.0.0.1
}

# Each error is reported, not the first alone.
test_all_errors()
{
	printf 'grace: x\nworkers: y\n' >"$yaml"
	expect 2 "kturnd: $yaml:1: grace: expected a number from 0 to 3600, \
got 'x'
kturnd: $yaml:2: workers: expected a number from 0 to 256, 0 being one per \
CPU, got 'y'
kturnd: --plane: expected auto, kernel or user, got 'z'" \
		"$kturnd" --config "$yaml" --plane z
}

test_help()
{
	local option

	"$kturnd" --help >"$tmp/help"
	for option in config ${KEYS//,/} check version help; do
		grep -q -- "^  --$option\\b" "$tmp/help" ||
			fail "--help lacks --$option"
	done
	"$kturnd" --version | grep -qx 'kturnd [0-9.]*'
}

# The manual's list of options is what the table says.
test_manual()
{
	local page form

	for page in kturnd.8:flags kturnd.yaml.5:yaml; do
		form=${page#*:}
		page=$top/Documentation/man/${page%:*}
		sed -n '/^\.\\" options begin/,/^\.\\" options end/p' \
			"$page" | sed '1d;$d' >"$tmp/in_page"
		"$top/build/kturnd-mkman" "$form" >"$tmp/in_table"
		diff -u "$tmp/in_page" "$tmp/in_table"
	done
}

ktap_plan 10
run_test "config: good ones" test_good
run_test "config: mistakes in the YAML file" test_yaml_errors
run_test "config: mistakes in the flags" test_flag_errors
run_test "config: values out of range" test_value_errors
run_test "config: errors about secrets don't show them" test_secret_errors
run_test "config: user and secret files" test_files
run_test "config: flags win over the file" test_precedence
run_test "config: every error is reported" test_all_errors
run_test "config: --help and --version" test_help
run_test "config: the manual agrees with the options" test_manual
ktap_finish
