// SPDX-License-Identifier: GPL-2.0-or-later
/* What a piece of work costs; see meter.h. */
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "meter.h"

static double clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Of the first CPU; /proc/stat says it too, but in hundredths of a second. */
static double idle_ns(void)
{
	char line[256];
	double ns = -1;
	FILE *f;

	f = fopen("/proc/timer_list", "r");
	if (!f)
		err(1, "/proc/timer_list");
	while (ns < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, " .idle_sleeptime : %lf", &ns) != 1)
			ns = -1;
	fclose(f);
	if (ns < 0)
		errx(1, "/proc/timer_list does not say how long the CPU slept");
	return ns;
}

void meter_take_turns(void)
{
	const struct sched_param param = { 0 };

	if (sched_setscheduler(0, SCHED_BATCH, &param))
		err(1, "sched_setscheduler");
}

void meter_begin(struct meter *m)
{
	m->idle = idle_ns();
	m->own = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	m->total = clock_ns(CLOCK_MONOTONIC);
}

void meter_end(struct meter *m)
{
	m->total = clock_ns(CLOCK_MONOTONIC) - m->total;
	m->own = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - m->own;
	m->idle = idle_ns() - m->idle;
	m->total -= m->idle;
}

void meter_expect_busy(const struct meter *m)
{
	if (m->idle > m->total / 100)
		errx(1, "the CPU was idle for %.1f ms, and busy for %.1f",
		     m->idle / 1e6, m->total / 1e6);
}
