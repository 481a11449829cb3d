// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn from-coturn: a turnserver.conf becomes a kturnd.yaml. Lines are read
 * here, coturn_options.c has what becomes of each, coturn_finish.c what several
 * of them say together, and all is written at the end.
 */
#include <array_size.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "coturn.h"

#define DEFAULT_FILE	"/etc/turnserver.conf"
#define WIDTH		76

/* ------------------------------------------------------------------ collecting */

static void init(struct coturn *c)
{
	memset(c, 0, sizeof(*c));
	c->keys = json_object();
	c->hints = json_array();
	c->unneeded = json_array();
	c->missing = json_array();
	c->addresses = json_array();
	c->relays = json_array();
	c->external = json_array();
	c->allowed = json_array();
	c->denied = json_array();
	c->users = json_array();
}

static void done(struct coturn *c)
{
	json_decref(c->keys);
	json_decref(c->hints);
	json_decref(c->unneeded);
	json_decref(c->missing);
	json_decref(c->addresses);
	json_decref(c->relays);
	json_decref(c->external);
	json_decref(c->allowed);
	json_decref(c->denied);
	json_decref(c->users);
	free(c->port);
	free(c->tls_port);
	free(c->min_port);
	free(c->max_port);
	free(c->realm);
	free(c->server_name);
}

/* Of the others coturn takes the last value. */
static bool is_list(const char *key)
{
	static const char *const lists[] = {
		"listen", "transport", "relay", "external", "user", "secret",
		"alternate-server", "allow-peer", "deny-peer",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		if (!strcmp(lists[i], key))
			return true;
	return false;
}

static bool has_value(const json_t *values, const json_t *wanted)
{
	json_t *value;
	size_t i;

	json_array_foreach(values, i, value)
		if (json_equal(value, wanted))
			return true;
	return false;
}

void coturn_put(struct coturn *c, const char *key, const char *fmt, ...)
{
	json_t *values = json_object_get(c->keys, key), *value;
	va_list ap;

	va_start(ap, fmt);
	value = json_vsprintf(fmt, ap);
	va_end(ap);
	if (!values) {
		values = json_array();
		cli_json_put(c->keys, key, values);
	}
	if (!is_list(key))
		json_array_clear(values);
	if (has_value(values, value))
		json_decref(value);
	else
		cli_json_append(values, value);
}

/* What is of no line comes after all of them. */
static json_int_t line_of(const json_t *o)
{
	json_int_t line = json_integer_value(json_object_get(o, "line"));

	return line ? line : INT64_MAX;
}

void coturn_missing(struct coturn *c, const char *name, const char *fmt, ...)
{
	size_t i = json_array_size(c->missing);
	json_t *o = json_object(), *why;
	va_list ap;

	va_start(ap, fmt);
	why = json_vsprintf(fmt, ap);
	va_end(ap);
	cli_json_put(o, "line", json_integer(c->line));
	cli_json_put(o, "name", json_string(name));
	cli_json_put(o, "why", why);
	while (i && line_of(json_array_get(c->missing, i - 1)) > line_of(o))
		i--;
	if (!json_array_insert_new(c->missing, i, o))
		return;
	cli_error("out of memory");
	exit(CLI_FAILED);
}

/* --------------------------------------------------------------------- reading */

static bool is_text(const char *line)
{
	json_t *text = json_string(line);

	json_decref(text);
	return text;
}

/* NAME, NAME=VALUE, NAME "VALUE"; as coturn reads it. */
static void read_line(struct coturn *c, char *line)
{
	char *name = line + strspn(line, " \t\r"), *value, *end;

	end = strchr(name, '\0');
	while (end > name && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	if (!*name || *name == '#')
		return;
	value = name + strcspn(name, " =\t");
	if (*value) {
		*value++ = '\0';
		value += strspn(value, " =\t");
	}
	if (*value == '"') {
		value++;
		if (end > value && end[-1] == '"')
			end[-1] = '\0';
	}
	coturn_option(c, name, value);
}

/* Returns an exit status. */
static int read_file(struct coturn *c, const char *path, FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, f)) >= 0) {
		/* A byte order mark. */
		if (!c->line++ && !strncmp(line, "\xef\xbb\xbf", 3))
			memset(line, ' ', 3);
		if (strlen(line) != (size_t)n)
			coturn_missing(c, "this line", "it holds a NUL");
		else if (!is_text(line))
			coturn_missing(c, "this line", "it is not UTF-8");
		else
			read_line(c, line);
	}
	if (line)
		explicit_bzero(line, size);
	free(line);
	return ferror(f) ? cli_error("%s: %m", path) : CLI_OK;
}

