/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands of kturn(8) share. */
#ifndef _KTURN_CLI_H
#define _KTURN_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <kturn.h>

/* Exit statuses. */
#define CLI_OK		0
#define CLI_FAILED	1
#define CLI_USAGE	2

/**
 * struct cli_option - a long option; a table of them ends with a NULL name
 * @name: without the dashes
 * @letter: short form, 0 without one; for a flag only
 * @value: where its argument goes; NULL for an option without one
 * @flag: set when the option is there; NULL for an option with an argument
 */
struct cli_option {
	const char *name;
	char letter;
	const char **value;
	bool *flag;
};

/**
 * struct cli_command - a command, or a group of them; a table of them ends
 * with a NULL name
 * @name: one word
 * @arguments: as the usage line shows them
 * @summary: one line
 * @details: more lines, or NULL
 * @sub: commands of a group, else NULL
 * @options: besides --json and --help; may be NULL
 * @json: it knows --json
 * @run: gets the words after the command's name; returns an exit status
 */
struct cli_command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *details;
	const struct cli_command *sub;
	const struct cli_option *options;
	bool json;
	int (*run)(int argc, char **argv);
};

extern const struct cli_command cli_commands[];
extern const struct cli_command alloc_commands[], perm_commands[],
	chan_commands[], user_commands[];

extern const struct cli_option credential_options[], stats_options[],
	top_options[], check_host_options[];

/**
 * show_run() - run a command, as struct cli_command's @run
 * @argc: words after the command's name, without options
 * @argv: these words
 *
 * The others do the same for the commands that they are named after.
 *
 * Return: an exit status.
 */
int show_run(int argc, char **argv);
int stats_run(int argc, char **argv);
int monitor_run(int argc, char **argv);
int top_run(int argc, char **argv);
int limits_run(int argc, char **argv);
int flush_run(int argc, char **argv);
int attach_run(int argc, char **argv);
int detach_run(int argc, char **argv);
int credential_run(int argc, char **argv);
int check_host_run(int argc, char **argv);
int from_coturn_run(int argc, char **argv);

/* --------------------------------------------------------------- cli.c */

/** cli_json() - was --json given? */
bool cli_json(void);

/** cli_human() - is the output for a person at a terminal? */
bool cli_human(void);

/** cli_run() - run the command that the words name; returns exit status */
int cli_run(int argc, char **argv);

/** cli_error() - print why the command failed; returns CLI_FAILED */
int cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** cli_usage() - print why the words make no sense; returns CLI_USAGE */
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** cli_open() - open the netlink family; NULL: said why it can't be */
struct kturn *cli_open(void);

/**
 * cli_request() - open the netlink family, make one request, close it
 * @request: returns 0, or an error after which kturn_error() has the words
 * @arg: for @request
 *
 * Return: an exit status, after a message if it is not CLI_OK.
 */
int cli_request(int (*request)(struct kturn *kt, void *arg), void *arg);

/**
 * cli_number() - read a number
 * @text: decimal digits
 * @min: least
 * @max: most
 * @value: result
 *
 * Return: false, without a message, when it is none or out of range.
 */
bool cli_number(const char *text, uint32_t min, uint32_t max, uint32_t *value);

/** cli_number64() - the same of up to 64 bits */
bool cli_number64(const char *text, uint64_t min, uint64_t max,
		  uint64_t *value);

/** cli_id() - read the ID of an allocation or an owner, which is not 0.
 * Returns false after a message.
 */
bool cli_id(const char *text, uint32_t *id);

/**
 * cli_key() - the first of the two words that name a permission or a channel
 * @argc: words there are
 * @argv: words
 * @second: what the second word is, for a message when it lacks
 * @alloc_id: result, of the first word
 *
 * Return: false after a message; else there are two words or more.
 */
bool cli_key(int argc, char **argv, const char *second, uint32_t *alloc_id);

/** cli_lifetime() - the last words: "lifetime" and a span, in milliseconds.
 * Returns false after a message.
 */
bool cli_lifetime(int argc, char **argv, uint32_t *ms);

/** cli_addr() - read an address; @port: it must have one, else it must not.
 * Returns false after a message that calls it @what.
 */
bool cli_addr(const char *what, const char *text, bool port,
	      struct kturn_addr *addr);

/** cli_time() - read a span as in "4m30s" or "500ms" into milliseconds, at
 * least 1. Returns false after a message that calls it @what.
 */
bool cli_time(const char *what, const char *text, uint32_t *ms);

/* ------------------------------------------------------------- limit.c */

/* Room for what cli_limit_text() writes. */
#define CLI_LIMIT_MAX	128

/** cli_limit() - read a limit as in "2Mbit/64kB,500pps/100" or "none".
 * Returns false after a message that calls it @what.
 */
bool cli_limit(const char *what, const char *text, struct kturn_limit *limit);

