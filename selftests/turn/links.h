/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections with peers: the ops of struct turn_ops that have to do with them. */
#ifndef KTURN_SELFTESTS_LINKS_H
#define KTURN_SELFTESTS_LINKS_H

#include <kturnd/turn/turn.h>

int link_connect(void *env, const struct turn_relay *from,
		 const struct kturn_addr *to, struct turn_connection *c,
		 void **handle);
void link_join(void *env, void *handle, const struct turn_tuple *client);
void link_close(void *env, void *handle);
uint32_t link_id(void *env);
bool link_pass(void *env, const struct turn_tuple *client, uint32_t id);

#endif /* KTURN_SELFTESTS_LINKS_H */
