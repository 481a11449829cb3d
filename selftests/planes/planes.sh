#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The two planes of kturnd are the same server: what is sent through one and
# through the other comes out the same. cases.py is what is sent, compare.py
# says in what the planes differ on purpose.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"

planes=$top/selftests/planes
export client relay peer

ALLOW_PEERS=(--allow-peer 203.0.113.0/24 --allow-peer 198.51.100.0/24
	--allow-peer 2001:db8::/32)

# record PLANE
record()
{
	kturnd_plane=$1
	kturnd_start --workers 1 --relay "$RELAY_PEER_V4" \
		--relay "$RELAY_PEER_V6" "${ALLOW_PEERS[@]}" &&
	[ "$(kturnd_value "d['plane']")" = "$1" ] &&
	python3 "$planes/record.py" "$kturnd_state/control" \
		>"$tmp/$1.json" &&
	kturnd_stop &&
	in_relay "$programs/kturn" flush
}

# One CPU for all of it, so that packets stay in their order.
taskset -cp 0 $$ >/dev/null
module_load
topology_up || exit 1
# What kturnd sends at once would be seen before it is cut into datagrams.
for device in relay0 relay1; do
	in_relay ethtool -K "$device" tx-udp-segmentation off || exit 1
done
for namespace in "$client" "$relay" "$peer"; do
	# Who asks gets an ICMP error every time.
	in_netns "$namespace" sysctl -qw net.ipv4.icmp_ratelimit=0 \
		net.ipv6.icmp.ratelimit=0 || exit 1
done

# What comes back from ports that nobody has opened is limited by the second, in
# either plane: that is for other tests.
in_peer nft -f - <<-END || exit 1
	table inet closed {
		chain out {
			type filter hook output priority 0
			icmp type destination-unreachable drop
			icmpv6 type destination-unreachable drop
		}
	}
END

for plane in kernel user; do
	if ! record $plane; then
		sed 's/^/# /' "$kturnd_log"
		echo "# the record of the $plane plane is missing"
		exit 1
	fi
done

# compare.py prints all of the KTAP, its plan included.
python3 "$planes/compare.py" "$tmp/kernel.json" "$tmp/user.json"
exit $?
