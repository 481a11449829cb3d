// SPDX-License-Identifier: GPL-2.0-or-later
/* What the operator wants: defaults, errors, and what spans options. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "db/userdb.h"
#include "file.h"
#include "kturn.h"
#include "log.h"
#include "option.h"
#include "option_read.h"

/* A line of a user or secret file, with its newline. */
#define FILE_LINE_MAX	4096

void config_init(struct config *cfg, FILE *report)
{
	size_t i;

	memset(cfg, 0, sizeof(*cfg));
	cfg->report = report;
	for (i = 0; i < n_options; i++)
		if (options[i].def && options[i].set(cfg, options[i].def))
			abort();
	cfg->db = strdup(USERDB_DEFAULT_PATH);
	if (!cfg->db)
		abort();
	cfg->state_dir_required = false;
}

void config_free(struct config *cfg)
{
	size_t i;

	for (i = 0; i < n_options; i++)
		if (options[i].clear)
			options[i].clear(cfg);
	free(cfg->realm);
	free(cfg->software);
	free(cfg->token_server_name);
	free(cfg->token_key_file);
	free(cfg->user_file);
	free(cfg->secret_file);
	option_wipe(cfg->db);
	free(cfg->db_file);
	free(cfg->state_dir);
	free(cfg->tls_client_ca);
	memset(cfg, 0, sizeof(*cfg));
}

/* ------------------------------------------------------------------ errors */

static void report(struct config *cfg, int line, const char *key, bool flag,
		   const char *fmt, va_list ap)
{
	cfg->errors++;
	if (!cfg->report)
		return;
	fputs("kturnd: ", cfg->report);
	if (line && cfg->file)
		fprintf(cfg->report, "%s:%d: ", cfg->file, line);
	if (key)
		fprintf(cfg->report, "%s%s: ", flag ? "--" : "", key);
	vfprintf(cfg->report, fmt, ap);
	fputc('\n', cfg->report);
}

void config_error(struct config *cfg, int line, const char *key,
		  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(cfg, line, key, !line && key, fmt, ap);
	va_end(ap);
}

void config_option_error(struct config *cfg, const char *key,
			 const char *fmt, ...)
{
	struct config_source *src = &cfg->source[option_find(key)];
	va_list ap;

	va_start(ap, fmt);
	report(cfg, src->line, key, src->flag, fmt, ap);
	va_end(ap);
}

void config_value(struct config *cfg, size_t opt, const char *value, int line)
{
	const struct option_def *o = &options[opt];
	const char *why;
	char got[128];

	cfg->source[opt].set = true;
	cfg->source[opt].flag = !line;
	cfg->source[opt].line = line;
	why = o->set(cfg, value);
	if (!why)
		return;
	log_escape(got, sizeof(got), value, strlen(value));
	config_error(cfg, line, o->key, "expected %s%s%s%s%s%s", o->expected,
		     o->secret ? "" : ", got '", o->secret ? "" : got,
		     o->secret ? "" : "'", *why ? ": " : "", why);
}

/* ------------------------------------------------- user and secret files */

static void file_line(struct config *cfg, const char *name, size_t line,
		      char *text, size_t opt)
{
	const struct option_def *o = &options[opt];
	size_t len = strlen(text);
	const char *why;

	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		text[--len] = '\0';
	if (!len)
		return;
	why = o->set(cfg, text);
	if (why)
		config_error(cfg, 0, NULL, "%s:%zu: %s: expected %s%s%s", name,
			     line, o->key, o->expected, *why ? ": " : "", why);
}

static bool is_stdin(const char *path)
{
	return path && !strcmp(path, "-");
}

/* Each line is a value of option @key. */
static void read_lines(struct config *cfg, const char *key, const char *path,
		       const char *file_key)
{
	const char *name = is_stdin(path) ? "standard input" : path;
	FILE *in = is_stdin(path) ? stdin : fopen(path, "re");
	size_t opt = option_find(key), line = 0;
	size_t size = FILE_LINE_MAX;
	char *text = malloc(size);
	ssize_t n;

	if (!in || !text) {
		config_option_error(cfg, file_key, "can't open %s: %s", name,
				    strerror(errno));
		goto out;
	}
	while ((n = getline(&text, &size, in)) >= 0) {
		line++;
		if (n >= FILE_LINE_MAX || memchr(text, 0, (size_t)n)) {
			config_error(cfg, 0, NULL,
				     "%s:%zu: %s: expected a line of less than %d bytes, none of them NUL",
				     name, line, key, FILE_LINE_MAX);
			break;
		}
		file_line(cfg, name, line, text, opt);
	}
	if (ferror(in))
		config_option_error(cfg, file_key, "can't read %s: %s", name,
				    strerror(errno));
	explicit_bzero(text, size);
out:
	free(text);
	if (in && in != stdin)
		fclose(in);
}

