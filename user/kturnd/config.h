/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the operator wants: from flags, a YAML file, and defaults.
 *
 * Flags override the file; of a key that can be repeated, the flags' values
 * replace all of the file's.
 */
#ifndef _KTURND_CONFIG_H
#define _KTURND_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "address.h"
#include "kturn.h"
#include "turn/turn.h"

#define CONFIG_OPTIONS_MAX	64

/** enum config_plane - which data path is wanted */
enum config_plane {
	CONFIG_PLANE_AUTO,	/* the kernel's where it is there */
	CONFIG_PLANE_KERNEL,	/* refuse what the kernel can't take */
	CONFIG_PLANE_USER,	/* never the kernel's */
};

/* What clients may come by. */
#define CONFIG_UDP	1
#define CONFIG_TCP	2
#define CONFIG_TLS	4
#define CONFIG_DTLS	8

/** struct config_addrs - a list of addresses */
struct config_addrs {
	struct kturn_addr *v;
	size_t n;
};

/* How the outside of a NAT is known. */
enum config_external_method {
	CONFIG_EXTERNAL_STATIC,
	CONFIG_EXTERNAL_STUN,
	CONFIG_EXTERNAL_NAT_PMP,
	CONFIG_EXTERNAL_UPNP,
	CONFIG_EXTERNAL_PCP,
};

/**
 * struct config_external - a NAT's two sides; ports are 0
 * @method: how @public is known
 * @public: no address unless it is static
 * @private: no address before addresses_relay(): of a learnt one, the only relay
 *	address of IPv4
 * @host: STUN server, or NULL
 * @host_port: its port
 */
struct config_external {
	enum config_external_method method;
	struct kturn_addr public;
	struct kturn_addr private;
	char *host;
	uint16_t host_port;
};

/** struct config_alternate - another server; @domain may be NULL */
struct config_alternate {
	struct kturn_addr addr;
	char *domain;
};

/** struct config_user - a user who needs no store; prepared texts; without a
 * realm, of the default one
 */
struct config_user {
	char *realm;
	char *name;
	char *password;
};

/** struct config_listen_realm - the realm of a listening address; port 0: any */
struct config_listen_realm {
	struct kturn_addr addr;
	char *realm;
};

/** struct config_realm_text - something of a realm: a canonical origin, a secret */
struct config_realm_text {
	char *text;
	char *realm;
};

/** struct config_token_key - a key of access tokens; @realm may be NULL */
struct config_token_key {
	char *kid;
	char *realm;
	struct turn_token_key key;
};

/** struct config_source - where an option's value came from */
struct config_source {
	bool set;
	bool flag;
	int line;		/* in the file */
};

/**
 * struct config - all of it
 * @listen: listening addresses with ports; empty: those of the host
 * @discovery: addresses for NAT behaviour discovery
 * @n_discovery: how many
 * @transports: CONFIG_UDP and so on; 0 before config_finish(): what can be served
 * @tls_certs: certificate files; the first is for clients that ask for no name
 * @n_tls_certs: how many
 * @tls_keys: their keys' files, as many; none: they are in the same files
 * @n_tls_keys: how many
 * @tls_client_ca: file of who has signed clients' certificates; NULL: none is
 *	asked for
 * @proxies: who begins with a header of the PROXY protocol
 * @n_proxies: how many
 * @max_connections: of TCP and TLS, at a time
 * @relay: relayed addresses without ports; empty: chosen among @listen
 * @external: NATs; no address stands in two of them
 * @n_external: how many
 * @external_check: seconds from one question for an address to the next
 * @relay_port_min: least port of relayed addresses, 1024 or more
 * @relay_port_max: greatest
 * @chan_max: greatest channel number
 * @user_quota: allocations of a user; 0: any number
 * @total_quota: allocations of all; 0: any number
 * @max_permissions: of an allocation
 * @max_channels: of an allocation
 * @tcp_relay: TCP is relayed
 * @max_peer_connections: of an allocation
 * @limit: of an allocation: [0] to peers, [1] to the client
 * @user_limit: of a user's allocations together, likewise
 * @total_limit: of all allocations together, likewise
 * @mobility: clients can take their allocations along
 * @alternates: servers to which clients are sent
 * @n_alternates: how many
 * @redirect_above: so many allocations; 0: never
 * @realm: prepared; 1 to TURN_OWN_REALM_MAX bytes
 * @listen_realms: realms of listening addresses
 * @n_listen_realms: how many
 * @origin_realms: realms of origins
 * @n_origin_realms: how many
 * @software: of responses, or "none"; NULL: kturn
 * @users: no two of the same name and realm
 * @n_users: how many
 * @secrets: of the TURN REST scheme, none empty
 * @n_secrets: how many
 * @secret_stamp: of @secret_file, before it was read
 * @n_own_secrets: how many of them are not out of @secret_file
 * @realm_secrets: secrets of one realm each
 * @n_realm_secrets: how many
 * @token_server_name: that access tokens are made for; NULL: none are taken
 * @token_keys: keys of access tokens
 * @n_token_keys: how many
 * @token_key_file: file of such keys, as @user_file
 * @user_file: file of users, "-" for standard input; NULL: none
 * @secret_file: file of secrets, likewise
 * @db: the user store, see db_url.h; may hold a password
 * @db_required: it was given, so a file must be there
 * @db_file: file with @db in it, or NULL
 * @allow: prefixes that are opened for peers
 * @n_allow: how many
 * @deny: prefixes that are closed
 * @n_deny: how many
 * @source_rate: answers a second to a source without credentials; 0: any number
 * @plane: which data path is wanted
 * @ingress: names of the devices to attach
 * @n_ingress: how many
 * @state_dir: absolute name of the state directory
 * @state_dir_required: as @db_required
 * @workers: 0 for one per CPU
 * @grace: seconds
 * @log_level: syslog's
 * @check: stop after looking at the configuration
 * @source: by the option's index in the table
 * @file: name of the YAML file
 * @report: where errors go, one a line; may be NULL
 * @errors: how many there were
 */
