#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What RFC 8489 and RFC 8656 oblige a server to, sentence by sentence: see
# requirements.txt. Over UDP, TCP, TLS and DTLS, with all data relayed by kturnd.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"
. "$(dirname "$0")/common.sh"

conformance_topology && make_cert "$tmp/one.pem" one.example.org &&
	servers_start || exit 1

python3 "$conformance/conformance.py" udp tcp tls dtls
