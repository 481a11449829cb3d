// SPDX-License-Identifier: GPL-2.0-or-later
/* What kturnd's streams are made of: messages, PROXY headers, queues. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../ktap.h"
#include "kturnd/transport/frame.h"
#include "kturnd/transport/proxy.h"
#include "kturnd/transport/queue.h"

/* frame_len() of a copy without a byte beyond. */
static ssize_t frame(const char *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	ssize_t ret;

	memcpy(copy, bytes, len);
	ret = frame_len(copy, len);
	free(copy);
	return ret;
}

#define FRAME(text) frame(text, sizeof(text) - 1)

static void frames_end(void)
{
	KTAP_EQ(FRAME("\x00\x01\x00\x00\x21\x12\xa4\x42"), 20);
	KTAP_EQ(FRAME("\x00\x03\x00\x08\x21\x12\xa4\x42 more"), 28);
	KTAP_EQ(FRAME("\x01\x13\xff\xfc\x21\x12\xa4\x42"), FRAME_MAX);
	/* RFC 8656 section 12.5: padded, but the length does not say so. */
	KTAP_EQ(FRAME("\x40\x00\x00\x00"), 4);
	KTAP_EQ(FRAME("\x40\x00\x00\x01"), 8);
	KTAP_EQ(FRAME("\x40\x00\x00\x04"), 8);
	KTAP_EQ(FRAME("\x4f\xff\x00\x05"), 12);
	KTAP_EQ(FRAME("\x7f\xff\xff\xff"), 65540);
}

static void frames_not_told(void)
{
	static const char stun[] = "\x00\x01\x00\x08\x21\x12\xa4\x42";
	size_t i;

	for (i = 0; i < 4; i++) {
		KTAP_EQ(frame(stun, i), 0);
		KTAP_EQ(frame("\x40\x00\x00\x08", i), 0);
	}
	/* The magic cookie is looked at when all of it is there. */
	for (i = 4; i < sizeof(stun); i++)
		KTAP_EQ(frame(stun, i), 28);
}

static void frames_are_none(void)
{
	KTAP_EQ(FRAME("\x80"), -EBADMSG);
	KTAP_EQ(FRAME("\xff\xff\xff\xff"), -EBADMSG);
	/* It would be ChannelData, but for its length. */
	KTAP_EQ(FRAME("GET / HTTP/1.1\r\n"), 4 + 0x5420);
	KTAP_EQ(FRAME("\x16\x03\x01\x02"), -EBADMSG);
	KTAP_EQ(FRAME("\x00\x01\x00\x02\x21\x12\xa4\x42"), -EBADMSG);
	KTAP_EQ(FRAME("\x00\x01\x00\x00\x21\x12\xa4\x43"), -EBADMSG);
	KTAP_EQ(FRAME("\x00\x01\x00\x00" "abcd"), -EBADMSG);
}

/* ------------------------------------------------------------ PROXY headers */

#define SIGNATURE	"\r\n\r\n\0\r\nQUIT\n"

static ssize_t header(const char *bytes, size_t len, struct proxy_header *h,
		      size_t *missing)
{
	uint8_t *copy = malloc(len ? len : 1);
	ssize_t ret;

	memcpy(copy, bytes, len);
	ret = proxy_parse(copy, len, h, missing);
	free(copy);
	return ret;
}

#define HEADER(text, h, missing) header(text, sizeof(text) - 1, h, missing)

static const char ipv4[] = SIGNATURE "\x21\x11\x00\x0c"
	"\xc0\x00\x02\x01" "\xc6\x33\x64\x01" "\x9c\x40" "\x0d\x96";

static void headers_say_who(void)
{
	struct proxy_header h;
	size_t missing;

	KTAP_EQ(header(ipv4, sizeof(ipv4) - 1, &h, &missing), 28);
	KTAP_CHECK(!h.local);
	KTAP_EQ(h.client.family, KTURN_FAMILY_V4);
	KTAP_MEM_EQ(h.client.ip, "\xc0\x00\x02\x01", 4);
	KTAP_EQ(kturn_addr_port(&h.client), 40000);
	KTAP_MEM_EQ(h.server.ip, "\xc6\x33\x64\x01", 4);
	KTAP_EQ(kturn_addr_port(&h.server), 3478);
	/* What follows is the stream's. */
	KTAP_EQ(HEADER(SIGNATURE "\x20\x00\x00\x00" "rest", &h, &missing), 16);
	KTAP_CHECK(h.local);
	/* And more of the header's own, which is not looked at. */
	KTAP_EQ(HEADER(SIGNATURE "\x21\x11\x00\x0f"
		       "\xc0\x00\x02\x01" "\xc6\x33\x64\x01" "\x9c\x40\x0d\x96"
		       "\x04\x00\x00", &h, &missing), 31);
}

