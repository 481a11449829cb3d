// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unit tests of libkturn that need no kernel module.
 *
 *	lib_test		run them
 *	lib_test --names	print every name that the library knows, for
 *				the comparison with the spec
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../ktap.h"
#include "internal.h"

/* --------------------------------------------------------------- addresses */

static void addr_accepted(void)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{ "192.0.2.1:3478", "192.0.2.1:3478" },
		{ "192.0.2.1", "192.0.2.1" },
		{ "[2001:db8::1]:3478", "[2001:db8::1]:3478" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "2001:DB8:0::1", "2001:db8::1" },
		{ "::", "::" },
		{ "[::ffff:192.0.2.1]:65535", "192.0.2.1:65535" },
		{ "::ffff:c000:201", "192.0.2.1" },
		{ "192.0.2.1:00001", "192.0.2.1:1" },
	};
	struct kturn_addr addr;
	char buf[KTURN_ADDR_TEXT_MAX];

	for (size_t i = 0; i < KTAP_COUNT(cases); i++) {
		KTAP_EQ(kturn_addr_parse(cases[i].text, &addr), 0);
		KTAP_CHECK(!strcmp(kturn_addr_text(&addr, buf),
				   cases[i].canonical));
	}
	KTAP_EQ(kturn_addr_parse("192.0.2.1:258", &addr), 0);
	KTAP_EQ(addr.family, KTURN_FAMILY_V4);
	KTAP_MEM_EQ(addr.ip, "\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	KTAP_MEM_EQ(&addr.port, "\1\2", 2);
	KTAP_EQ(addr.pad, 0);
	memset(&addr, 0, sizeof(addr));
	KTAP_CHECK(!strcmp(kturn_addr_text(&addr, buf), "none"));
}

static void addr_refused(void)
{
	static const char *const cases[] = {
		"", ":", ":1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
		"192.0.2.1:+1", "192.0.2.1: 1", "192.0.2.1:1x", "192.0.2",
		"192.0.2.256", "192.0.2.1:000001", "[", "[]", "[]:1",
		"[192.0.2.1]:1", "[2001:db8::1]x", "[2001:db8::1]:",
		"[2001:db8::1:1", "2001:db8::1]:1", "fe80::1%lo", "host:1",
		"192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192",
	};
	struct kturn_addr addr, untouched;

	memset(&addr, 0x5a, sizeof(addr));
	untouched = addr;
	for (size_t i = 0; i < KTAP_COUNT(cases); i++)
		KTAP_EQ(kturn_addr_parse(cases[i], &addr), -EINVAL);
	KTAP_MEM_EQ(&addr, &untouched, sizeof(addr));
}

/* ------------------------------------------------------------------ errors */

static struct kturn fake = { .family = 0x20 };
static char req_buf[KT_REQUEST_MAX] __attribute__((aligned(8)));
static char err_buf[1024] __attribute__((aligned(8)));

static struct nlmsghdr *error_begin(int err, int flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(err_buf);
	struct nlmsgerr *e;

	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_flags = flags;
	e = mnl_nlmsg_put_extra_header(nlh, sizeof(*e));
	memset(e, 0, sizeof(*e));
	e->error = err;
	e->msg.nlmsg_len = ((struct nlmsghdr *)req_buf)->nlmsg_len;
	return nlh;
}

static bool says(const struct nlmsghdr *nlh, int err, const char *text)
{
	char got[KT_ERROR_MAX];
	int ret = kt_error_read(nlh, (void *)req_buf, got, sizeof(got));

	if (ret == err && !strcmp(got, text))
		return true;
	printf("# %d: %s\n", ret, got);
	return false;
}

/* alloc-new with everything; returns the offset of the server's port. */
static size_t request_make(void)
{
	struct nlmsghdr *nlh = kt_request(&fake, req_buf, KTURN_CMD_ALLOC_NEW);
	struct kturn_alloc a = { .lifetime_ms = 1, .label = "label" };
	const struct nlattr *attr, *inner;
	const char *why;

	KTAP_EQ(kturn_addr_parse("192.0.2.1:1", &a.client), 0);
	KTAP_EQ(kturn_addr_parse("[2001:db8::1]:2", &a.server), 0);
	KTAP_EQ(kt_put_alloc(nlh, &a, &why), 0);
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN)
		if (mnl_attr_get_type(attr) == KTURN_A_ALLOC_SERVER)
			mnl_attr_for_each_nested(inner, attr)
				if (mnl_attr_get_type(inner) ==
				    KTURN_A_ENDPOINT_PORT)
					return (char *)inner - req_buf;
	return 0;
}

