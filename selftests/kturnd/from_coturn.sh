#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A turnserver.conf by which coturn serves, and what kturn from-coturn makes of
# it, by which kturnd serves the same client.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

# session OPTION...: of coturn's client, with the options that say who it is.
session()
{
	in_client turnutils_uclient "$@" -e "$PEER_V4" -r 9999 -n 5 -m 1 \
		-l 160 -X "$RELAY_CLIENT_V4" >"$tmp/client" 2>&1 || :
	tail -n 4 "$tmp/client"
	grep -q 'tot_send_msgs=10, tot_recv_msgs=10$' "$tmp/client"
}

listens()
{
	in_relay ss -Hlun "src $RELAY_CLIENT_V4:3478" | grep -q .
}

# moved OPTION...: standard input has what the file says of users.
moved()
{
	{
		cat <<-END
		listening-ip=$RELAY_CLIENT_V4
		relay-ip=$RELAY_PEER_V4
		realm=example.org
		no-cli
		no-rfc5780
		no-tcp-relay
		allowed-peer-ip=$PEER_V4
		END
		cat
	} >"$tmp/conf"
	background in_relay turnserver -c "$tmp/conf" --log-file stdout \
		--pidfile "$tmp/pid"
	wait_for 30 listens
	session "$@"
	fails session -u mallory -w guess
	stop_process "$background" || :

	"$programs/kturn" from-coturn "$tmp/conf" >"$tmp/yaml"
	cat "$tmp/yaml"
	background in_relay "$kturnd" --config "$tmp/yaml" --plane user \
		--state-dir "$tmp/state"
	kturnd_pid=$background
	kturnd_log=$background_log
	wait_for 30 has_text "$kturnd_log" event=ready
	session "$@"
	fails session -u mallory -w guess
	kturnd_stop
}

test_users()
{
	moved -u alice -w secret <<-END
	lt-cred-mech
	user=alice:secret
	END
}

test_secret()
{
	moved -u alice -W north <<-END
	use-auth-secret
	static-auth-secret=north
	END
}

# What turnadmin has stored.
test_store()
{
	local db=$tmp/turndb

	# It writes a log of its own.
	unshare -m bash -c 'mount -t tmpfs none /var/log && exec "$@"' bash \
		turnadmin -a -b "$db" -u alice -r example.org -p secret
	moved -u alice -w secret <<-END
	lt-cred-mech
	userdb=$db
	END
}

ktap_plan 3
topology_up && echo_start || exit 1
run_test "from-coturn: users" test_users
run_test "from-coturn: a shared secret" test_secret
run_test "from-coturn: a database" test_store
ktap_finish