struct config {
	struct config_addrs listen;
	struct turn_discovery *discovery;
	size_t n_discovery;
	unsigned int transports;
	char **tls_certs;
	size_t n_tls_certs;
	char **tls_keys;
	size_t n_tls_keys;
	char *tls_client_ca;
	struct prefix *proxies;
	size_t n_proxies;
	uint32_t max_connections;
	struct config_addrs relay;
	struct config_external *external;
	size_t n_external;
	uint32_t external_check;
	uint16_t relay_port_min;
	uint16_t relay_port_max;
	uint16_t chan_max;
	uint32_t user_quota;
	uint32_t total_quota;
	uint32_t max_permissions;
	uint32_t max_channels;
	bool tcp_relay;
	uint32_t max_peer_connections;
	struct kturn_limit limit[2];
	struct kturn_limit user_limit[2];
	struct kturn_limit total_limit[2];
	bool mobility;
	struct config_alternate *alternates;
	size_t n_alternates;
	uint32_t redirect_above;
	char *realm;
	struct config_listen_realm *listen_realms;
	size_t n_listen_realms;
	struct config_realm_text *origin_realms;
	size_t n_origin_realms;
	char *software;
	struct config_user *users;
	size_t n_users;
	char **secrets;
	size_t n_secrets;
	size_t n_own_secrets;
	uint64_t secret_stamp;
	struct config_realm_text *realm_secrets;
	size_t n_realm_secrets;
	char *token_server_name;
	struct config_token_key *token_keys;
	size_t n_token_keys;
	char *token_key_file;
	char *user_file;
	char *secret_file;
	char *db;
	char *db_file;
	bool db_required;
	struct prefix *allow;
	size_t n_allow;
	struct prefix *deny;
	size_t n_deny;
	uint32_t source_rate;
	enum config_plane plane;
	char **ingress;
	size_t n_ingress;
	unsigned int workers;
	char *state_dir;
	bool state_dir_required;
	uint32_t grace;
	int log_level;
	bool check;

	struct config_source source[CONFIG_OPTIONS_MAX];
	const char *file;
	FILE *report;
	unsigned int errors;
};

/** config_init() - everything at its default */
void config_init(struct config *cfg, FILE *report);

/** config_free() - free it; what was secret is overwritten */
void config_free(struct config *cfg);

/**
 * config_parse() - read flags, then the file that they name
 * @cfg: from config_init()
 * @argc: main()'s
 * @argv: main()'s; passwords and secrets are overwritten there, so that ps
 *	does not show them
 *
 * --help and --version print and exit.
 *
 * Return: true if all is well; what is not was reported.
 */
bool config_parse(struct config *cfg, int argc, char **argv);

/**
 * config_yaml() - read a YAML document
 * @cfg: from config_init()
 * @name: of the file, for errors
 * @text: its bytes
 * @len: how many
 */
void config_yaml(struct config *cfg, const char *name, const void *text,
		 size_t len);

/**
 * config_read_secrets() - read the file of secrets once more
 * @cfg: in use by one thread
 *
 * Return: false if it can't be used, which is reported; then all is as before.
 */
bool config_read_secrets(struct config *cfg);

/** config_realm_fits() - has a challenge room for it, and for the server's name
 * beside it?
 */
bool config_realm_fits(const struct config *cfg, const char *realm);

/** config_yaml_file() - the same from a file */
void config_yaml_file(struct config *cfg, const char *path);

/**
 * config_finish() - read user and secret files, check what concerns several
 * options
 * @cfg: with all flags and the file in it
 *
 * What is wrong is reported and counted in @cfg->errors.
 */
void config_finish(struct config *cfg);

/**
 * config_value() - set an option's value, or append to it
 * @cfg: configuration
 * @opt: its index in the table
 * @value: NUL-terminated
 * @line: in the file; 0 for a flag
 */
void config_value(struct config *cfg, size_t opt, const char *value, int line);

/**
 * config_error() - report an error
 * @cfg: configuration
 * @line: of the file, 0 if it is none of it
 * @key: option, or NULL
 * @fmt: what is wrong
 */
void config_error(struct config *cfg, int line, const char *key,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** config_option_error() - the same, at the place where the option was set */
void config_option_error(struct config *cfg, const char *key,
			 const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* _KTURND_CONFIG_H */
