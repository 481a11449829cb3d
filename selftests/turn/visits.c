// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients that move, in the world of world.h. */
#include <errno.h>

#include "visits.h"
#include "world.h"

int mobile_new(void *env, uint64_t id)
{
	world_trace("mobile_new");
	if (world.mobile_fails)
		return -ENOMEM;
	world.mobile++;
	return 0;
}

void mobile_end(void *env, uint64_t id)
{
	world_trace("mobile_end");
	world.mobile--;
}

static void visit(const char *op, uint64_t id, const struct turn_tuple *tuple,
		  uint32_t home)
{
	world_trace(op);
	KTAP_CHECK(home != world.cfg.home);
	world.visit_id = id;
	world.visit = *tuple;
	world.visit_home = home;
}

void visit_begin(void *env, uint64_t id, const struct turn_tuple *tuple,
		 uint32_t home)
{
	visit("visit_begin", id, tuple, home);
}

void visit_end(void *env, uint64_t id, const struct turn_tuple *tuple,
	       uint32_t home)
{
	visit("visit_end", id, tuple, home);
}

void visit_stay(void *env, uint64_t id, const struct turn_tuple *tuple,
		uint32_t home)
{
	visit("visit_stay", id, tuple, home);
}

uint32_t visit_home(void *env, const struct turn_tuple *tuple)
{
	return world.home;
}
