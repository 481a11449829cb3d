// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * coturn's options, those of version 4.6 and what came until 4.9, and what
 * becomes of each. What depends on several is done when all are read.
 */
#include <array_size.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <common/range.h>

#include "cli.h"
#include "coturn.h"

/**
 * enum kind - what an option's value is
 * @VALUE: any text
 * @FLAG: yes or no; without one, yes
 * @SWITCH: nothing that coturn looks at
 */
enum kind {
	VALUE,
	FLAG,
	SWITCH,
};

/* Of what is read; the first one is none of these. */
#define FIELD(name)	offsetof(struct coturn, name)

/**
 * struct option - an option of coturn's; kturnd needs none that says no more
 * @name: its name
 * @key: kturnd.yaml's with the same values
 * @same: the value that is kturnd's as well, with @missing
 * @missing: why there is none, or what there is instead
 * @text: FIELD() that keeps the value
 * @yes: FIELD() that is true if the value is yes, of a FLAG
 * @take: does what else has to be done; gets "yes" or "no" of a FLAG
 * @kind: what its value is
 */
struct option {
	const char *name;
	const char *key;
	const char *same;
	const char *missing;
	size_t text;
	size_t yes;
	void (*take)(struct coturn *c, const char *value);
	enum kind kind;
};

static const char no_mysql[] =
	"there is no such user store; SQLite, PostgreSQL and Redis are";
static const char counters[] =
	"kturn stats --json and the daemon's control socket have the counters";
static const char by_address[] =
	"name the device's addresses instead: listen, relay";
static const char as_whom[] =
	"start kturnd as that user, with CAP_NET_ADMIN for the kernel's tables";
static const char own_ciphers[] = "OpenSSL's defaults are used";
static const char one_list[] =
	"alternate-server is for clients of every transport";
static const char modern[] = "TLS and DTLS 1.2 and TLS 1.3 alone are served";
static const char no_web[] = "kturn(8) has what shows and changes things";
static const char off_in_store[] = "the user store's tables are always followed";

/* -------------------------------------------------------------- single options */

/* Of what normal() has made of a flag's value. */
static bool is_yes(const char *value)
{
	return *value == 'y';
}

static void keep(struct coturn *c, size_t field, const char *value)
{
	char **text = (char **)((char *)c + field);

	free(*text);
	*text = strdup(value);
	if (*text)
		return;
	cli_error("out of memory");
	exit(CLI_FAILED);
}

static void take_address(struct coturn *c, const char *value)
{
	cli_json_append(c->addresses, json_string(value));
}

static void take_relay(struct coturn *c, const char *value)
{
	cli_json_append(c->relays, json_string(value));
}

/* With its line, for what may be said of it at the end. */
static void take_with_line(struct coturn *c, json_t *list, const char *value)
{
	json_t *o = json_object();

	cli_json_put(o, "line", json_integer(c->line));
	cli_json_put(o, "text", json_string(value));
	cli_json_append(list, o);
}

static void take_external(struct coturn *c, const char *value)
{
	take_with_line(c, c->external, value);
}

static void take_user(struct coturn *c, const char *value)
{
	take_with_line(c, c->users, value);
}

static void take_peers(struct coturn *c, json_t *list, const char *name,
		       const char *value)
{
	bool prefix = strchr(value, '/');
	struct range range;
	const char *why;

	why = range_parse(value, &range);
	if (why) {
		coturn_missing(c, name, "'%s' %s", value, why);
		return;
	}
	if (prefix)
		coturn_missing(c, name,
			       "coturn takes no prefixes, write '%s' as FIRST-LAST",
			       value);
	/* More that is denied does no harm. */
	if (!prefix || list == c->denied)
		take_with_line(c, list, value);
}

static void take_allowed(struct coturn *c, const char *value)
{
	take_peers(c, c->allowed, "allowed-peer-ip", value);
}

static void take_denied(struct coturn *c, const char *value)
{
	take_peers(c, c->denied, "denied-peer-ip", value);
}

