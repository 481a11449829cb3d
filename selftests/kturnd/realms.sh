#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Several realms: which is chosen, whose users they are, what they may use.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

ORIGIN=https://example.net

realms()
{
	in_client python3 "$here/realms.py" "$@"
}

coturn_tables()
{
	store_sql "$(cat "$here/coturn.sql")"
}

test_configured()
{
	kturnd_start --origin-realm "$ORIGIN=example.net" \
		--listen "$RELAY_CLIENT_V4" --listen "$RELAY_CLIENT_V4:3479" \
		--listen-realm "$RELAY_CLIENT_V4:3479=example.com" \
		--realm-user example.net=alice:other \
		--realm-secret example.net=first --secret second \
		"${ALLOW_PEERS[@]}"
	realms challenge example.org \
		/ challenge example.org https://example.com \
		/ challenge example.net HTTPS://EXAMPLE.NET:443/ \
		/ challenge example.com - 3479 \
		/ challenge example.net "$ORIGIN" 3479 \
		/ user example.org alice secret \
		/ user example.net alice other "$ORIGIN" \
		/ user - alice secret "$ORIGIN" 401 \
		/ user - alice other - 401
	# A user of the store is of one realm as well.
	realms user example.org bob stored \
		/ user - bob stored "$ORIGIN" 401 \
		/ secret first example.net "$ORIGIN" \
		/ secret first - - 401 \
		/ secret second example.net "$ORIGIN" \
		/ secret second example.org
}

realms_were_reloaded()
{
	[ "$(grep -c event=realms-reloaded "$kturnd_log")" -ge "$1" ]
}

# A database that coturn has been using, as it is, and followed.
test_store()
{
	coturn_tables
	store_sql "INSERT INTO turn_origin_to_realm VALUES
		('https://example.net:443', 'example.net'),
		('http://bad.example:80', 'a\"b');
		INSERT INTO turn_secret VALUES ('example.net', 'logen');
		INSERT INTO turn_realm_option VALUES
		('example.net', 'nonsense', '1');"
	echo other | "$programs/kturn" user add alice --realm example.net \
		--db "$tmp/users.db" --password-file -
	kturnd_start --workers 2 "${ALLOW_PEERS[@]}"
	realms user example.net alice other "$ORIGIN" \
		/ secret logen example.net "$ORIGIN" \
		/ secret logen - - 401
	grep -q 'event=store-row-ignored table=turn_origin_to_realm row=http://bad.example:80' \
		"$kturnd_log"
	grep -q 'event=store-row-ignored table=turn_realm_option row=nonsense' \
		"$kturnd_log"
	store_sql "INSERT INTO turn_origin_to_realm VALUES
		('http://example.com:80', 'example.com');
		DELETE FROM turn_secret;
		INSERT INTO turn_secret VALUES ('example.com', 'bloody9');"
	wait_for 30 realms_were_reloaded 1
	realms challenge example.com http://example.com \
		/ secret bloody9 example.com http://example.com \
		/ secret logen - "$ORIGIN" 401
	# Users that change are no reason to tell everybody.
	echo new | "$programs/kturn" user add alice --realm example.net \
		--db "$tmp/users.db" --password-file - --replace
	realms user example.net alice new "$ORIGIN"
	store_sql "DELETE FROM turn_origin_to_realm"
	wait_for 30 realms_were_reloaded 2
	realms challenge example.org "$ORIGIN"
	fails realms_were_reloaded 3
	rm "$tmp/users.db"
}

test_options()
{
	coturn_tables
	store_sql "INSERT INTO turn_realm_option VALUES
		('example.net', 'user-quota', '2'),
		('example.com', 'total-quota', '1'),
		('example.net', 'max-bps', '12000')"
	kturnd_start --origin-realm "$ORIGIN=example.net" --user-quota 3 \
		--origin-realm "http://example.com=example.com" \
		--realm-user example.net=alice:other \
		--realm-user example.com=alice:third "${ALLOW_PEERS[@]}"
	realms quota "$ORIGIN" alice other 486 2 secret \
		/ quota http://example.com alice third 508 1 secret \
		/ bandwidth "$ORIGIN" alice other 85
	[ "$(kturnd_value "d['counters']['over_limit']")" -ge 1 ]
	rm "$tmp/users.db"
}

# Its lists open what is special, and close what is not, our own relayed address
# included; in one realm, or in all.
test_peers()
{
	coturn_tables
	store_sql "INSERT INTO allowed_peer_ip VALUES
		('example.net', '203.0.113.0-203.0.113.7'),
		('', '10.1.0.0-10.1.255.255'), ('', '192.168.0.1'),
		('example.net', '::ffff:10.2.3.4'), ('example.net', 'nonsense'),
		('elsewhere.org', '10.0.0.0-10.255.255.255');
		INSERT INTO denied_peer_ip VALUES
		('example.net', '203.0.113.5'), ('', '10.1.2.0-10.1.2.9'),
		('example.net', '203.0.113.1'),
		('example.net', '8.8.8.0-8.8.9.255'), ('', '192.168.0.1')"
	kturnd_start --workers 2 --origin-realm "$ORIGIN=example.net" \
		--realm-user example.net=alice:other \
		--allow-peer 203.0.113.2/31 --deny-peer 10.1.3.0/24
	realms peers "$ORIGIN" alice other \
		203.0.113.0,203.0.113.7,10.1.2.10,10.2.3.4,9.9.9.9 \
		203.0.113.8,203.0.113.1,203.0.113.5,10.1.2.9,10.1.3.4,8.8.9.1,192.168.0.1,10.2.3.5 \
		/ peers - alice secret 10.1.2.10,8.8.9.1,203.0.113.1,203.0.113.2 \
		203.0.113.0,10.1.2.9,10.1.3.4,192.168.0.1,10.2.3.4
	grep -q 'event=store-row-ignored table=allowed_peer_ip realm=example.net row=nonsense reason="is no IP address' \
		"$kturnd_log"
	grep -q 'event=store-realm-unknown table=allowed_peer_ip realm=elsewhere.org' \
		"$kturnd_log"
	grep -q 'rule="8.8.9.1 in a /23 of denied_peer_ip" option="--allow-peer 8.8.9.1"' \
		"$kturnd_log"
	realms peer_denied "$tmp/users.db" "$ORIGIN" alice other
	# What was to be closed is not known.
	store_sql "INSERT INTO denied_peer_ip VALUES
		('example.net', '10.1.2.9-10.1.2.0')"
	wait_for 30 realms_were_reloaded 2
	grep -q 'event=store-row-ignored table=denied_peer_ip realm=example.net row=10.1.2.9-10.1.2.0 reason="ends before it begins" effect="allowed_peer_ip opens nothing' \
		"$kturnd_log"
	realms peers "$ORIGIN" alice other 9.9.9.9 203.0.113.0,10.1.2.10 \
		/ peers - alice secret 10.1.2.10 203.0.113.0
	rm "$tmp/users.db"
}

topology_up
echo_start

ktap_plan 4
run_test "realms: of the configuration" test_configured
run_test "realms: coturn's tables, followed" test_store
run_test "realms: quotas and bandwidth of one" test_options
run_test "realms: peers of one" test_peers
ktap_finish
