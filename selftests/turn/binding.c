// SPDX-License-Identifier: GPL-2.0-or-later
/* Binding, and what holds for every STUN message before its method counts. */
#include <arpa/inet.h>

#include "turn_test.h"

static struct client c;

static const uint8_t big[2000];

static void begin(struct request *r)
{
	req_begin(r, &c, KTURN_BINDING);
}

static void mapped_address(void)
{
	struct kturn_attr attr;
	struct kturn_addr got;
	struct request r;

	world_begin();
	client_init(&c, 40000);
	begin(&r);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_MAPPED_ADDRESS, &got));
	KTAP_MEM_EQ(&got, &c.tuple.client, sizeof(got));
	KTAP_CHECK(resp_attr(KTURN_ATTR_SOFTWARE, &attr));
	KTAP_EQ(attr.len, strlen(SOFTWARE));
	KTAP_MEM_EQ(attr.value, SOFTWARE, strlen(SOFTWARE));
	KTAP_EQ(resp_count(KTURN_ATTR_FINGERPRINT), 0);
	KTAP_EQ(resp.len, 20 + 12 + 16);

	c.tuple.client = addr("[2001:db8::9]:999");
	begin(&r);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_MAPPED_ADDRESS, &got));
	KTAP_MEM_EQ(&got, &c.tuple.client, sizeof(got));
	KTAP_EQ(turn_counters(world.s)->requests, 2);
	world_stop();

	/* Nothing to say about the software, and too much. */
	world_init();
	world.cfg.software = NULL;
	world_start();
	begin(&r);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_EQ(resp_count(KTURN_ATTR_SOFTWARE), 0);
	world_stop();
}

static void fingerprint(void)
{
	struct request r;
	size_t i;

	world_begin();
	client_init(&c, 40000);
	c.fingerprint = true;
	begin(&r);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_EQ(resp_count(KTURN_ATTR_FINGERPRINT), 1);

	/* Any wrong bit of it, and the message is none. */
	for (i = 0; i < 32; i++) {
		begin(&r);
		kturn_build_fingerprint(&r.b);
		r.buf[24 + i / 8] ^= 1 << i % 8;
		KTAP_EQ(client_send_raw(&c, r.buf, r.b.len), NO_REPLY);
	}
	KTAP_EQ(turn_counters(world.s)->malformed, 32);

	/* Not the last attribute. */
	begin(&r);
	kturn_build_fingerprint(&r.b);
	req_attr(&r, KTURN_ATTR_SOFTWARE, "abcd", 4);
	KTAP_EQ(client_send_raw(&c, r.buf, r.b.len), NO_REPLY);
	world_stop();
}

static void silent(void)
{
	static const uint16_t types[] = {
		0x0011,					/* Binding indication */
		0x0101, 0x0111, 0x0103, 0x0113,		/* responses */
		0x0013, 0x0014, 0x0018, 0x0019,		/* never indications */
		0x0006, 0x0007, 0x0017,			/* Send, Data */
		0x0000, 0x0002, 0x0005, 0x000a, 0x3eef,	/* unknown methods */
	};
	struct request r;
	size_t i;

	world_begin();
	client_init(&c, 40000);
	for (i = 0; i < KTAP_COUNT(types); i++) {
		begin(&r);
		kturn_put16(r.buf, types[i]);
		KTAP_EQ(client_send_raw(&c, r.buf, r.b.len), NO_REPLY);
	}
	KTAP_EQ(turn_counters(world.s)->malformed, KTAP_COUNT(types) - 1);
	world_stop();
}

