// SPDX-License-Identifier: GPL-2.0-or-later
/* PCP on the wire; see pcp_wire.h. */
#include <string.h>

#include <array_size.h>
#include "pcp_wire.h"

#define VERSION		2
#define OPCODE_MAP	1
#define RESPONSE	0x80
#define HDR_LEN		24

/* Enough to refuse a version, RFC 6887 section 8.3. */
#define REFUSAL_LEN	4

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

/* RFC 6887 section 5: an IPv4 address is written as a v4-mapped one. */
static void put_addr(uint8_t *p, const struct kturn_addr *addr)
{
	if (addr->family == KTURN_FAMILY_V6) {
		memcpy(p, addr->ip, 16);
		return;
	}
	memcpy(p, v4_mapped, sizeof(v4_mapped));
	memcpy(p + sizeof(v4_mapped), addr->ip, 4);
}

static void get_addr(const uint8_t *p, struct kturn_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (memcmp(p, v4_mapped, sizeof(v4_mapped))) {
		addr->family = KTURN_FAMILY_V6;
		memcpy(addr->ip, p, 16);
		return;
	}
	addr->family = KTURN_FAMILY_V4;
	memcpy(addr->ip, p + sizeof(v4_mapped), 4);
}

void pcp_map_build(uint8_t buf[PCP_MAP_LEN], const struct kturn_addr *client,
		   const struct pcp_map *map, uint32_t lifetime_s)
{
	struct kturn_addr suggested = map->external;
	uint8_t *p = buf + HDR_LEN;

	/* Section 11.1: without a preference the family's all-zeros address. */
	if (suggested.family == KTURN_FAMILY_NONE)
		suggested.family = client->family;
	memset(buf, 0, PCP_MAP_LEN);
	buf[0] = VERSION;
	buf[1] = OPCODE_MAP;
	kturn_put32(buf + 4, lifetime_s);
	put_addr(buf + 8, client);
	memcpy(p, map->nonce, PCP_NONCE_LEN);
	p[12] = map->protocol;
	kturn_put16(p + 16, map->port);
	kturn_put16(p + 18, kturn_addr_port(&map->external));
	put_addr(p + 20, &suggested);
}

int pcp_map_parse(const uint8_t *buf, size_t len, struct pcp_response *r)
{
	const uint8_t *p = buf + HDR_LEN;

	memset(r, 0, sizeof(*r));
	if (len < REFUSAL_LEN || !(buf[1] & RESPONSE))
		return -EBADMSG;
	r->version = buf[0];
	r->result = buf[3];
	if (r->result == PCP_UNSUPP_VERSION && r->version != VERSION)
		return 0;
	if (len < PCP_MAP_LEN || len > PCP_MAX_LEN || len % 4 ||
	    r->version != VERSION || r->result == PCP_UNSUPP_VERSION ||
	    buf[1] != (RESPONSE | OPCODE_MAP))
		return -EBADMSG;
	r->lifetime_s = kturn_get32(buf + 4);
	r->epoch_s = kturn_get32(buf + 8);
	memcpy(r->map.nonce, p, PCP_NONCE_LEN);
	r->map.protocol = p[12];
	r->map.port = kturn_get16(p + 16);
	get_addr(p + 20, &r->map.external);
	kturn_addr_set_port(&r->map.external, kturn_get16(p + 18));
	return 0;
}

bool pcp_map_answers(const struct pcp_map *asked, const struct pcp_response *r)
{
	return !memcmp(asked->nonce, r->map.nonce, PCP_NONCE_LEN) &&
	       asked->protocol == r->map.protocol && asked->port == r->map.port;
}

const char *pcp_result_name(uint8_t result)
{
	static const char *const names[] = {
		"SUCCESS", "UNSUPP_VERSION", "NOT_AUTHORIZED",
		"MALFORMED_REQUEST", "UNSUPP_OPCODE", "UNSUPP_OPTION",
		"MALFORMED_OPTION", "NETWORK_FAILURE", "NO_RESOURCES",
		"UNSUPP_PROTOCOL", "USER_EX_QUOTA", "CANNOT_PROVIDE_EXTERNAL",
		"ADDRESS_MISMATCH", "EXCESSIVE_REMOTE_PEERS",
	};

	return result < ARRAY_SIZE(names) ? names[result] :
					    "a result code unknown to RFC 6887";
}
