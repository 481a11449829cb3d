// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections with peers, in the world of world.h. */
#include <err.h>

#include "links.h"
#include "world.h"

static struct link *new_link(void)
{
	size_t i;

	for (i = 0; i < LINKS; i++)
		if (!world.links[i].open)
			break;
	if (i == LINKS)
		errx(1, "a test makes more than %d connections", LINKS);
	world.links[i] = (struct link){ .open = true };
	return &world.links[i];
}

struct link *world_link(void)
{
	size_t i;

	for (i = LINKS; i; i--)
		if (world.links[i - 1].open)
			return &world.links[i - 1];
	errx(1, "a test expects a connection");
}

size_t world_open_links(void)
{
	size_t i, n = 0;

	for (i = 0; i < LINKS; i++)
		n += world.links[i].open;
	return n;
}

int link_connect(void *env, const struct turn_relay *from,
		 const struct kturn_addr *to, struct turn_connection *c,
		 void **handle)
{
	struct link *link;

	world_trace("connect");
	KTAP_CHECK(((struct port *)from->handle)->is_tcp);
	if (world.connect_error)
		return world.connect_error;
	link = new_link();
	link->c = c;
	link->connecting = true;
	link->from = from->addr;
	link->to = *to;
	*handle = link;
	return 0;
}

void link_join(void *env, void *handle,
	       const struct turn_tuple *client)
{
	struct link *link = handle;

	world_trace("connection_join");
	KTAP_CHECK(link->open && !link->joined);
	link->joined = true;
	link->client = *client;
}

void link_close(void *env, void *handle)
{
	struct link *link = handle;

	world_trace("connection_close");
	KTAP_CHECK(link->open);
	link->open = false;
}

/* Each twice: no two may have the same. */
uint32_t link_id(void *env)
{
	return 0x5eed0000 + world.ids++ / 2;
}

bool link_pass(void *env, const struct turn_tuple *client,
	       uint32_t id)
{
	world.n_passed += world.elsewhere;
	return world.elsewhere;
}

struct link *peer_connect_in(const struct kturn_addr *relay, const char *peer)
{
	struct port *p = world_port(relay);
	struct link *link = new_link();
	struct kturn_addr from = addr(peer);

	if (!p || !p->alloc || !p->is_tcp) {
		KTAP_CHECK(!"a relayed address that is listened at");
		return NULL;
	}
	link->c = turn_connection_attempt(world.s, world.now, p->alloc, &from,
					  link);
	link->open = link->c;
	return link->c ? link : NULL;
}