static void error_attribute(void)
{
	size_t at = request_make();
	struct nlmsghdr *nlh;

	KTAP_CHECK(at);
	nlh = error_begin(-EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "must not be 0");
	mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, at);
	KTAP_CHECK(says(nlh, -EINVAL, "server.port: must not be 0"));

	/* The header of an attribute that comes before it in the message. */
	nlh = error_begin(-EEXIST, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, NLMSG_HDRLEN + GENL_HDRLEN);
	KTAP_CHECK(says(nlh, -EEXIST, "client: File exists"));

	nlh = error_begin(-ERANGE, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "out of range");
	mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, at);
	{
		struct nlattr *nest = mnl_attr_nest_start(nlh,
						NLMSGERR_ATTR_POLICY);

		mnl_attr_put_u64(nlh, NL_POLICY_TYPE_ATTR_MIN_VALUE_U, 1);
		mnl_attr_put_u64(nlh, NL_POLICY_TYPE_ATTR_MAX_VALUE_U, 9);
		mnl_attr_nest_end(nlh, nest);
	}
	KTAP_CHECK(says(nlh, -ERANGE,
			"server.port: out of range (allowed: 1 to 9)"));
}

static void error_missing(void)
{
	struct nlmsghdr *nlh;
	size_t at = request_make();

	nlh = error_begin(-EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	mnl_attr_put_u32(nlh, NLMSGERR_ATTR_MISS_TYPE, KTURN_A_ALLOC_RELAY4);
	KTAP_CHECK(says(nlh, -EINVAL, "relay4: is missing"));

	nlh = error_begin(-EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "no port");
	mnl_attr_put_u32(nlh, NLMSGERR_ATTR_MISS_TYPE, KTURN_A_ENDPOINT_PORT);
	mnl_attr_put_u32(nlh, NLMSGERR_ATTR_MISS_NEST,
			 NLMSG_HDRLEN + GENL_HDRLEN);
	KTAP_CHECK(says(nlh, -EINVAL, "client.port: no port"));

	/* One that this library does not know yet. */
	nlh = error_begin(-EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	mnl_attr_put_u32(nlh, NLMSGERR_ATTR_MISS_TYPE, 999);
	KTAP_CHECK(says(nlh, -EINVAL, "attribute 999: is missing"));
	KTAP_CHECK(at);
}

static void error_plain(void)
{
	const struct nlmsghdr *req = (void *)req_buf;
	struct nlmsghdr *nlh;
	size_t len;

	request_make();
	KTAP_CHECK(says(error_begin(0, 0), 0, ""));
	KTAP_CHECK(says(error_begin(-ENOMEM, NLM_F_CAPPED), -ENOMEM,
			"Cannot allocate memory"));
	KTAP_CHECK(says(error_begin(-EPERM, NLM_F_CAPPED), -EPERM,
			"needs CAP_NET_ADMIN in the user namespace "
			"that owns the network namespace"));
	KTAP_CHECK(says(error_begin(-ENOENT, NLM_F_CAPPED), -ENOENT,
			"the kturn kernel module is not loaded any more"));

	/* Not capped: the request comes first. */
	nlh = error_begin(-EINVAL, NLM_F_ACK_TLVS);
	len = req->nlmsg_len - NLMSG_HDRLEN;
	memset(mnl_nlmsg_put_extra_header(nlh, len), 0xff, len);
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "words");
	KTAP_CHECK(says(nlh, -EINVAL, "words"));
}

static void error_dump(void)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(err_buf);
	int *status;

	request_make();
	nlh->nlmsg_type = NLMSG_DONE;
	KTAP_CHECK(says(nlh, 0, ""));
	status = mnl_nlmsg_put_extra_header(nlh, sizeof(*status));
	*status = -ENOENT;
	nlh->nlmsg_flags = NLM_F_ACK_TLVS;
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "no such owner");
	KTAP_CHECK(says(nlh, -ENOENT, "no such owner"));
	*status = 1;
	KTAP_CHECK(says(nlh, -EBADMSG, "can't read the kernel's answer"));
}

