# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the tests of kturnd share; source it after ../lib.sh.

# shellcheck disable=SC2154,SC2034 # of lib.sh; for the tests
{
# With sanitizers; a VM is slow enough, unless SANITIZE asks for them.
kturnd=${KTURND:-$top/build/san/kturnd}
[ -z "${KTURN_VM:-}" ] || kturnd=${KTURND:-$programs/kturnd}
here=$top/selftests/kturnd

# Who is to relay.
kturnd_plane=user

# Which users there are, beside alice.
kturnd_realm=example.org
kturnd_store=(--db "$tmp/users.db")

# The peers of the tests are in documentation prefixes, which kturnd refuses
# by default.
ALLOW_PEERS=(--allow-peer 203.0.113.2 --allow-peer 2001:db8:2::2)
}

# kturnd_start [OPTION...]: in the relay's namespace, until the test or the
# script ends, with the users alice (password secret, of the configuration)
# and bob (password stored, of the store) in the realm $kturnd_realm. Its process
# is $kturnd_pid, its log $kturnd_log, its state directory $kturnd_state.
kturnd_start()
{
	kturnd_state=$(mktemp -d "$tmp/state.XXXXXX")
	kturnd_start_again "$@"
}

# kturnd_start_again [OPTION...]: the same in the same state directory.
kturnd_start_again()
{
	[ -e "$tmp/users.db" ] || echo stored |
		"$programs/kturn" user add bob --realm example.org \
			--db "$tmp/users.db" --password-file - || return
	background in_relay "$kturnd" --state-dir "$kturnd_state" \
		--realm "$kturnd_realm" --user alice:secret \
		"${kturnd_store[@]}" --plane "$kturnd_plane" "$@"
	kturnd_pid=$background
	kturnd_log=$background_log
	wait_for 30 kturnd_has_begun &&
		has_text "$kturnd_log" ' event=ready ' && return
	cat "$kturnd_log"
	return 1
}

kturnd_has_begun()
{
	has_text "$kturnd_log" ' event=ready ' || has_ended "$kturnd_pid"
}

# kturnd_stop: with SIGTERM; fails unless its exit status is 0.
kturnd_stop()
{
	stop_process "$kturnd_pid"
}

# kturnd_json: what the control socket says.
kturnd_json()
{
	kturnd_value "json.dumps(d, separators=(',', ':'))"
}

# kturnd_value EXPRESSION: of the JSON object "d".
kturnd_value()
{
	json_value "$1" "@$kturnd_state/control"
}

# kturn_value EXPRESSION COMMAND...: of the JSON object "d", of kturn COMMAND in the
# relay's namespace.
kturn_value()
{
	local json

	json=$(in_relay "$programs/kturn" --json "${@:2}") || return
	json_value "$1" "$json"
}

# store_sql SQL: in the user store, where the database is SQLite's.
store_sql()
{
	python3 - "$tmp/users.db" "$1" <<-'END'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1], timeout=5)
	db.executescript(sys.argv[2])
	db.close()
	END
}

# echo_start: a peer at port 9999 of both of the peer's addresses, which sends
# back what it gets; at 10000 too, where coturn's client expects RTCP.
echo_start()
{
	local port

	for port in 9999 10000; do
		background in_peer python3 "$here/echo.py" $port "$PEER_V4" \
			"$PEER_V6"
		wait_for 30 has_text "$background_log" ready || return
	done
}

# as_client TEST [ARGUMENT...]: a test of requests.py, in the client's
# namespace.
as_client()
{
	in_client python3 "$here/requests.py" "$@"
}

# uclient FAMILY MESSAGES [OPTION]: coturn's client against the echo; it must
# lose nothing. Of its two sessions one is for RTCP, so EVEN-PORT is part of it.
uclient()
{
	local peer=$PEER_V4 relay=$RELAY_CLIENT_V4 family=-X
	local out=$tmp/uclient$1${3:-} total=$(($2 * 2))

	if [ "$1" -eq 6 ]; then
		peer=$PEER_V6 relay=$RELAY_CLIENT_V6 family=-x
	fi
	in_client turnutils_uclient -u alice -w secret -e "$peer" -r 9999 \
		-n "$2" -m 2 -l 160 $family ${3:+"$3"} "$relay" >"$out" ||
		return
	tail -n 4 "$out"
	grep -q 'Total lost packets 0 (0.000000%)' "$out" &&
	grep -q "tot_send_msgs=$total, tot_recv_msgs=$total\$" "$out"
}

# uclient_all MESSAGES: with channels and with indications, IPv4 and IPv6. It
# waits for most of its time, so all of them run at once.
uclient_all()
{
	local family option pids=() pid

	for family in 4 6; do
		for option in "" -s; do
			uclient $family "$1" $option &
			pids+=($!)
		done
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || return
	done
}
