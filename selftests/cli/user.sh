#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn user: the users in a database. The keys are computed anew with openssl,
# and read from the file with Python's sqlite3: neither is kturn's own code.

. "$(dirname "$0")/../lib.sh"

kturn=$programs/kturn
db=$tmp/users.db

# sql FILE STATEMENT: print the rows, with | between the columns.
sql()
{
	/usr/bin/python3 - "$@" <<-'END'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1])
	for row in db.execute(sys.argv[2]):
	    print(*row, sep="|")
	db.commit()
	END
}

# hash ALGORITHM TEXT
hash()
{
	printf %s "$2" | openssl dgst "-$1" -r | cut -d' ' -f1
}

# add NAME REALM PASSWORD [OPTION...]
add()
{
	local name=$1 realm=$2 password=$3

	shift 3
	printf '%s\n' "$password" | "$kturn" user add "$name" \
		--realm "$realm" --password-file - --db "$db" "$@"
}

# refused EXPECTED STATUS COMMAND...
refused()
{
	local expected=$1 want=$2 status=0

	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	if [ "$status" -ne "$want" ] || ! grep -qF -- "$expected" "$tmp/err"; then
		fail "$*: status $status: $(cat "$tmp/out" "$tmp/err")"
	fi
}

test_keys()
{
	add alice example.org "se cret"
	[ "$(sql "$db" "SELECT realm, name, hmackey FROM turnusers_lt")" = \
		"example.org|alice|$(hash md5 'alice:example.org:se cret')" ]
	[ "$(sql "$db" "SELECT realm, name, hmackey, userhash
		FROM kturn_users_sha256")" = \
		"example.org|alice|$(hash sha256 \
		'alice:example.org:se cret')|$(hash sha256 \
		'alice:example.org')" ]
}

# The file and its directory are the owner's alone, whatever the umask.
test_mode()
{
	(umask 0 && "$kturn" user add x --realm r --generate \
		--db "$tmp/new/users.db" >"$tmp/password")
	[ "$(stat -c %a "$tmp/new")" = 700 ]
	[ "$(stat -c %a "$tmp/new/users.db")" = 600 ]
}

