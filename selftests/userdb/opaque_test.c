// SPDX-License-Identifier: GPL-2.0-or-later
/* How user names, realms and passwords are prepared (RFC 8265, OpaqueString). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <precis/opaque.h>

#include "../ktap.h"

#define CONTROL		"contains a control character"
#define NO_UTF8		"is not valid UTF-8"
#define NO_CHARACTER	"contains a code point that is no character"
#define UNASSIGNED	"contains an unassigned code point"
#define INVISIBLE	"contains an invisible character"
#define DISALLOWED	"contains a character that is not allowed"
#define CONTEXT		"contains a character that is not allowed where it is"

struct row {
	const char *text;
	const char *want;	/* what comes of it, or what is wrong */
};

/* From memory that ends where @text does. */
static const char *prepared(const char *text, size_t len, size_t size)
{
	static char out[4 * OPAQUE_INPUT_MAX];
	char *copy = malloc(len + 1);
	char *room = malloc(size);
	const char *why;

	if (!copy || !room)
		abort();
	memcpy(copy, text, len);
	why = opaque_string(copy, len, room, size);
	if (!why)
		memcpy(out, room, strlen(room) + 1);
	free(copy);
	free(room);
	return why ? why : out;
}

static void check_rows(const struct row *rows, size_t n)
{
	char want[256];
	size_t i;

	for (i = 0; i < n; i++) {
		const char *got = prepared(rows[i].text, strlen(rows[i].text),
					   1024);

		if (!KTAP_CHECK(!strcmp(got, rows[i].want)))
			printf("# row %zu: '%s', expected '%s'\n", i, got,
			       rows[i].want);
		/* What is prepared is prepared. */
		if (strstr(rows[i].want, "contains") ||
		    strstr(rows[i].want, " is "))
			continue;
		snprintf(want, sizeof(want), "%s", rows[i].want);
		KTAP_CHECK(!strcmp(prepared(want, strlen(want), 1024), want));
	}
}

/* RFC 8265 section 4.3. */
static void examples(void)
{
	static const struct row rows[] = {
		{ "correct horse battery staple",
		  "correct horse battery staple" },
		{ "Correct Horse Battery Staple",
		  "Correct Horse Battery Staple" },
		{ "\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5" },
		{ "Jack of \u2666s", "Jack of \u2666s" },
		{ "foo\u1680bar", "foo bar" },
		{ "", "is empty" },
		{ "my cat is a \tby", CONTROL },
	};

	check_rows(rows, KTAP_COUNT(rows));
}

static void spaces(void)
{
	static const struct row rows[] = {
		{ " ", " " }, { " a  b ", " a  b " },
		{ "\u00a0", " " }, { "\u2000", " " }, { "\u2001", " " },
		{ "\u200a", " " }, { "\u202f", " " }, { "\u205f", " " },
		{ "\u3000", " " },
		/* No spaces for all that they look like it. */
		{ "\u200b", INVISIBLE }, { "\u2028", DISALLOWED },
		{ "\u2029", DISALLOWED }, { "\u180e", INVISIBLE },
		{ "\ufeff", INVISIBLE },
	};

	check_rows(rows, KTAP_COUNT(rows));
}

static void normalisation(void)
{
	static const struct row rows[] = {
		{ "e\u0301", "\u00e9" }, { "\u00e9", "\u00e9" },
		{ "a\u0323\u0302", "\u1ead" }, { "a\u0302\u0323", "\u1ead" },
		{ "\u212b", "\u00c5" }, { "\u2126", "\u03a9" },
		{ "\u304b\u3099", "\u304c" },
		/* RFC 5769 section 2.4: SASLprep had to change nothing left. */
		{ "\u30de\u30c8\u30ea\u30c3\u30af\u30b9",
		  "\u30de\u30c8\u30ea\u30c3\u30af\u30b9" },
		/* Composed letters that normalisation form C takes apart. */
		{ "\u0958", "\u0915\u093c" },
		/* Compatibility is no equivalence: this is not form KC. */
		{ "\ufb01", "\ufb01" }, { "\uff21", "\uff21" },
		{ "\u00b2", "\u00b2" },
		/* Neither is case. */
		{ "Alice", "Alice" }, { "\u00df", "\u00df" },
		/* Hangul in decomposed form; letters that make no syllable. */
		{ "\u1112\u1161\u11ab", "\ud55c" },
		{ "\u1112", DISALLOWED }, { "\ua960", DISALLOWED },
	};

	check_rows(rows, KTAP_COUNT(rows));
}

static void code_points(void)
{
	static const struct row rows[] = {
		{ "!\"#~\\", "!\"#~\\" }, { "\u00a3\u20ac", "\u00a3\u20ac" },
		{ "\U0001f600", "\U0001f600" }, { "\ufffd", "\ufffd" },
		{ "\u01c5\u2160\u20dd", "\u01c5\u2160\u20dd" },
		/* RFC 5892 section 2.6's exceptions. */
		{ "\u03c2\u06fd\u06fe\u0f0b\u3007",
		  "\u03c2\u06fd\u06fe\u0f0b\u3007" },
		{ "a\u0640", DISALLOWED }, { "\u07fa", DISALLOWED },
		{ "\u302e", DISALLOWED }, { "\u3031", DISALLOWED },
		{ "\u3035", DISALLOWED }, { "\u303b", DISALLOWED },
		{ "\n", CONTROL }, { "\x1f", CONTROL }, { "\x7f", CONTROL },
		{ "a\xc2\x80", CONTROL }, { "a\xc2\x9f", CONTROL },
		{ "a\u00ad", INVISIBLE }, { "\u2060", INVISIBLE },
		{ "\u202e", INVISIBLE }, { "\ufe0f", INVISIBLE },
		{ "\U000e0041", INVISIBLE }, { "\u3164", INVISIBLE },
		{ "\u0600", DISALLOWED }, { "\ue000", DISALLOWED },
		{ "\U00100000", DISALLOWED },
		{ "\ufdd0", NO_CHARACTER }, { "\ufffe", NO_CHARACTER },
		{ "\U0010ffff", NO_CHARACTER },
		{ "\u0378", UNASSIGNED }, { "\U000e1000", UNASSIGNED },
	};

	check_rows(rows, KTAP_COUNT(rows));
	KTAP_CHECK(!strcmp(prepared("a\0b", 3, 100), CONTROL));
	KTAP_CHECK(!strcmp(prepared("\u00e9\0", 3, 100), CONTROL));
}

