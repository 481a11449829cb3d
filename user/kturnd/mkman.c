// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The options' part of the manual, out of the table of options:
 *
 *	kturnd-mkman flags	for kturnd(8)
 *	kturnd-mkman yaml	for kturnd.yaml(5)
 */
#include <stdio.h>
#include <string.h>

#include "option.h"

/* A minus is not a hyphen, and a line must not begin like a request. */
static void put(const char *text)
{
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\\')
			fputs("\\e", stdout);
		else
			putchar(*text);
	}
}

/* One sentence a line, as manual sources are written. */
static void put_sentences(const char *text)
{
	const char *p;
	char one[512];
	size_t n;

	while (*text) {
		p = strstr(text, ". ");
		n = p ? (size_t)(p + 1 - text) : strlen(text);
		if (n >= sizeof(one))
			n = sizeof(one) - 1;
		memcpy(one, text, n);
		one[n] = '\0';
		put(one);
		putchar('\n');
		text += n;
		while (*text == ' ')
			text++;
	}
}

static void put_option(const struct option_def *o, bool flags)
{
	const char *def = o->def ? o->def : o->def_text;

	puts(".TP");
	printf(".BR ");
	if (flags)
		fputs("\\-\\-", stdout);
	put(o->key);
	if (!flags)
		putchar(':');
	if (o->arg) {
		printf(" \" \\fI");
		put(o->arg);
		printf("\\fP\"");
	}
	putchar('\n');
	put_sentences(o->text);
	if (o->repeatable)
		puts(flags ? "May be repeated." : "May be a list.");
	if (def) {
		printf("Default: ");
		put(def);
		puts(".");
	}
}

int main(int argc, char **argv)
{
	bool flags = argc == 2 && !strcmp(argv[1], "flags");
	size_t i;

	if (!flags && (argc != 2 || strcmp(argv[1], "yaml"))) {
		fputs("usage: kturnd-mkman flags|yaml\n", stderr);
		return 2;
	}
	for (i = 0; i < n_options; i++)
		if (flags || !options[i].flag_only)
			put_option(&options[i], flags);
	return 0;
}
