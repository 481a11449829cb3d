// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of options, looked up and shown. */
#include <string.h>

#include "option.h"

size_t option_find(const char *key)
{
	size_t i;

	for (i = 0; i < n_options; i++)
		if (!strcmp(options[i].key, key))
			break;
	return i;
}

void option_help(FILE *out)
{
	const struct option_def *o;
	const char *def;
	char flag[64];
	size_t i;

	fprintf(out,
		"Usage: kturnd [OPTION]...\n"
		"TURN server that relays through the kernel. Without options "
		"it serves every\nglobal address of the host; users come from "
		"/var/lib/kturn/users.db.\n\n");
	for (i = 0; i < n_options; i++) {
		o = &options[i];
		snprintf(flag, sizeof(flag), "--%s%s%s", o->key,
			 o->arg ? " " : "", o->arg ? o->arg : "");
		fprintf(out, "  %-27s %s\n", flag, o->help);
		def = o->def ? o->def : o->def_text;
		if (def)
			fprintf(out, "  %-27s (default: %s)\n", "", def);
		if (o->repeatable)
			fprintf(out, "  %-27s (may be repeated)\n", "");
	}
	fprintf(out, "\nSee kturnd(8) and kturnd.yaml(5).\n");
}
