#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# coturn's client, turnutils_uclient, through the relay to a peer that sends
# everything back, with the module and without: nothing is lost, and each
# packet is counted by who relayed it.
#
#	client                     relay                        peer
#	turnutils_uclient -------> kturn.ko or kturnd --------> echo
#	198.51.100.2,     <------- 198.51.100.1, 2001:db8:1::1  203.0.113.2,
#	2001:db8:1::2              port 3478           <------- 2001:db8:2::2

. "$(dirname "$0")/common.sh"

MESSAGES=50
LENGTH=160

# What is between client and relay: ChannelData has 1 in the first two bits
# (RFC 8656 section 12.4), 0x0016 is a Send and 0x0017 a Data indication.
forms_count()
{
	in_client nft -f - <<-END
	table inet forms {
		counter channel-out {}
		counter channel-in {}
		counter send {}
		counter data {}
		chain output {
			type filter hook output priority 0
			udp dport 3478 @th,64,2 1 counter name channel-out
			udp dport 3478 @th,64,16 0x0016 counter name send
		}
		chain input {
			type filter hook input priority 0
			udp sport 3478 @th,64,2 1 counter name channel-in
			udp sport 3478 @th,64,16 0x0017 counter name data
		}
	}
	END
	defer in_client nft delete table inet forms
}

# forms: packets of ChannelData out and in, Send and Data indications
forms()
{
	local json

	json=$(in_client nft -j list counters table inet forms) || return
	json_value "*({c['counter']['name']: c['counter']['packets']
		for c in d['nftables'] if 'counter' in c}[name]
		for name in ('channel-out', 'channel-in', 'send', 'data'))" \
		"$json"
}

# test_kernel FAMILY FORM: two sessions, so twice as many messages
test_kernel()
{
	local n=$((2 * MESSAGES)) options=()
	local bytes=$((n * LENGTH)) want before after d

	want="$n $n 0 0"
	if [ "$2" = indications ]; then
		options=(-s)
		want="0 0 $n $n"
	fi
	plane kernel
	forms_count
	kturnd_start --channel-range 5766 "${ALLOW_PEERS[@]}"
	read -ra before < <(relayed_by kernel)
	uclient "$1" "$MESSAGES" "${options[@]}"
	read -ra after < <(relayed_by kernel)
	for d in 0 1 2 3; do
		after[d]=$((after[d] - before[d]))
	done
	same "relayed by the kernel" "${after[*]}" "$n $bytes $n $bytes"
	same "relayed by the daemon" "$(relayed_by daemon)" "0 0 0 0"
	same "in what form" "$(forms)" "$want"
	same "dropped by the kernel" "$(kernel_value "sum(d['drop'].values())")" 0
}

test_user()
{
	local n=$((8 * MESSAGES)) bytes

	bytes=$((n * LENGTH))
	plane user
	forms_count
	kturnd_start --channel-range 5766 "${ALLOW_PEERS[@]}"
	uclient_all "$MESSAGES"
	same "relayed by the daemon" "$(relayed_by daemon)" \
		"$n $bytes $n $bytes"
	same "in what form" "$(forms)" \
		"$((n / 2)) $((n / 2)) $((n / 2)) $((n / 2))"
}

module_load
topology_up
# What the daemon sends at once is counted one by one.
in_relay ethtool -K relay0 tx-udp-segmentation off || exit 1
echo_start

ktap_plan 5
for family in 4 6; do
	for form in channels indications; do
		run_test "uclient: kernel, IPv$family, $form" \
			test_kernel $family $form
	done
done
run_test "uclient: no module, IPv4 and IPv6, channels and indications" \
	test_user
ktap_finish
