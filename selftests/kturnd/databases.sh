#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturnd's user stores: PostgreSQL and Redis with coturn's own schema and keys,
# and SQLite; slow, dead and back. See databases.py.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/common.sh"

# Of the databases; it must be seen nowhere. In a URL "%" is "%25".
PASSWORD=s3cr%t
QUOTED=s3cr%25t

as_postgres()
{
	setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
}

# The certificate of db.example.org, which libpq is told to trust, and its key.
tls_make()
{
	mkdir "$tmp/tls"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$tmp/tls/key" -out "$tmp/tls/cert" -days 2 \
		-subj /CN=db.example.org \
		-addext subjectAltName=DNS:db.example.org 2>/dev/null
	chown postgres: "$tmp/tls/key"
}

# A cluster in $tmp/pg with the database turn and coturn's schema.
postgres_make()
{
	local bin dir=$tmp/pg

	bin=$(echo /usr/lib/postgresql/*/bin)
	chmod 711 "$tmp"
	mkdir "$dir"
	chown postgres: "$dir"
	as_postgres "$bin/initdb" -D "$dir/data" -U postgres -A trust -N \
		--locale=C.UTF-8 --no-instructions >"$tmp/initdb" 2>&1 ||
		return
	printf '%s\n' "local turn turn scram-sha-256" "local all all trust" \
		"hostssl turn turn 127.0.0.1/32 scram-sha-256" \
		>"$dir/data/pg_hba.conf"
	{
		echo "CREATE ROLE turn LOGIN PASSWORD '$PASSWORD';"
		echo "CREATE DATABASE turn;"
	} | single pg postgres && {
		cat /usr/share/coturn/schema.sql
		echo "GRANT SELECT ON ALL TABLES IN SCHEMA public TO turn;"
	} | single pg turn && cp -a "$dir" "$tmp/example-pg" &&
		single example-pg turn </usr/share/coturn/testsqldbsetup.sql
}

# single DIR DATABASE: run SQL without a server; there a line is a statement, or what
# ends with an empty line if -j says so.
single()
{
	tr '\n' ' ' | sed 's/;/;\n\n/g' |
		as_postgres "$bin/postgres" --single -j -D "$tmp/$1/data" \
			-c fsync=off "$2" >>"$tmp/initdb" 2>&1
}

# store_start URL [OPTION...]: with the user store from a file.
store_start()
{
	local file

	file=$(mktemp "$tmp/url.XXXXXX")
	printf '%s\n' "$1" >"$file"
	kturnd_store=(--db-file "$file")
	kturnd_start --relay "$RELAY_PEER_V4" "${ALLOW_PEERS[@]}" "${@:2}"
}

# run_store NAME DIR URL PORT: all that databases.py does; then kturnd ends
# although the database says nothing.
run_store()
{
	local pid

	store_start "$3" --workers 2 --listen "$RELAY_CLIENT_V4:$4" \
		--listen "[$RELAY_CLIENT_V6]:$4"
	in_client python3 "$here/databases.py" "$1" "$2" "$kturnd_log" \
		"$kturnd_state" "$4" \
		>"$tmp/$1.out" || {
		cat "$tmp/$1.out"
		tail -n 30 "$kturnd_log"
		return 1
	}
	cat "$tmp/$1.out"
	pid=$(tail -n 1 "$tmp/$1.out")
	# shellcheck disable=SC2046 # of words
	defer kill -KILL "$pid" $(cat "/proc/$pid/task/$pid/children")
	kturnd_json
	[ "$(kturnd_value "d['store']['lost'] in (3, 4),
		d['counters']['waited'] > 5, d['store']['cached'] < 4200")" = \
		"True True True" ]
	kturnd_stop
	fails grep -q event=user-store-stuck "$kturnd_log"
	fails grep -q s3cr "$kturnd_log"
	echo passed
}

# begin_store: the same while other tests run, as it waits for most of its time.
begin_store()
{
	(
		deferred=()
		trap run_deferred EXIT
		set -eE -o pipefail
		trap 'echo "line $LINENO: $BASH_COMMAND"
			tail -n 30 "$kturnd_log"' ERR
		run_store "$@"
	) >"$tmp/$1.result" 2>&1 &
	echo $! >"$tmp/$1.pid"
	defer stop_process $!
}

# test_begun NAME: what came of it?
test_begun()
{
	wait_for 120 has_ended "$(cat "$tmp/$1.pid")"
	cat "$tmp/$1.result"
	grep -qx passed "$tmp/$1.result"
}

realms()
{
	in_client python3 "$here/realms.py" "$@"
}

# check_example URL CHANGES ROW: all that coturn's own example of a database has;
# what denied peers the changes add that can't be read.
check_example()
{
	kturnd_realm=north.gov
	store_start "$1" --token-server-name turn.example.org
	as_client user gorst hero
	as_client user ninefingers youhavetoberealistic
	as_client user whirrun sword 401
	as_client secret logen
	as_client secret bloody9
	as_client secret north carol 60 401
	realms challenge crinna.org https://bligh.edu \
		/ user crinna.org whirrun sword http://crinna.org \
		/ user - gorst hero http://crinna.org 401 \
		/ secret library crinna.org http://crinna.org \
		/ secret logen - http://crinna.org 401 \
		/ token north \
		/ token union \
		/ token oldempire
	realms peers - gorst hero 172.17.13.201,8.8.9.1 \
		172.17.13.202,172.17.13.133,172.17.18.1 \
		/ peers http://crinna.org whirrun sword 172.17.13.202,8.8.9.1 \
		172.17.13.201,172.17.18.1
	fails grep event=store-row-ignored "$kturnd_log"
	# Another one with an odd row, and less for whom it was.
	"$2"
	wait_for 30 grep -q 'event=store-row-ignored table=turn_realm_option row=user-quota reason="no number"' \
		"$kturnd_log"
	wait_for 30 has_text "$kturnd_log" event=realms-reloaded
	# Its keys are not all read at one time.
	wait_for 30 realms token union 401
	realms challenge dagoska.org http://dagoska.org \
		/ challenge north.gov https://bligh.edu \
		/ quota http://crinna.org whirrun sword 486 1 secret \
		/ peers http://crinna.org whirrun sword 172.17.13.202 8.8.9.1 \
		/ peers - gorst hero 8.8.9.1 172.17.13.201 \
		/ token north
	grep "table=denied_peer_ip realm=north.gov row=$3 .*effect=.allowed_peer_ip opens nothing" \
		"$kturnd_log"
}

redis_example()
{
	in_relay redis-cli -p 6390 -a turn -n 2 --no-auth-warning "$@" \
		>>"$tmp/example.out"
}

redis_changes()
{
	redis_example set turn/origin/http://dagoska.org:80 dagoska.org
	redis_example del turn/origin/https://bligh.edu:443
	redis_example set turn/realm/crinna.org/user-quota 1
	redis_example set turn/realm/north.gov/user-quota many
	redis_example sadd turn/realm/crinna.org/denied-peer-ip 8.8.8.0-8.8.9.255
	redis_example del turn/realm/north.gov/denied-peer-ip
	redis_example set turn/realm/north.gov/denied-peer-ip 8.8.9.1
	redis_example del turn/oauth/kid/union
}

# By TCP.
test_redis_example()
{
	mkdir "$tmp/example"
	background in_relay redis-server --port 6390 --bind 127.0.0.1 \
		--dir "$tmp/example" --requirepass turn --save ''
	wait_for 30 in_relay redis-cli -p 6390 ping
	# What it does last, save, does not matter.
	sed 's/redis-cli/redis-cli -p 6390/' \
		/usr/share/coturn/testredisdbsetup.sh >"$tmp/setup.sh"
	in_relay sh "$tmp/setup.sh" >/dev/null 2>&1
	check_example redis://default:turn@127.0.0.1:6390/2 redis_changes \
		'"(no set)"'
}

postgres_changes()
{
	psql -qX -v ON_ERROR_STOP=1 -h "$tmp/example-pg" -p 5433 \
		-U postgres turn <<-END
		BEGIN;
		INSERT INTO turn_origin_to_realm
			VALUES ('http://dagoska.org:80', 'dagoska.org');
		DELETE FROM turn_origin_to_realm
			WHERE origin = 'https://bligh.edu:443';
		UPDATE turn_realm_option SET value =
			CASE realm WHEN 'crinna.org' THEN '1' ELSE 'many' END
			WHERE opt = 'user-quota';
		INSERT INTO denied_peer_ip VALUES
			('crinna.org', '8.8.8.0-8.8.9.255'),
			('north.gov', '8.8.9.1 ');
		DELETE FROM oauth_key WHERE kid = 'union';
		COMMIT;
	END
}

# By TLS, without which the server lets nobody in by TCP.
test_postgres_example()
{
	local dir=$tmp/example-pg
	local where url

	tls_make
	background in_relay setpriv --reuid=postgres --regid=postgres \
		--clear-groups \
		"$(echo /usr/lib/postgresql/*/bin/postgres)" -D "$dir/data" \
		-k "$dir" -c listen_addresses=127.0.0.1 -c port=5433 \
		-c fsync=off -c ssl=on -c "ssl_cert_file=$tmp/tls/cert" \
		-c "ssl_key_file=$tmp/tls/key"
	wait_for 30 pg_isready -q -h "$dir" -p 5433
	where="5433/turn?hostaddr=127.0.0.1&sslrootcert=$tmp/tls/cert&sslmode"
	url="postgresql://turn:$QUOTED@db.example.org:$where=verify-full"
	check_example "$url" postgres_changes '"8.8.9.1 "'
	kturnd_stop
	# Who has another name is not told the password.
	store_start "${url/db.example/other.example}"
	grep -q 'event=user-store-lost store=postgresql error=.*\\"db.example.org\\".* does not match host name \\"other.example.org\\"' \
		"$kturnd_log"
	kturnd_stop
}