static void headers_ipv6(void)
{
	struct proxy_header h;
	size_t missing;

	KTAP_EQ(HEADER(SIGNATURE "\x21\x21\x00\x24"
		       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
		       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
		       "\x9c\x40" "\x0d\x96", &h, &missing), 52);
	KTAP_EQ(h.client.family, KTURN_FAMILY_V6);
	KTAP_EQ(h.client.ip[15], 1);
	KTAP_EQ(h.server.ip[15], 2);
	/* A v4-mapped address is an IPv4 address. */
	KTAP_EQ(HEADER(SIGNATURE "\x21\x21\x00\x24"
		       "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01"
		       "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x01"
		       "\x9c\x40" "\x0d\x96", &h, &missing), 52);
	KTAP_EQ(h.client.family, KTURN_FAMILY_V4);
	KTAP_MEM_EQ(h.client.ip, "\xc0\x00\x02\x01", 4);
}

static void headers_in_pieces(void)
{
	struct proxy_header h;
	size_t i, missing;

	for (i = 1; i < sizeof(ipv4) - 1; i++) {
		missing = 0;
		KTAP_EQ(header(ipv4, i, &h, &missing), 0);
		KTAP_EQ(missing, i < 16 ? 16 : 28);
	}
}

static void headers_are_none(void)
{
	struct proxy_header h;
	size_t missing;

	KTAP_EQ(HEADER("\x00\x01", &h, &missing), -EBADMSG);
	KTAP_EQ(HEADER("\r\n\r\n\0\r\nQUIT\r", &h, &missing), -EBADMSG);
	KTAP_EQ(HEADER("PROXY TCP4 192.0.2.1 ", &h, &missing), -EBADMSG);
	/* Version 1 and 3, a command that there is not. */
	KTAP_EQ(HEADER(SIGNATURE "\x11\x11\x00\x00", &h, &missing), -EBADMSG);
	KTAP_EQ(HEADER(SIGNATURE "\x31\x11\x00\x00", &h, &missing), -EBADMSG);
	KTAP_EQ(HEADER(SIGNATURE "\x22\x11\x00\x00", &h, &missing), -EBADMSG);
	/* Too short for its addresses. */
	KTAP_EQ(HEADER(SIGNATURE "\x21\x11\x00\x04" "abcd", &h, &missing),
		-EBADMSG);
	KTAP_EQ(HEADER(SIGNATURE "\x21\x21\x00\x0c" "abcdefghijkl", &h,
		       &missing), -EBADMSG);
	/* UDP, a Unix socket, nothing. */
	KTAP_EQ(HEADER(SIGNATURE "\x21\x12\x00\x00", &h, &missing),
		-EPROTONOSUPPORT);
	KTAP_EQ(HEADER(SIGNATURE "\x21\x31\x00\x00", &h, &missing),
		-EPROTONOSUPPORT);
	KTAP_EQ(HEADER(SIGNATURE "\x21\x00\x00\x00", &h, &missing),
		-EPROTONOSUPPORT);
	/* Before all of it is there. */
	KTAP_EQ(HEADER(SIGNATURE "\x21\x11\xff\xff", &h, &missing), -EMSGSIZE);
}

/* ------------------------------------------------------------------- queues */

#define PIECE	1000

static uint8_t out[QUEUE_MAX];

/* A message that is all @byte. */
static bool add(struct queue *q, char byte, size_t len, bool is_data)
{
	uint8_t *bytes = malloc(len);
	bool ret;

	memset(bytes, byte, len);
	ret = queue_add(q, bytes, len, is_data);
	free(bytes);
	return ret;
}

/* The first bytes of what waits, of each message. */
static const char *waiting(const struct queue *q)
{
	static char text[1024];
	struct queue_item *item;
	size_t n = 0;

	TAILQ_FOREACH(item, &q->items, entry)
		text[n++] = (char)item->bytes[0];
	text[n] = '\0';
	return text;
}

