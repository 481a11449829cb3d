// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unit tests of what kturn-pair learns: what the server granted, and never more.
 * Each case has a world of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "../ktap.h"
#include "pair/answer.h"
#include "cases.h"
#include "world.h"

/* ----------------------------------------------------------------- granted */

static void grants(void)
{
	allocate(&client, 1);
	KTAP_EQ(told.allocs, 1);
	KTAP_MEM_EQ(&told.relay[0], &relay4, sizeof(relay4));
	KTAP_EQ(told.relay[1].family, KTURN_FAMILY_NONE);
	KTAP_EQ(told.ms, 599000);
	KTAP_CHECK(!strcmp(told.label, "alice"));
	permit(&client, 2, &peer);
	KTAP_EQ(told.perms, 1);
	KTAP_EQ(told.ms, 299000);
	KTAP_MEM_EQ(&told.peer, &peer, sizeof(peer));
	bind_channel(&client, 3, 0x4000, &other_peer);
	KTAP_EQ(told.perms, 2);
	KTAP_EQ(told.chans, 1);
	KTAP_EQ(told.number, 0x4000);
	KTAP_EQ(told.chan_ms, 599000);
	KTAP_EQ(told.ms, 299000);
	/* Never the permission alone, for which data goes in indications. */
	KTAP_EQ(told.chan_perms, 1);
	KTAP_MEM_EQ(&told.peer, &other_peer, sizeof(peer));
	refresh(&client, 4, 1200);
	KTAP_EQ(told.sets, 1);
	KTAP_EQ(told.ms, 1199000);
	refresh(&client, 5, 0);
	KTAP_EQ(told.dels, 1);
	KTAP_EQ(in_kernel, 0);
	KTAP_CHECK(TAILQ_EMPTY(&l.sessions));
}

static void dual(void)
{
	struct message m = request(&client, KTURN_ALLOCATE, 1), ok;

	see(&m);
	ok = with_relay(answer(&m, KTURN_SUCCESS), &relay4);
	ok = with_u32(with_relay(ok, &relay6), KTURN_ATTR_LIFETIME, 600);
	see(&ok);
	KTAP_EQ(told.allocs, 1);
	KTAP_MEM_EQ(&told.relay[0], &relay4, sizeof(relay4));
	KTAP_MEM_EQ(&told.relay[1], &relay6, sizeof(relay6));
	permit(&client, 2, &peer6);
	KTAP_EQ(told.perms, 1);
	/* Either socket's end is the session's. */
	learn_socket_gone(&l, cookies + kturn_addr_port(&relay6));
	KTAP_EQ(in_kernel, 0);
}

static void several_peers(void)
{
	struct message m = request(&client, KTURN_CREATE_PERMISSION, 2), ok;

	allocate(&client, 1);
	m = with_peer(with_peer(m, &peer), &other_peer);
	see(&m);
	ok = answer(&m, KTURN_SUCCESS);
	see(&ok);
	KTAP_EQ(told.perms, 2);
	/* The operator's list is on top. */
	cfg.deny = calloc(1, sizeof(*cfg.deny));
	cfg.n_deny = 1;
	KTAP_EQ(prefix_parse("203.0.113.2", cfg.deny), 0);
	m.bytes[8]++;
	see(&m);
	ok = answer(&m, KTURN_SUCCESS);
	see(&ok);
	KTAP_EQ(told.perms, 3);
	KTAP_MEM_EQ(&told.peer, &other_peer, sizeof(peer));
	free(cfg.deny);
}

static void external(void)
{
	struct external e;
	struct message m = request(&client, KTURN_ALLOCATE, 1), ok;
	struct kturn_addr outside = relay4;

	outside.ip[3] = 77;
	KTAP_EQ(kturn_addr_parse("203.0.113.77", &e.outside), 0);
	KTAP_EQ(kturn_addr_parse("203.0.113.1", &e.inside), 0);
	cfg.external = &e;
	cfg.n_external = 1;
	see(&m);
	ok = with_u32(with_relay(answer(&m, KTURN_SUCCESS), &outside),
		      KTURN_ATTR_LIFETIME, 600);
	see(&ok);
	KTAP_EQ(told.allocs, 1);
	KTAP_MEM_EQ(&told.relay[0], &relay4, sizeof(relay4));
}

