#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What RFC 8489 and RFC 8656 oblige a server to holds where the kernel relays, too:
# the cases of ../conformance. It takes allocations of UDP clients, and no others.
# An emulated machine takes minutes for handshakes: without FULL=1 only the cases
# that relay are run over TLS and DTLS.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"
. "$(dirname "$0")/../conformance/common.sh"

# monitor_start: what the kernel lets go of is in $monitor_log.
monitor_start()
{
	background in_relay "$programs/kturn" --json monitor
	monitor=$background monitor_log=$background_log
	wait_for 30 has_text "$monitor_log" module-here
}

# kernel_took: of each allocation that the kernel has had, the client's port
kernel_took()
{
	local status=0

	in_relay "$programs/kturn" --json show >"$tmp/show" || return
	# Until it is told to.
	stop_process "$monitor" || status=$?
	[ $status -eq 143 ] || [ $status -eq 0 ] || return
	grep -q '"event":"lost"' "$monitor_log" && return 1
	grep -h -o '"client": *"[^"]*:[0-9]*"' "$tmp/show" "$monitor_log" |
		grep -o '[0-9]*"$' | tr -d '"'
}

module_load
kturnd_plane=kernel
conformance_topology && make_cert "$tmp/one.pem" one.example.org &&
	monitor_start && servers_start || exit 1

what=(--relays-only "tls,dtls" udp tcp tls dtls)
[ -z "${FULL:-}" ] || what=(udp tcp tls dtls)
python3 "$conformance/conformance.py" "${what[@]}" || exit

# Of all that data the daemons themselves relay what the kernel leaves to them.
if ! in_relay "$programs/kturn" --json stats >"$tmp/stats" ||
	! python3 -c '
import json, sys
stats = json.load(sys.stdin)
sys.exit(min(stats[way]["packets"] for way in ("to_peer", "to_client")) < 30)
' <"$tmp/stats"; then
	echo "# the kernel has not relayed: $(cat "$tmp/stats")"
	exit 2
fi

# suite.py says which ports are whose.
if ! kernel_took >"$tmp/ports" ||
	! awk '$1 < 10000 || $1 > 14999 { exit 1 }' "$tmp/ports" ||
	[ "$(wc -l <"$tmp/ports")" -lt 30 ]; then
	echo "# the kernel took other allocations than those of UDP clients," \
		"by port: $(sort -n "$tmp/ports" | xargs)"
	exit 2
fi
