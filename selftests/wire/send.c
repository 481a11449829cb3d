// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Send indications. Each message is parsed whole and from every beginning of
 * it, the rest given as the tail; all of that must say the same.
 */
#include <stdio.h>

#include "wire_test.h"

#define PEER4		"00120008 " ADDR4_HEX
#define PEER6		"00120014 " ADDR6_HEX
#define DATA_HELLO	"00130005 68656c6c 6feeeeee "
#define DATA_EMPTY	"00130000 "
#define DONT_FRAGMENT	"001a0000 "
#define SOFTWARE	"80220005 6b747572 6e000000 "
#define FINGERPRINT	"80280004 deadbeef "
#define INTEGRITY	"00080014 00000000 00000000 00000000 00000000 00000000 "
#define INTEGRITY256	"001c0010 00000000 00000000 00000000 00000000 "
#define LIFETIME	"000d0004 00000258 "

struct send_case {
	const char *attrs;
	int ret;
	size_t need;	/* fewest bytes from the start that don't say -EMSGSIZE */
	__u16 data_off;
	__u16 data_len;
	__u8 family;
	bool dont_fragment;
};

#define V4	KTURN_FAMILY_V4
#define V6	KTURN_FAMILY_V6

static const struct send_case orders[] = {
	{ PEER4 DATA_HELLO, 0, 36, 36, 5, V4, false },
	{ DATA_HELLO PEER4, 0, 24, 24, 5, V4, false },
	{ DATA_HELLO PEER4 FINGERPRINT, 0, 24, 24, 5, V4, false },
	{ PEER6 DATA_HELLO, 0, 48, 48, 5, V6, false },
	{ PEER6 DATA_EMPTY, 0, 48, 48, 0, V6, false },
	{ DATA_EMPTY PEER6, 0, 24, 24, 0, V6, false },
	{ DONT_FRAGMENT PEER4 DATA_HELLO, 0, 40, 40, 5, V4, true },
	{ PEER4 DONT_FRAGMENT DATA_HELLO, 0, 40, 40, 5, V4, true },
	{ PEER4 DATA_HELLO DONT_FRAGMENT, 0, 36, 36, 5, V4, true },
	{ DATA_HELLO DONT_FRAGMENT PEER6, 0, 24, 24, 5, V6, true },
};

static const struct send_case tolerated[] = {
	{ SOFTWARE PEER4 DATA_HELLO, 0, 48, 48, 5, V4, false },
	{ PEER4 DATA_HELLO SOFTWARE FINGERPRINT, 0, 36, 36, 5, V4, false },
	/* FINGERPRINT need be neither right nor last. */
	{ FINGERPRINT PEER4 DATA_HELLO, 0, 44, 44, 5, V4, false },
	/* unknown, comprehension-optional */
	{ "ffff0000" PEER4 "80050001 ff000000" DATA_HELLO "c0570004 00010032",
	  0, 48, 48, 5, V4, false },
	/* known, without a meaning here, wherever it stands */
	{ LIFETIME PEER4 LIFETIME DATA_HELLO LIFETIME, 0, 52, 52, 5, V4, false },
	{ "00060001 61000000" PEER4 DATA_HELLO, 0, 44, 44, 5, V4, false },
	{ "00220000" PEER4 DATA_HELLO, 0, 40, 40, 5, V4, false },
	/* of two the first counts, and the other may be anything */
	{ PEER4 PEER6 DATA_HELLO, 0, 60, 60, 5, V4, false },
	{ PEER6 DATA_HELLO PEER4, 0, 48, 48, 5, V6, false },
	{ DATA_HELLO PEER6 PEER4, 0, 24, 24, 5, V6, false },
	{ PEER4 DATA_HELLO DATA_EMPTY, 0, 36, 36, 5, V4, false },
	{ PEER4 DATA_EMPTY DATA_HELLO, 0, 36, 36, 0, V4, false },
	{ DATA_HELLO DATA_EMPTY PEER4 DATA_HELLO, 0, 24, 24, 5, V4, false },
	{ PEER4 "00120004 00000000" DATA_HELLO, 0, 44, 44, 5, V4, false },
	{ PEER4 DATA_HELLO "00120000", 0, 36, 36, 5, V4, false },
	{ DONT_FRAGMENT DONT_FRAGMENT PEER4 DATA_HELLO,
	  0, 44, 44, 5, V4, true },
	{ "001a0004 00000000" PEER4 DATA_HELLO, 0, 44, 44, 5, V4, true },
};

