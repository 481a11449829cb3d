// SPDX-License-Identifier: GPL-2.0-or-later
/* What several of coturn's options say together, or what none of them says. */
#include <stdlib.h>
#include <string.h>
#include <common/range.h>

#include "cli.h"
#include "coturn.h"

#define PORT		"3478"
#define TLS_PORT	"5349"

static const char *text_of(const json_t *entry)
{
	return json_string_value(json_is_string(entry) ? entry :
				 json_object_get(entry, "text"));
}

/* The line that @entry came from is that of what is missed from now on. */
static void at_line_of(struct coturn *c, const json_t *entry)
{
	c->line = (unsigned int)json_integer_value(json_object_get(entry,
								   "line"));
}

static bool is_v6(const char *address)
{
	return strchr(address, ':');
}

static void hint(struct coturn *c, const char *key, const char *value,
		 const char *why)
{
	json_t *o = json_object();

	cli_json_put(o, "key", json_string(key));
	cli_json_put(o, "value", json_string(value));
	cli_json_put(o, "why", json_string(why));
	cli_json_append(c->hints, o);
}

/* ------------------------------------------------------------------- listening */

static void listen_on(struct coturn *c, const char *address, const char *port)
{
	coturn_put(c, "listen", is_v6(address) && *address != '[' ?
		   "[%s]:%s" : "%s:%s", address, port);
}

/* A certificate that nobody gets would have kturnd listen at its port. */
static void finish_certificate(struct coturn *c)
{
	if (!c->off[COTURN_TLS] || !c->off[COTURN_DTLS])
		return;
	c->certificate = false;
	json_object_del(c->keys, "tls-cert");
	json_object_del(c->keys, "tls-key");
	json_object_del(c->keys, "tls-client-ca");
}

/* Without any of these options, kturnd does by default what coturn does. */
static void finish_listen(struct coturn *c)
{
	const char *port = c->port ? c->port : PORT;
	const char *tls_port = c->tls_port ? c->tls_port : TLS_PORT;
	bool tls = c->certificate;
	json_t *entry;
	size_t i;

	if (!json_array_size(c->addresses)) {
		if (!strcmp(port, PORT) && !strcmp(tls_port, TLS_PORT) &&
		    !json_object_get(c->keys, "listen"))
			return;
		cli_json_append(c->addresses, json_string("0.0.0.0"));
		cli_json_append(c->addresses, json_string("::"));
	}
	json_array_foreach(c->addresses, i, entry) {
		listen_on(c, text_of(entry), port);
		if (tls && strcmp(tls_port, port))
			listen_on(c, text_of(entry), tls_port);
	}
}

static void finish_transport(struct coturn *c)
{
	static const char *const names[] = { "udp", "tcp", "tls", "dtls" };
	size_t i, n = c->certificate ? 4 : 2, left = 0;

	for (i = 0; i < n; i++)
		left += !c->off[i];
	if (!left)
		coturn_missing(c, "no-udp", "no transport is left");
	if (!left || left == n)
		return;
	for (i = 0; i < n; i++)
		if (!c->off[i])
			coturn_put(c, "transport", "%s", names[i]);
}

/* ------------------------------------------------------------------ relaying */

static void finish_relay(struct coturn *c)
{
	json_t *entry;
	size_t i;

	json_array_foreach(c->relays, i, entry)
		coturn_put(c, "relay", "%s", text_of(entry));
	if (c->min_port || c->max_port)
		coturn_put(c, "relay-ports", "%s-%s",
			   c->min_port ? c->min_port : "49152",
			   c->max_port ? c->max_port : "65535");
}

/* The only address there is of a family; NULL: none, or several. */
static const char *only_one(const json_t *addresses, bool v6)
{
	const char *found = NULL;
	json_t *entry;
	size_t i;

	json_array_foreach(addresses, i, entry) {
		if (is_v6(text_of(entry)) != v6)
			continue;
		if (found)
			return NULL;
		found = text_of(entry);
	}
	return found;
}

static void finish_external(struct coturn *c)
{
	const char *public, *private;
	json_t *entry;
	size_t i;

	json_array_foreach(c->external, i, entry) {
		public = text_of(entry);
		if (strchr(public, '/')) {
			coturn_put(c, "external", "%s", public);
			continue;
		}
		private = only_one(json_array_size(c->relays) ? c->relays :
				   c->addresses, is_v6(public));
		/* No NAT. */
		if (private && !strcmp(private, public))
			continue;
		if (private && strcmp(private, "0.0.0.0") &&
		    strcmp(private, "::")) {
			coturn_put(c, "external", "%s/%s", public, private);
			continue;
		}
		at_line_of(c, entry);
		coturn_missing(c, "external-ip",
			       "say for which address of this host: external: PUBLIC/PRIVATE");
	}
}

/* ---------------------------------------------------------------------- peers */

static void put_prefixes(struct coturn *c, const char *key,
			 const struct range *range)
{
	char text[KTURN_ADDR_TEXT_MAX];
	struct kturn_addr at = { .family = range->family };
	int len;

	memcpy(at.ip, range->first, sizeof(at.ip));
	do {
		len = range_match(range, &at);
		coturn_put(c, key, "%s/%d", kturn_addr_text(&at, text), len);
	} while (range_next(range, &at, len));
}

