// SPDX-License-Identifier: GPL-2.0-or-later
/* Cases of learn_test.c: what ends, what is missing, and what the kernel does. */
#include <stdlib.h>
#include <string.h>

#include "../ktap.h"
#include "cases.h"
#include "world.h"

/* ----------------------------------------------------------------- sockets */

void foreign(void)
{
	bound_at_all = false;
	allocate(&client, 1);
	KTAP_EQ(told.allocs, 0);
	bound_at_all = true;
	cfg.port_max = 49999;
	allocate(&client, 2);
	KTAP_EQ(told.allocs, 0);
	cfg.port_max = 50000;
	allocate(&client, 3);
	KTAP_EQ(told.allocs, 1);
	KTAP_EQ(l.counts.foreign, 2);
}

static void cookie_list(const uint64_t *cookie, size_t n)
{
	uint64_t *copy = calloc(n + 1, sizeof(*copy));

	if (n)
		memcpy(copy, cookie, n * sizeof(*copy));
	learn_sockets(&l, copy, n, now);
}

void socket_gone(void)
{
	uint64_t ours = cookies + kturn_addr_port(&relay4);

	allocate(&client, 1);
	learn_socket_gone(&l, ours + 1);
	KTAP_EQ(in_kernel, 1);
	learn_socket_gone(&l, ours);
	KTAP_EQ(in_kernel, 0);
	permit(&client, 2, &peer);
	KTAP_EQ(told.perms, 0);

	/* It was not heard, but is not in the list. */
	allocate(&client, 3);
	cookie_list(&ours, 1);
	KTAP_EQ(in_kernel, 1);
	/* A list may lack one that is there. */
	cookie_list(NULL, 0);
	KTAP_EQ(in_kernel, 1);
	/* Its port is another's now. */
	cookies += 7;
	cookie_list(NULL, 0);
	KTAP_EQ(in_kernel, 0);
	KTAP_EQ(l.counts.gone, 2);
}

/* One that a server uses for several sessions ends with none of them. */
void shared_socket(void)
{
	uint64_t ours = cookies + kturn_addr_port(&relay4);
	struct message m, ok;

	allocate(&client, 1);
	KTAP_EQ(in_kernel, 1);
	allocate(&other_client, 2);
	KTAP_EQ(in_kernel, 0);

	cookie_list(&ours, 1);
	now += 10;
	allocate(&client, 3);
	KTAP_EQ(in_kernel, 0);
	/* A reserved one is older than the request, too. */
	m = with_text(request(&client, KTURN_ALLOCATE, 4),
		      KTURN_ATTR_RESERVATION_TOKEN, "12345678");
	see(&m);
	ok = with_u32(with_relay(answer(&m, KTURN_SUCCESS), &relay4),
		      KTURN_ATTR_LIFETIME, 600);
	see(&ok);
	KTAP_EQ(in_kernel, 1);
}

/* ------------------------------------------------------------------ losses */

void requests_lost(void)
{
	struct message m = with_peer(request(&client, KTURN_CREATE_PERMISSION,
					     2), &peer), ok;

	allocate(&client, 1);
	see(&m);
	learn_requests_lost(&l, 60000, now);
	ok = answer(&m, KTURN_SUCCESS);
	see(&ok);
	KTAP_EQ(told.perms, 0);
	/* One that is missing may have the number of one that comes. */
	now += 59000;
	permit(&client, 3, &peer);
	KTAP_EQ(told.perms, 0);
	/* What takes away does not need to be known for certain. */
	KTAP_EQ(in_kernel, 1);
	refresh(&client, 4, 0);
	KTAP_EQ(in_kernel, 0);
	now += 1000;
	allocate(&client, 5);
	KTAP_EQ(in_kernel, 1);
}

void answers_lost(void)
{
	allocate(&client, 1);
	permit(&client, 2, &peer);
	learn_answers_lost(&l);
	KTAP_EQ(in_kernel, 0);
	now += 10000;
	refresh(&client, 3, 600);
	KTAP_EQ(in_kernel, 1);
	KTAP_EQ(told.allocs, 2);
	KTAP_EQ(told.ms, 599000);
	learn_answers_lost(&l);
	now += 10000;
	/* A lost answer may have made it shorter. */
	permit(&client, 4, &peer);
	KTAP_EQ(in_kernel, 0);
	refresh(&client, 5, 60);
	KTAP_EQ(told.ms, 59000);
	permit(&client, 6, &peer);
	KTAP_EQ(told.perms, 2);
	KTAP_EQ(l.counts.asleep, 2);
}

/* A Refresh that can't be matched: how long it lasts is not known any more. */
void refresh_unmatched(void)
{
	struct message m = request(&client, KTURN_REFRESH, 2), ok;

	allocate(&client, 1);
	ok = with_u32(answer(&m, KTURN_SUCCESS), KTURN_ATTR_LIFETIME, 60);
	see(&ok);
	KTAP_EQ(in_kernel, 0);
	permit(&client, 3, &peer);
	KTAP_EQ(told.perms, 0);
	refresh(&client, 4, 60);
	KTAP_EQ(in_kernel, 1);
	KTAP_EQ(told.ms, 59000);
}

/* So it is with an Allocate, whose relayed address is another. */
void allocate_unmatched(void)
{
	struct message m = request(&client, KTURN_ALLOCATE, 2), ok;

	allocate(&client, 1);
	ok = with_u32(with_relay(answer(&m, KTURN_SUCCESS), &relay4),
		      KTURN_ATTR_LIFETIME, 600);
	see(&ok);
	KTAP_EQ(in_kernel, 0);
	permit(&client, 3, &peer);
	KTAP_EQ(told.perms, 0);
}