/* Lifetimes begin when the request came, however late we are. */
static void late(void)
{
	struct message m = request(&client, KTURN_REFRESH, 2), ok;

	allocate(&client, 1);
	see(&m);
	now += 5000;
	ok = with_u32(answer(&m, KTURN_SUCCESS), KTURN_ATTR_LIFETIME, 600);
	see(&ok);
	KTAP_EQ(told.ms, 594000);
	m = request(&client, KTURN_REFRESH, 3);
	see(&m);
	now += 5000;
	ok = with_u32(answer(&m, KTURN_SUCCESS), KTURN_ATTR_LIFETIME, 6);
	see(&ok);
	KTAP_EQ(in_kernel, 0);
}

/* ------------------------------------------------------------- not granted */

/* Methods and what the server says to them: nothing comes of it. */
static void refused(void)
{
	struct message m = request(&client, KTURN_ALLOCATE, 1), no;

	see(&m);
	no = answer(&m, KTURN_ERROR);
	see(&no);
	KTAP_EQ(told.allocs, 0);
	allocate(&client, 2);
	m = with_peer(request(&client, KTURN_CREATE_PERMISSION, 3), &peer);
	see(&m);
	no = answer(&m, KTURN_ERROR);
	see(&no);
	KTAP_EQ(told.perms, 0);
	/* What was refused is over: the number may come again. */
	permit(&client, 3, &other_peer);
	KTAP_EQ(told.perms, 1);
	KTAP_MEM_EQ(&told.peer, &other_peer, sizeof(peer));
}

static void asked_only(void)
{
	struct message m = with_peer(request(&client, KTURN_CREATE_PERMISSION,
					     2), &peer);

	allocate(&client, 1);
	see(&m);
	see(&m);
	KTAP_EQ(told.perms, 0);
}

/* Of two requests with one number it is not known which was granted. */
static void two_requests(void)
{
	struct message good = with_peer(request(&client,
						KTURN_CREATE_PERMISSION, 2),
					&peer);
	struct message bad = with_peer(request(&client,
					       KTURN_CREATE_PERMISSION, 2),
				       &other_peer);
	struct message ok = answer(&good, KTURN_SUCCESS);
	struct message no = answer(&good, KTURN_ERROR);

	allocate(&client, 1);
	see(&good);
	see(&bad);
	see(&ok);
	see(&no);
	see(&ok);
	KTAP_EQ(told.perms, 0);
	/* Nor is it later. */
	see(&bad);
	see(&ok);
	KTAP_EQ(told.perms, 0);
	KTAP_EQ(l.counts.unmatched, 3);
}

/* A server that answers from memory has not granted what came second. */
static void answer_again(void)
{
	struct message m = with_peer(request(&client, KTURN_CREATE_PERMISSION,
					     2), &peer), other, ok;

	allocate(&client, 1);
	permit(&client, 2, &peer);
	KTAP_EQ(told.perms, 1);
	ok = answer(&m, KTURN_SUCCESS);
	see(&m);
	see(&ok);
	KTAP_EQ(told.perms, 1);
	other = with_peer(request(&client, KTURN_CREATE_PERMISSION, 2),
			  &other_peer);
	see(&other);
	see(&ok);
	now += 59000;
	learn_tick(&l, now);
	see(&ok);
	KTAP_EQ(told.perms, 1);
}

/* Somebody who can send as the client, but has not seen its number. */
static void spoofed(void)
{
	struct message theirs = with_peer(request(&client,
						  KTURN_CREATE_PERMISSION, 9),
					  &other_peer), no;
	struct message m = with_peer(request(&client, KTURN_CREATE_PERMISSION,
					     2), &peer), ok;

	allocate(&client, 1);
	see(&m);
	see(&theirs);
	no = answer(&theirs, KTURN_ERROR);
	see(&no);
	ok = answer(&m, KTURN_SUCCESS);
	see(&ok);
	KTAP_EQ(told.perms, 1);
	KTAP_MEM_EQ(&told.peer, &peer, sizeof(peer));
	/* Of another address it is another session's, of which there is none. */
	permit(&other_client, 3, &other_peer);
	KTAP_EQ(told.perms, 1);
}

