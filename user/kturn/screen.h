/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A terminal that is taken over, and given back as it was. */
#ifndef _KTURN_SCREEN_H
#define _KTURN_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** enum screen_event - what happened while nothing else did */
enum screen_event {
	SCREEN_TIME,	/* the time is over */
	SCREEN_KEY,	/* a key was pressed */
	SCREEN_SIZE,	/* the size may be another */
	SCREEN_END,	/* Ctrl-C and the like, or the terminal is gone */
};

/** screen_possible() - is standard output a terminal that can be taken over? */
bool screen_possible(void);

/**
 * screen_open() - take the terminal over
 *
 * Signals that end or stop the program wait for screen_wait() from now on.
 *
 * Return: false with errno set.
 */
bool screen_open(void);

/**
 * screen_close() - give the terminal back
 *
 * If a signal has ended it, the program dies of that signal.
 */
void screen_close(void);

/** screen_size() - rows and columns, never 0 */
void screen_size(unsigned int *rows, unsigned int *columns);

/**
 * screen_draw() - show text from the top left corner
 * @text: lines; what is too long or too many is cut off
 *
 * Return: false if nobody is there to look at it.
 */
bool screen_draw(const char *text);

/**
 * screen_wait() - wait for something to happen
 * @ms: at most so long
 * @key: result of SCREEN_KEY
 */
enum screen_event screen_wait(uint64_t ms, char *key);

#endif /* _KTURN_SCREEN_H */