static void take_threads(struct coturn *c, const char *value)
{
	/* coturn's 0 is a single thread, kturnd's one for each CPU. */
	coturn_put(c, "workers", "%s", strcmp(value, "0") ? value : "1");
}

static void put_or_not(struct coturn *c, const char *key, const char *value,
		       bool put)
{
	json_object_del(c->keys, key);
	if (put)
		coturn_put(c, key, "%s", value);
}

static void take_debug(struct coturn *c, const char *value)
{
	put_or_not(c, "log-level", "debug", is_yes(value));
}

static void take_no_software(struct coturn *c, const char *value)
{
	put_or_not(c, "software", "none", is_yes(value));
}

static void take_software(struct coturn *c, const char *value)
{
	put_or_not(c, "software", "none", !is_yes(value));
}

/* Bytes a second, each way, into bits. */
static void take_rate(struct coturn *c, const char *name, const char *value,
		      const char *to_peer, const char *to_client)
{
	uint64_t rate;

	if (!cli_number64(value, 0, UINT64_MAX / 8, &rate)) {
		coturn_missing(c, name, "its value is no number of bytes");
		return;
	}
	json_object_del(c->keys, to_peer);
	json_object_del(c->keys, to_client);
	if (!rate)
		return;
	coturn_put(c, to_peer, "%" PRIu64 "bit", rate * 8);
	coturn_put(c, to_client, "%" PRIu64 "bit", rate * 8);
}

static void take_max_bps(struct coturn *c, const char *value)
{
	take_rate(c, "max-bps", value, "limit-to-peer", "limit-to-client");
}

static void take_capacity(struct coturn *c, const char *value)
{
	take_rate(c, "bps-capacity", value, "total-limit-to-peer",
		  "total-limit-to-client");
}

static void take_sqlite(struct coturn *c, const char *value)
{
	c->database = true;
	coturn_put(c, "db", "%s", value);
}

static void take_url(struct coturn *c, const char *name, char *url)
{
	if (!url) {
		coturn_missing(c, name,
			       "its words make no sense, or some have no counterpart");
		return;
	}
	c->database = true;
	coturn_put(c, "db", "%s", url);
	explicit_bzero(url, strlen(url));
	free(url);
}

static void take_postgresql(struct coturn *c, const char *value)
{
	take_url(c, "psql-userdb", coturn_postgresql(value));
}

static void take_redis(struct coturn *c, const char *value)
{
	take_url(c, "redis-userdb", coturn_redis(value));
}

static void take_file(struct coturn *c, const char *name, const char *key,
		      const char *value)
{
	coturn_put(c, key, "%s", value);
	if (*value != '/')
		coturn_missing(c, name,
			       "its path is relative: to the directory that kturnd is started in");
}

static void take_cert(struct coturn *c, const char *value)
{
	c->certificate = true;
	take_file(c, "cert", "tls-cert", value);
}

static void take_key(struct coturn *c, const char *value)
{
	take_file(c, "pkey", "tls-key", value);
}

static void take_ca(struct coturn *c, const char *value)
{
	take_file(c, "CA-file", "tls-client-ca", value);
}

static void take_dtls(struct coturn *c, const char *value)
{
	c->off[COTURN_DTLS] = !is_yes(value);
}

static void take_no_discovery(struct coturn *c, const char *value)
{
	c->no_discovery = true;
}

static void take_anybody(struct coturn *c, const char *value)
{
	c->anybody = is_yes(value) ? c->line : 0;
}

static void take_secrets(struct coturn *c, const char *value)
{
	c->secrets = true;
}

/* coturn takes it as use-auth-secret. */
static void take_secret(struct coturn *c, const char *value)
{
	c->secrets = true;
	coturn_put(c, "secret", "%s", value);
}

static void take_alternate(struct coturn *c, const char *value)
{
	coturn_put(c, "alternate-server", "%s", value);
	if (!json_object_get(c->keys, "redirect-above"))
		coturn_put(c, "redirect-above", "1");
}

