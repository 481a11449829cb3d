#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who may use kturnd, and how much of it: users, secrets, quotas, ports.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

# user_add NAME PASSWORD
user_add()
{
	echo "$2" | "$programs/kturn" user add "$1" --realm example.org \
		--db "$tmp/users.db" --password-file - --replace
}

test_users()
{
	printf 'carol:one:two\n' >"$tmp/users"
	kturnd_start --user-file "$tmp/users" --user dave:x
	as_client user bob stored
	as_client user bob wrong 401
	as_client user nobody x 401
	as_client user carol one:two
	as_client user dave x
	as_client user alice secret
}

# RFC 8265: what comes in uncomposed, with odd spaces, is the same name.
test_prepared()
{
	kturnd_start --user $'rene\u0301\u00a0b:e\u0301te\u0301'
	as_client user $'ren\u00e9 b' $'\u00e9t\u00e9'
	as_client user $'ren\u00e9 b' $'e\u0301te\u0301' 401
	user_add $'zoe\u0308' $'\u2003'
	as_client user $'zo\u00eb' ' '
}

# The store is followed while the daemon runs.
test_store()
{
	kturnd_start
	as_client user erin first 401
	user_add erin first
	as_client user erin first
	user_add erin second
	as_client user erin first 401
	as_client user erin second
	"$programs/kturn" user del erin --realm example.org \
		--db "$tmp/users.db"
	as_client user erin second 401
	# One of the configuration wins.
	user_add alice other
	as_client user alice secret
	as_client user alice other 401
}

test_secrets()
{
	printf 'third\n' >"$tmp/secrets"
	kturnd_start --secret first --secret second \
		--secret-file "$tmp/secrets"
	as_client secret first
	as_client secret second
	as_client secret third
	as_client secret fourth carol 60 401
	as_client secret first carol -60 401
	as_client user alice secret
}

# All users have SHA-256 keys and are known, until one has not.
test_features()
{
	kturnd_start
	as_client features yes yes
	python3 - "$tmp/users.db" <<-'END'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1])
	db.execute("INSERT INTO turnusers_lt VALUES"
	           " ('example.org', 'old', '0123456789abcdef0123456789abcdef')")
	db.commit()
	END
	# A challenge is not put off: it may say what was so a moment ago.
	wait_for 10 as_client features no yes
	"$programs/kturn" user del old --realm example.org \
		--db "$tmp/users.db"
	wait_for 10 as_client features yes yes
	kturnd_stop
	kturnd_start --secret s
	as_client features yes no
}

test_stdin()
{
	background in_relay bash -c "exec $kturnd --plane user \
		--user-file - --realm example.org --state-dir $tmp/stdin \
		<<<alice:secret"
	kturnd_pid=$background
	kturnd_log=$background_log
	wait_for 30 kturnd_has_begun
	as_client user alice secret
}

test_quota()
{
	kturnd_start --user-quota 3 --workers 3
	as_client quota 3
}

test_ports()
{
	kturnd_start --relay "$RELAY_PEER_V4" --relay-ports 50000-50009
	as_client ports 50000 50009
	grep -q 'event=no-relay-port relay=203.0.113.1 error="Address already in use"' \
		"$kturnd_log"
}

# Ports that somebody else has are left out.
test_taken_ports()
{
	background in_relay python3 "$here/echo.py" 50001 "$RELAY_PEER_V4"
	wait_for 30 has_text "$background_log" ready
	kturnd_start --relay "$RELAY_PEER_V4" --relay-ports 50001-50002
	as_client ports 50002 50002
}

test_pairs()
{
	kturnd_start --relay "$RELAY_PEER_V4" --relay-ports 50001-50006 \
		--workers 4 "${ALLOW_PEERS[@]}"
	as_client pairs 50002 50006
}

test_random_ports()
{
	kturnd_start
	as_client random_ports 100
}

test_channels()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	as_client channel_number 0x4FFF
	as_client channel_number 0x5000 400
	as_client channel_number 0x3FFF 400
	kturnd_stop
	kturnd_start --channel-range 5766 "${ALLOW_PEERS[@]}"
	as_client channel_number 0x7FFF
	as_client channel_number 0x8000 400
}

# new_secrets TEXT: all at once.
new_secrets()
{
	printf '%s' "$1" >"$tmp/rotated.new"
	mv "$tmp/rotated.new" "$tmp/rotated"
}

reloads_are()
{
	awk -v wanted="$1" '/event=secrets-reloaded/ { n++ }
		END { exit n + 0 != wanted }' "$kturnd_log"
}

is_up_for()
{
	[ "$(kturnd_value "d['uptime_s']")" -ge "$1" ]
}

