# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the tests of streams share; source it after ../kturnd/common.sh.

# shellcheck disable=SC2154,SC2153 # of lib.sh
{

# as_stream TEST [ARGUMENT...]: a test of streams.py, in the client's namespace.
as_stream()
{
	in_client env "client=$client" python3 \
		"$top/selftests/stream/streams.py" "$@"
}

# uclient_streams OPTION...: coturn's client with these options, with channels and
# with indications, IPv4 and IPv6, all at once; it must lose nothing.
uclient_streams()
{
	local family peer relay option pids=() pid

	for family in 4 6; do
		if [ $family -eq 4 ]; then
			peer=$PEER_V4 relay=$RELAY_CLIENT_V4
		else
			peer=$PEER_V6 relay=$RELAY_CLIENT_V6
		fi
		for option in -c "-c -s"; do
			# shellcheck disable=SC2086 # words
			in_client turnutils_uclient -u alice -w secret \
				-e "$peer" -r 9999 -n 20 -m 2 -l 160 \
				-"$([ $family -eq 4 ] && echo X || echo x)" \
				$option "$@" "$relay" \
				>"$tmp/uclient$family${option// /}" 2>&1 &
			pids+=($!)
		done
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || return
	done
	tail -n 4 "$tmp"/uclient[46]*
	[ "$(grep -l 'Total lost packets 0 (0.000000%)' "$tmp"/uclient[46]* |
		wc -l)" -eq 4 ]
}

# patience_start: clients of TCP allocations and peers that keep others waiting, for
# half a minute, at a server of their own, while other tests run.
patience_start()
{
	kturnd_start --listen "$RELAY_CLIENT_V4:3480" --tcp-relay yes \
		--relay-ports 41001-42000 "${ALLOW_PEERS[@]}" || return
	background in_client env peer="$peer" python3 \
		"$top/selftests/stream/tcprelay.py" patience 3480
	patience_pid=$background
	patience_log=$background_log
	patience_server_log=$kturnd_log
}

patience_finish()
{
	wait_for 100 has_ended "$patience_pid"
	cat "$patience_log"
	grep -qx passed "$patience_log"
	grep -q 'reason="its other end has gone"' "$patience_server_log"
	wait_for 10 grep -q 'reason="its peer takes nothing"' \
		"$patience_server_log"
}

# idle_start TRANSPORT [OPTION...]: clients that say nothing for a minute, at a
# server of their own, while other tests run.
idle_start()
{
	local transport=$1

	shift
	kturnd_start --listen "$RELAY_CLIENT_V4:3479" \
		--relay-ports 40000-41000 "$@" "${ALLOW_PEERS[@]}" || return
	background in_client python3 "$top/selftests/stream/streams.py" idle \
		"$transport" 3479
	idle_pid=$background
	idle_log=$background_log
	idle_server_log=$kturnd_log
}

idle_finish()
{
	wait_for 100 has_ended "$idle_pid"
	cat "$idle_log"
	grep -qx passed "$idle_log"
	grep -q 'reason="it has no allocation and asks for nothing"' \
		"$idle_server_log"
}
}
