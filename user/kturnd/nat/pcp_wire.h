/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MAP messages of PCP (RFC 6887) on the wire. Pure functions on bytes.
 */
#ifndef _KTURND_PCP_WIRE_H
#define _KTURND_PCP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kturn/wire.h>

/* RFC 6887 section 19.1: a server's port. */
#define PCP_PORT	5351

/* RFC 6887 section 7: no message is longer. */
#define PCP_MAX_LEN	1100

/* Headers of 24 bytes, and what is MAP's own. */
#define PCP_MAP_LEN	60

#define PCP_NONCE_LEN	12

/* Result codes, RFC 6887 section 7.4. */
enum pcp_result {
	PCP_SUCCESS			= 0,
	PCP_UNSUPP_VERSION		= 1,
	PCP_NOT_AUTHORIZED		= 2,
	PCP_NETWORK_FAILURE		= 7,
	PCP_NO_RESOURCES		= 8,
	PCP_USER_EX_QUOTA		= 10,
	PCP_CANNOT_PROVIDE_EXTERNAL	= 11,
	PCP_ADDRESS_MISMATCH		= 12,
};

/**
 * struct pcp_map - a mapping
 * @nonce: says that the answer is to our request, and that we may change it
 * @protocol: IPPROTO_UDP or IPPROTO_TCP
 * @port: internal port, in host byte order
 * @external: in a request what is suggested, in a response what was assigned
 */
struct pcp_map {
	uint8_t nonce[PCP_NONCE_LEN];
	uint8_t protocol;
	uint16_t port;
	struct kturn_addr external;
};

/**
 * struct pcp_response - a response to MAP
 * @version: of the protocol; 2 unless @result is PCP_UNSUPP_VERSION
 * @result: enum pcp_result, or another that servers may send
 * @lifetime_s: of the mapping, or of the error
 * @epoch_s: the server's time
 * @map: the mapping; all zero if @result is PCP_UNSUPP_VERSION
 */
struct pcp_response {
	uint8_t version;
	uint8_t result;
	uint32_t lifetime_s;
	uint32_t epoch_s;
	struct pcp_map map;
};

/**
 * pcp_map_build() - write a MAP request (RFC 6887 sections 7.1 and 11.1)
 * @buf: where
 * @client: address that the request comes from
 * @map: its @external may be no address, then nothing is suggested but its port
 * @lifetime_s: 0 deletes
 */
void pcp_map_build(uint8_t buf[PCP_MAP_LEN], const struct kturn_addr *client,
		   const struct pcp_map *map, uint32_t lifetime_s);

/**
 * pcp_map_parse() - read a response to MAP (RFC 6887 sections 8.3 and 11.1)
 * @buf: a datagram
 * @len: its length
 * @r: result
 *
 * Of other versions of the protocol, NAT-PMP among them, only the refusal of ours is
 * read: it has no nonce, so nothing tells that it was meant for us.
 *
 * Return: 0; -EBADMSG: it is to be ignored.
 */
int pcp_map_parse(const uint8_t *buf, size_t len, struct pcp_response *r);

/** pcp_map_answers() - is @r to a request for @asked? RFC 6887 section 11.4 */
bool pcp_map_answers(const struct pcp_map *asked, const struct pcp_response *r);

/** pcp_result_name() - as RFC 6887 section 7.4 writes it */
const char *pcp_result_name(uint8_t result);

#endif /* _KTURND_PCP_WIRE_H */