/** cli_limit_text() - the reverse, exact; "-" for none */
const char *cli_limit_text(const struct kturn_limit *limit,
			   char buf[CLI_LIMIT_MAX]);

/** cli_limit_json() - a limit as JSON, as cli_alloc_json() */
json_t *cli_limit_json(const struct kturn_limit *limit);

/* -------------------------------------------------------------- text.c */

/**
 * cli_escape() - make a text safe to print on a terminal
 * @text: any bytes
 *
 * Control characters, what is not UTF-8, characters that a reader can't see
 * or that turn the direction of writing, and backslashes come out as in C. In
 * a locale that is not UTF-8, everything but ASCII does.
 *
 * Return: to be freed; NULL without memory.
 */
char *cli_escape(const char *text);

/** cli_json_string() - a JSON string; what is not UTF-8 becomes U+FFFD */
json_t *cli_json_string(const char *text);

/* Room for what these write. */
#define CLI_UNIT_MAX	32

/** cli_bytes() - "1.2 MB" for people, else "1234567" */
const char *cli_bytes(uint64_t bytes, char buf[CLI_UNIT_MAX]);
/** cli_span() - "4m32s" for people, else "272.000s" */
const char *cli_span(uint64_t ms, char buf[CLI_UNIT_MAX]);
/** cli_rate() - "1.2 M" for people, else "1234567" */
const char *cli_rate(double per_s, char buf[CLI_UNIT_MAX]);

/** cli_clock() - the local time of day for people, UTC with its date in JSON */
const char *cli_clock(char buf[CLI_UNIT_MAX]);

/* ------------------------------------------------------------- table.c */

struct cli_table;

/** cli_table_new() - a table; column names, the last one NULL; those that
 * begin with '>' are aligned to the right. NULL without memory.
 */
struct cli_table *cli_table_new(const char *const *columns);

/** cli_table_cell() - the next cell, row by row; copied */
void cli_table_cell(struct cli_table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** cli_table_print() - print and free it; false without memory */
bool cli_table_print(struct cli_table *t);

/** cli_table_write() - the same to @f */
bool cli_table_write(struct cli_table *t, FILE *f);

/** cli_table_free() - forget it */
void cli_table_free(struct cli_table *t);

/* ------------------------------------------------------------- entry.c */

/**
 * cli_alloc_json() - an allocation as JSON
 * @a: allocation
 *
 * The others do the same for what they are named after. Without memory, that
 * is the program's end.
 *
 * Return: to be given away or json_decref()ed.
 */
json_t *cli_alloc_json(const struct kturn_alloc *a);
json_t *cli_perm_json(const struct kturn_perm *p);
json_t *cli_chan_json(const struct kturn_chan *c);
json_t *cli_owner_json(const struct kturn_owner *o);
json_t *cli_quota_json(const struct kturn_quota *q);
json_t *cli_counter_json(const struct kturn_counter *c);

/**
 * cli_families_json() - a direction's counter, and what of it has which family
 * @total: counter
 * @by: the same by the peers' family: [0] IPv4, [1] IPv6
 * @v4: IPv4 is to be shown
 * @v6: IPv6 is to be shown
 *
 * Return: as cli_alloc_json().
 */
json_t *cli_families_json(const struct kturn_counter *total,
			  const struct kturn_counter by[2], bool v4, bool v6);

/** cli_json_put() - add to an object, which takes over @value; without
 * memory, that is the program's end
 */
void cli_json_put(json_t *o, const char *key, json_t *value);

/** cli_json_append() - the same for an array */
void cli_json_append(json_t *array, json_t *value);

/** cli_json_print() - print and forget @json; returns an exit status */
int cli_json_print(json_t *json);

#define CLI_RELAYS_MAX	(2 * KTURN_ADDR_TEXT_MAX + 2)

/** cli_relays() - an allocation's relayed addresses, with a comma between */
const char *cli_relays(const struct kturn_alloc *a, char buf[CLI_RELAYS_MAX]);

/* ------------------------------------------------------------ secret.c */

#define CLI_SECRET_MAX	1024

/**
 * cli_secret_read() - the one line of a file
 * @what: what it is, for messages
 * @path: file, or "-" for standard input
 * @buf: result, NUL-terminated
 * @len: its length; it may have NULs in it
 *
 * Return: false after a message.
 */
bool cli_secret_read(const char *what, const char *path,
		     char buf[CLI_SECRET_MAX], size_t *len);

/** cli_secret_ask() - ask at the terminal, twice; false after a message */
bool cli_secret_ask(const char *what, char buf[CLI_SECRET_MAX], size_t *len);

/** cli_secret_make() - 144 random bits in 24 characters; false: message */
bool cli_secret_make(char buf[CLI_SECRET_MAX], size_t *len);

#endif /* _KTURN_CLI_H */
