/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which addresses may be peers, as far as the address alone tells.
 *
 * What IANA's registries of special-purpose addresses (RFC 6890) mark as not
 * globally reachable is refused unless --allow-peer opens it. What --deny-peer
 * names is refused unless a longer prefix of --allow-peer's opens it.
 *
 * What the user store denies is refused unless a longer prefix of --allow-peer's
 * or of those that the store allows opens it. What the store allows is open as
 * what --allow-peer names is, but against --deny-peer it does not count.
 *
 * IPv6 forms that stand for an IPv4 address are as good as that address. Pure
 * functions.
 */
#ifndef _KTURND_PEER_ACL_H
#define _KTURND_PEER_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include "address.h"
#include "range.h"

/* Of a list of ranges: each peer that is not known to be good is compared. */
#define PEER_RANGES_MAX		1000

/** struct peer_ranges - ranges of IP addresses; @v is from malloc() */
struct peer_ranges {
	struct range *v;
	size_t n;
};

/**
 * struct peer_lists - what a user store says of peers
 * @allow: what is opened
 * @deny: what is closed
 * @unclear: not all that is to be closed is known: nothing is opened
 */
struct peer_lists {
	struct peer_ranges allow;
	struct peer_ranges deny;
	bool unclear;
};

/**
 * struct peer_acl - what the operator wants; prefixes are the caller's
 * @allow: what --allow-peer opened
 * @n_allow: how many
 * @deny: what --deny-peer closed
 * @n_deny: how many
 * @stored: lists of the store: for the realm, and for every realm; NULL: none
 */
struct peer_acl {
	const struct prefix *allow;
	size_t n_allow;
	const struct prefix *deny;
	size_t n_deny;
	const struct peer_lists *stored[2];
};

/* Of a prefix as text, with its NUL. */
#define PEER_RULE_PREFIX	56

/**
 * struct peer_rule - why an address is refused
 * @prefix: the rule's, as text
 * @name: what the prefix is for, with the document that says so
 * @openable: --allow-peer can open it
 * @subject: the address that the rule is about: the peer's or the IPv4
 *	address in it
 */
struct peer_rule {
	char prefix[PEER_RULE_PREFIX];
	const char *name;
	bool openable;
	struct kturn_addr subject;
};

/** peer_ranges_add() - one more; 0, -ENOSPC (there are too many), -ENOMEM */
int peer_ranges_add(struct peer_ranges *ranges, const struct range *range);

/** peer_lists_free() - forget all; then they are empty */
void peer_lists_free(struct peer_lists *lists);

/** peer_acl_init() - read the tables; once, before the first check */
void peer_acl_init(void);

/**
 * peer_acl_check() - may this address be a peer?
 * @acl: what the operator wants
 * @peer: its port does not matter
 * @why: set when the answer is no; may be NULL
 *
 * Return: true if it may.
 */
bool peer_acl_check(const struct peer_acl *acl, const struct kturn_addr *peer,
		    struct peer_rule *why);

/**
 * peer_acl_is_denied() - does a list deny it, special or not?
 * @acl: what the operator wants
 * @peer: its port does not matter
 * @why: set when the answer is yes
 *
 * For relayed addresses of our own, which are peers whatever range they are in.
 */
bool peer_acl_is_denied(const struct peer_acl *acl,
			const struct kturn_addr *peer, struct peer_rule *why);

/**
 * peer_acl_is_global() - not special at all: what a stranger can reach
 * @addr: its port does not matter
 */
bool peer_acl_is_global(const struct kturn_addr *addr);

#endif /* _KTURND_PEER_ACL_H */