static const struct send_case incomplete[] = {
	{ "", -EBADMSG, 20, 0, 0, 0, false },
	{ PEER4, -EBADMSG, 32, 0, 0, 0, false },
	{ PEER6 SOFTWARE, -EBADMSG, 48, 0, 0, 0, false },
	{ SOFTWARE, -EBADMSG, 24, 0, 0, 0, false },
	{ DATA_HELLO, -EBADMSG, 24, 0, 0, 0, false },
	{ DATA_EMPTY, -EBADMSG, 24, 0, 0, 0, false },
	{ DATA_HELLO SOFTWARE, -EBADMSG, 24, 0, 0, 0, false },
};

static const struct send_case malformed[] = {
	/* peer addresses: length, family */
	{ "00120004 0001a147" DATA_HELLO, -EBADMSG, 28, 0, 0, 0, false },
	{ "00120000" DATA_HELLO, -EBADMSG, 24, 0, 0, 0, false },
	{ "00120014 0001a147 00000000 00000000 00000000 00000000" DATA_HELLO,
	  -EBADMSG, 44, 0, 0, 0, false },
	{ "00120008 0003a147 e112a643" DATA_HELLO,
	  -EBADMSG, 32, 0, 0, 0, false },
	{ DATA_HELLO "00120008 0000a147 e112a643",
	  -EBADMSG, 24, 0, 0, 0, false },
	/* The first one counts, even when a good one follows. */
	{ "00120008 0002a147 e112a643" PEER4 DATA_HELLO,
	  -EBADMSG, 32, 0, 0, 0, false },
	/* attributes longer than the message */
	{ PEER4 "00130005 68656c6c", -EBADMSG, 36, 0, 0, 0, false },
	{ PEER4 "0013ffff", -EBADMSG, 36, 0, 0, 0, false },
	{ PEER4 DATA_HELLO "80220001", -EBADMSG, 36, 0, 0, 0, false },
	{ DATA_HELLO "00120014" ADDR4_HEX, -EBADMSG, 24, 0, 0, 0, false },
	{ "8022fff0" PEER4 DATA_HELLO, -EBADMSG, 24, 0, 0, 0, false },
	/* What is wrong first is what is said. */
	{ PEER4 "00131000" INTEGRITY, -EBADMSG, 36, 0, 0, 0, false },
	{ "7ffe0fff" PEER4 DATA_HELLO, -EBADMSG, 24, 0, 0, 0, false },
	{ "00080fff" PEER4 DATA_HELLO, -EBADMSG, 24, 0, 0, 0, false },
};

static const struct send_case refused[] = {
	{ INTEGRITY PEER4 DATA_HELLO, -EOPNOTSUPP, 24, 0, 0, 0, false },
	{ PEER4 DATA_HELLO INTEGRITY, -EOPNOTSUPP, 36, 0, 0, 0, false },
	{ PEER4 INTEGRITY256 DATA_HELLO, -EOPNOTSUPP, 36, 0, 0, 0, false },
	{ DATA_HELLO PEER4 INTEGRITY256 FINGERPRINT,
	  -EOPNOTSUPP, 24, 0, 0, 0, false },
	/* What follows MESSAGE-INTEGRITY does not matter. */
	{ PEER4 DATA_HELLO INTEGRITY "80221000",
	  -EOPNOTSUPP, 36, 0, 0, 0, false },
	{ INTEGRITY, -EOPNOTSUPP, 24, 0, 0, 0, false },
	/* unknown, comprehension-required: reserved, others', none's */
	{ "00000000" PEER4 DATA_HELLO, -EOPNOTSUPP, 24, 0, 0, 0, false },
	{ "00100004 00000000" PEER4 DATA_HELLO,
	  -EOPNOTSUPP, 24, 0, 0, 0, false },
	{ PEER4 "00240004 6e0001ff" DATA_HELLO,
	  -EOPNOTSUPP, 36, 0, 0, 0, false },
	{ PEER4 DATA_HELLO "00250000", -EOPNOTSUPP, 36, 0, 0, 0, false },
	{ PEER4 DATA_HELLO "7fff0000", -EOPNOTSUPP, 36, 0, 0, 0, false },
	{ DATA_HELLO "00210000" PEER4, -EOPNOTSUPP, 24, 0, 0, 0, false },
	{ PEER4 "7fff0000 80221000", -EOPNOTSUPP, 36, 0, 0, 0, false },
	{ DATA_HELLO "7fff0000", -EOPNOTSUPP, 24, 0, 0, 0, false },
};

