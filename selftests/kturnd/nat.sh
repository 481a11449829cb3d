#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd behind a NAT learns its external address. The gateway is miniupnpd, which
# speaks NAT-PMP, PCP and UPnP.
#
#	     relay               gateway               client
#	+-------------+      +--------------+      +-------------+
#	| kturnd      |-veth-| miniupnpd    |-veth-| STUN server |
#	+-------------+      +--------------+      +-------------+
#	 10.5.0.2/24     10.5.0.1/24  11.0.0.1/24   11.0.0.2/24
#
# Addresses outside are public ones, as others are refused; the namespaces have no way
# out.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

PRIVATE=10.5.0.2
PUBLIC=11.0.0.1
OTHER_PUBLIC=11.0.0.3
OUTSIDE=11.0.0.2
gateway=kt-$$-gateway

in_gateway()
{
	in_netns "$gateway" "$@"
}

nat_topology_up()
{
	netns_add "$relay" "$gateway" "$client" || return
	ip -n "$gateway" -batch - <<-END || return
		link add lan0 type veth peer name relay0 netns $relay
		link add wan0 type veth peer name client0 netns $client
		$(link_lines lan0 10.5.0.1/24)
		$(link_lines wan0 $PUBLIC/24)
	END
	link_up "$client" client0 $OUTSIDE/24 || return
	link_up "$relay" relay0 $PRIVATE/24 || return
	ip -n "$relay" route add default via 10.5.0.1 || return
	in_gateway sysctl -qw net.ipv4.ip_forward=1
}

# Nothing comes through that miniupnpd does not redirect. (Its own rule in the forward
# chain is for UDP when PCP asked for TCP, hence "ct status dnat".)
gateway_rules()
{
	in_gateway nft -f - <<-END
	flush ruleset
	table inet filter {
		chain forward {
			type filter hook forward priority 0; policy drop;
			jump miniupnpd
			ct state established,related accept
			ct status dnat accept
			iifname lan0 accept
		}
		chain miniupnpd { }
		chain prerouting {
			type nat hook prerouting priority -100;
			jump prerouting_miniupnpd
		}
		chain prerouting_miniupnpd { }
		chain postrouting {
			type nat hook postrouting priority 100;
			oifname wan0 masquerade
			jump postrouting_miniupnpd
		}
		chain postrouting_miniupnpd { }
	}
	END
}

# gateway_start [LINE...]: a gateway that knows nothing, with these lines of
# configuration. Its process is $gateway_pid.
gateway_start()
{
	rm -f "$tmp/leases"
	gateway_rules || return
	printf '%s\n' ext_ifname=wan0 listening_ip=lan0 enable_natpmp=yes \
		enable_upnp=yes secure_mode=yes ipv6_disable=yes \
		system_uptime=no min_lifetime=2 \
		"lease_file=$tmp/leases" \
		uuid=944f6268-e7e1-4c61-b1ca-27fe7f6af778 "$@" \
		"allow 1024-65535 10.5.0.0/24 1024-65535" \
		"deny 0-65535 0.0.0.0/0 0-65535" >"$tmp/miniupnpd.conf"
	background nsenter --net="/run/netns/$gateway" -- miniupnpd -d \
		-f "$tmp/miniupnpd.conf" -P "$tmp/miniupnpd.pid"
	gateway_pid=$background
	gateway_since=$SECONDS
	wait_for 10 udp_bound "$gateway" 5351
}

as_outside()
{
	in_client python3 "$here/nat_client.py" "$@"
}

# nat_start METHOD [SECONDS]: which are those of --external-check
nat_start()
{
	kturnd_start --external "$1" --external-check "${2:-1}" \
		--relay-ports 50000-50003 --workers 1
}

# nat_is FIELD VALUE...: now, by the control socket.
nat_is()
{
	python3 "$here/nat_status.py" "$kturnd_state/control" 0 "$@"
}

# nat_becomes FIELD VALUE...: soon.
nat_becomes()
{
	python3 "$here/nat_status.py" "$kturnd_state/control" 15 "$@"
}

logged()
{
	grep -q "$1" "$kturnd_log"
}

