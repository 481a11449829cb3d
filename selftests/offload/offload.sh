#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd with the module: it puts entries there, takes them over, and goes on
# without it.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

# Once there are entries, nothing of it is the daemon's.
test_counters()
{
	fresh_start "${ALLOW_PEERS[@]}"
	[ "$(kturnd_value "d['plane']")" = kernel ]
	log_has 'event=ready .* plane=kernel'
	run count 50
	[ "$(kturnd_value "d['counters']['to_peer']['packets']")" -eq 0 ]
	[ "$(kturnd_value "d['counters']['to_client']['packets']")" -eq 0 ]
	[ "$(kturnd_value "d['counters']['kernel_allocs']")" -eq 2 ]
	[ "$(in_kernel "[a['exclusive'] for a in d['allocs']]")" = \
		"[True, True]" ]
	[ "$(in_kernel "[a['label'] for a in d['allocs']]")" = \
		"['alice', 'alice']" ]
	[ "$(in_kernel "[a['to_peer']['packets'] for a in d['allocs']]")" = \
		"[100, 100]" ]
	[ "$(in_kernel "[a['to_client']['packets'] for a in d['allocs']]")" = \
		"[100, 100]" ]
	[ "$(in_kernel "[a['dropped'] for a in d['allocs']]")" = "[1, 1]" ]
}

# restart SIGNAL OPTION...: what the kernel has is taken over.
test_restart()
{
	local signal=$1

	shift
	fresh_start --workers 2 "${ALLOW_PEERS[@]}"
	start taken restart
	until_step restart
	kill -"$signal" "$kturnd_pid"
	wait_for 30 has_ended "$kturnd_pid"
	[ "$(in_kernel "d['owners'][0]['allocs']")" -eq 4 ]
	kturnd_start_again "$@" "${ALLOW_PEERS[@]}"
	log_has "event=adopted allocs=4 perms=4 chans=2 rejected=0"
	[ "$(kturnd_value "d['counters']['allocs']")" -eq 4 ]
	[ "$(kturnd_value "d['counters']['kernel_allocs']")" -eq 4 ]
	done_step restart
	finish
	[ "$(in_kernel "len(d['allocs'])")" -eq 0 ]
}

# allocs ATTRIBUTE: of all allocations in the kernel, as a list.
allocs()
{
	in_kernel "[a['$1'] for a in d['allocs']]"
}

# Nothing of it is the daemon's before one of the two ends, nor after it.
test_dual()
{
	fresh_start "${ALLOW_PEERS[@]}"
	start dual 50
	until_step end
	[ "$(kturnd_value "d['counters']['to_peer']['packets']")" -eq 0 ]
	[ "$(kturnd_value "d['counters']['to_client']['packets']")" -eq 0 ]
	[ "$(kturnd_value "d['counters']['allocs']")" -eq 1 ]
	[ "$(kturnd_value "d['counters']['relays']")" -eq 2 ]
	kernel_has 1
	[ "$(allocs exclusive)" = "[True]" ]
	[ "$(in_kernel "[r[0] == '[' for r in d['allocs'][0]['relays']]")" = \
		"[False, True]" ]
	[ "$(in_kernel "d['allocs'][0]['to_peer']['ipv4']['packets']")" -eq 100 ]
	[ "$(in_kernel "d['allocs'][0]['to_peer']['ipv6']['packets']")" -eq 100 ]
	[ "$(in_kernel "d['allocs'][0]['to_client']['ipv4']['packets']")" -eq 100 ]
	[ "$(in_kernel "d['allocs'][0]['to_client']['ipv6']['packets']")" -eq 100 ]
	in_relay "$kturn" alloc set "$(id)" limit-to-peer 100Mbit
	in_relay "$kturn" show alloc | grep -E ',\[2001:db8' ||
		fail "kturn does not show both"
	done_step end
	until_step ended
	[ "$(in_kernel "len(d['allocs'][0]['relays'])")" -eq 1 ]
	[ "$(allocs exclusive)" = "[True]" ]
	[ "$(in_kernel "d['allocs'][0]['limit_to_peer']['bit_rate']")" -eq \
		100000000 ]
	[ "$(in_kernel "[p['peer'] for p in d['perms']]")" = "['$PEER_V4']" ]
	[ "$(in_kernel "[c['number'] for c in d['chans']]")" = "[$((0x4004))]" ]
	[ "$(kturnd_value "d['counters']['relays']")" -eq 1 ]
	done_step ended
	until_step over
	[ "$(kturnd_value "d['counters']['to_peer']['packets']")" -eq 0 ]
	[ "$(in_kernel "d['allocs'][0]['to_peer']['packets']")" -eq 2 ]
	kernel_has 1
	done_step over
	finish
}