# The file is on a file system of its own, which gets full.
test_sqlite()
{
	mkdir "$tmp/disk"
	mount -t tmpfs -o size=256k tmpfs "$tmp/disk"
	defer umount -l "$tmp/disk"
	for user in bob:stored ben:other; do
		echo "${user#*:}" | "$programs/kturn" user add "${user%:*}" \
			--realm example.org --db "$tmp/disk/users.db" \
			--password-file -
	done
	store_start "sqlite:$tmp/disk/users.db"
	in_client python3 "$here/databases.py" sqlite "$tmp/disk/users.db" \
		"$kturnd_log" "$kturnd_state" || {
		tail -n 30 "$kturnd_log"
		fail "see above"
	}
}

# What can't be used is said; passwords are not, and are not shown by ps.
test_errors()
{
	local url

	for url in "postgresql://turn:s3cr%t@/turn" "redis://s3cret@host" \
		"redis://:s3cret@host:99999/1" "redis://:s3cret@/0" \
		"redis+unix://:s3cret@path"; do
		kturnd_store=(--db "$url")
		fails kturnd_start >"$tmp/refused"
		grep -q "event=user-store-failed store=\(postgresql\|redis\) error=\"not " \
			"$tmp/refused"
		fails grep -q s3cr "$tmp/refused"
	done
	kturnd_store=(--db "redis+unix://:s3cret@/nowhere")
	kturnd_start
	fails grep -q s3cr "/proc/$kturnd_pid/cmdline"
	grep -q 'event=user-store-lost store=redis error="No such file or directory"' \
		"$kturnd_log"
	as_client user alice secret
	kturnd_stop
	fails grep -q s3cr "$kturnd_log"
}

topology_up
echo_start
mkdir "$tmp/redis"
begin_store redis "$tmp/redis" \
	"redis+unix://:$QUOTED@/$tmp/redis/socket?db=2" 3479
if postgres_make; then
	begin_store postgres "$tmp/pg" \
		"postgresql://turn:$QUOTED@/turn?host=$tmp/pg" 3480
else
	sed 's/^/# /' "$tmp/initdb"
	echo 0 >"$tmp/postgres.pid"
	echo "no cluster" >"$tmp/postgres.result"
fi

ktap_plan 6
run_test "databases: Redis with coturn's example" test_redis_example
run_test "databases: PostgreSQL with coturn's example" test_postgres_example
run_test "databases: SQLite, locked, gone and on a full disk" test_sqlite
run_test "databases: what is wrong, and no passwords" test_errors
run_test "databases: PostgreSQL, slow, dead and back" test_begun postgres
run_test "databases: Redis, slow, dead and back" test_begun redis
ktap_finish
