#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The netlink spec: the committed header and policies are what it generates,
# and the kernel's own generic client can use the family by it.

. "$(dirname "$0")/../lib.sh"

linux=$top/build/linux-source-6.12
work=$tmp/Documentation/netlink

# ynl ARGUMENT...: the stock client, which looks for the schema beside the spec.
# It takes addresses as numbers and in hex, and shows them as people write them.
ynl()
{
	local schema=()

	# Once is enough for the spec: that takes most of the time.
	[ ! -e "$work/validated" ] || schema=(--no-schema)
	PYTHONPATH=$work/quick in_relay /usr/bin/python3 \
		"$linux/tools/net/ynl/cli.py" \
		--spec "$work/specs/kturn.yaml" "${schema[@]}" "$@"
}

# quick_yaml: Python programs with $work/quick in PYTHONPATH have YAML read by
# libyaml, which takes a tenth of the time.
quick_yaml()
{
	mkdir "$work/quick" && cat >"$work/quick/sitecustomize.py" <<-END
	import functools, yaml
	yaml.safe_load = functools.partial(yaml.load, Loader=yaml.CSafeLoader)
	END
}

test_generated()
{
	PYTHONPATH=$work/quick "$top/Documentation/netlink/regen" "$linux" \
		--check
}

ALLOC='{"client": {"addr4": 3325256706, "port": 40000},
	"server": {"addr4": 3325256705, "port": 3478},
	"relay6": {"addr6": "20010db8000200000000000000000001", "port": 50000},
	"lifetime-ms": 600000, "flags": ["exclusive"], "label": "by ynl",
	"quota": [{"id": 3, "limit-to-peer": {"packet-rate": 7}}, {"id": 9}]}'
PERM='{"alloc-id": 1, "peer": {"addr6": "20010db8000200000000000000000002"}, "lifetime-ms": 500000}'
CHAN='{"alloc-id": 1, "number": 16384, "lifetime-ms": 500000,
	"peer": {"addr6": "20010db8000200000000000000000002", "port": 9}}'

test_do()
{
	ynl --do alloc-new --json "$ALLOC" | grep -q "'id': 1"
	touch "$work/validated"
	ynl --do perm-new --json "$PERM"
	ynl --do chan-new --json "$CHAN"
	in_relay kturn show alloc | grep -q "by ynl"
	in_relay kturn show chan | grep -q 0x4000
	in_relay kturn show quota | grep -q "^3  *-  *1 *7pps/16"
	ynl --do alloc-set --json '{"id": 1, "limit-to-client":
		{"bit-rate": 2000000, "packet-rate": 500}}'
	in_relay kturn show alloc | grep -q "2Mbit/65535B,500pps/125"
	ynl --do config-set --json '{"punt-rate": 40, "icmp-ind-rate": 0}'
	in_relay kturn limits | grep -qx "punt-burst *16"
	in_relay kturn limits | grep -qx "icmp-ind-rate *0"
	ynl --do config-set --json '{"punt-rate": 0}'
}

test_dump()
{
	ynl --dump alloc-get >"$tmp/out"
	grep -q "'label': 'by ynl'" "$tmp/out"
	grep -q "'exclusive'" "$tmp/out"
	grep -q "2001:db8:2::1" "$tmp/out"
	ynl --dump perm-get | grep -q "2001:db8:2::2"
	ynl --dump chan-get | grep -q "'number': 16384"
	ynl --do stats-get --json '{}' | grep -q "'chans': 1"
	grep -q "'bit-rate': 2000000" "$tmp/out"
	grep -q "'quota': " "$tmp/out"
	grep -q "'id': 9" "$tmp/out"
	ynl --do config-get --json '{}' | grep -q max-allocs
	ynl --do config-get --json '{}' | grep -q "'icmp-rate': 1000"
}

# The kernel's words come through, whoever asks.
test_refusal()
{
	ynl --do alloc-new --json "$ALLOC" >"$tmp/out" 2>&1 && return 1
	grep -q "in use by another allocation" "$tmp/out"
	for quota in '{}' '{"id": 3, "allocs": 1}'; do
		ynl --do alloc-new --json "${ALLOC%\"quota\"*}\"quota\": [$quota]}" \
			>"$tmp/out" 2>&1 && return 1
		grep -qE "a quota without an id|is shown only" "$tmp/out"
	done
	ynl --do perm-new --json '{"alloc-id": 1, "lifetime-ms": 1000,
		"peer": {"addr4": 3221225985}}' >"$tmp/out" 2>&1 && return 1
	grep -q "no relayed address of the peer's family" "$tmp/out"
	ynl --do chan-del --json '{"alloc-id": 1, "number": 4096}' \
		>"$tmp/out" 2>&1 && return 1
	grep -qi "range" "$tmp/out"
	ynl --do alloc-set --json '{"id": 1, "limit-to-peer":
		{"bit-rate": 1, "burst-bytes": 5000000}}' \
		>"$tmp/out" 2>&1 && return 1
	grep -q "the burst takes longer than 417 days" "$tmp/out"
	ynl --do alloc-set --json '{"id": 1, "limit-to-peer":
		{"burst-packets": 1}}' >"$tmp/out" 2>&1 && return 1
	grep -q "a burst without a rate" "$tmp/out"
}

# unprivileged COMMAND...: without CAP_NET_ADMIN in the namespace
unprivileged()
{
	in_relay setpriv --reuid=65534 --clear-groups \
		--inh-caps=-all "$@"
}

# Reading is privileged too: entries say who talks to whom.
test_privilege()
{
	local status

	for command in "show" "stats" "flush" "limits"; do
		status=0
		unprivileged "$programs/kturn" "$command" >"$tmp/out" 2>&1 ||
			status=$?
		[ "$status" -eq 1 ]
		grep -q CAP_NET_ADMIN "$tmp/out"
	done
	unprivileged timeout 20 "$programs/kturn" monitor >"$tmp/out" 2>&1 &&
		return 1
	grep -q CAP_NET_ADMIN "$tmp/out"
}

# Root of a user namespace has capabilities only there.
test_userns()
{
	local userns=/sys/module/kturn/parameters/userns

	grep -q N "$userns"
	unshare --user --map-root-user --net "$programs/kturn" stats \
		>"$tmp/out" 2>&1 && return 1
	grep -q "not in a user namespace, unless" "$tmp/out"
	echo 1 >"$userns"
	unshare --user --map-root-user --net "$programs/kturn" stats \
		>"$tmp/out" 2>&1 || return 1
	grep -q "hooks *not registered" "$tmp/out"
	# The parameter is no way into a namespace of others.
	fails unshare --user --map-root-user "$programs/kturn" stats
	echo 0 >"$userns"
}

module_load
ktap_plan 6
mkdir -p "$work/specs"
cp "$linux"/Documentation/netlink/*.yaml "$work/"
cp "$top/Documentation/netlink/specs/kturn.yaml" "$work/specs/"
topology_up && quick_yaml || exit 1
run_test "spec: header and policies are generated from it" test_generated
run_test "spec: the stock client makes entries" test_do
run_test "spec: the stock client shows entries" test_dump
run_test "spec: refusals say why" test_refusal
run_test "spec: nothing without CAP_NET_ADMIN" test_privilege
run_test "spec: user namespaces" test_userns
ktap_finish