static void check_fields(const struct kturn_send *send,
			 const struct send_case *c)
{
	KTAP_MEM_EQ(&send->peer, c->family == V4 ? &addr4 : &addr6,
		    sizeof(addr4));
	KTAP_MEM_EQ(send->tid, test_tid, sizeof(test_tid));
	KTAP_CHECK(send->has_data);
	KTAP_EQ(send->data_off, c->data_off);
	KTAP_EQ(send->data_len, c->data_len);
	KTAP_EQ(send->dont_fragment, c->dont_fragment);
	KTAP_EQ(send->tail_off, 0);
	KTAP_EQ(send->tail_len, 0);
}

/* The beginning and, if it is asked for, the tail, each on its own. */
static int parse_split(const struct bytes *msg, size_t avail,
		       struct kturn_send *send)
{
	struct bytes part = bytes_copy(msg->p, avail);
	int ret = kturn_send_parse(part.p, avail, msg->len, send);
	size_t len;

	bytes_free(&part);
	if (ret || !send->tail_len) {
		if (!ret)
			KTAP_EQ(send->tail_off, 0);
		return ret;
	}

	KTAP_CHECK(avail < msg->len);
	KTAP_EQ(send->tail_off + send->tail_len, msg->len);
	KTAP_EQ(send->tail_off % 4, 0);
	KTAP_CHECK(send->tail_off >= send->data_off + send->data_len);
	len = send->tail_len;
	part = bytes_copy(msg->p + send->tail_off, len);
	ret = kturn_send_parse_tail(part.p, len, send);
	bytes_free(&part);
	return ret;
}

static void check_case(const struct send_case *c)
{
	struct bytes msg = msg_make(KTURN_TYPE_SEND_IND, c->attrs);
	struct kturn_send send;
	size_t avail;
	bool ok = true;
	int ret;

	for (avail = 0; avail <= msg.len; avail++) {
		ret = parse_split(&msg, avail, &send);
		ok &= KTAP_EQ(ret, avail < c->need ? -EMSGSIZE : c->ret);
		if (!ret)
			check_fields(&send, c);
	}
	/* More than there is counts as all of it. */
	ok &= KTAP_EQ(kturn_send_parse(msg.p, msg.len + 4, msg.len, &send),
		      c->ret);
	if (!ok)
		printf("#   in %s\n", c->attrs);
	bytes_free(&msg);
}

static void check_cases(const struct send_case *cases, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		check_case(&cases[i]);
}

static void send_orders(void)
{
	check_cases(orders, KTAP_COUNT(orders));
}

static void send_tolerated(void)
{
	check_cases(tolerated, KTAP_COUNT(tolerated));
}

static void send_incomplete(void)
{
	check_cases(incomplete, KTAP_COUNT(incomplete));
}

static void send_malformed(void)
{
	check_cases(malformed, KTAP_COUNT(malformed));
}

static void send_refused(void)
{
	check_cases(refused, KTAP_COUNT(refused));
}

