#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd serves clients that come by DTLS, at the same port as all others.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"
. "$(dirname "$0")/common.sh"

cert=$tmp/cert.pem

# make_cert NAME: a certificate, and all at once.
make_cert()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$tmp/key" -out "$tmp/crt" -days 30 -subj "/CN=$1"
	cat "$tmp/crt" "$tmp/key" >"$cert.new"
	mv "$cert.new" "$cert"
} 2>/dev/null

start()
{
	kturnd_start --tls-cert "$cert" "$@" "${ALLOW_PEERS[@]}"
}

test_uclient()
{
	start --channel-range 5766
	uclient_streams -S
	[ "$(kturnd_value "d['counters']['to_peer']['packets']")" -eq 160 ]
}

test_requests()
{
	start
	TRANSPORT=dtls as_client "$@"
}

# Of all clients there are no more than the workers know.
test_many()
{
	start --workers 4
	TRANSPORT=dtls as_client many 50
	[ "$(kturnd_value "d['counters']['dtls']['accepted']")" -eq 50 ]
	wait_for 30 no_associations
}

no_associations()
{
	[ "$(kturnd_value "d['counters']['dtls']['now']")" -eq 0 ]
}

test_cookies()
{
	start
	as_stream cookies 100
	[ "$(kturnd_value "d['counters']['dtls']['accepted']")" -eq 0 ]
}

test_simple()
{
	start
	as_stream "$@"
}

test_gone()
{
	start --user-quota 1
	as_stream gone dtls
	grep -q 'event=alloc-end .* transport=dtls .* reason=disconnected' \
		"$kturnd_log"
}

test_anew()
{
	start --workers 1
	as_stream anew
	grep -q 'event=alloc-end .* transport=dtls .* reason=disconnected' \
		"$kturnd_log"
	wait_for 30 has_text "$kturnd_log" 'reason="the client has begun anew"'
}

# Versions, and a certificate that the client does not trust.
test_versions()
{
	start
	in_client openssl s_client -dtls1_2 -connect "$RELAY_CLIENT_V4:3478" \
		</dev/null >"$tmp/out" 2>&1
	grep -q 'Protocol *: DTLSv1.2' "$tmp/out"
	fails in_client timeout 20 openssl s_client -dtls1 -cipher ALL:@SECLEVEL=0 \
		-connect "$RELAY_CLIENT_V4:3478" </dev/null >"$tmp/out" 2>&1
	fails in_client openssl s_client -dtls1_2 -verify_return_error \
		-connect "$RELAY_CLIENT_V4:3478" </dev/null >"$tmp/out" 2>&1
	wait_for 10 grep -q \
		'event=tls-failed .* end=client error=".*unknown ca"' \
		"$kturnd_log"
}

name_is()
{
	in_client openssl s_client -dtls1_2 -connect "$RELAY_CLIENT_V4:3478" \
		</dev/null 2>/dev/null | grep -q "^subject=CN = $1\$"
}

test_reload()
{
	start
	name_is one.example.org
	make_cert two.example.org
	wait_for 30 name_is two.example.org
}

# Where it is not wanted, or can't be had.
test_without()
{
	start --transport udp --transport tls
	fails as_stream cookies 1
	kturnd_stop
	start --transport dtls
	TRANSPORT=dtls as_client echo 4
	fails as_client echo 4
}

topology_up
echo_start
make_cert one.example.org
idle_start dtls --tls-cert "$cert"

ktap_plan 15
run_test "dtls: coturn's client, channels and indications, 4 and 6" test_uclient
run_test "dtls: data of all sizes, IPv4" test_requests echo 4
run_test "dtls: data of all sizes, IPv6" test_requests echo 6
run_test "dtls: hairpin" test_requests hairpin 4
run_test "dtls: many clients" test_many
run_test "dtls: clients that don't send the cookie back" test_cookies
run_test "dtls: what is none" test_simple no_dtls
run_test "dtls: an allocation ends with its association" test_gone
run_test "dtls: a client that begins anew" test_anew
run_test "dtls: a handshake that is replayed" test_simple replay
run_test "dtls: beside plain UDP" test_simple mixed
run_test "dtls: versions, and trust" test_versions
run_test "dtls: where it is not wanted" test_without
run_test "dtls: certificates that change" test_reload
run_test "dtls: clients that ask for nothing" idle_finish
ktap_finish
