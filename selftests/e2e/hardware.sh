#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make bench with REMOTE, between pairs of veth devices instead of cables.

. "$(dirname "$0")/../lib.sh"

# bench NEAR FAR
bench()
{
	NEAR=$1 FAR=$2 REMOTE='env HERE=there' EACH=1 ROUNDS=1 \
		"$top/selftests/bench/remote.py" >"$tmp/figures" 2>"$tmp/error"
}

# refused WORDS NEAR FAR
refused()
{
	fails bench "$2" "$3"
	grep -q -- "$1" "$tmp/error" || { cat "$tmp/error"; return 1; }
}

test_refuses()
{
	refused "the module is not loaded" "near0 near1" "far0 far1"
	module_load
	refused "NEAR has to name two devices" "near0" "far0 far1"
	refused "FAR has to name two devices" "near0 near1" ""
	ip link set near1 up
	ip addr add 192.0.2.1/24 dev near1
	ip route add default via 192.0.2.2
	refused "near1 has the default route" "near0 near1" "far0 far1"
	ip route del default
	ip addr flush dev near1
	refused "far9" "near0 near1" "far0 far9"
}

devices()
{
	ip -br link | grep -o "^\(near\|far\)." | sort | xargs
}

test_measures()
{
	module_load
	echo 2 >"$rps"
	bench "near0 near1" "far0 far1" || { cat "$tmp/error"; return 1; }
	cat "$tmp/figures"
	for path in ip_forward PRE_ROUTING ingress; do
		grep -qP "^$path, 1 CPU\t[1-9]\d*\tpackets per second$" \
			"$tmp/figures"
	done
	grep -qP "^ingress / ip_forward, 1 CPU\t[\d.]+\tratio$" "$tmp/figures"
	"$top/selftests/bench/report.py" "$tmp/json" <"$tmp/figures" || true
	grep -q '"figure": "PRE_ROUTING, 1 CPU"' "$tmp/json"
}

# What was taken is there again, and nothing else.
test_nothing_left()
{
	[ "$(devices)" = "far0 far1 near0 near1" ]
	[ -z "$(ip netns list)" ]
	[ "$(cat "$rps")" -eq 2 ]
	fails compgen -G "/tmp/kturn-blast.*"
}

rps=/sys/class/net/near0/queues/rx-0/rps_cpus
for i in 0 1; do
	ip link add near$i type veth peer name far$i || exit 1
done
ktap_plan 3
run_test "hardware: what can't be measured is refused" test_refuses
run_test "hardware: packets per second" test_measures
run_test "hardware: nothing is left of it" test_nothing_left
ktap_finish
