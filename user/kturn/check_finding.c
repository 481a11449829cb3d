// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn check-host: what was found, and how it is shown. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "cli.h"

/* Where texts of several lines are broken, and where they begin. */
#define COLUMNS	79
#define INDENT	6

static const char *const severities[] = {
	[CHECK_BAD] = "bad",
	[CHECK_WARN] = "warn",
	[CHECK_NOTE] = "note",
	[CHECK_OK] = "ok",
};

/* ------------------------------------------------------------- collecting */

static void *no_memory(void)
{
	cli_error("out of memory");
	exit(CLI_FAILED);
}

void *check_grow(void *array, size_t n, size_t size)
{
	/* It has room up to the next power of two. */
	if (n & (n - 1))
		return array;
	array = reallocarray(array, n ? 2 * n : 1, size);
	return array ? array : no_memory();
}

static char *copy(const char *text)
{
	char *new = strdup(text);

	return new ? new : no_memory();
}

__attribute__((format(printf, 1, 0)))
static char *format(const char *fmt, va_list ap)
{
	char *text;

	return vasprintf(&text, fmt, ap) < 0 ? no_memory() : text;
}

void check_add(struct check *c, enum check_severity severity, const char *name,
	       const char *about)
{
	c->findings = check_grow(c->findings, c->n_findings,
				 sizeof(*c->findings));
	c->findings[c->n_findings++] = (struct check_finding){
		.severity = severity,
		.name = name,
		.about = about ? copy(about) : NULL,
	};
}

static struct check_finding *last(struct check *c)
{
	return &c->findings[c->n_findings - 1];
}

void check_found(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	last(c)->found = format(fmt, ap);
	va_end(ap);
}

void check_why(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	last(c)->why = format(fmt, ap);
	va_end(ap);
}

void check_do(struct check *c, const char *fmt, ...)
{
	struct check_finding *f = last(c);
	va_list ap;

	if (f->n_todo == CHECK_DO_MAX)
		return;
	va_start(ap, fmt);
	f->todo[f->n_todo++] = format(fmt, ap);
	va_end(ap);
}

void check_ok(struct check *c, const char *name, const char *about,
	      const char *fmt, ...)
{
	va_list ap;

	check_add(c, CHECK_OK, name, about);
	va_start(ap, fmt);
	last(c)->found = format(fmt, ap);
	va_end(ap);
}

void check_unseen(struct check *c, const char *what, const char *fmt, ...)
{
	struct check_unseen *u;
	va_list ap;

	c->unseen = check_grow(c->unseen, c->n_unseen, sizeof(*c->unseen));
	u = &c->unseen[c->n_unseen++];
	u->what = copy(what);
	va_start(ap, fmt);
	u->why = format(fmt, ap);
	va_end(ap);
}

void check_free(struct check *c)
{
	for (size_t i = 0; i < c->n_findings; i++) {
		struct check_finding *f = &c->findings[i];

		free(f->about);
		free(f->found);
		free(f->why);
		for (size_t k = 0; k < f->n_todo; k++)
			free(f->todo[k]);
	}
	for (size_t i = 0; i < c->n_unseen; i++) {
		free(c->unseen[i].what);
		free(c->unseen[i].why);
	}
	free(c->findings);
	free(c->unseen);
	free(c->devs);
	free(c->addrs);
}

/* ------------------------------------------------------------- for people */

/* Words, in as many lines as they take; the first one is @at columns long. */
static void wrap(const char *text, size_t at)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (at > INDENT && at + 1 + len > COLUMNS) {
			printf("\n%*s", INDENT, "");
			at = INDENT;
		} else if (at > INDENT) {
			putchar(' ');
			at++;
		}
		fwrite(text, 1, len, stdout);
		at += len;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void text_print(const char *text)
{
	char *safe = cli_escape(text);

	printf("%*s", INDENT, "");
	wrap(safe ? safe : no_memory(), INDENT);
	free(safe);
}

/* To be copied, so in one line. */
static void command_print(const char *text)
{
	char *safe = cli_escape(text);

	printf("%*s# %s\n", INDENT, "", safe ? safe : (char *)no_memory());
	free(safe);
}

static void finding_print(const struct check_finding *f)
{
	char *head, *safe;

	if (asprintf(&head, "%-*s%s%s%s", INDENT, severities[f->severity],
		     f->about ? f->about : "", f->about ? ": " : "",
		     f->found) < 0)
		no_memory();
	safe = cli_escape(head + INDENT);
	printf("%.*s", INDENT, head);
	wrap(safe ? safe : no_memory(), INDENT);
	free(safe);
	free(head);
	if (f->why)
		text_print(f->why);
	for (size_t i = 0; i < f->n_todo; i++)
		command_print(f->todo[i]);
}

static size_t count(const struct check *c, enum check_severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_findings; i++)
		n += c->findings[i].severity == severity;
	return n;
}

static void people_print(const struct check *c, bool verbose)
{
	for (int s = CHECK_BAD; s <= (verbose ? CHECK_OK : CHECK_NOTE); s++)
		for (size_t i = 0; i < c->n_findings; i++)
			if ((int)c->findings[i].severity == s)
				finding_print(&c->findings[i]);
	for (size_t i = 0; i < c->n_unseen; i++) {
		char *what = cli_escape(c->unseen[i].what);
		char *why = cli_escape(c->unseen[i].why);

		printf("-     could not look at %s: %s\n",
		       what ? what : (char *)no_memory(),
		       why ? why : (char *)no_memory());
		free(what);
		free(why);
	}
	printf("%zu bad, %zu to change, %zu to know, %zu fine, %zu not seen\n",
	       count(c, CHECK_BAD), count(c, CHECK_WARN), count(c, CHECK_NOTE),
	       count(c, CHECK_OK), c->n_unseen);
}

/* ----------------------------------------------------------- for programs */

static json_t *text_json(const char *text)
{
	return text ? cli_json_string(text) : json_null();
}

static json_t *finding_json(const struct check_finding *f)
{
	json_t *o = json_object(), *todo = json_array();

	cli_json_put(o, "severity", json_string(severities[f->severity]));
	cli_json_put(o, "check", json_string(f->name));
	cli_json_put(o, "about", text_json(f->about));
	cli_json_put(o, "found", text_json(f->found));
	cli_json_put(o, "why", text_json(f->why));
	for (size_t i = 0; i < f->n_todo; i++)
		cli_json_append(todo, cli_json_string(f->todo[i]));
	cli_json_put(o, "do", todo);
	return o;
}

static void programs_print(const struct check *c)
{
	json_t *o = json_object(), *findings = json_array();
	json_t *unseen = json_array();

	for (int s = CHECK_BAD; s <= CHECK_OK; s++)
		for (size_t i = 0; i < c->n_findings; i++)
			if ((int)c->findings[i].severity == s)
				cli_json_append(findings, finding_json(&c->findings[i]));
	for (size_t i = 0; i < c->n_unseen; i++) {
		json_t *u = json_object();

		cli_json_put(u, "what", cli_json_string(c->unseen[i].what));
		cli_json_put(u, "why", cli_json_string(c->unseen[i].why));
		cli_json_append(unseen, u);
	}
	cli_json_put(o, "findings", findings);
	cli_json_put(o, "unseen", unseen);
	cli_json_print(o);
}

int check_print(struct check *c, bool verbose)
{
	if (cli_json())
		programs_print(c);
	else
		people_print(c, verbose);
	return count(c, CHECK_BAD) || count(c, CHECK_WARN) ? CLI_FAILED : CLI_OK;
}