static void queue_in_order(void)
{
	struct queue q;

	queue_init(&q);
	KTAP_CHECK(queue_empty(&q));
	add(&q, 'a', 4, true);
	add(&q, 'b', 4, false);
	add(&q, 'c', 4, true);
	KTAP_EQ(queue_gather(&q, out, sizeof(out), false), 12);
	KTAP_MEM_EQ(out, "aaaabbbbcccc", 12);
	KTAP_EQ(queue_gather(&q, out, sizeof(out), true), 4);
	queue_sent(&q, 6);
	KTAP_EQ(queue_gather(&q, out, sizeof(out), false), 6);
	KTAP_MEM_EQ(out, "bbcccc", 6);
	KTAP_EQ(queue_gather(&q, out, sizeof(out), true), 2);
	KTAP_EQ(queue_gather(&q, out, 3, false), 3);
	queue_sent(&q, 6);
	KTAP_CHECK(queue_empty(&q));
	KTAP_EQ(queue_gather(&q, out, sizeof(out), false), 0);
	queue_free(&q);
}

static void queue_drops_the_oldest(void)
{
	struct queue q;
	int i;

	queue_init(&q);
	add(&q, 'A', PIECE, false);
	for (i = 0; i < QUEUE_DATA_MAX / PIECE - 1; i++)
		KTAP_CHECK(add(&q, 'a', PIECE, true));
	KTAP_EQ(q.dropped, 0);
	KTAP_CHECK(add(&q, 'b', PIECE, true));
	KTAP_EQ(q.dropped, 1);
	for (i = 0; i < QUEUE_DATA_MAX / PIECE - 2; i++)
		add(&q, 'c', PIECE, true);
	KTAP_EQ(q.dropped, QUEUE_DATA_MAX / PIECE - 1);
	/* The answer stays, and what came last. */
	KTAP_CHECK(!strncmp(waiting(&q), "Abccc", 5));
	KTAP_CHECK(q.bytes <= QUEUE_DATA_MAX);
	/* An answer makes room for itself, too. */
	KTAP_CHECK(add(&q, 'B', PIECE, false));
	KTAP_CHECK(!strncmp(waiting(&q), "Accc", 4));
	KTAP_EQ(waiting(&q)[strlen(waiting(&q)) - 1], 'B');
	queue_free(&q);
}

static void queue_finishes_what_is_begun(void)
{
	struct queue q;
	int i;

	queue_init(&q);
	add(&q, 'a', PIECE, true);
	add(&q, 'b', PIECE, true);
	add(&q, 'c', PIECE, true);
	/* A part of the first is sent, and a part of the second announced. */
	queue_sent(&q, 10);
	queue_begin(&q, PIECE);
	for (i = 0; i < 2 * QUEUE_DATA_MAX / PIECE; i++)
		add(&q, 'd', PIECE, true);
	KTAP_CHECK(!strncmp(waiting(&q), "abddd", 5));
	KTAP_EQ(queue_gather(&q, out, sizeof(out), false), PIECE);
	KTAP_EQ(out[PIECE - 11], 'a');
	KTAP_EQ(out[PIECE - 10], 'b');
	queue_sent(&q, PIECE);
	KTAP_EQ(q.begun, 0);
	/* Of the second there are 990 left. */
	KTAP_CHECK(queue_gather(&q, out, sizeof(out), true) == PIECE - 10);
	queue_free(&q);
}

static void queue_has_an_end(void)
{
	struct queue q;
	int i = 0;

	queue_init(&q);
	while (add(&q, 'A', PIECE, false))
		i++;
	KTAP_EQ(i, QUEUE_MAX / PIECE);
	/* Data has no place, which is no error. */
	KTAP_CHECK(add(&q, 'a', PIECE, true));
	KTAP_EQ(q.dropped, 1);
	KTAP_EQ(waiting(&q)[strlen(waiting(&q)) - 1], 'A');
	queue_free(&q);
	KTAP_CHECK(queue_empty(&q));
}

static const struct ktap_case cases[] = {
	{ "frame: where messages end", frames_end },
	{ "frame: too little to tell", frames_not_told },
	{ "frame: no messages", frames_are_none },
	{ "proxy: who is at the other end", headers_say_who },
	{ "proxy: IPv6, and IPv4 in it", headers_ipv6 },
	{ "proxy: in pieces", headers_in_pieces },
	{ "proxy: no headers", headers_are_none },
	{ "queue: in order, in parts", queue_in_order },
	{ "queue: the oldest data gives way", queue_drops_the_oldest },
	{ "queue: what is begun is finished", queue_finishes_what_is_begun },
	{ "queue: answers that nobody reads", queue_has_an_end },
};

int main(void)
{
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	return ktap_end();
}