test_dual_restart()
{
	fresh_start --workers 2 "${ALLOW_PEERS[@]}"
	start dual_taken restart
	until_step restart
	kill -KILL "$kturnd_pid"
	wait_for 30 has_ended "$kturnd_pid"
	kturnd_start_again --workers 3 "${ALLOW_PEERS[@]}"
	log_has "event=adopted allocs=2 perms=4 chans=4 rejected=0"
	[ "$(kturnd_value "d['counters']['relays']")" -eq 4 ]
	kernel_has 2
	done_step restart
	until_step lifetimes
	[ "$(in_kernel "sorted(a['lifetime_ms'] > 600000 for a in d['allocs'])")" = \
		"[False, True]" ]
	done_step lifetimes
	finish
	[ "$(in_kernel "len(d['allocs'])")" -eq 0 ]
}

# What the successor can't have is taken from the kernel's entry too.
test_dual_lost()
{
	fresh_start --relay "$RELAY_PEER_V4" --relay "$RELAY_PEER_V6" \
		"${ALLOW_PEERS[@]}"
	start dual_lost
	until_step restart
	kturnd_stop
	kturnd_start_again --relay "$RELAY_PEER_V4" "${ALLOW_PEERS[@]}"
	log_has 'event=not-adopted id=[0-9]+ client=\S+ user=alice relay=\[2001:db8:2::1\]:[0-9]+ error="the relayed address is not one of ours"'
	log_has "event=adopted allocs=1 perms=1 chans=1 rejected=0"
	[ "$(in_kernel "len(d['allocs'][0]['relays'])")" -eq 1 ]
	[ "$(in_kernel "[p['peer'] for p in d['perms']]")" = "['$PEER_V4']" ]
	done_step restart
	until_step over
	kernel_has 1
	done_step over
	finish
}

# To the daemon's own plane: from the kernel to itself.
test_take_back()
{
	fresh_start "${ALLOW_PEERS[@]}"
	start taken restart
	until_step restart
	kturnd_stop
	kturnd_plane=user
	kturnd_start_again "${ALLOW_PEERS[@]}"
	kturnd_plane=auto
	log_has "event=adopted allocs=4 perms=4 chans=2 rejected=0"
	log_has "event=ready .* plane=user"
	[ "$(in_kernel "len(d['allocs'])")" -eq 0 ]
	done_step restart
	finish
}

test_unadopted()
{
	fresh_start --relay "$RELAY_CLIENT_V4" "${ALLOW_PEERS[@]}"
	start unadopted
	until_step restart
	kturnd_stop
	kturnd_start_again --relay "$RELAY_PEER_V4" "${ALLOW_PEERS[@]}"
	log_has 'event=not-adopted id=[0-9]+ client=\S+ user=alice error="the relayed address is not one of ours"'
	log_has "event=adopted allocs=0 perms=0 chans=0 rejected=1"
	[ "$(in_kernel "len(d['allocs'])")" -eq 0 ]
	done_step restart
	finish
}

# Another state directory is another owner: it does not get them.
test_other_owner()
{
	fresh_start "${ALLOW_PEERS[@]}"
	run count 1
	kturnd_stop
	[ "$(in_kernel "len(d['allocs'])")" -eq 2 ]
	kturnd_start "${ALLOW_PEERS[@]}"
	grep -q event=adopted "$kturnd_log" && fail "took over another's"
	[ "$(kturnd_value "d['counters']['allocs']")" -eq 0 ]
}

