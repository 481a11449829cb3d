// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests of the user store (user/db), in a directory of its own. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <db/userdb.h>
#include "../ktap.h"

#define REALM	"example.org"

static char dir[32];
static char path[64], other[64];

/* What turnadmin does, run by sqlite3 itself. */
static void sql(const char *file, const char *text)
{
	sqlite3 *db;

	KTAP_EQ(sqlite3_open(file, &db), SQLITE_OK);
	KTAP_EQ(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static const char coturn_schema[] =
	"CREATE TABLE turnusers_lt (realm varchar(127) default '',"
	" name varchar(512), hmackey char(128), PRIMARY KEY (realm,name));";

static void fresh(void)
{
	unlink(path);
	unlink(other);
}

static struct userdb *open_ok(const char *file, enum userdb_mode mode)
{
	struct userdb *db;
	int err = userdb_open(&db, file, mode);

	if (!KTAP_EQ(err, 0)) {
		printf("# %s\n", userdb_error(NULL));
		exit(1);
	}
	return db;
}

static struct userdb_keys keys_of(const char *name, const char *password)
{
	struct userdb_keys keys;

	KTAP_EQ(userdb_keys_make(name, REALM, password, &keys), 0);
	return keys;
}

static void put(struct userdb *db, const char *name, const char *password)
{
	struct userdb_keys keys = keys_of(name, password);

	KTAP_EQ(userdb_put(db, REALM, name, &keys, true), 0);
}

static void keys_vectors(void)
{
	/* RFC 8489 appendix B.1 */
	static const uint8_t userhash[] = {
		0x4a, 0x3c, 0xf3, 0x8f, 0xef, 0x69, 0x92, 0xbd,
		0xa9, 0x52, 0xc6, 0x78, 0x04, 0x17, 0xda, 0x0f,
		0x24, 0x81, 0x94, 0x15, 0x56, 0x9e, 0x60, 0xb2,
		0x05, 0xc4, 0x6e, 0x41, 0x40, 0x7f, 0x17, 0x04,
	};
	/* RFC 8489 section 9.2.2: user, realm, pass */
	static const uint8_t md5[] = {
		0x84, 0x93, 0xfb, 0xc5, 0x3b, 0xa5, 0x82, 0xfb,
		0x4c, 0x04, 0x4c, 0x45, 0x6b, 0xdc, 0x40, 0xeb,
	};
	struct userdb_keys keys;
	uint8_t hash[32];

	userdb_userhash("マトリックス", "example.org", hash);
	KTAP_MEM_EQ(hash, userhash, 32);
	KTAP_EQ(userdb_keys_make("user", "realm", "pass", &keys), 0);
	KTAP_EQ(keys.flags, USERDB_MD5 | USERDB_SHA256);
	KTAP_MEM_EQ(keys.md5, md5, 16);
}

static const char *prepared(enum userdb_text what, const char *text,
			    size_t len)
{
	static char out[2048];
	const char *why = userdb_prepare(what, text, len, out, sizeof(out));

	return why ? why : out;
}

#define PREPARED(what, text, want) \
	KTAP_CHECK(!strcmp(prepared(USERDB_TEXT_##what, text, \
				    sizeof(text) - 1), want))

static void prepare_texts(void)
{
	char longest[600];

	memset(longest, 'a', sizeof(longest));
	PREPARED(NAME, "alice", "alice");
	PREPARED(NAME, "a b", "a b");
	PREPARED(NAME, "a\u00a0b\u3000c", "a b c");
	PREPARED(NAME, "e\u0301", "\u00e9");
	PREPARED(REALM, "e\u0301", "\u00e9");
	PREPARED(PASSWORD, "e\u0301\u2003", "\u00e9 ");
	PREPARED(NAME, "é\U0001f600", "é\U0001f600");
	PREPARED(NAME, "", "is empty");
	PREPARED(NAME, "a\nb", "contains a control character");
	PREPARED(NAME, "a\0b", "contains a control character");
	PREPARED(NAME, "a\x7f", "contains a control character");
	PREPARED(NAME, "\xc2\x85", "contains a control character");
	PREPARED(NAME, "\xff", "is not valid UTF-8");
	PREPARED(NAME, "\xc3", "is not valid UTF-8");
	PREPARED(NAME, "\xc0\x80", "is not valid UTF-8");
	PREPARED(NAME, "\xe0\x80\x80", "is not valid UTF-8");
	PREPARED(NAME, "\xed\xa0\x80", "is not valid UTF-8");
	PREPARED(NAME, "\xf4\x90\x80\x80", "is not valid UTF-8");
	PREPARED(NAME, "\uffff", "contains a code point that is no character");
	PREPARED(NAME, "a\"b", "a\"b");
	PREPARED(REALM, "a\"b", "contains a double quote or a backslash");
	PREPARED(REALM, "a\\b", "contains a double quote or a backslash");
	KTAP_CHECK(strlen(prepared(USERDB_TEXT_NAME, longest, 508)) == 508);
	KTAP_CHECK(!strcmp(prepared(USERDB_TEXT_NAME, longest, 509),
			   "is longer than 508 bytes"));
	KTAP_CHECK(strlen(prepared(USERDB_TEXT_REALM, longest, 127)) == 127);
	KTAP_CHECK(!strcmp(prepared(USERDB_TEXT_REALM, longest, 128),
			   "is longer than 127 characters"));
	KTAP_CHECK(!strcmp(userdb_prepare(USERDB_TEXT_NAME, "abc", 3, longest,
					  3), "is longer than 508 bytes"));
	/* Characters count, of two bytes or, when composed, of one. */
	for (size_t i = 0; i < 200; i++)
		memcpy(longest + 3 * i, "e\u0301", 3);
	KTAP_CHECK(strlen(prepared(USERDB_TEXT_REALM, longest, 3 * 127)) ==
		   2 * 127);
	KTAP_CHECK(!strcmp(prepared(USERDB_TEXT_REALM, longest, 3 * 128),
			   "is longer than 127 characters"));
	KTAP_CHECK(strlen(prepared(USERDB_TEXT_NAME, longest, 3 * 200)) == 400);
}

static void put_and_get(void)
{
	struct userdb_keys keys, want = keys_of("alice", "secret");
	struct userdb *db;
	struct stat st;

	fresh();
	db = open_ok(path, USERDB_WRITE);
	KTAP_EQ(stat(path, &st), 0);
	KTAP_EQ(st.st_mode & 0777, 0600);
	KTAP_EQ(userdb_get(db, REALM, "alice", &keys), -ENOENT);
	KTAP_EQ(userdb_put(db, REALM, "alice", &want, false), 0);
	KTAP_EQ(userdb_get(db, REALM, "alice", &keys),
		USERDB_MD5 | USERDB_SHA256);
	KTAP_MEM_EQ(&keys, &want, sizeof(keys));
	KTAP_EQ(userdb_get(db, "other", "alice", &keys), -ENOENT);
	KTAP_EQ(userdb_get(db, REALM, "alic", &keys), -ENOENT);
	KTAP_EQ(keys.flags, 0);

	KTAP_EQ(userdb_put(db, REALM, "alice", &want, false), -EEXIST);
	put(db, "alice", "changed");
	want = keys_of("alice", "changed");
	KTAP_EQ(userdb_get(db, REALM, "alice", &keys), 3);
	KTAP_MEM_EQ(&keys, &want, sizeof(keys));

	KTAP_EQ(userdb_del(db, REALM, "alice"), 0);
	KTAP_EQ(userdb_del(db, REALM, "alice"), -ENOENT);
	KTAP_EQ(userdb_get(db, REALM, "alice", &keys), -ENOENT);
	userdb_close(db);
}

static void coturn_rows(void)
{
	static const uint8_t md5[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
		0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	struct userdb_keys keys;
	struct userdb *db;
	char name[USERDB_NAME_MAX + 1];
	uint8_t hash[32];

	fresh();
	sql(path, coturn_schema);
	sql(path, "INSERT INTO turnusers_lt VALUES"
	    " ('" REALM "', 'bob', '0123456789abcdef0123456789ABCDEF'),"
	    " ('" REALM "', 'bad', 'not a key')");
	db = open_ok(path, USERDB_READ);
	KTAP_EQ(userdb_get(db, REALM, "bob", &keys), USERDB_MD5);
	KTAP_MEM_EQ(keys.md5, md5, 16);
	KTAP_EQ(userdb_get(db, REALM, "bad", &keys), 0);
	KTAP_EQ(userdb_realm_all_sha256(db, REALM), 0);
	KTAP_EQ(userdb_realm_all_sha256(db, "empty"), 1);
	userdb_userhash("bob", REALM, hash);
	KTAP_EQ(userdb_find_userhash(db, REALM, hash, name), 0);
	KTAP_CHECK(!strcmp(name, "bob"));
	KTAP_EQ(userdb_find_userhash(db, "other", hash, name), -ENOENT);
	KTAP_EQ(userdb_put(db, REALM, "x", &keys, false), -EINVAL);
	keys = keys_of("x", "y");
	KTAP_EQ(userdb_put(db, REALM, "x", &keys, false), -EROFS);
	userdb_close(db);
}

/* turnadmin knows one of the two tables only. */
static void coturn_changes(void)
{
	struct userdb_keys keys;
	struct userdb *db, *reader;
	char name[USERDB_NAME_MAX + 1];
	uint8_t hash[32];

	fresh();
	db = open_ok(path, USERDB_WRITE);
	reader = open_ok(path, USERDB_FOLLOW);
	KTAP_EQ(userdb_realm_all_sha256(reader, REALM), 1);
	put(db, "carol", "old");
	put(db, "dave", "old");
	KTAP_EQ(userdb_realm_all_sha256(reader, REALM), 1);
	KTAP_EQ(userdb_get(reader, REALM, "carol", &keys), 3);

	sql(path, "UPDATE turnusers_lt SET hmackey ="
	    " '00112233445566778899aabbccddeeff' WHERE name = 'carol';"
	    "DELETE FROM turnusers_lt WHERE name = 'dave'");
	KTAP_EQ(userdb_get(reader, REALM, "carol", &keys), USERDB_MD5);
	KTAP_EQ(keys.md5[15], 0xff);
	KTAP_EQ(userdb_get(reader, REALM, "dave", &keys), -ENOENT);
	KTAP_EQ(userdb_realm_all_sha256(reader, REALM), 0);
	userdb_userhash("carol", REALM, hash);
	KTAP_EQ(userdb_find_userhash(reader, REALM, hash, name), 0);
	userdb_userhash("dave", REALM, hash);
	KTAP_EQ(userdb_find_userhash(reader, REALM, hash, name), -ENOENT);

	/* Made again with the old password: both keys are there again. */
	put(db, "carol", "old");
	KTAP_EQ(userdb_get(reader, REALM, "carol", &keys), 3);
	KTAP_EQ(userdb_realm_all_sha256(reader, REALM), 1);
	userdb_close(reader);
	userdb_close(db);
}

static void userhash_follows(void)
{
	struct userdb *db, *reader;
	char name[USERDB_NAME_MAX + 1], text[128];
	uint8_t hash[32];
	int found = 0;

	fresh();
	sql(path, coturn_schema);
	reader = open_ok(path, USERDB_READ);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "INSERT INTO turnusers_lt VALUES"
			 " ('" REALM "', 'user%d', '')", i);
		sql(path, text);
		snprintf(text, sizeof(text), "user%d", i);
		userdb_userhash(text, REALM, hash);
		found += !userdb_find_userhash(reader, REALM, hash, name) &&
			 !strcmp(name, text);
	}
	KTAP_EQ(found, 100);
	db = open_ok(path, USERDB_WRITE);
	put(db, "user7", "password");
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "user%d", i);
		userdb_userhash(text, REALM, hash);
		found -= !userdb_find_userhash(reader, REALM, hash, name) &&
			 !strcmp(name, text);
	}
	KTAP_EQ(found, 0);
	userdb_close(db);
	userdb_close(reader);
}

