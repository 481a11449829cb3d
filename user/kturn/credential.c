// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn credential: a time-limited credential from a shared secret, as web
 * services make them for TURN servers ("TURN REST API"): the user name is the
 * time at which it ends and an identifier, and the password is a MAC of that.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <db/userdb.h>
#include "cli.h"

static const char *ttl_text, *id, *secret_file;

const struct cli_option credential_options[] = {
	{ .name = "ttl", .value = &ttl_text },
	{ .name = "user", .value = &id },
	{ .name = "secret-file", .value = &secret_file },
	{ 0 }
};

/* Return: false when OpenSSL has no SHA-1. */
static bool password_make(const char *secret, size_t len, const char *name,
			  char password[32])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int n;

	if (!HMAC(EVP_sha1(), secret, len, (const unsigned char *)name,
		  strlen(name), mac, &n))
		return false;
	/* 20 bytes make 28 characters. */
	EVP_EncodeBlock((unsigned char *)password, mac, n);
	explicit_bzero(mac, sizeof(mac));
	return true;
}

static bool name_make(int64_t expires, char name[USERDB_NAME_MAX + 1])
{
	char text[2 * USERDB_NAME_MAX];
	const char *why;
	int n;

	n = id ? snprintf(text, sizeof(text), "%" PRId64 ":%s", expires, id) :
		snprintf(text, sizeof(text), "%" PRId64, expires);
	why = (size_t)n < sizeof(text) ?
		userdb_prepare(USERDB_TEXT_NAME, text, n, name,
			       USERDB_NAME_MAX + 1) : "is longer than 508 bytes";
	if (!why)
		return true;
	cli_error("the user name %s", why);
	return false;
}

static int credential_print(const char *name, const char *password,
			    int64_t expires)
{
	json_t *o;

	if (!cli_json()) {
		printf("username  %s\npassword  %s\n", name, password);
		return CLI_OK;
	}
	o = json_object();
	cli_json_put(o, "username", json_string(name));
	cli_json_put(o, "password", json_string(password));
	cli_json_put(o, "expires", json_integer(expires));
	return cli_json_print(o);
}

int credential_run(int argc, char **argv)
{
	char secret[CLI_SECRET_MAX], name[USERDB_NAME_MAX + 1], password[32];
	int status = CLI_FAILED;
	int64_t expires;
	uint32_t ttl;
	size_t len;

	if (argc)
		return cli_usage("too many words: '%s'", argv[0]);
	if (!ttl_text)
		return cli_usage("--ttl is missing");
	if (!secret_file)
		return cli_usage("--secret-file is missing");
	if (!cli_time("--ttl", ttl_text, &ttl))
		return CLI_USAGE;
	if (id && !*id)
		return cli_usage("--user: '' is no identifier");
	expires = (int64_t)time(NULL) + ttl / 1000 + (ttl % 1000 != 0);
	if (!name_make(expires, name) ||
	    !cli_secret_read("secret", secret_file, secret, &len))
		return CLI_FAILED;
	if (password_make(secret, len, name, password))
		status = credential_print(name, password, expires);
	else
		cli_error("OpenSSL can't compute HMAC-SHA1 here");
	explicit_bzero(secret, sizeof(secret));
	return status;
}
