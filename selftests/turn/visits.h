/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients that move (RFC 8016): the ops of struct turn_ops of the same names. */
#ifndef KTURN_SELFTESTS_VISITS_H
#define KTURN_SELFTESTS_VISITS_H

#include <kturnd/turn/turn.h>

int mobile_new(void *env, uint64_t id);
void mobile_end(void *env, uint64_t id);
void visit_begin(void *env, uint64_t id, const struct turn_tuple *tuple,
		 uint32_t home);
void visit_end(void *env, uint64_t id, const struct turn_tuple *tuple,
	       uint32_t home);
void visit_stay(void *env, uint64_t id, const struct turn_tuple *tuple,
		uint32_t home);
uint32_t visit_home(void *env, const struct turn_tuple *tuple);

#endif /* KTURN_SELFTESTS_VISITS_H */