static void follow_file(void)
{
	struct userdb_keys keys;
	struct userdb *db, *reader, *none;

	fresh();
	KTAP_EQ(userdb_open(&none, path, USERDB_READ), -ENOENT);
	KTAP_CHECK(strstr(userdb_error(NULL), path));
	reader = open_ok(path, USERDB_FOLLOW);
	KTAP_EQ(userdb_get(reader, REALM, "alice", &keys), -ENOENT);
	KTAP_EQ(userdb_realm_all_sha256(reader, REALM), 1);

	db = open_ok(path, USERDB_WRITE);
	put(db, "alice", "one");
	userdb_close(db);
	KTAP_EQ(userdb_get(reader, REALM, "alice", &keys), 3);

	db = open_ok(other, USERDB_WRITE);
	put(db, "erin", "two");
	userdb_close(db);
	KTAP_EQ(rename(other, path), 0);
	KTAP_EQ(userdb_get(reader, REALM, "alice", &keys), -ENOENT);
	KTAP_EQ(userdb_get(reader, REALM, "erin", &keys), 3);

	unlink(path);
	KTAP_EQ(userdb_get(reader, REALM, "erin", &keys), -ENOENT);
	userdb_close(reader);
}

static int collect(const char *realm, const char *name, unsigned int flags,
		   void *arg)
{
	char *text = arg;

	sprintf(text + strlen(text), "%s/%s/%u ", realm, name, flags);
	return !strcmp(name, "stop") ? 7 : 0;
}

