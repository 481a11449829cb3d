// SPDX-License-Identifier: GPL-2.0-or-later
/* A gateway's clock; see epoch.h. */
#include "epoch.h"

/* What it said before, and how long ago that was; false: nothing. */
static bool turn_over(struct epoch *e, uint64_t now_ms, uint32_t server_s,
		      int64_t *before_s, int64_t *elapsed_s)
{
	bool known = e->known;

	*before_s = e->server_s;
	*elapsed_s = (int64_t)(now_ms - e->at_ms) / 1000;
	e->known = true;
	e->at_ms = now_ms;
	e->server_s = server_s;
	return known;
}

bool epoch_pcp(struct epoch *e, uint64_t now_ms, uint32_t server_s)
{
	int64_t before, client, server;

	if (!turn_over(e, now_ms, server_s, &before, &client))
		return true;
	server = server_s - before;
	return server >= -1 && client + 2 >= server - server / 16 &&
	       server + 2 >= client - client / 16;
}

bool epoch_natpmp(struct epoch *e, uint64_t now_ms, uint32_t server_s)
{
	int64_t before, elapsed;

	if (!turn_over(e, now_ms, server_s, &before, &elapsed))
		return true;
	return server_s + 2 >= before + elapsed * 7 / 8;
}