/* Whatever an error message holds, nothing outside of it is read. */
static void error_garbage(void)
{
	char text[KT_ERROR_MAX];
	struct nlmsghdr *copy;
	unsigned int seed = 1;
	size_t len;

	request_make();
	for (int i = 0; i < 20000; i++) {
		len = NLMSG_HDRLEN + rand_r(&seed) % 120;
		copy = calloc(1, MNL_ALIGN(len));
		for (size_t j = 0; j < len; j++)
			((uint8_t *)copy)[j] = rand_r(&seed) >> 8;
		copy->nlmsg_len = len;
		copy->nlmsg_type = i % 2 ? NLMSG_ERROR : NLMSG_DONE;
		copy->nlmsg_flags = NLM_F_ACK_TLVS |
			(i % 3 ? NLM_F_CAPPED : 0);
		if (len >= NLMSG_HDRLEN + 4)
			*(int *)mnl_nlmsg_get_payload(copy) = -EINVAL;
		/* Small attributes of types that are known, half of the time */
		for (size_t j = NLMSG_HDRLEN + (i % 2 ? 20 : 4);
		     i % 4 < 2 && j + 4 <= len; j += 8) {
			struct nlattr *attr = (void *)((char *)copy + j);

			attr->nla_len = rand_r(&seed) % 16;
			attr->nla_type = rand_r(&seed) % 8;
		}
		kt_error_read(copy, (void *)req_buf, text, sizeof(text));
		KTAP_CHECK(strlen(text) < sizeof(text));
		free(copy);
	}
}

static void error_long(void)
{
	char words[600], text[64];
	struct nlmsghdr *nlh;

	request_make();
	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	nlh = error_begin(-EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, words);
	KTAP_EQ(kt_error_read(nlh, (void *)req_buf, text, sizeof(text)),
		-EINVAL);
	KTAP_EQ(strlen(text), sizeof(text) - 1);
}

/* ----------------------------------------------------------------- replies */

static void reply_round_trip(void)
{
	struct nlmsghdr *nlh = kt_request(&fake, req_buf, KTURN_CMD_ALLOC_GET);
	struct kturn_alloc a = {
		.l3mdev = 7, .lifetime_ms = 12345, .label = "a \"label\"",
		.flags = KTURN_ALLOC_FLAGS_EXCLUSIVE, .owner_data = "\0data",
		.owner_data_len = 5,
		.limit_to_peer = { UINT64_MAX, 1ULL << 40, UINT32_MAX, 5 },
		.limit_to_client = { .packet_rate = 7 },
		.quota = {
			{ UINT64_MAX, { 1, 2, 3, 4 } },
			{ .to_client = { .bit_rate = UINT64_MAX } },
		},
		.n_quotas = 2,
	}, got;
	const char *why;

	kturn_addr_parse("192.0.2.1:1", &a.client);
	kturn_addr_parse("[2001:db8::1]:2", &a.server);
	kturn_addr_parse("192.0.2.2:3", &a.relay[0]);
	kturn_addr_parse("[2001:db8::3]:4", &a.relay[1]);
	KTAP_EQ(kt_put_alloc(nlh, &a, &why), 0);
	KTAP_EQ(kt_parse_alloc(nlh, &got), 0);
	KTAP_MEM_EQ(&got.client, &a.client, sizeof(a.client));
	KTAP_MEM_EQ(&got.server, &a.server, sizeof(a.server));
	KTAP_MEM_EQ(got.relay, a.relay, sizeof(a.relay));
	KTAP_EQ(got.l3mdev, 7);
	KTAP_EQ(got.lifetime_ms, 12345);
	KTAP_EQ(got.flags, KTURN_ALLOC_FLAGS_EXCLUSIVE);
	KTAP_CHECK(!strcmp(got.label, a.label));
	KTAP_EQ(got.owner_data_len, 5);
	KTAP_MEM_EQ(got.owner_data, "\0data", 5);
	KTAP_EQ(got.gone, -1);
	KTAP_MEM_EQ(&got.limit_to_peer, &a.limit_to_peer,
		    sizeof(a.limit_to_peer));
	KTAP_MEM_EQ(&got.limit_to_client, &a.limit_to_client,
		    sizeof(a.limit_to_client));
	KTAP_EQ(got.n_quotas, 2);
	KTAP_MEM_EQ(got.quota, a.quota, sizeof(a.quota));
	a.n_quotas = KTURN_QUOTAS_MAX + 1;
	KTAP_EQ(kt_put_alloc(nlh, &a, &why), -EINVAL);
}