static void list_users(void)
{
	struct userdb_keys keys = keys_of("x", "y");
	struct userdb *db;
	char text[512] = "";

	fresh();
	db = open_ok(path, USERDB_WRITE);
	KTAP_EQ(userdb_list(db, NULL, collect, text), 0);
	KTAP_CHECK(!strcmp(text, ""));
	KTAP_EQ(userdb_put(db, "b", "2", &keys, false), 0);
	KTAP_EQ(userdb_put(db, "a", "1", &keys, false), 0);
	KTAP_EQ(userdb_put(db, "b", "1", &keys, false), 0);
	KTAP_EQ(userdb_list(db, NULL, collect, text), 0);
	KTAP_CHECK(!strcmp(text, "a/1/3 b/1/3 b/2/3 "));
	*text = '\0';
	KTAP_EQ(userdb_list(db, "a", collect, text), 0);
	KTAP_CHECK(!strcmp(text, "a/1/3 "));
	KTAP_EQ(userdb_put(db, "a", "stop", &keys, false), 0);
	KTAP_EQ(userdb_list(db, NULL, collect, text), 7);
	/* The list that was broken off keeps no lock. */
	KTAP_EQ(userdb_del(db, "a", "stop"), 0);
	userdb_close(db);
}

static void locked_store(void)
{
	struct userdb_keys keys;
	struct userdb *db;
	sqlite3 *lock;

	fresh();
	db = open_ok(path, USERDB_WRITE);
	put(db, "alice", "one");
	userdb_close(db);
	db = open_ok(path, USERDB_READ);
	KTAP_EQ(sqlite3_open(path, &lock), SQLITE_OK);
	KTAP_EQ(sqlite3_exec(lock, "BEGIN EXCLUSIVE", NULL, NULL, NULL),
		SQLITE_OK);
	KTAP_EQ(userdb_get(db, REALM, "alice", &keys), -EBUSY);
	KTAP_CHECK(strstr(userdb_error(db), "locked"));
	sqlite3_close(lock);
	KTAP_EQ(userdb_get(db, REALM, "alice", &keys), 3);
	userdb_close(db);
}

