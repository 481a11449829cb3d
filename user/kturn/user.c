// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn user: the users in a database. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <db/userdb.h>
#include "cli.h"

static const char *db_path, *realm_text, *password_file;
static bool generate, replace;

static const struct cli_option user_options[] = {
	{ .name = "db", .value = &db_path },
	{ .name = "realm", .value = &realm_text },
	{ 0 }
};

static const struct cli_option user_add_options[] = {
	{ .name = "db", .value = &db_path },
	{ .name = "realm", .value = &realm_text },
	{ .name = "password-file", .value = &password_file },
	{ .name = "generate", .flag = &generate },
	{ .name = "replace", .flag = &replace },
	{ 0 }
};

static struct userdb *db_open(enum userdb_mode mode)
{
	struct userdb *db;

	if (userdb_open(&db, db_path ? db_path : USERDB_DEFAULT_PATH, mode))
		cli_error("%s", userdb_error(NULL));
	return db;
}

static bool prepare(enum userdb_text kind, const char *what, const char *text,
		    size_t len, char *out, size_t size)
{
	const char *why = userdb_prepare(kind, text, len, out, size);

	if (!why)
		return true;
	cli_error("%s %s", what, why);
	return false;
}

/* NAME and --realm. Return: an exit status. */
static int key_read(int argc, char **argv, char name[USERDB_NAME_MAX + 1],
		    char realm[USERDB_REALM_BYTES_MAX + 1])
{
	if (!argc)
		return cli_usage("NAME is missing");
	if (argc > 1)
		return cli_usage("too many words: '%s'", argv[1]);
	if (!realm_text)
		return cli_usage("--realm is missing");
	if (!prepare(USERDB_TEXT_NAME, "the user name", argv[0],
		     strlen(argv[0]), name, USERDB_NAME_MAX + 1) ||
	    !prepare(USERDB_TEXT_REALM, "the realm", realm_text,
		     strlen(realm_text), realm, USERDB_REALM_BYTES_MAX + 1))
		return CLI_FAILED;
	return CLI_OK;
}

static bool password_get(char buf[CLI_SECRET_MAX], size_t *len)
{
	if (generate)
		return cli_secret_make(buf, len);
	if (password_file)
		return cli_secret_read("password", password_file, buf, len);
	return cli_secret_ask("password", buf, len);
}

static int user_put(const char *name, const char *realm, const char *password)
{
	struct userdb_keys keys;
	int status = CLI_OK, err;
	struct userdb *db;

	if (userdb_keys_make(name, realm, password, &keys))
		return cli_error("OpenSSL can't compute MD5 or SHA-256 here");
	db = db_open(USERDB_WRITE);
	if (!db)
		return CLI_FAILED;
	err = userdb_put(db, realm, name, &keys, replace);
	if (err == -EEXIST)
		status = cli_error("the user exists; --replace gives it another password");
	else if (err)
		status = cli_error("%s", userdb_error(db));
	else if (generate)
		printf("%s\n", password);
	explicit_bzero(&keys, sizeof(keys));
	userdb_close(db);
	return status;
}

static int add_run(int argc, char **argv)
{
	char name[USERDB_NAME_MAX + 1], realm[USERDB_REALM_BYTES_MAX + 1];
	char text[CLI_SECRET_MAX], password[USERDB_PASSWORD_MAX + 1];
	int status = key_read(argc, argv, name, realm);
	size_t len;

	if (status != CLI_OK)
		return status;
	if (generate && password_file)
		return cli_usage("--generate and --password-file exclude each other");
	if (!password_get(text, &len))
		status = CLI_FAILED;
	if (status == CLI_OK &&
	    !prepare(USERDB_TEXT_PASSWORD, "the password", text, len, password,
		     sizeof(password)))
		status = CLI_FAILED;
	if (status == CLI_OK)
		status = user_put(name, realm, password);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(password, sizeof(password));
	return status;
}

