#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make run ONCE=1 where the running kernel takes the module: here. It has to
# prove the relay without a VM of its own, and to leave nothing behind.

. "$(dirname "$0")/common.sh"

# The checkout is read-only here, so what make writes goes elsewhere.
run_once()
{
	mkdir "$tmp/upper" "$tmp/work"
	# shellcheck disable=SC2016 # the other shell's parameters
	unshare -m bash -c '
		mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" \
			overlay "$1" && cd / && cd "$1" && exec make run ONCE=1' \
		- "$top" "$tmp"
}

# row NAME: as the table has it
row()
{
	grep "^$1 " "$tmp/said"
}

test_run()
{
	local name n rest

	module_unload
	run_once >"$tmp/said" 2>&1 || fail "$(cat "$tmp/said")"
	cat "$tmp/said"
	grep -qx "run: the module is loaded into the running kernel" "$tmp/said"
	grep -qx " *turn:198.51.100.1:3478?transport=udp" "$tmp/said"
	grep -qx " *password   [0-9a-f]\\{32\\}" "$tmp/said"
	for name in "channels IPv4" "indications IPv4" "channels IPv6" \
			"indications IPv6"; do
		read -ra rest < <(row "$name")
		n=${rest[2]}
		[ "$n" -gt 0 ]
		same "$name" "${rest[*]:2}" \
			"$n $((n * 160)) $n $((n * 160)) $((2 * n)) 0 0"
	done
	grep -qx "run: all of it held: .*" "$tmp/said"
}

test_rest()
{
	[ ! -d /sys/module/kturn ]
	[ ! -e /sys/class/net/kturn0 ]
	same "network namespaces" "$(ip netns list)" ""
	fails pgrep -l -x kturnd
	fails pgrep -l -x "turnutils_.*"
}

# Those of other Debian suites' kernels are not where the guest looks.
[ -e "/lib/modules/$(uname -r)/build/Makefile" ] ||
	ktap_skip_all "there are no headers of this kernel"
module_load
ktap_plan 2
run_test "demo: make run ONCE=1 with the module" test_run
run_test "demo: nothing is left of it" test_rest
ktap_finish
