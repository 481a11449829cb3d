// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests that print KTAP; see ktap.h. */
#include <stdio.h>

#include "ktap.h"

/* A loop that goes wrong would bury its first failure under the others. */
#define REPORTS_MAX	5

static size_t planned, run, failed;
static unsigned int case_failures;

static bool report(bool ok)
{
	return !ok && case_failures++ < REPORTS_MAX;
}

bool ktap_check(bool ok, const char *file, int line, const char *what)
{
	if (report(ok))
		printf("# %s:%d: %s\n", file, line, what);
	return ok;
}

bool ktap_check_eq(long long got, long long want, const char *file, int line,
		   const char *what)
{
	if (report(got == want))
		printf("# %s:%d: %s: got %lld, expected %lld\n", file, line,
		       what, got, want);
	return got == want;
}

bool ktap_check_mem(const void *got, const void *want, size_t len,
		    const char *file, int line, const char *what)
{
	const unsigned char *g = got, *w = want;
	size_t i;

	for (i = 0; i < len && g[i] == w[i]; i++)
		;
	if (report(i == len))
		printf("# %s:%d: %s: byte %zu is %02x, expected %02x\n", file,
		       line, what, i, g[i], w[i]);
	return i == len;
}

void ktap_plan(size_t total)
{
	/* A crash must not take finished results with it. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	planned = total;
	printf("TAP version 13\n1..%zu\n", total);
}

void ktap_run(const struct ktap_case *cases, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		case_failures = 0;
		cases[i].fn();
		run++;
		if (!case_failures) {
			printf("ok %zu - %s\n", run, cases[i].name);
			continue;
		}
		failed++;
		printf("# %u checks failed\n", case_failures);
		printf("not ok %zu - %s\n", run, cases[i].name);
	}
}

int ktap_end(void)
{
	printf("# Totals: pass:%zu fail:%zu\n", run - failed, failed);
	if (run != planned)
		printf("# planned %zu tests, ran %zu\n", planned, run);
	return failed || run != planned;
}