/* ------------------------------------------------------------- all of it */

static void check_external(struct config *cfg)
{
	char text[KTURN_ADDR_TEXT_MAX];
	size_t i, k;

	/* Without a list, the addresses in use are known at start only. */
	if (!cfg->relay.n)
		return;
	for (i = 0; i < cfg->n_external; i++) {
		if (cfg->external[i].private.family == KTURN_FAMILY_NONE)
			continue;
		for (k = 0; k < cfg->relay.n; k++)
			if (addr_ip_equal(&cfg->relay.v[k],
					  &cfg->external[i].private))
				break;
		if (k == cfg->relay.n)
			config_option_error(cfg, "external",
					    "expected a private address that relay names, got '%s'",
					    kturn_addr_text(&cfg->external[i].private,
							    text));
	}
}

static void check_clients(struct config *cfg)
{
	if (!cfg->transports)
		cfg->transports = CONFIG_UDP | CONFIG_TCP |
				  (cfg->n_tls_certs ? CONFIG_TLS | CONFIG_DTLS :
						      0);
	if (cfg->transports & (CONFIG_TLS | CONFIG_DTLS) && !cfg->n_tls_certs)
		config_option_error(cfg, "transport",
				    "expected udp or tcp, as tls and dtls need tls-cert");
	if (cfg->n_tls_keys && cfg->n_tls_keys != cfg->n_tls_certs)
		config_option_error(cfg, "tls-key",
				    "expected as many as tls-cert (%zu), or none, got %zu",
				    cfg->n_tls_certs, cfg->n_tls_keys);
	if (cfg->redirect_above && !cfg->n_alternates)
		config_option_error(cfg, "redirect-above",
				    "expected alternate-server, too");
	if (cfg->n_discovery && !(cfg->transports & CONFIG_UDP))
		config_option_error(cfg, "nat-discovery",
				    "expected transport udp, too");
	if (cfg->tls_client_ca && !cfg->n_tls_certs)
		config_option_error(cfg, "tls-client-ca",
				    "expected tls-cert, too");
}

/* Attributes are padded to four bytes; the server's has a header too. */
bool config_realm_fits(const struct config *cfg, const char *realm)
{
	size_t size = (strlen(realm) + 3) / 4 * 4;

	if (cfg->token_server_name)
		size += KTURN_ATTR_HDR_LEN +
			(strlen(cfg->token_server_name) + 3) / 4 * 4;
	return size <= TURN_OWN_REALM_MAX;
}

static void check_realm(struct config *cfg, const char *realm)
{
	if (realm && !config_realm_fits(cfg, realm))
		config_option_error(cfg, "token-server-name",
				    "expected a name that has room in a challenge beside the realm %s, at most %d bytes together",
				    realm,
				    TURN_OWN_REALM_MAX - KTURN_ATTR_HDR_LEN);
}

static bool listens_at(const struct config *cfg, const struct kturn_addr *addr)
{
	size_t i;

	/* Without a list, or with a wildcard, they are known at start only. */
	for (i = 0; i < cfg->listen.n; i++)
		if (addr_is_unspecified(&cfg->listen.v[i]) ||
		    (addr_ip_equal(&cfg->listen.v[i], addr) &&
		     (!addr->port || addr->port == cfg->listen.v[i].port)))
			return true;
	return !cfg->listen.n;
}

static void check_listen_realms(struct config *cfg)
{
	char text[KTURN_ADDR_TEXT_MAX];
	const struct kturn_addr *addr;
	size_t i;

	for (i = 0; i < cfg->n_listen_realms; i++) {
		addr = &cfg->listen_realms[i].addr;
		if (!listens_at(cfg, addr))
			config_option_error(cfg, "listen-realm",
					    "expected an address that listen names, got '%s'",
					    kturn_addr_text(addr, text));
	}
}