leases()
{
	local n

	n=$(cut -d: -f1-4 "$tmp/leases" | sort | tr '\n' ' ')
	[ "$n" = "$1" ] || { echo "leases: $n" && false; }
}

no_redirects()
{
	fails grep -q "dnat ip to" <<<"$(in_gateway nft list ruleset)"
}

ALL="TCP:3478:$PRIVATE:3478 UDP:3478:$PRIVATE:3478 UDP:50000:$PRIVATE:50000 \
UDP:50001:$PRIVATE:50001 UDP:50002:$PRIVATE:50002 UDP:50003:$PRIVATE:50003 "

# When the mapping of the listening port ends.
lease_end()
{
	sed -n 's/^UDP:3478:[^:]*:3478:\([0-9]*\):.*/\1/p' "$tmp/leases"
}

lease_is_longer()
{
	[ "$(lease_end)" -gt "$1" ]
}

# What it can tell of its end is too little before: clocks may differ by two seconds.
gateway_is_old()
{
	[ $((SECONDS - gateway_since)) -ge 6 ]
}

# test_mapped METHOD [LINE...]: see gateway_start.
test_mapped()
{
	local end

	gateway_start "${@:2}"
	nat_start "$1"
	# The answer may be there before the server says that it is ready.
	logged "relay=10.5.0.2 public=\\(unknown\\|$PUBLIC\\) "
	nat_becomes mapped 6 public "$PUBLIC" refused 0
	leases "$ALL"
	end=$(lease_end)
	as_outside served "$PUBLIC" "$PUBLIC" 4

	# When half of the time that it gives is over, it is asked for more.
	if [ "$1" = pcp ]; then
		[ "$end" -le $(($(date +%s) + 8)) ]
		wait_for 10 lease_is_longer "$end"
	fi

	# It has forgotten everything, and says so.
	[ "$1" = upnp ] || wait_for 10 gateway_is_old
	stop_process "$gateway_pid" || true
	gateway_start "${@:2}"
	nat_becomes restarts 1
	nat_becomes mapped 6
	leases "$ALL"
	as_outside relayed "$PUBLIC" "$PUBLIC"

	kturnd_stop
	logged 'event=mappings-withdrawn .* left=0$'
	leases ""
	no_redirects
}

# A gateway that gives other ports than those that are asked for, or refuses. (When it
# has none to give, miniupnpd looks for one for ever.)
test_refused()
{
	gateway_start "allow 3490-3499 10.5.0.0/24 1024-65535" \
		"allow 50004-50020 10.5.0.0/24 1024-65535" \
		"deny 0-65535 10.5.0.0/24 0-65535"
	nat_start "$1"
	wait_for 10 logged "mapping-refused .*protocol=udp port=3478 error=\"$2"
	wait_for 10 logged "mapping-refused .*port=5000[0-3] "
	in_relay python3 "$here/nat_client.py" refused "$PRIVATE" 508
	nat_is public "$PUBLIC" mapped 0
	# What was given all the same was given back.
	wait_for 10 leases ""
}

# fake KIND NAMESPACE ADDRESS JSON [OTHER]
fake()
{
	echo "$4" >"$tmp/state.json"
	background nsenter --net="/run/netns/$2" -- \
		python3 "$here/nat_servers.py" "$1" "$3" "$tmp/state.json" \
		"${@:5}"
	fake_log=$background_log
	fake_pid=$background
	wait_for 10 has_text "$fake_log" ready
}

fake_state()
{
	echo "$1" >"$tmp/state.new"
	mv "$tmp/state.new" "$tmp/state.json"
}

