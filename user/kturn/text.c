// SPDX-License-Identifier: GPL-2.0-or-later
/* Text that others chose, and numbers for people. */
#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistr.h>
#include "cli.h"

/* The character at @s and its bytes, 0 if that is no UTF-8. */
static size_t utf8_read(const unsigned char *s, size_t len, ucs4_t *code)
{
	int n = u8_mbtoucr(code, s, len);

	return n > 0 ? n : 0;
}

/* Controls, and what makes a text look like another one. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == '\\' ||
	       c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

char *cli_escape(const char *text)
{
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	const unsigned char *s = (const unsigned char *)text;
	const unsigned char *end = s + strlen(text);
	char *out = malloc(4 * strlen(text) + 1), *p = out;
	ucs4_t code = 0;
	size_t n;

	for (; out && *s; s += n) {
		n = utf8_read(s, end - s, &code);
		if (n && !is_unsafe(code) && (utf8 || n == 1)) {
			memcpy(p, s, n);
			p += n;
			continue;
		}
		if (!n)
			n = 1;
		if (*s == '\\') {
			p += sprintf(p, "\\\\");
		} else if (*s == '\n') {
			p += sprintf(p, "\\n");
		} else if (*s == '\t') {
			p += sprintf(p, "\\t");
		} else {
			for (size_t i = 0; i < n; i++)
				p += sprintf(p, "\\x%02x", s[i]);
		}
	}
	if (out)
		*p = '\0';
	return out;
}

json_t *cli_json_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	const unsigned char *end = s + strlen(text);
	char *copy = malloc(3 * strlen(text) + 1), *p = copy;
	json_t *string;
	ucs4_t code;
	size_t n;

	if (!copy)
		return NULL;
	for (; *s; s += n) {
		n = utf8_read(s, end - s, &code);
		if (n) {
			memcpy(p, s, n);
			p += n;
		} else {
			p += sprintf(p, "\ufffd");
			n = 1;
		}
	}
	*p = '\0';
	string = json_string(copy);
	free(copy);
	return string;
}

const char *cli_bytes(uint64_t bytes, char buf[CLI_UNIT_MAX])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = bytes;
	int unit = -1;

	if (!cli_human()) {
		snprintf(buf, CLI_UNIT_MAX, "%" PRIu64, bytes);
		return buf;
	}
	/* 999.95 would be rounded to 1000.0. */
	while (unit < 5 && value >= (unit < 0 ? 1000 : 999.95)) {
		value /= 1000;
		unit++;
	}
	if (unit < 0)
		snprintf(buf, CLI_UNIT_MAX, "%" PRIu64 " B", bytes);
	else
		snprintf(buf, CLI_UNIT_MAX, "%.1f %s", value, units[unit]);
	return buf;
}

const char *cli_span(uint64_t ms, char buf[CLI_UNIT_MAX])
{
	/* Rounded up: what has not ended does not show as 0. */
	uint64_t s = ms / 1000 + (ms % 1000 != 0);

	if (!cli_human())
		snprintf(buf, CLI_UNIT_MAX, "%" PRIu64 ".%03us", ms / 1000,
			 (unsigned int)(ms % 1000));
	else if (s >= 86400)
		snprintf(buf, CLI_UNIT_MAX, "%" PRIu64 "d%" PRIu64 "h",
			 s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		snprintf(buf, CLI_UNIT_MAX, "%" PRIu64 "h%02um", s / 3600,
			 (unsigned int)(s % 3600 / 60));
	else if (s >= 60)
		snprintf(buf, CLI_UNIT_MAX, "%" PRIu64 "m%02us", s / 60,
			 (unsigned int)(s % 60));
	else
		snprintf(buf, CLI_UNIT_MAX, "%" PRIu64 "s", s);
	return buf;
}

const char *cli_rate(double per_s, char buf[CLI_UNIT_MAX])
{
	static const char *const units[] = { "", " k", " M", " G", " T" };
	int unit = 0;

	if (!cli_human()) {
		snprintf(buf, CLI_UNIT_MAX, "%.0f", per_s);
		return buf;
	}
	/* 999.5 would be rounded to 1000. */
	while (unit < 4 && per_s >= (unit ? 999.95 : 999.5)) {
		per_s /= 1000;
		unit++;
	}
	snprintf(buf, CLI_UNIT_MAX, "%.*f%s", unit ? 1 : 0, per_s, units[unit]);
	return buf;
}

const char *cli_clock(char buf[CLI_UNIT_MAX])
{
	struct timespec now;
	struct tm tm;
	char text[24];

	clock_gettime(CLOCK_REALTIME, &now);
	if (cli_json()) {
		gmtime_r(&now.tv_sec, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	} else {
		localtime_r(&now.tv_sec, &tm);
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	}
	snprintf(buf, CLI_UNIT_MAX, "%s.%03u%s", text,
		 (unsigned int)(now.tv_nsec / 1000000) % 1000,
		 cli_json() ? "Z" : "");
	return buf;
}