static void bad_files(void)
{
	struct userdb *db = NULL;
	FILE *f;

	fresh();
	f = fopen(path, "w");
	fputs("this is a text file and by no means a database\n", f);
	fclose(f);
	KTAP_EQ(userdb_open(&db, path, USERDB_READ), -EBADMSG);
	KTAP_CHECK(!db);
	KTAP_CHECK(strstr(userdb_error(NULL), "not an SQLite database"));
	KTAP_EQ(userdb_open(&db, path, USERDB_WRITE), -EBADMSG);
	KTAP_EQ(userdb_open(&db, dir, USERDB_READ), -EINVAL);
	KTAP_EQ(userdb_open(&db, "/nowhere/at/all", USERDB_WRITE), -ENOENT);
	KTAP_CHECK(strstr(userdb_error(NULL), "/nowhere/at"));

	/* An empty file is an empty store. */
	truncate(path, 0);
	db = open_ok(path, USERDB_READ);
	KTAP_EQ(userdb_realm_all_sha256(db, REALM), 1);
	userdb_close(db);
}

/* Quotes and wildcards in names are nothing but characters. */
static void odd_names(void)
{
	static const char *const names[] = {
		"'; DROP TABLE turnusers_lt; --", "%", "_", "a\"b", "NULL",
	};
	struct userdb_keys keys;
	struct userdb *db;

	fresh();
	db = open_ok(path, USERDB_WRITE);
	for (size_t i = 0; i < KTAP_COUNT(names); i++) {
		KTAP_EQ(userdb_get(db, REALM, names[i], &keys), -ENOENT);
		put(db, names[i], "password");
		KTAP_EQ(userdb_get(db, REALM, names[i], &keys), 3);
	}
	userdb_close(db);
}

