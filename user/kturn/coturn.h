/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a turnserver.conf says, in kturnd.yaml's words; see coturn.c for the way
 * from one to the other.
 */
#ifndef _KTURN_COTURN_H
#define _KTURN_COTURN_H

#include <jansson.h>
#include <stdbool.h>

/**
 * struct coturn - a turnserver.conf that is read
 * @line: of the file, the first is 1; 0 once all of it is read
 * @keys: kturnd.yaml's, each with an array of values
 * @hints: what may be wanted: of each key a value and why
 * @unneeded: names of options that kturnd does not need
 * @missing: what has no counterpart: of each its line, option and why
 * @addresses: to listen on, without a port
 * @relays: addresses to relay from
 * @external: public addresses, each alone or with its private one, in objects
 *	with their line and text
 * @allowed: ranges of peers, in such objects
 * @denied: the same
 * @users: NAME:PASSWORD, in such objects
 * @port: to listen on; NULL: the default one
 * @tls_port: the same for TLS and DTLS
 * @min_port: of relayed addresses; NULL: the default one
 * @max_port: the same
 * @realm: realm, or NULL
 * @server_name: for access tokens, or NULL
 * @off: transports that are off, in the order of enum coturn_transport
 * @anybody: the line by which anybody is served, or 0
 * @certificate: there is one
 * @passwords: users with passwords are asked for
 * @secrets: users are those with a shared secret
 * @tokens: users may have access tokens
 * @database: users are in a database
 * @no_tcp_relay: TCP is not relayed
 * @no_discovery: NAT behaviour discovery is off
 */
struct coturn {
	unsigned int line;
	json_t *keys;
	json_t *hints;
	json_t *unneeded;
	json_t *missing;
	json_t *addresses;
	json_t *relays;
	json_t *external;
	json_t *allowed;
	json_t *denied;
	json_t *users;
	char *port;
	char *tls_port;
	char *min_port;
	char *max_port;
	char *realm;
	char *server_name;
	bool off[4];
	unsigned int anybody;
	bool certificate;
	bool passwords;
	bool secrets;
	bool tokens;
	bool database;
	bool no_tcp_relay;
	bool no_discovery;
};

/** enum coturn_transport - what clients may come by, as kturnd.yaml has it */
enum coturn_transport {
	COTURN_UDP,
	COTURN_TCP,
	COTURN_TLS,
	COTURN_DTLS,
};

/** coturn_put() - add a value to a key of kturnd.yaml, or set it to that if it can
 * have only one
 */
void coturn_put(struct coturn *c, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * coturn_missing() - the line that is read can't be carried over
 * @c: file
 * @name: option
 * @fmt: why, or what does in its place
 */
void coturn_missing(struct coturn *c, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** coturn_option() - take what a line says; @value may be empty */
void coturn_option(struct coturn *c, const char *name, const char *value);

/** coturn_finish() - all lines are read: what depends on several of them */
void coturn_finish(struct coturn *c);

/**
 * coturn_postgresql() - where a PostgreSQL database is
 * @text: as libpq has it: words NAME=VALUE, or a URL
 *
 * Return: a URL, to be freed; NULL: it makes no sense.
 */
char *coturn_postgresql(const char *text);

/** coturn_redis() - the same for Redis, with hiredis' words as coturn has them */
char *coturn_redis(const char *text);

#endif /* _KTURN_COTURN_H */
