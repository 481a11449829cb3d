#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn check-host: devices, queues, offloads, MTU and routing.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/check_lib.sh"

shim=$top/build/selftests/cli/ethtool_shim.so

# real_device: up0 looks like a network card's, with QUEUES receive queues.
real_device()
{
	local i

	instead_dir /sys/class/net
	mkdir -p "$dir/up0/device" "$dir/up0/statistics"
	run_in_ns_plain cat /sys/class/net/up0/ifindex >"$dir/up0/ifindex"
	for ((i = 0; i < $1; i++)); do
		mkdir -p "$dir/up0/queues/rx-$i"
		echo 0 >"$dir/up0/queues/rx-$i/rps_cpus"
	done
	echo 1000000 >"$dir/up0/statistics/rx_packets"
	echo 0 >"$dir/up0/statistics/rx_missed_errors"
	before=(env "LD_PRELOAD=$shim"
		"ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0")
}

# The same without what is mounted.
run_in_ns_plain()
{
	ip netns exec "$ns" "$@"
}

many_cpus()
{
	[ "$cpus" -gt 1 ] || skip "one CPU needs neither queues nor RPS"
}

test_devices()
{
	world devices
	in_netns "$ns" ip link add idle0 type veth peer name idle1
	in_netns "$ns" ip link set idle0 up
	look
	query "[x for x in f if x['about'] == 'up0']"
	query "not [x for x in f if x['about'] in ('idle0', 'far0', 'lo')]"
	look --device idle0,far0
	query "[x for x in f if x['about'] == 'idle0']"
	query "[x for x in f if x['about'] == 'far0']"
	query "not [x for x in f if x['about'] == 'up0']"
}

test_no_devices()
{
	ns=kt-$$-none
	netns_add "$ns"
	look
	reports note devices
}

test_lower_devices()
{
	world lower
	in_netns "$ns" ip link add link up0 name top0 type vlan id 5 ||
		in_netns "$ns" ip link add link up0 name top0 type macvlan ||
		skip "neither VLANs nor macvlans here"
	in_netns "$ns" ip addr flush dev up0
	in_netns "$ns" ip link set top0 up
	in_netns "$ns" ip addr add 192.0.2.1/24 dev top0
	look
	query "[x for x in f if x['about'] == 'up0']"
	query "[x for x in f if x['about'] == 'top0']"
}

# What leads out of the host, and not what other namespaces have on a bridge.
test_bridge_ports()
{
	world ports
	in_netns "$ns" ip link add name br0 type bridge || skip "no bridges here"
	in_netns "$ns" ip addr flush dev up0
	in_netns "$ns" ip link set up0 master br0
	in_netns "$ns" ip link set br0 up
	in_netns "$ns" ip addr add 192.0.2.1/24 dev br0
	look
	query "[x for x in f if x['about'] == 'br0']"
	query "not [x for x in f if x['about'] == 'up0']"
	real_device 1
	mkdir -p "$dir/br0/lower_up0/device"
	run_in_ns_plain cat /sys/class/net/br0/ifindex >"$dir/br0/ifindex"
	# Its own driver, but the port's.
	export SHIM_DRIVER_br0=bridge
	look
	query "[x for x in f if x['about'] == 'up0']"
}

test_names_are_quoted()
{
	world names
	# shellcheck disable=SC2016 # that is the name
	in_netns "$ns" ip link add 'a$(x)' mtu 1400 type veth peer name b0
	# shellcheck disable=SC2016
	look --device 'a$(x)'
	# shellcheck disable=SC2016
	query "f[0]['do'] == [\"ip link set dev 'a\$(x)' mtu 1500\"]" mtu
	do_it mtu
	# shellcheck disable=SC2016
	look --device 'a$(x)'
	fine mtu
}

# A veth: packets may be spread already, so that is a note.
test_rps()
{
	many_cpus
	world rps numrxqueues 1 numtxqueues 1
	look
	reports note rps up0
	do_it rps up0
	look
	silent rps
	fine rx-queues up0
}

test_enough_queues()
{
	many_cpus
	world queues numrxqueues "$cpus" numtxqueues "$cpus"
	in_netns "$ns" ethtool -L up0 rx "$cpus" || skip "veth has one queue"
	look
	silent rps
	fine rx-queues up0
}

test_more_queues()
{
	many_cpus
	world channels numrxqueues "$cpus" numtxqueues "$cpus"
	in_netns "$ns" ethtool -L up0 rx 1 || skip "veth can't change its queues"
	look
	reports note rps up0
	says "ethtool -L up0 rx $cpus" rps
	do_it rps up0
	look
	silent rps
}

test_single_queue()
{
	many_cpus
	world single
	real_device 1
	export SHIM_CHANNELS="1 $cpus"
	look
	[ "$status" -eq 1 ]
	reports warn rps up0
	says "ethtool -L up0 combined $cpus" rps
	unset SHIM_CHANNELS
	look
	says "echo $(printf %x $(((1 << cpus) - 1))) >\$q" rps
	echo 3 >"$dir/up0/queues/rx-0/rps_cpus"
	look
	silent rps
}

test_hash()
{
	world hash
	real_device 64
	export SHIM_HASH=sd
	look
	reports warn rss-udp4 up0
	reports warn rss-udp6 up0
	says "ethtool -N up0 rx-flow-hash udp4 sdfn" rss-udp4
	says "ethtool -N up0 rx-flow-hash udp6 sdfn" rss-udp6
	export SHIM_HASH=sdfn
	look
	fine rss-udp4 up0
	fine rss-udp6 up0
	unset SHIM_HASH
	look
	query "[u for u in unseen if 'receive hash' in u['what'] and
		'does not tell' in u['why']]"
}

