/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world around the state machine, made of memory: a clock, relayed
 * ports, users, an offload, and a record of all that goes out.
 *
 *	client (client.h) -> turn_client_input() -> world.sent[]
 *	peer_send_in()    -> turn_peer_input()   -> world.sent[]
 */
#ifndef KTURN_SELFTESTS_WORLD_H
#define KTURN_SELFTESTS_WORLD_H

#include <kturnd/quota.h>
#include <kturnd/turn/turn.h>

#include "../ktap.h"

#define REALM		"example.org"
#define SOFTWARE	"kturn test"
#define T0		1000000ull	/* the clock at the start */
#define WALL0		1700000000ull

#define SENT_MAX	16
#define DATAGRAM_MAX	65535
#define PORTS		32
#define PORT_MIN	50000
#define LINKS		16

/* One datagram that the server sent. */
struct sent {
	bool to_peer;
	struct turn_tuple tuple;	/* to a client */
	struct turn_relay from;		/* to a peer */
	struct kturn_addr to;
	bool dont_fragment;
	uint8_t *p;
	size_t len;
};

struct port {
	bool open;
	bool is_tcp;
	bool reserved;
	uint8_t family;
	uint8_t token[8];
	uint64_t expires;
	struct turn_alloc *alloc;	/* once started */
};

/* A connection with a peer. */
struct link {
	bool open;
	bool connecting;	/* until the test says how it ends */
	struct turn_connection *c;
	struct kturn_addr from;
	struct kturn_addr to;
	bool joined;
	struct turn_tuple client;	/* with which */
};

/* Without a realm, of the first one. */
struct user {
	const char *name;
	const char *password;
	bool md5;
	bool sha256;
	const char *realm;
};

#define REALMS	4

struct token_key {
	const char *kid;
	struct turn_token_key key;
};

struct rule {
	struct kturn_addr peer;	/* port 0: any */
	enum turn_verdict verdict;
};

struct world {
	struct turn_server *s;
	struct turn_config cfg;
	uint64_t now;
	uint64_t wall;
	unsigned int features;
	/* The first is for who says nothing; each may have an origin. */
	struct turn_realm realms[REALMS];
	const char *origins[REALMS];
	size_t n_realms;
	/* That came to this port of the server. */
	uint16_t at_port;
	size_t at_realm;
	const struct user *users;
	size_t n_users;
	const struct token_key *keys;
	size_t n_keys;
	struct rule rules[4];
	size_t n_rules;

	struct sent sent[SENT_MAX];
	size_t n_sent;

	struct port ports[PORTS];
	struct link links[LINKS];
	uint32_t ids;		/* asked for */
	bool elsewhere;		/* are connections that are not here */
	size_t n_passed;
	int quota_left;		/* may be given to users */
	int quota_used;
	struct quota quota;	/* what users share */
	int pushed;		/* allocations that the offload holds */
	int mobile;		/* of them have tickets */
	uint64_t seed;

	/* What is to fail; relays of one family, or of both when it is 0. */
	int relay_error;
	uint8_t relay_error_family;
	int connect_error;
	bool offload_fails;
	bool reserve_fails;
	bool mobile_fails;
	bool deleted;		/* in the kernel */

	/* Where clients come to that are not here, and the last visit. */
	uint32_t home;
	uint64_t visit_id;
	struct turn_tuple visit;
	uint32_t visit_home;

	/* Where new clients are to be served. */
	enum turn_place place;
	struct turn_alternate alternate[2];

	/* The store has to be asked; what it said before, if anything. */
	bool asks;
	bool asks_to_refuse;
	const struct user *old_users;
	size_t n_old_users;
	/* What it was asked last. */
	char asked[TURN_USERNAME_MAX + 1];
	char asked_realm[TURN_REALM_MAX + 1];
	unsigned int n_asked;

	/* Who has no credentials gets no answer. */
	bool silent;

	/* Which ops were called, each followed by a blank. */
	char trace[1024];
	/* Of the last offload call. */
	uint32_t off_lifetime;
	struct kturn_addr off_peers[300];
	size_t off_n;
	uint16_t off_number;
	uint8_t packed[TURN_PACKED_MAX];
	size_t packed_len;
	/* Whom quota_take() was last asked about. */
	char quota_realm[128];
	char quota_user[128];
	/* The last line of the log, and the last with a user. */
	char log[2048];
};

extern struct world world;
extern const struct turn_ops world_ops;

/* Defaults: alice and bob, both families, SHA-256 offered. */
void world_init(void);
/* Makes the server of what stands in world.cfg then. */
void world_start(void);
/* Both. */
void world_begin(void);
/* Frees the server and checks that it gave everything back. */
void world_stop(void);

/* Notes that an op was called. */
void world_trace(const char *op);

/* Forgets what was sent and traced. */
void world_clear(void);
void world_pass(uint64_t ms);

/* Address text like "192.0.2.1:5000" or "[2001:db8::1]:5000". */
struct kturn_addr addr(const char *text);

/* A datagram from a peer to a relayed address. */
void peer_send_in(const struct kturn_addr *relay, const char *peer,
		  const void *data, size_t len);

/* The last that was opened. */
struct link *world_link(void);
size_t world_open_links(void);
/* A peer connects; NULL if that is closed at once. */
struct link *peer_connect_in(const struct kturn_addr *relay, const char *peer);

/* Of an open relayed port, by its port number. */
struct port *world_port(const struct kturn_addr *relay);
size_t world_open_ports(void);

/* All that a client's datagrams may change, as one number. */
uint64_t world_state(void);

/* Exactly one datagram went to @peer; checks what and from where. */
void check_to_peer(const struct kturn_addr *relay, const char *peer,
		   const void *data, size_t len, bool dont_fragment);

#endif /* KTURN_SELFTESTS_WORLD_H */
