#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Access tokens (RFC 7635), made and brought by coturn's programs.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

NAME=turn.example.org
NORTH=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEK
UNION=MTIzNDU2Nzg5MDEyMzQ1Ngo=
OLDEMPIRE=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIK

realms()
{
	in_client python3 "$here/realms.py" "$@"
}

test_configured()
{
	printf '%s\n' "north:A256GCM:$NORTH" \
		"oldempire:A256GCM:$OLDEMPIRE:1000:5" >"$tmp/keys"
	kturnd_start --user-quota 2 --token-server-name "$NAME" \
		--token-key-file "$tmp/keys" \
		--token-key "union:A128GCM:$UNION" "${ALLOW_PEERS[@]}"
	realms advertised \
		/ token north \
		/ token union \
		/ token oldempire 401
	grep -q 'event=auth-failed .*user=oldempire code=401 reason=token-key-expired' \
		"$kturnd_log"
	realms bad_tokens \
		/ token_quota 2 \
		/ life
	# First-party users come as before, and no key is in the log.
	as_client user alice secret
	as_client features yes no
	fails grep -qF -e "$NORTH" -e "$UNION" "$kturnd_log"
}

# coturn's table, as it is, and followed.
test_store()
{
	store_sql "$(cat "$here/coturn.sql")"
	store_sql "INSERT INTO oauth_key VALUES
		('north', '$NORTH', 0, 0, 'A256GCM', 'example.net'),
		('union', '$UNION', 0, 0, 'A256GCM', '')"
	kturnd_start --token-server-name "$NAME" "${ALLOW_PEERS[@]}"
	realms token north
	# Its key is too short for that algorithm.
	grep -q 'event=store-row-ignored table=oauth_key row=union reason="is shorter than its algorithm needs"' \
		"$kturnd_log"
	realms token union 401
	store_sql "UPDATE oauth_key SET as_rs_alg = 'A128GCM'
		WHERE kid = 'union'; DELETE FROM oauth_key WHERE kid = 'north'"
	wait_for 30 has_text "$kturnd_log" event=realms-reloaded
	realms token union \
		/ token north 401
	rm "$tmp/users.db"
}

test_off()
{
	kturnd_start
	realms advertised - \
		/ unexpected
}

# coturn's client, with tokens of a random one of three keys each time.
test_uclient()
{
	kturnd_start --token-server-name "$NAME" --channel-range 5766 \
		--token-key "north:A256GCM:$NORTH" \
		--token-key "union:A128GCM:$UNION" \
		--token-key "oldempire:A256GCM:$OLDEMPIRE" "${ALLOW_PEERS[@]}"
	uclient 4 10 -J
	grep -q 'event=alloc-new .*user=\(north\|union\|oldempire\) ' \
		"$kturnd_log"
	fails grep -q 'event=auth-failed' "$kturnd_log"
}

topology_up
echo_start

ktap_plan 4
run_test "tokens: keys of the configuration" test_configured
run_test "tokens: coturn's table, followed" test_store
run_test "tokens: where none are taken" test_off
run_test "tokens: coturn's client" test_uclient
ktap_finish
