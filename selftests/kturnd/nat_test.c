// SPDX-License-Identifier: GPL-2.0-or-later
/* What a PCP client sends and reads, and a gateway's clock. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../ktap.h"
#include "kturn.h"
#include "kturnd/nat/epoch.h"
#include "kturnd/nat/pcp_wire.h"

/* RFC 6887 figures 2 and 9. */
static const uint8_t request[PCP_MAP_LEN] = {
	2, 1, 0, 0,
	0, 0, 0x1c, 0x20,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 5, 0, 2,
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
	17, 0, 0, 0,
	0x0d, 0x96, 0xc3, 0x50,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1,
};

/* RFC 6887 figures 3 and 10; what is reserved is ignored. */
static const uint8_t response[PCP_MAP_LEN] = {
	2, 0x81, 0x55, 0,
	0, 0, 0, 120,
	0, 1, 0, 2,
	9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
	17, 0x55, 0x55, 0x55,
	0x0d, 0x96, 0xc3, 0x50,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1,
};

static struct kturn_addr addr(const char *text)
{
	struct kturn_addr a = { 0 };

	KTAP_CHECK(!kturn_addr_parse(text, &a));
	return a;
}

static struct pcp_map mapping(void)
{
	struct pcp_map map = {
		.nonce = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
		.protocol = IPPROTO_UDP,
		.port = 3478,
	};

	map.external = addr("192.0.2.1:50000");
	return map;
}

/* A copy without a byte beyond. */
static int parse(const uint8_t *bytes, size_t len, struct pcp_response *r)
{
	uint8_t *copy = malloc(len ? len : 1);
	int ret;

	memcpy(copy, bytes, len);
	ret = pcp_map_parse(copy, len, r);
	free(copy);
	return ret;
}

static void build(void)
{
	struct kturn_addr v4 = addr("10.5.0.2"), v6 = addr("2001:db8::2");
	static const uint8_t none[16] = { 0 };
	static const uint8_t none4[16] = { [10] = 0xff, [11] = 0xff };
	struct pcp_map map = mapping();
	uint8_t buf[PCP_MAP_LEN];

	memset(buf, 0x55, sizeof(buf));
	pcp_map_build(buf, &v4, &map, 7200);
	KTAP_MEM_EQ(buf, request, sizeof(request));
	/* Section 11.1: no preference. */
	map.external = (struct kturn_addr){ 0 };
	pcp_map_build(buf, &v4, &map, 0);
	KTAP_MEM_EQ(buf + 4, none, 4);
	KTAP_MEM_EQ(buf + 42, none, 2);
	KTAP_MEM_EQ(buf + 44, none4, 16);
	pcp_map_build(buf, &v6, &map, 0);
	KTAP_MEM_EQ(buf + 8, v6.ip, 16);
	KTAP_MEM_EQ(buf + 44, none, 16);
}

static void read_success(void)
{
	struct pcp_map map = mapping();
	struct pcp_response r;
	uint8_t longer[PCP_MAP_LEN + 4] = { 0 };

	KTAP_EQ(parse(response, sizeof(response), &r), 0);
	KTAP_EQ(r.version, 2);
	KTAP_EQ(r.result, PCP_SUCCESS);
	KTAP_EQ(r.lifetime_s, 120);
	KTAP_EQ(r.epoch_s, 0x10002);
	KTAP_EQ(r.map.protocol, IPPROTO_UDP);
	KTAP_EQ(r.map.port, 3478);
	KTAP_MEM_EQ(&r.map.external, &map.external, sizeof(map.external));
	KTAP_CHECK(pcp_map_answers(&map, &r));
	/* Options follow. */
	memcpy(longer, response, sizeof(response));
	KTAP_EQ(parse(longer, sizeof(longer), &r), 0);
}

/* Section 11.4: of the rest nothing is compared. */
static void read_others(void)
{
	struct pcp_map map = mapping();
	struct pcp_response r;

	KTAP_EQ(parse(response, sizeof(response), &r), 0);
	r.map.external = addr("192.0.2.9:1");
	KTAP_CHECK(pcp_map_answers(&map, &r));
	r.map.nonce[11]++;
	KTAP_CHECK(!pcp_map_answers(&map, &r));
	r.map.nonce[11]--;
	r.map.protocol = IPPROTO_TCP;
	KTAP_CHECK(!pcp_map_answers(&map, &r));
	r.map.protocol = IPPROTO_UDP;
	r.map.port++;
	KTAP_CHECK(!pcp_map_answers(&map, &r));
}