static void take_mobility(struct coturn *c, const char *value)
{
	put_or_not(c, "mobility", "yes", is_yes(value));
}

/* ------------------------------------------------------------------ all of them */

static const struct option options[] = {
	{ .name = "listening-device", .missing = by_address },
	{ .name = "listening-port", .text = FIELD(port) },
	{ .name = "tls-listening-port", .text = FIELD(tls_port) },
	{ .name = "alt-listening-port" },
	{ .name = "alt-tls-listening-port" },
	{ .name = "tcp-proxy-port",
	  .missing = "name the load balancer's addresses: proxy-from" },
	{ .name = "listening-ip", .take = take_address },
	{ .name = "aux-server", .key = "listen" },
	{ .name = "udp-self-balance", .kind = FLAG },
	{ .name = "relay-device", .missing = by_address },
	{ .name = "relay-ip", .take = take_relay },
	{ .name = "external-ip", .take = take_external },
	{ .name = "allow-loopback-peers", .kind = FLAG,
	  .missing = "the host's own addresses are no peers, but for relayed ones" },
	{ .name = "no-multicast-peers", .kind = FLAG },
	{ .name = "relay-threads", .take = take_threads },
	{ .name = "cpus", .missing = "see workers" },
	{ .name = "min-port", .text = FIELD(min_port) },
	{ .name = "max-port", .text = FIELD(max_port) },
	{ .name = "verbose", .kind = FLAG },
	{ .name = "Verbose", .take = take_debug, .kind = FLAG },
	{ .name = "daemon", .kind = FLAG },
	{ .name = "prod", .take = take_no_software, .kind = FLAG },
	{ .name = "no-software-attribute", .take = take_no_software,
	  .kind = FLAG },
	{ .name = "software-attribute", .take = take_software, .kind = FLAG },
	{ .name = "fingerprint", .kind = FLAG },
	{ .name = "lt-cred-mech", .yes = FIELD(passwords), .kind = FLAG },
	{ .name = "no-auth", .take = take_anybody, .kind = FLAG },
	{ .name = "user", .take = take_user },
	{ .name = "realm", .text = FIELD(realm) },
	{ .name = "check-origin-consistency", .kind = FLAG,
	  .missing = "a client may change its ORIGIN" },
	{ .name = "user-quota", .key = "user-quota" },
	{ .name = "total-quota", .key = "total-quota" },
	{ .name = "max-bps", .take = take_max_bps },
	{ .name = "bps-capacity", .take = take_capacity },
	{ .name = "db", .take = take_sqlite },
	{ .name = "userdb", .take = take_sqlite },
	{ .name = "psql-userdb", .take = take_postgresql },
	{ .name = "sql-userdb", .take = take_postgresql },
	{ .name = "mysql-userdb", .missing = no_mysql },
	{ .name = "mongo-userdb", .missing = no_mysql },
	{ .name = "secret-key-file", .missing = no_mysql },
	{ .name = "redis-userdb", .take = take_redis },
	{ .name = "redis-statsdb", .missing = counters },
	{ .name = "prometheus", .missing = counters, .kind = SWITCH },
	{ .name = "prometheus-port", .missing = counters },
	{ .name = "prometheus-address", .missing = counters },
	{ .name = "prometheus-path", .missing = counters },
	{ .name = "prometheus-username-labels", .missing = counters,
	  .kind = SWITCH },
	{ .name = "prometheus-tls", .missing = counters, .kind = FLAG },
	{ .name = "prometheus-cert", .missing = counters },
	{ .name = "prometheus-key", .missing = counters },
	{ .name = "use-auth-secret", .take = take_secrets, .kind = SWITCH },
	{ .name = "static-auth-secret", .take = take_secret },
	{ .name = "secret-ts-exp-time",
	  .missing = "a time-limited name says when it ends" },
	{ .name = "no-auth-pings", .kind = SWITCH },
	{ .name = "no-dynamic-ip-list", .missing = off_in_store, .kind = SWITCH },
	{ .name = "no-dynamic-realms", .missing = off_in_store, .kind = SWITCH },
	{ .name = "server-name", .text = FIELD(server_name) },
	{ .name = "oauth", .yes = FIELD(tokens), .kind = FLAG },
	{ .name = "cert", .take = take_cert },
	{ .name = "pkey", .take = take_key },
	{ .name = "pkey-pwd",
	  .missing = "take the passphrase off the key, as with openssl pkey" },
	{ .name = "cipher-list", .same = "DEFAULT", .missing = own_ciphers },
	{ .name = "CA-file", .take = take_ca },
	{ .name = "ec-curve-name", .missing = own_ciphers },
	{ .name = "dh566", .missing = own_ciphers, .kind = FLAG },
	{ .name = "dh1066", .missing = own_ciphers, .kind = FLAG },
	{ .name = "dh-file", .missing = own_ciphers },
	{ .name = "raw-public-keys", .missing = own_ciphers, .kind = FLAG },
	{ .name = "tlsv1", .missing = modern, .kind = FLAG },
	{ .name = "tlsv1_1", .missing = modern, .kind = FLAG },
	{ .name = "no-tlsv1", .kind = FLAG },
	{ .name = "no-tlsv1_1", .kind = FLAG },
	{ .name = "no-tlsv1_2", .missing = modern, .kind = FLAG },
	{ .name = "no-sslv2", .kind = FLAG },
	{ .name = "no-sslv3", .kind = FLAG },
	{ .name = "no-udp", .yes = FIELD(off[COTURN_UDP]), .kind = FLAG },
	{ .name = "no-tcp", .yes = FIELD(off[COTURN_TCP]), .kind = FLAG },
	{ .name = "no-tls", .yes = FIELD(off[COTURN_TLS]), .kind = FLAG },
	{ .name = "no-dtls", .yes = FIELD(off[COTURN_DTLS]), .kind = FLAG },
	{ .name = "dtls", .take = take_dtls, .kind = FLAG },
	{ .name = "no-udp-relay", .kind = FLAG,
	  .missing = "UDP is always relayed" },
	{ .name = "no-tcp-relay", .yes = FIELD(no_tcp_relay), .kind = FLAG },
	{ .name = "log-file",
	  .missing = "the log goes to standard error, as services' logs do" },
	{ .name = "no-stdout-log", .kind = FLAG },
	{ .name = "syslog", .kind = FLAG },
	{ .name = "syslog-facility" },
	{ .name = "simple-log", .kind = FLAG },
	{ .name = "log-min-level" },
	{ .name = "new-log-timestamp", .kind = FLAG },
	{ .name = "new-log-timestamp-format" },
	{ .name = "log-binding", .kind = FLAG },
	{ .name = "stale-nonce" },
	{ .name = "max-allocate-lifetime", .same = "3600",
	  .missing = "an allocation's lifetime is an hour at most" },
	{ .name = "channel-lifetime", .same = "600",
	  .missing = "it is 600 s (RFC 8656 section 12)" },
	{ .name = "permission-lifetime", .same = "300",
	  .missing = "it is 300 s (RFC 8656 section 9)" },
	{ .name = "stun-only", .kind = FLAG,
	  .missing = "a server without users serves STUN alone" },
	{ .name = "no-stun", .kind = FLAG,
	  .missing = "Binding requests are answered, see source-rate" },
	{ .name = "secure-stun", .kind = FLAG,
	  .missing = "Binding requests need no credentials, see source-rate" },
	{ .name = "alternate-server", .take = take_alternate },
	{ .name = "tls-alternate-server", .missing = one_list },
	{ .name = "tcp-alternate-server", .missing = one_list },
	{ .name = "udp-alternate-server", .missing = one_list },
	{ .name = "rest-api-separator", .same = ":",
	  .missing = "it is a colon" },
	{ .name = "max-allocate-timeout" },
	{ .name = "drain-min-allocations",
	  .missing = "a daemon that is draining ends without allocations" },
	{ .name = "allowed-peer-ip", .take = take_allowed },
	{ .name = "denied-peer-ip", .take = take_denied },
	{ .name = "pidfile" },
	{ .name = "acme-redirect",
	  .missing = "HTTP is not served; certificates are followed" },
	{ .name = "proc-user", .missing = as_whom },
	{ .name = "proc-group", .missing = as_whom },
	{ .name = "mobility", .take = take_mobility, .kind = FLAG },
	{ .name = "keep-address-family", .kind = FLAG,
	  .missing = "an allocation is IPv4 unless the client says otherwise" },
	{ .name = "allocation-default-address-family", .same = "ipv4",
	  .missing = "an allocation is IPv4 unless the client says otherwise" },
	{ .name = "no-cli", .kind = FLAG },
	{ .name = "cli", .kind = FLAG },
	{ .name = "cli-ip" },
	{ .name = "cli-port" },
	{ .name = "cli-password" },
	{ .name = "cli-max-output-sessions" },
	{ .name = "web-admin", .missing = no_web, .kind = FLAG },
	{ .name = "web-admin-ip", .missing = no_web },
	{ .name = "web-admin-port", .missing = no_web },
	{ .name = "web-admin-listen-on-workers", .missing = no_web,
	  .kind = FLAG },
	{ .name = "server-relay", .kind = FLAG,
	  .missing = "peers need permissions" },
	{ .name = "ne" },
	{ .name = "sock-buf-size",
	  .missing = "sockets have the most that the host allows, see kturn check-host" },
	{ .name = "udp-recvmmsg", .kind = FLAG },
	{ .name = "no-rfc5780", .take = take_no_discovery, .kind = SWITCH },
	{ .name = "rfc5780", .kind = SWITCH },
	{ .name = "no-stun-backward-compatibility", .kind = FLAG },
	{ .name = "stun-backward-compatibility", .kind = FLAG },
	{ .name = "rfc3489-compatibility", .kind = FLAG },
	{ .name = "rfc5766-channel-numbers", .kind = FLAG },
	{ .name = "response-origin-only-with-rfc5780", .kind = FLAG },
	{ .name = "respond-http-unsupported", .kind = FLAG },
	{ .name = "drop-invalid-packets", .kind = FLAG },
	{ .name = "drop-invalid-packets-log", .kind = FLAG },
};

