#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn check-host: rules that relayed packets go round, and connection
# tracking.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/check_lib.sh"

# rules HOOK [POLICY [TYPE [PRIORITY]]]: the rules of standard input, in an
# inet chain "c" of that hook.
rules()
{
	in_netns "$ns" nft flush ruleset
	nft_add <<-END
	table inet t {
		chain blocked { ip saddr 192.0.2.9 drop; }
		chain c {
			type ${3:-filter} hook $1 priority ${4:-0};
			policy ${2:-accept};
			$(cat)
		}
	}
	END
}

test_none()
{
	world none
	look
	fine firewall
	fine conntrack
}

# Each of these keeps somebody from the relay, and is reported.
test_input()
{
	local rule

	world input
	while read -r rule; do
		rules input <<<"$rule"
		look
		[ "$status" -eq 1 ]
		reports warn firewall-input "inet t c"
	done <<-'END'
	ip saddr 192.0.2.9 drop
	ip saddr { 192.0.2.9, 192.0.2.64/26 } drop
	ip6 saddr 2001:db8:9::/48 udp dport 50000 reject
	udp dport 40000-50000 ip saddr 192.0.2.9 drop
	udp dport 3478 limit rate over 5/second drop
	ip saddr vmap { 192.0.2.9 : drop }
	ct state new ip saddr 192.0.2.9 jump blocked
	jump blocked
	iifname "up0" drop
	END
}

# These don't.
test_input_harmless()
{
	local rule

	world harmless
	while read -r rule; do
		rules input <<<"$rule"
		look
		fine firewall-input
	done <<-'END'
	accept
	counter
	tcp dport 22 drop
	meta l4proto icmp ip saddr 192.0.2.9 drop
	udp dport 53 drop
	ip saddr { 192.0.2.9, 192.0.2.10 } accept
	udp dport < 1024 ip saddr 192.0.2.9 drop
	ct state invalid drop
	ct state vmap { invalid : drop, established : accept }
	END
	nft_add <<-'END'
	flush ruleset
	table inet t {
		chain c {
			type filter hook input priority 0;
			udp dport 49152-65535 accept
			ip saddr 192.0.2.9 drop
		}
	}
	END
	look
	fine firewall-input
}

test_input_policy()
{
	world policy
	rules input drop <<<"udp dport 3478 accept"
	look
	reports note firewall-input
	do_it firewall-input
	in_netns "$ns" nft list chain inet t c |
		grep 49152-65535 >/dev/null
	rules input <<<"drop"
	look
	reports note firewall-input
}

# What it says to do filters before the module: what is in INPUT may stay.
test_input_moved()
{
	world moved
	rules input <<<"ip saddr 192.0.2.9 drop"
	look
	reports warn firewall-input
	do_it firewall-input
	look
	reports note firewall-input
	says "others stand before the module" firewall-input
	rules input <<<"tcp dport 22 drop"
	look
	fine firewall-input
}

test_input_ingress()
{
	world ingress
	rules input <<<"ip saddr 192.0.2.9 drop"
	nft_add <<-'END' || skip "no ingress hook here"
	table netdev n {
		chain c {
			type filter hook ingress device "up0" priority 0;
			ip saddr 192.0.2.9 drop
		}
	}
	END
	look
	reports note firewall-input
}

test_prerouting()
{
	world prerouting
	rules prerouting accept filter -150 <<<"fib saddr . iif oif missing drop"
	look
	reports warn firewall-prerouting
	rules prerouting accept filter -260 <<<"fib saddr . iif oif missing drop"
	look
	silent firewall-prerouting
}

test_output()
{
	world output
	rules output <<<"ip daddr 10.0.0.0/8 drop"
	look
	[ "$status" -eq 1 ]
	reports warn firewall-output
	says "kturn limits set local-out 1" firewall-output
	rules output drop <<<"tcp dport 443 accept"
	look
	reports warn firewall-output
	query "'\n'.join(d for x in f for d in x['do'][1:])" firewall-output |
		sed s/ADDRESS/10.0.0.0\\/8/ >"$tmp/commands"
	run_in_ns sh -e "$tmp/commands"
	look
	reports note firewall-output
	rules output <<<"tcp dport 25 drop"
	look
	fine firewall-output
	rules output <<<"ip saddr 198.51.100.7 drop"
	look
	fine firewall-output
}

test_postrouting_state()
{
	world state
	rules postrouting <<<"ct state != established drop"
	look
	reports warn firewall-postrouting
	rules postrouting <<<"ip daddr 10.0.0.0/8 drop"
	look
	fine firewall-postrouting
}

test_snat()
{
	world snat
	rules postrouting accept nat 100 <<<'oifname "up0" masquerade'
	look
	[ "$status" -eq 1 ]
	reports warn snat
	query "f[0]['do'][1]" snat >"$tmp/commands"
	run_in_ns sh -e "$tmp/commands"
	look
	silent snat
	# Containers, say: the relay has no such address.
	rules postrouting accept nat 100 <<-'END'
	ip saddr 172.17.0.0/16 oifname "up0" masquerade
	END
	look
	silent snat
	rules postrouting accept nat 100 <<-'END'
	ip saddr 192.0.2.0/26 snat ip to 198.51.100.1
	END
	look
	reports warn snat
}

test_dnat()
{
	world dnat
	rules prerouting accept nat -100 <<-'END'
	udp dport 50000-50010 dnat ip to 198.51.100.1
	END
	look
	reports note dnat
	rules prerouting accept nat -100 <<-'END'
	udp dport 53 dnat ip to 198.51.100.1
	END
	look
	silent dnat
}