/* Section 8.3. */
static void read_invalid(void)
{
	uint8_t buf[PCP_MAX_LEN + 4] = { 0 };
	struct pcp_response r;
	size_t len;

	for (len = 0; len < sizeof(response); len++)
		KTAP_EQ(parse(response, len, &r), -EBADMSG);
	memcpy(buf, response, sizeof(response));
	KTAP_EQ(parse(buf, PCP_MAP_LEN + 2, &r), -EBADMSG);
	KTAP_EQ(parse(buf, PCP_MAX_LEN, &r), 0);
	KTAP_EQ(parse(buf, PCP_MAX_LEN + 4, &r), -EBADMSG);
	/* A request, other opcodes, other versions. */
	KTAP_EQ(parse(request, sizeof(request), &r), -EBADMSG);
	buf[1] = 0x80;
	KTAP_EQ(parse(buf, PCP_MAP_LEN, &r), -EBADMSG);
	buf[1] = 0x81;
	buf[0] = 1;
	KTAP_EQ(parse(buf, PCP_MAP_LEN, &r), -EBADMSG);
}

static void read_refusals(void)
{
	/* RFC 6886 section 3.5: a gateway that has NAT-PMP only. */
	static const uint8_t natpmp[8] = { 0, 0x81, 0, 1, 0, 0, 0, 9 };
	uint8_t buf[PCP_MAP_LEN];
	struct pcp_response r;

	KTAP_EQ(parse(natpmp, sizeof(natpmp), &r), 0);
	KTAP_EQ(r.result, PCP_UNSUPP_VERSION);
	KTAP_EQ(r.version, 0);
	memcpy(buf, response, sizeof(buf));
	buf[3] = PCP_USER_EX_QUOTA;
	KTAP_EQ(parse(buf, sizeof(buf), &r), 0);
	KTAP_EQ(r.result, PCP_USER_EX_QUOTA);
	KTAP_CHECK(!strcmp(pcp_result_name(r.result), "USER_EX_QUOTA"));
	KTAP_CHECK(!strcmp(pcp_result_name(13), "EXCESSIVE_REMOTE_PEERS"));
	KTAP_CHECK(pcp_result_name(255));
	/* That version it has. */
	buf[3] = PCP_UNSUPP_VERSION;
	KTAP_EQ(parse(buf, sizeof(buf), &r), -EBADMSG);
}

/* RFC 6887 section 8.5. */
static void clock_pcp(void)
{
	struct epoch e = { 0 };

	KTAP_CHECK(epoch_pcp(&e, 1000000, 5000));
	KTAP_CHECK(epoch_pcp(&e, 1060000, 5060));
	KTAP_CHECK(epoch_pcp(&e, 1060000, 5059));
	KTAP_CHECK(!epoch_pcp(&e, 1060000, 5057));
	/* Clocks may differ by a sixteenth and two seconds. */
	KTAP_CHECK(epoch_pcp(&e, 1160000, 5057 + 92));
	KTAP_CHECK(!epoch_pcp(&e, 1260000, 5149 + 91));
	KTAP_CHECK(epoch_pcp(&e, 1360000, 5240 + 108));
	KTAP_CHECK(!epoch_pcp(&e, 1460000, 5348 + 110));
	/* Just restarted, after it had just been started. */
	KTAP_CHECK(epoch_pcp(&e, 1463000, 5461));
	e = (struct epoch){ 0 };
	KTAP_CHECK(epoch_pcp(&e, 1000, 1));
	KTAP_CHECK(!epoch_pcp(&e, 5000, 0));
	KTAP_CHECK(epoch_pcp(&e, 6000, 1));
}

/* RFC 6886 section 3.6. */
static void clock_natpmp(void)
{
	struct epoch e = { 0 };

	KTAP_CHECK(epoch_natpmp(&e, 1000000, 5000));
	KTAP_CHECK(epoch_natpmp(&e, 1800000, 5800));
	KTAP_CHECK(epoch_natpmp(&e, 2600000, 5800 + 698));
	KTAP_CHECK(!epoch_natpmp(&e, 3400000, 6498 + 697));
	/* It may leap. */
	KTAP_CHECK(epoch_natpmp(&e, 3400000, 9000));
	KTAP_CHECK(!epoch_natpmp(&e, 3400000, 8997));
}

static const struct ktap_case cases[] = {
	{ "PCP: a MAP request's layout", build },
	{ "PCP: a MAP response's layout", read_success },
	{ "PCP: which request a response is to", read_others },
	{ "PCP: what is ignored", read_invalid },
	{ "PCP: refusals", read_refusals },
	{ "PCP: the epoch", clock_pcp },
	{ "NAT-PMP: the epoch", clock_natpmp },
};

int main(void)
{
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	return ktap_end();
}