/* Is a prefix of @d in one of @a that is not longer, so that @d's counts? */
static bool conflict(const struct range *a, const struct range *d)
{
	struct kturn_addr at = { .family = d->family };
	int len, other;

	memcpy(at.ip, d->first, sizeof(at.ip));
	do {
		len = range_match(d, &at);
		other = range_match(a, &at);
		if (other >= 0 && other <= len)
			return true;
	} while (range_next(d, &at, len));
	return false;
}

/* coturn asks what is allowed first; here the longer prefix counts. */
static void tell_conflicts(struct coturn *c, const json_t *allowed)
{
	struct range a, d;
	json_t *entry;
	size_t i;

	range_parse(text_of(allowed), &a);
	json_array_foreach(c->denied, i, entry) {
		range_parse(text_of(entry), &d);
		if (!conflict(&a, &d))
			continue;
		at_line_of(c, allowed);
		coturn_missing(c, "allowed-peer-ip",
			       "coturn allows what is denied as well, kturnd refuses it: see allow-peer");
		return;
	}
}

static void finish_peers(struct coturn *c)
{
	struct range range;
	json_t *entry;
	size_t i;

	json_array_foreach(c->allowed, i, entry) {
		range_parse(text_of(entry), &range);
		put_prefixes(c, "allow-peer", &range);
		tell_conflicts(c, entry);
	}
	json_array_foreach(c->denied, i, entry) {
		range_parse(text_of(entry), &range);
		put_prefixes(c, "deny-peer", &range);
	}
}

/* ---------------------------------------------------------------------- users */

/**
 * struct user - a user of the file
 * @name: name
 * @name_len: bytes of it
 * @password: password, or 0x and a key in hex
 */
struct user {
	const char *name;
	size_t name_len;
	const char *password;
};

static bool user_parse(const char *text, struct user *u)
{
	const char *colon = strchr(text, ':');

	if (!colon || colon == text)
		return false;
	u->name = text;
	u->name_len = (size_t)(colon - text);
	u->password = colon + 1 + strspn(colon + 1, " \t");
	return true;
}

/* Of several of a name coturn takes the last. */
static bool comes_again(const struct coturn *c, size_t i, const struct user *u)
{
	struct user other;

	while (++i < json_array_size(c->users))
		if (user_parse(text_of(json_array_get(c->users, i)), &other) &&
		    other.name_len == u->name_len &&
		    !memcmp(other.name, u->name, u->name_len))
			return true;
	return false;
}

/* NULL, or why user @i is left out. */
static const char *put_user(struct coturn *c, size_t i)
{
	const char *text = text_of(json_array_get(c->users, i));
	struct user u;

	if (c->secrets)
		return "left out: coturn takes no passwords beside secrets";
	if (!user_parse(text, &u))
		return "it is not NAME:PASSWORD";
	if (!strncmp(u.password, "0x", 2))
		return "it is a key, not a password: user stores have those";
	if (!comes_again(c, i, &u))
		coturn_put(c, "user", "%.*s:%s", (int)u.name_len, u.name,
			   u.password);
	return NULL;
}

static void tell_anybody(struct coturn *c)
{
	c->line = c->anybody;
	if (c->anybody)
		coturn_missing(c, "no-auth",
			       "nobody is served without credentials");
	else if (!c->passwords && !c->secrets && !c->tokens &&
		 !json_array_size(c->users))
		coturn_missing(c, "lt-cred-mech",
			       "without it coturn serves anybody, kturnd those with credentials");
	c->line = 0;
}

static void finish_users(struct coturn *c)
{
	const char *name = c->server_name ? c->server_name : c->realm, *why;
	json_t *entry;
	size_t i;

	if (c->realm)
		coturn_put(c, "realm", "%s", c->realm);
	json_array_foreach(c->users, i, entry) {
		why = put_user(c, i);
		at_line_of(c, entry);
		if (why)
			coturn_missing(c, "user", "%s", why);
	}
	tell_anybody(c);
	if (c->secrets && c->database)
		coturn_missing(c, "use-auth-secret",
			       "coturn takes no passwords beside it, kturnd also those of db");
	if (c->tokens && name)
		coturn_put(c, "token-server-name", "%s", name);
	else if (c->tokens)
		coturn_missing(c, "oauth", "it needs a server-name or a realm");
}

/* ---------------------------------------------------------------------- hints */

/* What coturn does without being asked to. */
static void finish_hints(struct coturn *c, bool several)
{
	if (!c->realm)
		hint(c, "realm", "example.org",
		     "coturn's is the host's domain name, kturnd's is \"kturn\".");
	if (!c->database)
		hint(c, "db", "/var/lib/turn/turndb",
		     "What turnadmin has stored is there: users, secrets, realms, denied peers.");
	if (!c->no_tcp_relay)
		hint(c, "tcp-relay", "yes",
		     "coturn relays TCP for those who ask for it (RFC 6062).");
	if (!c->no_discovery && several)
		hint(c, "nat-discovery", "ADDR:PORT/ADDR:PORT",
		     "coturn offers NAT behaviour discovery (RFC 5780).");
	hint(c, "allow-peer", "PREFIX",
	     "coturn relays to private addresses, kturnd to those only that are opened.");
}

void coturn_finish(struct coturn *c)
{
	bool several = json_array_size(c->addresses) > 1;

	c->line = 0;
	finish_certificate(c);
	finish_listen(c);
	finish_transport(c);
	finish_relay(c);
	finish_external(c);
	c->line = 0;
	finish_peers(c);
	finish_users(c);
	/* Its own client uses them, and so may others that it serves. */
	coturn_put(c, "channel-range", "5766");
	finish_hints(c, several);
}
