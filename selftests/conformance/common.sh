# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What runs the conformance suite; source it after ../kturnd/common.sh.

# shellcheck disable=SC2154,SC2034 # of lib.sh; for the tests
{
conformance=$top/selftests/conformance
export client relay peer

# conformance_topology: that of lib.sh, with clients and peers that have addresses
# of 6to4 and Teredo, and a network behind the peer that nobody can reach.
conformance_topology()
{
	topology_up || return
	in_peer sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.ip_forward=1 ||
		return
	ip -n "$peer" addr add 203.0.113.4/24 dev peer0 || return
	ip -n "$peer" route add unreachable 192.0.2.0/24 || return
	ip -n "$relay" -batch - <<-END || return
		route add 192.0.2.0/24 via $PEER_V4
		route add 2002:c000:201::/64 dev relay0
		route add 2001:0:c000:201::/64 dev relay0
	END
	ip -n "$client" -batch - <<-END
		addr add 2002:c000:201::2/64 dev client0 nodad
		addr add 2001:0:c000:201::2/64 dev client0 nodad
	END
}

# make_cert FILE NAME: a certificate of RSA, which the ciphersuites that are
# mandatory need, and its key.
make_cert()
{
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1" \
		-days 30 -subj "/CN=$2" -addext "subjectAltName=DNS:$2" \
		2>/dev/null &&
	cat "$1.key" >>"$1"
}

# server PORT OPTION...: a kturnd of suite.py's PORT
server()
{
	local port=$1

	shift
	kturnd_start --listen "$RELAY_CLIENT_V4:$port" \
		--listen "[$RELAY_CLIENT_V6]:$port" --tls-cert "$tmp/one.pem" \
		--source-rate 100000 --allow-peer 203.0.113.0/24 \
		--allow-peer 2001:db8:2::/64 --allow-peer 192.0.2.0/24 "$@"
}

# servers_start: those of suite.py, each with what is special about it
servers_start()
{
	server 3480 --relay "$RELAY_PEER_V4" --redirect-above 1 \
		--alternate-server 198.51.100.9:3478/two.example.org \
		--alternate-server '[2001:db8:1::9]:3478/two.example.org' &&
	server 3481 --relay "$RELAY_PEER_V4" --user-quota 1 --secret north \
		--software 'TURN 1' &&
	server 3482 --relay "$RELAY_PEER_V6" --software none &&
	server 3478 --relay "$RELAY_PEER_V4" --relay "$RELAY_PEER_V6"
}
}