static int read_path(struct coturn *c, const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	int status;

	if (!f)
		return cli_error("%s: %m", path);
	status = read_file(c, path, f);
	if (f != stdin)
		fclose(f);
	return status;
}

/* --------------------------------------------------------------------- writing */

/*
 * What YAML takes for the end of a line, or for no character: U+0080 to U+009F,
 * U+2028 and U+2029, and U+FEFF. Returns how many bytes it has, or 0.
 */
static size_t odd_character(const unsigned char *p, unsigned int *code)
{
	if (p[0] == 0xc2 && p[1] < 0xa0) {
		*code = p[1];
		return 2;
	}
	if ((p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) ||
	    (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)) {
		*code = (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 |
			(p[2] & 0x3f);
		return 3;
	}
	return 0;
}

/* A scalar that no reader of YAML takes for anything but this text, in UTF-8. */
static void write_scalar(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned int code;
	size_t n;

	putchar('"');
	for (; *p; p += n ? n : 1) {
		n = odd_character(p, &code);
		if (n)
			printf("\\u%04x", code);
		else if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < ' ' || *p == 0x7f)
			printf("\\x%02x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}

static void write_keys(const struct coturn *c)
{
	json_t *values, *value;
	const char *key;
	size_t i;

	json_object_foreach(c->keys, key, values) {
		if (json_array_size(values) == 1) {
			printf("%s: ", key);
			write_scalar(json_string_value(json_array_get(values,
								      0)));
			putchar('\n');
			continue;
		}
		printf("%s:\n", key);
		json_array_foreach(values, i, value) {
			printf("  - ");
			write_scalar(json_string_value(value));
			putchar('\n');
		}
	}
}

static const char *member(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static void write_hints(const struct coturn *c)
{
	json_t *hint;
	size_t i;

	json_array_foreach(c->hints, i, hint)
		printf("\n# %s\n# %s: %s\n", member(hint, "why"),
		       member(hint, "key"), member(hint, "value"));
}

static void write_unneeded(const struct coturn *c)
{
	const char *name;
	json_t *entry;
	size_t i, at;

	if (!json_array_size(c->unneeded))
		return;
	at = (size_t)printf("\n# Not needed:") - 1;
	json_array_foreach(c->unneeded, i, entry) {
		name = json_string_value(entry);
		if (at + 2 + strlen(name) > WIDTH)
			at = (size_t)printf("\n#  ") - 1;
		at += (size_t)printf(" %s%s", name,
				     i + 1 < json_array_size(c->unneeded) ?
				     "," : "");
	}
	putchar('\n');
}

static void write_missing_to(FILE *f, const char *before, const json_t *o)
{
	json_int_t line = json_integer_value(json_object_get(o, "line"));
	char *name = cli_escape(member(o, "name"));
	char *why = cli_escape(member(o, "why"));

	fputs(before, f);
	if (line)
		fprintf(f, "%" JSON_INTEGER_FORMAT ": ", line);
	fprintf(f, "%s: %s\n", name ? name : "?", why ? why : "?");
	free(name);
	free(why);
}

/* In the file, for who reads that, and for who runs this. */
static void write_missing(const struct coturn *c, const char *path)
{
	char before[512];
	json_t *o;
	size_t i;

	if (!json_array_size(c->missing))
		return;
	printf("\n# Not as in coturn, by line:\n");
	json_array_foreach(c->missing, i, o)
		write_missing_to(stdout, "#   ", o);
	fflush(stdout);
	snprintf(before, sizeof(before), "kturn: %s:",
		 strcmp(path, "-") ? path : "standard input");
	json_array_foreach(c->missing, i, o)
		write_missing_to(stderr, before, o);
}

int from_coturn_run(int argc, char **argv)
{
	const char *path = argc ? argv[0] : DEFAULT_FILE;
	struct coturn c;
	int status;

	if (argc > 1)
		return cli_usage("too many words: '%s'", argv[1]);
	init(&c);
	status = read_path(&c, path);
	if (status == CLI_OK) {
		coturn_finish(&c);
		printf("# What kturn from-coturn has made of a turnserver.conf, for kturnd --config.\n");
		write_keys(&c);
		write_hints(&c);
		write_unneeded(&c);
		write_missing(&c, path);
		if (json_array_size(c.missing))
			status = CLI_FAILED;
	}
	done(&c);
	return status;
}