/* No limit is no attribute; a limit that is taken away is an empty one. */
static void limit_absent(void)
{
	struct nlmsghdr *nlh = kt_request(&fake, req_buf, KTURN_CMD_ALLOC_NEW);
	struct kturn_alloc a = { .lifetime_ms = 1 };
	const struct kturn_limit none = { 0 };
	const struct nlattr *attr;
	int found = 0;
	const char *why;

	kturn_addr_parse("192.0.2.1:1", &a.client);
	kturn_addr_parse("192.0.2.1:2", &a.server);
	KTAP_EQ(kt_put_alloc(nlh, &a, &why), 0);
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN)
		found += mnl_attr_get_type(attr) >= KTURN_A_ALLOC_LIMIT_TO_PEER;
	KTAP_EQ(found, 0);
	kt_put_limit(nlh, KTURN_A_ALLOC_LIMIT_TO_CLIENT, &none);
	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		if (mnl_attr_get_type(attr) != KTURN_A_ALLOC_LIMIT_TO_CLIENT)
			continue;
		KTAP_EQ(mnl_attr_get_payload_len(attr), 0);
		found++;
	}
	KTAP_EQ(found, 1);
}

/* Every shortened message is refused or read, and never read past its end. */
static void reply_shortened(void)
{
	struct nlmsghdr *nlh = kt_request(&fake, req_buf, KTURN_CMD_ALLOC_GET);
	struct kturn_alloc a = {
		.lifetime_ms = 1, .label = "label",
		.limit_to_peer = { 1, 2, 3, 4 },
	};
	struct kturn_stats st;
	struct kturn_chan c;
	struct nlmsghdr *copy;
	struct nlattr *nest;
	const char *why;

	kturn_addr_parse("192.0.2.1:1", &a.client);
	kturn_addr_parse("[2001:db8::1]:2", &a.server);
	KTAP_EQ(kt_put_alloc(nlh, &a, &why), 0);
	nest = mnl_attr_nest_start(nlh, KTURN_A_ALLOC_TO_PEER);
	mnl_attr_put_u64(nlh, KTURN_A_COUNTER_BYTES, 1);
	mnl_attr_nest_end(nlh, nest);
	for (size_t len = NLMSG_HDRLEN; len < nlh->nlmsg_len; len++) {
		copy = calloc(1, MNL_ALIGN(len));
		memcpy(copy, nlh, len);
		copy->nlmsg_len = len;
		kt_parse_alloc(copy, &a);
		kt_parse_stats(copy, &st);
		kt_parse_chan(copy, &c);
		free(copy);
	}

	/* A value that is too short is an error, not a guess. */
	nlh = kt_request(&fake, req_buf, KTURN_CMD_ALLOC_GET);
	mnl_attr_put_u16(nlh, KTURN_A_ALLOC_ID, 1);
	KTAP_EQ(kt_parse_alloc(nlh, &a), -EBADMSG);
	nlh->nlmsg_len = NLMSG_HDRLEN;
	KTAP_EQ(kt_parse_alloc(nlh, &a), -EBADMSG);
}

static void reply_reasons(void)
{
	struct nlmsghdr *nlh = kt_request(&fake, req_buf, KTURN_CMD_STATS_GET);
	static const uint32_t reasons[] = { 0, 3, 63, 64, UINT32_MAX };
	struct kturn_stats st;
	struct nlattr *nest;

	for (size_t i = 0; i < KTAP_COUNT(reasons); i++) {
		nest = mnl_attr_nest_start(nlh, KTURN_A_STATS_PUNT);
		mnl_attr_put_u32(nlh, KTURN_A_REASON_COUNT_REASON, reasons[i]);
		mnl_attr_put_u64(nlh, KTURN_A_REASON_COUNT_PACKETS, i + 1);
		mnl_attr_nest_end(nlh, nest);
	}
	KTAP_EQ(kt_parse_stats(nlh, &st), 0);
	KTAP_EQ(st.punt[0], 1);
	KTAP_EQ(st.punt[3], 2);
	KTAP_EQ(st.punt[63], 3);
	KTAP_EQ(st.punt[4], 0);
	KTAP_EQ(st.drop[0], 0);
}

/* ------------------------------------------------------------------- batch */