test_exists()
{
	add bob example.org one
	refused "the user exists" 1 "$kturn" user add bob \
		--realm example.org --generate --db "$db"
	# The same name in another realm is another user.
	add bob example.com two
	add bob example.org three --replace
	[ "$(sql "$db" "SELECT hmackey FROM turnusers_lt
		WHERE name = 'bob' ORDER BY realm")" = \
		"$(hash md5 bob:example.com:two)
$(hash md5 bob:example.org:three)" ]
}

test_delete()
{
	add carol example.org one
	"$kturn" user del carol --realm example.org --db "$db"
	[ "$(sql "$db" "SELECT count(*) FROM turnusers_lt
		WHERE name = 'carol'")" = 0 ]
	[ "$(sql "$db" "SELECT count(*) FROM kturn_users_sha256
		WHERE name = 'carol'")" = 0 ]
	refused "no such user" 1 "$kturn" user del carol \
		--realm example.org --db "$db"
	# Not made by looking for something in it.
	refused "No such file" 1 "$kturn" user del carol \
		--realm example.org --db "$tmp/none.db"
	[ ! -e "$tmp/none.db" ]
}

test_generate()
{
	local password other

	password=$("$kturn" user add dave --realm r --generate --db "$db")
	other=$("$kturn" user add erin --realm r --generate --db "$db")
	[ ${#password} -ge 22 ]
	[ "$password" != "$other" ]
	[ "$(sql "$db" "SELECT hmackey FROM turnusers_lt
		WHERE name = 'dave'")" = "$(hash md5 "dave:r:$password")" ]
}

test_password_file()
{
	printf 'from a file\r\n' >"$tmp/password"
	"$kturn" user add frank --realm r --db "$db" \
		--password-file "$tmp/password"
	[ "$(sql "$db" "SELECT hmackey FROM turnusers_lt
		WHERE name = 'frank'")" = "$(hash md5 "frank:r:from a file")" ]

	set -- "$kturn" user add grace --realm r --db "$db" --password-file
	printf 'one\ntwo\n' >"$tmp/lines"
	refused "more than one line" 1 "$@" "$tmp/lines"
	: >"$tmp/empty"
	refused "is empty" 1 "$@" "$tmp/empty"
	refused "standard input is empty" 1 "$@" -
	head -c 2000 /dev/zero | tr '\0' x >"$tmp/long"
	refused "more than 1023 bytes" 1 "$@" "$tmp/long"
	head -c 600 "$tmp/long" >"$tmp/long600"
	refused "the password is longer than 508 bytes" 1 "$@" "$tmp/long600"
	printf 'a\0b' >"$tmp/zero"
	refused "the password contains a control character" 1 "$@" "$tmp/zero"
	refused "$tmp/none: No such file" 1 "$@" "$tmp/none"
	refused "$tmp: Is a directory" 1 "$@" "$tmp"
	[ "$(sql "$db" "SELECT count(*) FROM turnusers_lt
		WHERE name = 'grace'")" = 0 ]
}

# Asked for at the terminal, twice, and not shown there.
test_terminal()
{
	/usr/bin/python3 - "$kturn" user add heidi --realm r --db "$db" \
		<<-'END' >"$tmp/terminal"
	import os, pty, sys
	pid, fd = pty.fork()
	if pid == 0:
	    os.execv(sys.argv[1], sys.argv[1:])
	seen = b""
	def until(text):
	    global seen
	    while text not in seen:
	        seen += os.read(fd, 1000)
	until(b"Password: ")
	os.write(fd, b"typed in\n")
	until(b"Again: ")
	os.write(fd, b"typed in\n")
	try:
	    while True:
	        seen += os.read(fd, 1000)
	except OSError:
	    pass
	print(seen)
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	fails grep -q "typed in" "$tmp/terminal"
	[ "$(sql "$db" "SELECT hmackey FROM turnusers_lt
		WHERE name = 'heidi'")" = "$(hash md5 "heidi:r:typed in")" ]
	refused "there is no terminal" 1 setsid "$kturn" user add ivan \
		--realm r --db "$db"
}

test_names()
{
	set -- "$kturn" user add --db "$db" --generate --realm
	refused "the user name is empty" 1 "$@" r ""
	refused "the user name is not valid UTF-8" 1 "$@" r $'a\xff'
	refused "the user name contains a control character" 1 "$@" r $'a\nb'
	refused "the user name is longer than 508 bytes" 1 "$@" r \
		"$(printf '%509s' x)"
	refused "the realm is empty" 1 "$@" "" x
	refused "the realm is longer than 127 characters" 1 "$@" \
		"$(printf '%128s' x)" x
	refused "the realm contains a double quote" 1 "$@" 'a"b' x
	refused "--realm is missing" 2 "$kturn" user add x --db "$db"
	refused "NAME is missing" 2 "$@" r
	refused "exclude each other" 2 "$@" r x --password-file -
	# RFC 8265 section 4.2.2: other spaces are spaces.
	add $'two\u00a0words' r password
	[ "$(sql "$db" "SELECT count(*) FROM turnusers_lt
		WHERE name = 'two words'")" = 1 ]
	refused "the user name contains an invisible character" 1 "$@" r \
		$'a\u00ad'
	# Composed or not, in all three: the same user with the same keys.
	add $'rene\u0301' $'Que\u0301bec' $'e\u0301te\u0301'
	[ "$(sql "$db" "SELECT hmackey FROM turnusers_lt
		WHERE name = 'rené' AND realm = 'Québec'")" = \
		"$(hash md5 $'ren\u00e9:Qu\u00e9bec:\u00e9t\u00e9')" ]
	refused "the user exists" 1 "$@" $'Qu\u00e9bec' $'ren\u00e9'
	[ "$("$kturn" user list --realm $'Que\u0301bec' --db "$db" |
		wc -l)" = 2 ]
	"$kturn" user del $'rene\u0301' --realm $'Que\u0301bec' --db "$db"
	refused "no such user" 1 "$kturn" user del $'ren\u00e9' \
		--realm $'Qu\u00e9bec' --db "$db"
}

test_list()
{
	local list=$tmp/list.db

	sql "$list" "CREATE TABLE turnusers_lt (realm varchar(127) default '',
		name varchar(512), hmackey char(128),
		PRIMARY KEY (realm,name))"
	sql "$list" "INSERT INTO turnusers_lt VALUES
		('r', 'coturn', '00112233445566778899aabbccddeeff'),
		('r', 'broken', 'x'),
		('r', char(27) || '[31mred', '')"
	"$kturn" user list --db "$list" >"$tmp/out"
	# Reading changes nothing: coturn's file stays coturn's.
	[ "$(sql "$list" "SELECT count(*) FROM sqlite_master
		WHERE name LIKE 'kturn%'")" = 0 ]
	"$kturn" user add both --realm s --generate --db "$list" >"$tmp/generated"
	"$kturn" user list --db "$list" >"$tmp/out"
	cat "$tmp/out"
	sed 's/  */ /g' "$tmp/out" >"$tmp/squeezed"
	diff - "$tmp/squeezed" <<-'END'
	REALM NAME KEYS
	r \x1b[31mred none
	r broken none
	r coturn md5
	s both md5,sha256
	END
	"$kturn" user list --db "$list" --json >"$tmp/json"
	/usr/bin/python3 - "$tmp/json" <<-'END'
	import json, sys
	users = json.load(open(sys.argv[1]))["users"]
	assert [u["name"] for u in users] == ["\x1b[31mred", "broken",
	                                      "coturn", "both"], users
	assert users[2] == {"realm": "r", "name": "coturn", "keys": ["md5"]}
	assert users[3]["keys"] == ["md5", "sha256"], users
	END
	[ "$("$kturn" user list --realm s --db "$list" | wc -l)" = 2 ]
	[ "$("$kturn" user list --realm none --db "$list" | wc -l)" = 1 ]
}

test_files()
{
	echo "this is a text and by no means a database" >"$tmp/text"
	refused "not an SQLite database" 1 "$kturn" user list --db "$tmp/text"
	refused "not an SQLite database" 1 "$kturn" user add x --realm r \
		--generate --db "$tmp/text"
	grep -q "by no means" "$tmp/text"
	refused "No such file" 1 "$kturn" user list --db "$tmp/none.db"
	refused "$tmp/no/such" 1 "$kturn" user add x --realm r --generate \
		--db "$tmp/no/such/dir/users.db"
}

# Many at once: nobody is lost, nobody fails.
test_parallel()
{
	local i pids=()

	for i in $(seq 8); do
		"$kturn" user add "user$i" --realm parallel --generate \
			--db "$tmp/parallel.db" >"$tmp/parallel.$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ "$("$kturn" user list --db "$tmp/parallel.db" |
		grep -c md5,sha256)" = 8 ]
}

# coturn's own tool and we, in turns, on the same file.
test_turnadmin()
{
	command -v turnadmin >/dev/null || skip "turnadmin is not installed"
	turnadmin -a -b "$tmp/coturn.db" -u walter -r r -p first
	"$kturn" user list --db "$tmp/coturn.db" | grep -q "walter *md5$"
	"$kturn" user add walter --realm r --db "$tmp/coturn.db" --replace \
		--password-file <(echo second)
	"$kturn" user list --db "$tmp/coturn.db" | grep -q "walter *md5,sha256$"
	turnadmin -l -b "$tmp/coturn.db" | grep -q 'walter\[r\]'
	# A password changed by coturn takes our key of the old one with it.
	turnadmin -a -b "$tmp/coturn.db" -u walter -r r -p third
	"$kturn" user list --db "$tmp/coturn.db" | grep -q "walter *md5$"
}

test_default_path()
{
	[ -e /var/lib/kturn/users.db ] && skip "there is a real one"
	refused "/var/lib/kturn/users.db: No such file" 1 "$kturn" user list
}

ktap_plan 13
run_test "keys are what RFC 8489 says" test_keys
run_test "mode of what is made" test_mode
run_test "a user that exists" test_exists
run_test "delete" test_delete
run_test "generated passwords" test_generate
run_test "password from a file" test_password_file
run_test "password from the terminal" test_terminal
run_test "names and realms that can't be" test_names
run_test "list, escaped and as JSON" test_list
run_test "files that are no database" test_files
run_test "many at once" test_parallel
run_test "a database of coturn's" test_turnadmin
run_test "the default path" test_default_path
ktap_finish