/* An answer that no local socket has sent, or not the server's. */
static void not_the_server(void)
{
	struct message m = request(&client, KTURN_ALLOCATE, 1), ok;

	see(&m);
	ok = with_u32(with_relay(answer(&m, KTURN_SUCCESS), &relay4),
		      KTURN_ATTR_LIFETIME, 600);
	ok.packet.has_uid = false;
	see(&ok);
	KTAP_EQ(told.allocs, 0);
	ok.packet.has_uid = true;
	ok.packet.uid = SERVER_UID + 1;
	see(&ok);
	KTAP_EQ(told.allocs, 0);
	allocate(&client, 2);
	KTAP_EQ(told.allocs, 1);
	m = with_peer(request(&client, KTURN_CREATE_PERMISSION, 3), &peer);
	see(&m);
	ok = answer(&m, KTURN_SUCCESS);
	ok.packet.uid = SERVER_UID + 1;
	see(&ok);
	KTAP_EQ(told.perms, 0);
	server_at_all = false;
	allocate(&other_client, 4);
	KTAP_EQ(told.allocs, 1);
}

/* ---------------------------------------------------------------- oddities */

static void not_understood(void)
{
	static const struct {
		uint16_t type;
		uint32_t value;
	} in_request[] = {
		{ KTURN_ATTR_REQUESTED_TRANSPORT, 6u << 24 },
		{ ATTR_MOBILITY_TICKET, 0 },
		{ 0x7fff, 0 },
	}, in_answer[] = {
		{ ATTR_MOBILITY_TICKET, 0 },
		{ KTURN_ATTR_LIFETIME, 600 },
		{ 0x7fff, 0 },
	};
	struct message m, ok;
	uint8_t tid = 0;

	for (size_t i = 0; i < KTAP_COUNT(in_request); i++) {
		m = with_u32(request(&client, KTURN_ALLOCATE, ++tid),
			     in_request[i].type, in_request[i].value);
		see(&m);
		ok = with_u32(with_relay(answer(&m, KTURN_SUCCESS), &relay4),
			      KTURN_ATTR_LIFETIME, 600);
		see(&ok);
	}
	for (size_t i = 0; i < KTAP_COUNT(in_answer); i++) {
		m = request(&client, KTURN_ALLOCATE, ++tid);
		see(&m);
		ok = with_u32(with_relay(answer(&m, KTURN_SUCCESS), &relay4),
			      KTURN_ATTR_LIFETIME, 600);
		ok = with_u32(ok, in_answer[i].type, in_answer[i].value);
		see(&ok);
	}
	KTAP_EQ(told.allocs, 0);
	KTAP_EQ(l.counts.odd, 6);
}

static void bad_peers(void)
{
	struct message m, ok;

	allocate(&client, 1);
	/* Without a peer, and with one that is cut. */
	m = request(&client, KTURN_CREATE_PERMISSION, 2);
	see(&m);
	ok = answer(&m, KTURN_SUCCESS);
	see(&ok);
	m = with_u32(request(&client, KTURN_CREATE_PERMISSION, 3),
		     KTURN_ATTR_XOR_PEER_ADDRESS, 0x00010000);
	see(&m);
	ok = answer(&m, KTURN_SUCCESS);
	see(&ok);
	KTAP_EQ(told.perms, 0);
	/* Numbers beyond all ranges, two numbers, two peers. */
	bind_channel(&client, 4, 0x3fff, &peer);
	bind_channel(&client, 5, 0x8000, &peer);
	KTAP_EQ(told.chans, 0);
	bind_channel(&client, 6, 0x7fff, &peer);
	KTAP_EQ(told.chans, 1);
}

