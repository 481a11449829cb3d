/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world for the learner of kturn-pair: clients, a server and a kernel that
 * are made up. Time goes by when a test says so.
 */
#ifndef KTURN_SELFTESTS_LEARN_WORLD_H
#define KTURN_SELFTESTS_LEARN_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "pair/learn.h"

#define SERVER_UID	77
#define LIFETIME	600

/** What the kernel was told last, and how often. */
struct told {
	unsigned int allocs;
	unsigned int sets;
	unsigned int dels;
	unsigned int perms;
	unsigned int chans;
	struct kturn_addr relay[2];
	struct kturn_addr peer;
	uint16_t number;
	uint32_t ms;
	uint32_t chan_ms;
	/* Permissions there were when it was told of the channel. */
	unsigned int chan_perms;
	char label[KTURN_LABEL_MAX + 1];
};

extern struct learn l;
extern struct learn_cfg cfg;
extern struct told told;
extern uint64_t now;
/** Entries in the kernel. */
extern unsigned int in_kernel;
/** What the kernel says to anything new. */
extern bool kernel_refuses;
/** The cookie of the socket of each relayed address: this and its port. */
extern uint64_t cookies;
extern bool bound_at_all;
extern bool server_at_all;

extern struct kturn_addr client, other_client, server, relay4, relay6,
	peer, other_peer, peer6;

/** world_begin() - all as at the start */
void world_begin(void);

/** world_end() - nothing is left in memory */
void world_end(void);

/** struct message - a STUN message in a datagram */
struct message {
	struct packet packet;
	uint8_t bytes[512];
};

/** request() - from @from to the server, with @tid as its number */
struct message request(const struct kturn_addr *from, uint16_t method,
		       uint8_t tid);

/** with_peer() - the same with an XOR-PEER-ADDRESS behind it */
struct message with_peer(struct message m, const struct kturn_addr *addr);

/** with_u32() - the same with an attribute of four bytes behind it */
struct message with_u32(struct message m, uint16_t type, uint32_t value);

/** with_text() - the same with a text behind it */
struct message with_text(struct message m, uint16_t type, const char *text);

/** answer() - to @m: of this class, without attributes */
struct message answer(const struct message *m, unsigned int cls);

/** with_relay() - the same with an XOR-RELAYED-ADDRESS behind it */
struct message with_relay(struct message m, const struct kturn_addr *addr);

/** see() - the firewall logs it */
void see(const struct message *m);

/** allocate() - all of a successful Allocate of @from */
void allocate(const struct kturn_addr *from, uint8_t tid);

/** permit() - all of a successful CreatePermission */
void permit(const struct kturn_addr *from, uint8_t tid,
	    const struct kturn_addr *addr);

/** bind_channel() - all of a successful ChannelBind */
void bind_channel(const struct kturn_addr *from, uint8_t tid, uint16_t number,
		  const struct kturn_addr *addr);

/** refresh() - all of a successful Refresh, with the server's @lifetime */
void refresh(const struct kturn_addr *from, uint8_t tid, uint32_t lifetime);

#endif /* KTURN_SELFTESTS_LEARN_WORLD_H */
