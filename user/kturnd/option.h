/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of options: from it come the flags, the YAML keys, the errors,
 * --help, and the options' part of kturnd(8) and kturnd.yaml(5).
 */
#ifndef _KTURND_OPTION_H
#define _KTURND_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include "config.h"

/** What option_def.set returns when @expected says all that there is to say */
#define OPTION_UNEXPECTED	""

/**
 * struct option_def - an option
 * @key: in the YAML file; with "--" before it, the flag
 * @arg: name of its value; NULL if it has none
 * @def: default as one would write it; NULL if there is none
 * @def_text: the default in words, for people
 * @expected: what a value must be, after "expected"
 * @help: for --help, a line
 * @text: for the manual, a paragraph
 * @repeatable: may be given several times, as a sequence in YAML
 * @secret: its values are not to be shown
 * @flag_only: no YAML key
 * @set: read a value; returns NULL, or what is wrong with it
 * @clear: forget the values, of a repeatable option
 */
struct option_def {
	const char *key;
	const char *arg;
	const char *def;
	const char *def_text;
	const char *expected;
	const char *help;
	const char *text;
	bool repeatable;
	bool secret;
	bool flag_only;
	const char *(*set)(struct config *cfg, const char *value);
	void (*clear)(struct config *cfg);
};

extern const struct option_def options[];
extern const size_t n_options;

/** option_find() - its index, or n_options */
size_t option_find(const char *key);

/** option_help() - write --help's text */
void option_help(FILE *out);

#endif /* _KTURND_OPTION_H */
