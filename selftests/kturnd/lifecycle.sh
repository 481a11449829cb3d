#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How kturnd starts, what it finds out by itself, what it tells, how it ends.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

RESERVED=/proc/sys/net/ipv4/ip_local_reserved_ports

log_has()
{
	grep -qE -- "$1" "$kturnd_log" ||
		fail "the log lacks $1: $(cat "$kturnd_log")"
}

# refuses TEXT OPTION...: it doesn't start, and the log says TEXT.
refuses()
{
	local text=$1 status=0

	shift
	in_relay timeout 10 "$kturnd" --plane user "$@" >"$tmp/out" 2>&1 ||
		status=$?
	[ "$status" -eq 1 ] && grep -qE -- "$text" "$tmp/out" ||
		fail "$*: status $status, expected $text: $(cat "$tmp/out")"
}

# No option and no file: all global addresses, and a word about the users.
test_defaults()
{
	mkdir -p "$tmp/run"
	background in_relay unshare -m bash -c "
		mount --bind $tmp/run /run && exec $kturnd"
	kturnd_pid=$background
	kturnd_log=$background_log
	wait_for 30 kturnd_has_begun
	log_has "event=ready version=\S+ pid=$kturnd_pid \
listen=198.51.100.1:3478 listen=203.0.113.1:3478 \
listen=\[2001:db8:1::1\]:3478 listen=\[2001:db8:2::1\]:3478 \
relay=198.51.100.1 relay=203.0.113.1 relay=2001:db8:1::1 \
relay=2001:db8:2::1 ports=49152-65535 plane=(user|kernel) workers=[0-9]+\$"
	log_has 'level=warning event=no-users realm=kturn .* hint="kturn user add'
	as_client user alice secret 401
	[ "$(stat -c %a "$tmp/run/kturnd")" = 700 ]
	[ "$(stat -c %a "$tmp/run/kturnd/identity")" = 600 ]
	[ "$(stat -c %a "$tmp/run/kturnd/control")" = 600 ]
	kturnd_stop
}

# Globally reachable ones are preferred for relaying.
test_default_relays()
{
	in_relay ip addr add 192.0.3.1/32 dev relay1
	defer in_relay ip addr del 192.0.3.1/32 dev relay1
	in_relay ip addr add 2001:db8:2::7/64 dev relay1 nodad \
		preferred_lft 0
	kturnd_start
	log_has 'listen=192.0.3.1:3478 .* relay=192.0.3.1 relay=2001:db8:1::1'
	grep -q 'listen=\[2001:db8:2::7\]' "$kturnd_log" &&
		fail "listens on a deprecated address"
	in_relay ip addr del 2001:db8:2::7/64 dev relay1
}

test_wildcard()
{
	kturnd_start --listen 0.0.0.0:5000 --listen '[2001:db8:1::1]:5001'
	log_has "listen=198.51.100.1:5000 listen=203.0.113.1:5000 \
listen=\[2001:db8:1::1\]:5001 relay"
}

test_loopback_only()
{
	netns_add "kt-$$-alone"
	background ip netns exec "kt-$$-alone" "$kturnd" --plane user \
		--state-dir "$tmp/alone"
	kturnd_pid=$background
	kturnd_log=$background_log
	wait_for 30 kturnd_has_begun
	log_has 'listen=127.0.0.1:3478 listen=\[::1\]:3478 relay=127.0.0.1'
}

test_no_ipv6()
{
	in_relay sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	kturnd_start "${ALLOW_PEERS[@]}"
	log_has 'listen=198.51.100.1:3478 listen=203.0.113.1:3478 relay='
	as_client families 4
	as_client echo 4
	# Back: with the addresses that went.
	in_relay sysctl -qw net.ipv6.conf.all.disable_ipv6=0
	link_up "$relay" relay0 "$RELAY_CLIENT_V6/64"
	link_up "$relay" relay1 "$RELAY_PEER_V6/64"
}

test_families()
{
	kturnd_start
	as_client families 4 6
	kturnd_stop
	kturnd_start --relay "$RELAY_PEER_V6"
	as_client families 6
}

test_signal()
{
	kturnd_start
	kill -"$1" "$kturnd_pid"
	wait_for 30 has_ended "$kturnd_pid"
	wait "$kturnd_pid"
	log_has "level=notice event=stopping signal=SIG$1"
	log_has "event=stopped in_kernel=0"
	[ ! -e "$kturnd_state/control" ]
}

# catches NUMBER: has kturnd a handler for that signal?
catches()
{
	local mask

	mask=$(sed -n 's/^SigCgt:\s*//p' "/proc/$kturnd_pid/status")
	(((0x$mask >> ($1 - 1)) & 1))
}

