// SPDX-License-Identifier: GPL-2.0-or-later
/* May this transport address be a peer? See policy.h. */
#include <stdio.h>
#include <string.h>

#include "daemon.h"
#include "kturn.h"
#include "log.h"
#include "policy.h"
#include "realms.h"

static void log_refusal(const struct turn_alloc *alloc,
			const struct kturn_addr *peer, const char *rule,
			const char *option)
{
	char client[KTURN_ADDR_TEXT_MAX], text[KTURN_ADDR_TEXT_MAX];

	log_limited(LOG_NOTICE, "peer-refused",
		    "client=%s user=%s peer=%s rule=%s option=%s",
		    kturn_addr_text(&turn_alloc_tuple(alloc)->client, client),
		    turn_alloc_user(alloc), kturn_addr_text(peer, text), rule,
		    option);
}

static bool is_own(const struct worker *w, const struct kturn_addr *addr)
{
	return local_has(w->local, addr) ||
	       relay_find_public(&w->d->relays, addr);
}

static enum turn_verdict forbidden(const struct worker *w,
				   const struct turn_alloc *alloc,
				   const struct kturn_addr *peer,
				   const struct peer_rule *why)
{
	char subject[KTURN_ADDR_TEXT_MAX], option[KTURN_ADDR_TEXT_MAX + 16];
	char rule[160];
	struct kturn_addr ip = addr_with_port(&why->subject, 0);

	snprintf(rule, sizeof(rule), "%s %s", why->prefix, why->name);
	snprintf(option, sizeof(option), "--allow-peer %s",
		 kturn_addr_text(&ip, subject));
	/* Of our own addresses only relayed ports can be peers. */
	log_refusal(alloc, peer, rule,
		    why->openable && !is_own(w, &why->subject) ? option :
								 "none");
	return TURN_PEER_FORBIDDEN;
}

/* Own address, and not a live port. Permissions have no port. */
static enum turn_verdict own_port(const struct turn_alloc *alloc,
				  const struct kturn_addr *peer)
{
	if (peer->port)
		log_refusal(alloc, peer,
			    "the server's own address, not a live relayed port",
			    "none");
	return TURN_PEER_PORT_FORBIDDEN;
}

void policy_forget(struct policy_cache *cache)
{
	memset(cache, 0, sizeof(*cache));
}

/* Each packet asks. Who chooses addresses of one place makes it slow again. */
static struct policy_good *cached(struct policy_cache *cache,
				  const struct kturn_addr *peer)
{
	uint32_t word[4];

	memcpy(word, peer->ip, sizeof(word));
	word[0] ^= word[1] ^ word[2] ^ word[3];
	return &cache->good[word[0] * 0x9e3779b1u >> (32 - POLICY_CACHE_BITS)];
}

/* The entry of an address that clients know as one of relayed addresses. */
static struct relay_addr *find_relay(const struct relay_pool *pool,
				     const struct kturn_addr *peer)
{
	struct relay_addr *ra = relay_find_public(pool, peer);

	if (ra)
		return ra;
	ra = relay_find(pool, peer);
	return ra && addr_ip_equal(relay_public(ra), peer) ? ra : NULL;
}

/* With the lists of a realm. */
static struct peer_acl acl_of(const struct worker *w,
			      const struct peer_lists *lists)
{
	struct peer_acl acl = w->d->acl;

	acl.stored[0] = lists;
	acl.stored[1] = realms_every_peers(w->realms);
	return acl;
}

enum turn_verdict policy_check(struct worker *w,
			       const struct kturn_addr *peer,
			       const struct turn_alloc *alloc)
{
	struct policy_good *good = cached(&w->policy, peer);
	const struct peer_lists *lists;
	struct peer_rule why;
	struct relay_addr *ra;
	struct kturn_addr v4;
	struct peer_acl acl;

	lists = realms_peers(w->realms, turn_alloc_realm(alloc));
	if (addr_ip_equal(&good->ip, peer) && good->lists == lists)
		return TURN_PEER_OK;
	acl = acl_of(w, lists);
	ra = find_relay(&w->d->relays, peer);
	if (ra && peer_acl_is_denied(&acl, peer, &why))
		return forbidden(w, alloc, peer, &why);
	if (ra)
		return relay_is_live(ra, peer, turn_alloc_is_tcp(alloc) ?
				     RELAY_TCP : RELAY_UDP) ?
		       TURN_PEER_OK : own_port(alloc, peer);
	if (!peer_acl_check(&acl, peer, &why))
		return forbidden(w, alloc, peer, &why);
	if (local_is_broadcast(w->local, peer)) {
		log_refusal(alloc, peer, "a broadcast address of this host",
			    "none");
		return TURN_PEER_FORBIDDEN;
	}
	/* A translator would bring it back to us. */
	if (addr_embedded(peer, &v4) && is_own(w, &v4)) {
		log_refusal(alloc, peer, "the server's own address in IPv6",
			    "none");
		return TURN_PEER_FORBIDDEN;
	}
	if (is_own(w, peer))
		return own_port(alloc, peer);
	good->ip = addr_with_port(peer, 0);
	good->lists = lists;
	return TURN_PEER_OK;
}
