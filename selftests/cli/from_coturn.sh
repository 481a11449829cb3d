#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn from-coturn: what becomes of a turnserver.conf.

. "$(dirname "$0")/../lib.sh"

kturn=$programs/kturn

# convert STATUS: of standard input, to $tmp/yaml and $tmp/err; kturnd takes it.
convert()
{
	local status=0

	cat >"$tmp/conf"
	"$kturn" from-coturn "$tmp/conf" >"$tmp/yaml" 2>"$tmp/err" || status=$?
	cat "$tmp/yaml" "$tmp/err"
	[ "$status" -eq "$1" ]
	"$programs/kturnd" --check --config "$tmp/yaml"
}

# keys_are: all that is there is what standard input says.
keys_are()
{
	diff - <(sed '/^#/d;/^$/d' "$tmp/yaml")
}

# says_missing LINE: on standard error, and the same in a comment.
says_missing()
{
	grep -qxF "kturn: $tmp/conf:$1" "$tmp/err" &&
		grep -qxF "#   $1" "$tmp/yaml"
}

certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -days 2 -subj /CN=turn.example.org -keyout "$tmp/key" \
		-out "$tmp/cert" 2>"$tmp/openssl"
}

# As a guide for a web conference has it.
test_secrets()
{
	convert 0 <<-END
	# TURN for the conference
	listening-port=3478
	tls-listening-port=443
	  fingerprint
	use-auth-secret
	static-auth-secret="s3\"cr et:#1"
	realm=turn.example.org
	cert=$tmp/cert
	pkey = $tmp/key
	no-tlsv1
	total-quota 7
	total-quota 100
	max-bps=1
	max-bps=3000000
	bps-capacity=0
	min-port=50000
	no-dtls
	no-tls=0
	no-cli
	no-tcp-relay
	relay-threads=0
	END
	keys_are <<-END
	secret: "s3\\\\\\"cr et:#1"
	tls-cert: "$tmp/cert"
	tls-key: "$tmp/key"
	total-quota: "100"
	limit-to-peer: "24000000bit"
	limit-to-client: "24000000bit"
	workers: "1"
	listen:
	  - "0.0.0.0:3478"
	  - "0.0.0.0:443"
	  - "[::]:3478"
	  - "[::]:443"
	transport:
	  - "udp"
	  - "tcp"
	  - "tls"
	relay-ports: "50000-65535"
	realm: "turn.example.org"
	channel-range: "5766"
	END
	[ ! -s "$tmp/err" ]
	grep -qx "# Not needed: fingerprint, no-tlsv1, no-cli" "$tmp/yaml"
	fails grep -q "^# tcp-relay" "$tmp/yaml"
	grep -qx "# db: /var/lib/turn/turndb" "$tmp/yaml"
}

test_addresses()
{
	convert 0 <<-END
	listening-ip=192.0.2.10
	listening-ip=2001:db8::10
	aux-server=[2001:db8::11]:80
	relay-ip=192.0.2.20
	relay-ip=2001:db8::20
	external-ip=198.51.100.7
	external-ip=2001:db8:7::1/2001:db8::20
	lt-cred-mech
	user=alice:p"wd
	user=bob:old
	user=bob: "quoted"
	listening-ip=192.0.2.10
	realm=example.org
	oauth
	alternate-server=192.0.2.99:3478
	mobility
	Verbose
	no-software-attribute
	END
	keys_are <<-END
	listen:
	  - "[2001:db8::11]:80"
	  - "192.0.2.10:3478"
	  - "[2001:db8::10]:3478"
	alternate-server: "192.0.2.99:3478"
	redirect-above: "1"
	mobility: "yes"
	log-level: "debug"
	software: "none"
	relay:
	  - "192.0.2.20"
	  - "2001:db8::20"
	external:
	  - "198.51.100.7/192.0.2.20"
	  - "2001:db8:7::1/2001:db8::20"
	realm: "example.org"
	user:
	  - "alice:p\\"wd"
	  - "bob:\\"quoted\\""
	token-server-name: "example.org"
	channel-range: "5766"
	END
	grep -qx "# nat-discovery: ADDR:PORT/ADDR:PORT" "$tmp/yaml"
	grep -qx "# tcp-relay: yes" "$tmp/yaml"
}