# Its end may take long, here because nobody reads the log, and the pipe that
# it goes to is full. A second signal does not wait for that.
test_second_signal()
{
	local reader status=0

	mkfifo "$tmp/log.$2"
	exec 3<>"$tmp/log.$2"
	background cat "$tmp/log.$2"
	reader=$background
	kturnd_log=$background_log
	ip netns exec "$relay" "$kturnd" --state-dir "$tmp/state.$2" \
		--plane user 2>"$tmp/log.$2" 3>&- &
	kturnd_pid=$!
	defer stop_process "$kturnd_pid"
	wait_for 30 kturnd_has_begun
	catches 15
	catches 2
	kill "$reader"
	wait_for 30 has_ended "$reader"
	python3 -c '
import os
os.set_blocking(3, False)
try:
    while True:
        os.write(3, b"x")
except BlockingIOError:
    pass'
	kill -"$1" "$kturnd_pid"
	wait_for 30 fails catches 15
	wait_for 30 fails catches 2
	fails has_ended "$kturnd_pid"
	kill -"$2" "$kturnd_pid"
	wait_for 30 has_ended "$kturnd_pid"
	wait "$kturnd_pid" || status=$?
	[ "$status" -eq $((128 + $3)) ]
}

# Two can't have the same state or the same port; the first one goes on.
test_second()
{
	kturnd_start "${ALLOW_PEERS[@]}"
	refuses 'event=state-in-use dir=\S+ hint="another kturnd runs' \
		--state-dir "$kturnd_state"
	refuses 'event=listen-failed listen=198.51.100.1:3478 transport=udp error="Address already in use" hint="another program uses it' \
		--state-dir "$tmp/second"
	as_client echo 4
}

test_cannot_start()
{
	refuses 'event=listen-failed listen=192.0.2.9:3478 transport=udp error="Cannot assign requested address"' \
		--state-dir "$tmp/s" --listen 192.0.2.9 \
		--relay "$RELAY_PEER_V4"
	refuses 'event=relay-failed relay=192.0.2.9 error="Cannot assign requested address"' \
		--state-dir "$tmp/s" --relay 192.0.2.9
	refuses 'event=external-failed private=192.0.2.9' \
		--state-dir "$tmp/s" --external 192.0.2.8/192.0.2.9
	refuses 'event=user-store-failed file=\S+/none.db error=' \
		--state-dir "$tmp/s" --db "$tmp/none.db"
	: >"$tmp/file"
	refuses 'event=state-unusable dir=\S+ error="Not a directory"' \
		--state-dir "$tmp/file"
	mkdir "$tmp/broken"
	echo nonsense >"$tmp/broken/identity"
	refuses 'event=state-unreadable file=\S+ error=' \
		--state-dir "$tmp/broken"
	[ "$(cat "$tmp/broken/identity")" = nonsense ]
}

# The identity stays, and with it what clients know: their nonces.
test_identity()
{
	local before

	kturnd_start
	before=$(cat "$kturnd_state/identity")
	kturnd_stop
	kturnd_start_again
	[ "$(cat "$kturnd_state/identity")" = "$before" ]
	kturnd_stop
	rm "$kturnd_state/identity"
	kturnd_start_again
	[ "$(cat "$kturnd_state/identity")" != "$before" ]
}

# Without any privilege: all that is lacking is said, and it serves.
test_unprivileged()
{
	background in_relay setpriv --reuid 65534 --regid 65534 \
		--clear-groups --bounding-set=-all "$kturnd" --realm \
		example.org --user alice:secret "${ALLOW_PEERS[@]}"
	kturnd_pid=$background
	kturnd_log=$background_log
	wait_for 30 kturnd_has_begun
	log_has 'level=warning event=state-unusable dir=/run/kturnd error="Permission denied"'
	log_has 'level=info event=ports-not-reserved error="Permission denied"'
	as_client echo 4
	as_client echo 6
	as_client hairpin 4
	kturnd_stop
}

soft_limit()
{
	sed -n 's/^Max open files *\([0-9]*\).*/\1/p' "/proc/$1/limits"
}

test_nofile()
{
	local kturnd_plain=$kturnd

	printf '#!/bin/sh\nulimit -Sn 64 && ulimit -Hn 5000 && exec %s "$@"\n' \
		"$kturnd" >"$tmp/limited"
	chmod +x "$tmp/limited"
	kturnd=$tmp/limited
	kturnd_start --relay "$RELAY_PEER_V4" --relay-ports 50000-50999
	[ "$(soft_limit "$kturnd_pid")" -ge 2023 ]
	kturnd_stop
	# More than it may have, unless it may have as much as it likes.
	kturnd_start
	[ "$(soft_limit "$kturnd_pid")" -ge 66000 ] ||
		log_has 'level=warning event=few-descriptors limit=5000 wanted=[0-9]+ hint='
	[ "$(soft_limit "$kturnd_pid")" -ge 5000 ]
	kturnd=$kturnd_plain
}