# The module goes and comes back, while data flows.
test_module()
{
	fresh_start --workers 2 "${ALLOW_PEERS[@]}"
	start taken module
	until_step module
	defer module_back
	rmmod kturn
	wait_for 30 log_has 'event=module-unloaded plane=user'
	wait_for 30 plane_is user
	[ "$(kturnd_value "d['counters']['allocs']")" -eq 4 ]
	insmod "$KTURN_KO"
	wait_for 30 log_has 'event=module-loaded plane=kernel'
	wait_for 30 kernel_has 4
	[ "$(in_kernel "[a['exclusive'] for a in d['allocs']]")" = \
		"[True, True, True, True]" ]
	[ "$(in_kernel "len(d['perms'])")" -eq 4 ]
	[ "$(in_kernel "len(d['chans'])")" -eq 2 ]
	done_step module
	finish
}

# A daemon that starts without the module finds it later.
test_module_later()
{
	defer module_back
	rmmod kturn
	fresh_start "${ALLOW_PEERS[@]}"
	log_has 'event=kernel-unusable error="the kturn kernel module is not loaded"'
	log_has 'event=ready .* plane=user'
	start taken module
	until_step module
	insmod "$KTURN_KO"
	wait_for 30 kernel_has 4
	done_step module
	finish
}

test_plane_kernel()
{
	local status=0

	defer module_back
	rmmod kturn
	in_relay "$kturnd" --plane kernel --state-dir "$tmp/strict" \
		>"$tmp/out" 2>&1 || status=$?
	insmod "$KTURN_KO"
	[ "$status" -eq 1 ]
	grep -q 'level=error event=kernel-unusable error="the kturn kernel module is not loaded"' \
		"$tmp/out"
}

test_deleted()
{
	fresh_start "${ALLOW_PEERS[@]}"
	start deleted
	until_step no-channel
	in_relay "$kturn" chan del "$(id)" 0x4000
	wait_for 30 counter_is chans 0
	done_step no-channel
	until_step no-permission
	in_relay "$kturn" perm del "$(id)" "$PEER_V4"
	wait_for 30 counter_is perms 0
	done_step no-permission
	until_step no-allocation
	in_relay "$kturn" alloc del "$(id)"
	wait_for 30 counter_is allocs 0
	log_has 'event=alloc-end .* reason=deleted'
	done_step no-allocation
	finish
}

# More events than a socket holds, among them ours, while it is stopped.
test_lost_events()
{
	local ids

	fresh_start "${ALLOW_PEERS[@]}"
	start lost
	until_step lost
	mapfile -t ids < <(in_kernel \
		"'\\n'.join(str(a['id']) for a in d['allocs'])")
	kill -STOP "$kturnd_pid"
	in_relay "$kturn" alloc del "${ids[0]}"
	in_relay "$kturn" chan del "${ids[1]}" 0x4000
	in_relay python3 "$top/selftests/offload/churn.py" "${ids[2]}" 4000
	kill -CONT "$kturnd_pid"
	wait_for 30 log_has event=events-lost
	wait_for 30 counter_is allocs 2
	wait_for 30 counter_is chans 1
	done_step lost
	finish
}

# limit NAME NUMBER
limit()
{
	in_relay "$kturn" limits set "max-$1" "$2" >/dev/null
}

test_limit()
{
	limit allocs 1
	defer limit allocs 65536
	fresh_start "${ALLOW_PEERS[@]}"
	run limit
	log_has 'event=kernel-refused what=alloc .* effect="the daemon relays"'
	kturnd_stop
	kturnd_plane=kernel
	fresh_start "${ALLOW_PEERS[@]}"
	run limit 508
	log_has 'event=kernel-refused what=alloc .* effect="error 508"'
	kturnd_plane=auto
}

test_part_limit()
{
	limit perms 1
	defer limit perms 65536
	fresh_start "${ALLOW_PEERS[@]}"
	run part_limit
	log_has 'event=kernel-refused what=permission .* effect="the daemon relays"'
	[ "$(in_kernel "d['allocs'][0]['exclusive']")" = False ]
	kturnd_stop
	kturnd_plane=kernel
	fresh_start "${ALLOW_PEERS[@]}"
	run part_limit 508
	[ "$(in_kernel "d['allocs'][0]['exclusive']")" = True ]
	[ "$(in_kernel "[p['peer'] for p in d['perms']]")" = \
		"['203.0.113.7']" ]
	kturnd_plane=auto
}