test_peers()
{
	convert 1 <<-END
	lt-cred-mech
	denied-peer-ip=0.0.0.0-255.255.255.255
	denied-peer-ip=2001:db8::-2001:db8::5
	allowed-peer-ip=10.0.0.1-10.0.0.6
	denied-peer-ip=10.0.0.2
	allowed-peer-ip=10.1.0.0-10.1.255.255
	allowed-peer-ip=10.3.0.0/16
	denied-peer-ip=10.4.0.0/16
	allowed-peer-ip=10.2.0.9-10.2.0.1
	allowed-peer-ip=10.5.0.0-10.5.0.3
	denied-peer-ip=10.5.0.0-10.5.0.5
	denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
	realm=example.org
	END
	keys_are <<-END
	allow-peer:
	  - "10.0.0.1/32"
	  - "10.0.0.2/31"
	  - "10.0.0.4/31"
	  - "10.0.0.6/32"
	  - "10.1.0.0/16"
	  - "10.5.0.0/30"
	deny-peer:
	  - "0.0.0.0/0"
	  - "2001:db8::/126"
	  - "2001:db8::4/127"
	  - "10.0.0.2/32"
	  - "10.4.0.0/16"
	  - "10.5.0.0/30"
	  - "10.5.0.4/31"
	  - "::/0"
	realm: "example.org"
	channel-range: "5766"
	END
	says_missing "4: allowed-peer-ip: coturn allows what is denied as well, kturnd refuses it: see allow-peer"
	says_missing "7: allowed-peer-ip: coturn takes no prefixes, write '10.3.0.0/16' as FIRST-LAST"
	says_missing "8: denied-peer-ip: coturn takes no prefixes, write '10.4.0.0/16' as FIRST-LAST"
	says_missing "9: allowed-peer-ip: '10.2.0.9-10.2.0.1' ends before it begins"
	says_missing "10: allowed-peer-ip: coturn allows what is denied as well, kturnd refuses it: see allow-peer"
	[ "$(wc -l <"$tmp/err")" -eq 5 ]
}

# The last one counts, as in coturn, which takes several words for no.
test_flags()
{
	local no

	for no in 0 no False off OFF; do
		convert 0 <<-END
		lt-cred-mech
		mobility
		mobility=$no
		oauth=$no
		no-udp
		no-udp=$no
		no-auth=$no
		Verbose=$no
		no-software-attribute=$no
		max-bps=1000
		max-bps=0
		END
		keys_are <<-END
		channel-range: "5766"
		END
	done
	convert 1 <<-END
	user=alice:old
	use-auth-secret=no
	static-auth-secret=north
	prod
	software-attribute=no
	min-port=2000
	min-port=3000
	cert=$tmp/cert
	pkey=$tmp/key
	no-tls
	no-dtls=on
	no-rfc5780=no
	END
	keys_are <<-END
	secret: "north"
	software: "none"
	relay-ports: "3000-65535"
	channel-range: "5766"
	END
	[ "$(wc -l <"$tmp/err")" -eq 1 ]
	convert 1 <<-END
	mobility=perhaps
	dtls=0
	cert=$tmp/cert
	pkey=$tmp/key
	allow-loopback-peers
	END
	says_missing "1: mobility: its value is neither yes nor no"
	says_missing "5: allow-loopback-peers: the host's own addresses are no peers, but for relayed ones"
	says_missing "lt-cred-mech: without it coturn serves anybody, kturnd those with credentials"
	keys_are <<-END
	tls-cert: "$tmp/cert"
	tls-key: "$tmp/key"
	transport:
	  - "udp"
	  - "tcp"
	  - "tls"
	channel-range: "5766"
	END
}

# Characters that YAML would take for others.
test_scalars()
{
	local text=$'a\u0085b \u2028 c\u2029d\ufeff\u009f\td"\\e#: f\u00e9'

	printf 'user=bob:%s\n' "$text" >"$tmp/conf"
	"$kturn" from-coturn "$tmp/conf" >"$tmp/yaml"
	python3 - "$tmp/yaml" "bob:$text" <<-END
	import sys, yaml
	with open(sys.argv[1], encoding="utf-8") as f:
	    got = yaml.safe_load(f)["user"]
	assert got == sys.argv[2], ascii((got, sys.argv[2]))
	END
}