# RFC 6887 sections 8.3 and 11.4: from the gateway, and with the nonce.
test_pcp_forged()
{
	ip -n "$gateway" addr add 10.5.0.9/24 dev lan0
	defer ip -n "$gateway" addr del 10.5.0.9/24 dev lan0
	fake pcp "$gateway" 10.5.0.1 \
		'{"public": "11.0.0.7", "lifetime": 900, "forge": "11.0.0.66"}' \
		10.5.0.9
	nat_start pcp
	nat_becomes mapped 6 public 11.0.0.7
	fails logged 11.0.0.66
	# Each has a nonce of its own, the same after a restart; the source is told.
	fails grep -q ADDRESS_MISMATCH "$fake_log"
	grep MAP "$fake_log" | cut -d' ' -f2,3,6 | sort -u >"$tmp/nonces"
	[ "$(wc -l <"$tmp/nonces")" -eq 6 ]
	[ "$(cut -d' ' -f3 "$tmp/nonces" | sort -u | wc -l)" -eq 6 ]
	kturnd_stop
	[ "$(grep -c "MAP .* 0 [0-9a-f]* $" "$fake_log")" -eq 6 ]
	kturnd_start_again --external pcp --relay-ports 50000-50003 --workers 1
	nat_becomes mapped 6
	grep MAP "$fake_log" | cut -d' ' -f2,3,6 | sort -u |
		cmp - "$tmp/nonces"
}

# What the gateway says is not what was asked for.
test_pcp_answers()
{
	fake pcp "$gateway" 10.5.0.1 \
		'{"public": "10.9.9.9", "lifetime": 900}'
	nat_start pcp
	wait_for 10 logged 'error="10.9.9.9 is not a public address'
	fake_state '{"public": "11.0.0.7", "lifetime": 900, "shift": 7}'
	wait_for 10 logged 'mapping-refused .*port=3478 error="the gateway would map port 3485'
	nat_is mapped 0
	in_relay python3 "$here/nat_client.py" refused "$PRIVATE" 508
	logged 'no-relay-port relay=10.5.0.2 error="the gateway maps no port that is free"'
	kturnd_stop
	fake_state '{"public": "11.0.0.7", "lifetime": 30, "result": 2}'
	nat_start pcp
	wait_for 10 logged 'external-failed .*error="NOT_AUTHORIZED (2)"'
	in_relay python3 "$here/nat_client.py" refused "$PRIVATE" 508
	logged 'no-relay-port .*error="its external address is not known yet"'
}

# Another address is told to new clients; what the gateway has forgotten is mapped
# again.
test_pcp_changes()
{
	fake pcp "$gateway" 10.5.0.1 \
		'{"public": "11.0.0.7", "lifetime": 900, "epoch": 1000}'
	nat_start pcp
	nat_becomes mapped 6
	mkfifo "$tmp/pcp-go"
	background in_relay python3 "$here/nat_client.py" over "$PRIVATE" \
		11.0.0.7 11.0.0.8 "$tmp/pcp-go"
	wait_for 10 has_text "$background_log" ready
	fake_state '{"public": "11.0.0.8", "lifetime": 900, "epoch": 1000}'
	nat_becomes public 11.0.0.8
	logged 'event=external-changed .*public=11.0.0.8 before=11.0.0.7'
	nat_becomes restarts 0 mapped 6
	echo go >"$tmp/pcp-go"
	stop_process_well "$background"
	fake_state '{"public": "11.0.0.8", "lifetime": 900, "epoch": 0}'
	nat_becomes restarts 1 mapped 6
}

# The daemon goes on without the gateway, until the mappings end, and beyond.
test_gone()
{
	fake pcp "$gateway" 10.5.0.1 '{"public": "11.0.0.7", "lifetime": 5}'
	nat_start pcp 2
	nat_becomes mapped 6
	stop_process "$fake_pid" || true
	in_relay python3 "$here/nat_client.py" even_port "$PRIVATE"
	nat_becomes mapped 0
	logged 'event=mapping-expired .*port=3478'
	in_relay python3 "$here/nat_client.py" refused "$PRIVATE" 508
	nat_is public 11.0.0.7
	kturnd_stop
}

# stop_process_well PID: wait for its end, which has to be a good one.
stop_process_well()
{
	wait_for 30 has_ended "$1"
	wait "$1"
}

# A 1:1 NAT without a protocol.
static_rules()
{
	in_gateway nft -f - <<-END
	flush ruleset
	table ip nat {
		chain prerouting {
			type nat hook prerouting priority -100;
			iifname wan0 dnat to $PRIVATE
		}
		chain postrouting {
			type nat hook postrouting priority 100;
			oifname wan0 snat to $1
		}
	}
	END
	in_gateway conntrack -F 2>/dev/null
}