test_ring()
{
	world ring
	real_device 64
	export SHIM_RING="256 4096"
	look
	fine rx-missed up0
	echo 10 >"$dir/up0/statistics/rx_missed_errors"
	look
	reports note rx-missed up0
	echo 1000 >"$dir/up0/statistics/rx_missed_errors"
	look
	reports warn rx-missed up0
	says "ethtool -G up0 rx 4096" rx-missed
}

test_gro()
{
	world gro
	in_netns "$ns" ethtool -K up0 gro off
	look
	silent gro
	real_device 64
	look
	reports note gro up0
	do_it gro up0
	look
	fine gro up0
}

# Scatter-gather goes with checksums.
test_checksums()
{
	world checksums
	look
	fine tx-checksum up0
	fine scatter-gather up0
	in_netns "$ns" ethtool -K up0 tx off sg off
	look
	[ "$status" -eq 1 ]
	reports warn tx-checksum up0
	reports warn scatter-gather up0
	do_it tx-checksum up0
	do_it scatter-gather up0
	look
	fine tx-checksum up0
	fine scatter-gather up0
}

test_bundles()
{
	local feature

	world bundles
	for feature in rx-gro-list rx-udp-gro-forwarding; do
		look
		fine "$feature" up0
		in_netns "$ns" ethtool -K up0 gro on "$feature" on
		look
		reports note "$feature" up0
		do_it "$feature" up0
		look
		fine "$feature" up0
	done
}

test_mtu()
{
	world mtu
	look
	fine mtu up0
	in_netns "$ns" ip link set up0 mtu 1279
	look
	reports warn mtu up0
	in_netns "$ns" ip link set up0 mtu 1280
	look
	reports note mtu up0
	do_it mtu up0
	look
	fine mtu up0
}

test_mtu_differs()
{
	world differs
	in_netns "$ns" ip addr add 198.51.100.1/24 dev far0
	look
	silent mtu-differs
	in_netns "$ns" ip link set far0 mtu 9000
	look
	reports note mtu-differs
	do_it mtu-differs
	look
	silent mtu-differs
}

test_rp_filter()
{
	world rpf
	in_netns "$ns" sysctl -qw net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.up0.rp_filter=1
	look
	silent rp-filter
	in_netns "$ns" ip addr add 198.51.100.1/24 dev far0
	look
	reports note rp-filter up0
	do_it rp-filter up0
	look
	fine rp-filter up0
}

# Strict, and it does refuse packets: it is in the way.
test_rp_filter_refuses()
{
	world refuses
	in_netns "$ns" sysctl -qw net.ipv4.conf.all.rp_filter=1 \
		net.ipv4.conf.up0.rp_filter=1
	instead /proc/net/netstat <<-'END'
	TcpExt: SyncookiesSent IPReversePathFilter TCPTimeouts
	TcpExt: 5 17 6
	END
	look
	reports warn rp-filter up0
	says "17 packets were refused" rp-filter
}

test_martians()
{
	world martians
	in_netns "$ns" sysctl -qw net.ipv4.conf.all.log_martians=1
	look
	reports note log-martians
	do_it log-martians
	look
	fine log-martians
}

test_ipsec()
{
	local policy=(src 198.51.100.0/24 dst 203.0.113.0/24 dir in)

	world ipsec
	look
	fine ipsec
	in_netns "$ns" ip xfrm policy add "${policy[@]}" action block ||
		skip "no IPsec here"
	look
	[ "$status" -eq 1 ]
	reports bad ipsec
	query "j['findings'][0]['check'] == 'ipsec'"
	in_netns "$ns" ip xfrm policy del "${policy[@]}"
	look
	fine ipsec
}

test_bridge()
{
	local key=net.bridge.bridge-nf-call-iptables

	world bridge
	in_netns "$ns" sysctl -qw "$key=1" 2>/dev/null || skip "no br_netfilter here"
	look
	fine bridge-nf-call-iptables
	in_netns "$ns" ip link add br0 type bridge
	in_netns "$ns" ip link set br0 up
	in_netns "$ns" ip addr add 198.51.100.1/24 dev br0
	look
	reports warn bridge-nf-call-iptables br0
	do_it bridge-nf-call-iptables br0
	look
	fine bridge-nf-call-iptables
}

test_vrf()
{
	world vrf
	in_netns "$ns" ip link add vrf0 type vrf table 10 2>/dev/null ||
		skip "no VRFs here"
	in_netns "$ns" ip link set vrf0 up
	look
	silent vrf
	in_netns "$ns" ip link set up0 master vrf0
	look
	reports note vrf up0
	do_it vrf up0
	look
	fine vrf up0
}

ktap_plan 22
run_test "devices with addresses, and those that are named" test_devices
run_test "no device" test_no_devices
run_test "what a device is on top of" test_lower_devices
run_test "ports of a bridge" test_bridge_ports
run_test "a name with a shell's characters" test_names_are_quoted
run_test "RPS" test_rps
run_test "as many queues as CPUs" test_enough_queues
run_test "more queues to be had" test_more_queues
run_test "a single queue of a network card" test_single_queue
run_test "receive hash without ports" test_hash
run_test "receive ring too small" test_ring
run_test "GRO" test_gro
run_test "checksums and scatter-gather" test_checksums
run_test "UDP in bundles" test_bundles
run_test "MTU" test_mtu
run_test "MTUs that differ" test_mtu_differs
run_test "reverse path filter" test_rp_filter
run_test "reverse path filter that refuses packets" test_rp_filter_refuses
run_test "martians logged" test_martians
run_test "IPsec policies" test_ipsec
run_test "bridged packets in the hooks" test_bridge
run_test "VRF" test_vrf
ktap_finish