# Nothing reaches the kernel, which would drop what the client was told it may
# send: so the client is told nothing, and asks again.
test_unreachable()
{
	MNL_SHIM=$tmp/unreachable \
		LD_PRELOAD=$top/build/selftests/offload/mnl_shim.so \
		fresh_start "${ALLOW_PEERS[@]}"
	start unreachable
	until_step unreachable
	touch "$tmp/unreachable"
	done_step unreachable
	wait_for 30 unanswered
	[ "$(in_kernel "[a['exclusive'] for a in d['allocs']]")" = "[True]" ]
	[ "$(in_kernel "len(d['perms'])")" -eq 0 ]
	log_has 'event=kernel-refused what=permission '
	rm "$tmp/unreachable"
	finish
	[ "$(in_kernel "[a['exclusive'] for a in d['allocs']]")" = "[True]" ]
	[ "$(kturnd_value "d['counters']['to_peer']['packets']")" -eq 0 ]
}

# An answer was not sent.
unanswered()
{
	[ "$(kturnd_value "d['counters']['send_errors']")" -ge 1 ]
}

# IPv4 link-local peers: the kernel leaves them to the daemon.
test_kernel_refuses()
{
	ip -n "$peer" addr add 169.254.7.2/16 dev peer0
	defer ip -n "$peer" addr del 169.254.7.2/16 dev peer0
	ip -n "$relay" addr add 169.254.7.1/16 dev relay1
	defer ip -n "$relay" addr del 169.254.7.1/16 dev relay1
	background in_peer python3 "$here/echo.py" 9999 169.254.7.2
	wait_for 30 has_text "$background_log" ready
	fresh_start --relay "$RELAY_PEER_V4" --allow-peer 169.254.7.2 \
		"${ALLOW_PEERS[@]}"
	run kernel_refuses 169.254.7.2
	[ "$(kturnd_value "d['counters']['to_peer']['packets']")" -eq 1 ]
	[ "$(in_kernel "d['allocs'][0]['exclusive']")" = False ]
}

test_external()
{
	fresh_start --relay "$RELAY_PEER_V4" \
		--external "192.0.2.77/$RELAY_PEER_V4" "${ALLOW_PEERS[@]}"
	as_client external 192.0.2.77 "$RELAY_PEER_V4"
}

# It becomes another one, which a peer in the kernel had: a peer of ours from then on.
test_external_learnt()
{
	# The kernel has a way there, if it does not know better.
	ip -n "$relay" route add default via "$PEER_V4"
	defer ip -n "$relay" route del default via "$PEER_V4"
	echo '{"public": "11.0.0.77"}' >"$tmp/stun"
	background in_peer python3 "$here/nat_servers.py" stun "$PEER_V4" \
		"$tmp/stun"
	wait_for 30 has_text "$background_log" ready
	fresh_start --relay "$RELAY_PEER_V4" --external-check 1 \
		--external "stun:$PEER_V4/$RELAY_PEER_V4" "${ALLOW_PEERS[@]}"
	wait_for 30 has_text "$kturnd_log" 'event=external-learnt'
	as_client external 11.0.0.77 "$RELAY_PEER_V4"
	as_client external_changes "$tmp/stun" "$kturnd_log" 11.0.0.88
}

nat_becomes()
{
	python3 "$here/nat_status.py" "$kturnd_state/control" 30 "$@"
}

deleted()
{
	sed -n 's/^MAP \([a-z]* [0-9]*\) [0-9]* 0 .*/\1/p' "$gateway_log" |
		sort -u
}

# What the kernel goes on with has to be reached: its mappings stay, and the
# successor renews them.
test_external_kept()
{
	local options gateway_log before session

	options=(--relay "$RELAY_PEER_V4" --external pcp/"$RELAY_PEER_V4"
		--relay-ports 50000-50003 "${ALLOW_PEERS[@]}")
	ip -n "$relay" route add default via "$PEER_V4"
	defer ip -n "$relay" route del default via "$PEER_V4"
	echo '{"public": "11.0.0.77", "lifetime": 900}' >"$tmp/pcp"
	background in_peer python3 "$here/nat_servers.py" pcp "$PEER_V4" \
		"$tmp/pcp"
	gateway_log=$background_log
	wait_for 30 has_text "$gateway_log" ready
	fresh_start "${options[@]}"
	nat_becomes mapped 6
	mkfifo "$tmp/go"
	background in_client python3 "$here/requests.py" external_kept "$tmp/go"
	session=$background
	wait_for 30 has_text "$background_log" ready
	kturnd_stop
	[ "$(deleted | wc -l)" -eq 3 ]
	fails grep -q 3478 <<<"$(deleted)"
	before=$(wc -l <"$gateway_log")
	kturnd_start_again "${options[@]}"
	nat_becomes mapped 6
	[ "$(tail -n "+$((before + 1))" "$gateway_log" | grep -c MAP)" -eq 6 ]
	# With the nonces of before, or a gateway would refuse.
	[ "$(grep MAP "$gateway_log" | cut -d' ' -f2,3,6 | sort -u |
		wc -l)" -eq 6 ]
	echo go >"$tmp/go"
	wait_for 30 has_ended "$session"
	wait "$session"
}

