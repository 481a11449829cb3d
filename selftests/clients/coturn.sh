#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# coturn's clients, in all modes that ../kturnd and ../stream don't have. Left out:
# SCTP (-b), which is no transport of RFC 8656; eNULL (-U), which Debian's OpenSSL
# can't do.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"
. "$(dirname "$0")/../conformance/common.sh"

other=198.51.100.9
# Of a mode's client: the process, and what it says in $tmp/NAME.
declare -A running=()
bad=()

# mode_start NAME OPTION...: let it begin. Modes wait most of their time, so all of
# them run at once.
mode_start()
{
	local name=$1

	shift
	background in_client timeout 60 turnutils_uclient -n 20 -m 2 -l 160 \
		-e "$PEER_V4" -r 9999 "$@" "$RELAY_CLIENT_V4" || return
	running[$name]=$background
	ln -s "$background_log" "$tmp/$name"
}

# mode_lossless NAME
mode_lossless()
{
	wait_for 60 has_ended "${running[$1]}"
	tail -n 4 "$tmp/$1"
	grep -q 'Total lost packets 0 (0.000000%)' "$tmp/$1"
	grep -qE 'tot_send_msgs=([1-9][0-9]*), tot_recv_msgs=\1$' "$tmp/$1"
}

# At once: two sessions by UDP and two by TCP.
dual_are_there()
{
	[ "$(kturnd_value "d['counters']['relays'] - d['counters']['allocs']")" \
		-ge 4 ]
}

modes_start()
{
	local user=(-u alice -w secret)

	# Of these, how many there are is asked while they run.
	mode_start dual "${user[@]}" -Z
	mode_start dual-tcp "${user[@]}" -Z -t -e "$PEER_V6"
	mode_start both-udp "${user[@]}" -y
	mode_start both-udp-6 "${user[@]}" -y -x
	mode_start both-tcp "${user[@]}" -y -t
	mode_start both-tls "${user[@]}" -y -t -S -x
	mode_start both-dtls "${user[@]}" -y -S -x
	mode_start verified "${user[@]}" -y -t -S -E "$tmp/one.pem"
	mode_start dont-fragment "${user[@]}" -c -g
	mode_start dont-fragment-send "${user[@]}" -c -g -s
	mode_start padded "${user[@]}" -c -D
	mode_start extra "${user[@]}" -c -G
	mode_start extra-tcp "${user[@]}" -c -G -t
	mode_start breaks-off "${user[@]}" -y -B
	mode_start breaks-off-tcp "${user[@]}" -y -t -B
	mode_start not-permitted "${user[@]}" -y -I
	mode_start minted -u carol -W north -c
	mode_start minted-tls -u carol -W north -c -t -S
	bad_start -N
	bad_start -N -t
	bad_start -R
	bad_start -R -t
	bad_start -R -S
	bad_start -O
	bad_start -O -t
}

# bad_start OPTION...: one whose requests make no sense at random (-N, -R), after
# which it may wait for ever, or that is gone at once (-O).
bad_start()
{
	background in_client timeout 5 turnutils_uclient -n 20 -m 2 -c "$@" \
		-e "$PEER_V4" -r 9999 -u alice -w secret "$RELAY_CLIENT_V4"
	bad+=("$background")
}

# While some behaved badly nothing else was lost, and it goes on.
test_goes_on()
{
	local process

	for process in "${bad[@]}"; do
		wait_for 60 has_ended "$process"
	done
	as_client echo 4
}

# stun TOOL OPTION...: of coturn's that ask for addresses
stun()
{
	in_client timeout 20 "turnutils_$1" "${@:2}" "$RELAY_CLIENT_V4" \
		>"$tmp/out" 2>&1
}

test_stunclient()
{
	stun stunclient
	stun stunclient -f
	cat "$tmp/out"
	[ "$(grep -c "Other addr: : $other:3479" "$tmp/out")" -eq 3 ]
	[ "$(grep -c 'UDP reflexive addr: 198.51.100.2:' "$tmp/out")" -eq 3 ]
}

test_natdiscovery()
{
	stun natdiscovery -H -L "$CLIENT_V4"
	grep -q 'Received a request (maybe a successful hairpinning)' \
		"$tmp/out"
	stun natdiscovery -c -L "$CLIENT_V4" -l 7100 -A 198.51.100.3
	grep -q 'UDP reflexive addr: 198.51.100.3:7100' "$tmp/out"
	stun natdiscovery -t -T 1 -L "$CLIENT_V4" -l 7200
	cat "$tmp/out"
	[ "$(grep -c 'No ALG: Mapped == XOR-Mapped' "$tmp/out")" -eq 2 ]
}

topology_up && echo_start && make_cert "$tmp/one.pem" one.example.org || exit 1
in_relay ip addr add "$other/32" dev lo
in_client ip addr add 198.51.100.3/24 dev client0
kturnd_start --channel-range 5766 --tls-cert "$tmp/one.pem" --secret north \
	--listen "$RELAY_CLIENT_V4:3478" --listen "$RELAY_CLIENT_V4:5349" \
	--relay "$RELAY_PEER_V4" \
	--relay "$RELAY_PEER_V6" \
	--nat-discovery "$RELAY_CLIENT_V4:3478/$other:3479" \
	"${ALLOW_PEERS[@]}" && modes_start || exit 1

ktap_plan 23
run_test "coturn's clients: two families each, by its own number" \
	wait_for 20 dual_are_there
run_test "coturn's clients: stunclient" test_stunclient
run_test "coturn's clients: natdiscovery" test_natdiscovery
while read -r check name what; do
	run_test "coturn's clients: $what" "mode_$check" "$name"
done <<-END
	lossless both-udp to each other, UDP
	lossless both-udp-6 to each other, UDP, IPv6
	lossless both-tcp to each other, TCP
	lossless both-tls to each other, TLS, IPv6
	lossless both-dtls to each other, DTLS, IPv6
	lossless verified the certificate is verified
	lossless dont-fragment DONT-FRAGMENT, channels
	lossless dont-fragment-send DONT-FRAGMENT, indications
	lossless padded channels with padding
	lossless extra more requests than it takes
	lossless extra-tcp more requests than it takes, TCP
	lossless breaks-off connections that end, UDP
	lossless breaks-off-tcp connections that end, TCP
	lossless not-permitted no permissions but those of channels
	lossless dual a relayed address of each family
	lossless dual-tcp a relayed address of each family, TCP
	lossless minted time-limited credentials
	lossless minted-tls time-limited credentials, TLS
END
run_test "coturn's clients: beside some that behave badly" test_goes_on
kturnd_stop
run_test "coturn's clients: and ends as it should" [ $? -eq 0 ]
ktap_finish
