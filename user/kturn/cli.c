// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding the command that is meant, its options, and messages. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <array_size.h>
#include "cli.h"

static bool json;
/* The words that led here, as in "kturn alloc add". */
static char path[128] = "kturn";
static const struct cli_command *current;

bool cli_json(void)
{
	return json;
}

bool cli_human(void)
{
	return isatty(STDOUT_FILENO);
}

/* ---------------------------------------------------------------- messages */

static void usage_line(FILE *f, const struct cli_command *cmd)
{
	if (!cmd || cmd->sub)
		fprintf(f, "usage: %s%s COMMAND ...\n", path,
			cmd ? "" : " [--json]");
	else
		fprintf(f, "usage: %s%s%s%s\n", path, *cmd->arguments ? " " :
			"", cmd->arguments, cmd->json ? " [--json]" : "");
}

__attribute__((format(printf, 1, 0)))
static void message(const char *fmt, va_list ap)
{
	/* Not %m of a changed errno. */
	int err = errno;

	fflush(stdout);
	fprintf(stderr, "%s: ", path);
	errno = err;
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
	return CLI_FAILED;
}

int cli_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(fmt, ap);
	va_end(ap);
	usage_line(stderr, current);
	fprintf(stderr, "Try '%s --help'.\n", path);
	return CLI_USAGE;
}

static void commands_list(const struct cli_command *table)
{
	for (; table->name; table++)
		printf("  %-12s%s\n", table->name, table->summary);
}

static int help_print(const struct cli_command *cmd,
		      const struct cli_command *table)
{
	usage_line(stdout, cmd);
	if (cmd)
		printf("\n%s\n", cmd->summary);
	if (cmd && cmd->details)
		printf("\n%s\n", cmd->details);
	if (table) {
		printf("\nCommands:\n");
		commands_list(table);
	}
	if (!cmd)
		printf("\n"
		       "  --json      print JSON, where something is shown\n"
		       "  --help      after a command: more about it\n"
		       "  --version   print the version\n"
		       "\nSee kturn(8).\n");
	return CLI_OK;
}

/* ----------------------------------------------------------------- options */

static const struct cli_option *option_find(const struct cli_option *options,
					    const char *name, size_t len)
{
	for (; options && options->name; options++)
		if (strlen(options->name) == len &&
		    !strncmp(options->name, name, len))
			return options;
	return NULL;
}

/* A flag's short form, "-x"; false if there is none of that letter. */
static bool letter_read(const struct cli_command *cmd, const char *word)
{
	const struct cli_option *o = cmd->options;

	if (word[1] == '-' || word[2])
		return false;
	for (; o && o->name; o++) {
		if (o->flag && o->letter == word[1]) {
			*o->flag = true;
			return true;
		}
	}
	return false;
}

/* One option, argv[i]; returns how many words it takes, 0 after a message. */
static int option_read(const struct cli_command *cmd, int argc, char **argv,
		       int i)
{
	const char *name = argv[i] + 2, *value = strchr(name, '=');
	size_t len = value ? (size_t)(value - name) : strlen(name);
	const struct cli_option *o = option_find(cmd->options, name, len);

	if (letter_read(cmd, argv[i]))
		return 1;
	if (argv[i][1] != '-' || !o) {
		cli_usage("unknown option '%s'", argv[i]);
		return 0;
	}
	if (o->flag) {
		if (value) {
			cli_usage("option '--%s' takes no value", o->name);
			return 0;
		}
		*o->flag = true;
		return 1;
	}
	if (!value && i + 1 >= argc) {
		cli_usage("option '--%s' needs a value", o->name);
		return 0;
	}
	if (*o->value) {
		cli_usage("option '--%s' is there twice", o->name);
		return 0;
	}
	*o->value = value ? value + 1 : argv[i + 1];
	return value ? 1 : 2;
}

/*
 * Take the options out of the words, wherever they stand before "--". Returns
 * how many words are left, or -1 after a message.
 */