test_hairpin()
{
	fresh_start
	as_client hairpin 4
	as_client hairpin 6
}

# UDP clients' data is the kernel's, a TCP client's the daemon's, whatever plane is
# wanted, and whenever the module comes.
test_streams()
{
	local streams=$top/selftests/stream/streams.py stream

	kturnd_plane=$1 fresh_start --workers 2 "${ALLOW_PEERS[@]}"
	rm -f "$tmp/ready" "$tmp/done"
	background in_client python3 "$streams" keeps tcp "$tmp/ready" \
		"$tmp/done"
	stream=$background
	wait_for 30 test -e "$tmp/ready"
	[ "$(in_kernel "len(d['allocs'])")" -eq 0 ]
	start taken module
	until_step module
	[ "$(in_kernel "len(d['allocs'])")" -eq 4 ]
	defer module_back
	rmmod kturn
	wait_for 30 plane_is user
	insmod "$KTURN_KO"
	wait_for 30 kernel_has 4
	[ "$(kturnd_value "d['counters']['allocs']")" -eq 5 ]
	done_step module
	finish
	touch "$tmp/done"
	wait_for 30 has_ended "$stream"
	wait "$stream"
}

limits_are()
{
	[ "$(in_kernel "{(a['limit_to_peer']['bit_rate'],
		a['limit_to_peer']['burst_bytes'],
		a['limit_to_client']['packet_rate'])
		for a in d['allocs']}")" = "{(2000000, 64000, 500)}" ]
}

# The kernel has them, also when it comes later.
test_limits()
{
	fresh_start --limit-to-peer 2Mbit/64kB --limit-to-client 500pps \
		"${ALLOW_PEERS[@]}"
	start taken module
	until_step module
	limits_are
	defer module_back
	rmmod kturn
	wait_for 30 plane_is user
	insmod "$KTURN_KO"
	wait_for 30 kernel_has 4
	limits_are
	done_step module
	finish
}

module_load
topology_up
echo_start

ktap_plan 25
run_test "offload: the kernel relays all data" test_counters
run_test "offload: SIGTERM, and a successor" test_restart TERM --workers 2
run_test "offload: SIGKILL, and one with more workers" test_restart KILL \
	--workers 5
run_test "offload: a relayed address of each family" test_dual
run_test "offload: SIGKILL, and a successor for both" test_dual_restart
run_test "offload: a successor that lacks one of two" test_dual_lost
run_test "offload: a successor that relays itself" test_take_back
run_test "offload: a successor with other addresses" test_unadopted
run_test "offload: another owner" test_other_owner
run_test "offload: the module is unloaded and loaded" test_module
run_test "offload: the module is loaded later" test_module_later
run_test "offload: --plane kernel without the module" test_plane_kernel
run_test "offload: an administrator deletes entries" test_deleted
run_test "offload: events are lost" test_lost_events
run_test "offload: no room for allocations" test_limit
run_test "offload: no room for permissions" test_part_limit
run_test "offload: the kernel can't be reached" test_unreachable
run_test "offload: a peer that the kernel does not take" test_kernel_refuses
run_test "offload: 1:1 NAT" test_external
run_test "offload: NAT, an address that is learnt" test_external_learnt
run_test "offload: NAT, mappings of what the kernel goes on with" \
	test_external_kept
run_test "offload: hairpin" test_hairpin
run_test "offload: limits of allocations" test_limits
run_test "offload: a TCP client, beside others" test_streams auto
run_test "offload: a TCP client, --plane kernel" test_streams kernel
ktap_finish
