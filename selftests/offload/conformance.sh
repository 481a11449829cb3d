#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What RFC 8489 and RFC 8656 oblige a server to holds where the kernel relays, too:
# the cases of ../conformance over UDP.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"
. "$(dirname "$0")/../conformance/common.sh"

module_load
kturnd_plane=kernel
conformance_topology && make_cert "$tmp/one.pem" one.example.org &&
	servers_start || exit 1

python3 "$conformance/conformance.py" udp || exit

# Of all that data the daemons themselves relay what the kernel leaves to them.
in_relay "$top/build/kturn" --json stats >"$tmp/stats" &&
	python3 -c '
import json, sys
stats = json.load(sys.stdin)
sys.exit(min(stats[way]["packets"] for way in ("to_peer", "to_client")) < 30)
' <"$tmp/stats" && exit
echo "# the kernel has not relayed: $(cat "$tmp/stats")"
exit 2
