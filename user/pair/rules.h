/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of the firewall that log what clients and the server say to each other,
 * in a table that the kernel removes when this process ends.
 *
 * Packets of clients are logged after all other rules of INPUT: what those drop
 * the server never sees. Those of the server are logged in OUTPUT: they are of
 * a local socket for certain. What is relayed by the kernel passes neither.
 */
#ifndef _PAIR_RULES_H
#define _PAIR_RULES_H

#include <stdint.h>

#include "config.h"

struct nft_ctx;

/** What goes to which group, counted from the first. */
enum {
	/* What strangers can cause: requests, and answers of class error. */
	RULES_REQUESTS,
	/* Answers of class success. */
	RULES_ANSWERS,
};

/** struct rules - the table, as long as it is open */
struct rules {
	struct nft_ctx *nft;
};

/**
 * struct share - data that came in, and how much of it the kernel would relay
 * @all: packets and bytes of IP
 * @would: of these
 */
struct share {
	uint64_t all[2];
	uint64_t would[2];
};

/**
 * rules_open() - make the table
 * @r: result
 * @cfg: options
 *
 * Return: 0 or a negative errno, and what is wrong was logged.
 */
int rules_open(struct rules *r, const struct pair_config *cfg);

/**
 * rules_session() - count a session's data, for a dry run
 * @r: rules, of options with @dry_run
 * @s: session
 * @on: from now on, or no more
 *
 * Return: 0 or a negative errno, and what is wrong was logged.
 */
int rules_session(struct rules *r, const struct session *s, bool on);

/**
 * rules_share() - what was counted
 * @r: rules, of options with @dry_run
 * @clients: from clients
 * @peers: from peers
 *
 * Return: 0 or a negative errno, and what is wrong was logged.
 */
int rules_share(struct rules *r, struct share *clients, struct share *peers);

/** rules_close() - remove it; also what could not be opened */
void rules_close(struct rules *r);

#endif /* _PAIR_RULES_H */