/* It may be about one of two addresses. */
void refresh_family(void)
{
	struct message m = request(&client, KTURN_ALLOCATE, 1), ok;

	see(&m);
	ok = with_relay(answer(&m, KTURN_SUCCESS), &relay4);
	ok = with_u32(with_relay(ok, &relay6), KTURN_ATTR_LIFETIME, 600);
	see(&ok);
	m = with_u32(request(&client, KTURN_REFRESH, 2),
		     KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 2u << 24);
	see(&m);
	ok = with_u32(answer(&m, KTURN_SUCCESS), KTURN_ATTR_LIFETIME, 3600);
	see(&ok);
	KTAP_EQ(in_kernel, 0);
	/* Of one alone there is no doubt. */
	allocate(&client, 3);
	m = with_u32(request(&client, KTURN_REFRESH, 4),
		     KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 1u << 24);
	see(&m);
	ok = with_u32(answer(&m, KTURN_SUCCESS), KTURN_ATTR_LIFETIME, 3600);
	see(&ok);
	KTAP_EQ(told.ms, 3599000);
}

/* The server answers each copy: one answer is not the end of it. */
void copies(void)
{
	struct message bad = with_peer(request(&client,
					       KTURN_CREATE_PERMISSION, 2),
				       &other_peer);
	struct message good = with_peer(request(&client,
						KTURN_CREATE_PERMISSION, 2),
					&peer);
	struct message no = answer(&bad, KTURN_ERROR);
	struct message ok = answer(&bad, KTURN_SUCCESS);

	allocate(&client, 1);
	see(&bad);
	see(&bad);
	see(&no);
	see(&good);
	see(&no);
	see(&bad);
	see(&ok);
	KTAP_EQ(told.perms, 0);
}

/* What can't be read may be a request with the number of one that can. */
void unread(void)
{
	struct message m = with_peer(request(&client, KTURN_CREATE_PERMISSION,
					     2), &peer), two = m, ok;

	allocate(&client, 1);
	see(&m);
	/* Two datagrams in one. */
	memcpy(two.bytes + m.packet.len, m.bytes, m.packet.len);
	two.packet.len *= 2;
	see(&two);
	ok = answer(&m, KTURN_SUCCESS);
	see(&ok);
	permit(&client, 3, &peer);
	KTAP_EQ(told.perms, 0);
	/* Others are not concerned. */
	cookies++;
	allocate(&other_client, 4);
	permit(&other_client, 5, &peer);
	KTAP_EQ(told.perms, 1);
	now += TRANSACTION_MS;
	permit(&client, 6, &peer);
	KTAP_EQ(told.perms, 2);
	KTAP_EQ(l.transactions.unread, 1);
}

/* A permission is not a channel, whatever else is asked for. */
void permission_with_number(void)
{
	struct message m = with_u32(request(&client, KTURN_CREATE_PERMISSION,
					    2), KTURN_ATTR_CHANNEL_NUMBER,
				    0x40000000), ok;

	allocate(&client, 1);
	m = with_peer(m, &peer);
	see(&m);
	ok = answer(&m, KTURN_SUCCESS);
	see(&ok);
	KTAP_EQ(told.perms, 0);
	KTAP_EQ(told.chans, 0);
}

void too_many(void)
{
	struct message m = request(&client, KTURN_ALLOCATE, 1);

	l.transactions.most = 10;
	for (int i = 0; i < 20; i++) {
		m.bytes[9] = (uint8_t)i;
		see(&m);
	}
	KTAP_EQ(l.transactions.table.n, 10);
	KTAP_EQ(l.transactions.dropped, 10);
	KTAP_CHECK(l.transactions.overflowed);
	now += TRANSACTION_MS;
	learn_tick(&l, now);
	KTAP_EQ(l.transactions.table.n, 0);
	allocate(&client, 2);
	KTAP_EQ(in_kernel, 1);
}

/* ------------------------------------------------------------------ kernel */

void kernel_ends(void)
{
	struct flow flow = { .client = client, .server = server };

	allocate(&client, 1);
	learn_left_kernel(&l, &flow, told.allocs + 1);
	permit(&client, 2, &peer);
	KTAP_EQ(told.allocs, 1);
	learn_left_kernel(&l, &flow, told.allocs);
	in_kernel--;
	permit(&client, 3, &peer);
	KTAP_EQ(told.allocs, 2);
	learn_kernel_gone(&l);
	in_kernel--;
	KTAP_EQ(told.dels, 0);
	refresh(&client, 4, 600);
	KTAP_EQ(told.allocs, 3);
	KTAP_EQ(in_kernel, 1);
}

void kernel_says_no(void)
{
	kernel_refuses = true;
	allocate(&client, 1);
	permit(&client, 2, &peer);
	KTAP_EQ(told.perms, 0);
	KTAP_EQ(l.counts.refused, 2);
	kernel_refuses = false;
	permit(&client, 3, &peer);
	KTAP_EQ(told.perms, 1);
}

void expires(void)
{
	allocate(&client, 1);
	now += 600000;
	learn_tick(&l, now);
	KTAP_CHECK(TAILQ_EMPTY(&l.sessions));
	KTAP_EQ(in_kernel, 0);
}

/* The client's port is another's, or the server forgot. */
void allocated_again(void)
{
	allocate(&client, 1);
	allocate(&client, 2);
	KTAP_EQ(told.allocs, 2);
	KTAP_EQ(told.dels, 1);
	KTAP_EQ(in_kernel, 1);
}