/* ------------------------------------------------------------------ tables */

static char rows[512];

static int note_row(const char *const *columns, void *arg)
{
	int n = *(int *)arg, i;

	for (i = 0; i < n; i++) {
		strcat(rows, columns[i]);
		strcat(rows, i + 1 < n ? "," : ";");
	}
	return 0;
}

static void check_rows(struct userdb *db, enum userdb_table table, int n,
		       const char *want)
{
	rows[0] = 0;
	KTAP_EQ(userdb_rows(db, table, note_row, &n), 0);
	if (!KTAP_CHECK(!strcmp(rows, want)))
		printf("# %s\n", rows);
}

static int stop_at_once(const char *const *columns, void *arg)
{
	++*(int *)arg;
	return -ECANCELED;
}

/* coturn's schema, a table that lacks, and columns that are NULL. */
static void whole_tables(void)
{
	uint64_t before, version;
	struct userdb *db;
	int n = 0;

	fresh();
	db = open_ok(path, USERDB_FOLLOW);
	check_rows(db, USERDB_TABLE_ORIGINS, 2, "");
	KTAP_EQ(userdb_version(db, &before), 0);
	KTAP_EQ(userdb_version(db, &version), 0);
	KTAP_CHECK(version == before);
	sql(path, "CREATE TABLE turn_origin_to_realm (origin varchar(127),"
	    " realm varchar(127), primary key (origin));"
	    "CREATE TABLE turn_realm_option (realm varchar(127) default '',"
	    " opt varchar(32), value varchar(128), primary key (realm,opt));"
	    "CREATE TABLE oauth_key (kid varchar(128), ikm_key varchar(256),"
	    " timestamp bigint default 0, lifetime integer default 0,"
	    " as_rs_alg varchar(64) default '', realm varchar(127),"
	    " primary key (kid));"
	    "INSERT INTO turn_origin_to_realm VALUES ('http://b:80', 'r'),"
	    " ('http://a:80', 's');"
	    "INSERT INTO turn_realm_option VALUES ('r', 'max-bps', '500');"
	    "INSERT INTO oauth_key VALUES ('k', 'b64', 7, 8, 'A256GCM', NULL)");
	KTAP_EQ(userdb_version(db, &version), 0);
	KTAP_CHECK(version != before);
	check_rows(db, USERDB_TABLE_ORIGINS, 2, "http://a:80,s;http://b:80,r;");
	check_rows(db, USERDB_TABLE_REALM_OPTIONS, 3, "r,max-bps,500;");
	check_rows(db, USERDB_TABLE_SECRETS, 2, "");
	check_rows(db, USERDB_TABLE_TOKEN_KEYS, 6, "k,b64,7,8,A256GCM,;");
	KTAP_EQ(userdb_rows(db, USERDB_TABLE_ORIGINS, stop_at_once, &n),
		-ECANCELED);
	KTAP_EQ(n, 1);
	before = version;
	sql(path, "CREATE TABLE turn_secret (realm varchar(127) default '',"
	    " value varchar(256), primary key (realm,value));"
	    "INSERT INTO turn_secret VALUES ('r', 'x')");
	check_rows(db, USERDB_TABLE_SECRETS, 2, "r,x;");
	sql(path, "DROP TABLE turn_origin_to_realm");
	check_rows(db, USERDB_TABLE_ORIGINS, 2, "");
	KTAP_EQ(userdb_version(db, &version), 0);
	KTAP_CHECK(version != before);
	userdb_close(db);
}