static const struct option *find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

/* "yes" or "no"; NULL: coturn would end itself. */
static const char *normal(const char *value)
{
	static const char *const words[][3] = {
		{ "off", "Off", "OFF" }, { "on", "On", "ON" },
	};
	size_t i, k;

	if (!*value || strchr("yYtT123456789", *value))
		return "yes";
	if (strchr("0nNfF", *value))
		return "no";
	for (i = 0; i < 2; i++)
		for (k = 0; k < 3; k++)
			if (!strcmp(words[i][k], value))
				return i ? "yes" : "no";
	return NULL;
}

void coturn_option(struct coturn *c, const char *name, const char *value)
{
	const struct option *o = find(name);

	if (!o) {
		coturn_missing(c, name, "no such option of coturn's is known");
		return;
	}
	if (o->kind != VALUE)
		value = o->kind == FLAG ? normal(value) : "yes";
	if (!value)
		coturn_missing(c, name, "its value is neither yes nor no");
	else if (!*value && (o->key || o->text || o->take))
		coturn_missing(c, name, "it has no value");
	else if (o->take)
		o->take(c, value);
	else if (o->text)
		keep(c, o->text, value);
	else if (o->yes)
		*(bool *)((char *)c + o->yes) = is_yes(value);
	else if (o->key)
		coturn_put(c, o->key, "%s", value);
	else if (o->missing && !(o->kind == FLAG && !is_yes(value)) &&
		 !(o->same && !strcmp(value, o->same)))
		coturn_missing(c, name, "%s", o->missing);
	else
		cli_json_append(c->unneeded, json_string(name));
}
