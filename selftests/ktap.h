/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests that print KTAP: a table of functions, and checks in them.
 *
 *	static void addr_round_trip(void)
 *	{
 *		KTAP_CHECK(a == b);
 *	}
 *
 *	static const struct ktap_case cases[] = {
 *		{ "address: round trip", addr_round_trip },
 *	};
 *
 *	int main(void)
 *	{
 *		ktap_plan(KTAP_COUNT(cases));
 *		ktap_run(cases, KTAP_COUNT(cases));
 *		return ktap_end();
 *	}
 *
 * A check that fails says where and what, and the case goes on.
 */
#ifndef KTURN_SELFTESTS_KTAP_H
#define KTURN_SELFTESTS_KTAP_H

#include <stdbool.h>
#include <stddef.h>

struct ktap_case {
	const char *name;
	void (*fn)(void);
};

#define KTAP_COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* Fails the running case unless @cond; its value is whether it holds. */
#define KTAP_CHECK(cond) \
	ktap_check((cond), __FILE__, __LINE__, #cond)

/* Two integers; prints both when they differ. */
#define KTAP_EQ(got, want) \
	ktap_check_eq((got), (want), __FILE__, __LINE__, #got " == " #want)

/* @len bytes; prints the first that differs. */
#define KTAP_MEM_EQ(got, want, len) \
	ktap_check_mem((got), (want), (len), __FILE__, __LINE__, \
		       #got " == " #want)

bool ktap_check(bool ok, const char *file, int line, const char *what);
bool ktap_check_eq(long long got, long long want, const char *file, int line,
		   const char *what);
bool ktap_check_mem(const void *got, const void *want, size_t len,
		    const char *file, int line, const char *what);

/* Prints the head and the plan, once. */
void ktap_plan(size_t total);
void ktap_run(const struct ktap_case *cases, size_t n);

/* Returns the program's exit status: 0 when all passed and none is missing. */
int ktap_end(void);

#endif /* KTURN_SELFTESTS_KTAP_H */