static int options_read(const struct cli_command *cmd, int argc, char **argv)
{
	int kept = 0, n;

	for (int i = 0; i < argc; i += n) {
		n = 1;
		if (!strcmp(argv[i], "--")) {
			while (++i < argc)
				argv[kept++] = argv[i];
			break;
		}
		if (*argv[i] != '-' || !argv[i][1]) {
			argv[kept++] = argv[i];
		} else if (!strcmp(argv[i], "--json") && cmd->json) {
			json = true;
		} else {
			n = option_read(cmd, argc, argv, i);
			if (!n)
				return -1;
		}
	}
	return kept;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

/* ---------------------------------------------------------------- commands */

static const struct cli_command *command_find(const struct cli_command *table,
					      const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static int command_run(const struct cli_command *cmd, int argc, char **argv)
{
	if (wants_help(argc, argv))
		return help_print(cmd, NULL);
	if (json && !cmd->json)
		return cli_usage("has no JSON to print");
	argc = options_read(cmd, argc, argv);
	return argc < 0 ? CLI_USAGE : cmd->run(argc, argv);
}

/* The words name a command in @table, which is that of @group (NULL: top). */
static int dispatch(const struct cli_command *group,
		    const struct cli_command *table, int argc, char **argv)
{
	const struct cli_command *cmd;
	size_t len = strlen(path);

	current = group;
	if (argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h") ||
		     !strcmp(argv[0], "help")))
		return help_print(group, table);
	if (!argc)
		return cli_usage("a command is missing");
	cmd = command_find(table, argv[0]);
	if (!cmd)
		return cli_usage("unknown command '%s'", argv[0]);
	snprintf(path + len, sizeof(path) - len, " %s", cmd->name);
	current = cmd;
	if (cmd->sub)
		return dispatch(cmd, cmd->sub, argc - 1, argv + 1);
	return command_run(cmd, argc - 1, argv + 1);
}

int cli_run(int argc, char **argv)
{
	for (; argc && !strcmp(argv[0], "--json"); argc--, argv++)
		json = true;
	if (argc && (!strcmp(argv[0], "--version") || !strcmp(argv[0], "-V"))) {
		printf("kturn %s\n", KTURN_VERSION);
		return CLI_OK;
	}
	return dispatch(NULL, cli_commands, argc, argv);
}

/* --------------------------------------------------------------- arguments */

struct kturn *cli_open(void)
{
	struct kturn *kt;

	if (kturn_open(&kt))
		cli_error("%s", kturn_error(NULL));
	return kt;
}

int cli_request(int (*request)(struct kturn *kt, void *arg), void *arg)
{
	struct kturn *kt = cli_open();
	int status = CLI_OK;

	if (!kt)
		return CLI_FAILED;
	if (request(kt, arg))
		status = cli_error("%s", kturn_error(kt));
	kturn_close(kt);
	return status;
}

bool cli_number64(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *text - '0', &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*value = n;
	return true;
}

bool cli_number(const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
	uint64_t n;

	if (!cli_number64(text, min, max, &n))
		return false;
	*value = n;
	return true;
}

bool cli_id(const char *text, uint32_t *id)
{
	if (cli_number(text, 1, UINT32_MAX, id))
		return true;
	cli_usage("'%s' is not an ID", text);
	return false;
}

bool cli_key(int argc, char **argv, const char *second, uint32_t *alloc_id)
{
	if (argc < 2) {
		cli_usage("%s is missing", argc ? second : "ALLOC-ID");
		return false;
	}
	return cli_id(argv[0], alloc_id);
}

bool cli_lifetime(int argc, char **argv, uint32_t *ms)
{
	if (argc != 2 || strcmp(argv[0], "lifetime")) {
		cli_usage("expected: lifetime TIME");
		return false;
	}
	return cli_time("lifetime", argv[1], ms);
}

bool cli_addr(const char *what, const char *text, bool port,
	      struct kturn_addr *addr)
{
	if (!kturn_addr_parse(text, addr) && !addr->port == !port)
		return true;
	cli_usage("%s: '%s' is not an IP address %s", what, text,
		  port ? "with a port, as in 192.0.2.1:3478 or [2001:db8::1]:3478" :
			 "without a port, as in 192.0.2.1 or 2001:db8::1");
	return false;
}

/* Milliseconds of the unit at *@p, which is moved behind it; 0: there is none. */
static uint32_t unit_read(const char **p)
{
	static const struct {
		const char *name;
		uint32_t ms;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t len = strlen(units[i].name);

		if (!strncmp(*p, units[i].name, len)) {
			*p += len;
			return units[i].ms;
		}
	}
	return 0;
}

bool cli_time(const char *what, const char *text, uint32_t *ms)
{
	const char *p = text;
	uint64_t total = 0, n;
	uint32_t unit;

	do {
		n = 0;
		if (*p < '0' || *p > '9')
			goto bad;
		for (; *p >= '0' && *p <= '9'; p++) {
			n = 10 * n + (*p - '0');
			if (n > UINT32_MAX)
				goto range;
		}
		unit = unit_read(&p);
		if (!unit)
			goto bad;
		total += n * unit;
		if (total > UINT32_MAX)
			goto range;
	} while (*p);
	if (!total)
		goto range;
	*ms = total;
	return true;
bad:
	cli_usage("%s: '%s' is not a time, as in 500ms, 30s, 10m or 1h30m",
		  what, text);
	return false;
range:
	cli_usage("%s: '%s' is out of range: 1ms to 49d", what, text);
	return false;
}
