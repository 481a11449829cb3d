#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Chromium's WebRTC, relays only: a data channel and video between two peers that
# come by UDP, TCP and TLS, IPv4 and IPv6.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"

# What can't run has not passed.
command -v chromium certutil >/dev/null || {
	echo "Bail out! needs chromium and certutil; try: selftests/deps clients"
	exit 1
}

# A CA that Chromium trusts, and a certificate for the server's addresses. What
# --ignore-certificate-errors stands for does not hold for TURN.
make_certs()
{
	local db=$tmp/home/.pki/nssdb

	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$tmp/ca.key" -out "$tmp/ca.pem" -days 30 -subj /CN=CA \
		-addext keyUsage=critical,keyCertSign &&
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$tmp/one.key" -out "$tmp/one.csr" -subj /CN=one &&
	openssl x509 -req -in "$tmp/one.csr" -CA "$tmp/ca.pem" \
		-CAkey "$tmp/ca.key" -days 30 -out "$tmp/one.pem" -extfile \
		<(echo "subjectAltName=IP:$RELAY_CLIENT_V4,IP:$RELAY_CLIENT_V6") &&
	cat "$tmp/one.key" >>"$tmp/one.pem" &&
	mkdir -p "$db" &&
	certutil -d "sql:$db" -N --empty-password &&
	certutil -d "sql:$db" -A -n CA -t C,, -i "$tmp/ca.pem"
} 2>/dev/null

topology_up && make_certs && kturnd_start --tls-cert "$tmp/one.pem" \
	--relay "$RELAY_PEER_V4" --relay "$RELAY_PEER_V6" || exit 1

HOME=$tmp/home in_client timeout -k 5 55 \
	python3 "$top/selftests/clients/chromium.py" chromium \
	"udp=turn:$RELAY_CLIENT_V4:3478?transport=udp" \
	"tcp=turn:$RELAY_CLIENT_V4:3478?transport=tcp" \
	"tls=turns:$RELAY_CLIENT_V4:5349?transport=tcp" \
	"udp to IPv6=turn:[$RELAY_CLIENT_V6]:3478?transport=udp" ||
	{ tail -n 5 "$tmp/home/log" "$kturnd_log" | sed 's/^/# /'; exit 1; }