test_stun()
{
	static_rules "$PUBLIC"
	background nsenter --net="/run/netns/$client" -- "$kturnd" \
		--state-dir "$tmp/stun-state" --realm x --user a:b --plane user \
		--listen "$OUTSIDE":3479 --workers 1 --relay-ports 60000-60001
	wait_for 10 udp_bound "$client" 3479
	nat_start stun:"$OUTSIDE":3479/"$PRIVATE"
	nat_becomes public "$PUBLIC"
	as_outside served "$PUBLIC" "$PUBLIC" 4
	mkfifo "$tmp/stun-go"
	background in_client python3 "$here/nat_client.py" over "$PUBLIC" \
		"$PUBLIC" "$OTHER_PUBLIC" "$tmp/stun-go"
	wait_for 10 has_text "$background_log" ready
	ip -n "$gateway" addr add "$OTHER_PUBLIC"/24 dev wan0
	defer ip -n "$gateway" addr del "$OTHER_PUBLIC"/24 dev wan0
	static_rules "$OTHER_PUBLIC"
	nat_becomes public "$OTHER_PUBLIC" changes 1
	# The answers to the clients of before have another source now.
	static_rules "$PUBLIC"
	echo go >"$tmp/stun-go"
	stop_process_well "$background"
}

# RFC 8489 section 6.3.3: from the server, and with the transaction id.
test_stun_forged()
{
	ip -n "$gateway" addr add 10.5.0.9/24 dev lan0
	defer ip -n "$gateway" addr del 10.5.0.9/24 dev lan0
	fake stun "$gateway" 10.5.0.1 \
		'{"public": "11.0.0.7", "forge": "11.0.0.66"}' 10.5.0.9
	nat_start stun:10.5.0.1
	nat_becomes public 11.0.0.7
	fake_state '{"public": "192.168.1.1"}'
	wait_for 10 logged 'error="192.168.1.1 is not a public address'
	nat_is public 11.0.0.7
	fails logged 11.0.0.66
}

# kturnd with a name server that does not answer.
test_resolver()
{
	local real=$kturnd start

	static_rules "$PUBLIC"
	in_gateway nft add chain ip nat quiet \
		'{ type filter hook forward priority 0; }'
	in_gateway nft add rule ip nat quiet udp dport 53 counter drop
	echo "nameserver $OUTSIDE" >"$tmp/resolv.conf"
	cat >"$tmp/kturnd" <<-END
	#!/bin/sh
	exec unshare -m sh -c 'mount --bind $tmp/resolv.conf /etc/resolv.conf &&
		exec $real "\$@"' kturnd "\$@"
	END
	chmod +x "$tmp/kturnd"
	kturnd=$tmp/kturnd
	nat_start stun:stun.example.org
	wait_for 10 dns_asked
	in_relay python3 "$here/nat_client.py" refused "$PRIVATE" 508
	fails logged external-failed
	start=$SECONDS
	kturnd_stop
	[ $((SECONDS - start)) -le 3 ]
	logged 'event=external-stuck'
}

dns_asked()
{
	in_gateway nft list chain ip nat quiet | grep -q 'packets [1-9]'
}

nat_topology_up

ktap_plan 13
run_test "nat: PCP: mapped, renewed, made again, withdrawn" test_mapped pcp \
	max_lifetime=8
run_test "nat: NAT-PMP: mapped, made again, withdrawn" test_mapped nat-pmp
run_test "nat: UPnP: mapped, made again, withdrawn" test_mapped upnp
run_test "nat: PCP: other ports" test_refused pcp \
	'the gateway would map port 349'
run_test "nat: NAT-PMP: other ports" test_refused nat-pmp \
	'the gateway would map port 349'
run_test "nat: UPnP: refused" test_refused upnp '.*([0-9]*)"'
run_test "nat: PCP: forged responses" test_pcp_forged
run_test "nat: PCP: other ports and addresses, errors" test_pcp_answers
run_test "nat: PCP: the address becomes another, the clock begins anew" \
	test_pcp_changes
run_test "nat: PCP: the gateway is gone" test_gone
run_test "nat: STUN: learnt, and becomes another" test_stun
run_test "nat: STUN: forged responses" test_stun_forged
run_test "nat: STUN: the resolver does not answer" test_resolver
ktap_finish
