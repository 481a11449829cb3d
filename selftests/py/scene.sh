# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests that are each a Python program, which prints the KTAP and finds
# the topology of lib.sh and the module around itself.

. "$(dirname "$0")/../lib.sh"

module_load
topology_up || exit 1

export client relay peer

# Whoever asks gets an ICMP error every time.
in_relay sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 ||
	exit 1