/* Headers that are not STUN's, and lengths that are not the datagram's. */
static void headers(void)
{
	static const struct {
		size_t at;
		uint8_t value;
	} table[] = {
		{ 0, 0x80 }, { 0, 0xc0 }, { 2, 1 }, { 3, 4 }, { 3, 1 },
		{ 4, 0 }, { 5, 0 }, { 6, 0 }, { 7, 0 },
	};
	struct request r;
	size_t i;

	world_begin();
	client_init(&c, 40000);
	for (i = 0; i < KTAP_COUNT(table); i++) {
		begin(&r);
		r.buf[table[i].at] = table[i].value;
		KTAP_EQ(client_send_raw(&c, r.buf, r.b.len), NO_REPLY);
	}
	begin(&r);
	for (i = 0; i < r.b.len; i++)
		KTAP_EQ(client_send_raw(&c, r.buf, i), NO_REPLY);
	KTAP_EQ(client_send_raw(&c, r.buf, r.b.len + 1), NO_REPLY);
	KTAP_EQ(client_send_raw(&c, r.buf, r.b.len + 4), NO_REPLY);
	KTAP_EQ(turn_counters(world.s)->requests, 0);
	KTAP_EQ(turn_counters(world.s)->malformed,
		KTAP_COUNT(table) + r.b.len + 2);
	world_stop();
}

static void check_unknown(const uint16_t *want, size_t n)
{
	struct kturn_attr attr;
	size_t i;

	KTAP_EQ(resp.code, 420);
	KTAP_CHECK(resp.len <= 200);
	if (!KTAP_CHECK(resp_attr(KTURN_ATTR_UNKNOWN_ATTRIBUTES, &attr)) ||
	    !KTAP_EQ(attr.len, 2 * n))
		return;
	for (i = 0; i < n; i++)
		KTAP_EQ(kturn_get16(attr.value + 2 * i), want[i]);
}

static void unknown_attributes(void)
{
	static const uint16_t three[] = { 0x7fff, 0x0002, 0x0024 };
	uint16_t many[64];
	struct request r;
	size_t i;

	world_begin();
	client_init(&c, 40000);

	/* In their order and each once, however often and long they are. */
	begin(&r);
	req_attr(&r, 0x7fff, "x", 1);
	req_attr(&r, 0x8fff, "optional", 8);
	req_attr(&r, KTURN_ATTR_LIFETIME, "known", 5);
	req_attr(&r, 0x0002, "", 0);
	req_attr(&r, 0x7fff, "again", 5);
	req_attr(&r, 0x0024, "priority", 8);
	req_send(&r, &c);
	check_unknown(three, 3);

	/* Optional ones only: ignored. Known ones that mean nothing here too. */
	begin(&r);
	req_attr(&r, 0x8000, "x", 1);
	req_attr(&r, 0xffff, "x", 1);
	req_attr(&r, KTURN_ATTR_XOR_PEER_ADDRESS, "x", 1);
	req_attr(&r, KTURN_ATTR_ERROR_CODE, "x", 1);
	KTAP_EQ(req_send(&r, &c), SUCCESS);

	/* More than a reply has room for. */
	c.fingerprint = true;
	begin(&r);
	for (i = 0; i < 500; i++) {
		req_attr(&r, 0x4000 + i, "", 0);
		if (i < KTAP_COUNT(many))
			many[i] = 0x4000 + i;
	}
	req_send(&r, &c);
	check_unknown(many, KTAP_COUNT(many));
	KTAP_EQ(resp_count(KTURN_ATTR_FINGERPRINT), 1);
	c.fingerprint = false;
	world_stop();
}

