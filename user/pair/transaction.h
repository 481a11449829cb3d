/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that clients have sent, until the server answers.
 *
 * A transaction is a 5-tuple and a transaction id (RFC 8489 section 5). It
 * counts for something only while exactly one request is known for it: an
 * answer says that the server granted a request, not which.
 */
#ifndef _PAIR_TRANSACTION_H
#define _PAIR_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <kturn/wire.h>

#include "kturn.h"
#include "table.h"

/* RFC 8656 sets no limit; kturnd and coturn take fewer. */
#define PEERS_MAX		64

/*
 * A client sends a request for up to 39.5 seconds (RFC 8489 section 6.2.1), and a
 * server may answer for as long from memory.
 */
#define TRANSACTION_MS		60000

/* Clients whose addresses have the same hash share a doubt. */
#define DOUBTS			4096

/** struct flow - a 5-tuple over UDP */
struct flow {
	struct kturn_addr client;
	struct kturn_addr server;
};

/**
 * struct request - what a client asks for
 * @method: enum kturn_method
 * @odd: it says something that is not understood here: nothing follows from it
 * @reserved: an Allocate with a RESERVATION-TOKEN
 * @family: it has a REQUESTED-ADDRESS-FAMILY
 * @number: channel number
 * @label: USERNAME, cut where it is too long; of a USERHASH nothing
 * @n: how many peers
 * @peer: XOR-PEER-ADDRESS; there is room for PEERS_MAX while it is read
 */
struct request {
	uint16_t method;
	bool odd;
	bool reserved;
	bool family;
	uint16_t number;
	char label[KTURN_LABEL_MAX + 1];
	unsigned int n;
	struct kturn_addr peer[];
};

/**
 * request_parse() - read a request
 * @msg: of class KTURN_REQUEST
 *
 * Return: what it asks for, to be freed with free(); NULL without memory.
 */
struct request *request_parse(const struct kturn_stun *msg);

/**
 * struct transaction - a request and what became of it
 * @node: in struct transactions
 * @link: the same, the oldest first
 * @flow: 5-tuple
 * @tid: transaction id
 * @digest: of the whole message
 * @state: whether an answer counts
 * @copies: how many the server got, each of which it may answer
 * @made_ms: when the last of them was read, CLOCK_BOOTTIME
 * @sent_ms: when the kernel saw the first
 * @request: what it asks for; NULL once it was answered
 */
struct transaction {
	struct turn_node node;
	TAILQ_ENTRY(transaction) link;
	struct flow flow;
	uint8_t tid[KTURN_STUN_TID_LEN];
	uint8_t digest[32];
	enum {
		TRANSACTION_WAITS,
		TRANSACTION_ANSWERED,
		TRANSACTION_INVALID,
	} state;
	unsigned int copies;
	uint64_t made_ms;
	uint64_t sent_ms;
	struct request *request;
};

TAILQ_HEAD(transaction_list, transaction);

/**
 * struct transactions - those of the last minute
 * @table: by 5-tuple and transaction id
 * @list: the oldest first
 * @key: for the hash
 * @most: how many there may be
 * @doubt_ms: until then, a request may be answered that is not known
 * @doubts: the same of clients, by a hash of their addresses
 * @overflowed: there was no room for a request; the reader sets it back
 * @dropped: requests for which there was no room
 * @unread: requests that could not be read
 */
struct transactions {
	struct turn_table table;
	struct transaction_list list;
	uint8_t key[TURN_SIPHASH_KEY_LEN];
	size_t most;
	uint64_t doubt_ms;
	uint64_t doubts[DOUBTS];
	bool overflowed;
	uint64_t dropped;
	uint64_t unread;
};

/** transactions_init() - none; @key is random. False without memory */
bool transactions_init(struct transactions *t, const uint8_t *key, size_t most);

/** transactions_destroy() - forget all */
void transactions_destroy(struct transactions *t);

/**
 * transaction_begin() - a client has sent a request
 * @t: transactions
 * @flow: 5-tuple
 * @msg: request
 * @len: bytes of it
 * @sent_ms: when the kernel saw it
 * @now_ms: CLOCK_BOOTTIME
 *
 * The same again is a retransmission. Another one in the same transaction makes
 * both invalid.
 */
void transaction_begin(struct transactions *t, const struct flow *flow,
		       const struct kturn_stun *msg, size_t len,
		       uint64_t sent_ms, uint64_t now_ms);

/**
 * transaction_end() - the server has answered with success
 * @t: transactions
 * @flow: 5-tuple
 * @msg: answer
 * @again: result: it has answered the same before
 *
 * Return: the transaction, once; NULL if nothing follows from the answer. Its
 * request is to be given back with transaction_done().
 */
struct transaction *transaction_end(struct transactions *t,
				    const struct flow *flow,
				    const struct kturn_stun *msg, bool *again);

/** transaction_done() - what follows from it was done */
void transaction_done(struct transaction *tr);

/** transaction_refused() - the server has answered with an error. Once it has
 * answered all copies, the client may use the number again (RFC 8489 section
 * 6.2.1 does not want it to, but some do)
 */
void transaction_refused(struct transactions *t, const struct flow *flow,
			 const struct kturn_stun *msg);

/**
 * transactions_doubt() - requests are missing
 * @t: transactions
 * @for_ms: how long a server may answer one of them
 * @now_ms: CLOCK_BOOTTIME
 *
 * One that is missing may have the number of one that is known: nothing follows
 * from answers to those that wait, nor to those that come meanwhile.
 */
void transactions_doubt(struct transactions *t, uint64_t for_ms,
			uint64_t now_ms);

/** transactions_doubt_client() - the same of one client, from which came what
 * could not be read
 */
void transactions_doubt_client(struct transactions *t,
			       const struct kturn_addr *client,
			       uint64_t now_ms);

/** transactions_expire() - forget what is older than any retransmission */
void transactions_expire(struct transactions *t, uint64_t now_ms);

#endif /* _PAIR_TRANSACTION_H */