# What is no file is read once.
test_secrets_pipe()
{
	mkfifo "$tmp/pipe"
	echo first >"$tmp/pipe" &
	kturnd_start --secret-file "$tmp/pipe" --log-level debug
	# It has been looked at twice.
	wait_for 30 is_up_for 11
	as_client secret first
	reloads_are 0
	kturnd_stop
}

# A new one beside the old one, then without it; what can't be read changes
# nothing.
test_rotation()
{
	new_secrets $'old\n'
	kturnd_start --workers 2 --secret own --secret-file "$tmp/rotated" \
		--log-level debug
	as_client secret old
	as_client secret new carol 60 401
	new_secrets $'old\nnew\n'
	wait_for 30 reloads_are 1
	as_client secret old
	as_client secret new
	new_secrets $'new\n'
	wait_for 30 reloads_are 2
	as_client secret old carol 60 401
	as_client secret new
	as_client secret own
	new_secrets "$(printf '%5000d' 1)"
	wait_for 30 has_text "$kturnd_log" event=secrets-reload-failed
	as_client secret new
	as_client secret own
	new_secrets ''
	wait_for 30 reloads_are 3
	as_client secret new carol 60 401
	as_client secret own
}

test_total_quota()
{
	kturnd_start --total-quota 3 "${ALLOW_PEERS[@]}"
	as_client total_quota 3
}

# By load: those who are here stay, those for whom there is no other server too.
test_redirect()
{
	kturnd_start --alternate-server 192.0.2.7:3479 \
		--alternate-server 192.0.2.8 \
		--alternate-server "$RELAY_CLIENT_V4" --redirect-above 2 \
		"${ALLOW_PEERS[@]}"
	as_client redirect 192.0.2.7:3479 192.0.2.8:3478
}

# The last one ends it; with nowhere to go new clients get 508.
test_drain()
{
	kturnd_start --alternate-server "[2001:db8:9::9]:5349" \
		"${ALLOW_PEERS[@]}"
	background in_client python3 "$here/requests.py" drain "$kturnd_pid" \
		2001:db8:9::9 5349
	wait_for 30 has_ended "$background"
	cat "$background_log"
	grep -qx passed "$background_log"
	wait_for 30 has_ended "$kturnd_pid"
	grep -q 'event=draining allocs=1' "$kturnd_log"
	grep -q event=not-draining "$kturnd_log"
	grep -q event=drained "$kturnd_log"
	grep -q event=stopped "$kturnd_log"
}

test_bandwidth()
{
	kturnd_start --limit-to-client 80kbit/10kB "${ALLOW_PEERS[@]}"
	as_client bandwidth 50 1000 10
	[ "$(kturnd_value "d['counters']['over_limit']")" -ge 30 ]
}

# shares TEST [TRANSPORT...]: with 100 kB a second, and 20 kB at once.
shares()
{
	in_client python3 "$here/bandwidth.py" "$1" 100000 20000 "${@:2}"
	[ "$(kturnd_value "d['counters']['over_limit']")" -ge 100 ]
}

# One's clients are on several workers, and come by datagrams and connections.
test_user_bandwidth()
{
	kturnd_start --workers 4 --user-limit-to-peer 800kbit/20kB \
		"${ALLOW_PEERS[@]}"
	shares user udp tcp udp
}

test_total_bandwidth()
{
	kturnd_start --workers 4 --total-limit-to-client 800kbit/20kB \
		"${ALLOW_PEERS[@]}"
	shares total udp tcp
}

test_limited()
{
	kturnd_start --workers 1 --source-rate 10 "${ALLOW_PEERS[@]}"
	as_client limited 100
	[ "$(kturnd_value "d['counters']['limited']")" -ge 300 ]
}

topology_up
echo_start

ktap_plan 21
run_test "users: of the configuration and of the store" test_users
run_test "users: prepared" test_prepared
run_test "users: the store changes" test_store
run_test "users: shared secrets" test_secrets
run_test "users: shared secrets that change" test_rotation
run_test "users: shared secrets from a pipe" test_secrets_pipe
run_test "users: what the realm offers" test_features
run_test "users: from standard input" test_stdin
run_test "users: quota" test_quota
run_test "users: no port is left" test_ports
run_test "users: ports that others have" test_taken_ports
run_test "users: reserved pairs, on four workers" test_pairs
run_test "users: ports are random" test_random_ports
run_test "users: channel numbers" test_channels
run_test "users: quota of all" test_total_quota
run_test "users: other servers, by load" test_redirect
run_test "users: other servers, to drain" test_drain
run_test "users: limits of an allocation" test_bandwidth
run_test "users: limits of a user" test_user_bandwidth
run_test "users: limits of all" test_total_bandwidth
run_test "users: a flood without credentials" test_limited
ktap_finish