static int del_run(int argc, char **argv)
{
	char name[USERDB_NAME_MAX + 1], realm[USERDB_REALM_BYTES_MAX + 1];
	int status = key_read(argc, argv, name, realm);
	struct userdb *db;

	if (status != CLI_OK)
		return status;
	/* Not made for that: there is nothing to delete in a new file. */
	db = db_open(USERDB_READ);
	if (!db)
		return CLI_FAILED;
	userdb_close(db);
	db = db_open(USERDB_WRITE);
	if (!db)
		return CLI_FAILED;
	if (userdb_del(db, realm, name))
		status = cli_error("%s", userdb_error(db));
	userdb_close(db);
	return status;
}

/* -------------------------------------------------------------------- list */

static const char *const columns[] = { "REALM", "NAME", "KEYS", NULL };

static int user_row(const char *realm, const char *name, unsigned int flags,
		    void *arg)
{
	static const char *const keys[] = {
		"none", "md5", "sha256", "md5,sha256"
	};
	char *r = cli_escape(realm), *n = cli_escape(name);

	cli_table_cell(arg, "%s", r ? r : "?");
	cli_table_cell(arg, "%s", n ? n : "?");
	cli_table_cell(arg, "%s", keys[flags]);
	free(r);
	free(n);
	return 0;
}

static int user_json(const char *realm, const char *name, unsigned int flags,
		     void *arg)
{
	json_t *o = json_object(), *keys = json_array();

	cli_json_put(o, "realm", cli_json_string(realm));
	cli_json_put(o, "name", cli_json_string(name));
	if (flags & USERDB_MD5)
		cli_json_append(keys, json_string("md5"));
	if (flags & USERDB_SHA256)
		cli_json_append(keys, json_string("sha256"));
	cli_json_put(o, "keys", keys);
	cli_json_append(arg, o);
	return 0;
}

static int list_json(struct userdb *db)
{
	json_t *users = json_array(), *o = json_object();

	if (userdb_list(db, realm_text, user_json, users)) {
		json_decref(users);
		json_decref(o);
		return cli_error("%s", userdb_error(db));
	}
	cli_json_put(o, "users", users);
	return cli_json_print(o);
}

static int list_table(struct userdb *db)
{
	struct cli_table *t = cli_table_new(columns);

	if (!t)
		return cli_error("out of memory");
	if (userdb_list(db, realm_text, user_row, t)) {
		cli_table_free(t);
		return cli_error("%s", userdb_error(db));
	}
	return cli_table_print(t) ? CLI_OK : cli_error("out of memory");
}

static int list_run(int argc, char **argv)
{
	char realm[USERDB_REALM_BYTES_MAX + 1];
	struct userdb *db;
	int status;

	if (argc)
		return cli_usage("too many words: '%s'", argv[0]);
	if (realm_text) {
		if (!prepare(USERDB_TEXT_REALM, "the realm", realm_text,
			     strlen(realm_text), realm, sizeof(realm)))
			return CLI_FAILED;
		realm_text = realm;
	}
	db = db_open(USERDB_READ);
	if (!db)
		return CLI_FAILED;
	status = cli_json() ? list_json(db) : list_table(db);
	userdb_close(db);
	return status;
}

const struct cli_command user_commands[] = {
	{
		.name = "add",
		.arguments = "NAME --realm REALM [--password-file FILE|- | --generate] [--replace] [--db FILE]",
		.summary = "Add a user, or give it another password.",
		.details =
"The password is asked for at the terminal, or is the only line of FILE (- is\n"
"standard input), or is made up and printed (--generate). The database is\n"
USERDB_DEFAULT_PATH " unless --db names another; it is made, readable\n"
"for its owner only, when there is none.",
		.options = user_add_options,
		.run = add_run,
	}, {
		.name = "del",
		.arguments = "NAME --realm REALM [--db FILE]",
		.summary = "Delete a user.",
		.options = user_options,
		.run = del_run,
	}, {
		.name = "list",
		.arguments = "[--realm REALM] [--db FILE]",
		.summary = "List users and the kinds of keys that they have.",
		.options = user_options,
		.json = true,
		.run = list_run,
	},
	{ 0 }
};
