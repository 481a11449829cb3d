// SPDX-License-Identifier: GPL-2.0-or-later
/* The flags, made of the table of options. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "log.h"
#include "option.h"

/* What getopt_long() returns for the table's first option. */
#define FIRST	256

struct flag {
	size_t opt;
	char *value;
};

/* Errors of getopt_long() in our own words. */
static void usage_error(struct config *cfg, int c, const char *arg)
{
	char text[128];

	log_escape(text, sizeof(text), arg, strlen(arg));
	if (c == ':')
		config_error(cfg, 0, NULL, "%s: expected a value", text);
	else
		config_error(cfg, 0, NULL,
			     "%s: unknown option, see kturnd --help", text);
}

static void make_long_options(struct option *longs)
{
	size_t i;

	for (i = 0; i < n_options; i++) {
		longs[i].name = options[i].key;
		longs[i].has_arg = options[i].arg ? required_argument :
						    no_argument;
		longs[i].flag = NULL;
		longs[i].val = FIRST + (int)i;
	}
	memset(&longs[i], 0, sizeof(longs[i]));
}

/* Options that are not values; true if it was one. */
static bool take_action(struct config *cfg, const struct option_def *o,
			const char **file)
{
	if (!strcmp(o->key, "config")) {
		if (*file)
			config_error(cfg, 0, o->key, "expected once");
		*file = optarg;
	} else if (!strcmp(o->key, "check")) {
		cfg->check = true;
	} else if (!strcmp(o->key, "version")) {
		printf("kturnd %s\n", KTURN_VERSION);
		exit(0);
	} else if (!strcmp(o->key, "help")) {
		option_help(stdout);
		exit(0);
	} else {
		return false;
	}
	return true;
}

/* Collect first, as a flag overrides the file wherever it stands. */
static size_t collect(struct config *cfg, int argc, char **argv,
		      struct flag *flags, const char **file)
{
	struct option longs[CONFIG_OPTIONS_MAX + 1];
	size_t n = 0, opt;
	char text[128];
	int c;

	make_long_options(longs);
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (c == 'h') {
			option_help(stdout);
			exit(0);
		}
		if (c < FIRST) {
			usage_error(cfg, c, argv[optind - 1]);
			continue;
		}
		opt = (size_t)(c - FIRST);
		if (take_action(cfg, &options[opt], file))
			continue;
		flags[n].opt = opt;
		flags[n++].value = optarg;
	}
	if (optind < argc) {
		log_escape(text, sizeof(text), argv[optind],
			   strlen(argv[optind]));
		config_error(cfg, 0, NULL,
			     "'%s': expected options only, see kturnd --help",
			     text);
	}
	return n;
}

static void apply(struct config *cfg, const struct flag *flags, size_t n)
{
	bool seen[CONFIG_OPTIONS_MAX] = { false };
	const struct option_def *o;
	size_t i;

	for (i = 0; i < n; i++) {
		o = &options[flags[i].opt];
		if (seen[flags[i].opt] && !o->repeatable) {
			config_error(cfg, 0, o->key, "expected once");
			continue;
		}
		if (!seen[flags[i].opt] && o->repeatable)
			o->clear(cfg);
		seen[flags[i].opt] = true;
		config_value(cfg, flags[i].opt, flags[i].value, 0);
		if (o->secret)
			memset(flags[i].value, '*', strlen(flags[i].value));
	}
}

bool config_parse(struct config *cfg, int argc, char **argv)
{
	struct flag *flags = calloc((size_t)argc + 1, sizeof(*flags));
	const char *file = NULL;
	size_t n;

	if (!flags) {
		config_error(cfg, 0, NULL, "out of memory");
		return false;
	}
	n = collect(cfg, argc, argv, flags, &file);
	if (file)
		config_yaml_file(cfg, file);
	apply(cfg, flags, n);
	free(flags);
	if (!cfg->errors)
		config_finish(cfg);
	return !cfg->errors;
}