# store LINE URL|-: what the user store becomes, or that it is told.
store()
{
	printf '%s\nlt-cred-mech\n' "$1" >"$tmp/conf"
	"$kturn" from-coturn "$tmp/conf" >"$tmp/yaml" 2>"$tmp/err" ||
		[ "$2" = - ] || fail "$1: $(cat "$tmp/err")"
	if [ "$2" = - ]; then
		grep -q ":1: .*userdb: " "$tmp/err"
		fails grep "^db:" "$tmp/yaml"
	else
		[ "$(grep "^db:" "$tmp/yaml")" = "db: \"$2\"" ] ||
			fail "$1: $(cat "$tmp/yaml")"
	fi
}

test_stores()
{
	store "userdb=/var/db/turndb" /var/db/turndb
	store 'psql-userdb="host=db.example.org dbname=turn user=turn password=secret connect_timeout=30"' \
		"postgresql://?host=db.example.org&dbname=turn&user=turn&password=secret&connect_timeout=30"
	store "psql-userdb=\"host=/run/pg  user = 'turn er' password=p@ss\\'w\\\\&rd\"" \
		"postgresql://?host=%2Frun%2Fpg&user=turn%20er&password=p%40ss%27w%5C%26rd"
	store "psql-userdb=postgres://turn@db/turn" "postgresql://turn@db/turn"
	store "psql-userdb=\"host='unfinished\"" -
	store "psql-userdb=host" -
	store 'redis-userdb="ip=192.0.2.3 dbname=2 password=tu/rn port=6380 connect_timeout=30"' \
		"redis://:tu%2Frn@192.0.2.3:6380/2"
	store 'redis-userdb="host=2001:db8::3 user=turn password=x"' \
		"redis://turn:x@[2001:db8::3]"
	store 'redis-userdb="dbname=0"' "redis://127.0.0.1/0"
	store "redis-userdb=\"host=db password='a\\b'\"" "redis://:%27a%5Cb%27@db"
	store 'redis-userdb="ip=192.0.2.3 tls=1"' -
	store 'redis-userdb="ip=192.0.2.3 port=x"' -
	store 'redis-userdb="ip=192.0.2.3/4"' -
	store 'redis-userdb="pwd = x"' -
	store 'mysql-userdb="host=db dbname=turn"' -
	store "redis-userdb=\"ip=$(printf '%0600d' 0)\"" -
}

# conninfo URL: what libpq reads in it.
conninfo()
{
	python3 - "$1" <<-END
	import ctypes, sys

	class Option(ctypes.Structure):
	    _fields_ = [(name, ctypes.c_char_p) for name in (
	        "keyword", "envvar", "compiled", "val", "label", "dispchar")]
	    _fields_ += [("dispsize", ctypes.c_int)]

	pq = ctypes.CDLL("libpq.so.5")
	pq.PQconninfoParse.restype = ctypes.POINTER(Option)
	why = ctypes.c_char_p()
	options = pq.PQconninfoParse(sys.argv[1].encode(), ctypes.byref(why))
	assert options, why.value
	i = 0
	while keyword := options[i].keyword:
	    if options[i].val:
	        print(keyword.decode(), options[i].val.decode())
	    i += 1
	END
}

test_libpq()
{
	local words="host=/nowhere user='turn er' dbname='a&b=c' password=p@s\\\\s\\'%41/?:#"

	printf 'psql-userdb="%s"\n' "$words" >"$tmp/conf"
	"$kturn" from-coturn "$tmp/conf" >"$tmp/yaml" 2>"$tmp/err" || :
	conninfo "$words" >"$tmp/want"
	conninfo "$(sed -n 's/^db: "\(.*\)"$/\1/p' "$tmp/yaml")" >"$tmp/got"
	cat "$tmp/got"
	[ "$(wc -l <"$tmp/got")" -ge 4 ]
	cmp "$tmp/want" "$tmp/got"
}

test_missing()
{
	convert 1 <<-END
	listening-device=eth0
	cipher-list="DEFAULT"
	cipher-list=ECDHE
	channel-lifetime=600
	permission-lifetime=301
	no-auth
	no-udp
	no-tcp
	external-ip=198.51.100.7
	user=ninefingers: 0xbc807ee29df3c9ffa736523fb2c4e8ee
	made-up=1
	cert
	$(printf 'ev\033il=1')
	END
	says_missing "1: listening-device: name the device's addresses instead: listen, relay"
	says_missing "3: cipher-list: OpenSSL's defaults are used"
	says_missing "5: permission-lifetime: it is 300 s (RFC 8656 section 9)"
	says_missing "6: no-auth: nobody is served without credentials"
	says_missing "9: external-ip: say for which address of this host: external: PUBLIC/PRIVATE"
	says_missing "10: user: it is a key, not a password: user stores have those"
	says_missing "11: made-up: no such option of coturn's is known"
	says_missing "12: cert: it has no value"
	says_missing '13: ev\x1bil: no such option of coturn'\''s is known'
	grep -qx "kturn: $tmp/conf:no-udp: no transport is left" "$tmp/err"
	[ "$(wc -l <"$tmp/err")" -eq 10 ]
}