/* Length fields that lie: nothing is read beyond the end (ASan looks). */
static void short_messages(void)
{
	struct message m = with_peer(request(&client, KTURN_CREATE_PERMISSION,
					     2), &peer);
	uint8_t *copy;
	struct packet p = m.packet;

	allocate(&client, 1);
	for (size_t len = 0; len <= m.packet.len; len++) {
		copy = malloc(len ? len : 1);
		memcpy(copy, m.bytes, len);
		p.len = len;
		p.payload = copy;
		learn_request(&l, &p, now, now);
		p.has_uid = true;
		learn_answer(&l, &p, now);
		free(copy);
	}
	KTAP_EQ(told.perms, 0);
}

static void packets(void)
{
	/* 198.51.100.2:1 to 198.51.100.1:3478, four bytes */
	static const uint8_t ip4[] = {
		0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 198, 51, 100, 2,
		198, 51, 100, 1, 0, 1, 0x0d, 0x96, 0, 12, 0, 0,
		'a', 'b', 'c', 'd',
	};
	uint8_t bytes[sizeof(ip4)], *copy;
	struct packet p;

	KTAP_EQ(packet_parse(ip4, sizeof(ip4), &p), 0);
	KTAP_EQ(p.len, 4);
	KTAP_MEM_EQ(p.payload, "abcd", 4);
	KTAP_EQ(kturn_addr_port(&p.dst), 3478);
	for (size_t len = 0; len < sizeof(ip4); len++) {
		copy = malloc(len ? len : 1);
		memcpy(copy, ip4, len);
		KTAP_CHECK(packet_parse(copy, len, &p));
		free(copy);
	}
	/* Every header byte as it should not be: no crash. */
	for (size_t i = 0; i < 28 * 256; i++) {
		memcpy(bytes, ip4, sizeof(ip4));
		bytes[i / 256] = (uint8_t)i;
		packet_parse(bytes, sizeof(bytes), &p);
	}
	memcpy(bytes, ip4, sizeof(ip4));
	bytes[6] = 0x20;
	KTAP_CHECK(packet_parse(bytes, sizeof(bytes), &p));
	bytes[6] = 0x40;
	KTAP_EQ(packet_parse(bytes, sizeof(bytes), &p), 0);
}

static const struct ktap_case all[] = {
	{ "learn: what is granted", grants },
	{ "learn: relayed addresses of both families", dual },
	{ "learn: several peers, and some that are denied", several_peers },
	{ "learn: 1:1 NAT", external },
	{ "learn: lifetimes, seen late", late },
	{ "learn: what is refused", refused },
	{ "learn: what is asked for only", asked_only },
	{ "learn: two requests in one transaction", two_requests },
	{ "learn: an answer that comes again", answer_again },
	{ "learn: requests of somebody else", spoofed },
	{ "learn: answers of somebody else", not_the_server },
	{ "learn: what is not understood", not_understood },
	{ "learn: bad peers and channels", bad_peers },
	{ "learn: messages that are cut", short_messages },
	{ "learn: packets that are cut", packets },
	{ "learn: relayed addresses that are not the server's", foreign },
	{ "learn: a socket that is closed", socket_gone },
	{ "learn: a socket of several sessions", shared_socket },
	{ "learn: requests are missing", requests_lost },
	{ "learn: answers are missing", answers_lost },
	{ "learn: a Refresh that is not known", refresh_unmatched },
	{ "learn: an Allocate that is not known", allocate_unmatched },
	{ "learn: a Refresh of one family", refresh_family },
	{ "learn: copies of a request", copies },
	{ "learn: what can't be read", unread },
	{ "learn: a permission with a channel's number", permission_with_number },
	{ "learn: more requests than there is room for", too_many },
	{ "learn: entries that the kernel ends", kernel_ends },
	{ "learn: entries that the kernel refuses", kernel_says_no },
	{ "learn: sessions expire", expires },
	{ "learn: a client that begins again", allocated_again },
};

static struct ktap_case cases[KTAP_COUNT(all)];
static size_t running;

static void in_world(void)
{
	world_begin();
	all[running++].fn();
	world_end();
}

int main(void)
{
	for (size_t i = 0; i < KTAP_COUNT(all); i++)
		cases[i] = (struct ktap_case){ all[i].name, in_world };
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	return ktap_end();
}
