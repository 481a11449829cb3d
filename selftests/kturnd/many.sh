#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ten thousand allocations at once, all of which are refreshed again and again,
# and what memory each takes. In a VM, kturnd has the module relay for them;
# elsewhere it relays itself, and coturn does so beside it.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

MANY=10000
ROUNDS=3
# As it is installed: sanitizers take memory.
kturnd=$top/build/kturnd
# An emulated machine takes its time.
[ -z "${KTURN_VM:-}" ] || kturnd_plane=kernel ROUNDS=1

# hold WHO PID: in the background, $background, until hold_end
hold()
{
	mkfifo "$tmp/$1.hold"
	# shellcheck disable=SC2016 # of the shell that is started
	background in_client sh -c 'exec python3 "$@" <"$0"' "$tmp/$1.hold" \
		"$here/many.py" "$1" "$2" "$CLIENT_V4" "$RELAY_CLIENT_V4" \
		"$PEER_V4" "$MANY" "$ROUNDS"
	many_pid=$background many_log=$background_log
	exec {many_end}>"$tmp/$1.hold"
	wait_for 200 many_is_done
	cat "$many_log"
	grep bytes "$many_log" >>"$tmp/memory"
	grep -qx "done" "$many_log"
}

many_is_done()
{
	grep -qx "done" "$many_log" || has_ended "$many_pid"
}

hold_end()
{
	exec {many_end}>&-
	wait_for 30 has_ended "$many_pid"
}

counter()
{
	kturnd_value "d['counters']['$1']"
}

# One worker, so that memory is that of allocations. All are there after three
# rounds, with permission and channel, and one more client is served as ever.
test_kturnd()
{
	kturnd_start --source-rate 0 --workers 1 "${ALLOW_PEERS[@]}" \
		--listen "$RELAY_CLIENT_V4" --relay "$RELAY_PEER_V4"
	hold kturnd "$kturnd_pid"
	[ "$(kturnd_value "d['counters']['allocs']")" -ge "$MANY" ]
	if [ "$kturnd_plane" = kernel ]; then
		[ "$(kturn_value "d['allocs']" stats)" -ge "$MANY" ]
	fi
	as_client user alice secret
	hold_end
	kturnd_stop
}

test_coturn()
{
	background in_relay turnserver -n --lt-cred-mech --user=alice:secret \
		--realm=example.org -L "$RELAY_CLIENT_V4" -E "$RELAY_PEER_V4" \
		--no-tls --no-dtls --no-cli -m 1 --log-file stdout \
		--allowed-peer-ip="$PEER_V4" --pidfile "$tmp/coturn.pid"
	coturn_pid=$background
	wait_for 30 coturn_listens
	hold coturn "$coturn_pid"
	hold_end
}

coturn_listens()
{
	in_relay ss -Hlun "src $RELAY_CLIENT_V4:3478" | grep -q .
}

[ -z "${KTURN_VM:-}" ] || module_load
topology_up
if [ -n "${KTURN_VM:-}" ]; then
	ktap_plan 1
	run_test "many: ten thousand, the kernel relays" test_kturnd
else
	ktap_plan 2
	run_test "many: ten thousand" test_kturnd
	run_test "many: so many of coturn's, for comparison" test_coturn
fi
sed 's/^/# /' "$tmp/memory"
ktap_finish