static void batch_refused(void)
{
	struct kturn kt = { .family = 0x20 };
	struct kturn_batch *b = kturn_batch_new(&kt);
	struct kturn_addr none = { 0 };
	struct kturn_alloc a = { .lifetime_ms = 1 };

	KTAP_EQ(kturn_batch_alloc_del(b, 1), 0);
	KTAP_EQ(kturn_batch_perm_new(b, 1, &none, 1), -EINVAL);
	KTAP_EQ(kturn_batch_alloc_new(b, &a), -EINVAL);
	kturn_addr_parse("192.0.2.1:1", &a.client);
	a.server = a.client;
	a.relay[1] = a.client;
	KTAP_EQ(kturn_batch_alloc_new(b, &a), -EINVAL);
	a.relay[1] = none;
	memset(a.label, 'x', sizeof(a.label));
	KTAP_EQ(kturn_batch_alloc_new(b, &a), -EINVAL);
	a.label[0] = '\0';
	a.owner_data = req_buf;
	a.owner_data_len = KTURN_OWNER_DATA_MAX + 1;
	KTAP_EQ(kturn_batch_alloc_new(b, &a), -EINVAL);
	/* Nothing is sent: there is no socket that it could be sent on. */
	KTAP_EQ(kturn_batch_run(b), -EINVAL);
	KTAP_CHECK(!strcmp(kturn_error(&kt), "an address is missing"));
	KTAP_EQ(kturn_batch_result(b, 0), -EINVAL);
	KTAP_EQ(kturn_batch_result(b, -1), -EINVAL);
	KTAP_EQ(kturn_batch_id(b, 7), 0);
	KTAP_CHECK(!strcmp(kturn_batch_text(b, -1), ""));
	kturn_batch_free(b);
}

static void names_bounds(void)
{
	KTAP_CHECK(!kturn_drop_name(1000));
	KTAP_CHECK(!kturn_punt_name(UINT32_MAX));
	KTAP_CHECK(!strcmp(kturn_gone_name(-1), "unknown"));
	KTAP_CHECK(!strcmp(kturn_gone_name(3), "unknown"));
	KTAP_CHECK(!kt_attr_set(0));
	KTAP_CHECK(!kt_attr_set(255));
}

static void set_print(const struct kt_attr_set *set)
{
	for (unsigned int i = 1; i <= set->max; i++)
		printf("%s %u %s %s\n", set->name, i, set->attrs[i].name,
		       set->attrs[i].nest ? set->attrs[i].nest->name : "-");
}

static int names_print(void)
{
	for (int i = 1; i <= KTURN_CMD_MAX; i++)
		printf("operation %d %s\n", i, kt_attr_set(i)->name);
	set_print(kt_attr_set(KTURN_CMD_OWNER_GET));
	set_print(kt_attr_set(KTURN_CMD_ALLOC_GET));
	set_print(kt_attr_set(KTURN_CMD_PERM_GET));
	set_print(kt_attr_set(KTURN_CMD_CHAN_GET));
	set_print(kt_attr_set(KTURN_CMD_STATS_GET));
	set_print(kt_attr_set(KTURN_CMD_CONFIG_GET));
	set_print(kt_attr_set(KTURN_CMD_DEVICE_GET));
	set_print(kt_attr_set(KTURN_CMD_ALLOC_GET)
		  ->attrs[KTURN_A_ALLOC_CLIENT].nest);
	set_print(kt_attr_set(KTURN_CMD_ALLOC_GET)
		  ->attrs[KTURN_A_ALLOC_TO_PEER].nest);
	set_print(kt_attr_set(KTURN_CMD_ALLOC_GET)
		  ->attrs[KTURN_A_ALLOC_LIMIT_TO_PEER].nest);
	set_print(kt_attr_set(KTURN_CMD_ALLOC_GET)
		  ->attrs[KTURN_A_ALLOC_QUOTA].nest);
	set_print(kt_attr_set(KTURN_CMD_STATS_GET)
		  ->attrs[KTURN_A_STATS_DROP].nest);
	for (int i = 0; strcmp(kturn_gone_name(i), "unknown"); i++)
		printf("gone-reason %d %s\n", i, kturn_gone_name(i));
	for (int i = 0; kturn_drop_name(i); i++)
		printf("drop-reason %d %s\n", i, kturn_drop_name(i));
	for (int i = 0; kturn_punt_name(i); i++)
		printf("punt-reason %d %s\n", i, kturn_punt_name(i));
	return 0;
}

static const struct ktap_case cases[] = {
	{ "address: accepted and printed", addr_accepted },
	{ "address: refused", addr_refused },
	{ "error: names the attribute", error_attribute },
	{ "error: names what is missing", error_missing },
	{ "error: without details", error_plain },
	{ "error: of a dump", error_dump },
	{ "error: garbage", error_garbage },
	{ "error: cut to the room there is", error_long },
	{ "reply: what was put is what is read", reply_round_trip },
	{ "limit: absent, and taken away", limit_absent },
	{ "reply: shortened", reply_shortened },
	{ "reply: reasons beyond the last", reply_reasons },
	{ "batch: a bad argument stops all of it", batch_refused },
	{ "names: out of range", names_bounds },
};

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--names"))
		return names_print();
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	return ktap_end();
}
