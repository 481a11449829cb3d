#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd serves clients that come by TLS: certificates, names, versions.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"
. "$(dirname "$0")/common.sh"

ca=$tmp/ca.pem

# make_ca FILE: a certificate and a key that signs others, in FILE and FILE.key.
make_ca()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1.key" -out "$1" -days 30 -subj "/CN=${1##*/}" \
		-addext keyUsage=critical,keyCertSign
}

# make_cert FILE CA NAME...: a certificate of these names with its key in FILE, the
# key in FILE.key as well.
make_cert()
{
	local file=$1 by=$2 names

	shift 2
	names=$(printf ',DNS:%s' "$@")
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$file.key" -out "$file.csr" -subj "/CN=$1"
	openssl x509 -req -in "$file.csr" -CA "$by" -CAkey "$by.key" \
		-days 30 -out "$file.crt" \
		-extfile <(echo "subjectAltName=${names#,}")
	cat "$file.crt" "$file.key" >"$file"
}

make_all()
{
	make_ca "$ca"
	make_ca "$tmp/other.pem"
	make_cert "$tmp/one.pem" "$ca" one.example.org
	make_cert "$tmp/two.pem" "$ca" two.example.org "*.wild.example.org"
	make_cert "$tmp/client.pem" "$ca" client.example.org
} >/dev/null 2>&1

test_uclient()
{
	kturnd_start --channel-range 5766 --tls-cert "$tmp/one.pem" \
		"${ALLOW_PEERS[@]}"
	uclient_streams -t -S
	[ "$(kturnd_value "d['counters']['to_peer']['packets']")" -eq 160 ]
}

test_requests()
{
	kturnd_start --tls-cert "$tmp/one.pem" "${ALLOW_PEERS[@]}"
	TRANSPORT=tls as_client "$@"
}

test_names()
{
	kturnd_start --tls-cert "$tmp/one.pem.crt" --tls-cert "$tmp/two.pem.crt" \
		--tls-key "$tmp/one.pem.key" --tls-key "$tmp/two.pem.key" \
		"${ALLOW_PEERS[@]}"
	as_stream names "$ca"
}

test_versions()
{
	kturnd_start --tls-cert "$tmp/one.pem" "${ALLOW_PEERS[@]}"
	as_stream versions "$ca"
	as_stream old_tls
	wait_for 10 grep -q \
		'event=tls-failed .* end=server error="unsupported protocol"' \
		"$kturnd_log"
	[ "$(kturnd_value "d['counters']['connections']['tls_failed']")" -eq 1 ]
}

test_alpn()
{
	kturnd_start --tls-cert "$tmp/one.pem" "${ALLOW_PEERS[@]}"
	as_stream alpn "$ca"
	wait_for 10 grep -q 'event=tls-failed .* end=server ' "$kturnd_log"
}

test_distrust()
{
	kturnd_start --tls-cert "$tmp/one.pem" "${ALLOW_PEERS[@]}"
	as_stream distrust
	wait_for 10 grep -q \
		'event=tls-failed .* end=client error=".*unknown ca"' \
		"$kturnd_log"
}

test_client_certificate()
{
	kturnd_start --tls-cert "$tmp/one.pem" --tls-client-ca "$ca" \
		"${ALLOW_PEERS[@]}"
	as_stream client_certificate "$ca" "$tmp/client.pem"
	grep -q 'event=tls-failed .* end=server error="peer did not return' \
		"$kturnd_log"
}

# Sessions go on; what can't be read changes nothing.
test_reload()
{
	cp "$tmp/one.pem" "$tmp/now.pem"
	kturnd_start --tls-cert "$tmp/now.pem" "${ALLOW_PEERS[@]}"
	background in_client python3 "$top/selftests/stream/streams.py" keeps \
		tls "$tmp/ready" "$tmp/done"
	wait_for 30 test -e "$tmp/ready"
	as_stream serial 5 "$ca" one.example.org
	head -c 200 "$tmp/two.pem" >"$tmp/now.pem"
	wait_for 30 has_text "$kturnd_log" event=tls-reload-failed
	as_stream serial 5 "$ca" one.example.org
	cp "$tmp/two.pem" "$tmp/new.pem"
	mv "$tmp/new.pem" "$tmp/now.pem"
	as_stream serial 30 "$ca" two.example.org
	touch "$tmp/done"
	wait_for 30 has_ended "$background"
	wait "$background"
}

test_bad_files()
{
	fails kturnd_start --tls-cert "$tmp/nothing.pem"
	grep -q 'option=tls-cert file=.*/nothing.pem error="No such file' \
		"$kturnd_log"
	fails kturnd_start --tls-cert "$tmp/one.pem.crt" --tls-key "$tmp/two.pem.key"
	grep -q 'event=tls-failed option=tls-key file=.*/two.pem.key .*mismatch' \
		"$kturnd_log"
	fails kturnd_start --tls-cert "$tmp/one.pem" --tls-client-ca /dev/null
	grep -q 'event=tls-failed option=tls-client-ca ' "$kturnd_log"
}

test_proxy()
{
	kturnd_start --workers 1 --proxy-from 198.51.100.0/24 \
		--tls-cert "$tmp/one.pem" "${ALLOW_PEERS[@]}"
	as_stream proxy tls
}

# At port 5349 as well, where no port is named; and nothing without a certificate.
test_ports()
{
	kturnd_start --tls-cert "$tmp/one.pem" "${ALLOW_PEERS[@]}"
	[ "$(kturnd_value "sorted({a.rsplit(':', 1)[1] for a in d['listen']})")" \
		= "['3478', '5349']" ]
	kturnd_stop
	kturnd_start "${ALLOW_PEERS[@]}"
	fails in_client env TRANSPORT=tls python3 "$here/requests.py" echo 4
	grep -q 'reason="it speaks TLS, which is not served"' "$kturnd_log"
}

# With all of it on one worker.
test_busy()
{
	kturnd_start --workers 1 --tls-cert "$tmp/one.pem" "${ALLOW_PEERS[@]}"
	as_stream busy
}

topology_up
echo_start
make_all

ktap_plan 14
run_test "tls: coturn's client, channels and indications, 4 and 6" test_uclient
run_test "tls: data of all sizes, IPv4" test_requests echo 4
run_test "tls: data of all sizes, IPv6" test_requests echo 6
run_test "tls: many clients" test_requests many 50
run_test "tls: a certificate for each name" test_names
run_test "tls: versions" test_versions
run_test "tls: ALPN" test_alpn
run_test "tls: a client that does not trust us" test_distrust
run_test "tls: certificates of clients" test_client_certificate
run_test "tls: certificates that change" test_reload
run_test "tls: files that can't be used" test_bad_files
run_test "tls: PROXY protocol" test_proxy
run_test "tls: records without data, without end" test_busy
run_test "tls: ports" test_ports
ktap_finish
