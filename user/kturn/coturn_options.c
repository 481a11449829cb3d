// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * coturn's options, those of version 4.6 and what came until 4.9, and what
 * becomes of each. What depends on several is done when all are read.
 */
#include <array_size.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <common/range.h>

#include "cli.h"
#include "coturn.h"

/**
 * struct option - an option of coturn's; kturnd needs none that says no more
 * @name: its name
 * @key: kturnd.yaml's with the same values
 * @same: the value that is kturnd's as well, with @missing
 * @missing: why there is none, or what there is instead
 * @take: does what has to be done
 * @flag: it says yes or no, and only yes matters
 */
struct option {
	const char *name;
	const char *key;
	const char *same;
	const char *missing;
	void (*take)(struct coturn *c, const char *value);
	bool flag;
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

static void keep(char **text, const char *value)
{
	free(*text);
	*text = strdup(value);
	if (*text)
		return;
	cli_error("out of memory");
	exit(CLI_FAILED);
}

static void take_port(struct coturn *c, const char *value)
{
	keep(&c->port, value);
}

static void take_tls_port(struct coturn *c, const char *value)
{
	keep(&c->tls_port, value);
}

static void take_min_port(struct coturn *c, const char *value)
{
	keep(&c->min_port, value);
}

static void take_max_port(struct coturn *c, const char *value)
{
	keep(&c->max_port, value);
}

static void take_realm(struct coturn *c, const char *value)
{
	keep(&c->realm, value);
}

static void take_server_name(struct coturn *c, const char *value)
{
	keep(&c->server_name, value);
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
	struct range range;
	char text[512];
	const char *why;

	why = range_parse(value, &range);
	if (!why) {
		take_with_line(c, list, value);
		return;
	}
	snprintf(text, sizeof(text), "'%s' %s", value, why);
	coturn_missing(c, name, text);
}

static void take_allowed(struct coturn *c, const char *value)
{
	take_peers(c, c->allowed, "allowed-peer-ip", value);
}

static void take_denied(struct coturn *c, const char *value)
{
	take_peers(c, c->denied, "denied-peer-ip", value);
}

static void take_loopback(struct coturn *c, const char *value)
{
	coturn_put(c, "allow-peer", "127.0.0.0/8");
	coturn_put(c, "allow-peer", "::1");
}

static void take_threads(struct coturn *c, const char *value)
{
	/* coturn's 0 is a single thread, kturnd's one for each CPU. */
	coturn_put(c, "workers", "%s", strcmp(value, "0") ? value : "1");
}

static void take_debug(struct coturn *c, const char *value)
{
	coturn_put(c, "log-level", "debug");
}

static void take_no_software(struct coturn *c, const char *value)
{
	coturn_put(c, "software", "none");
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

static void take_no_udp(struct coturn *c, const char *value)
{
	c->off[COTURN_UDP] = true;
}

static void take_no_tcp(struct coturn *c, const char *value)
{
	c->off[COTURN_TCP] = true;
}

static void take_no_tls(struct coturn *c, const char *value)
{
	c->off[COTURN_TLS] = true;
}

static void take_no_dtls(struct coturn *c, const char *value)
{
	c->off[COTURN_DTLS] = true;
}

static void take_no_tcp_relay(struct coturn *c, const char *value)
{
	c->no_tcp_relay = true;
}

static void take_no_discovery(struct coturn *c, const char *value)
{
	c->no_discovery = true;
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

static void take_tokens(struct coturn *c, const char *value)
{
	c->tokens = true;
}

static void take_alternate(struct coturn *c, const char *value)
{
	coturn_put(c, "alternate-server", "%s", value);
	if (!json_object_get(c->keys, "redirect-above"))
		coturn_put(c, "redirect-above", "1");
}

static void take_mobility(struct coturn *c, const char *value)
{
	coturn_put(c, "mobility", "yes");
}

/* ------------------------------------------------------------------ all of them */

static const struct option options[] = {
	{ .name = "listening-device", .missing = by_address },
	{ .name = "listening-port", .take = take_port },
	{ .name = "tls-listening-port", .take = take_tls_port },
	{ .name = "alt-listening-port" },
	{ .name = "alt-tls-listening-port" },
	{ .name = "tcp-proxy-port",
	  .missing = "name the load balancer's addresses: proxy-from" },
	{ .name = "listening-ip", .take = take_address },
	{ .name = "aux-server", .key = "listen" },
	{ .name = "udp-self-balance", .flag = true },
	{ .name = "relay-device", .missing = by_address },
	{ .name = "relay-ip", .take = take_relay },
	{ .name = "external-ip", .take = take_external },
	{ .name = "allow-loopback-peers", .take = take_loopback, .flag = true },
	{ .name = "no-multicast-peers", .flag = true },
	{ .name = "relay-threads", .take = take_threads },
	{ .name = "min-port", .take = take_min_port },
	{ .name = "max-port", .take = take_max_port },
	{ .name = "verbose", .flag = true },
	{ .name = "Verbose", .take = take_debug, .flag = true },
	{ .name = "daemon", .flag = true },
	{ .name = "prod", .take = take_no_software, .flag = true },
	{ .name = "no-software-attribute", .take = take_no_software,
	  .flag = true },
	{ .name = "software-attribute", .flag = true },
	{ .name = "fingerprint", .flag = true },
	{ .name = "lt-cred-mech", .flag = true },
	{ .name = "no-auth", .flag = true,
	  .missing = "nobody is served without credentials" },
	{ .name = "user", .take = take_user },
	{ .name = "realm", .take = take_realm },
	{ .name = "check-origin-consistency", .flag = true,
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
	{ .name = "prometheus", .missing = counters, .flag = true },
	{ .name = "prometheus-port", .missing = counters },
	{ .name = "prometheus-address", .missing = counters },
	{ .name = "prometheus-path", .missing = counters },
	{ .name = "prometheus-username-labels", .missing = counters,
	  .flag = true },
	{ .name = "prometheus-tls", .missing = counters, .flag = true },
	{ .name = "prometheus-cert", .missing = counters },
	{ .name = "prometheus-key", .missing = counters },
	{ .name = "use-auth-secret", .take = take_secrets, .flag = true },
	{ .name = "static-auth-secret", .take = take_secret },
	{ .name = "no-auth-pings", .flag = true },
	{ .name = "no-dynamic-ip-list", .missing = off_in_store, .flag = true },
	{ .name = "no-dynamic-realms", .missing = off_in_store, .flag = true },
	{ .name = "server-name", .take = take_server_name },
	{ .name = "oauth", .take = take_tokens, .flag = true },
	{ .name = "cert", .take = take_cert },
	{ .name = "pkey", .take = take_key },
	{ .name = "pkey-pwd",
	  .missing = "take the passphrase off the key, as with openssl pkey" },
	{ .name = "cipher-list", .same = "DEFAULT", .missing = own_ciphers },
	{ .name = "CA-file", .take = take_ca },
	{ .name = "ec-curve-name", .missing = own_ciphers },
	{ .name = "dh566", .missing = own_ciphers, .flag = true },
	{ .name = "dh1066", .missing = own_ciphers, .flag = true },
	{ .name = "dh-file", .missing = own_ciphers },
	{ .name = "raw-public-keys", .missing = own_ciphers, .flag = true },
	{ .name = "tlsv1", .missing = modern, .flag = true },
	{ .name = "tlsv1_1", .missing = modern, .flag = true },
	{ .name = "no-tlsv1", .flag = true },
	{ .name = "no-tlsv1_1", .flag = true },
	{ .name = "no-tlsv1_2", .missing = modern, .flag = true },
	{ .name = "no-sslv2", .flag = true },
	{ .name = "no-sslv3", .flag = true },
	{ .name = "no-udp", .take = take_no_udp, .flag = true },
	{ .name = "no-tcp", .take = take_no_tcp, .flag = true },
	{ .name = "no-tls", .take = take_no_tls, .flag = true },
	{ .name = "no-dtls", .take = take_no_dtls, .flag = true },
	{ .name = "dtls", .flag = true },
	{ .name = "no-udp-relay", .flag = true,
	  .missing = "UDP is always relayed" },
	{ .name = "no-tcp-relay", .take = take_no_tcp_relay, .flag = true },
	{ .name = "log-file",
	  .missing = "the log goes to standard error, as services' logs do" },
	{ .name = "no-stdout-log", .flag = true },
	{ .name = "syslog", .flag = true },
	{ .name = "syslog-facility" },
	{ .name = "simple-log", .flag = true },
	{ .name = "log-min-level" },
	{ .name = "new-log-timestamp", .flag = true },
	{ .name = "new-log-timestamp-format" },
	{ .name = "log-binding", .flag = true },
	{ .name = "stale-nonce" },
	{ .name = "max-allocate-lifetime", .same = "3600",
	  .missing = "an allocation's lifetime is an hour at most" },
	{ .name = "channel-lifetime", .same = "600",
	  .missing = "it is 600 s (RFC 8656 section 12)" },
	{ .name = "permission-lifetime", .same = "300",
	  .missing = "it is 300 s (RFC 8656 section 9)" },
	{ .name = "stun-only", .flag = true,
	  .missing = "a server without users serves STUN alone" },
	{ .name = "no-stun", .flag = true,
	  .missing = "Binding requests are answered, see source-rate" },
	{ .name = "secure-stun", .flag = true,
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
	{ .name = "mobility", .take = take_mobility, .flag = true },
	{ .name = "keep-address-family", .flag = true,
	  .missing = "an allocation is IPv4 unless the client says otherwise" },
	{ .name = "allocation-default-address-family", .same = "ipv4",
	  .missing = "an allocation is IPv4 unless the client says otherwise" },
	{ .name = "no-cli", .flag = true },
	{ .name = "cli", .flag = true },
	{ .name = "cli-ip" },
	{ .name = "cli-port" },
	{ .name = "cli-password" },
	{ .name = "cli-max-output-sessions" },
	{ .name = "web-admin", .missing = no_web, .flag = true },
	{ .name = "web-admin-ip", .missing = no_web },
	{ .name = "web-admin-port", .missing = no_web },
	{ .name = "web-admin-listen-on-workers", .missing = no_web,
	  .flag = true },
	{ .name = "server-relay", .flag = true,
	  .missing = "peers need permissions" },
	{ .name = "ne" },
	{ .name = "sock-buf-size",
	  .missing = "sockets have the most that the host allows, see kturn check-host" },
	{ .name = "udp-recvmmsg", .flag = true },
	{ .name = "no-rfc5780", .take = take_no_discovery, .flag = true },
	{ .name = "rfc5780", .flag = true },
	{ .name = "no-stun-backward-compatibility", .flag = true },
	{ .name = "stun-backward-compatibility", .flag = true },
	{ .name = "rfc3489-compatibility", .flag = true },
	{ .name = "rfc5766-channel-numbers", .flag = true },
	{ .name = "response-origin-only-with-rfc5780", .flag = true },
	{ .name = "respond-http-unsupported", .flag = true },
	{ .name = "drop-invalid-packets", .flag = true },
	{ .name = "drop-invalid-packets-log", .flag = true },
};

static const struct option *find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

/* As coturn has it: 0, no, false; what is neither is yes as well. */
static bool is_no(const char *value)
{
	return *value && strchr("0nNfF", *value);
}

void coturn_option(struct coturn *c, const char *name, const char *value)
{
	const struct option *o = find(name);

	if (!o)
		coturn_missing(c, name, "no such option of coturn's is known");
	else if (o->flag && is_no(value))
		return;
	else if (!o->flag && !*value && (o->key || o->take))
		coturn_missing(c, name, "it has no value");
	else if (o->take)
		o->take(c, value);
	else if (o->key)
		coturn_put(c, o->key, "%s", value);
	else if (o->missing && (!o->same || strcmp(value, o->same)))
		coturn_missing(c, name, o->missing);
	else
		cli_json_append(c->unneeded, json_string(name));
}