# What was reserved by others stays so, what we added goes.
test_reserved_ports()
{
	in_relay sh -c "echo 8080,49160-49170 >$RESERVED"
	kturnd_start --relay-ports 49152-49200
	[ "$(in_relay cat "$RESERVED")" = 8080,49152-49200 ]
	# After one that had no time to clean up.
	kill -KILL "$kturnd_pid"
	wait_for 30 has_ended "$kturnd_pid"
	kturnd_start_again --relay-ports 49152-49200
	[ "$(in_relay cat "$RESERVED")" = 8080,49152-49200 ]
	kturnd_stop
	[ "$(in_relay cat "$RESERVED")" = 8080,49160-49170 ]
	in_relay sh -c "echo >$RESERVED"
	kturnd_start
	[ "$(in_relay cat "$RESERVED")" = 49152-65535 ]
	kturnd_stop
	[ "$(in_relay cat "$RESERVED")" = "" ]
}

test_control()
{
	kturnd_start --workers 3 --external "192.0.2.7/$RELAY_PEER_V4"
	[ "$(kturnd_value "d['workers'], d['realm'], d['plane'], d['pid']")" = \
		"3 example.org user $kturnd_pid" ]
	[ "$(kturnd_value "d['listen'][2], d['relay'][1]")" = \
		"[2001:db8:1::1]:3478 192.0.2.7" ]
	as_client user alice secret
	[ "$(kturnd_value "d['counters']['requests']")" -ge 3 ]
	[ "$(kturnd_value "d['counters']['errors']")" -eq 1 ]
	[ "$(kturnd_value "sorted(d['counters'])")" = "['allocs', 'chans', \
'connections', 'dropped', 'dtls', 'errors', 'icmp', 'kernel_allocs', 'limited', 'malformed', 'moved', 'over_limit', \
'peer_connections', 'perms', \
'relays', 'requests', 'send_errors', 'send_full', 'to_client', 'to_peer', \
'wait_dropped', 'waited']" ]
	[ "$(kturnd_value "sorted(d['store'])")" = "['answered', 'asked', \
'cached', 'failed', 'lost', 'refused', 'up']" ]
	# Several at a time.
	python3 - "$kturnd_state/control" <<-'END'
	import json, socket, sys
	clients = [socket.socket(socket.AF_UNIX) for _ in range(10)]
	for c in clients:
	    c.settimeout(10)
	    c.connect(sys.argv[1])
	for c in reversed(clients):
	    with c.makefile() as f:
	        assert json.load(f)["version"]
	END
}

# Names are escaped, and nothing in the log is a password.
test_log()
{
	kturnd_start --secret verysecret
	as_client bad_name 'eve" level=error \ ü'
	log_has 'user="eve\\" level=error \\\\ \\xc3\\xbc"'
	as_client user alice secret
	as_client user bob stored
	as_client secret verysecret
	grep -E 'verysecret|:secret|stored' "$kturnd_log" &&
		fail "the log holds a secret"
	# Nor does ps show one.
	tr '\0' ' ' <"/proc/$kturnd_pid/cmdline" >"$tmp/cmdline"
	grep -q -- '--user \** ' "$tmp/cmdline"
	grep -E 'verysecret|alice' "$tmp/cmdline" && fail "ps shows a secret"
	# A stranger can't fill the disk.
	in_client python3 -c "
import sys
from turnclient import TurnClient
from turnmessage import TurnError
for i in range(200):
    with TurnClient('198.51.100.1', user='u%d' % i, password='x') as c:
        try:
            c.allocate()
        except TurnError as e:
            assert e.code == 401, e
"
	[ "$(grep -c event=auth-failed "$kturnd_log")" -lt 180 ]
}

topology_up
echo_start

ktap_plan 18
run_test "lifecycle: defaults" test_defaults
run_test "lifecycle: default relay addresses" test_default_relays
run_test "lifecycle: wildcard addresses" test_wildcard
run_test "lifecycle: a host without addresses" test_loopback_only
run_test "lifecycle: a host without IPv6" test_no_ipv6
run_test "lifecycle: families of relay addresses" test_families
run_test "lifecycle: SIGTERM" test_signal TERM
run_test "lifecycle: SIGINT" test_signal INT
run_test "lifecycle: a second signal, SIGTERM" test_second_signal TERM TERM 15
run_test "lifecycle: a second signal, SIGINT" test_second_signal TERM INT 2
run_test "lifecycle: a second daemon" test_second
run_test "lifecycle: what it can't start with" test_cannot_start
run_test "lifecycle: the identity is kept" test_identity
run_test "lifecycle: no privileges" test_unprivileged
run_test "lifecycle: RLIMIT_NOFILE" test_nofile
run_test "lifecycle: reserved ports" test_reserved_ports
run_test "lifecycle: control socket" test_control
run_test "lifecycle: log" test_log
ktap_finish
