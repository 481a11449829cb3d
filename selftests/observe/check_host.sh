#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn check-host where the module is: what it says of that, of a kturnd that
# uses it or does not, and of rules that it was told to pass.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cli/check_lib.sh"

module_load
kturn=$programs/kturn

test_module()
{
	world module
	look
	fine module
	fine kernel
	query "not [u for u in unseen if 'settings' in u['what']]"
}

# Its first piece of advice is local-out, with which it is content.
test_local_out()
{
	world local-out
	in_netns "$ns" nft -f - <<-'END'
	table inet t {
		chain c {
			type filter hook output priority 0;
			ip daddr 10.0.0.0/8 drop
		}
	}
	END
	look
	reports warn firewall-output
	query "f[0]['do'][0]" firewall-output >"$tmp/commands"
	run_in_ns env "PATH=$top/build:$PATH" sh -e "$tmp/commands"
	in_netns "$ns" "$kturn" limits | grep -x 'local-out *1'
	look
	fine firewall-output
	says "local-out is 1" firewall-output
}

# Chains that are right as long as no device is attached.
test_attached()
{
	world attached
	in_netns "$ns" nft -f - <<-'END'
	table inet t {
		chain in {
			type filter hook prerouting priority -300;
			udp dport 3478 ip saddr 10.0.0.0/8 drop
		}
		chain out {
			type filter hook postrouting priority 0;
			ip daddr 10.0.0.0/8 drop
		}
	}
	END
	look
	silent firewall-attached
	in_netns "$ns" "$kturn" attach up0
	look
	reports warn firewall-attached
	query "len(f) == 2" firewall-attached
	in_netns "$ns" "$kturn" detach up0
	look
	silent firewall-attached
}

# kturnd_in CAPABILITIES: a kturnd in $ns, without these
kturnd_in()
{
	state=$(mktemp -d "$tmp/state.XXXXXX")
	background nsenter --net="/run/netns/$ns" -- \
		setpriv --bounding-set="$1" --inh-caps="$1" -- \
		"$programs/kturnd" --state-dir "$state" \
		--relay-ports 50000-50999
	wait_for 30 has_text "$background_log" event=ready
}

test_server()
{
	world server
	kturnd_in -sys_time
	look
	fine server
	says "plane kernel" server
	fine ports
	fine open-files
}

test_server_plane()
{
	world plane
	kturnd_in -net_admin
	look
	reports warn server-plane
}

ktap_plan 5
run_test "the module is loaded" test_module
run_test "output chains, which relayed packets are sent through" test_local_out
run_test "chains, and devices that are attached" test_attached
run_test "a kturnd that uses the module" test_server
run_test "a kturnd that can't use it" test_server_plane
ktap_finish