static void check_not_send(const char *what, struct bytes *msg)
{
	struct kturn_send send;
	size_t avail;
	int want, ret;

	for (avail = 0; avail <= msg->len; avail++) {
		want = avail < 20 && msg->len >= 20 ? -EMSGSIZE : -EBADMSG;
		ret = parse_split(msg, avail, &send);
		if (!KTAP_EQ(ret, want))
			printf("#   %s, the first %zu bytes\n", what, avail);
	}
	bytes_free(msg);
}

static void send_not(void)
{
	static const unsigned int types[] = {
		0x0006, 0x0106, 0x0116, 0x0017, 0x0011, 0x0001, 0x4016, 0x8016,
		0xc016,
	};
	struct bytes msg, whole = msg_make(0x0016, PEER4 DATA_HELLO);
	size_t i;

	for (i = 0; i < KTAP_COUNT(types); i++) {
		msg = msg_make(types[i], PEER4 DATA_HELLO);
		check_not_send("another type", &msg);
	}
	for (i = 0; i < whole.len; i++) {
		msg = bytes_copy(whole.p, i);
		check_not_send("truncated", &msg);
	}
	for (i = 4; i < 8; i++) {
		msg = bytes_copy(whole.p, whole.len);
		msg.p[i] ^= 0x80;
		check_not_send("wrong cookie", &msg);
	}
	for (i = 1; i < 8; i++) {
		msg = bytes_copy(whole.p, whole.len);
		msg.p[3] ^= i;
		check_not_send("wrong length", &msg);
	}
	bytes_free(&whole);
}

/* The longest message: its tail is still where 16 bits can say. */
static void send_longest(void)
{
	static __u8 big[65540];
	struct kturn_send send;
	struct bytes msg = msg_make(KTURN_TYPE_SEND_IND, "");

	memcpy(big, msg.p, msg.len);
	bytes_free(&msg);
	kturn_stun_set_length(big, 65532 - 20);
	kturn_put16(big + 20, KTURN_ATTR_DATA);
	kturn_put16(big + 22, 65532 - 24 - 12);
	msg = bytes_hex(PEER4);
	memcpy(big + 65532 - 12, msg.p, msg.len);
	bytes_free(&msg);

	msg = bytes_copy(big, 65532);
	KTAP_EQ(kturn_send_parse(msg.p, 24, msg.len, &send), 0);
	KTAP_EQ(send.tail_off, 65520);
	KTAP_EQ(send.tail_len, 12);
	KTAP_EQ(kturn_send_parse_tail(msg.p + 65520, 12, &send), 0);
	KTAP_MEM_EQ(&send.peer, &addr4, sizeof(addr4));
	KTAP_EQ(send.data_len, 65496);
	bytes_free(&msg);

	kturn_stun_set_length(big, 65536 - 20);
	KTAP_EQ(kturn_send_parse(big, 24, 65536, &send), -EBADMSG);
}

/* A tail that is not the one that was asked for. */
static void send_wrong_tail(void)
{
	struct bytes msg = msg_make(KTURN_TYPE_SEND_IND, DATA_HELLO PEER4);
	struct kturn_send send;
	size_t len;

	for (len = 0; len <= 16; len++) {
		KTAP_EQ(kturn_send_parse(msg.p, 24, msg.len, &send), 0);
		KTAP_EQ(send.tail_len, 12);
		KTAP_EQ(kturn_send_parse_tail(msg.p + send.tail_off, len,
					      &send),
			len == 12 ? 0 : -EBADMSG);
	}

	memset(&send, 0, sizeof(send));
	KTAP_EQ(kturn_send_parse_tail(msg.p + 32, 0, &send), -EBADMSG);
	bytes_free(&msg);
}

const struct ktap_case send_cases[] = {
	{ "Send: every order, every split", send_orders },
	{ "Send: what is tolerated, every split", send_tolerated },
	{ "Send: XOR-PEER-ADDRESS or DATA missing", send_incomplete },
	{ "Send: malformed attributes", send_malformed },
	{ "Send: MESSAGE-INTEGRITY and unknown attributes", send_refused },
	{ "Send: other messages and truncations", send_not },
	{ "Send: longest message", send_longest },
	{ "Send: wrong tail", send_wrong_tail },
};

const size_t send_count = KTAP_COUNT(send_cases);