/* RFC 5892 appendix A. */
static void contexts(void)
{
	static const struct row rows[] = {
		{ "\u0915\u094d\u200c\u0937", "\u0915\u094d\u200c\u0937" },
		{ "\u0628\u200c\u0628", "\u0628\u200c\u0628" },
		{ "\u0628\u064b\u200c\u064b\u0628",
		  "\u0628\u064b\u200c\u064b\u0628" },
		{ "\u0628\u200c\u0627", "\u0628\u200c\u0627" },
		{ "\u0627\u200c\u0628", CONTEXT },
		{ "a\u200cb", CONTEXT }, { "\u200c", CONTEXT },
		{ "\u0628\u200c", CONTEXT }, { "\u200c\u0628", CONTEXT },
		{ "\u0915\u094d\u200d", "\u0915\u094d\u200d" },
		{ "\u200d", CONTEXT }, { "a\u200d", CONTEXT },
		{ "\U0001f468\u200d\U0001f467", CONTEXT },
		{ "l\u00b7l", "l\u00b7l" }, { "L\u00b7L", CONTEXT },
		{ "l\u00b7", CONTEXT }, { "\u00b7l", CONTEXT },
		{ "\u0375\u03b1", "\u0375\u03b1" }, { "\u0375a", CONTEXT },
		{ "\u0375", CONTEXT },
		{ "\u05d0\u05f3", "\u05d0\u05f3" }, { "a\u05f4", CONTEXT },
		{ "\u05f3\u05d0", CONTEXT },
		{ "a\u30fb\u4e00", "a\u30fb\u4e00" },
		{ "\u30fb\u3042", "\u30fb\u3042" },
		{ "\u30a2\u30fb", "\u30a2\u30fb" },
		{ "a\u30fbb", CONTEXT }, { "\u30fb", CONTEXT },
		{ "\u0660a\u0669", "\u0660a\u0669" },
		{ "\u06f0a\u06f9", "\u06f0a\u06f9" },
		{ "\u0660\u06f0", CONTEXT }, { "\u06f9a\u0669", CONTEXT },
	};

	check_rows(rows, KTAP_COUNT(rows));
}

/* RFC 3629: the shortest form, no surrogates, nothing above U+10FFFF. */
static void encoding(void)
{
	static const struct row rows[] = {
		{ "\x80", NO_UTF8 }, { "\xbf", NO_UTF8 }, { "\xff", NO_UTF8 },
		{ "\xc3", NO_UTF8 }, { "\xc3(", NO_UTF8 },
		{ "\xc0\x80", NO_UTF8 }, { "\xc1\xbf", NO_UTF8 },
		{ "\xe0\x9f\xbf", NO_UTF8 }, { "\xe2\x82", NO_UTF8 },
		{ "\xed\xa0\x80", NO_UTF8 }, { "\xed\xbf\xbf", NO_UTF8 },
		{ "\xf0\x8f\xbf\xbf", NO_UTF8 }, { "\xf0\x9f\x98", NO_UTF8 },
		{ "\xf4\x90\x80\x80", NO_UTF8 },
		{ "\xf5\x80\x80\x80", NO_UTF8 },
	};

	check_rows(rows, KTAP_COUNT(rows));
}

static void lengths(void)
{
	static char text[OPAQUE_INPUT_MAX + 1];
	size_t i;

	memset(text, 'a', sizeof(text));
	KTAP_CHECK(strlen(prepared(text, OPAQUE_INPUT_MAX,
				   OPAQUE_INPUT_MAX + 1)) == OPAQUE_INPUT_MAX);
	KTAP_CHECK(prepared(text, OPAQUE_INPUT_MAX + 1, 2 * OPAQUE_INPUT_MAX) ==
		   opaque_too_long);
	KTAP_CHECK(prepared("abc", 3, 3) == opaque_too_long);
	KTAP_CHECK(!strcmp(prepared("abc", 3, 4), "abc"));
	/* What counts is the length of what comes of it. */
	KTAP_CHECK(!strcmp(prepared("e\u0301", 3, 3), "\u00e9"));
	KTAP_CHECK(prepared("e\u0301", 3, 2) == opaque_too_long);
	for (i = 1; i <= 12; i++)
		KTAP_CHECK(prepared("\U0001d160", 4, i) == opaque_too_long);
	KTAP_CHECK(strlen(prepared("\U0001d160", 4, 13)) == 12);
	KTAP_CHECK(prepared("\u00e9", 2, 1) == opaque_too_long);
}

static const struct ktap_case cases[] = {
	{ "opaque: RFC 8265's examples", examples },
	{ "opaque: spaces", spaces },
	{ "opaque: normalisation form C", normalisation },
	{ "opaque: code points", code_points },
	{ "opaque: characters that need a context", contexts },
	{ "opaque: UTF-8", encoding },
	{ "opaque: lengths", lengths },
};

int main(void)
{
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	return ktap_end();
}
