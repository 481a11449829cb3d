// SPDX-License-Identifier: GPL-2.0-or-later
/* pcp_map_parse(): what comes to a PCP client; and what it sends. */
#include "../../user/kturnd/nat/pcp_wire.h"
#include "fuzz.h"

/* A request for the mapping, turned into its answer, is the same again. */
static void check_again(const struct pcp_response *r)
{
	struct kturn_addr client = r->map.external;
	__u8 buf[PCP_MAP_LEN];
	struct pcp_response again;

	pcp_map_build(buf, &client, &r->map, r->lifetime_s);
	FUZZ_ASSERT(pcp_map_parse(buf, sizeof(buf), &again) == -EBADMSG);
	buf[1] |= 0x80;
	FUZZ_ASSERT(!pcp_map_parse(buf, sizeof(buf), &again));
	FUZZ_ASSERT(pcp_map_answers(&r->map, &again));
	FUZZ_ASSERT(again.lifetime_s == r->lifetime_s);
	FUZZ_ASSERT(!memcmp(&again.map.external, &r->map.external,
			    sizeof(client)));
}

int fuzz_one(const __u8 *data, size_t size)
{
	__u8 *p = fuzz_copy(data, size);
	struct pcp_response r;
	int ret = pcp_map_parse(p, size, &r);

	free(p);
	FUZZ_ASSERT(!ret || ret == -EBADMSG);
	if (ret)
		return 0;
	FUZZ_ASSERT(pcp_result_name(r.result));
	if (r.result == PCP_UNSUPP_VERSION) {
		FUZZ_ASSERT(size >= 4 && r.version != 2);
		FUZZ_ASSERT(r.map.external.family == KTURN_FAMILY_NONE);
		return 0;
	}
	FUZZ_ASSERT(size >= PCP_MAP_LEN && size <= PCP_MAX_LEN && !(size % 4));
	FUZZ_ASSERT(r.version == 2 && !r.map.external.pad);
	FUZZ_ASSERT(r.map.external.family == KTURN_FAMILY_V4 ||
		    r.map.external.family == KTURN_FAMILY_V6);
	check_again(&r);
	return 0;
}