/* RFC 5780; answers from other addresses are looked at by kturnd/discovery.sh. */
static void discovery(void)
{
	static const uint16_t change[] = { KTURN_ATTR_CHANGE_REQUEST };
	struct turn_discovery d = { .addr = { addr("203.0.113.1:3478"),
					      addr("203.0.113.2:3479") } };
	struct kturn_attr attr;
	struct request r;
	int len;

	/* Without a second address it is not known. */
	world_begin();
	client_init(&c, 40000);
	begin(&r);
	req_u32(&r, KTURN_ATTR_CHANGE_REQUEST, 0);
	req_send(&r, &c);
	check_unknown(change, 1);
	begin(&r);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_EQ(resp_count(KTURN_ATTR_OTHER_ADDRESS), 0);
	world_stop();

	world_init();
	world.cfg.discovery = &d;
	world.cfg.n_discovery = 1;
	world_start();
	begin(&r);
	KTAP_EQ(req_send(&r, &c), SUCCESS);
	KTAP_CHECK(resp_attr(KTURN_ATTR_OTHER_ADDRESS, &attr));
	KTAP_MEM_EQ(attr.value, "\x00\x01\x0d\x97\xcb\x00\x71\x02", 8);
	KTAP_CHECK(resp_attr(KTURN_ATTR_RESPONSE_ORIGIN, &attr));
	KTAP_MEM_EQ(attr.value, "\x00\x01\x0d\x96\xcb\x00\x71\x01", 8);
	KTAP_EQ(resp_count(KTURN_ATTR_MAPPED_ADDRESS), 1);
	KTAP_EQ(resp_count(KTURN_ATTR_XOR_MAPPED_ADDRESS), 1);
	KTAP_EQ(resp_count(KTURN_ATTR_PADDING), 0);
	/* As much padding as was sent, and not more than a path takes. */
	for (len = 0; len < 2000; len += 100) {
		begin(&r);
		req_attr(&r, KTURN_ATTR_PADDING, big, len);
		KTAP_EQ(req_send(&r, &c), SUCCESS);
		KTAP_CHECK(resp_attr(KTURN_ATTR_PADDING, &attr));
		KTAP_EQ(attr.len, len < 1500 ? len : 1500);
	}
	/* What can't be: section 6.1, and lengths. */
	begin(&r);
	req_attr(&r, KTURN_ATTR_PADDING, big, 4);
	req_u32(&r, KTURN_ATTR_RESPONSE_PORT, 40000u << 16);
	KTAP_EQ(req_send(&r, &c), 400);
	begin(&r);
	req_attr(&r, KTURN_ATTR_RESPONSE_PORT, big, 3);
	KTAP_EQ(req_send(&r, &c), 400);
	begin(&r);
	req_u32(&r, KTURN_ATTR_RESPONSE_PORT, 0);
	KTAP_EQ(req_send(&r, &c), 400);
	begin(&r);
	req_attr(&r, KTURN_ATTR_CHANGE_REQUEST, big, 2);
	KTAP_EQ(req_send(&r, &c), 400);
	/* Nor in other requests, nor where there is no other address to answer
	 * from.
	 */
	client_challenge(&c);
	req_begin(&r, &c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	req_u32(&r, KTURN_ATTR_CHANGE_REQUEST, 0);
	req_refused(&r, &c, 420);
	c.tuple.transport = TURN_TCP;
	begin(&r);
	req_u32(&r, KTURN_ATTR_CHANGE_REQUEST, 6);
	req_send(&r, &c);
	check_unknown(change, 1);
	c.tuple.transport = TURN_UDP;
	c.tuple.server = addr("203.0.113.3:3478");
	begin(&r);
	req_u32(&r, KTURN_ATTR_CHANGE_REQUEST, 6);
	req_send(&r, &c);
	check_unknown(change, 1);
	world_stop();
}

/* RFC 8489 section 9: what follows an integrity attribute does not exist. */
static void after_integrity(void)
{
	static const uint16_t types[] = {
		KTURN_ATTR_MESSAGE_INTEGRITY,
		KTURN_ATTR_MESSAGE_INTEGRITY_SHA256,
	};
	struct request r;
	size_t i;

	world_begin();
	client_init(&c, 40000);
	for (i = 0; i < KTAP_COUNT(types); i++) {
		begin(&r);
		req_attr(&r, types[i], NULL, i ? 32 : 20);
		req_attr(&r, 0x7abc, "x", 1);
		KTAP_EQ(req_send(&r, &c), SUCCESS);
	}
	world_stop();
}

/* An attribute that does not fit: 400, but only if that is not larger. */
static void broken(void)
{
	struct request r;
	size_t body;
	int code;

	world_begin();
	client_init(&c, 40000);
	for (body = 0; body <= 200; body += 4) {
		begin(&r);
		if (body)
			req_attr(&r, 0x8abc, NULL, body - 4);
		/* It says to be longer than all that is there. */
		req_attr(&r, 0x8abd, NULL, 0);
		kturn_put16(r.buf + r.b.len - 2, 1);
		code = client_send_raw(&c, r.buf, r.b.len);
		if (code == NO_REPLY)
			KTAP_CHECK(r.b.len < 28);
		else
			KTAP_CHECK(code == 400 && resp.len <= r.b.len);
	}

	/* The same of a method that wants credentials. */
	for (body = 0; body <= 200; body += 4) {
		req_begin(&r, &c, KTURN_ALLOCATE);
		if (body)
			req_attr(&r, 0x8abc, NULL, body - 4);
		req_attr(&r, 0x8abd, NULL, 0);
		kturn_put16(r.buf + r.b.len - 2, 1);
		code = client_send_raw(&c, r.buf, r.b.len);
		if (code == NO_REPLY)
			KTAP_CHECK(r.b.len < 28);
		else
			KTAP_CHECK(code == 400 && resp.len <= r.b.len);
	}
	world_stop();
}

static void other_datagrams(void)
{
	uint8_t buf[64];
	size_t i, len;

	world_begin();
	client_init(&c, 40000);
	for (i = 0; i < 256; i++) {
		memset(buf, i, sizeof(buf));
		for (len = 0; len <= sizeof(buf); len += 7)
			KTAP_EQ(client_send_raw(&c, buf, len), NO_REPLY);
	}
	KTAP_EQ(turn_counters(world.s)->requests, 0);
	world_stop();
}

/* RFC 8489 section 11: without the magic cookie, over DTLS only. */
static void classic(void)
{
	static const uint8_t want[] = {
		0x01, 0x11, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
		14, 15, 16, 0, 9, 0, 16, 0, 0, 5, 0, 'S', 'e', 'r', 'v', 'e',
		'r', ' ', 'E', 'r', 'r', 'o', 'r',
	};
	uint8_t buf[24] = { 0, 1, 0, 4 };
	enum turn_transport transport;
	size_t i, len;

	for (i = 4; i < 20; i++)
		buf[i] = i - 3;
	world_begin();
	client_init(&c, 40000);
	for (transport = TURN_UDP; transport <= TURN_DTLS; transport++) {
		c.tuple.transport = transport;
		/* Of the right length only, a request only. */
		for (len = 0; len <= sizeof(buf); len++) {
			for (i = 0; i < 4; i++) {
				buf[0] = i >> 1;
				buf[1] = 1 | (i & 1) << 4;
				world_clear();
				turn_client_input(world.s, world.now,
						  world.wall, &c.tuple, buf,
						  len);
				KTAP_EQ(world.n_sent,
					transport == TURN_DTLS && len == 24 &&
					!i);
			}
		}
	}
	buf[0] = 0;
	buf[1] = 1;
	world_clear();
	turn_client_input(world.s, world.now, world.wall, &c.tuple, buf,
			  sizeof(buf));
	KTAP_EQ(world.n_sent, 1);
	KTAP_EQ(world.sent[0].len, sizeof(want));
	KTAP_MEM_EQ(world.sent[0].p, want, sizeof(want));
	KTAP_EQ(turn_counters(world.s)->requests, 0);
	world_stop();
}

const struct ktap_case binding_cases[] = {
	{ "binding: NAT behaviour discovery", discovery },
	{ "binding: XOR-MAPPED-ADDRESS, without credentials", mapped_address },
	{ "binding: FINGERPRINT is checked and returned", fingerprint },
	{ "binding: indications, responses, unknown methods", silent },
	{ "binding: bad headers", headers },
	{ "binding: 420 lists unknown attributes", unknown_attributes },
	{ "binding: attributes after integrity are ignored", after_integrity },
	{ "binding: 400 never larger than the request", broken },
	{ "binding: what is no STUN", other_datagrams },
	{ "binding: classic STUN, over DTLS", classic },
};

const size_t binding_count = KTAP_COUNT(binding_cases);
