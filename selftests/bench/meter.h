/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a piece of work costs, in nanoseconds of a clock that counts
 * instructions (selftests/vm/run --icount).
 */
#ifndef KTURN_BENCH_METER_H
#define KTURN_BENCH_METER_H

/**
 * struct meter - between meter_begin() and meter_end() what the clock said,
 * afterwards what has passed
 * @total: all of it, but for @idle afterwards
 * @own: of that this process
 * @idle: while nothing could run, and time passed without instructions
 */
struct meter {
	double total;
	double own;
	double idle;
};

/**
 * meter_take_turns() - with the server
 *
 * Both are of SCHED_BATCH then: who wakes the other up goes on until it has
 * nothing more to do. Else who gets a packet goes on at once, which costs the
 * server two changes of context for each that it sends.
 */
void meter_take_turns(void);

/** meter_begin() - now */
void meter_begin(struct meter *m);

/** meter_end() - how much since */
void meter_end(struct meter *m);

/** meter_expect_busy() - ends the program if the CPU had nothing to do for more
 * than a hundredth of the time
 */
void meter_expect_busy(const struct meter *m);

#endif /* KTURN_BENCH_METER_H */
