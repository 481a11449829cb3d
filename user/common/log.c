// SPDX-License-Identifier: GPL-2.0-or-later
/* The log; see log.h. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* Set before there is a second thread. */
static int log_level = LOG_INFO;

void log_set_level(int level)
{
	log_level = level;
}

bool log_enabled(int level)
{
	return level <= log_level;
}

const char *log_level_name(int level)
{
	switch (level) {
	case LOG_WARNING:
		return "warning";
	case LOG_NOTICE:
		return "notice";
	case LOG_INFO:
		return "info";
	case LOG_DEBUG:
		return "debug";
	default:
		return "error";
	}
}

/* ---------------------------------------------------------------- escaping */

static bool plain(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

/* Writes the escaped form of one byte; returns its length, at most 4. */
static size_t escape_byte(char out[5], unsigned char c)
{
	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	if (c >= 0x20 && c < 0x7f) {
		out[0] = (char)c;
		return 1;
	}
	snprintf(out, 5, "\\x%02x", c);
	return 4;
}

size_t log_escape(char *out, size_t size, const char *text, size_t len)
{
	size_t used = 0, i, n;
	char byte[5];

	for (i = 0; i < len; i++) {
		n = escape_byte(byte, (unsigned char)text[i]);
		if (used + n >= size)
			break;
		memcpy(out + used, byte, n);
		used += n;
	}
	out[used] = '\0';
	return used;
}

/* ------------------------------------------------------------------- lines */

/* Room for "..." and the newline is always kept. */
static void add_bytes(struct log_line *line, const char *text, size_t len)
{
	size_t room = sizeof(line->text) - 5 - line->len;

	if (line->cut)
		return;
	if (len > room) {
		len = room;
		line->cut = true;
	}
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void add_value(struct log_line *line, const char *text, size_t len)
{
	bool quote = !len;
	char byte[5];
	size_t i;

	for (i = 0; i < len && !quote; i++)
		quote = !plain((unsigned char)text[i]);
	if (!quote) {
		add_bytes(line, text, len);
		return;
	}
	add_bytes(line, "\"", 1);
	for (i = 0; i < len; i++)
		add_bytes(line, byte,
			  escape_byte(byte, (unsigned char)text[i]));
	add_bytes(line, "\"", 1);
}

static void add_string(struct log_line *line, const char *text, int precision)
{
	if (!text)
		text = "-";
	add_value(line, text, precision < 0 ? strlen(text) :
					      strnlen(text, (size_t)precision));
}

/*
 * An integer conversion; @spec is '%', flags and width without length or
 * conversion. Returns bytes written.
 */
static int format_number(char *out, size_t size, const char *spec,
			 const char *length, char conversion, va_list *ap)
{
	bool is_signed = conversion == 'd' || conversion == 'i';
	unsigned long long value;
	char fmt[24];

	if (!strcmp(length, "ll") || !strcmp(length, "j"))
		value = va_arg(*ap, unsigned long long);
	else if (!strcmp(length, "l"))
		value = is_signed ? (unsigned long long)va_arg(*ap, long) :
				    va_arg(*ap, unsigned long);
	else if (!strcmp(length, "z"))
		value = va_arg(*ap, size_t);
	else
		value = is_signed ? (unsigned long long)va_arg(*ap, int) :
				    va_arg(*ap, unsigned int);
	snprintf(fmt, sizeof(fmt), "%s%s%c", spec, "ll", conversion);
	/* The pieces of fmt come from a format that the compiler checked. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return snprintf(out, size, fmt, value);
#pragma GCC diagnostic pop
}

/* One conversion, @p after the '%'; returns what follows it. */
static const char *add_conversion(struct log_line *line, const char *p,
				  va_list *ap)
{
	char spec[12] = "%", length[3] = "", text[32];
	size_t n = 1, l = 0;
	int precision = -1;

	while (*p && strchr("-+ #0123456789", *p) && n < sizeof(spec) - 1)
		spec[n++] = *p++;
	spec[n] = '\0';
	if (*p == '.') {
		p++;
		if (*p == '*') {
			precision = va_arg(*ap, int);
			p++;
		} else {
			precision = 0;
			while (*p >= '0' && *p <= '9')
				precision = precision * 10 + *p++ - '0';
		}
	}
	while (*p && strchr("hljz", *p)) {
		if (*p != 'h' && l < sizeof(length) - 1)
			length[l++] = *p;
		p++;
	}
	length[l] = '\0';

	switch (*p) {
	case '\0':
		return p;
	case 's':
		add_string(line, va_arg(*ap, const char *), precision);
		break;
	case 'c':
		text[0] = (char)va_arg(*ap, int);
		add_value(line, text, 1);
		break;
	case '%':
		add_bytes(line, "%", 1);
		break;
	default:
		n = (size_t)format_number(text, sizeof(text), spec, length, *p,
					  ap);
		add_bytes(line, text, n < sizeof(text) ? n : sizeof(text) - 1);
	}
	return p + 1;
}

void log_vadd(struct log_line *line, const char *fmt, va_list ap)
{
	const char *p = fmt ? fmt : "", *end;
	va_list copy;

	if (*p)
		add_bytes(line, " ", 1);
	va_copy(copy, ap);
	while (*p) {
		end = strchrnul(p, '%');
		add_bytes(line, p, (size_t)(end - p));
		p = *end ? add_conversion(line, end + 1, &copy) : end;
	}
	va_end(copy);
}

void log_add(struct log_line *line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vadd(line, fmt, ap);
	va_end(ap);
}

void log_begin(struct log_line *line, int level, const char *event)
{
	struct timespec now;
	char text[64];
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(text, sizeof(text), "time=%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%03ldZ",
		 now.tv_nsec / 1000000);

	line->len = 0;
	line->cut = false;
	add_bytes(line, text, strlen(text));
	log_add(line, "level=%s", log_level_name(level));
	log_add(line, "event=%s", event);
}

void log_end(struct log_line *line)
{
	ssize_t n;

	if (line->cut) {
		memcpy(line->text + line->len, "...", 3);
		line->len += 3;
	}
	line->text[line->len++] = '\n';
	/* There is nowhere to complain to when this fails. */
	do
		n = write(STDERR_FILENO, line->text, line->len);
	while (n < 0 && errno == EINTR);
}

void log_event(int level, const char *event, const char *fmt, ...)
{
	struct log_line line;
	va_list ap;

	if (!log_enabled(level))
		return;
	log_begin(&line, level, event);
	va_start(ap, fmt);
	log_vadd(&line, fmt, ap);
	va_end(ap);
	log_end(&line);
}

/* ------------------------------------------------------------------ limits */

#define LIMIT_EVENTS	32	/* a power of two; events that meet share */
#define LIMIT_BURST	20
#define LIMIT_MS	200	/* for one more line */

struct log_limit {
	uint64_t last_ms;
	unsigned int tokens;
	unsigned int suppressed;
	bool used;
};

static _Thread_local struct log_limit limits[LIMIT_EVENTS];

static unsigned int hash_name(const char *name)
{
	uint32_t h = 2166136261u;	/* FNV-1a */

	while (*name)
		h = (h ^ (unsigned char)*name++) * 16777619u;
	return h ^ h >> 16;
}

bool log_allowed(const char *event, unsigned int *suppressed)
{
	struct log_limit *l = &limits[hash_name(event) % LIMIT_EVENTS];
	struct timespec ts;
	uint64_t now, more;

	*suppressed = 0;
	if (log_enabled(LOG_DEBUG))
		return true;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
	if (!l->used) {
		l->used = true;
		l->tokens = LIMIT_BURST;
		l->last_ms = now;
	}
	more = (now - l->last_ms) / LIMIT_MS;
	if (more) {
		l->tokens = more >= LIMIT_BURST - l->tokens ?
			LIMIT_BURST : l->tokens + (unsigned int)more;
		l->last_ms += more * LIMIT_MS;
	}
	if (!l->tokens) {
		l->suppressed++;
		return false;
	}
	l->tokens--;
	*suppressed = l->suppressed;
	l->suppressed = 0;
	return true;
}

void log_limited(int level, const char *event, const char *fmt, ...)
{
	unsigned int suppressed;
	struct log_line line;
	va_list ap;

	if (!log_enabled(level) || !log_allowed(event, &suppressed))
		return;
	log_begin(&line, level, event);
	va_start(ap, fmt);
	log_vadd(&line, fmt, ap);
	va_end(ap);
	if (suppressed)
		log_add(&line, "suppressed=%u", suppressed);
	log_end(&line);
}