/* What is derived from a realm's users is kept for each. */
static void several_realms(void)
{
	char name[USERDB_NAME_MAX + 1];
	struct userdb *db;
	uint8_t hash[32];
	int i;

	fresh();
	sql(path, coturn_schema);
	sql(path, "INSERT INTO turnusers_lt VALUES"
	    " ('a', 'one', '0123456789abcdef0123456789abcdef'),"
	    " ('b', 'two', '0123456789abcdef0123456789abcdef')");
	db = open_ok(path, USERDB_READ);
	for (i = 0; i < 2; i++) {
		userdb_userhash("one", "a", hash);
		KTAP_EQ(userdb_find_userhash(db, "a", hash, name), 0);
		KTAP_CHECK(!strcmp(name, "one"));
		KTAP_EQ(userdb_find_userhash(db, "b", hash, name), -ENOENT);
		userdb_userhash("two", "b", hash);
		KTAP_EQ(userdb_find_userhash(db, "b", hash, name), 0);
		KTAP_EQ(userdb_realm_all_sha256(db, "a"), 0);
		KTAP_EQ(userdb_realm_all_sha256(db, "c"), 1);
	}
	userdb_close(db);
}

static const struct ktap_case cases[] = {
	{ "keys: vectors of RFC 8489", keys_vectors },
	{ "texts: prepared or refused", prepare_texts },
	{ "store: put, get, replace, delete", put_and_get },
	{ "store: coturn's rows", coturn_rows },
	{ "store: a password changed by turnadmin", coturn_changes },
	{ "store: userhash after changes", userhash_follows },
	{ "store: a file that comes, is replaced, goes", follow_file },
	{ "store: list", list_users },
	{ "store: locked by another", locked_store },
	{ "store: files that are none", bad_files },
	{ "store: odd names", odd_names },
	{ "store: whole tables", whole_tables },
	{ "store: several realms", several_realms },
};

int main(void)
{
	int status;

	snprintf(dir, sizeof(dir), "/tmp/kturn-userdb.XXXXXX");
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/users.db", dir);
	snprintf(other, sizeof(other), "%s/other.db", dir);
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	status = ktap_end();
	fresh();
	rmdir(dir);
	return status;
}