static void check_realms(struct config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_users; i++)
		if (cfg->users[i].realm &&
		    !strcmp(cfg->users[i].realm, cfg->realm))
			config_option_error(cfg, "realm-user",
					    "expected another realm than the default one, whose users are of user");
	if ((cfg->n_token_keys || cfg->token_key_file) &&
	    !cfg->token_server_name)
		config_option_error(cfg, cfg->n_token_keys ? "token-key" :
				    "token-key-file",
				    "expected token-server-name, too");
	if (!cfg->token_server_name)
		return;
	check_realm(cfg, cfg->realm);
	for (i = 0; i < cfg->n_listen_realms; i++)
		check_realm(cfg, cfg->listen_realms[i].realm);
	for (i = 0; i < cfg->n_origin_realms; i++)
		check_realm(cfg, cfg->origin_realms[i].realm);
	for (i = 0; i < cfg->n_users; i++)
		check_realm(cfg, cfg->users[i].realm);
	for (i = 0; i < cfg->n_realm_secrets; i++)
		check_realm(cfg, cfg->realm_secrets[i].realm);
}

static void read_db_file(struct config *cfg)
{
	unsigned int before = cfg->errors;

	if (!cfg->db_file)
		return;
	if (cfg->db_required) {
		config_option_error(cfg, "db-file", "expected no db beside it");
		return;
	}
	read_lines(cfg, "db", cfg->db_file, "db-file");
	if (!cfg->db_required && cfg->errors == before)
		config_option_error(cfg, "db-file", "expected a line in %s",
				    cfg->db_file);
}

void config_finish(struct config *cfg)
{
	check_clients(cfg);
	if (is_stdin(cfg->user_file) && is_stdin(cfg->secret_file)) {
		config_option_error(cfg, "secret-file",
				    "expected a file name, as user-file reads standard input already");
		return;
	}
	if (is_stdin(cfg->token_key_file) &&
	    (is_stdin(cfg->user_file) || is_stdin(cfg->secret_file))) {
		config_option_error(cfg, "token-key-file",
				    "expected a file name, as another option reads standard input already");
		return;
	}
	if (is_stdin(cfg->db_file) &&
	    (is_stdin(cfg->user_file) || is_stdin(cfg->secret_file) ||
	     is_stdin(cfg->token_key_file))) {
		config_option_error(cfg, "db-file",
				    "expected a file name, as another option reads standard input already");
		return;
	}
	if (cfg->user_file)
		read_lines(cfg, "user", cfg->user_file, "user-file");
	if (cfg->token_key_file)
		read_lines(cfg, "token-key", cfg->token_key_file,
			   "token-key-file");
	check_listen_realms(cfg);
	check_realms(cfg);
	cfg->n_own_secrets = cfg->n_secrets;
	if (cfg->secret_file) {
		cfg->secret_stamp = file_stamp(0, cfg->secret_file);
		read_lines(cfg, "secret", cfg->secret_file, "secret-file");
	}
	read_db_file(cfg);
	check_external(cfg);
}

static void drop_secrets(struct config *cfg, size_t first, size_t end)
{
	size_t i;

	if (first == end)
		return;
	for (i = first; i < end; i++) {
		/* Without memory one is not there. */
		if (cfg->secrets[i])
			explicit_bzero(cfg->secrets[i],
				       strlen(cfg->secrets[i]));
		free(cfg->secrets[i]);
	}
	memmove(cfg->secrets + first, cfg->secrets + end,
		(cfg->n_secrets - end) * sizeof(*cfg->secrets));
	cfg->n_secrets -= end - first;
}

bool config_read_secrets(struct config *cfg)
{
	unsigned int before = cfg->errors;
	size_t n = cfg->n_secrets;

	/* The new ones come behind those of before, and take their place. */
	read_lines(cfg, "secret", cfg->secret_file, "secret-file");
	if (cfg->errors != before) {
		drop_secrets(cfg, n, cfg->n_secrets);
		cfg->errors = before;
		return false;
	}
	drop_secrets(cfg, cfg->n_own_secrets, n);
	return true;
}