test_no_text()
{
	convert 1 < <(printf 'user=a\377b:c\nrealm=x\0y\nuser-quota=3')
	says_missing "1: this line: it is not UTF-8"
	says_missing "2: this line: it holds a NUL"
	grep -qx 'user-quota: "3"' "$tmp/yaml"
}

# Passwords beside secrets would let in whom coturn does not.
test_beside_secrets()
{
	convert 1 <<-END
	user=alice:secret
	static-auth-secret=north
	END
	says_missing "1: user: left out: coturn takes no passwords beside secrets"
	keys_are <<-END
	secret: "north"
	channel-range: "5766"
	END
	printf 'static-auth-secret=north\nuserdb=/var/db/turndb\n' >"$tmp/conf"
	"$kturn" from-coturn "$tmp/conf" >"$tmp/yaml" 2>"$tmp/err" || :
	grep -q "use-auth-secret: coturn takes no passwords beside it" "$tmp/err"
}

# All that Debian's coturn tells of itself.
test_all_options()
{
	local options example=/etc/turnserver.conf

	command -v turnserver >/dev/null || skip "no coturn"
	turnserver -h 2>&1 | sed -n 's/^ *-/-/p' | cut -f 1 |
		grep -oE -- '--[A-Za-z][-A-Za-z0-9_]+' | cut -c 3- |
		grep -vx version | sort -u >"$tmp/options"
	options=$(wc -l <"$tmp/options")
	echo "$options options"
	[ "$options" -gt 100 ]
	sed 's/$/=1/' "$tmp/options" >"$tmp/conf"
	"$kturn" from-coturn "$tmp/conf" >"$tmp/yaml" 2>"$tmp/err" || :
	fails grep "no such option" "$tmp/err"
	# Its examples, which are comments; Debian's file, or another one.
	[ -r "$example" ] || return 0
	sed -n 's/^#\([A-Za-z][-a-z0-9_]*\(=.*\)\?\)$/\1/p' "$example" \
		>"$tmp/conf"
	"$kturn" from-coturn "$tmp/conf" >"$tmp/yaml" 2>"$tmp/err" || :
	fails grep "no such option" "$tmp/err"
}

test_input()
{
	local status=0

	printf 'realm=example.org\nlt-cred-mech\n' | "$kturn" from-coturn - >"$tmp/out"
	grep -qx 'realm: "example.org"' "$tmp/out"
	echo nonsense | "$kturn" from-coturn - 2>"$tmp/err" || status=$?
	[ "$status" -eq 1 ]
	grep -q "^kturn: standard input:1: nonsense: " "$tmp/err"
	status=0
	"$kturn" from-coturn "$tmp/none" 2>"$tmp/err" || status=$?
	[ "$status" -eq 1 ]
	grep -q "$tmp/none: No such file" "$tmp/err"
	status=0
	"$kturn" from-coturn / 2>"$tmp/err" || status=$?
	[ "$status" -eq 1 ]
	grep -q "/: Is a directory" "$tmp/err"
	status=0
	"$kturn" from-coturn a b 2>"$tmp/err" || status=$?
	[ "$status" -eq 2 ]
	status=0
	"$kturn" from-coturn "$tmp/conf" >/dev/full 2>"$tmp/err" || status=$?
	[ "$status" -eq 1 ]
	grep -q "can't write" "$tmp/err"
}

ktap_plan 12
certificate || exit 1
run_test "from-coturn: secrets" test_secrets
run_test "from-coturn: addresses, users" test_addresses
run_test "from-coturn: peers" test_peers
run_test "from-coturn: flags, and what is there twice" test_flags
run_test "from-coturn: odd characters" test_scalars
run_test "from-coturn: user stores" test_stores
run_test "from-coturn: PostgreSQL, as libpq reads it" test_libpq
run_test "from-coturn: what has no counterpart" test_missing
run_test "from-coturn: what is no text" test_no_text
run_test "from-coturn: passwords beside secrets" test_beside_secrets
run_test "from-coturn: each option of coturn's" test_all_options
run_test "from-coturn: files" test_input
ktap_finish