# iptables NAME RULE...: of the legacy kind
legacy()
{
	in_netns "$ns" iptables-legacy "$@" 2>"$tmp/err" ||
		skip "no iptables-legacy here: $(head -n 1 "$tmp/err")"
}

test_legacy()
{
	world legacy
	legacy -N BLOCKED
	legacy -A BLOCKED -s 192.0.2.9 -j DROP
	look
	silent firewall-input
	legacy -A INPUT -p tcp --dport 22 -j DROP
	legacy -A INPUT -p udp --dport 53 -j DROP
	look
	silent firewall-input
	legacy -A INPUT -p udp -j BLOCKED
	look
	reports warn firewall-input "iptables-legacy -t filter, INPUT"
	do_it firewall-input
	look
	reports note firewall-input
	legacy -P OUTPUT DROP
	look
	reports warn firewall-output "iptables-legacy -t filter, OUTPUT"
	legacy -P OUTPUT ACCEPT
	look
	fine firewall-output
	in_netns "$ns" ip6tables-legacy -A INPUT -s 2001:db8:9::1 -j REJECT
	look
	reports warn firewall-input ip6tables-legacy
}

test_legacy_nat()
{
	world legacy-nat
	legacy -t nat -A POSTROUTING -o up0 -j MASQUERADE
	look
	reports warn snat iptables-legacy
	reports warn conntrack
	query "f[0]['do'][1]" snat >"$tmp/commands"
	run_in_ns sh -e "$tmp/commands"
	look
	silent snat
}

# The same rules, written by iptables into nf_tables.
test_iptables_nft()
{
	world iptables-nft
	in_netns "$ns" iptables-nft -A INPUT -p tcp --dport 22 -j DROP ||
		skip "no iptables-nft here"
	in_netns "$ns" iptables-nft -A INPUT -p udp --dport 53 -j DROP
	in_netns "$ns" iptables-nft -A INPUT -m conntrack --ctstate INVALID \
		-j DROP
	look
	silent firewall-input
	in_netns "$ns" iptables-nft -A INPUT -p udp --dport 50000:60000 \
		-s 192.0.2.9 -j DROP
	look
	reports warn firewall-input "nft chain ip filter INPUT"
	in_netns "$ns" iptables-nft -t nat -A POSTROUTING -j MASQUERADE
	look
	reports warn snat "nft chain ip nat POSTROUTING"
}

test_conntrack()
{
	world conntrack
	rules input <<<"ct state invalid drop"
	look
	[ "$status" -eq 1 ]
	reports warn conntrack
	do_it conntrack
	look
	fine conntrack
	nft_add <<-'END'
	delete table inet relay
	table ip relay {
		chain c {
			type filter hook prerouting priority raw;
			udp dport 49152-65535 notrack
		}
	}
	END
	look
	says "over IPv6 too" conntrack
	nft_add <<-'END'
	delete table ip relay
	table inet relay {
		chain c {
			type filter hook prerouting priority raw;
			udp dport 53 notrack
		}
	}
	END
	look
	says "over IPv4 and IPv6 too" conntrack
}

test_conntrack_table()
{
	local path=/proc/sys/net/netfilter/nf_conntrack

	[ -e "${path}_max" ] || skip "no connection tracking here"
	world table
	instead "${path}_max" <<<1000
	instead "${path}_count" <<<100
	instead /proc/net/stat/nf_conntrack <<-'END'
	entries  clashres drop early_drop search_restart
	00000064  00000000 00000000 00000000 00000000
	END
	look
	fine conntrack-table
	as_it_is
	instead "${path}_max" <<<1000
	instead "${path}_count" <<<750
	look
	reports warn conntrack-table
	as_it_is
	instead "${path}_max" <<<1000
	instead "${path}_count" <<<950
	look
	reports bad conntrack-table
	says nf_conntrack_max=262144 conntrack-table
	as_it_is
	instead "${path}_count" <<<1
	instead /proc/net/stat/nf_conntrack <<-'END'
	entries  clashres drop early_drop search_restart
	00000064  00000000 00000010 00000001 00000000
	00000064  00000000 00000001 00000000 00000000
	END
	look
	reports note conntrack-table
	says "18 were dropped" conntrack-table
}

# Who may not look is told so, and nothing else changes.
test_nobody()
{
	command -v setpriv >/dev/null || skip "no setpriv"
	world nobody
	rules input <<<"ip saddr 192.0.2.9 drop"
	chmod 711 "$tmp"
	install -m 755 "$kturn" "$tmp/kturn"
	kturn=$tmp/kturn
	before=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	look
	query "[u for u in unseen if 'nf_tables' in u['what'] and
		'CAP_NET_ADMIN' in u['why']]"
	query "[x for x in f if x['about'] == 'up0']"
}

ktap_plan 17
run_test "no rules" test_none
run_test "INPUT: blocked addresses" test_input
run_test "INPUT: rules that are not about a relay" test_input_harmless
run_test "INPUT: dropped by default" test_input_policy
run_test "INPUT: rules before the module, too" test_input_moved
run_test "INPUT: rules at ingress, too" test_input_ingress
run_test "PRE_ROUTING, before the module and after it" test_prerouting
run_test "OUTPUT" test_output
run_test "POST_ROUTING: connections wanted" test_postrouting_state
run_test "SNAT" test_snat
run_test "DNAT" test_dnat
run_test "iptables-legacy" test_legacy
run_test "iptables-legacy: NAT" test_legacy_nat
run_test "iptables-nft" test_iptables_nft
run_test "connections tracked" test_conntrack
run_test "table of connections" test_conntrack_table
run_test "without privileges" test_nobody
ktap_finish
