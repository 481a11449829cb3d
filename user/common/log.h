/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log: one line an event, on standard error.
 *
 *	time=2026-01-02T03:04:05.678Z level=info event=ready workers=2 …
 *
 * Values that people or the network chose are passed as %s: those are quoted
 * where needed and escaped, so that a line stays a line and a terminal stays
 * sane. Passwords, keys and nonces are never passed at all.
 */
#ifndef _COMMON_LOG_H
#define _COMMON_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

#define LOG_LINE_MAX	2048

/** struct log_line - an event under construction */
struct log_line {
	size_t len;
	bool cut;
	char text[LOG_LINE_MAX];
};

/** log_set_level() - the least important syslog level that is written */
void log_set_level(int level);

/** log_enabled() - would an event of this level be written? */
bool log_enabled(int level);

/**
 * log_event() - write an event
 * @level: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or LOG_DEBUG
 * @event: its name, a word
 * @fmt: "key=%s other=%u"; %d %i %u %x %X %c %s %% with the usual lengths,
 *	a %s (%.*s) being escaped; NULL for none
 *
 * Any thread; one write().
 */
void log_event(int level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * log_limited() - the same for events that a stranger can cause
 * @level: as for log_event()
 * @event: as for log_event()
 * @fmt: as for log_event()
 *
 * Each event has a budget per thread: a burst of 20, then 5 a second. The
 * next line after a gap says with suppressed=N how many are missing. At level
 * debug nothing is suppressed.
 */
void log_limited(int level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * log_allowed() - take one line out of an event's budget
 * @event: its name
 * @suppressed: how many were refused since the last that was allowed
 *
 * For callers that build a line with log_begin().
 */
bool log_allowed(const char *event, unsigned int *suppressed);

/**
 * log_begin() - begin a line, to be built in steps
 * @line: where; log_add() goes on, log_end() writes it
 * @level: as for log_event(); whether it is enabled is the caller's to ask
 * @event: as for log_event()
 */
void log_begin(struct log_line *line, int level, const char *event);

/** log_add() - add to a line; @fmt as for log_event(), without NULL */
void log_add(struct log_line *line, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** log_vadd() - the same; @fmt may be NULL: nothing is added */
void log_vadd(struct log_line *line, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/** log_end() - write the line; one write() */
void log_end(struct log_line *line);

/**
 * log_escape() - printable ASCII of any bytes
 * @out: result, NUL-terminated, cut between two characters when too long
 * @size: room, at least 1
 * @text: bytes
 * @len: how many
 *
 * Backslash and double quote get a backslash, whatever is not printable
 * ASCII becomes \xNN. Return: bytes written, without the NUL.
 */
size_t log_escape(char *out, size_t size, const char *text, size_t len);

/** log_level_name() - "error" … "debug" */
const char *log_level_name(int level);

#endif /* _COMMON_LOG_H */
